//! Rows of failed tries.

use crate::store::rows::{RowsError, Tx};
use crate::wire::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TryRow {
    pub failures: i64,
    pub last_at: Timestamp,
    pub locked_until: Timestamp,
}

/// Where several processes share the rows, nobody else counts for `who` until this transaction ends.
/// Whether a row was laid down for that: nobody counted for `who` before.
pub fn lock(tx: &mut Tx<'_>, who: &str, now: Timestamp) -> Result<bool, RowsError> {
    if !tx.shared() {
        return Ok(false);
    }
    let laid = tx.execute(
        "INSERT INTO login_try (who, failures, last_at, locked_until) VALUES ($1, 0, $2, 0)
             ON CONFLICT (who) DO NOTHING",
        &[who.into(), now.millis().into()],
    )?;
    tx.execute("UPDATE login_try SET failures = failures WHERE who = $1", &[who.into()])?;
    Ok(laid == 1)
}

pub fn get(tx: &mut Tx<'_>, who: &str) -> Result<Option<TryRow>, RowsError> {
    let row = tx.first(
        "SELECT failures, last_at, locked_until FROM login_try WHERE who = $1",
        &[who.into()],
    )?;
    let read = row.map(|row| {
        Ok(TryRow {
            failures: row.int(0)?,
            last_at: Timestamp::from_millis(row.int(1)?),
            locked_until: Timestamp::from_millis(row.int(2)?),
        })
    });
    read.transpose()
}

pub fn put(tx: &mut Tx<'_>, who: &str, row: TryRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO login_try (who, failures, last_at, locked_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (who) DO UPDATE SET failures = excluded.failures,
             last_at = excluded.last_at, locked_until = excluded.locked_until",
        &[
            who.into(),
            row.failures.into(),
            row.last_at.millis().into(),
            row.locked_until.millis().into(),
        ],
    )?;
    Ok(())
}

pub fn clear(tx: &mut Tx<'_>, who: &str) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM login_try WHERE who = $1", &[who.into()])? == 1)
}

/// Forgets those that count no more.
pub fn sweep(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp) -> Result<u64, RowsError> {
    tx.execute(
        "DELETE FROM login_try WHERE last_at < $1 AND locked_until < $2",
        &[before.millis().into(), now.millis().into()],
    )
}
