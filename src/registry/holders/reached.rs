//! How a holder is reached, in versions: each change is one, with who made it; the audit names the fields, not
//! what is in them.

use super::records::{name, read, stored, written};
use super::{Contact, ContactForm};
use crate::registry::accounts::{self, RegistryError};
use crate::registry::audit::{self, By};
use crate::registry::directory;
use crate::store::accounts as account_rows;
use crate::store::holders::{self as rows, ContactRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{AccountId, KepAddress, Timestamp};
use serde_json::json;

/// A change of the contact data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub contact: ContactForm,
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// How the holder is reached now, and the number of that version: 0 when nothing was ever said.
pub fn contact(tx: &mut Tx<'_>, account: AccountId) -> Result<(Contact, i64), RowsError> {
    match rows::contact(tx, account)? {
        Some(row) => Ok((Contact::parse(&read(&row.form)?).map_err(|_| stored())?, row.n)),
        None => Ok((Contact::default(), 0)),
    }
}

/// What is said takes the place of what was, field by field; an empty text takes a field away.
pub async fn set_contact(
    store: &Store,
    address: &KepAddress,
    said: ContactForm,
    by: &By,
) -> Result<Contact, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Contact, RegistryError> {
        account_rows::lock(tx, id)?;
        change_contact(tx, id, &address, said.clone(), &by)
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn change_contact(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    said: ContactForm,
    by: &By,
) -> Result<Contact, RegistryError> {
    let (before, _) = contact(tx, id)?;
    let contact = Contact::parse(&said.over(before.form()))?;
    put_contact(tx, id, address, &contact, by)?;
    Ok(contact)
}

/// The same, whole.
pub(in crate::registry) fn put_contact(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    contact: &Contact,
    by: &By,
) -> Result<(), RegistryError> {
    let last = rows::contact(tx, id)?;
    let before: ContactForm = match &last {
        Some(row) => read(&row.form)?,
        None => ContactForm::default(),
    };
    let changed = contact.form().differences(&before);
    if !changed.is_empty() {
        let n = last.map_or(1, |row| row.n + 1);
        add_contact(tx, id, n, &contact.form(), by)?;
        directory::entry::refresh(tx, id, by.at)?;
        let details = json!({ "fields": changed, "version": n });
        audit::record(tx, by, "account.contact", address.as_str(), details)?;
    }
    Ok(())
}

/// The versions of an account's contact data, the newest first.
pub async fn versions(store: &Store, address: &KepAddress) -> Result<Vec<Version>, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<Version>, RowsError> {
        let all = rows::contacts(tx, id)?;
        let version = |row: ContactRow| -> Result<Version, RowsError> {
            let ContactRow { form, changed_at, changed_by, .. } = row;
            Ok(Version { contact: read(&form)?, changed_at, changed_by })
        };
        all.into_iter().map(version).collect()
    };
    Ok(store.read(work).await?)
}

pub(super) fn add_contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    n: i64,
    form: &ContactForm,
    by: &By,
) -> Result<(), RowsError> {
    let row = ContactRow { n, form: written(form)?, changed_at: by.at, changed_by: name(by) };
    rows::add_contact(tx, account, &row)
}
