//! Rows of the directory: consent, entries by all that they are found by, what the central directory has
//! still to hear, and who asked.

pub mod push;
pub mod query;

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRow {
    pub listed: bool,
    pub findable: bool,
    pub fields: String,
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// An entry; the registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    pub account: AccountId,
    pub address: String,
    pub kind: String,
    /// JSON; nothing when it is not listed.
    pub record: Option<String>,
    pub findable: bool,
    pub keys: Keys,
    pub revision: i64,
    pub changed_at: Timestamp,
}

/// What an entry is found by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    pub name: Option<Vec<u8>>,
    pub phone: Option<String>,
    pub mersis: Option<String>,
    pub tax_number: Option<String>,
    pub registry_number: Option<String>,
    pub detsis: Option<String>,
    /// Nobody looks entries up by it alone.
    pub identity: Option<String>,
}

pub fn consent(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<ConsentRow>, RowsError> {
    let row = tx.first(
        "SELECT listed, findable, fields, changed_at, changed_by FROM directory_consent
         WHERE account = $1",
        &[account.0.into()],
    )?;
    let consent = |row: Row| {
        Ok(ConsentRow {
            listed: row.int(0)? != 0,
            findable: row.int(1)? != 0,
            fields: row.text(2)?.to_owned(),
            changed_at: Timestamp::from_millis(row.int(3)?),
            changed_by: row.text(4)?.to_owned(),
        })
    };
    row.map(consent).transpose()
}

pub fn set_consent(tx: &mut Tx<'_>, account: AccountId, row: &ConsentRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO directory_consent (account, listed, findable, fields, changed_at, changed_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account) DO UPDATE SET listed = excluded.listed,
             findable = excluded.findable, fields = excluded.fields,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        &[
            account.0.into(),
            row.listed.into(),
            row.findable.into(),
            (&row.fields).into(),
            row.changed_at.millis().into(),
            (&row.changed_by).into(),
        ],
    )?;
    Ok(())
}

pub fn entry(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<EntryRow>, RowsError> {
    let row = tx.first(
        "SELECT account, address, kind, record, findable, name_key, phone_key, mersis, tax_number,
                registry_number, detsis, identity, revision, changed_at
         FROM directory_entry WHERE account = $1",
        &[account.0.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Lays an entry in, with the words that its title is found by.
pub fn put(tx: &mut Tx<'_>, row: &EntryRow, words: &[Vec<u8>]) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO directory_entry (account, address, kind, record, findable, name_key, phone_key,
                                      mersis, tax_number, registry_number, detsis, identity,
                                      revision, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (account) DO UPDATE SET address = excluded.address, kind = excluded.kind,
             record = excluded.record, findable = excluded.findable,
             name_key = excluded.name_key, phone_key = excluded.phone_key,
             mersis = excluded.mersis, tax_number = excluded.tax_number,
             registry_number = excluded.registry_number, detsis = excluded.detsis,
             identity = excluded.identity,
             revision = excluded.revision, changed_at = excluded.changed_at",
        &[
            row.account.0.into(),
            (&row.address).into(),
            (&row.kind).into(),
            row.record.as_deref().into(),
            row.findable.into(),
            row.keys.name.as_deref().into(),
            row.keys.phone.as_deref().into(),
            row.keys.mersis.as_deref().into(),
            row.keys.tax_number.as_deref().into(),
            row.keys.registry_number.as_deref().into(),
            row.keys.detsis.as_deref().into(),
            row.keys.identity.as_deref().into(),
            row.revision.into(),
            row.changed_at.millis().into(),
        ],
    )?;
    tx.execute("DELETE FROM directory_word WHERE account = $1", &[row.account.0.into()])?;
    for word in words {
        tx.execute(
            "INSERT INTO directory_word (kind, word, account) VALUES ($1, $2, $3)
             ON CONFLICT (kind, word, account) DO NOTHING",
            &[(&row.kind).into(), word.into(), row.account.0.into()],
        )?;
    }
    Ok(())
}

/// Accounts from this one on, so many.
pub fn accounts(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<AccountId>, RowsError> {
    let sql = "SELECT id FROM account WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = tx.query(sql, &[after.into(), limit.into()])?;
    rows.iter().map(|row| Ok(AccountId(row.int(0)?))).collect()
}

fn read(row: &Row) -> Result<EntryRow, RowsError> {
    let text = |column| Ok::<_, RowsError>(row.opt_text(column)?.map(str::to_owned));
    let name = if row.is_null(5) { None } else { Some(row.bytes(5)?.to_vec()) };
    Ok(EntryRow {
        account: AccountId(row.int(0)?),
        address: row.text(1)?.to_owned(),
        kind: row.text(2)?.to_owned(),
        record: text(3)?,
        findable: row.int(4)? != 0,
        keys: Keys {
            name,
            phone: text(6)?,
            mersis: text(7)?,
            tax_number: text(8)?,
            registry_number: text(9)?,
            detsis: text(10)?,
            identity: text(11)?,
        },
        revision: row.int(12)?,
        changed_at: Timestamp::from_millis(row.int(13)?),
    })
}
