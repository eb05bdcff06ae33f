//! Rows of holders, of how they are reached for an account, and of what an institution has beside that.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, HolderId, Timestamp};

#[derive(Clone, Debug)]
pub struct HolderRow {
    pub kind: String,
    /// Unique among all.
    pub identity: String,
    pub name: String,
    /// JSON.
    pub form: String,
}

/// A version of how a holder is reached.
#[derive(Clone, Debug)]
pub struct ContactRow {
    pub n: i64,
    /// JSON.
    pub form: String,
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// The holder of that identity: made, or brought up to date.
pub fn put(tx: &mut Tx<'_>, row: &HolderRow, now: Timestamp) -> Result<HolderId, RowsError> {
    let found = tx.one(
        "holder",
        "INSERT INTO holder (kind, identity, name, form, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (identity) DO UPDATE SET name = EXCLUDED.name, form = EXCLUDED.form,
                                              changed_at = EXCLUDED.changed_at
         RETURNING id",
        &[
            (&row.kind).into(),
            (&row.identity).into(),
            (&row.name).into(),
            (&row.form).into(),
            now.millis().into(),
        ],
    )?;
    Ok(HolderId(found.int(0)?))
}

pub fn find(tx: &mut Tx<'_>, id: HolderId) -> Result<HolderRow, RowsError> {
    let sql = "SELECT kind, identity, name, form FROM holder WHERE id = $1";
    holder(&tx.one("holder", sql, &[id.0.into()])?)
}

pub fn by_identity(tx: &mut Tx<'_>, identity: &str) -> Result<Option<HolderId>, RowsError> {
    let row = tx.first("SELECT id FROM holder WHERE identity = $1", &[identity.into()])?;
    row.map(|row| Ok(HolderId(row.int(0)?))).transpose()
}

/// All his accounts, in the order they were opened.
pub fn accounts(tx: &mut Tx<'_>, id: HolderId) -> Result<Vec<AccountId>, RowsError> {
    let rows = tx.query("SELECT id FROM account WHERE holder = $1 ORDER BY id", &[id.0.into()])?;
    rows.iter().map(|row| Ok(AccountId(row.int(0)?))).collect()
}

pub fn contact(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<ContactRow>, RowsError> {
    let row = tx.first(
        "SELECT n, form, changed_at, changed_by FROM account_contact WHERE account = $1
         ORDER BY n DESC LIMIT 1",
        &[account.0.into()],
    )?;
    row.as_ref().map(contact_row).transpose()
}

/// Every version, the newest first.
pub fn contacts(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<ContactRow>, RowsError> {
    let rows = tx.query(
        "SELECT n, form, changed_at, changed_by FROM account_contact WHERE account = $1
         ORDER BY n DESC",
        &[account.0.into()],
    )?;
    rows.iter().map(contact_row).collect()
}

pub fn add_contact(tx: &mut Tx<'_>, account: AccountId, row: &ContactRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO account_contact (account, n, form, changed_at, changed_by)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            account.0.into(),
            row.n.into(),
            (&row.form).into(),
            row.changed_at.millis().into(),
            (&row.changed_by).into(),
        ],
    )?;
    Ok(())
}

/// The invoice's form and whether its e-seal may sign.
pub fn terms(tx: &mut Tx<'_>, account: AccountId) -> Result<(Option<String>, bool), RowsError> {
    let sql = "SELECT invoice, e_seal FROM account_terms WHERE account = $1";
    match tx.first(sql, &[account.0.into()])? {
        Some(row) => Ok((row.opt_text(0)?.map(str::to_owned), row.int(1)? == 1)),
        None => Ok((None, false)),
    }
}

pub fn set_terms(
    tx: &mut Tx<'_>,
    account: AccountId,
    invoice: Option<&str>,
    e_seal: bool,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO account_terms (account, invoice, e_seal) VALUES ($1, $2, $3)
         ON CONFLICT (account) DO UPDATE SET invoice = EXCLUDED.invoice, e_seal = EXCLUDED.e_seal",
        &[account.0.into(), invoice.into(), e_seal.into()],
    )?;
    Ok(())
}

fn holder(row: &Row) -> Result<HolderRow, RowsError> {
    Ok(HolderRow {
        kind: row.text(0)?.to_owned(),
        identity: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        form: row.text(3)?.to_owned(),
    })
}

fn contact_row(row: &Row) -> Result<ContactRow, RowsError> {
    Ok(ContactRow {
        n: row.int(0)?,
        form: row.text(1)?.to_owned(),
        changed_at: Timestamp::from_millis(row.int(2)?),
        changed_by: row.text(3)?.to_owned(),
    })
}
