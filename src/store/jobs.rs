//! Jobs between the steps. A job has a name of its own, so that laying it in twice is laying it in
//! once. Taking one leases it: in memory with SQLite (one process; a crash gives all back), in the
//! row with PostgreSQL (several processes).

use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A job as it was taken.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: i64,
    pub name: String,
    pub payload: String,
    pub due_at: Timestamp,
    pub attempts: u32,
}

/// Lays a job in; one of the same name stands.
pub fn lay_in(
    tx: &mut Tx<'_>,
    step: &'static str,
    name: &str,
    payload: &str,
    due_at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO job (step, name, payload, due_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO NOTHING",
        &[step.into(), name.into(), payload.into(), due_at.millis().into()],
    )?;
    tx.wakes.step(step);
    Ok(())
}

/// What was laid in as [`HELD`] is due from now on; what is due already stays as it is.
pub fn release(
    tx: &mut Tx<'_>,
    step: &'static str,
    name: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let released = tx.execute(
        "UPDATE job SET due_at = $1 WHERE name = $2 AND due_at = $3",
        &[now.millis().into(), name.into(), HELD.millis().into()],
    )?;
    if released > 0 {
        tx.wakes.step(step);
    }
    Ok(released == 1)
}

/// A job that waits for a later time is due now.
pub fn hurry(
    tx: &mut Tx<'_>,
    step: &'static str,
    name: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE job SET due_at = $1 WHERE name = $2 AND due_at > $1",
        &[now.millis().into(), name.into()],
    )?;
    tx.wakes.step(step);
    Ok(())
}

/// The job is done.
pub fn finish(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM job WHERE id = $1", &[id.into()])? == 1)
}

/// The job failed for now and is due again later.
pub fn put_off(
    tx: &mut Tx<'_>,
    step: &'static str,
    id: i64,
    due_at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE job SET due_at = $1, attempts = attempts + 1, leased_until = 0 WHERE id = $2",
        &[due_at.millis().into(), id.into()],
    )?;
    // Its takers wait for another time.
    tx.wakes.step(step);
    Ok(())
}

/// Jobs among the first `limit` that are due, without those leased here; oldest first.
pub fn due(
    tx: &mut Tx<'_>,
    step: &str,
    now: Timestamp,
    limit: usize,
    leases: &Leases,
) -> Result<Vec<Job>, RowsError> {
    // Most of them are under way: only what is new is read whole.
    let rows = tx.query(
        "SELECT id FROM job WHERE step = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3",
        &[step.into(), now.millis().into(), (limit as i64).into()],
    )?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    let mut jobs = Vec::new();
    for id in leases.free(ids) {
        let sql = "SELECT id, name, payload, due_at, attempts FROM job WHERE id = $1";
        jobs.extend(tx.first(sql, &[id.into()])?.as_ref().map(from_row).transpose()?);
    }
    Ok(jobs)
}

/// Leases in the rows: what another process holds is passed over, not waited for.
pub fn lease_due(
    tx: &mut Tx<'_>,
    step: &str,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Job>, RowsError> {
    let rows = tx.query(
        "WITH free AS MATERIALIZED (
             SELECT id FROM job WHERE step = $2 AND due_at <= $3 AND leased_until <= $3
             ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
         UPDATE job SET leased_until = $1 FROM free WHERE job.id = free.id
         RETURNING job.id, name, payload, due_at, attempts",
        &[until.millis().into(), step.into(), now.millis().into(), (limit as i64).into()],
    )?;
    let mut jobs = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job| (job.due_at, job.id));
    Ok(jobs)
}

/// When the next job of a step is due, if there is one. A job that another process has leased is due
/// when its lease ends.
pub fn next_due(
    tx: &mut Tx<'_>,
    step: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, RowsError> {
    let row = match tx.shared() {
        true => tx.first(LEASED_NEXT, &[step.into(), now.millis().into()])?,
        false => tx.first("SELECT MIN(due_at) FROM job WHERE step = $1", &[step.into()])?,
    };
    let due = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(due.map(Timestamp::from_millis))
}

/// How many jobs of a step are due before `until`.
pub fn waiting(tx: &mut Tx<'_>, step: &str, until: Timestamp) -> Result<u64, RowsError> {
    let sql = "SELECT COUNT(*) FROM job WHERE step = $1 AND due_at < $2";
    Ok(tx.one("count", sql, &[step.into(), until.millis().into()])?.int(0)? as u64)
}

/// How many jobs of a step are held until something else is there.
pub fn held(tx: &mut Tx<'_>, step: &str) -> Result<u64, RowsError> {
    let sql = "SELECT COUNT(*) FROM job WHERE step = $1 AND due_at = $2";
    Ok(tx.one("count", sql, &[step.into(), HELD.millis().into()])?.int(0)? as u64)
}

fn from_row(row: &Row) -> Result<Job, RowsError> {
    Ok(Job {
        id: row.int(0)?,
        name: row.text(1)?.to_owned(),
        payload: row.text(2)?.to_owned(),
        due_at: Timestamp::from_millis(row.int(3)?),
        attempts: row.int(4)?.try_into().unwrap_or(u32::MAX),
    })
}

/// Leases of this process.
#[derive(Clone, Default)]
pub struct Leases(Arc<Mutex<HashSet<i64>>>);

/// A lease; given back when dropped.
pub struct Lease {
    id: i64,
    leases: Leases,
}

impl Leases {
    /// `None` when somebody here holds it already.
    pub fn take(&self, id: i64) -> Option<Lease> {
        self.lock().insert(id).then(|| Lease { id, leases: self.clone() })
    }

    /// Those that nobody here holds.
    pub(super) fn free(&self, ids: Vec<i64>) -> Vec<i64> {
        let held = self.lock();
        ids.into_iter().filter(|id| !held.contains(id)).collect()
    }

    pub fn held(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.id);
    }
}

/// When a job is due that waits for another to release it.
pub const HELD: Timestamp = Timestamp::from_millis(i64::MAX);
/// Those that are due already are few, and the first of the others is found by its index.
const LEASED_NEXT: &str = "SELECT LEAST(
    (SELECT MIN(GREATEST(due_at, leased_until)) FROM job WHERE step = $1 AND due_at <= $2),
    (SELECT MIN(due_at) FROM job WHERE step = $1 AND due_at > $2))";
