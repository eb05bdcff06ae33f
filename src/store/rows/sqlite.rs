//! SQLite: one writer thread that commits in groups, a few readers beside it.
//!
//! A group is whatever waits while the group before it is being synced; each unit has a savepoint
//! of its own, so that one that fails takes nothing of the others with it.

use super::{Lane, Param, Row, RowsError, Statements, SyncBlobs, Tx, Value, schema};
use crate::store::wakes::Wakes;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

#[derive(Clone)]
pub struct Sqlite {
    queue: Arc<Door>,
    readers: Readers,
}

/// A unit of work: runs in a savepoint, and is told how the commit went.
struct Unit {
    run: Run,
    since: Instant,
}

type Run = Box<dyn FnOnce(&mut dyn Statements) -> Settled + Send>;

/// A unit that has run: whether its savepoint is kept, and what to do once the group is decided.
struct Settled {
    keep: bool,
    answer: Box<dyn FnOnce(Result<(), RowsError>) + Send>,
}

impl Sqlite {
    pub fn open(path: &Path, sync: SyncBlobs) -> Result<Self, RowsError> {
        let mut connection = connect(path)?;
        schema::migrate_sqlite(&mut connection)?;
        let queue = Arc::new(Door(Arc::default()));
        let writer = Writer { connection, sync, queue: Arc::clone(&queue.0), closed: false };
        std::thread::Builder::new()
            .name("rows-writer".into())
            .spawn(move || writer.run())
            .map_err(RowsError::Blobs)?;
        let readers = Readers { path: path.to_owned(), idle: Arc::default() };
        Ok(Self { queue, readers })
    }

    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<(T, Wakes), E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let run = Box::new(move |statements: &mut dyn Statements| {
            let mut tx = Tx::new(statements);
            let result = work(&mut tx);
            let wakes = tx.wakes;
            Settled {
                keep: result.is_ok(),
                answer: Box::new(move |commit: Result<(), RowsError>| {
                    let answer = match (result, commit) {
                        (Ok(value), Ok(())) => Ok((value, wakes)),
                        (Ok(_), Err(error)) => Err(E::from(error)),
                        (Err(error), _) => Err(error),
                    };
                    // The asker may have hung up; the work stands all the same.
                    let _ = tell.send(answer);
                }),
            }
        });
        self.queue.0.push(lane, Unit { run, since: Instant::now() });
        told.await.map_err(|_| E::from(RowsError::Closed))?
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let readers = self.readers.clone();
        let run = move || {
            let connection = readers.take().map_err(E::from)?;
            let result = read_with(&connection, work);
            readers.give(connection);
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| E::from(RowsError::Closed))?
    }
}

fn read_with<T, E, F>(connection: &Connection, work: F) -> Result<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E>,
    E: From<RowsError>,
{
    let begun = connection.execute_batch("BEGIN DEFERRED");
    begun.map_err(|e| E::from(RowsError::Sqlite(e)))?;
    let mut statements = Cached(connection);
    let result = work(&mut Tx::new(&mut statements));
    let ended = connection.execute_batch("COMMIT");
    ended.map_err(|e| E::from(RowsError::Sqlite(e)))?;
    result
}

/// Connections that are not in use; made on demand, a few are kept.
#[derive(Clone)]
struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    fn take(&self) -> Result<Connection, RowsError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => {
                let connection = connect(&self.path)?;
                connection.execute_batch("PRAGMA query_only = ON")?;
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
struct Door(Arc<Queue>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.ring.notify_all();
    }
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    ring: Condvar,
}

