//! The writer: runs what waits as one group, makes it durable in one commit, answers.
//!
//! A group is whatever waits while the group before it is being synced. Units seldom fail: they run
//! one after the other in one transaction, and only when one failed that had changed rows, the
//! group is undone and the others run again, each in a savepoint of its own, so that a unit that
//! fails takes nothing of the others with it.

use super::checkpoint::Journal;
use super::statements::{Cached, Refusing, copy_of, order};
use crate::store::blobs::Blobs;
use crate::store::rows::lanes::Lanes;
use crate::store::rows::{Lane, RowsError, Statements};
use rusqlite::{Connection, ErrorCode, ffi};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A unit of work. It may run twice; what it said last counts.
pub trait Unit: Send {
    /// Says whether what it did is to be kept.
    fn run(&mut self, statements: &mut dyn Statements) -> bool;
    fn lane(&self) -> Lane;
    /// Is told how its group ended.
    fn settle(self: Box<Self>, commit: Result<(), RowsError>);
}

/// A unit that has run.
struct Ran {
    unit: Box<dyn Unit>,
    kept: bool,
}

pub struct Writer {
    connection: Connection,
    journal: Journal,
    blobs: Arc<Blobs>,
    lanes: Arc<Lanes<Box<dyn Unit>>>,
    /// Why the whole group is undone already.
    broken: Option<RowsError>,
    closed: bool,
}

impl Writer {
    pub fn new(
        connection: Connection,
        journal: Journal,
        blobs: Arc<Blobs>,
        lanes: Arc<Lanes<Box<dyn Unit>>>,
    ) -> Self {
        Self { connection, journal, blobs, lanes, broken: None, closed: false }
    }

    pub fn run(mut self) {
        while let Some(first) = self.lanes.wait_for_group() {
            self.group(first);
            self.journal.renew(&self.connection);
        }
    }

    fn group(&mut self, first: Box<dyn Unit>) {
        if let Err(error) = self.begin() {
            tracing::error!(%error, "no transaction");
            return refuse(first, &error);
        }
        let losses = self.blobs.losses();
        let mut until = Instant::now() + GROUP_TIME;
        let mut group = Vec::new();
        let mut next = Some(first);
        let mut careful = false;
        while let Some(unit) = next {
            if unit.lane() == Lane::Client {
                until = until.min(Instant::now() + CLIENT_TIME);
            }
            careful = self.add(&mut group, unit, careful);
            let room = group.len() < GROUP_MAX && Instant::now() < until;
            next = if room && self.broken.is_none() { self.lanes.next() } else { None };
        }
        let outcome = self.end(group.iter().any(|ran| ran.kept), losses);
        for ran in group {
            let copy = outcome.as_ref().err().map(copy_of);
            ran.unit.settle(copy.map_or(Ok(()), Err));
        }
    }

    /// Runs a unit in the group; says whether savepoints are needed from now on.
    fn add(&mut self, group: &mut Vec<Ran>, mut unit: Box<dyn Unit>, careful: bool) -> bool {
        let before = self.connection.total_changes();
        let kept = match careful {
            true => self.run_in_savepoint(&mut *unit),
            false => self.run_unit(&mut *unit),
        };
        let undo = !careful && !kept && self.connection.total_changes() != before;
        if undo && self.broken.is_none() {
            self.run_again(group);
        }
        group.push(Ran { unit, kept });
        careful || undo
    }

    /// A unit failed after it had changed rows: those before it begin anew.
    fn run_again(&mut self, group: &mut [Ran]) {
        if let Err(error) = self.begin() {
            self.broken = Some(error);
        }
        for ran in group.iter_mut().filter(|ran| ran.kept) {
            ran.kept = self.run_in_savepoint(&mut *ran.unit);
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

    fn run_unit(&mut self, unit: &mut dyn Unit) -> bool {
        let mut statements = Cached::new(&self.connection);
        let kept = unit.run(&mut statements);
        if self.connection.is_autocommit() {
            // The failed statement took the whole transaction with it.
            let failed = statements.failed.take();
            self.broken = Some(failed.unwrap_or(RowsError::Undone("a statement failed")));
        }
        kept
    }

    fn run_in_savepoint(&mut self, unit: &mut dyn Unit) -> bool {
        if let Some(broken) = &self.broken {
            return unit.run(&mut Refusing(copy_of(broken)));
        }
        if let Err(error) = order(&self.connection, "SAVEPOINT unit") {
            let error = RowsError::from(error);
            self.broken = Some(copy_of(&error));
            return unit.run(&mut Refusing(error));
        }
        let kept = self.run_unit(unit);
        if self.broken.is_some() {
            return kept;
        }
        let undone = if kept { Ok(()) } else { order(&self.connection, "ROLLBACK TO unit") };
        if let Err(error) = undone.and_then(|()| order(&self.connection, "RELEASE unit")) {
            self.broken = Some(RowsError::Sqlite(error));
        }
        kept
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
        let synced = self.blobs.sync_since(losses);
        if let Err(error) = synced.and_then(|()| self.blobs.disk().before_commit()) {
            tracing::error!(%error, "blobs could not be synced; the group is given up");
            self.roll_back();
            return Err(RowsError::Blobs(error));
        }
        let committed = order(&self.connection, "COMMIT");
        committed.map_err(|error| self.failed(RowsError::Sqlite(error)))?;
        self.blobs.disk().after_commit().map_err(|error| self.failed(RowsError::Blobs(error)))
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
fn refuse(mut unit: Box<dyn Unit>, error: &RowsError) {
    unit.run(&mut Refusing(copy_of(error)));
    unit.settle(Err(copy_of(error)));
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
/// A group is closed after this, whatever waits.
const GROUP_TIME: Duration = Duration::from_millis(6);
/// A group that a client waits for is closed after this: the bound of his wait beside the sync.
const CLIENT_TIME: Duration = Duration::from_millis(1);
