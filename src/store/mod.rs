//! Where bytes rest: rows (SQLite or PostgreSQL) and blobs (append-only segments, each blob under a
//! data key of its own). The only room that knows SQL. Callers hold domain verbs, never statements.

pub mod accounts;
pub mod addresses;
pub mod api_tokens;
pub mod app_passwords;
pub mod applications;
pub mod archive;
pub mod audit;
pub mod authority;
pub mod backup;
pub mod blobs;
pub mod closings;
pub mod contacts;
pub mod contents;
pub mod contracts;
pub mod credentials;
pub mod credits;
pub mod directory;
pub mod evidence;
pub mod export;
pub mod export_requests;
pub mod fsck;
pub mod handovers;
pub mod holders;
pub mod holds;
pub mod jobs;
pub mod labels;
pub mod listed_providers;
pub mod mail;
pub mod metadata;
pub mod mta_sts;
pub mod notices;
pub mod operators;
pub mod outbox;
pub mod policies;
pub mod proposals;
pub mod providers;
pub mod relay;
pub mod reports;
pub mod rows;
pub mod sealed;
pub mod settings;
pub mod staff;
pub mod submissions;
pub mod tasks;
mod wakes;

pub use blobs::{BlobError, Blobs, Put};
use rows::Start;
pub use rows::{Lane, RowsAt, RowsError, Tx};
pub use wakes::{Changed, Wakes};

use crate::trust::vault::Vault;
use crate::wire::MailboxId;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{Notify, broadcast, watch};

/// Rows and blobs, and who waits for news of them.
#[derive(Clone)]
pub struct Store {
    rows: rows::Rows,
    pub blobs: Arc<Blobs>,
    news: Arc<News>,
}

/// Bells that ring after a commit.
struct News {
    changed: broadcast::Sender<Changed>,
    steps: Vec<(&'static str, Notify)>,
    closed: watch::Sender<bool>,
}

/// The store is unavailable, full or holds something it should not.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("the rows' file: {0}")]
    File(std::io::Error),
    #[error("there is no store at {0}")]
    Absent(PathBuf),
    #[error("{0} exists already")]
    Exists(String),
    #[error("there is no {0}")]
    NotFound(String),
}

impl Store {
    /// Opens a store; makes it where there is none, and brings an older one up to date.
    pub async fn open(at: &RowsAt, blobs: &Path, vault: Arc<Vault>) -> Result<Self, StoreError> {
        Self::with(at, Blobs::open(blobs, vault)?).await
    }

    /// Opens a store that is there, of this program's version. Nothing is made or migrated.
    pub async fn find(at: &RowsAt, blobs: &Path, vault: Arc<Vault>) -> Result<Self, StoreError> {
        let absent = |path: &Path| StoreError::Absent(path.to_owned());
        if let RowsAt::File(path) = at
            && fs::metadata(path).map_or(true, |found| found.len() == 0)
        {
            return Err(absent(path));
        }
        if !blobs.is_dir() {
            return Err(absent(blobs));
        }
        Self::begin(at, Blobs::open(blobs, vault)?, Start::Find).await
    }

    /// Opens the rows beside blobs that are open.
    pub async fn with(at: &RowsAt, blobs: Blobs) -> Result<Self, StoreError> {
        if let RowsAt::File(path) = at {
            close_to_others(path).map_err(StoreError::File)?;
        }
        Self::begin(at, blobs, Start::Make).await
    }

    async fn begin(at: &RowsAt, blobs: Blobs, start: Start) -> Result<Self, StoreError> {
        let blobs = Arc::new(blobs);
        let news = Arc::new(News::new());
        let rung = Arc::clone(&news);
        let ring = Arc::new(move |wakes: &Wakes| rung.ring(wakes));
        let around = rows::Around { blobs: Arc::clone(&blobs), ring, start };
        let rows = rows::Rows::open(at, around).await?;
        Ok(Self { rows, blobs, news })
    }

