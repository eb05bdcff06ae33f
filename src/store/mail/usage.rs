//! How much an account's mailboxes hold. Each message counts with its size, wherever it stands: a copy
//! counts again, though contents are shared, so that what is freed by deleting is what was shown.
//! Evidence never counts: it is the provider's to keep, and comes whether there is room or not.

use super::Kind;
use super::view::Mailbox;
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::UidSet;
use crate::wire::{AccountId, MailboxId};

/// What an account uses, and its own limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    pub octets: u64,
    pub mailboxes: u64,
    /// Octets; `None` when the provider's limit holds.
    pub own_limit: Option<u64>,
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
    let own_limit = own_limit(tx, account)?;
    Ok(Usage { octets: row.int(0)? as u64, mailboxes: row.int(1)? as u64, own_limit })
}

/// Octets that may still come into an account; `None` when there is no limit. The provider's holds
/// where the account has none of its own.
pub fn room(
    tx: &mut Tx<'_>,
    account: AccountId,
    provider: Option<u64>,
) -> Result<Option<u64>, RowsError> {
    let Some(limit) = own_limit(tx, account)?.or(provider) else { return Ok(None) };
    Ok(Some(limit.saturating_sub(of_account(tx, account)?.octets)))
}

fn own_limit(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<u64>, RowsError> {
    let row =
        tx.one("account", "SELECT storage FROM account WHERE id = $1", &[account.0.into()])?;
    Ok(row.opt_int(0)?.map(|limit| limit as u64))
}

/// Sets an account's own limit, or lets the provider's hold.
pub fn set_limit(tx: &mut Tx<'_>, account: AccountId, limit: Option<u64>) -> Result<(), RowsError> {
    let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    tx.execute("UPDATE account SET storage = $1 WHERE id = $2", &[limit.into(), account.0.into()])?;
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
