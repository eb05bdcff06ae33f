//! The chain's head under the provider's seal, with a time stamp: one statement a day, each bound to the
//! one before it, kept in the rows and as files elsewhere. Who writes the rows anew can't write these.

use super::chain::{self, Break, Walked};
use crate::store::audit::{self as rows, SealRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::detached::{Word, WordError};
use crate::trust::{SealFault, SealVerifier};
use crate::wire::{Digest, Timestamp, sha256};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::sync::watch;

/// What is sealed, as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// `kep-audit-seal-1`.
    pub kind: String,
    pub provider: String,
    /// From 1.
    pub number: i64,
    /// The newest entry; 0 while there is none.
    pub up_to: i64,
    /// Its link.
    pub link: String,
    /// SHA-256 of the statement before; empty in the first.
    pub previous: String,
    pub at: String,
}

/// What sealing the audit needs.
pub struct AuditSeals {
    pub store: Store,
    pub provider: String,
    pub word: Word,
    /// Where copies lie beside the rows; best on another machine's disk.
    pub copies: PathBuf,
}

#[derive(Debug, Error)]
pub enum AuditError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Word(#[from] WordError),
    #[error("{0}: {1}")]
    Copy(PathBuf, io::Error),
}

impl From<RowsError> for AuditError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl AuditSeals {
    /// Seals the head whenever a day has gone by since the last time, until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "the audit could not be sealed");
                metrics::counter!("kep_audit_seal_failures_total").increment(1);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Seals when it is time, and writes whichever copies are missing.
    async fn round(&self) -> Result<(), AuditError> {
        let last = self.store.read(rows::last_seal).await?;
        let at = last.as_ref().and_then(|seal| Statement::parse(&seal.statement)?.time());
        let now = self.word.clock.now();
        match at.is_none_or(|at| now.millis() - at.millis() >= DAY_MILLIS) {
            true => self.seal().await.map(drop),
            false => self.copy().await,
        }
    }

    /// Seals the head as it is. Whatever comes of that, what is sealed already gets its copies.
    pub async fn seal(&self) -> Result<Statement, AuditError> {
        let sealed = self.seal_head().await;
        let copied = self.copy().await;
        let statement = sealed?;
        copied?;
        Ok(statement)
    }

    async fn seal_head(&self) -> Result<Statement, AuditError> {
        let read = |tx: &mut Tx<'_>| Ok::<_, RowsError>((rows::head(tx)?, rows::last_seal(tx)?));
        let ((up_to, link), last) = self.store.read(read).await?;
        let statement = Statement {
            kind: KIND.to_owned(),
            provider: self.provider.clone(),
            number: last.as_ref().map_or(0, |seal| seal.number) + 1,
            up_to,
            link: link.hex(),
            previous: last.map_or_else(String::new, |seal| digest_of(&seal).hex()),
            at: self.word.clock.now().iso8601(),
        };
        let text = statement.text();
        let signature = self.word.give(text.as_bytes()).await?.signature;
        let row = SealRow { number: statement.number, statement: text, signature };
        let number = row.number;
        match self.store.write(Lane::Background, move |tx| rows::add_seal(tx, &row)).await? {
            true => tracing::info!(number, up_to, "the audit is sealed"),
            // Another process was faster; what it sealed is as good.
            false => tracing::debug!(number, "the audit was sealed meanwhile"),
        }
        Ok(statement)
    }

    /// Each seal as two files, where they are not yet.
    async fn copy(&self) -> Result<(), AuditError> {
        let numbers = self.store.read(rows::seal_numbers).await?;
        let missing = self.in_folder(move |folder| Ok(missing(folder, numbers))).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let find = move |tx: &mut Tx<'_>| -> Result<Vec<SealRow>, RowsError> {
            let found = missing.iter().map(|number| rows::seal(tx, *number));
            Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        let seals = self.store.read(find).await?;
        self.in_folder(move |folder| copy_all(folder, &seals)).await
    }

