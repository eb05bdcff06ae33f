//! Rows of the lists that others publish of providers: which was taken, where they are fetched, which
//! provider follows which.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{Digest, Timestamp};

/// A list as it was taken the last time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListRow {
    pub name: String,
    pub kind: String,
    /// The URL or file that it came from.
    pub place: String,
    pub sequence: i64,
    pub issued_at: Timestamp,
    /// None: no other follows.
    pub next_update: Option<Timestamp>,
    /// SHA-256 of the whole document.
    pub digest: Vec<u8>,
    pub signer: String,
    pub taken_at: Timestamp,
    /// Where it says other than what is set by hand, a line each.
    pub conflicts: String,
}

/// Where a list is fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceRow {
    pub url: String,
    /// Which list was had there; empty before the first time.
    pub list: String,
    pub tried_at: Timestamp,
    pub had_at: Option<Timestamp>,
    /// What went wrong the last time; empty: nothing.
    pub trouble: String,
    pub etag: String,
    pub modified: String,
}

/// A provider that follows a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListedRow {
    pub domain: String,
    /// Empty: whichever names it.
    pub list: String,
    /// What is set by hand all the same: words, a space between.
    pub by_hand: String,
}

/// Lays a list in, unless one is held that is as new; `again`: unless one is newer. Says whether.
pub fn take(tx: &mut Tx<'_>, row: &ListRow, again: bool) -> Result<bool, RowsError> {
    let taken = tx.execute(
        "INSERT INTO provider_list (name, kind, place, sequence, issued_at, next_update, digest,
                                    signer, taken_at, conflicts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, place = excluded.place,
             sequence = excluded.sequence, issued_at = excluded.issued_at,
             next_update = excluded.next_update, digest = excluded.digest,
             signer = excluded.signer, taken_at = excluded.taken_at,
             conflicts = excluded.conflicts
         WHERE provider_list.sequence < excluded.sequence
            OR (provider_list.sequence = excluded.sequence
                AND provider_list.digest = excluded.digest AND $11 = 1)",
        &[
            (&row.name).into(),
            (&row.kind).into(),
            (&row.place).into(),
            row.sequence.into(),
            row.issued_at.millis().into(),
            row.next_update.map(Timestamp::millis).into(),
            (&row.digest[..]).into(),
            (&row.signer).into(),
            row.taken_at.millis().into(),
            (&row.conflicts).into(),
            i64::from(again).into(),
        ],
    )?;
    Ok(taken == 1)
}

pub fn set_conflicts(tx: &mut Tx<'_>, name: &str, conflicts: &str) -> Result<(), RowsError> {
    let values = [conflicts.into(), name.into()];
    tx.execute("UPDATE provider_list SET conflicts = $1 WHERE name = $2", &values)?;
    Ok(())
}

pub fn held(tx: &mut Tx<'_>, name: &str) -> Result<Option<ListRow>, RowsError> {
    let row = tx.first(
        "SELECT name, kind, place, sequence, issued_at, next_update, digest, signer, taken_at,
                conflicts FROM provider_list WHERE name = $1",
        &[name.into()],
    )?;
    row.as_ref().map(list).transpose()
}

pub fn lists(tx: &mut Tx<'_>) -> Result<Vec<ListRow>, RowsError> {
    let rows = tx.query(
        "SELECT name, kind, place, sequence, issued_at, next_update, digest, signer, taken_at,
                conflicts FROM provider_list ORDER BY name",
        &[],
    )?;
    rows.iter().map(list).collect()
}

pub fn put_place(tx: &mut Tx<'_>, row: &PlaceRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO provider_list_place (url, list, tried_at, had_at, trouble, etag, modified)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (url) DO UPDATE SET list = excluded.list, tried_at = excluded.tried_at,
             had_at = excluded.had_at, trouble = excluded.trouble, etag = excluded.etag,
             modified = excluded.modified",
        &[
            (&row.url).into(),
            (&row.list).into(),
            row.tried_at.millis().into(),
            row.had_at.map(Timestamp::millis).into(),
            (&row.trouble).into(),
            (&row.etag).into(),
            (&row.modified).into(),
        ],
    )?;
    Ok(())
}

pub fn place(tx: &mut Tx<'_>, url: &str) -> Result<Option<PlaceRow>, RowsError> {
    let row = tx.first(
        "SELECT url, list, tried_at, had_at, trouble, etag, modified FROM provider_list_place
         WHERE url = $1",
        &[url.into()],
    )?;
    row.as_ref().map(of_place).transpose()
}

pub fn places(tx: &mut Tx<'_>) -> Result<Vec<PlaceRow>, RowsError> {
    let rows = tx.query(
        "SELECT url, list, tried_at, had_at, trouble, etag, modified FROM provider_list_place
         ORDER BY url",
        &[],
    )?;
    rows.iter().map(of_place).collect()
}

