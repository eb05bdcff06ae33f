//! Copies the journal back into the database beside the writer, so that no commit waits for it. A
//! passive checkpoint lets the writer go on, and therefore never empties the journal while it is
//! busy: when the journal has become long, the writer begins it anew, with little left to copy.

use crate::store::rows::RowsError;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tokio::sync::watch;

/// The writer's side.
pub struct Journal {
    long: Arc<AtomicBool>,
    busy: Duration,
}

impl Journal {
    /// Starts the thread that copies; it ends when `writer` is closed. `copier` is a connection of
    /// its own, `hold` goes when that one is closed, `busy` is what the writer waits for locks otherwise.
    pub fn watch(
        writer: &mut Connection,
        copier: Connection,
        hold: watch::Sender<()>,
        busy: Duration,
    ) -> Result<Self, RowsError> {
        let long = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let mark = Arc::clone(&long);
        let mut copied = 0;
        // This takes the place of SQLite's own checkpoint inside a commit.
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            copied = copied.min(pages);
            if pages >= LONG_PAGES {
                // The copier is left asleep now: the writer needs its lock.
                mark.store(true, Ordering::Relaxed);
            } else if pages - copied >= COPY_PAGES {
                copied = pages;
                // Full: it is awake.
                let _ = wake.try_send(());
            }
            Ok(())
        }))?;
        let until_closed = move || {
            let _hold = hold;
            copy(copier, &woken);
        };
        std::thread::Builder::new()
            .name("rows-checkpoint".into())
            .spawn(until_closed)
            .map_err(RowsError::Blobs)?;
        Ok(Self { long, busy })
    }

    /// Between two groups: begins a long journal anew, unless a reader still needs it.
    pub fn renew(&self, writer: &Connection) {
        if !self.long.swap(false, Ordering::Relaxed) {
            return;
        }
        // A reader in the way is no reason to wait: the next group tries again.
        let renewed = writer
            .busy_timeout(Duration::ZERO)
            .and_then(|()| writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())));
        if let Err(error) = renewed.and(writer.busy_timeout(self.busy)) {
            tracing::warn!(%error, "the journal could not be begun anew");
        }
    }
}

fn copy(connection: Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = copied {
            tracing::warn!(%error, "the journal could not be copied back");
        }
    }
}

/// Each 16 MiB: a page that many commits change is copied once.
const COPY_PAGES: i32 = 4000;
/// 64 MiB, the size that `journal_size_limit` leaves.
const LONG_PAGES: i32 = 16_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_became_long_is_begun_anew_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let connect = || {
            let connection = Connection::open(&path).unwrap();
            let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                         CREATE TABLE IF NOT EXISTS t (v BLOB)";
            connection.execute_batch(begin).unwrap();
            connection
        };
        let (mut writer, hold) = (connect(), watch::Sender::new(()));
        let journal =
            Journal::watch(&mut writer, connect(), hold, Duration::from_secs(10)).unwrap();
        let room = LONG_PAGES as u64 * 4200;
        for _ in 0..(5 * room) >> 20 {
            writer.execute("INSERT INTO t VALUES (zeroblob(1048576))", []).unwrap();
            journal.renew(&writer);
            let long = std::fs::metadata(folder.path().join("rows-wal")).unwrap().len();
            // What is written while the copier is at work comes on top, on a busy machine more of it.
            assert!(long < 4 * room, "{long}");
        }
    }
}
