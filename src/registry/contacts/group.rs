//! Groups of an address book.

use super::GROUPS_MAX;
use super::book::{note, row_of, unknown};
use super::fault::{ContactError, Fault};
use crate::registry::audit::By;
use crate::store::contacts::{self as rows, GroupRow};
use crate::store::{Lane, Store, Tx, accounts};
use crate::wire::AccountId;
use crate::wire::fold::fold;
use std::collections::BTreeSet;

/// A group, and how many contacts are in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub name: String,
    pub members: usize,
}

pub async fn groups(store: &Store, account: AccountId) -> Result<Vec<Group>, ContactError> {
    let work = move |tx: &mut Tx<'_>| -> Result<_, ContactError> {
        let mut all = Vec::new();
        for group in rows::groups(tx, account)? {
            let members = rows::members(tx, group.id)?.len();
            all.push(Group { name: group.name, members });
        }
        Ok(all)
    };
    store.read(work).await
}

/// Makes a group.
pub async fn add_group(
    store: &Store,
    account: AccountId,
    name: &str,
    by: By,
) -> Result<(), ContactError> {
    let name = tidy(name)?;
    let work = move |tx: &mut Tx<'_>| -> Result<(), ContactError> {
        accounts::lock(tx, account)?;
        if let Ok(known) = find(tx, account, &name) {
            return Err(ContactError::GroupExists(known.name));
        }
        make(tx, account, &name)?;
        Ok(note(tx, account, &by, "contact.group.add", "")?)
    };
    store.write(Lane::Client, work).await
}

/// Gives a group another name; its members stay.
pub async fn rename_group(
    store: &Store,
    account: AccountId,
    which: &str,
    name: &str,
    by: By,
) -> Result<(), ContactError> {
    let (which, name) = (which.to_owned(), tidy(name)?);
    let work = move |tx: &mut Tx<'_>| -> Result<(), ContactError> {
        accounts::lock(tx, account)?;
        let group = find(tx, account, &which)?;
        match find(tx, account, &name) {
            Ok(other) if other.id != group.id => Err(ContactError::GroupExists(other.name)),
            _ => {
                rows::rename_group(tx, group.id, &name, &fold(&name))?;
                Ok(note(tx, account, &by, "contact.group.rename", "")?)
            }
        }
    };
    store.write(Lane::Client, work).await
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
        let group = find(tx, account, &which)?;
        rows::remove_group(tx, group.id)?;
        Ok(note(tx, account, &by, "contact.group.remove", "")?)
    };
    store.write(Lane::Client, work).await
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
        let group = find(tx, account, &group)?;
        let row = row_of(tx, account, &contact)?.ok_or_else(|| unknown(&contact))?;
        let (changed, act) = match member {
            true => (rows::join(tx, row.id, group.id)?, "contact.group.join"),
            false => (rows::leave(tx, row.id, group.id)?, "contact.group.leave"),
        };
        if changed {
            rows::next_revision(tx, account)?;
            note(tx, account, &by, act, &row.uid)?;
        }
        Ok(changed)
    };
    store.write(Lane::Client, work).await
}

/// The group of that name, however it is written.
pub(super) fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<GroupRow, ContactError> {
    let found = rows::group_by_key(tx, account, &fold(name.trim()))?;
    found.ok_or_else(|| ContactError::NoGroup(name.chars().take(NAME_MAX).collect()))
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
    let good = (1..=NAME_MAX).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && !fold(name).trim().is_empty();
    good.then(|| name.to_owned()).ok_or(ContactError::GroupName)
}

/// Characters of a name.
pub(super) const NAME_MAX: usize = 64;