    async fn in_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, AuditError> {
        let (at, wrong) =
            (self.copies.clone(), |error| AuditError::Copy(self.copies.clone(), error));
        match tokio::task::spawn_blocking(move || work(&at)).await {
            Ok(done) => done.map_err(wrong),
            Err(error) => Err(wrong(io::Error::other(error))),
        }
    }
}

impl Statement {
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|statement: &Self| statement.kind == KIND)
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::parse_iso8601(&self.at)
    }
}

/// A seal's files: the statement, and its signature beside it.
pub fn names(number: i64) -> (String, String) {
    let name = format!("audit-{number:06}.json");
    let signature = format!("{name}.p7s");
    (name, signature)
}

/// Those of which a file is not there.
fn missing(folder: &Path, numbers: Vec<i64>) -> Vec<i64> {
    let lacks = |number: &i64| {
        let (name, signature) = names(*number);
        !folder.join(name).exists() || !folder.join(signature).exists()
    };
    numbers.into_iter().filter(lacks).collect()
}

fn copy_all(folder: &Path, seals: &[SealRow]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for seal in seals {
        let (name, signature) = names(seal.number);
        // The statement comes last: where it is, its signature is.
        lay(&folder.join(signature), &seal.signature)?;
        lay(&folder.join(name), seal.statement.as_bytes())?;
    }
    fs::File::open(folder)?.sync_all()
}

/// Whole or not at all; what is there is never written anew.
fn lay(path: &Path, octets: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut half = path.as_os_str().to_owned();
    half.push(".half");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&half, path)
}

/// A seal as it was found outside the rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copy {
    pub statement: Vec<u8>,
    pub signature: Vec<u8>,
}

/// The copies of a folder, by number. A folder that isn't there has none.
pub fn copies(folder: &Path) -> io::Result<BTreeMap<i64, Copy>> {
    let mut found = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| {
            name.strip_prefix("audit-")?.strip_suffix(".json")?.parse::<i64>().ok()
        });
        let Some(number) = number else { continue };
        let (statement, signature) = names(number);
        let read = |name: &str| fs::read(folder.join(name));
        let copy = Copy { statement: read(&statement)?, signature: read(&signature)? };
        found.insert(number, copy);
    }
    Ok(found)
}

/// What `kep audit verify` found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub entries: i64,
    /// How many seals hold.
    pub seals: usize,
    /// Up to which entry the last of them reaches, and when it was stamped.
    pub sealed_up_to: i64,
    pub sealed_at: Option<Timestamp>,
    pub faults: Vec<Fault>,
}

/// Why the audit is not what it was.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    #[error("{0}")]
    Chain(#[from] Break),
    #[error("seal {0} is missing")]
    Missing(i64),
    #[error("seal {0} is not a statement about this provider's audit")]
    Form(i64),
    #[error("seal {0} does not follow the one before it")]
    Order(i64),
    #[error("seal {0}: {1}")]
    Seal(i64, SealFault),
    #[error("seal {0} has no time stamp")]
    Unstamped(i64),
    #[error("seal {0} was stamped {1} s after it says")]
    Late(i64, i64),
    #[error("nothing was sealed between {1} and {2}, seal {0}: that is to be explained")]
    Gap(i64, Timestamp, Timestamp),
    #[error("entry {1} says {2}, a day or more before the seal that it comes after, {0}")]
    Backdated(i64, i64, Timestamp),
    #[error("seal {0} is about entry {1}, and the audit ends before it")]
    Short(i64, i64),
    #[error("entry {1} is not what seal {0} says it was")]
    Rewritten(i64, i64),
    #[error("the copy of seal {0} is not the seal that the rows have")]
    CopyDiffers(i64),
    #[error("the rows have no seal {0}, and there is a copy of it")]
    Removed(i64),
    #[error("there is no copy of seal {0}")]
    Uncopied(i64),
    #[error("the first entry is of {0}, and nothing was ever sealed")]
    NeverSealed(Timestamp),
    #[error("nothing was sealed since {0}")]
    Stale(Timestamp),
}

