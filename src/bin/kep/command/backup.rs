//! `kep backup`: a generation beside the running server, and what the generations are worth.

use super::bar::Bar;
use super::{show, staff};
use crate::arguments::Backup as Arguments;
use crate::failure::{Failure, Outcome};
use crate::settings::{Rows, SealSource, Settings};
use crate::wire_up;
use kep::registry::audit::{self, By};
use kep::registry::staff::StaffRole;
use kep::store::backup::{self, BackupError, Folder, Judged, Manifest, Stage, Taken, Tell};
use kep::store::{Lane, RowsError, Store, StoreError, Tx};
use kep::trust::Clock;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

pub async fn run(arguments: &Arguments) -> Outcome {
    let settings = wire_up::settings(&arguments.conf.conf)?;
    if arguments.list {
        return list(arguments);
    }
    let bar = Arc::new(Mutex::new(Bar::new()));
    if arguments.verify {
        let folder = Folder::find(&arguments.dir).map_err(failure)?;
        let proven = backup::verify(folder, wire_up::vault(&settings)?, tell(&bar)).await;
        clear(&bar);
        return verified(proven.map_err(failure)?, arguments.json);
    }
    let store = wire_up::store(&settings).await?;
    let by = staff::by_role(&store, &arguments.who, StaffRole::Operator).await?;
    let folder = Folder::make(&arguments.dir).map_err(failure)?;
    let (domain, keep) = (settings.provider.domain.to_string(), arguments.keep);
    let keep = keep.map(|keep| usize::from(keep.get()));
    let taken = backup::take(&store, folder, &domain, &Clock::System, keep, tell(&bar)).await;
    clear(&bar);
    let taken = taken.map_err(failure)?;
    record(&store, by, "backup.take", &taken.generation).await?;
    let made = Made::of(&taken, apart(&settings, &arguments.conf.conf));
    show::print(arguments.json, &made, text)
}

/// What each generation is worth; a failure when one is damaged.
fn verified(judged: Vec<Judged>, json: bool) -> Outcome {
    let worth = |(name, one): &Judged| match one {
        Ok(manifest) => {
            Worth { generation: name.clone(), line: Some(Line::of(name, manifest)), damage: None }
        }
        Err(error) => {
            Worth { generation: name.clone(), line: None, damage: Some(error.to_string()) }
        }
    };
    let all: Vec<_> = judged.iter().map(worth).collect();
    show::print(json, &all, |all| {
        let good: Vec<_> = all.iter().filter_map(|one| one.line.as_ref()).collect();
        let damaged = all.iter().filter_map(|one| Some((&one.generation, one.damage.as_ref()?)));
        let damaged: String =
            damaged.map(|(name, damage)| format!("{name} is damaged: {damage}\n")).collect();
        let good = match good.is_empty() {
            true => String::new(),
            false => format!("{}every octet of these is what was written\n", table(&good)),
        };
        good + &damaged
    })?;
    let bad = judged.iter().filter(|(_, one)| one.is_err()).count();
    let some = judged.len() > bad;
    match judged.into_iter().find_map(|(_, one)| one.err()) {
        None => Ok(ExitCode::SUCCESS),
        Some(error) if bad == 1 && !some => Err(failure(error)),
        Some(_) => Err(Failure::data(format!("{bad} generations are damaged")).hint(match some {
            true => "the others can be restored; `kep backup` makes a new one",
            false => "`kep backup` makes a new one",
        })),
    }
}

/// What a generation is worth.
#[derive(Serialize)]
struct Worth {
    generation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

/// Into the audit, of which generation it was.
pub async fn record(store: &Store, by: By, act: &'static str, generation: &str) -> Outcome<()> {
    let generation = generation.to_owned();
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        audit::record(tx, &by, act, &generation, serde_json::json!({}))?;
        Ok(())
    };
    let written = store.write(Lane::Client, work).await;
    written.map_err(|error| Failure::unavailable(format!("storage: {error}")))
}

