//! `kep audit`: what was done and by whom, and the proof that nothing of it was changed.

use super::{policy, show, staff};
use crate::arguments::Audit as Arguments;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::registry::audit::seal::{self, Against, AuditError, Verdict};
use kep::registry::audit::{self, Entry, Wanted};
use kep::registry::staff::StaffRole;
use kep::store::audit as rows;
use kep::store::{RowsError, Store};
use kep::trust::detached::WordError;
use kep::trust::{Anchors, Clock, SealVerifier, TokenVerifier, TrustError};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, who, subject, actor, act, since, before, limit, json } => {
            let since = since.as_deref().map(policy::time).transpose()?;
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            staff::by_role(&store, &who, StaffRole::Auditor).await?;
            let wanted = Wanted { subject, actor, act, since, before, most: limit };
            let entries = audit::list(&store, wanted).await.map_err(unavailable)?;
            let shown: Vec<_> = entries.iter().map(Shown::of).collect();
            show::print(json, &shown, |rows| list(rows))
        }
        Arguments::Verify { conf, copies, explained, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let explained = explained.into_iter().collect();
            verify(&settings, &store, copies.as_deref(), &explained, json).await
        }
        Arguments::Seal { conf, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let seals = wire_up::audit_seals(&settings, store).await?;
            let sealed = seals.seal().await.map_err(not_sealed)?;
            let text = |one: &seal::Statement| {
                format!("seal {} reaches to entry {}\n", one.number, one.up_to)
            };
            show::print(json, &sealed, text)
        }
        Arguments::Export { conf, who, to } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            staff::by_role(&store, &who, StaffRole::Auditor).await?;
            export(&store, to).await
        }
    }
}

async fn verify(
    settings: &Settings,
    store: &Store,
    copies: Option<&Path>,
    explained: &BTreeSet<i64>,
    json: bool,
) -> Outcome {
    let wrong = |error: TrustError| Failure::config(format!("trust: {error}"));
    let anchors = Anchors::load(&settings.trust.seal_anchors).map_err(wrong)?;
    let stamps = Anchors::load(&settings.trust.tsa_anchors).map_err(wrong)?;
    let tokens = TokenVerifier::new(stamps, Vec::new());
    let verifier = SealVerifier::new(anchors, Vec::new(), tokens);
    let own = wire_up::audit_copies(settings);
    let folder = copies.unwrap_or(&own);
    let found = seal::copies(folder)
        .map_err(|error| Failure::io(format!("{}: {error}", folder.display())))?;
    let (provider, now) = (settings.provider.domain.to_string(), Clock::System.now());
    let (provider, verifier, copies) = (provider.as_str(), &verifier, &found);
    let held = Against { provider, verifier, copies, explained };
    let verdict = seal::verify(store, &held, now).await;
    let judged = Judged::of(&verdict.map_err(unavailable)?);
    show::print(json, &judged, Judged::text)?;
    Ok(match judged.valid {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// All entries in their order, a line each; the file is whole or not there.
async fn export(store: &Store, to: Option<PathBuf>) -> Outcome {
    let target = to.clone();
    let work = move |tx: &mut kep::store::Tx<'_>| -> Result<io::Result<i64>, RowsError> {
        let mut out: Box<dyn Write> = match target.as_deref().map(File::create_new) {
            Some(Ok(file)) => Box::new(BufWriter::new(file)),
            Some(Err(error)) => return Ok(Err(error)),
            None => Box::new(BufWriter::new(io::stdout())),
        };
        let (mut count, mut trouble) = (0, None);
        rows::visit(tx, |entry| {
            trouble = line(&mut out, &entry).err();
            count += 1;
            trouble.is_none()
        })?;
        Ok(trouble.map_or_else(|| out.flush().map(|()| count), Err))
    };
    let name = to.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    match store.read(work).await.map_err(unavailable)? {
        Ok(count) => {
            eprintln!("kep: {count} entries");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::cannot_create(format!("{name}: {error}"))),
    }
}

/// The texts as the link was made of them.
fn line(out: &mut impl Write, entry: &rows::EntryRow) -> io::Result<()> {
    let line = Line {
        n: entry.n,
        at: entry.at.millis(),
        actor: &entry.actor,
        channel: &entry.channel,
        act: &entry.act,
        subject: &entry.subject,
        details: &entry.details,
        link: entry.link.hex(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Line<'a> {
    n: i64,
    /// Milliseconds since 1970.
    at: i64,
    actor: &'a str,
    channel: &'a str,
    act: &'a str,
    subject: &'a str,
    details: &'a str,
    link: String,
}

#[derive(Serialize)]
struct Shown {
    n: i64,
    at: String,
    actor: String,
    channel: String,
    act: String,
    subject: String,
    details: serde_json::Value,
}

impl Shown {
    fn of(entry: &Entry) -> Self {
        Self {
            n: entry.n,
            at: entry.at.iso8601(),
            actor: entry.actor.clone(),
            channel: entry.channel.clone(),
            act: entry.act.clone(),
            subject: entry.subject.clone(),
            details: entry.details.clone(),
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let Shown { n, at, actor, act, subject, details, .. } = row;
        let texts = [at, actor, act, subject].map(Clone::clone);
        [vec![n.to_string()], texts.to_vec(), vec![details.to_string()]].concat()
    });
    let head = ["N", "AT", "WHO", "ACT", "ABOUT", "DETAILS"];
    show::table(&head, &cells.collect::<Vec<_>>(), "nothing was done")
}

/// What `kep audit verify` says.
#[derive(Serialize)]
struct Judged {
    valid: bool,
    entries: i64,
    seals: usize,
    sealed_up_to: i64,
    sealed_at: Option<String>,
    faults: Vec<String>,
}

impl Judged {
    fn of(verdict: &Verdict) -> Self {
        Self {
            valid: verdict.faults.is_empty(),
            entries: verdict.entries,
            seals: verdict.seals,
            sealed_up_to: verdict.sealed_up_to,
            sealed_at: verdict.sealed_at.map(|at| at.iso8601()),
            faults: verdict.faults.iter().map(ToString::to_string).collect(),
        }
    }

    fn text(&self) -> String {
        let faults = self.faults.iter().map(|fault| format!("WRONG  {fault}\n"));
        let sealed = self.sealed_at.as_deref().unwrap_or("never");
        let sum = format!(
            "{} entries, {} seals that hold, sealed to entry {} ({sealed})\n{}\n",
            self.entries,
            self.seals,
            self.sealed_up_to,
            if self.valid { "VALID" } else { "INVALID" },
        );
        faults.collect::<String>() + &sum
    }
}

fn not_sealed(error: AuditError) -> Failure {
    let hint = match &error {
        AuditError::Word(WordError::Stamp(_)) => {
            "the time-stamp authority must answer: `kep check`"
        }
        AuditError::Word(_) => "`kep check` looks at seal, time stamps and clock",
        AuditError::Copy(..) => "audit.copies must be a folder that can be written to",
        AuditError::Store(_) => "`kep check` looks at the store",
    };
    Failure::unavailable(&error).hint(hint)
}

fn unavailable(error: RowsError) -> Failure {
    Failure::unavailable(error)
}
