//! Rows of legal holds, and what they keep back of what is removed.

use super::StoreError;
use super::mail::view::{Mailbox, spans};
use super::rows::{Row, RowsError, Tx};
use super::submissions;
use crate::wire::imap::UidSet;
use crate::wire::{AccountId, ContentId, MessageId, Timestamp};

/// A hold, as its row has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldRow {
    pub id: i64,
    pub account: AccountId,
    pub address: String,
    /// None: of all that the account has.
    pub message: Option<MessageId>,
    pub reason: String,
    pub placed: Signed,
    pub released: Option<(Signed, String)>,
}

/// Two of the staff, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    pub by: String,
    pub second: String,
    pub at: Timestamp,
}

pub fn place(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: Option<&MessageId>,
    reason: &str,
    signed: &Signed,
) -> Result<i64, RowsError> {
    let row = tx.one(
        "hold",
        "INSERT INTO legal_hold (account, message_id, reason, placed_by, placed_second, placed_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        &[
            account.0.into(),
            message.map(MessageId::as_str).into(),
            reason.into(),
            (&signed.by).into(),
            (&signed.second).into(),
            signed.at.millis().into(),
        ],
    )?;
    row.int(0)
}

/// Ends a hold; says whether this was the time.
pub fn release(tx: &mut Tx<'_>, id: i64, reason: &str, signed: &Signed) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE legal_hold SET released_by = $1, released_second = $2, released_at = $3,
                               release_reason = $4
         WHERE id = $5 AND released_at IS NULL",
        &[
            (&signed.by).into(),
            (&signed.second).into(),
            signed.at.millis().into(),
            reason.into(),
            id.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// All of them, those in force first.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<HoldRow>, RowsError> {
    let rows = tx.query(
        "SELECT h.id, h.account, a.address, h.message_id, h.reason, h.placed_by, h.placed_second,
                h.placed_at, h.released_by, h.released_second, h.released_at, h.release_reason
         FROM legal_hold h JOIN account a ON a.id = h.account
         ORDER BY CASE WHEN h.released_at IS NULL THEN 0 ELSE 1 END, h.id",
        &[],
    )?;
    rows.iter().map(hold).collect()
}

/// The newest first; of one account, or of all.
pub fn page(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<HoldRow>, RowsError> {
    let rows = tx.query(
        "SELECT h.id, h.account, a.address, h.message_id, h.reason, h.placed_by, h.placed_second,
                h.placed_at, h.released_by, h.released_second, h.released_at, h.release_reason
         FROM legal_hold h JOIN account a ON a.id = h.account
         WHERE h.id < $1 AND ($2 = 0 OR h.account = $2) ORDER BY h.id DESC LIMIT $3",
        &[
            before.unwrap_or(i64::MAX).into(),
            account.map_or(0, |account| account.0).into(),
            (most as i64).into(),
        ],
    )?;
    rows.iter().map(hold).collect()
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<HoldRow>, RowsError> {
    let row = tx.first(
        "SELECT h.id, h.account, a.address, h.message_id, h.reason, h.placed_by, h.placed_second,
                h.placed_at, h.released_by, h.released_second, h.released_at, h.release_reason
         FROM legal_hold h JOIN account a ON a.id = h.account WHERE h.id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(hold).transpose()
}

fn hold(row: &Row) -> Result<HoldRow, RowsError> {
    let time = |column| Ok::<_, RowsError>(row.opt_int(column)?.map(Timestamp::from_millis));
    let text = |column| Ok::<_, RowsError>(row.opt_text(column)?.unwrap_or_default().to_owned());
    let released = match time(10)? {
        Some(at) => Some((Signed { by: text(8)?, second: text(9)?, at }, text(11)?)),
        None => None,
    };
    Ok(HoldRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        address: row.text(2)?.to_owned(),
        message: row.opt_text(3)?.map(submissions::message_id).transpose()?,
        reason: row.text(4)?.to_owned(),
        placed: Signed { by: text(5)?, second: text(6)?, at: Timestamp::from_millis(row.int(7)?) },
        released,
    })
}

/// Of messages that are about to be removed for good, keeps those back that are held.
pub(super) fn keep_back(tx: &mut Tx<'_>, from: &Mailbox, uids: &UidSet) -> Result<(), RowsError> {
    let account = from.account.0.into();
    let sql = "SELECT 1 FROM legal_hold WHERE account = $1 AND released_at IS NULL LIMIT 1";
    if from.role.is_gathered() || tx.first(sql, &[account])?.is_none() {
        return Ok(());
    }
    for (first, last) in spans(uids) {
        tx.execute(
            "INSERT INTO held_back (account, mailbox, uid, content, kind, message_id, internal_date,
                                    size)
             SELECT CAST($1 AS BIGINT), m.mailbox, m.uid, m.content, m.kind, m.message_id,
                    m.internal_date, m.size
             FROM message m WHERE m.mailbox = $2 AND m.uid BETWEEN $3 AND $4
             AND EXISTS (SELECT 1 FROM legal_hold h
                         WHERE h.account = $1 AND h.released_at IS NULL
                         AND (h.message_id IS NULL OR h.message_id = m.message_id))
             ON CONFLICT (account, mailbox, uid) DO NOTHING",
            &[account, from.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
    }
    Ok(())
}

/// A message that was removed and is kept.
#[derive(Clone, Debug)]
pub struct KeptBack {
    pub account: AccountId,
    mailbox: i64,
    uid: i64,
    content: ContentId,
}

/// What no hold keeps any more, as far as is seen without a lock.
pub fn unkept(tx: &mut Tx<'_>, most: i64) -> Result<Vec<KeptBack>, RowsError> {
    let rows = tx.query(
        "SELECT b.account, b.mailbox, b.uid, b.content FROM held_back b
         WHERE NOT EXISTS (SELECT 1 FROM legal_hold h
                           WHERE h.account = b.account AND h.released_at IS NULL
                           AND (h.message_id IS NULL OR h.message_id = b.message_id))
         ORDER BY b.account, b.mailbox, b.uid LIMIT $1",
        &[most.into()],
    )?;
    let kept = |row: &Row| {
        Ok(KeptBack {
            account: AccountId(row.int(0)?),
            mailbox: row.int(1)?,
            uid: row.int(2)?,
            content: ContentId(row.int(3)?),
        })
    };
    rows.iter().map(kept).collect()
}

/// Lets one go, unless a hold that was placed meanwhile keeps it. The caller has the lock of the account,
/// which whoever places a hold has, too.
pub fn let_go(tx: &mut Tx<'_>, one: &KeptBack) -> Result<bool, StoreError> {
    let gone = tx.execute(
        "DELETE FROM held_back WHERE account = $1 AND mailbox = $2 AND uid = $3
         AND NOT EXISTS (SELECT 1 FROM legal_hold h
                         WHERE h.account = held_back.account AND h.released_at IS NULL
                         AND (h.message_id IS NULL OR h.message_id = held_back.message_id))",
        &[one.account.0.into(), one.mailbox.into(), one.uid.into()],
    )?;
    if gone == 1 {
        super::mail::forget_unused(tx, one.content)?;
    }
    Ok(gone == 1)
}

/// Whether the account has or had anything of a message: a copy, one that is kept back, or a part in it.
pub fn knows(tx: &mut Tx<'_>, account: AccountId, message: &MessageId) -> Result<bool, RowsError> {
    let found = tx.first(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM message m JOIN mailbox b ON b.id = m.mailbox
                                WHERE b.account = $1 AND m.message_id = $2)
             OR EXISTS (SELECT 1 FROM held_back WHERE account = $1 AND message_id = $2)
             OR EXISTS (SELECT 1 FROM submission WHERE account = $1 AND message_id = $2)
             OR EXISTS (SELECT 1 FROM recipient WHERE account = $1 AND message_id = $2)",
        &[account.0.into(), message.as_str().into()],
    )?;
    Ok(found.is_some())
}

/// How many messages are kept back of an account.
pub fn kept_back(tx: &mut Tx<'_>, account: AccountId) -> Result<u64, RowsError> {
    let sql = "SELECT COUNT(*) FROM held_back WHERE account = $1";
    Ok(tx.one("count", sql, &[account.0.into()])?.int(0)? as u64)
}