fn list(arguments: &Arguments) -> Outcome {
    let folder = Folder::find(&arguments.dir).map_err(failure)?;
    let names = folder.generations().map_err(failure)?;
    let lines = names.iter().map(|name| {
        let manifest = Manifest::read(&folder.path(name)).map_err(failure)?;
        Ok(Line::of(name, &manifest))
    });
    let lines = lines.collect::<Outcome<Vec<_>>>()?;
    show::print(arguments.json, &lines, |lines| table(&lines.iter().collect::<Vec<_>>()))
}

/// A generation, and what is in it.
#[derive(Serialize)]
pub struct Line {
    generation: String,
    begun: String,
    octets: u64,
    segments: usize,
    accounts: u64,
    messages: u64,
    evidence: u64,
}

impl Line {
    pub fn of(generation: &str, manifest: &Manifest) -> Self {
        Self {
            generation: generation.to_owned(),
            begun: manifest.begun.clone(),
            octets: manifest.octets(),
            segments: manifest.segments.len(),
            accounts: manifest.count("account"),
            messages: manifest.count("submission"),
            evidence: manifest.count("evidence"),
        }
    }
}

impl Line {
    pub fn text(&self, rows: u64) -> String {
        let Self { generation, segments, accounts, messages, evidence, .. } = self;
        format!(
            "generation {generation}: {accounts} accounts, {messages} messages, {evidence} evidence \
             ({rows} rows, {segments} segments)\n"
        )
    }
}

fn table(lines: &[&Line]) -> String {
    let cells = lines.iter().map(|line| {
        let counts = [line.accounts, line.messages, line.evidence, line.octets];
        let words = [line.generation.clone()].into_iter();
        words.chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()
    });
    let head = ["GENERATION", "ACCOUNTS", "MESSAGES", "EVIDENCE", "OCTETS"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no generations")
}

#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    line: Line,
    rows: u64,
    copied_segments: u64,
    copied_octets: u64,
    linked_segments: u64,
    found_segments: u64,
    removed: Vec<String>,
    keep_apart: Vec<Apart>,
}

impl Made {
    fn of(taken: &Taken, keep_apart: Vec<Apart>) -> Self {
        Self {
            line: Line::of(&taken.generation, &taken.manifest),
            rows: taken.manifest.tables.values().sum(),
            copied_segments: taken.copied,
            copied_octets: taken.copied_octets,
            linked_segments: taken.linked,
            found_segments: taken.found,
            removed: taken.removed.clone(),
            keep_apart,
        }
    }
}

fn text(made: &Made) -> String {
    let line = &made.line;
    let mut text = line.text(made.rows);
    text += &format!(
        "segments: {} copied ({} octets), {} unchanged, {} of a run that did not end\n",
        made.copied_segments, made.copied_octets, made.linked_segments, made.found_segments
    );
    for name in &made.removed {
        text += &format!("removed: {name}\n");
    }
    text += "not in it; keep copies elsewhere, the master key apart from all others:\n";
    for Apart { what, place } in &made.keep_apart {
        text += &format!("  {what}: {place}\n");
    }
    text
}

/// What a provider needs beside its backup.
#[derive(Serialize)]
struct Apart {
    what: &'static str,
    place: String,
}

