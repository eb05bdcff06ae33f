//! Rows of what holders asked to take away.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestRow {
    pub id: i64,
    pub account: AccountId,
    pub asked_by: String,
    pub asked_at: Timestamp,
    pub ends_at: Timestamp,
    pub begun: i64,
    pub done: Option<DoneRow>,
}

/// What was fetched last to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoneRow {
    pub at: Timestamp,
    pub mails: i64,
    pub unopened: i64,
    pub evidence: i64,
}

pub fn add(
    tx: &mut Tx<'_>,
    account: AccountId,
    asked_by: &str,
    asked_at: Timestamp,
    ends_at: Timestamp,
) -> Result<i64, RowsError> {
    tx.one(
        "export",
        "INSERT INTO account_export (account, asked_by, asked_at, ends_at)
         VALUES ($1, $2, $3, $4) RETURNING id",
        &[account.0.into(), asked_by.into(), asked_at.millis().into(), ends_at.millis().into()],
    )?
    .int(0)
}

/// Those before the one of this number, the newest first.
pub fn of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<RequestRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, asked_by, asked_at, ends_at, begun, done_at, mails, unopened, evidence
         FROM account_export WHERE account = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        &[account.0.into(), before.into(), limit.into()],
    )?;
    rows.iter().map(request).collect()
}

pub fn find(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Option<RequestRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, asked_by, asked_at, ends_at, begun, done_at, mails, unopened, evidence
         FROM account_export WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    row.as_ref().map(request).transpose()
}

/// How many an account asked for since then.
pub fn since(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<i64, RowsError> {
    let sql = "SELECT COUNT(*) FROM account_export WHERE account = $1 AND asked_at > $2";
    tx.one("count", sql, &[account.0.into(), at.millis().into()])?.int(0)
}

pub fn begun(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute("UPDATE account_export SET begun = begun + 1 WHERE id = $1", &[id.into()])?;
    Ok(())
}

pub fn done(tx: &mut Tx<'_>, id: i64, done: &DoneRow) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account_export SET done_at = $1, mails = $2, unopened = $3, evidence = $4
         WHERE id = $5",
        &[
            done.at.millis().into(),
            done.mails.into(),
            done.unopened.into(),
            done.evidence.into(),
            id.into(),
        ],
    )?;
    Ok(())
}

fn request(row: &Row) -> Result<RequestRow, RowsError> {
    let done_at = row.opt_int(6)?.map(Timestamp::from_millis);
    let (mails, unopened, evidence) = (row.int(7)?, row.int(8)?, row.int(9)?);
    Ok(RequestRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        asked_by: row.text(2)?.to_owned(),
        asked_at: Timestamp::from_millis(row.int(3)?),
        ends_at: Timestamp::from_millis(row.int(4)?),
        begun: row.int(5)?,
        done: done_at.map(|at| DoneRow { at, mails, unopened, evidence }),
    })
}
