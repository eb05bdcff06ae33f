//! Entries by what is asked for, and the log of who asked.

use super::{EntryRow, read};
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// A key that an entry is looked up by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    Address(String),
    /// Kind and folded name, whole.
    Name(&'static str, Vec<u8>),
    Phone(String),
    Mersis(String),
    TaxNumber(String),
    RegistryNumber(String),
    Detsis(String),
    /// Kind and the beginning of a folded word of the title.
    Word(&'static str, Vec<u8>),
}

/// Entries that queries may find, at most `limit`.
pub fn find(tx: &mut Tx<'_>, by: &By, limit: i64) -> Result<Vec<EntryRow>, RowsError> {
    let rows = match by {
        By::Address(address) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE address = $1 AND findable = 1 LIMIT $2",
            &[address.into(), limit.into()],
        ),
        By::Name(kind, name) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE kind = $1 AND name_key = $2 AND findable = 1
             ORDER BY account LIMIT $3",
            &[(*kind).into(), name.into(), limit.into()],
        ),
        By::Phone(phone) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE phone_key = $1 AND findable = 1 ORDER BY account LIMIT $2",
            &[phone.into(), limit.into()],
        ),
        By::Mersis(number) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE mersis = $1 AND findable = 1 ORDER BY account LIMIT $2",
            &[number.into(), limit.into()],
        ),
        By::TaxNumber(number) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE tax_number = $1 AND findable = 1 ORDER BY account LIMIT $2",
            &[number.into(), limit.into()],
        ),
        By::RegistryNumber(number) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE registry_number = $1 AND findable = 1
             ORDER BY account LIMIT $2",
            &[number.into(), limit.into()],
        ),
        By::Detsis(number) => tx.query(
            "SELECT account, address, kind, record, findable, name_key, phone_key, mersis,
                    tax_number, registry_number, detsis, identity, revision, changed_at
             FROM directory_entry WHERE detsis = $1 AND findable = 1 ORDER BY account LIMIT $2",
            &[number.into(), limit.into()],
        ),
        By::Word(kind, word) => return by_word(tx, kind, word, limit),
    }?;
    rows.iter().map(read).collect()
}

fn by_word(
    tx: &mut Tx<'_>,
    kind: &str,
    word: &[u8],
    limit: i64,
) -> Result<Vec<EntryRow>, RowsError> {
    // No octet of UTF-8 is as high.
    let end = [word, &[0xff]].concat();
    let found = tx.query(
        "SELECT DISTINCT account FROM directory_word WHERE kind = $1 AND word >= $2 AND word < $3
         ORDER BY account LIMIT $4",
        &[kind.into(), word.into(), (&end).into(), limit.into()],
    )?;
    let mut entries = Vec::new();
    for row in &found {
        entries.extend(super::entry(tx, AccountId(row.int(0)?))?.filter(|entry| entry.findable));
    }
    Ok(entries)
}

/// A question that was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryRow {
    pub id: i64,
    pub account: AccountId,
    pub actor: String,
    pub channel: String,
    pub kind: String,
    /// Words, a space between.
    pub keys: String,
    pub asked_at: Timestamp,
    /// `None`: it was not answered.
    pub results: Option<i64>,
    pub central: String,
}

/// Notes a question before it is answered, and how much it may be told; says its id.
pub fn note(tx: &mut Tx<'_>, row: &QueryRow, most: i64) -> Result<i64, RowsError> {
    tx.one(
        "query",
        "INSERT INTO directory_query (account, actor, channel, kind, keys, asked_at, central, most)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &[
            row.account.0.into(),
            (&row.actor).into(),
            (&row.channel).into(),
            (&row.kind).into(),
            (&row.keys).into(),
            row.asked_at.millis().into(),
            (&row.central).into(),
            most.into(),
        ],
    )?
    .int(0)
}

/// Notes what was answered.
pub fn answered(tx: &mut Tx<'_>, id: i64, results: i64, central: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE directory_query SET results = $1, central = $2 WHERE id = $3",
        &[results.into(), central.into(), id.into()],
    )?;
    Ok(())
}

/// How many questions an account has asked since then, and when the first of them was.
pub fn asked_since(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Timestamp,
) -> Result<(i64, Option<Timestamp>), RowsError> {
    let row = tx.one(
        "count",
        "SELECT COUNT(*), MIN(asked_at) FROM directory_query WHERE account = $1 AND asked_at > $2",
        &[account.0.into(), since.millis().into()],
    )?;
    Ok((row.int(0)?, row.opt_int(1)?.map(Timestamp::from_millis)))
}

/// What a question was told, or may still be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToldRow {
    pub asked_at: Timestamp,
    /// `None`: it is not answered.
    pub results: Option<i64>,
    pub most: i64,
}

/// What an account was told since then, the oldest first.
pub fn told_since(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<ToldRow>, RowsError> {
    let rows = tx.query(
        "SELECT asked_at, results, most FROM directory_query
         WHERE account = $1 AND asked_at > $2 ORDER BY asked_at, id",
        &[account.0.into(), since.millis().into()],
    )?;
    let told = |row: &Row| {
        let asked_at = Timestamp::from_millis(row.int(0)?);
        Ok(ToldRow { asked_at, results: row.opt_int(1)?, most: row.int(2)? })
    };
    rows.iter().map(told).collect()
}

/// Questions of an account before the one of this number, the newest first.
pub fn log_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<QueryRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, actor, channel, kind, keys, asked_at, results, central
         FROM directory_query WHERE account = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        &[account.0.into(), before.into(), limit.into()],
    )?;
    rows.iter().map(query).collect()
}

/// The newest questions, of one account or of all.
pub fn log(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    limit: i64,
) -> Result<Vec<QueryRow>, RowsError> {
    let rows = match account {
        Some(account) => tx.query(
            "SELECT id, account, actor, channel, kind, keys, asked_at, results, central
             FROM directory_query WHERE account = $1 ORDER BY asked_at DESC, id DESC LIMIT $2",
            &[account.0.into(), limit.into()],
        ),
        None => tx.query(
            "SELECT id, account, actor, channel, kind, keys, asked_at, results, central
             FROM directory_query WHERE asked_at > $1 ORDER BY asked_at DESC, id DESC LIMIT $2",
            &[0.into(), limit.into()],
        ),
    }?;
    rows.iter().map(query).collect()
}

/// Questions of an account or of all, before the one of this number, the newest first.
pub fn log_page(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<QueryRow>, RowsError> {
    let (before, limit) = (before.unwrap_or(i64::MAX), limit as i64);
    match account {
        Some(account) => log_of(tx, account, before, limit),
        None => {
            let rows = tx.query(
                "SELECT id, account, actor, channel, kind, keys, asked_at, results, central
                 FROM directory_query WHERE id < $1 ORDER BY id DESC LIMIT $2",
                &[before.into(), limit.into()],
            )?;
            rows.iter().map(query).collect()
        }
    }
}

/// Forgets questions from before then; says how many.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, RowsError> {
    tx.execute("DELETE FROM directory_query WHERE asked_at < $1", &[before.millis().into()])
}

fn query(row: &Row) -> Result<QueryRow, RowsError> {
    Ok(QueryRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        actor: row.text(2)?.to_owned(),
        channel: row.text(3)?.to_owned(),
        kind: row.text(4)?.to_owned(),
        keys: row.text(5)?.to_owned(),
        asked_at: Timestamp::from_millis(row.int(6)?),
        results: row.opt_int(7)?,
        central: row.text(8)?.to_owned(),
    })
}