    /// Runs a unit of work; when this returns `Ok`, it is durable and those concerned are woken.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        self.rows.write(lane, work).await
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        self.rows.read(work).await
    }

    /// Reads a few rows by their keys, without a thread's detour where the rows are embedded.
    pub async fn look_up<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        self.rows.look_up(work).await
    }

    /// Whether several processes may share these rows.
    pub fn shared(&self) -> bool {
        matches!(self.rows, rows::Rows::Postgres(_))
    }

    /// News of mailboxes and accounts; a receiver that lags must look for itself.
    pub fn watch(&self) -> broadcast::Receiver<Changed> {
        self.news.changed.subscribe()
    }

    /// Returns when a job was laid in for `step` since the last call.
    pub async fn job_for(&self, step: &str) {
        match self.news.steps.iter().find(|(name, _)| *name == step) {
            Some((_, bell)) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Lets go, and waits for the last who holds a clone: then no thread is at the rows' file any more, and
    /// another may take its place. Rows in a database are nobody's file.
    pub async fn close(self) {
        let Self { rows, blobs, news } = self;
        drop((blobs, news));
        rows.close().await;
    }

    /// Returns when the rows take no more work: after a failed sync only a restart tells what is
    /// on disk.
    pub async fn closed(&self) {
        // The sender lives as long as this store.
        let _ = self.news.closed.subscribe().wait_for(|closed| *closed).await;
    }
}

/// Rows hold headers and what is searched: they are their owner's alone. SQLite gives the journals
/// it makes the mode of the file itself; those that are there may be of an earlier version.
fn close_to_others(rows: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(rows)?;
    for ending in ["", "-wal", "-shm"] {
        let mut name = rows.as_os_str().to_owned();
        name.push(ending);
        match fs::metadata(&name) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&name, Permissions::from_mode(0o600))?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl News {
    fn new() -> Self {
        let steps = BELLS.iter().map(|step| (*step, Notify::new())).collect();
        let closed = watch::Sender::new(false);
        Self { changed: broadcast::channel(NEWS_KEPT).0, steps, closed }
    }

    fn ring(&self, wakes: &Wakes) {
        let mailboxes = wakes.mailboxes.iter().map(|mailbox| Changed::Mailbox(*mailbox));
        let accounts = wakes.accounts.iter().map(|account| Changed::Account(*account));
        for changed in mailboxes.chain(accounts) {
            // Nobody watching is no error.
            let _ = self.changed.send(changed);
        }
        for (_, bell) in self.steps.iter().filter(|(step, _)| wakes.steps.contains(step)) {
            bell.notify_one();
        }
        if wakes.missed {
            self.ring_all();
        }
        if wakes.closed {
            self.closed.send_replace(true);
        }
    }

    /// News may have been missed: each step looks, each watcher finds that it lagged.
    fn ring_all(&self) {
        self.steps.iter().for_each(|(_, bell)| bell.notify_one());
        for _ in 0..=NEWS_KEPT {
            let _ = self.changed.send(Changed::Mailbox(MailboxId(0)));
        }
    }
}

impl StoreError {
    /// The disk has no room: it may pass, nothing was done.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Rows(error) => error.is_full(),
            Self::Blob(BlobError::Io(error)) | Self::File(error) => {
                error.kind() == io::ErrorKind::StorageFull
            }
            _ => false,
        }
    }
}

/// The steps that take jobs.
pub const STEPS: [&str; 6] = ["certify", "consign", "evidence", "expire", "notify", "scan"];
/// Who is woken when there is something for him.
pub(crate) const BELLS: [&str; 8] = [
    "certify",
    "consign",
    "evidence",
    "expire",
    "notify",
    "scan",
    relay::BELL,
    directory::push::BELL,
];
/// A watcher that is as many changes behind looks at the rows instead.
const NEWS_KEPT: usize = 1024;