fn apart(settings: &Settings, conf: &Path) -> Vec<Apart> {
    let token = || format!("token {}", settings.seal_pkcs11.token.as_deref().unwrap_or_default());
    let shown = |path: &Path| wire_up::absolute(path).display().to_string();
    let seal = match settings.seal.source {
        SealSource::File => settings.seal.key.as_deref().map(shown),
        SealSource::Pkcs11 => Some(token()),
    };
    let trust = &settings.trust;
    let all = [
        ("master key", Some(shown(&settings.vault.master_key))),
        ("configuration", Some(shown(conf))),
        ("seal key", seal),
        ("seal certificate", Some(shown(&settings.seal.certificate))),
        ("TLS certificate", settings.tls.certificate.as_deref().map(shown)),
        ("TLS key", settings.tls.key.as_deref().map(shown)),
        ("anchors of users", Some(shown(&trust.user_anchors))),
        ("anchors of the seal", Some(shown(&trust.seal_anchors))),
        ("anchors of time stamps", Some(shown(&trust.tsa_anchors))),
        ("signers of lists", settings.lists.signers.as_deref().map(shown)),
        ("signers of CSI", settings.lists.csi_signers.as_deref().map(shown)),
        ("texts", settings.texts.dir.as_deref().map(shown)),
        ("holidays", settings.opening.holidays.as_deref().map(shown)),
        ("password of the database", settings.data.rows_password_file.as_deref().map(shown)),
    ];
    let there = all.into_iter().filter_map(|(what, place)| Some(Apart { what, place: place? }));
    there.collect()
}

/// Shows how far it is.
pub fn tell(bar: &Arc<Mutex<Bar>>) -> Tell {
    let bar = Arc::clone(bar);
    Arc::new(move |progress| {
        let (part, unit) = match progress.stage {
            Stage::Rows => ("rows", 1),
            Stage::Segments => ("segments, MiB", 1 << 20),
            Stage::Proof => ("proof, MiB", 1 << 20),
        };
        let of = progress.of.map_or("?".to_owned(), |of| (of / unit).to_string());
        bar.lock().unwrap_or_else(PoisonError::into_inner).show(part, progress.done / unit, of);
    })
}

pub fn clear(bar: &Arc<Mutex<Bar>>) {
    bar.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Which failure it is to whoever asked.
pub fn failure(error: BackupError) -> Failure {
    let full = error.is_full();
    let said = match &error {
        BackupError::Store(_) | BackupError::Busy(_) | BackupError::Stopped => {
            Failure::unavailable(&error)
        }
        BackupError::Absent(_) | BackupError::NoGeneration(_) => Failure::not_found(&error),
        BackupError::Io(..) | BackupError::Short(..) => Failure::io(&error),
        BackupError::NotOurs(_) | BackupError::NotEmpty(_) => Failure::cannot_create(&error),
        BackupError::OtherKey | BackupError::Vault(_) => Failure::config(&error),
        BackupError::Ahead(_) => Failure::data(&error),
        BackupError::Dump(_) | BackupError::Form(..) | BackupError::Altered(_) => {
            Failure::data(&error)
        }
    };
    match &error {
        _ if full => said.hint(
            "make room, or let fewer generations stay (--keep); what was copied is used by the next run",
        ),
        BackupError::Absent(_) => said.hint("`kep backup DIR` makes one"),
        BackupError::NoGeneration(_) => said.hint("`kep backup DIR --list` shows them"),
        BackupError::Ahead(_) => said.hint(
            "one clock was wrong: set this one right, or move that generation out of the folder",
        ),
        BackupError::Busy(_) => said.hint("wait until it has ended"),
        BackupError::NotOurs(_) => said.hint("name an empty folder, or that of a backup"),
        BackupError::NotEmpty(_) => said.hint(
            "nothing is restored over what is there: move it away, or name another folder with --to",
        ),
        BackupError::OtherKey => {
            said.hint("put the provider's master key back where vault.master_key says")
        }
        BackupError::Altered(_) => said.hint("restore from another generation (--generation NAME)"),
        BackupError::Short(..) => said.hint("`kep fsck` says what is lost"),
        BackupError::Store(StoreError::Rows(RowsError::NotEmpty)) => said.hint(NOT_EMPTY),
        _ => said,
    }
}

/// Whether rows rest on another server.
pub fn elsewhere(settings: &Settings) -> bool {
    matches!(settings.data.rows, Rows::Postgres(_))
}

const NOT_EMPTY: &str = "rows are restored into a new, empty database alone";
