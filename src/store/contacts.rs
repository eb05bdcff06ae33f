//! Rows of address books: contacts with their addresses, and groups.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A contact; the registry makes all of it from the card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactRow {
    pub id: i64,
    pub account: AccountId,
    pub uid: String,
    pub name: String,
    pub sort_key: Vec<u8>,
    pub search: String,
    pub card: Vec<u8>,
    pub revision: i64,
    pub changed_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupRow {
    pub id: i64,
    pub name: String,
    pub name_key: String,
}

/// The number of a change of this address book.
pub fn next_revision(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, RowsError> {
    tx.one(
        "revision",
        "INSERT INTO contact_book (account, revision) VALUES ($1, 1)
         ON CONFLICT (account) DO UPDATE SET revision = contact_book.revision + 1
         RETURNING revision",
        &[account.0.into()],
    )?
    .int(0)
}

/// Adds a contact; says its id.
pub fn add(tx: &mut Tx<'_>, new: &ContactRow) -> Result<i64, RowsError> {
    grow(tx, new.account, 1, new.card.len() as i64)?;
    tx.one(
        "contact",
        "INSERT INTO contact (account, uid, name, sort_key, search, card, revision, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &[
            new.account.0.into(),
            (&new.uid).into(),
            (&new.name).into(),
            (&new.sort_key).into(),
            (&new.search).into(),
            (&new.card).into(),
            new.revision.into(),
            new.changed_at.millis().into(),
        ],
    )?
    .int(0)
}

/// Gives a contact another content; it had so many octets.
pub fn change(tx: &mut Tx<'_>, row: &ContactRow, before: usize) -> Result<(), RowsError> {
    grow(tx, row.account, 0, row.card.len() as i64 - before as i64)?;
    tx.execute(
        "UPDATE contact SET name = $1, sort_key = $2, search = $3, card = $4, revision = $5,
                changed_at = $6 WHERE id = $7",
        &[
            (&row.name).into(),
            (&row.sort_key).into(),
            (&row.search).into(),
            (&row.card).into(),
            row.revision.into(),
            row.changed_at.millis().into(),
            row.id.into(),
        ],
    )?;
    Ok(())
}

/// Takes a contact away, with its addresses and memberships.
pub fn remove(tx: &mut Tx<'_>, row: &ContactRow) -> Result<(), RowsError> {
    let id = row.id;
    grow(tx, row.account, -1, -(row.card.len() as i64))?;
    tx.execute("DELETE FROM contact_address WHERE contact = $1", &[id.into()])?;
    tx.execute("DELETE FROM contact_member WHERE contact = $1", &[id.into()])?;
    tx.execute("DELETE FROM contact WHERE id = $1", &[id.into()])?;
    Ok(())
}

pub fn by_uid(
    tx: &mut Tx<'_>,
    account: AccountId,
    uid: &str,
) -> Result<Option<ContactRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, uid, name, sort_key, search, card, revision, changed_at
         FROM contact WHERE account = $1 AND uid = $2",
        &[account.0.into(), uid.into()],
    )?;
    row.as_ref().map(contact).transpose()
}

pub fn by_id(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
) -> Result<Option<ContactRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, uid, name, sort_key, search, card, revision, changed_at
         FROM contact WHERE id = $1 AND account = $2",
        &[id.into(), account.0.into()],
    )?;
    row.as_ref().map(contact).transpose()
}

/// A place in the order of names, behind a contact.
pub type Place = (Vec<u8>, i64);

/// Looks at the contacts of an account behind this place in the order of their names, by number and what
/// is searched, until `visitor` wants no more. Cards are large: who wants one finds it by its number.
pub fn visit(
    tx: &mut Tx<'_>,
    account: AccountId,
    mut after: Place,
    visitor: &mut dyn FnMut(i64, &str) -> bool,
) -> Result<(), RowsError> {
    loop {
        let rows = tx.query(
            "SELECT id, sort_key, search FROM contact WHERE account = $1 AND (sort_key, id) > ($2, $3)
             ORDER BY sort_key, id LIMIT 256",
            &[account.0.into(), (&after.0).into(), after.1.into()],
        )?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.bytes(1)?.to_vec(), last.int(0)?);
        for row in &rows {
            if !visitor(row.int(0)?, row.text(2)?) {
                return Ok(());
            }
        }
    }
}

/// How many contacts a book has, and how many octets their cards.
pub fn size(tx: &mut Tx<'_>, account: AccountId) -> Result<(i64, i64), RowsError> {
    let sql = "SELECT contacts, octets FROM contact_book WHERE account = $1";
    let row = tx.first(sql, &[account.0.into()])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// It has so many more, or less.
fn grow(tx: &mut Tx<'_>, account: AccountId, contacts: i64, octets: i64) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO contact_book (account, revision, contacts, octets) VALUES ($1, 0, $2, $3)
         ON CONFLICT (account) DO UPDATE SET contacts = contact_book.contacts + excluded.contacts,
             octets = contact_book.octets + excluded.octets",
        &[account.0.into(), contacts.into(), octets.into()],
    )?;
    Ok(())
}

/// The contact that has this address.
pub fn with_address(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &str,
) -> Result<Option<i64>, RowsError> {
    let row = tx.first(
        "SELECT contact FROM contact_address WHERE account = $1 AND address = $2",
        &[account.0.into(), address.into()],
    )?;
    row.map(|row| row.int(0)).transpose()
}

