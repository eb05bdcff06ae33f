//! What the central directory has still to hear: a row an account, its newest revision alone.

use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// Who pushes is woken by it.
pub const BELL: &str = "directory";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushRow {
    pub account: AccountId,
    pub revision: i64,
    pub since: Timestamp,
    pub due_at: Timestamp,
    pub attempts: i64,
    /// The central directory would not have it.
    pub refused: bool,
    /// What was heard the last time.
    pub heard: String,
}

/// A newer revision takes the place of one that waits; what was heard of that one counts no more.
pub fn lay_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    revision: i64,
    at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO directory_push (account, revision, since, due_at, attempts, refused, heard)
         VALUES ($1, $2, $3, $3, 0, 0, '')
         ON CONFLICT (account) DO UPDATE SET revision = excluded.revision,
             due_at = excluded.due_at, attempts = 0, refused = 0, heard = ''",
        &[account.0.into(), revision.into(), at.millis().into()],
    )?;
    tx.wakes.step(BELL);
    Ok(())
}

/// Takes what is due for so long: nobody else tries it meanwhile, and after a crash it is due again.
pub fn take(
    tx: &mut Tx<'_>,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<PushRow>, RowsError> {
    let due = tx.query(
        "SELECT account, revision, since, due_at, attempts, refused, heard FROM directory_push
         WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
        &[now.millis().into(), limit.into()],
    )?;
    let mut taken = Vec::new();
    for row in due.iter().map(push) {
        let row = row?;
        let mine = tx.execute(
            "UPDATE directory_push SET due_at = $1 WHERE account = $2 AND due_at = $3",
            &[until.millis().into(), row.account.0.into(), row.due_at.millis().into()],
        )?;
        if mine == 1 {
            taken.push(row);
        }
    }
    Ok(taken)
}

/// The central directory has this revision; a newer one waits on.
pub fn done(tx: &mut Tx<'_>, account: AccountId, revision: i64) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM directory_push WHERE account = $1 AND revision = $2",
        &[account.0.into(), revision.into()],
    )?;
    Ok(())
}

/// Notes what was heard of this revision, and when it is tried again.
pub fn failed(tx: &mut Tx<'_>, row: &PushRow) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE directory_push SET due_at = $1, attempts = $2, refused = $3, heard = $4
         WHERE account = $5 AND revision = $6",
        &[
            row.due_at.millis().into(),
            row.attempts.into(),
            row.refused.into(),
            (&row.heard).into(),
            row.account.0.into(),
            row.revision.into(),
        ],
    )?;
    Ok(())
}

/// When the next one is due.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT due_at FROM directory_push WHERE due_at > $1 ORDER BY due_at LIMIT 1",
        &[0.into()],
    )?;
    row.map(|row| Ok(Timestamp::from_millis(row.int(0)?))).transpose()
}

/// What waits, the next one first.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<PushRow>, RowsError> {
    let rows = tx.query(
        "SELECT account, revision, since, due_at, attempts, refused, heard FROM directory_push
         WHERE due_at > $1 ORDER BY due_at LIMIT $2",
        &[0.into(), limit.into()],
    )?;
    rows.iter().map(push).collect()
}

/// All that waits is due now; says how many.
pub fn hurry(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, RowsError> {
    let sql = "UPDATE directory_push SET due_at = $1 WHERE due_at > $1";
    let hurried = tx.execute(sql, &[now.millis().into()])?;
    tx.wakes.step(BELL);
    Ok(hurried)
}

fn push(row: &Row) -> Result<PushRow, RowsError> {
    Ok(PushRow {
        account: AccountId(row.int(0)?),
        revision: row.int(1)?,
        since: Timestamp::from_millis(row.int(2)?),
        due_at: Timestamp::from_millis(row.int(3)?),
        attempts: row.int(4)?,
        refused: row.int(5)? != 0,
        heard: row.text(6)?.to_owned(),
    })
}
