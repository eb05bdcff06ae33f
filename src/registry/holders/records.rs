//! What is recorded of holders: an account is opened with all of it in one transaction; changes leave the
//! version before them and a line in the audit that names the fields, not what is in them.

pub(in crate::registry) use super::reached::put_contact;
pub use super::reached::{Version, set_contact, versions};

use super::reached::add_contact;
use super::{Contact, Holder, HolderKind, Invoice};
use crate::registry::accounts::{self, Account, NewAccount, RegistryError};
use crate::registry::audit::{self, Actor, By};
use crate::registry::contracts::{self, Contract};
use crate::registry::standing::Service;
use crate::registry::{addresses, directory, policy, staff};
use crate::store::accounts as account_rows;
use crate::store::holders::{self as rows, HolderRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, operators};
use crate::wire::{AccountId, HolderId, KepAddress, KepDomain, Timestamp};
use serde_json::json;

/// What is needed to open an account for a holder who is known. Name and identity number of the account
/// are the holder's, whatever the account says.
#[derive(Clone, Debug)]
pub struct NewHolding {
    pub account: NewAccount,
    pub holder: Holder,
    pub contact: Contact,
    pub service: Service,
    /// Months of the first term; without it as the policy has it.
    pub months: Option<u32>,
}

/// All that is recorded of an account beside its messages.
#[derive(Clone, Debug)]
pub struct Record {
    pub account: Account,
    pub holder: Option<Holder>,
    pub contact: Contact,
    pub invoice: Option<Invoice>,
    /// Whether its e-seal may sign, as far as the policy lets any.
    pub e_seal: bool,
}

/// Whether an account may be opened, or opened again, without an application: before anybody is staff
/// whoever holds the machine may, and from then on the policy says it.
pub(in crate::registry) fn direct(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), RegistryError> {
    match !staff::any_in(tx)? || policy::at(tx, now)?.account_direct {
        true => Ok(()),
        false => Err(RegistryError::ByApplication),
    }
}

/// Opens an account with holder, contact data and contract; the address must be free for this holder.
pub async fn open(
    store: &Store,
    provider: &KepDomain,
    new: NewHolding,
    by: &By,
) -> Result<(AccountId, Contract), RegistryError> {
    let (provider, by) = (provider.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        direct(tx, by.at)?;
        let address = new.account.address.clone();
        addresses::allot(tx, &provider, &address, &new.holder, by.at)?;
        insert(tx, &new, &by)
    };
    store.write(Lane::Client, work).await
}

