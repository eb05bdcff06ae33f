//! Backup and restore. A backup is a folder of generations; each has all rows of one moment, in a form of
//! our own, and every segment that they point into. Rows are read in one transaction beside the running
//! server; segments are held meanwhile, so that compaction removes none. What was acknowledged before
//! the backup began is in it. The master key never is.

mod dump;
mod folder;
mod manifest;
mod restore;
mod segments;

pub use dump::{Counts, DumpError};
pub use folder::Folder;
pub use manifest::{Manifest, Part};
pub use restore::{Restored, restore, unfinished};
pub use segments::Came;

use super::blobs::segment;
use super::rows::{RowsError, Tx, whole};
use super::{BlobError, Store, StoreError};
use crate::trust::Clock;
use crate::trust::vault::{Vault, VaultError};
use crate::wire::digest::RunningDigest;
use flate2::Compression;
use flate2::write::GzEncoder;
use folder::{BLOBS, NEW};
use segments::Wanted;
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Why there is no backup, or nothing was restored from one.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    #[error("the rows: {0}")]
    Dump(#[from] DumpError),
    #[error("{0}: {1}")]
    Form(String, String),
    #[error("there is no backup at {0}")]
    Absent(PathBuf),
    #[error("the backup has no generation {0}")]
    NoGeneration(String),
    #[error("{0} holds other things than a backup")]
    NotOurs(PathBuf),
    #[error("another run is at work in {0}")]
    Busy(PathBuf),
    #[error("{0} has less than the {1} octets that rows point to")]
    Short(PathBuf, u64),
    #[error("{0} is not what the backup wrote")]
    Altered(PathBuf),
    #[error("the master key is not the one of this backup")]
    OtherKey,
    #[error("the master key: {0}")]
    Vault(#[from] VaultError),
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    #[error("the generation {0} is of a later time than now")]
    Ahead(String),
    #[error("the work was stopped")]
    Stopped,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    pub stage: Stage,
    pub done: u64,
    /// How much there is to do, where that is known.
    pub of: Option<u64>,
}

/// Rows by their number, segments and files by their octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Rows,
    Segments,
    Proof,
}

/// Hears how far it is, on any thread.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// A generation that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    pub generation: String,
    pub manifest: Manifest,
    pub copied: u64,
    pub copied_octets: u64,
    /// Segments that the generation before had.
    pub linked: u64,
    /// Segments that a run which did not end had copied.
    pub found: u64,
    /// Generations that were taken away.
    pub removed: Vec<String>,
}

/// Makes a generation, beside whoever uses the store; `keep`: so many stay, the oldest go.
pub async fn take(
    store: &Store,
    folder: Folder,
    domain: &str,
    clock: &Clock,
    keep: Option<usize>,
    tell: Tell,
) -> Result<Taken, BackupError> {
    let _alone = folder.lock()?;
    let begun = clock.now();
    let blobs = Arc::clone(&store.blobs);
    // Before the rows are read: what they point to is there from now on.
    let _held = aside(move || blobs.hold().map_err(held)).await?;
    let (generation, part) = folder.begin(begun)?;
    let (rows, tables, needed) = rows(store, &part, &tell).await?;
    let (blobs, clock, domain) = (Arc::clone(&store.blobs), clock.clone(), domain.to_owned());
    aside(move || {
        let mut taken = Taken {
            manifest: Manifest {
                kep_backup: manifest::FORM,
                program: env!("CARGO_PKG_VERSION").to_owned(),
                domain,
                begun: begun.iso8601(),
                ended: String::new(),
                schema: whole::version(),
                master_key: manifest::master_key(blobs.vault())?,
                rows,
                tables,
                segments: Vec::new(),
            },
            generation,
            copied: 0,
            copied_octets: 0,
            linked: 0,
            found: 0,
            removed: Vec::new(),
        };
        let live = |number| blobs.segment_path(number);
        fetch(&folder, &part, &needed, &live, &mut taken, &tell)?;
        tidy(&part, &taken.manifest)?;
        taken.manifest.ended = clock.now().iso8601();
        for (name, octets) in taken.manifest.written(blobs.vault())? {
            folder::write_file(&part.join(name), &octets)?;
        }
        folder.finish(&part, &taken.generation)?;
        taken.removed = folder.prune(keep, &taken.generation)?;
        Ok(taken)
    })
    .await
}

/// How far into each segment rows point.
type Needed = BTreeMap<u64, u64>;

/// Writes all rows of one moment, and says which segments they need.
async fn rows(
    store: &Store,
    part: &Path,
    tell: &Tell,
) -> Result<(Part, Counts, Needed), BackupError> {
    let (path, tell) = (part.join(ROWS), Arc::clone(tell));
    let work = move |tx: &mut Tx<'_>| -> Result<(Part, Counts, Needed), BackupError> {
        let beside = path.with_extension(NEW);
        let mut options = OpenOptions::new();
        let made = options.create(true).write(true).truncate(true).mode(0o600).open(&beside);
        let io = BackupError::io(&beside);
        let file = made.map_err(&io)?;
        let digested = Digested { file, digest: RunningDigest::default(), octets: 0 };
        let mut out = BufWriter::new(GzEncoder::new(digested, Compression::fast()));
        let mut told = |done| tell(Progress { stage: Stage::Rows, done, of: None });
        let counts = dump::write(tx, &mut out, &mut told)?;
        let packed = out.into_inner().map_err(|error| io(error.into_error()))?;
        let Digested { file, digest, octets } = packed.finish().map_err(&io)?;
        file.sync_all().map_err(&io)?;
        std::fs::rename(&beside, &path).map_err(&io)?;
        let part = Part { file: ROWS.to_owned(), octets, sha256: digest.finish().hex() };
        Ok((part, counts, needed(tx)?))
    };
    store.read(work).await
}