/// What the audit is held against.
pub struct Against<'a> {
    pub provider: &'a str,
    pub verifier: &'a SealVerifier,
    /// Copies of seals that lie outside the rows, read before them: a seal is copied once it stands there.
    pub copies: &'a BTreeMap<i64, Copy>,
    /// Seals before which there was no server to seal, as those know who ask.
    pub explained: &'a BTreeSet<i64>,
}

/// Judges chain, seals and copies.
pub async fn verify(
    store: &Store,
    held: &Against<'_>,
    now: Timestamp,
) -> Result<Verdict, RowsError> {
    let Against { provider, verifier, copies, explained } = *held;
    let seals = store.read(rows::seals).await?;
    let statements: Vec<_> = seals.iter().map(|seal| Statement::parse(&seal.statement)).collect();
    let wanted: BTreeSet<i64> = statements.iter().flatten().map(|one| one.up_to).collect();
    let walk = move |tx: &mut Tx<'_>| Ok::<_, RowsError>((chain::walk(tx, &wanted)?, first(tx)?));
    let (walked, first) = store.read(walk).await?;
    let mut verdict =
        Verdict { entries: 0, seals: 0, sealed_up_to: 0, sealed_at: None, faults: Vec::new() };
    let walked = match walked {
        Ok(walked) => {
            verdict.entries = walked.entries;
            Some(walked)
        }
        Err(broken) => {
            verdict.faults.push(broken.into());
            None
        }
    };
    let mut before: Option<&SealRow> = None;
    for (seal, statement) in seals.iter().zip(&statements) {
        let judged = Judged { seal, statement, before, provider, walked: walked.as_ref() };
        match judged.judge(verifier, now) {
            Ok(stamped) => {
                let gap = gap(seal.number, verdict.sealed_at.or(first), stamped);
                verdict.faults.extend(gap.filter(|_| !explained.contains(&seal.number)));
                verdict.faults.extend(judged.backdated(stamped));
                verdict.seals += 1;
                verdict.sealed_at = Some(stamped);
                verdict.sealed_up_to = statement.as_ref().map_or(0, |one| one.up_to);
            }
            Err(fault) => verdict.faults.push(fault),
        }
        before = Some(seal);
    }
    verdict.faults.extend(against(&seals, copies, now));
    verdict.faults.extend(stale(first, verdict.sealed_at, now));
    Ok(verdict)
}

/// One seal, and what it is held against.
struct Judged<'a> {
    seal: &'a SealRow,
    statement: &'a Option<Statement>,
    before: Option<&'a SealRow>,
    provider: &'a str,
    walked: Option<&'a Walked>,
}

