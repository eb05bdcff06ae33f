//! What the provider's people set of an account: how it opens, what signature it is asked for, what it may do and
//! hold. What is not named stays; all of it is done, or nothing.

use super::accounts::{self, Account, OpeningMode, RegistryError, SignatureRule};
use super::audit::By;
use super::holders::records;
use super::labels::{self, LabelError};
use super::standing::Service;
use crate::store::{Lane, Store, Tx, accounts as rows};
use crate::wire::KepAddress;

/// What is to be otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    pub opening: Option<OpeningMode>,
    pub signature: Option<SignatureRule>,
    /// Octets; the inner nothing is the limit of its kind of holder, or else the provider's.
    pub storage: Option<Option<u64>>,
    pub service: Option<Service>,
    /// Whether an institution's e-seal may sign.
    pub e_seal: Option<bool>,
    /// Whether labels are mailboxes, too.
    pub label_mailboxes: Option<bool>,
}

pub async fn set(
    store: &Store,
    address: &KepAddress,
    terms: &Terms,
    by: &By,
) -> Result<(), LabelError> {
    let account = accounts::get(store, address).await?;
    let (terms, by) = (terms.clone(), by.clone());
    store.write(Lane::Client, move |tx: &mut Tx<'_>| set_in(tx, &account, &terms, &by)).await
}

/// The same within somebody's transaction.
pub fn set_in(
    tx: &mut Tx<'_>,
    account: &Account,
    terms: &Terms,
    by: &By,
) -> Result<(), LabelError> {
    let Account { id, address, .. } = account;
    rows::lock(tx, *id)?;
    if let Some(on) = terms.label_mailboxes {
        labels::staff::as_mailboxes_in(tx, *id, on, by)?;
    }
    recorded(tx, account, terms, by)?;
    if let Some(service) = terms.service {
        records::set_service_in(tx, *id, address, service, by)?;
    }
    if let Some(permitted) = terms.e_seal {
        records::set_e_seal_in(tx, account, permitted, by)?;
    }
    Ok(())
}

fn recorded(
    tx: &mut Tx<'_>,
    account: &Account,
    terms: &Terms,
    by: &By,
) -> Result<(), RegistryError> {
    let of = (account.id, &account.address);
    if let Some(limit) = terms.storage {
        accounts::set_storage_in(tx, of, limit, by)?;
    }
    if let Some(mode) = terms.opening {
        accounts::set_opening_in(tx, of, mode, by)?;
    }
    if let Some(rule) = terms.signature {
        accounts::set_signature_in(tx, of, rule, by)?;
    }
    Ok(())
}
