//! Groups of an address book.

use super::book::{note, row_of, unknown};
use super::fault::{ContactError, Fault};
use super::{GROUP_NAME_MAX, GROUPS_MAX};
use crate::registry::audit::By;
use crate::store::contacts::{self as rows, GroupRow};
use crate::store::{Lane, Store, Tx, accounts};
use crate::wire::AccountId;
use crate::wire::fold::fold;
use std::collections::BTreeSet;

/// A group, and how many contacts are in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Names it for ever; the name may change.
    pub id: i64,
    pub name: String,
    pub members: usize,
}

pub async fn groups(store: &Store, account: AccountId) -> Result<Vec<Group>, ContactError> {
    store.read(move |tx: &mut Tx<'_>| groups_in(tx, account)).await
}

/// The same in a transaction.
pub fn groups_in(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Group>, ContactError> {
    let sizes = rows::group_sizes(tx, account)?;
    let all = rows::groups(tx, account)?.into_iter().map(|row| Group {
        id: row.id,
        name: row.name,
        members: sizes.get(&row.id).copied().unwrap_or_default(),
    });
    Ok(all.collect())
}

/// The group of that number.
pub fn group_in(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Group, ContactError> {
    let row = by_id(tx, account, id)?;
    let members = rows::members(tx, id)?.len();
    Ok(Group { id, name: row.name, members })
}

/// Makes a group.
pub async fn add_group(
    store: &Store,
    account: AccountId,
    name: &str,
    by: By,
) -> Result<(), ContactError> {
    let name = name.to_owned();
    let work = move |tx: &mut Tx<'_>| add_group_in(tx, account, &name, &by).map(drop);
    store.write(Lane::Client, work).await
}

/// The same in a transaction.
pub fn add_group_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    by: &By,
) -> Result<Group, ContactError> {
    let name = tidy(name)?;
    accounts::lock(tx, account)?;
    if let Some(known) = named(tx, account, &name)? {
        return Err(ContactError::GroupExists(known.name));
    }
    let made = make(tx, account, &name)?;
    note(tx, account, by, "contact.group.add", "")?;
    Ok(Group { id: made.id, name: made.name, members: 0 })
}

/// Gives a group another name; its members stay.
pub async fn rename_group(
    store: &Store,
    account: AccountId,
    which: &str,
    name: &str,
    by: By,
) -> Result<(), ContactError> {
    let (which, name) = (which.to_owned(), name.to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), ContactError> {
        accounts::lock(tx, account)?;
        let id = find(tx, account, &which)?.id;
        rename_group_in(tx, account, id, &name, &by, |_| Ok(()))
    };
    store.write(Lane::Client, work).await
}

/// The same of the group of that number. `judge` sees it as it stands there, and may refuse.
pub fn rename_group_in<E: From<ContactError>>(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
    name: &str,
    by: &By,
    judge: impl FnOnce(&Group) -> Result<(), E>,
) -> Result<(), E> {
    let name = tidy(name)?;
    judge(&held(tx, account, id)?)?;
    let mut rename = || -> Result<(), ContactError> {
        if let Some(other) = named(tx, account, &name)?.filter(|other| other.id != id) {
            return Err(ContactError::GroupExists(other.name));
        }
        rows::rename_group(tx, id, &name, &fold(&name))?;
        let revision = rows::next_revision(tx, account)?;
        rows::touch_members(tx, id, revision)?;
        Ok(note(tx, account, by, "contact.group.rename", "")?)
    };
    Ok(rename()?)
}

/// Takes a group away; its members stay in the address book.
pub async fn remove_group(
    store: &Store,
    account: AccountId,
    which: &str,
    by: By,
) -> Result<(), ContactError> {
    let which = which.to_owned();
    let work = move |tx: &mut Tx<'_>| -> Result<(), ContactError> {
        accounts::lock(tx, account)?;
        let id = find(tx, account, &which)?.id;
        remove_group_in(tx, account, id, &by, |_| Ok(()))
    };
    store.write(Lane::Client, work).await
}

/// The same of the group of that number. `judge` sees it as it stands there, and may refuse.
pub fn remove_group_in<E: From<ContactError>>(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
    by: &By,
    judge: impl FnOnce(&Group) -> Result<(), E>,
) -> Result<(), E> {
    judge(&held(tx, account, id)?)?;
    let mut take_away = || -> Result<(), ContactError> {
        let revision = rows::next_revision(tx, account)?;
        rows::touch_members(tx, id, revision)?;
        rows::remove_group(tx, id)?;
        Ok(note(tx, account, by, "contact.group.remove", "")?)
    };
    Ok(take_away()?)
}

/// Puts a contact into a group. Says whether it was not there before.
pub async fn join(
    store: &Store,
    account: AccountId,
    group: &str,
    contact: &str,
    by: By,
) -> Result<bool, ContactError> {
    membership(store, account, group, contact, by, true).await
}

/// Takes a contact out of a group. Says whether it was there.
pub async fn leave(
    store: &Store,
    account: AccountId,
    group: &str,
    contact: &str,
    by: By,
) -> Result<bool, ContactError> {
    membership(store, account, group, contact, by, false).await
}

async fn membership(
    store: &Store,
    account: AccountId,
    group: &str,
    contact: &str,
    by: By,
    member: bool,
) -> Result<bool, ContactError> {
    let (group, contact) = (group.to_owned(), contact.to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, ContactError> {
        accounts::lock(tx, account)?;
        let id = find(tx, account, &group)?.id;
        membership_in(tx, account, id, &contact, &by, member)
    };
    store.write(Lane::Client, work).await
}

/// Puts a contact into the group of that number, or takes it out. Says whether that changed anything.
pub fn membership_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
    contact: &str,
    by: &By,
    member: bool,
) -> Result<bool, ContactError> {
    accounts::lock(tx, account)?;
    let group = by_id(tx, account, id)?;
    let row = row_of(tx, account, contact)?.ok_or_else(|| unknown(contact))?;
    let (changed, act) = match member {
        true => (rows::join(tx, row.id, group.id)?, "contact.group.join"),
        false => (rows::leave(tx, row.id, group.id)?, "contact.group.leave"),
    };
    if changed {
        let revision = rows::next_revision(tx, account)?;
        rows::touch(tx, row.id, revision)?;
        note(tx, account, by, act, &row.uid)?;
    }
    Ok(changed)
}

/// A group that nobody else changes until the transaction ends.
fn held(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Group, ContactError> {
    accounts::lock(tx, account)?;
    group_in(tx, account, id)
}

fn by_id(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<GroupRow, ContactError> {
    let found = rows::groups(tx, account)?.into_iter().find(|group| group.id == id);
    found.ok_or_else(|| ContactError::NoGroup(id.to_string()))
}

fn named(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<Option<GroupRow>, ContactError> {
    let key = fold(name.trim());
    Ok(rows::groups(tx, account)?.into_iter().find(|group| group.name_key == key))
}

/// The group of that name, however it is written.
pub(super) fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<GroupRow, ContactError> {
    let found = named(tx, account, name)?;
    found.ok_or_else(|| ContactError::NoGroup(name.chars().take(GROUP_NAME_MAX).collect()))
}

/// Whether a contact may be put into groups of these names.
pub(super) fn check(
    tx: &mut Tx<'_>,
    account: AccountId,
    names: &[String],
) -> Result<(), ContactError> {
    if names.is_empty() {
        return Ok(());
    }
    let mut new = BTreeSet::new();
    for name in names {
        let key = fold(&tidy(name)?);
        if rows::group_by_key(tx, account, &key)?.is_none() {
            new.insert(key);
        }
    }
    if !new.is_empty() && rows::count_groups(tx, account)? + new.len() > GROUPS_MAX {
        return Err(Fault::Groups.into());
    }
    Ok(())
}

/// The group of that name, made where there is none. The caller has the lock.
pub(super) fn make(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<GroupRow, ContactError> {
    let name = tidy(name)?;
    let key = fold(&name);
    if let Some(known) = rows::group_by_key(tx, account, &key)? {
        return Ok(known);
    }
    if rows::count_groups(tx, account)? >= GROUPS_MAX {
        return Err(Fault::Groups.into());
    }
    let id = rows::add_group(tx, account, &name, &key)?;
    Ok(GroupRow { id, name, name_key: key })
}

fn tidy(name: &str) -> Result<String, ContactError> {
    let name = name.trim();
    let good = (1..=GROUP_NAME_MAX).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && !fold(name).trim().is_empty();
    good.then(|| name.to_owned()).ok_or(ContactError::GroupName)
}
