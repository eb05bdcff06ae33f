//! Rows of requests to close an account, with their receipts; and which accounts time has moved.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosingRow {
    pub id: i64,
    pub account: AccountId,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub reason: String,
    pub completes_at: Option<Timestamp>,
    /// `withdrawn` or `completed`.
    pub outcome: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub receipt: Option<ReceiptRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptRow {
    pub text: Vec<u8>,
    /// CAdES, detached.
    pub signature: Vec<u8>,
    pub stamped_at: Timestamp,
}

/// Makes the row; its number in the row that is given counts for nothing.
pub fn add(tx: &mut Tx<'_>, row: &ClosingRow) -> Result<i64, RowsError> {
    let made = tx.one(
        "closing",
        "INSERT INTO closing (account, requested_at, requested_by, reason, completes_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &[
            row.account.0.into(),
            row.requested_at.millis().into(),
            (&row.requested_by).into(),
            (&row.reason).into(),
            row.completes_at.map(Timestamp::millis).into(),
        ],
    )?;
    made.int(0)
}

/// The newest first.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<ClosingRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, requested_at, requested_by, reason, completes_at, outcome, decided_at,
                receipt, signature, stamped_at
         FROM closing WHERE account = $1 ORDER BY id DESC",
        &[account.0.into()],
    )?;
    rows.iter().map(closing).collect()
}

/// Those with a smaller number, the newest first.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: i64,
    most: usize,
) -> Result<Vec<ClosingRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, requested_at, requested_by, reason, completes_at, outcome, decided_at,
                receipt, signature, stamped_at
         FROM closing WHERE account = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        &[account.0.into(), before.into(), (most as i64).into()],
    )?;
    rows.iter().map(closing).collect()
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<ClosingRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, requested_at, requested_by, reason, completes_at, outcome, decided_at,
                receipt, signature, stamped_at
         FROM closing WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(closing).transpose()
}

/// Those behind this number whose receipt could not be signed yet.
pub fn unsigned(tx: &mut Tx<'_>, after: i64, most: usize) -> Result<Vec<ClosingRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, requested_at, requested_by, reason, completes_at, outcome, decided_at,
                receipt, signature, stamped_at
         FROM closing WHERE signature IS NULL AND id > $1 ORDER BY id LIMIT $2",
        &[after.into(), (most as i64).into()],
    )?;
    rows.iter().map(closing).collect()
}

/// Keeps a receipt; the first one stays. Says whether this was it.
pub fn sign(tx: &mut Tx<'_>, id: i64, receipt: &ReceiptRow) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE closing SET receipt = $1, signature = $2, stamped_at = $3
         WHERE id = $4 AND signature IS NULL",
        &[
            (&receipt.text).into(),
            (&receipt.signature).into(),
            receipt.stamped_at.millis().into(),
            id.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// What became of the account's open request, if there is one.
pub fn decide(
    tx: &mut Tx<'_>,
    account: AccountId,
    outcome: &str,
    at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE closing SET outcome = $1, decided_at = $2 WHERE account = $3 AND outcome IS NULL",
        &[outcome.into(), at.millis().into(), account.0.into()],
    )?;
    Ok(())
}

/// Accounts that time may have moved, behind one: closings whose hour has come by `now`, and accounts that
/// were closed before `closed`.
pub fn due(
    tx: &mut Tx<'_>,
    after: AccountId,
    now: Timestamp,
    closed: Timestamp,
    most: usize,
) -> Result<Vec<AccountId>, RowsError> {
    let most_each = most as i64;
    let closing = tx.query(
        "SELECT id FROM account
         WHERE state = 'closing' AND state <> 'active' AND id > $1 AND completes_at <= $2
         ORDER BY id LIMIT $3",
        &[after.0.into(), now.millis().into(), most_each.into()],
    )?;
    let over = tx.query(
        "SELECT id FROM account
         WHERE state = 'closed' AND state <> 'active' AND id > $1 AND closed_at < $2
         ORDER BY id LIMIT $3",
        &[after.0.into(), closed.millis().into(), most_each.into()],
    )?;
    let found = closing.iter().chain(&over).map(|row| Ok(AccountId(row.int(0)?)));
    let mut found = found.collect::<Result<Vec<_>, RowsError>>()?;
    found.sort_unstable();
    found.truncate(most);
    Ok(found)
}

fn closing(row: &Row) -> Result<ClosingRow, RowsError> {
    let time = |column| Ok::<_, RowsError>(row.opt_int(column)?.map(Timestamp::from_millis));
    let receipt = match (row.is_null(8), row.is_null(9), time(10)?) {
        (false, false, Some(stamped_at)) => Some(ReceiptRow {
            text: row.bytes(8)?.to_vec(),
            signature: row.bytes(9)?.to_vec(),
            stamped_at,
        }),
        _ => None,
    };
    Ok(ClosingRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        requested_at: Timestamp::from_millis(row.int(2)?),
        requested_by: row.text(3)?.to_owned(),
        reason: row.text(4)?.to_owned(),
        completes_at: time(5)?,
        outcome: row.opt_text(6)?.map(str::to_owned),
        decided_at: time(7)?,
        receipt,
    })
}
