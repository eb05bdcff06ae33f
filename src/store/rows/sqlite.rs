//! SQLite: one writer thread that commits in groups, a few readers beside it.

mod checkpoint;
mod statements;
mod writer;

use super::lanes::Lanes;
use super::{Around, Lane, Ring, RowsError, Statements, Tx, run, schema};
use crate::store::Wakes;
use checkpoint::Journal;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use statements::{Cached, order};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};
use writer::{Unit, Writer};

#[derive(Clone)]
pub struct Sqlite {
    door: Arc<Door>,
    readers: Readers,
    around: Around,
}

impl Sqlite {
    pub fn open(path: &Path, around: Around) -> Result<Self, RowsError> {
        let mut connection = connect(path)?;
        // What a process left in the journal after a failed sync must not stay there unsynced.
        connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?;
        schema::migrate_sqlite(&mut connection, around.start)?;
        let door = Arc::new(Door(Arc::new(Lanes::new())));
        let hold = watch::Sender::new(());
        let journal = Journal::watch(&mut connection, connect(path)?, hold.clone(), BUSY)?;
        let blobs = Arc::clone(&around.blobs);
        let writer = Writer::new(connection, journal, blobs, Arc::clone(&door.0));
        let readers = Readers::new(path, hold.clone());
        let write = move || {
            let _hold = hold;
            writer.run();
        };
        std::thread::Builder::new()
            .name("rows-writer".into())
            .spawn(write)
            .map_err(RowsError::Blobs)?;
        Ok(Self { door, readers, around })
    }

    /// Returns when the file is closed, which is after the last clone of this one is gone.
    pub async fn close(self) {
        let mut held = self.readers.hold.subscribe();
        drop(self);
        // Nobody sends: this ends when the last who holds is gone.
        while held.changed().await.is_ok() {}
    }

    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let ring = Arc::clone(&self.around.ring);
        let unit = Box::new(Asked { work, lane, ring, tell, said: None });
        self.door.0.push(lane, unit);
        told.await.map_err(|_| {
            (self.around.ring)(&Wakes::closed());
            E::from(RowsError::Closed)
        })?
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (readers, seats) = (self.readers.clone(), Arc::clone(&self.readers.seats));
        let seat = seats.acquire_owned().await.map_err(|_| E::from(RowsError::Closed))?;
        // Whoever asked may be gone: the seat is free when the work is done.
        let run = move || {
            let _seat = seat;
            readers.read(work)
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| E::from(RowsError::Closed))?
    }

    /// On the caller's thread: for what is over sooner than another thread would be woken.
    pub fn look_up<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + 'static,
        E: From<RowsError>,
    {
        self.readers.read(work)
    }
}

/// A unit and who asked for it.
struct Asked<T, E, F> {
    work: F,
    lane: Lane,
    ring: Ring,
    tell: oneshot::Sender<Result<T, E>>,
    said: Option<(Result<T, E>, Wakes)>,
}

impl<T, E, F> Unit for Asked<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<RowsError> + Send,
{
    fn run(&mut self, statements: &mut dyn Statements) -> bool {
        let mut tx = Tx::new(statements);
        let result = run(&self.work, &mut tx);
        let kept = result.is_ok();
        self.said = Some((result, tx.wakes));
        kept
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn settle(self: Box<Self>, commit: Result<(), RowsError>) {
        if matches!(commit, Err(RowsError::Closed)) {
            (self.ring)(&Wakes::closed());
        }
        let answer = match (self.said, commit) {
            (Some((Ok(value), wakes)), Ok(())) => {
                (self.ring)(&wakes);
                Ok(value)
            }
            (Some((Err(error), _)), _) => Err(error),
            (_, Err(error)) => Err(E::from(error)),
            (None, Ok(())) => Err(E::from(RowsError::Undone("the unit did not run"))),
        };
        // The asker may have hung up; the work stands all the same.
        let _ = self.tell.send(answer);
    }
}

fn read_with<T, E, F>(connection: &Connection, work: F) -> Result<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + 'static,
    E: From<RowsError>,
{
    let begun = order(connection, "BEGIN DEFERRED");
    begun.map_err(|e| E::from(RowsError::Sqlite(e)))?;
    let mut statements = Cached::new(connection);
    let result = run(&work, &mut Tx::new(&mut statements));
    let ended = order(connection, "COMMIT");
    ended.map_err(|e| E::from(RowsError::Sqlite(e)))?;
    result
}

/// Connections that are not in use; made on demand, a few are kept.
#[derive(Clone)]
struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Each read at a time costs a connection, its cache and a thread with what its allocator keeps.
    seats: Arc<Semaphore>,
    /// Whoever has a connection has one of these, and drops it last.
    hold: watch::Sender<()>,
}

impl Readers {
    fn new(path: &Path, hold: watch::Sender<()>) -> Self {
        let seats = Arc::new(Semaphore::new(READERS));
        Self { path: path.to_owned(), idle: Arc::default(), seats, hold }
    }

    fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + 'static,
        E: From<RowsError>,
    {
        let connection = self.take().map_err(E::from)?;
        let result = read_with(&connection, work);
        self.give(connection);
        result
    }

    fn take(&self) -> Result<Connection, RowsError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => {
                let connection = connect(&self.path)?;
                connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096")?;
                Ok(connection)
            }
        }
    }

    fn give(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_autocommit() && idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }
}

/// The writer's queue, as its users hold it: closed when the last of them is gone.
struct Door(Arc<Lanes<Box<dyn Unit>>>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn connect(path: &Path) -> Result<Connection, RowsError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Without it a bound value may make a cached statement be planned anew, each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA secure_delete = ON;
         PRAGMA cache_size = -16384;
         PRAGMA mmap_size = 268435456;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    Ok(connection)
}

/// Another process (`kep account add` beside `kep serve`) may hold the lock for as long.
const BUSY: Duration = Duration::from_secs(10);
/// Distinct statements of this program, with room to spare.
const STATEMENTS: usize = 256;
/// Reads at a time; more would only wait for the same processors and disk.
const READERS: usize = 16;
/// Readers kept open between reads.
const IDLE_READERS: usize = 8;

#[cfg(test)]
mod tests;
