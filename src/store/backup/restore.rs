//! Restoring: a generation becomes a store where there was none. Rows come last and all at once, so that
//! what a crash leaves is no store; the next run clears that away and begins anew. A database that it was
//! at work in bears a mark until all is there. Of the two marks that of the folder goes last, and says before the
//! other one goes that all is there: a database that bears none is nobody's to clear.

use super::dump::{self, Counts};
use super::folder::{Folder, make_folder, sync_folder, write_file};
use super::manifest::Manifest;
use super::{BackupError, Part, Progress, Stage, Tell, aside, segments};
use crate::store::blobs::Blobs;
use crate::store::rows::{Start, Tx, whole};
use crate::store::{Lane, RowsAt, RowsError, Store, StoreError, close_to_others};
use crate::trust::vault::Vault;
use crate::wire::Timestamp;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What there is again.
#[derive(Clone, Debug)]
pub struct Restored {
    pub generation: String,
    pub manifest: Manifest,
    pub rows: Counts,
}

/// Restores a generation, the newest when none is named: rows to `at`, segments to `blobs`. `data` is the
/// data folder, where `at` may be a file; all three must be empty or absent.
pub async fn restore(
    folder: Folder,
    generation: Option<String>,
    at: &RowsAt,
    (data, blobs): (&Path, &Path),
    vault: Arc<Vault>,
    now: Timestamp,
    tell: Tell,
) -> Result<Restored, BackupError> {
    let (data, blobs) = (data.to_owned(), blobs.to_owned());
    let (key, mark) = (Arc::clone(&vault), data.join(UNFINISHED));
    let (name, path, manifest, _alone) = aside(move || {
        let alone = folder.lock()?;
        let (name, path) = folder.chosen(generation.as_deref())?;
        let manifest = Manifest::proven(&path, &key)?;
        Ok((name, path, manifest, alone))
    })
    .await?;
    if let Some(whole) = whole(&mark)?
        && is_there(at, &blobs, &vault).await?
    {
        unmark(&data)?;
        return match whole == name {
            true => Ok(Restored { generation: name, rows: manifest.tables.clone(), manifest }),
            false => Err(BackupError::NotEmpty(data)),
        };
    }
    let (from, copied, told) = (path.clone(), manifest.clone(), Arc::clone(&tell));
    let (places, begun) = ((data.clone(), blobs.clone()), name.clone());
    aside(move || {
        clear(&places.0, &places.1)?;
        make_folder(&places.1)?;
        write_file(&places.0.join(UNFINISHED), begun.as_bytes())?;
        copy(&from, &copied, &places.1, &told)
    })
    .await?;
    let file = path.join(&manifest.rows.file);
    let rows = rows(&file, &manifest, at, &blobs, Arc::clone(&vault), now, tell).await?;
    // A file of rows goes with its folder, whatever the mark says.
    if let RowsAt::Postgres(_) = at {
        write_file(&mark, format!("{name}{WHOLE}").as_bytes())?;
        sync_folder(&data)?;
    }
    open(at, &blobs, vault, Start::Whole).await?.close().await;
    unmark(&data)?;
    Ok(Restored { generation: name, manifest, rows })
}

/// The generation of which all is there, if that is what the mark of the folder says.
fn whole(mark: &Path) -> Result<Option<String>, BackupError> {
    match std::fs::read_to_string(mark) {
        Ok(text) => Ok(text.strip_suffix(WHOLE).map(str::to_owned)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::io(mark)(error)),
    }
}

