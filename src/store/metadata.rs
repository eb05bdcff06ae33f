//! Rows of annotations (RFC 5464): values by name, of a mailbox or of an account as a whole.

use super::rows::{Row, RowsError, Tx};
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
    tx.execute(
        "DELETE FROM metadata_change WHERE account = $1 AND mailbox = $2",
        &[account.0.into(), mailbox.0.into()],
    )?;
    Ok(())
}

/// An entry that changed after a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// `None` is the account as a whole.
    pub mailbox: Option<MailboxId>,
    pub entry: EntryName,
    pub step: u64,
}

/// Notes that these changed, all at one step of the account, and says which; who watches is woken.
pub fn note<'e>(
    tx: &mut Tx<'_>,
    of: Subject,
    entries: impl IntoIterator<Item = &'e EntryName>,
) -> Result<u64, RowsError> {
    let row = tx.one(
        "account",
        "UPDATE account SET metadata_step = metadata_step + 1 WHERE id = $1
         RETURNING metadata_step",
        &[of.account.0.into()],
    )?;
    let step = row.int(0)?;
    for entry in entries {
        tx.execute(
            "INSERT INTO metadata_change (account, mailbox, entry, step) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, mailbox, entry) DO UPDATE SET step = excluded.step",
            &[of.account.0.into(), of.number().into(), entry.as_str().into(), step.into()],
        )?;
    }
    tx.execute(
        "DELETE FROM metadata_change WHERE account = $1 AND step <
             (SELECT step FROM metadata_change WHERE account = $1
              ORDER BY step DESC LIMIT 1 OFFSET $2)",
        &[of.account.0.into(), CHANGES_MAX.into()],
    )?;
    tx.wakes.account(of.account);
    Ok(step as u64)
}

/// The account's step, and what changed after `since`.
pub fn changes(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Option<u64>,
) -> Result<(u64, Vec<Change>), RowsError> {
    let row =
        tx.one("account", "SELECT metadata_step FROM account WHERE id = $1", &[account.0.into()])?;
    let step = row.int(0)? as u64;
    let Some(since) = since.filter(|since| *since < step) else { return Ok((step, Vec::new())) };
    let rows = tx.query(
        "SELECT mailbox, entry, step FROM metadata_change WHERE account = $1 AND step > $2
         ORDER BY mailbox, entry",
        &[account.0.into(), (since as i64).into()],
    )?;
    let change = |row: &Row| {
        let mailbox = Some(MailboxId(row.int(0)?)).filter(|mailbox| mailbox.0 != 0);
        let entry = EntryName::parse(row.text(1)?.as_bytes());
        let entry = entry.ok_or(RowsError::Stored("an entry's name"))?;
        Ok(Change { mailbox, entry, step: row.int(2)? as u64 })
    };
    Ok((step, rows.iter().map(change).collect::<Result<_, RowsError>>()?))
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

/// A list of labels in JSON: `[{"key":"sat=c4=b1=c5=9f","name":"Satış","colour":"#2E7D32"}]`. It is
/// computed, and changes with the labels.
pub const LABELS: &str = "/private/vendor/vendor.kep/labels";
/// Changes of an account that are remembered: who watches hears of each at once.
const CHANGES_MAX: i64 = 1000;

impl Subject {
    fn number(self) -> i64 {
        self.mailbox.map_or(0, |mailbox| mailbox.0)
    }
}