fn needed(tx: &mut Tx<'_>) -> Result<Needed, RowsError> {
    let rows = tx.query("SELECT segment, MAX(start + stored) FROM blob GROUP BY segment", &[])?;
    let end = |end: i64| segment::record_end(end as u64, 0);
    rows.iter().map(|row| Ok((row.int(0)? as u64, end(row.int(1)?)))).collect()
}

fn fetch(
    folder: &Folder,
    part: &Path,
    needed: &Needed,
    live: &dyn Fn(u64) -> PathBuf,
    taken: &mut Taken,
    tell: &Tell,
) -> Result<(), BackupError> {
    let before = folder.newest()?;
    let of: u64 = needed.values().sum();
    let mut done = 0;
    for (number, octets) in needed {
        tell(Progress { stage: Stage::Segments, done, of: Some(of) });
        let name = format!("{BLOBS}/{}", segment::file_name(*number));
        let known = before.as_ref().and_then(|(path, manifest)| {
            let known = manifest.segments.iter().find(|known| known.file == name)?;
            Some((path.as_path(), known))
        });
        let live = live(*number);
        let wanted = Wanted { live: &live, name, octets: *octets };
        let (came, described) = wanted.fetch(part, known)?;
        match came {
            Came::Copied => {
                taken.copied += 1;
                taken.copied_octets += octets;
            }
            Came::Linked => taken.linked += 1,
            Came::Found => taken.found += 1,
        }
        taken.manifest.segments.push(described);
        done += octets;
    }
    tell(Progress { stage: Stage::Segments, done, of: Some(of) });
    Ok(())
}

/// What an earlier run left and this one has no use for.
fn tidy(part: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let wanted: HashSet<PathBuf> = manifest.parts().map(|one| part.join(&one.file)).collect();
    for folder in [part.to_owned(), part.join(BLOBS)] {
        let entries = std::fs::read_dir(&folder).map_err(BackupError::io(&folder))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_file() && !wanted.contains(&path) {
                std::fs::remove_file(&path).map_err(BackupError::io(&path))?;
            }
        }
    }
    Ok(())
}

/// A generation by its name, and what it is worth.
pub type Judged = (String, Result<Manifest, BackupError>);

/// Reads every generation and compares each file with its digest; one that several share is read once.
/// One that is damaged says nothing of the others.
pub async fn verify(
    folder: Folder,
    vault: Arc<Vault>,
    tell: Tell,
) -> Result<Vec<Judged>, BackupError> {
    aside(move || {
        let _alone = folder.lock()?;
        let mut seen = HashSet::new();
        let mut prove = |name: &str| {
            let path = folder.path(name);
            let manifest = Manifest::proven(&path, &vault)?;
            compare(&path, &manifest, &mut seen, &tell)?;
            Ok(manifest)
        };
        let judged: Vec<Judged> =
            folder.generations()?.into_iter().map(|name| (name.clone(), prove(&name))).collect();
        match judged.is_empty() {
            true => Err(BackupError::NoGeneration("at all".to_owned())),
            false => Ok(judged),
        }
    })
    .await
}

/// Device, inode and digest of files that were read.
type Seen = HashSet<(u64, u64, String)>;

fn compare(
    generation: &Path,
    manifest: &Manifest,
    seen: &mut Seen,
    tell: &Tell,
) -> Result<(), BackupError> {
    let (of, mut done) = (Some(manifest.octets()), 0);
    for part in manifest.parts() {
        tell(Progress { stage: Stage::Proof, done, of });
        let path = generation.join(&part.file);
        let found = std::fs::metadata(&path).map_err(BackupError::io(&path))?;
        if found.len() != part.octets {
            return Err(BackupError::Altered(path));
        }
        let mark = (found.dev(), found.ino(), part.sha256.clone());
        if !seen.contains(&mark) {
            if segments::copy(&path, None, part.octets)? != part.sha256 {
                return Err(BackupError::Altered(path));
            }
            seen.insert(mark);
        }
        done += part.octets;
    }
    tell(Progress { stage: Stage::Proof, done, of });
    Ok(())
}

/// A file whose digest is known when it is written.
struct Digested {
    file: File,
    digest: RunningDigest,
    octets: u64,
}

impl Write for Digested {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.file.write(octets)?;
        self.digest.add(octets.get(..written).unwrap_or_default());
        self.octets += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| BackupError::Stopped)?
}

fn held(error: io::Error) -> BackupError {
    BackupError::Store(BlobError::Io(error).into())
}

impl BackupError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Io(path.clone(), error)
    }

    /// The disk of the backup, or of what is restored, has no room.
    pub fn is_full(&self) -> bool {
        let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
        match self {
            Self::Store(error) => error.is_full(),
            Self::Io(_, error) | Self::Dump(DumpError::Io(error)) => full(error),
            Self::Dump(DumpError::Rows(error)) => error.is_full(),
            _ => false,
        }
    }
}

impl From<RowsError> for BackupError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

const ROWS: &str = "rows.jsonl.gz";