/// These and no others are a contact's addresses.
pub fn set_addresses(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: i64,
    addresses: &[&str],
) -> Result<(), RowsError> {
    tx.execute("DELETE FROM contact_address WHERE contact = $1", &[contact.into()])?;
    for address in addresses {
        tx.execute(
            "INSERT INTO contact_address (account, address, contact) VALUES ($1, $2, $3)",
            &[account.0.into(), (*address).into(), contact.into()],
        )?;
    }
    Ok(())
}

/// All groups of an account, by key.
pub fn groups(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<GroupRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, name, name_key FROM contact_group WHERE account = $1 ORDER BY name_key",
        &[account.0.into()],
    )?;
    rows.iter().map(group).collect()
}

fn group(row: &Row) -> Result<GroupRow, RowsError> {
    let (name, name_key) = (row.text(1)?.to_owned(), row.text(2)?.to_owned());
    Ok(GroupRow { id: row.int(0)?, name, name_key })
}

pub fn group_by_key(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
) -> Result<Option<GroupRow>, RowsError> {
    let row = tx.first(
        "SELECT id, name, name_key FROM contact_group WHERE account = $1 AND name_key = $2",
        &[account.0.into(), key.into()],
    )?;
    row.as_ref().map(group).transpose()
}

pub fn count_groups(tx: &mut Tx<'_>, account: AccountId) -> Result<usize, RowsError> {
    let sql = "SELECT COUNT(*) FROM contact_group WHERE account = $1";
    let row = tx.one("count", sql, &[account.0.into()])?;
    usize::try_from(row.int(0)?).map_err(|_| RowsError::Stored("a count"))
}

pub fn add_group(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    name_key: &str,
) -> Result<i64, RowsError> {
    tx.one(
        "group",
        "INSERT INTO contact_group (account, name, name_key) VALUES ($1, $2, $3) RETURNING id",
        &[account.0.into(), name.into(), name_key.into()],
    )?
    .int(0)
}

pub fn rename_group(tx: &mut Tx<'_>, id: i64, name: &str, name_key: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE contact_group SET name = $1, name_key = $2 WHERE id = $3",
        &[name.into(), name_key.into(), id.into()],
    )?;
    Ok(())
}

/// Takes a group away; its members stay in the address book.
pub fn remove_group(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute("DELETE FROM contact_member WHERE in_group = $1", &[id.into()])?;
    tx.execute("DELETE FROM contact_group WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Whether it was no member before.
pub fn join(tx: &mut Tx<'_>, contact: i64, group: i64) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO contact_member (contact, in_group) VALUES ($1, $2)
         ON CONFLICT (contact, in_group) DO NOTHING",
        &[contact.into(), group.into()],
    )?;
    Ok(added == 1)
}

/// Whether it was a member.
pub fn leave(tx: &mut Tx<'_>, contact: i64, group: i64) -> Result<bool, RowsError> {
    let gone = tx.execute(
        "DELETE FROM contact_member WHERE contact = $1 AND in_group = $2",
        &[contact.into(), group.into()],
    )?;
    Ok(gone == 1)
}

/// The members of a group.
pub fn members(tx: &mut Tx<'_>, group: i64) -> Result<BTreeSet<i64>, RowsError> {
    let rows =
        tx.query("SELECT contact FROM contact_member WHERE in_group = $1", &[group.into()])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// How many members each group of an account has that has any.
pub fn group_sizes(tx: &mut Tx<'_>, account: AccountId) -> Result<BTreeMap<i64, usize>, RowsError> {
    let rows = tx.query(
        "SELECT in_group, COUNT(*) FROM contact_member
         WHERE in_group IN (SELECT id FROM contact_group WHERE account = $1) GROUP BY in_group",
        &[account.0.into()],
    )?;
    rows.iter().map(|row| Ok((row.int(0)?, usize::try_from(row.int(1)?).unwrap_or(0)))).collect()
}

/// Its groups are others now, and they are part of what is shown of it.
pub fn touch(tx: &mut Tx<'_>, contact: i64, revision: i64) -> Result<(), RowsError> {
    let sql = "UPDATE contact SET revision = $1 WHERE id = $2";
    tx.execute(sql, &[revision.into(), contact.into()])?;
    Ok(())
}

/// The same of all members of a group.
pub fn touch_members(tx: &mut Tx<'_>, group: i64, revision: i64) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE contact SET revision = $1
         WHERE id IN (SELECT contact FROM contact_member WHERE in_group = $2)",
        &[revision.into(), group.into()],
    )?;
    Ok(())
}

/// The groups that a contact is in.
pub fn groups_of(tx: &mut Tx<'_>, contact: i64) -> Result<Vec<i64>, RowsError> {
    let sql = "SELECT in_group FROM contact_member WHERE contact = $1 ORDER BY in_group";
    tx.query(sql, &[contact.into()])?.iter().map(|row| row.int(0)).collect()
}

fn contact(row: &Row) -> Result<ContactRow, RowsError> {
    Ok(ContactRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        uid: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        sort_key: row.bytes(4)?.to_vec(),
        search: row.text(5)?.to_owned(),
        card: row.bytes(6)?.to_vec(),
        revision: row.int(7)?,
        changed_at: Timestamp::from_millis(row.int(8)?),
    })
}