/// Which list a provider follows; its row is replaced.
pub fn put_listed(tx: &mut Tx<'_>, row: &ListedRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO provider_listed (domain, list, by_hand) VALUES ($1, $2, $3)
         ON CONFLICT (domain) DO UPDATE SET list = excluded.list, by_hand = excluded.by_hand",
        &[(&row.domain).into(), (&row.list).into(), (&row.by_hand).into()],
    )?;
    Ok(())
}

pub fn listed(tx: &mut Tx<'_>, domain: &str) -> Result<Option<ListedRow>, RowsError> {
    let row = tx.first(
        "SELECT domain, list, by_hand FROM provider_listed WHERE domain = $1",
        &[domain.into()],
    )?;
    row.as_ref().map(of_listed).transpose()
}

pub fn all_listed(tx: &mut Tx<'_>) -> Result<Vec<ListedRow>, RowsError> {
    let rows =
        tx.query("SELECT domain, list, by_hand FROM provider_listed ORDER BY domain", &[])?;
    rows.iter().map(of_listed).collect()
}

/// Which of a provider's seals its list laid in.
pub fn seals(tx: &mut Tx<'_>, domain: &str) -> Result<Vec<Digest>, RowsError> {
    let sql = "SELECT digest FROM provider_listed_seal WHERE domain = $1 ORDER BY digest";
    let rows = tx.query(sql, &[domain.into()])?;
    let digest = |row: &Row| {
        let found = Digest::from_slice(row.bytes(0)?);
        found.ok_or(RowsError::Stored("the digest of a seal"))
    };
    rows.iter().map(digest).collect()
}

pub fn put_seals(tx: &mut Tx<'_>, domain: &str, seals: &[Digest]) -> Result<(), RowsError> {
    tx.execute("DELETE FROM provider_listed_seal WHERE domain = $1", &[domain.into()])?;
    for digest in seals {
        tx.execute(
            "INSERT INTO provider_listed_seal (domain, digest) VALUES ($1, $2)
             ON CONFLICT (domain, digest) DO NOTHING",
            &[domain.into(), (&digest.0[..]).into()],
        )?;
    }
    Ok(())
}

/// What lists said of a provider that is removed.
pub fn forget(tx: &mut Tx<'_>, domain: &str) -> Result<(), RowsError> {
    tx.execute("DELETE FROM provider_listed_seal WHERE domain = $1", &[domain.into()])?;
    tx.execute("DELETE FROM provider_listed WHERE domain = $1", &[domain.into()])?;
    Ok(())
}

/// A list, and that anybody follows it. Says whether there was one.
pub fn forget_list(tx: &mut Tx<'_>, name: &str) -> Result<bool, RowsError> {
    // The row that who imports has locked comes first.
    let held = tx.execute("DELETE FROM provider_list WHERE name = $1", &[name.into()])? == 1;
    tx.execute(
        "DELETE FROM provider_listed_seal
         WHERE domain IN (SELECT domain FROM provider_listed WHERE list = $1)",
        &[name.into()],
    )?;
    tx.execute("DELETE FROM provider_listed WHERE list = $1", &[name.into()])?;
    tx.execute("DELETE FROM provider_list_place WHERE list = $1", &[name.into()])?;
    Ok(held)
}

fn list(row: &Row) -> Result<ListRow, RowsError> {
    Ok(ListRow {
        name: row.text(0)?.to_owned(),
        kind: row.text(1)?.to_owned(),
        place: row.text(2)?.to_owned(),
        sequence: row.int(3)?,
        issued_at: Timestamp::from_millis(row.int(4)?),
        next_update: row.opt_int(5)?.map(Timestamp::from_millis),
        digest: row.bytes(6)?.to_vec(),
        signer: row.text(7)?.to_owned(),
        taken_at: Timestamp::from_millis(row.int(8)?),
        conflicts: row.text(9)?.to_owned(),
    })
}

fn of_listed(row: &Row) -> Result<ListedRow, RowsError> {
    let text = |n| row.text(n).map(str::to_owned);
    Ok(ListedRow { domain: text(0)?, list: text(1)?, by_hand: text(2)? })
}

fn of_place(row: &Row) -> Result<PlaceRow, RowsError> {
    Ok(PlaceRow {
        url: row.text(0)?.to_owned(),
        list: row.text(1)?.to_owned(),
        tried_at: Timestamp::from_millis(row.int(2)?),
        had_at: row.opt_int(3)?.map(Timestamp::from_millis),
        trouble: row.text(4)?.to_owned(),
        etag: row.text(5)?.to_owned(),
        modified: row.text(6)?.to_owned(),
    })
}