#[derive(Default)]
struct Waiting {
    clients: VecDeque<Unit>,
    background: VecDeque<Unit>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, lane: Lane, unit: Unit) {
        let mut waiting = self.lock();
        match lane {
            Lane::Client => waiting.clients.push_back(unit),
            Lane::Background => waiting.background.push_back(unit),
        }
        drop(waiting);
        self.ring.notify_one();
    }

    /// Waits for a unit; `None` once the queue is closed and empty.
    fn wait(&self) -> Option<Unit> {
        let mut waiting = self.lock();
        loop {
            if let Some(unit) = waiting.next() {
                return Some(unit);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.ring.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    /// Clients first; background work when none waits, or when it has waited its bound.
    fn next(&mut self) -> Option<Unit> {
        let overdue = self.background.front().is_some_and(|u| u.since.elapsed() > BACKGROUND_WAIT);
        if overdue {
            return self.background.pop_front();
        }
        self.clients.pop_front().or_else(|| self.background.pop_front())
    }
}

struct Writer {
    connection: Connection,
    sync: SyncBlobs,
    queue: Arc<Queue>,
    closed: bool,
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.queue.wait() {
            self.group(first);
        }
    }

    /// Runs what waits, makes it durable in one commit, answers.
    fn group(&mut self, first: Unit) {
        if let Err(error) = self.begin() {
            tracing::error!(%error, "no transaction");
            return refuse(first, error);
        }
        let started = Instant::now();
        let mut settled = vec![self.run_unit(first)];
        while settled.len() < GROUP_MAX && started.elapsed() < GROUP_TIME {
            let next = self.queue.lock().next();
            match next {
                Some(unit) => settled.push(self.run_unit(unit)),
                None => break,
            }
        }
        let outcome = self.commit(settled.iter().any(|unit| unit.keep));
        for unit in settled {
            (unit.answer)(match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(copy_of(error)),
            });
        }
    }

    fn begin(&mut self) -> Result<(), RowsError> {
        if self.closed {
            return Err(RowsError::Closed);
        }
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn run_unit(&mut self, unit: Unit) -> Settled {
        if let Err(error) = self.connection.execute_batch("SAVEPOINT unit") {
            tracing::error!(%error, "a savepoint could not be begun");
            return (unit.run)(&mut Refusing);
        }
        let mut statements = Cached(&self.connection);
        let settled = (unit.run)(&mut statements);
        let end = if settled.keep { "RELEASE unit" } else { "ROLLBACK TO unit; RELEASE unit" };
        if let Err(error) = self.connection.execute_batch(end) {
            tracing::error!(%error, "a savepoint could not be ended");
            self.closed = true;
        }
        settled
    }

    /// Blobs first, then the rows that point to them.
    fn commit(&mut self, anything: bool) -> Result<(), RowsError> {
        if !anything || self.closed {
            let _ = self.connection.execute_batch("ROLLBACK");
            return if self.closed { Err(RowsError::Closed) } else { Ok(()) };
        }
        if let Err(error) = (self.sync)() {
            tracing::error!(%error, "blobs could not be synced; the group is given up");
            let _ = self.connection.execute_batch("ROLLBACK");
            return Err(RowsError::Blobs(error));
        }
        if let Err(error) = self.connection.execute_batch("COMMIT") {
            return Err(self.failed_commit(error));
        }
        Ok(())
    }

    /// A full disk rolls back and may pass; after a failed sync the page cache can't be trusted any
    /// more (the kernel drops the error with the pages), so the file stays closed until a restart.
    fn failed_commit(&mut self, error: rusqlite::Error) -> RowsError {
        tracing::error!(%error, "commit failed");
        let full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        if self.connection.execute_batch("ROLLBACK").is_err() && !self.connection.is_autocommit() {
            self.closed = true;
        }
        self.closed |= !full;
        RowsError::Sqlite(error)
    }
}

/// Answers a unit for which no transaction could be begun.
fn refuse(unit: Unit, error: RowsError) {
    let settled = (unit.run)(&mut Refusing);
    (settled.answer)(Err(error));
}

/// Stands in for a transaction that could not be begun: each statement is refused.
struct Refusing;

impl Statements for Refusing {
    fn execute(&mut self, _: &'static str, _: &[Param<'_>]) -> Result<u64, RowsError> {
        Err(RowsError::Closed)
    }

    fn query(&mut self, _: &'static str, _: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        Err(RowsError::Closed)
    }

    fn shared(&self) -> bool {
        false
    }
}

/// The group's error for each of its units: the kind is what callers act on.
fn copy_of(error: &RowsError) -> RowsError {
    match error {
        RowsError::Blobs(error) => {
            RowsError::Blobs(std::io::Error::new(error.kind(), error.to_string()))
        }
        RowsError::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
            RowsError::Sqlite(rusqlite::Error::SqliteFailure(*code, text.clone()))
        }
        _ => RowsError::Closed,
    }
}

struct Cached<'c>(&'c Connection);

impl Statements for Cached<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|i| Ok(value(row.get_ref(i)?)));
            out.push(Row(values.collect::<Result<_, RowsError>>()?));
        }
        Ok(out)
    }

    fn shared(&self) -> bool {
        false
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => Value::Int(i),
        ValueRef::Real(r) => Value::Int(r as i64),
        ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
        ValueRef::Blob(b) => Value::Bytes(b.to_vec()),
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(i) => ValueRef::Integer(*i),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
        }))
    }
}

fn connect(path: &Path) -> Result<Connection, RowsError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384;
         PRAGMA mmap_size = 268435456;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    Ok(connection)
}

/// More would only lengthen the wait of the first one in a group.
const GROUP_MAX: usize = 256;
/// A group is closed after this, whatever waits: the bound of a client's wait beside the sync.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// Background work that has waited this long goes before clients: their load must not starve it.
const BACKGROUND_WAIT: Duration = Duration::from_millis(50);
/// Another process (`kep account add` beside `kep serve`) may hold the lock for as long.
const BUSY: Duration = Duration::from_secs(10);
/// Distinct statements of this program, with room to spare.
const STATEMENTS: usize = 256;
/// Readers kept open between reads.
const IDLE_READERS: usize = 8;
