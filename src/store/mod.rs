//! Where bytes rest: rows (SQLite or PostgreSQL) and blobs (append-only segments, each blob under a
//! data key of its own). The only room that knows SQL. Callers hold domain verbs, never statements.

pub mod accounts;
pub mod blobs;
pub mod contents;
pub mod evidence;
pub mod jobs;
pub mod mail;
pub mod rows;
pub mod submissions;
mod wakes;

pub use blobs::{BlobError, Blobs, Put};
pub use rows::{Lane, RowsAt, RowsError, Tx};
pub use wakes::Wakes;

use crate::trust::vault::Vault;
use crate::wire::MailboxId;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{Notify, broadcast};

/// Rows and blobs, and who waits for news of them.
#[derive(Clone)]
pub struct Store {
    rows: rows::Rows,
    pub blobs: Arc<Blobs>,
    news: Arc<News>,
}

/// Bells that ring after a commit.
struct News {
    mailboxes: broadcast::Sender<MailboxId>,
    steps: Vec<(&'static str, Notify)>,
}

/// The store is unavailable, full or holds something it should not.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("{0} exists already")]
    Exists(String),
    #[error("there is no {0}")]
    NotFound(String),
}

impl Store {
    pub async fn open(at: &RowsAt, blobs: &Path, vault: Arc<Vault>) -> Result<Self, StoreError> {
        let blobs = Arc::new(Blobs::open(blobs, vault)?);
        let synced = Arc::clone(&blobs);
        let rows = rows::Rows::open(at, Arc::new(move || synced.sync())).await?;
        let steps = STEPS.iter().map(|step| (*step, Notify::new())).collect();
        let news = News { mailboxes: broadcast::channel(NEWS_KEPT).0, steps };
        Ok(Self { rows, blobs, news: Arc::new(news) })
    }

    /// Runs a unit of work; when this returns `Ok`, it is durable and those concerned are woken.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (value, wakes) = self.rows.write(lane, work).await?;
        self.wake(&wakes);
        Ok(value)
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        self.rows.read(work).await
    }

    /// Whether several processes may share these rows.
    pub fn shared(&self) -> bool {
        matches!(self.rows, rows::Rows::Postgres(_))
    }

    /// News of mailboxes; a receiver that lags must look for itself.
    pub fn watch(&self) -> broadcast::Receiver<MailboxId> {
        self.news.mailboxes.subscribe()
    }

    /// Returns when a job was laid in for `step` since the last call.
    pub async fn job_for(&self, step: &str) {
        match self.news.steps.iter().find(|(name, _)| *name == step) {
            Some((_, bell)) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    fn wake(&self, wakes: &Wakes) {
        for mailbox in &wakes.mailboxes {
            // Nobody watching is no error.
            let _ = self.news.mailboxes.send(*mailbox);
        }
        for (_, bell) in self.news.steps.iter().filter(|(step, _)| wakes.steps.contains(step)) {
            bell.notify_one();
        }
    }
}

/// The steps that take jobs.
pub const STEPS: [&str; 4] = ["certify", "deliver", "evidence", "expire"];
/// A watcher that is as many changes behind looks at the rows instead.
const NEWS_KEPT: usize = 1024;
