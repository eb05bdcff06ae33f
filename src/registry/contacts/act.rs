//! What people do with contacts: add, change, take away, each in one transaction with its record.

use super::book::{Contact, lay, note, remains, row_of, stored, unknown, uuid, whole};
use super::fault::ContactError;
use super::fields::Fields;
use super::group;
use crate::registry::audit::By;
use crate::store::contacts as rows;
use crate::store::{Lane, Store, Tx, accounts};
use crate::trust::random;
use crate::wire::AccountId;
use crate::wire::vcard::Card;

/// Adds a contact to the book, and to these groups, which are made where there are none.
pub async fn add(
    store: &Store,
    account: AccountId,
    fields: Fields,
    groups: Vec<String>,
    by: By,
) -> Result<Contact, ContactError> {
    let uid = random::bytes();
    let work = move |tx: &mut Tx<'_>| add_in(tx, account, uid, &fields, &groups, &by);
    store.write(Lane::Client, work).await
}

/// The same in a transaction. Of the octets its UID is made.
pub fn add_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    uid: [u8; 16],
    fields: &Fields,
    groups: &[String],
    by: &By,
) -> Result<Contact, ContactError> {
    fields.judge()?;
    let (uid, mut card) = (uuid(uid), Card::default());
    fields.apply(&mut card);
    accounts::lock(tx, account)?;
    let row = lay(tx, account, &uid, &card, None, by.at)?;
    for name in groups {
        let group = group::make(tx, account, name)?;
        rows::join(tx, row.id, group.id)?;
    }
    let added = whole(tx, &row)?;
    note(tx, account, by, "contact.add", &uid)?;
    Ok(added)
}

/// Changes what a contact says; what its card says beyond these fields stays.
pub async fn put(
    store: &Store,
    account: AccountId,
    which: &str,
    fields: Fields,
    by: By,
) -> Result<Contact, ContactError> {
    change(store, account, which, move |said| said.clone_from(&fields), by).await
}

/// The same of what it says now.
pub async fn change(
    store: &Store,
    account: AccountId,
    which: &str,
    change: impl Fn(&mut Fields) + Send + 'static,
    by: By,
) -> Result<Contact, ContactError> {
    let which = which.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        change_in(tx, account, &which, &by, |_, fields| {
            change(fields);
            Ok(())
        })
    };
    store.write(Lane::Client, work).await
}

/// The same in a transaction. `change` sees the contact as it stands there, and may refuse.
pub fn change_in<E: From<ContactError>>(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &str,
    by: &By,
    change: impl FnOnce(&Contact, &mut Fields) -> Result<(), E>,
) -> Result<Contact, E> {
    let known = held(tx, account, which)?;
    let before = whole(tx, &known)?;
    let mut fields = before.fields();
    change(&before, &mut fields)?;
    let mut lay_in = || -> Result<Contact, ContactError> {
        fields.judge()?;
        let mut card = stored(&known)?;
        fields.apply(&mut card);
        let row = lay(tx, account, &known.uid, &card, Some(&known), by.at)?;
        let changed = whole(tx, &row)?;
        note(tx, account, by, "contact.change", &known.uid)?;
        Ok(changed)
    };
    Ok(lay_in()?)
}

/// Takes a contact away; says what it was.
pub async fn remove(
    store: &Store,
    account: AccountId,
    which: &str,
    by: By,
) -> Result<Contact, ContactError> {
    let which = which.to_owned();
    let work = move |tx: &mut Tx<'_>| remove_in(tx, account, &which, &by, |_| Ok(()));
    store.write(Lane::Client, work).await
}

/// The same in a transaction. `judge` sees the contact as it stands there, and may refuse.
pub fn remove_in<E: From<ContactError>>(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &str,
    by: &By,
    judge: impl FnOnce(&Contact) -> Result<(), E>,
) -> Result<Contact, E> {
    let row = held(tx, account, which)?;
    let gone = remains(tx, &row)?;
    judge(&gone)?;
    let mut take_away = || -> Result<(), ContactError> {
        rows::next_revision(tx, account)?;
        rows::remove(tx, &row)?;
        Ok(note(tx, account, by, "contact.remove", &row.uid)?)
    };
    take_away()?;
    Ok(gone)
}

/// A contact that nobody else changes until the transaction ends.
fn held(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &str,
) -> Result<rows::ContactRow, ContactError> {
    accounts::lock(tx, account)?;
    row_of(tx, account, which)?.ok_or_else(|| unknown(which))
}