/// Opens an account of whom a name alone is known: before applications were, and for development.
pub async fn open_unknown(
    store: &Store,
    provider: &KepDomain,
    account: NewAccount,
    contact: Contact,
    service: Service,
    by: &By,
) -> Result<(), RegistryError> {
    let (provider, by) = (provider.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), RegistryError> {
        direct(tx, by.at)?;
        let address = account.address.clone();
        addresses::allot_unknown(tx, &provider, &address)?;
        let id = made(tx, &account)?;
        account_rows::set_service(tx, id, service.word())?;
        if contact != Contact::default() {
            add_contact(tx, id, 1, &contact.form(), &by)?;
        }
        let details = json!({ "service": service.word() });
        audit::record(tx, &by, "account.open", address.as_str(), details)?;
        Ok(())
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, who has the address.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewHolding,
    by: &By,
) -> Result<(AccountId, Contract), RegistryError> {
    let account = NewAccount { at: by.at, ..new.account.clone() };
    let address = account.address.clone();
    let id = made(tx, &account)?;
    let holder = bind(tx, id, &new.holder, by)?;
    account_rows::set_service(tx, id, new.service.word())?;
    if new.contact != Contact::default() {
        add_contact(tx, id, 1, &new.contact.form(), by)?;
    }
    let contract = contracts::begin(tx, id, new.months, by.at)?;
    directory::entry::refresh(tx, id, by.at)?;
    let details = json!({
        "kind": new.holder.kind().word(),
        "holder": holder.0,
        "service": new.service.word(),
        "until": contract.ends_at.iso8601(),
    });
    audit::record(tx, by, "account.open", address.as_str(), details)?;
    Ok((id, contract))
}

pub async fn of(store: &Store, address: &KepAddress) -> Result<Record, RegistryError> {
    let account = accounts::get(store, address).await?;
    Ok(store.read(move |tx: &mut Tx<'_>| record(tx, account.clone())).await?)
}

/// Within somebody's transaction.
pub fn record(tx: &mut Tx<'_>, account: Account) -> Result<Record, RowsError> {
    let holder = account.holder.map(|id| holder(tx, id)).transpose()?;
    let contact = match rows::contact(tx, account.id)? {
        Some(row) => Contact::parse(&read(&row.form)?).map_err(|_| stored())?,
        None => Contact::default(),
    };
    let (invoice, e_seal) = rows::terms(tx, account.id)?;
    let invoice = invoice.map(|form| Invoice::parse(&read(&form)?).map_err(|_| stored()));
    Ok(Record { holder, contact, invoice: invoice.transpose()?, e_seal, account })
}

pub fn holder(tx: &mut Tx<'_>, id: HolderId) -> Result<Holder, RowsError> {
    let row = rows::find(tx, id)?;
    // Whoever was born before a day that was in the past stays born.
    Holder::parse(&read(&row.form)?, FOREVER).map_err(|_| stored())
}

/// All accounts of whose this one is, in the order they were opened.
pub async fn accounts_of(store: &Store, holder: &Holder) -> Result<Vec<Account>, RegistryError> {
    let key = holder.key();
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<Account>, RowsError> {
        let Some(id) = rows::by_identity(tx, &key)? else { return Ok(Vec::new()) };
        let ids = rows::accounts(tx, id)?;
        ids.into_iter().map(|id| accounts::account(&account_rows::by_id(tx, id)?)).collect()
    };
    Ok(store.read(work).await?)
}

/// Records whose an account is, or corrects it: the kind and the number by which he is known stay, so that
/// no account passes to somebody else.
pub async fn set_holder(
    store: &Store,
    address: &KepAddress,
    new: Holder,
    by: &By,
) -> Result<(), RegistryError> {
    let (account, by) = (accounts::get(store, address).await?, by.clone());
    let work = move |tx: &mut Tx<'_>| set_holder_in(tx, &account, &new, &by);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn set_holder_in(
    tx: &mut Tx<'_>,
    account: &Account,
    new: &Holder,
    by: &By,
) -> Result<(), RegistryError> {
    let address = &account.address;
    account_rows::lock(tx, account.id)?;
    let before = accounts::account(&account_rows::by_id(tx, account.id)?)?.holder;
    let before = before.map(|id| holder(tx, id)).transpose()?;
    if before.as_ref().is_some_and(|before| before.key() != new.key()) {
        return Err(RegistryError::NotTheHolder(address.clone()));
    }
    if new.kind() == HolderKind::Person && operators::any(tx, account.id)? {
        return Err(RegistryError::HasOperators(address.clone()));
    }
    if before.is_none() {
        addresses::becomes_known(tx, address, new, by.at)?;
    }
    bind(tx, account.id, new, by)?;
    let details = json!({ "kind": new.kind().word(), "first": before.is_none() });
    audit::record(tx, by, "account.holder", address.as_str(), details)?;
    Ok(())
}

/// In somebody's transaction, under the account's lock.
pub(in crate::registry) fn set_service_in(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    service: Service,
    by: &By,
) -> Result<(), RegistryError> {
    account_rows::set_service(tx, id, service.word())?;
    directory::entry::refresh(tx, id, by.at)?;
    let details = json!({ "service": service.word() });
    audit::record(tx, by, "account.service", address.as_str(), details)?;
    Ok(())
}

/// Invoices of an account; nothing takes them away.
pub async fn set_invoice(
    store: &Store,
    address: &KepAddress,
    invoice: Option<Invoice>,
    by: &By,
) -> Result<(), RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), RegistryError> {
        account_rows::lock(tx, id)?;
        put_invoice(tx, id, &address, invoice.as_ref(), &by)
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn put_invoice(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    invoice: Option<&Invoice>,
    by: &By,
) -> Result<(), RegistryError> {
    let form = invoice.map(|invoice| written(&invoice.form())).transpose()?;
    let (before, e_seal) = rows::terms(tx, id)?;
    if form != before {
        rows::set_terms(tx, id, form.as_deref(), e_seal)?;
        let details = json!({ "given": invoice.is_some() });
        audit::record(tx, by, "account.invoice", address.as_str(), details)?;
    }
    Ok(())
}

/// Whether an institution's e-seal may sign for it; the policy must let any. In somebody's transaction, under
/// the account's lock.
pub(in crate::registry) fn set_e_seal_in(
    tx: &mut Tx<'_>,
    account: &Account,
    permitted: bool,
    by: &By,
) -> Result<(), RegistryError> {
    let address = &account.address;
    let id = account.holder.ok_or_else(|| RegistryError::NoHolder(address.clone()))?;
    if holder(tx, id)?.kind() == HolderKind::Person {
        return Err(RegistryError::NotForPersons);
    }
    if permitted && !policy::at(tx, by.at)?.e_seal_allowed {
        return Err(RegistryError::Forbidden("an e-seal"));
    }
    let (invoice, _) = rows::terms(tx, account.id)?;
    rows::set_terms(tx, account.id, invoice.as_deref(), permitted)?;
    let details = json!({ "permitted": permitted });
    audit::record(tx, by, "account.e_seal", address.as_str(), details)?;
    Ok(())
}

/// The account is this holder's from now on; what the registry knew of him is brought up to date, for all
/// accounts that he has.
pub(in crate::registry) fn bind(
    tx: &mut Tx<'_>,
    account: AccountId,
    new: &Holder,
    by: &By,
) -> Result<HolderId, RegistryError> {
    let row = HolderRow {
        kind: new.kind().word().to_owned(),
        identity: new.key(),
        name: new.name(),
        form: written(&new.form())?,
    };
    let id = rows::put(tx, &row, by.at)?;
    account_rows::set_holder(tx, account, id, &new.name(), new.certificate_number())?;
    directory::entry::refresh(tx, account, by.at)?;
    for other in rows::accounts(tx, id)?.into_iter().filter(|other| *other != account) {
        follow(tx, other, id, new, by)?;
    }
    Ok(id)
}

/// Another account of his bears the name and the number that he has now.
fn follow(
    tx: &mut Tx<'_>,
    other: AccountId,
    id: HolderId,
    new: &Holder,
    by: &By,
) -> Result<(), RegistryError> {
    let before = account_rows::by_id(tx, other)?;
    let (name, number) = (new.name(), new.certificate_number());
    if before.name != name || before.national_id.as_deref() != number {
        account_rows::set_holder(tx, other, id, &name, number)?;
        let details = json!({ "kind": new.kind().word(), "first": false });
        audit::record(tx, by, "account.holder", &before.address, details)?;
    }
    directory::entry::refresh(tx, other, by.at)?;
    Ok(())
}

fn made(tx: &mut Tx<'_>, account: &NewAccount) -> Result<AccountId, RegistryError> {
    accounts::insert(tx, account).map_err(|error| match error {
        StoreError::Exists(_) => RegistryError::Exists(account.address.clone()),
        other => other.into(),
    })
}

/// Whoever did it, in a word.
pub(in crate::registry) fn name(by: &By) -> String {
    match &by.actor {
        Actor::System(part) => format!("system:{part}"),
        Actor::Staff(name) => format!("staff:{name}"),
        Actor::Person { name, .. } => name.clone(),
    }
}

pub(in crate::registry) fn read<T: serde::de::DeserializeOwned>(
    text: &str,
) -> Result<T, RowsError> {
    serde_json::from_str(text).map_err(|_| stored())
}

pub(in crate::registry) fn written<T: serde::Serialize>(value: &T) -> Result<String, RowsError> {
    serde_json::to_string(value).map_err(|_| stored())
}

pub(super) fn stored() -> RowsError {
    RowsError::Stored("what is recorded of a holder")
}

/// Later than any birth.
const FOREVER: Timestamp = Timestamp::from_secs(253_402_200_000);
