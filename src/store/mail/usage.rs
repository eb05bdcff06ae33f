//! How much an account's mailboxes hold. Each message counts with its size, wherever it stands: a copy
//! counts again, though contents are shared, so that what is freed by deleting is what was shown.
//! Evidence never counts: it is the provider's to keep, and comes whether there is room or not.

use super::Kind;
use super::view::Mailbox;
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::imap::UidSet;
use crate::wire::{AccountId, MailboxId};

/// What an account uses, and its own limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    pub octets: u64,
    pub mailboxes: u64,
    /// Octets; `None` when another's limit holds.
    pub own_limit: Option<u64>,
    /// What its holder is, where that is known.
    pub kind: Option<String>,
}

/// How often somebody was told that he is nearly full, and whether he is since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Warned {
    pub count: i64,
    pub full: bool,
}

/// What stands behind notices counts when it comes into the inbox; what is gathered from other
/// mailboxes does not.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Usage, RowsError> {
    let row = tx.one(
        "sum",
        "SELECT CAST(COALESCE(SUM(octets), 0) AS BIGINT), COUNT(*) FROM mailbox
         WHERE account = $1 AND role NOT IN ('hidden', 'all', 'flagged', 'label')",
        &[account.0.into()],
    )?;
    let (octets, mailboxes) = (row.int(0)? as u64, row.int(1)? as u64);
    let row = tx.one(
        "account",
        "SELECT a.storage, h.kind FROM account a LEFT JOIN holder h ON h.id = a.holder
         WHERE a.id = $1",
        &[account.0.into()],
    )?;
    let own_limit = row.opt_int(0)?.map(|limit| limit as u64);
    Ok(Usage { octets, mailboxes, own_limit, kind: row.opt_text(1)?.map(str::to_owned) })
}

/// Sets an account's own limit, or lets the provider's hold.
pub fn set_limit(tx: &mut Tx<'_>, account: AccountId, limit: Option<u64>) -> Result<(), RowsError> {
    let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    tx.execute("UPDATE account SET storage = $1 WHERE id = $2", &[limit.into(), account.0.into()])?;
    Ok(())
}

/// Accounts behind one, and what was written down of each.
pub fn warned(
    tx: &mut Tx<'_>,
    after: AccountId,
    limit: i64,
) -> Result<Vec<(AccountId, Warned)>, RowsError> {
    let rows = tx.query(
        "SELECT a.id, COALESCE(w.n, 0), COALESCE(w.full_now, 0) FROM account a
         LEFT JOIN storage_warned w ON w.account = a.id WHERE a.id > $1 ORDER BY a.id LIMIT $2",
        &[after.0.into(), limit.into()],
    )?;
    let warned = |row: &Row| {
        let warned = Warned { count: row.int(1)?, full: row.int(2)? != 0 };
        Ok((AccountId(row.int(0)?), warned))
    };
    rows.iter().map(warned).collect()
}

pub fn warned_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Warned, RowsError> {
    let sql = "SELECT n, full_now FROM storage_warned WHERE account = $1";
    match tx.first(sql, &[account.0.into()])? {
        Some(row) => Ok(Warned { count: row.int(0)?, full: row.int(1)? != 0 }),
        None => Ok(Warned::default()),
    }
}

pub fn set_warned(tx: &mut Tx<'_>, account: AccountId, to: Warned) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO storage_warned (account, n, full_now) VALUES ($1, $2, $3)
         ON CONFLICT (account) DO UPDATE SET n = excluded.n, full_now = excluded.full_now",
        &[account.0.into(), to.count.into(), i64::from(to.full).into()],
    )?;
    Ok(())
}

/// Octets that those messages that are there count with.
pub fn of(tx: &mut Tx<'_>, mailbox: &Mailbox, uids: &UidSet) -> Result<u64, RowsError> {
    let mut octets = 0;
    for &(first, last) in uids.ranges() {
        let row = tx.one(
            "sum",
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM message
             WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 AND kind <> 'evidence'",
            &[mailbox.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        octets += row.int(0)? as u64;
    }
    Ok(octets)
}

/// Octets that a message of that size counts with.
pub(super) fn counted(kind: Kind, size: i64) -> i64 {
    if kind == Kind::Evidence { 0 } else { size }
}

pub(super) fn add(tx: &mut Tx<'_>, mailbox: MailboxId, octets: i64) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE mailbox SET octets = octets + $1 WHERE id = $2",
        &[octets.into(), mailbox.0.into()],
    )?;
    Ok(())
}
