//! Rows of what waits for a signature, and of what became of that.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// The registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandoverRow {
    pub id: i64,
    pub account: AccountId,
    pub form: String,
    pub subject: String,
    pub ua_message_id: Option<String>,
    pub operator: i64,
    pub handed_by: String,
    pub since: Timestamp,
    pub due: Timestamp,
    pub state: String,
    pub decided_by: Option<i64>,
    pub decided_at: Option<Timestamp>,
    pub reason: Option<String>,
    pub signed: Option<String>,
}

/// Begins to wait; false when that waits already.
pub fn add(tx: &mut Tx<'_>, new: &HandoverRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO handover (account, form, subject, ua_message_id, operator, handed_by, since,
                               due, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting')
         ON CONFLICT (account, subject) WHERE state = 'waiting' DO NOTHING",
        &[
            new.account.0.into(),
            (&new.form).into(),
            (&new.subject).into(),
            new.ua_message_id.as_deref().into(),
            new.operator.into(),
            (&new.handed_by).into(),
            new.since.millis().into(),
            new.due.millis().into(),
        ],
    )?;
    Ok(added == 1)
}

/// What waits, waits for another. Says whether it does still: who reads and changes holds the account's
/// lock, where several processes share the rows.
pub fn hand_on(tx: &mut Tx<'_>, to: &HandoverRow) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE handover SET operator = $1, handed_by = $2, since = $3, due = $4
         WHERE id = $5 AND state = 'waiting'",
        &[
            to.operator.into(),
            (&to.handed_by).into(),
            to.since.millis().into(),
            to.due.millis().into(),
            to.id.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// What waits has come to an end. Says whether this was the time.
pub fn decide(tx: &mut Tx<'_>, to: &HandoverRow) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE handover SET state = $1, decided_by = $2, decided_at = $3, reason = $4, signed = $5
         WHERE id = $6 AND state = 'waiting'",
        &[
            (&to.state).into(),
            to.decided_by.into(),
            to.decided_at.map(Timestamp::millis).into(),
            to.reason.as_deref().into(),
            to.signed.as_deref().into(),
            to.id.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// One of an account, by its number.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
) -> Result<Option<HandoverRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, form, subject, ua_message_id, operator, handed_by, since, due, state,
                decided_by, decided_at, reason, signed
         FROM handover WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    row.as_ref().map(handover).transpose()
}

/// What waits of that name: our message id, or a draft's Message-ID.
pub fn waiting(
    tx: &mut Tx<'_>,
    account: AccountId,
    subject: &str,
) -> Result<Option<HandoverRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, form, subject, ua_message_id, operator, handed_by, since, due, state,
                decided_by, decided_at, reason, signed
         FROM handover WHERE account = $1 AND subject = $2 AND state = 'waiting'",
        &[account.0.into(), subject.into()],
    )?;
    row.as_ref().map(handover).transpose()
}

/// All that waits for the signed form of this Message-ID.
pub fn named(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<Vec<HandoverRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, form, subject, ua_message_id, operator, handed_by, since, due, state,
                decided_by, decided_at, reason, signed
         FROM handover WHERE account = $1 AND ua_message_id = $2 AND state = 'waiting' ORDER BY id",
        &[account.0.into(), ua_message_id.into()],
    )?;
    rows.iter().map(handover).collect()
}

/// Of an account behind a number, the oldest first: what waits, or all.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    all: bool,
    after: i64,
    most: usize,
) -> Result<Vec<HandoverRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, form, subject, ua_message_id, operator, handed_by, since, due, state,
                decided_by, decided_at, reason, signed
         FROM handover WHERE account = $1 AND (state = 'waiting' OR $2 = 1) AND id > $3
         ORDER BY id LIMIT $4",
        &[account.0.into(), all.into(), after.into(), (most as i64).into()],
    )?;
    rows.iter().map(handover).collect()
}

/// What has waited long enough, the earliest first.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, most: usize) -> Result<Vec<HandoverRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, form, subject, ua_message_id, operator, handed_by, since, due, state,
                decided_by, decided_at, reason, signed
         FROM handover WHERE state = 'waiting' AND due <= $1 ORDER BY due, id LIMIT $2",
        &[now.millis().into(), (most as i64).into()],
    )?;
    rows.iter().map(handover).collect()
}

/// Who an operator is no more signs nothing: whoever may does it.
pub fn release(tx: &mut Tx<'_>, account: AccountId, operator: i64) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE handover SET operator = 0
         WHERE account = $1 AND operator = $2 AND state = 'waiting'",
        &[account.0.into(), operator.into()],
    )?;
    Ok(())
}

fn handover(row: &Row) -> Result<HandoverRow, RowsError> {
    let time = |column| Ok::<_, RowsError>(Timestamp::from_millis(row.int(column)?));
    Ok(HandoverRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        form: row.text(2)?.to_owned(),
        subject: row.text(3)?.to_owned(),
        ua_message_id: row.opt_text(4)?.map(str::to_owned),
        operator: row.int(5)?,
        handed_by: row.text(6)?.to_owned(),
        since: time(7)?,
        due: time(8)?,
        state: row.text(9)?.to_owned(),
        decided_by: row.opt_int(10)?,
        decided_at: row.opt_int(11)?.map(Timestamp::from_millis),
        reason: row.opt_text(12)?.map(str::to_owned),
        signed: row.opt_text(13)?.map(str::to_owned),
    })
}
