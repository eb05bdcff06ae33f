//! Rows of annotations (RFC 5464): values by name, of a mailbox or of an account as a whole.

use super::rows::{RowsError, Tx};
use crate::wire::imap::metadata::EntryName;
use crate::wire::{AccountId, MailboxId};

/// What has annotations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    pub account: AccountId,
    /// `None` is the account as a whole ("the server", as its holder sees it).
    pub mailbox: Option<MailboxId>,
}

/// How much an account keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    pub entries: u64,
    pub octets: u64,
}

/// Names with the octets of their values, by name.
pub fn names(tx: &mut Tx<'_>, of: Subject) -> Result<Vec<(EntryName, u64)>, RowsError> {
    let rows = tx.query(
        "SELECT entry, CAST(LENGTH(value) AS BIGINT) FROM metadata
         WHERE account = $1 AND mailbox = $2 ORDER BY entry",
        &[of.account.0.into(), of.number().into()],
    )?;
    let name = |text: &str| EntryName::parse(text.as_bytes());
    rows.iter()
        .map(|row| {
            let entry = name(row.text(0)?).ok_or(RowsError::Stored("an entry's name"))?;
            Ok((entry, row.int(1)? as u64))
        })
        .collect()
}

pub fn value(
    tx: &mut Tx<'_>,
    of: Subject,
    entry: &EntryName,
) -> Result<Option<Vec<u8>>, RowsError> {
    let row = tx.first(
        "SELECT value FROM metadata WHERE account = $1 AND mailbox = $2 AND entry = $3",
        &[of.account.0.into(), of.number().into(), entry.as_str().into()],
    )?;
    row.map(|mut row| row.take_bytes(0)).transpose()
}

pub fn put(tx: &mut Tx<'_>, of: Subject, entry: &EntryName, value: &[u8]) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO metadata (account, mailbox, entry, value) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, mailbox, entry) DO UPDATE SET value = excluded.value",
        &[of.account.0.into(), of.number().into(), entry.as_str().into(), value.into()],
    )?;
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, of: Subject, entry: &EntryName) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM metadata WHERE account = $1 AND mailbox = $2 AND entry = $3",
        &[of.account.0.into(), of.number().into(), entry.as_str().into()],
    )?;
    Ok(())
}

/// All that is said of a mailbox goes with it.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, mailbox: MailboxId) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM metadata WHERE account = $1 AND mailbox = $2",
        &[account.0.into(), mailbox.0.into()],
    )?;
    Ok(())
}

pub fn kept(tx: &mut Tx<'_>, account: AccountId) -> Result<Kept, RowsError> {
    let row = tx.one(
        "sum",
        "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT) FROM metadata
         WHERE account = $1",
        &[account.0.into()],
    )?;
    Ok(Kept { entries: row.int(0)? as u64, octets: row.int(1)? as u64 })
}

impl Subject {
    fn number(self) -> i64 {
        self.mailbox.map_or(0, |mailbox| mailbox.0)
    }
}