impl Judged<'_> {
    fn judge(&self, verifier: &SealVerifier, now: Timestamp) -> Result<Timestamp, Fault> {
        let number = self.seal.number;
        let Some(statement) = self.statement else { return Err(Fault::Form(number)) };
        let expected = self.before.map_or(1, |seal| seal.number + 1);
        if number != expected {
            return Err(Fault::Missing(expected));
        }
        if statement.number != number || statement.provider != self.provider {
            return Err(Fault::Form(number));
        }
        let previous = self.before.map_or_else(String::new, |seal| digest_of(seal).hex());
        if statement.previous != previous {
            return Err(Fault::Order(number));
        }
        let stamped = self.stamped(statement, verifier, now)?;
        if let Some(walked) = self.walked {
            match walked.links.get(&statement.up_to) {
                None => return Err(Fault::Short(number, statement.up_to)),
                Some(link) if link.hex() != statement.link => {
                    return Err(Fault::Rewritten(number, statement.up_to));
                }
                Some(_) => {}
            }
        }
        Ok(stamped)
    }

    /// What comes after a seal was not done long before it.
    fn backdated(&self, stamped: Timestamp) -> Option<Fault> {
        let up_to = self.statement.as_ref()?.up_to;
        let (said, entry) = *self.walked?.earliest.get(&up_to)?;
        let early = stamped.millis() - said.millis() >= DAY_MILLIS;
        early.then_some(Fault::Backdated(self.seal.number, entry, said))
    }

    fn stamped(
        &self,
        statement: &Statement,
        verifier: &SealVerifier,
        now: Timestamp,
    ) -> Result<Timestamp, Fault> {
        let (seal, number) = (self.seal, self.seal.number);
        let sealed = verifier.verify(seal.statement.as_bytes(), &seal.signature, now);
        let sealed = sealed.map_err(|fault| Fault::Seal(number, fault))?;
        let stamped = sealed.token.ok_or(Fault::Unstamped(number))?.gen_time;
        let said = statement.time().ok_or(Fault::Form(number))?;
        let apart = (stamped.millis() - said.millis()) / 1000;
        if apart.abs() > LATE_SECS {
            return Err(Fault::Late(number, apart));
        }
        Ok(stamped)
    }
}

/// Whoever takes days back and writes others has no seals of those days.
fn gap(number: i64, before: Option<Timestamp>, stamped: Timestamp) -> Option<Fault> {
    let before = before?;
    let long = stamped.millis() - before.millis() > 2 * DAY_MILLIS;
    long.then_some(Fault::Gap(number, before, stamped))
}

/// Rows and copies tell of each other. Who seals at this moment has not copied yet.
fn against(seals: &[SealRow], copies: &BTreeMap<i64, Copy>, now: Timestamp) -> Vec<Fault> {
    let mut faults = Vec::new();
    let newest = seals.last().filter(|seal| {
        let at = Statement::parse(&seal.statement).and_then(|statement| statement.time());
        at.is_some_and(|at| now.millis() - at.millis() < COPYING_MILLIS)
    });
    for seal in seals {
        match copies.get(&seal.number) {
            None if newest.is_some_and(|newest| newest.number == seal.number) => {}
            None => faults.push(Fault::Uncopied(seal.number)),
            Some(copy) => {
                let same = copy.statement == seal.statement.as_bytes();
                if !same || copy.signature != seal.signature {
                    faults.push(Fault::CopyDiffers(seal.number));
                }
            }
        }
    }
    let held = |number: &&i64| seals.iter().any(|seal| seal.number == **number);
    faults.extend(copies.keys().filter(|number| !held(number)).map(|n| Fault::Removed(*n)));
    faults
}

/// Who seals each day has a seal of the last two.
fn stale(first: Option<Timestamp>, sealed: Option<Timestamp>, now: Timestamp) -> Option<Fault> {
    let old = |at: Timestamp| now.millis() - at.millis() > 2 * DAY_MILLIS;
    match (sealed, first) {
        (Some(at), _) => old(at).then_some(Fault::Stale(at)),
        (None, Some(at)) => old(at).then_some(Fault::NeverSealed(at)),
        (None, None) => None,
    }
}

/// When the first entry was made.
fn first(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, RowsError> {
    let mut at = None;
    rows::visit(tx, |entry| {
        at = Some(entry.at);
        false
    })?;
    Ok(at)
}

fn digest_of(seal: &SealRow) -> Digest {
    sha256(seal.statement.as_bytes())
}

const KIND: &str = "kep-audit-seal-1";
const DAY_MILLIS: i64 = 24 * 3600 * 1000;
/// How often it is looked whether a day has gone by.
const LOOK: std::time::Duration = std::time::Duration::from_secs(600);
/// So long the newest seal may lack its copy.
const COPYING_MILLIS: i64 = 5 * 60 * 1000;
/// An authority may be slow to answer, not this slow.
const LATE_SECS: i64 = 3600;
