//! The writer: runs what waits as one group, makes it durable in one commit, answers.
//!
//! A group is whatever waits while the group before it is being synced; each unit has a savepoint
//! of its own, so that one that fails takes nothing of the others with it.

use super::checkpoint::Journal;
use super::statements::{Cached, Refusing, copy_of, order};
use crate::store::blobs::Blobs;
use crate::store::rows::lanes::Lanes;
use crate::store::rows::{RowsError, Statements};
use rusqlite::{Connection, ErrorCode, ffi};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A unit of work: runs in a savepoint, and is told how the commit went.
pub type Unit = Box<dyn FnOnce(&mut dyn Statements) -> Settled + Send>;

/// A unit that has run: whether its savepoint is kept, and what to do once the group is decided.
pub struct Settled {
    pub keep: bool,
    pub answer: Box<dyn FnOnce(Result<(), RowsError>) + Send>,
}

pub struct Writer {
    connection: Connection,
    journal: Journal,
    blobs: Arc<Blobs>,
    lanes: Arc<Lanes<Unit>>,
    /// Why the whole group is undone already.
    broken: Option<RowsError>,
    closed: bool,
}

impl Writer {
    pub fn new(
        connection: Connection,
        journal: Journal,
        blobs: Arc<Blobs>,
        lanes: Arc<Lanes<Unit>>,
    ) -> Self {
        Self { connection, journal, blobs, lanes, broken: None, closed: false }
    }

    pub fn run(mut self) {
        while let Some(first) = self.lanes.wait() {
            self.group(first);
            self.journal.renew(&self.connection);
        }
    }

    fn group(&mut self, first: Unit) {
        if let Err(error) = self.begin() {
            tracing::error!(%error, "no transaction");
            return refuse(first, &error);
        }
        let losses = self.blobs.losses();
        let started = Instant::now();
        let mut settled = Vec::new();
        let mut next = Some(first);
        while let Some(unit) = next {
            settled.push(self.run_unit(unit));
            let room = settled.len() < GROUP_MAX && started.elapsed() < GROUP_TIME;
            next = if room && self.broken.is_none() { self.lanes.next() } else { None };
        }
        let outcome = self.end(settled.iter().any(|unit| unit.keep), losses);
        for unit in settled {
            let copy = outcome.as_ref().err().map(copy_of);
            (unit.answer)(copy.map_or(Ok(()), Err));
        }
    }

    fn begin(&mut self) -> Result<(), RowsError> {
        if self.closed {
            return Err(RowsError::Closed);
        }
        if !self.connection.is_autocommit() {
            order(&self.connection, "ROLLBACK")?;
        }
        Ok(order(&self.connection, "BEGIN IMMEDIATE")?)
    }

    fn run_unit(&mut self, unit: Unit) -> Settled {
        if let Err(error) = order(&self.connection, "SAVEPOINT unit") {
            let error = RowsError::from(error);
            self.broken = Some(copy_of(&error));
            return unit(&mut Refusing(error));
        }
        let mut statements = Cached::new(&self.connection);
        let settled = unit(&mut statements);
        let failed = statements.failed.take();
        let undone =
            if settled.keep { Ok(()) } else { order(&self.connection, "ROLLBACK TO unit") };
        if let Err(error) = undone.and_then(|()| order(&self.connection, "RELEASE unit")) {
            // The failed statement took the whole transaction with it.
            self.broken = Some(failed.unwrap_or(RowsError::Sqlite(error)));
        }
        settled
    }

    /// Blobs first, then the rows that point to them.
    fn end(&mut self, anything: bool, losses: u64) -> Result<(), RowsError> {
        if let Some(error) = self.broken.take() {
            return Err(self.failed(error));
        }
        if !anything {
            self.roll_back();
            return Ok(());
        }
        if let Err(error) = self.blobs.sync_since(losses) {
            tracing::error!(%error, "blobs could not be synced; the group is given up");
            self.roll_back();
            return Err(RowsError::Blobs(error));
        }
        let committed = order(&self.connection, "COMMIT");
        committed.map_err(|error| self.failed(RowsError::Sqlite(error)))
    }

    /// A full disk rolls back and may pass; after a failed sync the page cache can't be trusted any
    /// more (the kernel drops the error with the pages), so the file stays closed until a restart.
    fn failed(&mut self, error: RowsError) -> RowsError {
        tracing::error!(%error, "a group was undone");
        self.roll_back();
        self.closed |= !passes(&error);
        error
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = order(&self.connection, "ROLLBACK")
        {
            tracing::error!(%error, "a group could not be rolled back");
            self.closed |= !self.connection.is_autocommit();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lanes.abandon();
    }
}

/// Answers a unit for which no transaction could be begun.
fn refuse(unit: Unit, error: &RowsError) {
    let settled = unit(&mut Refusing(copy_of(error)));
    (settled.answer)(Err(copy_of(error)));
}

/// Failures after which the file is as good as before.
fn passes(error: &RowsError) -> bool {
    let RowsError::Sqlite(error) = error else { return false };
    let room = [ErrorCode::DiskFull, ErrorCode::OutOfMemory];
    let lock = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    let code = error.sqlite_error_code();
    // The index of the journal is no more than a memory that processes share: nothing is synced.
    let index = error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
    index || code.is_some_and(|code| room.contains(&code) || lock.contains(&code))
}

/// More would only lengthen the wait of the first one in a group.
const GROUP_MAX: usize = 256;
/// A group is closed after this, whatever waits: the bound of a client's wait beside the sync.
const GROUP_TIME: Duration = Duration::from_millis(20);
