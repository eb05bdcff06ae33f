//! Rows of labels: a keyword of an account with the name and colour its holder gave it.

use super::metadata::{self, Subject};
use super::rows::{Row, RowsError, Tx};
use crate::wire::AccountId;
use crate::wire::imap::metadata::EntryName;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelRow {
    /// The IMAP keyword.
    pub key: String,
    pub name: String,
    /// `#RRGGBB`, or nothing.
    pub colour: String,
    /// Whether somebody named it; if not, a program set its keyword.
    pub named: bool,
}

/// All labels of an account, by key.
pub fn all(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<LabelRow>, RowsError> {
    let rows = tx.query(
        "SELECT name, display, colour, named FROM label WHERE account = $1 ORDER BY name",
        &[account.0.into()],
    )?;
    rows.iter().map(label).collect()
}

/// Adds a label, or changes the one of that key.
pub fn put(tx: &mut Tx<'_>, account: AccountId, label: &LabelRow) -> Result<(), RowsError> {
    put_all(tx, account, std::slice::from_ref(label))
}

/// The same of several, as one change of what lists them.
pub fn put_all(tx: &mut Tx<'_>, account: AccountId, labels: &[LabelRow]) -> Result<(), RowsError> {
    for label in labels {
        lay(tx, account, label)?;
    }
    changed(tx, account)
}

fn lay(tx: &mut Tx<'_>, account: AccountId, label: &LabelRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO label (account, name, display, colour, named) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, name) DO UPDATE SET display = excluded.display,
             colour = excluded.colour, named = excluded.named",
        &[
            account.0.into(),
            (&label.key).into(),
            (&label.name).into(),
            (&label.colour).into(),
            label.named.into(),
        ],
    )?;
    Ok(())
}

/// Whether there is a label of that key.
pub fn has(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM label WHERE account = $1 AND name = $2";
    Ok(tx.first(sql, &[account.0.into(), key.into()])?.is_some())
}

pub fn remove(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool, RowsError> {
    let gone = tx.execute(
        "DELETE FROM label WHERE account = $1 AND name = $2",
        &[account.0.into(), key.into()],
    )?;
    changed(tx, account)?;
    Ok(gone == 1)
}

/// The annotation that lists them is another one now.
fn changed(tx: &mut Tx<'_>, account: AccountId) -> Result<(), RowsError> {
    let entry = EntryName::parse(metadata::LABELS.as_bytes());
    metadata::note(tx, Subject { account, mailbox: None }, entry.iter())?;
    Ok(())
}

fn label(row: &Row) -> Result<LabelRow, RowsError> {
    Ok(LabelRow {
        key: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        colour: row.text(2)?.to_owned(),
        named: row.int(3)? != 0,
    })
}