/// Whether the database has what the mark says, which then bears no mark of its own any more.
async fn is_there(at: &RowsAt, blobs: &Path, vault: &Arc<Vault>) -> Result<bool, BackupError> {
    match open(at, blobs, Arc::clone(vault), Start::Find).await {
        Ok(store) => {
            store.close().await;
            Ok(true)
        }
        Err(StoreError::Rows(RowsError::HalfRestored)) => {
            open(at, blobs, Arc::clone(vault), Start::Whole).await?.close().await;
            Ok(true)
        }
        Err(StoreError::Rows(RowsError::NoSchema)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn unmark(data: &Path) -> Result<(), BackupError> {
    let mark = data.join(UNFINISHED);
    std::fs::remove_file(&mark).map_err(BackupError::io(&mark))?;
    sync_folder(data)
}

/// Whether a restore into this data folder did not end.
pub fn unfinished(data: &Path) -> bool {
    data.join(UNFINISHED).exists()
}

/// Both folders must be empty, but for what a restore left that did not end.
fn clear(data: &Path, blobs: &Path) -> Result<(), BackupError> {
    make_folder(data)?;
    let ours = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == "hold" || name.starts_with("segment-") || name.starts_with("kep.sqlite")
    };
    if unfinished(data) {
        for path in [entries(blobs)?, entries(data)?].concat() {
            if path.is_file() && ours(&path) {
                std::fs::remove_file(&path).map_err(BackupError::io(&path))?;
            }
        }
    }
    for folder in [data, blobs] {
        // Whoever restores has the lock of the server, too.
        let expected = [UNFINISHED, MARKING, "serve.lock", "lost+found"];
        let expected = expected.map(|name| folder.join(name));
        let other = |path: &PathBuf| path != blobs && !expected.contains(path);
        if entries(folder)?.iter().any(other) {
            return Err(BackupError::NotEmpty(folder.to_owned()));
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        all => all.map_err(BackupError::io(folder)),
    }
}

/// Copies the segments, and proves them and the rows on the way.
fn copy(
    generation: &Path,
    manifest: &Manifest,
    blobs: &Path,
    tell: &Tell,
) -> Result<(), BackupError> {
    let (of, mut done) = (Some(manifest.octets()), 0);
    let mut proven = |part: &Part, target: Option<&Path>| {
        tell(Progress { stage: Stage::Segments, done, of });
        done += part.octets;
        let source = generation.join(&part.file);
        match segments::copy(&source, target, part.octets)? == part.sha256 {
            true => Ok(()),
            false => Err(BackupError::Altered(source)),
        }
    };
    proven(&manifest.rows, None)?;
    for part in &manifest.segments {
        let name = Path::new(&part.file).file_name().unwrap_or_default();
        proven(part, Some(&blobs.join(name)))?;
    }
    sync_folder(blobs)
}

async fn rows(
    file: &Path,
    manifest: &Manifest,
    at: &RowsAt,
    blobs: &Path,
    vault: Arc<Vault>,
    now: Timestamp,
    tell: Tell,
) -> Result<Counts, BackupError> {
    if let RowsAt::File(path) = at {
        close_to_others(path).map_err(BackupError::io(path))?;
    }
    // As the schema was then: what came later is what migrations do to it.
    let store = open(at, blobs, vault, Start::Fresh(manifest.schema)).await?;
    let (path, of) = (file.to_owned(), manifest.tables.values().sum());
    let work = move |tx: &mut Tx<'_>| -> Result<Counts, BackupError> {
        let file = File::open(&path).map_err(BackupError::io(&path))?;
        let mut lines = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let mut told = |done| tell(Progress { stage: Stage::Rows, done, of: Some(of) });
        let counts = dump::read(tx, &mut lines, &mut told)?;
        renew(tx, now)?;
        Ok(counts)
    };
    let counts = store.write(Lane::Client, work).await;
    // Whatever became of it: the next restore clears these files away.
    store.close().await;
    let counts = counts?;
    if counts != manifest.tables {
        return Err(BackupError::Altered(file.to_owned()));
    }
    Ok(counts)
}

async fn open(
    at: &RowsAt,
    blobs: &Path,
    vault: Arc<Vault>,
    start: Start,
) -> Result<Store, StoreError> {
    Store::begin(at, Blobs::open(blobs, vault)?, start).await
}

/// Mail programs may have seen more than the backup had: they must not take one message for another
/// (RFC 9051 §2.3.1.1). And nobody is logged in, or may log in by a code or a link, who was told after the
/// backup that he is not.
fn renew(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), RowsError> {
    for sql in [
        "UPDATE mailbox SET uid_validity =
         CASE WHEN uid_validity < $1 THEN $1 ELSE uid_validity + 1 END",
        "UPDATE former_mailbox SET uid_validity =
         CASE WHEN uid_validity < $1 THEN $1 ELSE uid_validity + 1 END",
    ] {
        tx.execute(sql, &[now.secs().into()])?;
    }
    // An older schema may lack some of them.
    let there = whole::tables(tx)?;
    for table in there.iter().filter(|table| FLEETING.contains(&table.name.as_str())) {
        table.empty(tx)?;
    }
    if there.iter().any(|table| table.name == "outgoing") {
        tx.execute(
            "UPDATE outgoing SET state = 'withdrawn', fields = NULL, settled_at = $1
             WHERE sealed = 1 AND state IN ('waiting', 'sending')",
            &[now.millis().into()],
        )?;
        tx.execute("UPDATE notice_target SET code = NULL WHERE code IS NOT NULL", &[])?;
    }
    Ok(())
}

/// What proves who somebody is, for a while alone.
const FLEETING: [&str; 3] = ["login_session", "login_challenge", "account_message"];

/// Stands in the data folder until all is there.
const UNFINISHED: &str = "restore-unfinished";
/// The same while it is written.
const MARKING: &str = "restore-unfinished.new";
/// Stands in it behind the generation when all is there but for the marks.
const WHOLE: &str = "\nwhole\n";
