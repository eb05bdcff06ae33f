//! From an approved application to the account: opened, or opened again, with its contract and its first
//! password. The password is judged and hashed before the transaction, which takes a while.

use super::records::{closed, find, hand, keep, locked};
use super::{Application, ApplicationError, Purpose, Step, Wish};
use crate::registry::accounts::{self, NewAccount, RegistryError, SignatureRule};
use crate::registry::audit::{self, By};
use crate::registry::closings::reopen_in;
use crate::registry::contracts::{self, Contract};
use crate::registry::credentials::{CredentialError, Owner, passwords};
use crate::registry::holders::records::{self, NewHolding};
use crate::store::applications::ApplicationRow;
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{AccountId, ApplicationId, Timestamp};
use secrecy::SecretString;
use serde_json::json;

/// What an account begins with.
#[derive(Clone)]
pub struct Beginning {
    /// Argon2id.
    verifier: String,
    /// For who applied for none.
    signature: SignatureRule,
}

/// Opens the account of an approved application, or reopens it, with its contract. `configured` is the
/// provider's rule of signatures where no policy says one.
pub async fn activate(
    store: &Store,
    id: ApplicationId,
    secret: &SecretString,
    configured: SignatureRule,
    by: &By,
) -> Result<(Application, Contract), CredentialError> {
    let (beginning, by) = (begin(store, id, secret, configured, by).await?, by.clone());
    let any = |_: &Application| Ok::<_, RegistryError>(());
    let work = move |tx: &mut Tx<'_>| activate_in(tx, id, &beginning, &by, any);
    Ok(store.write::<_, RegistryError, _>(Lane::Client, work).await?)
}

/// Whether it may be activated now, and the password may be its account's.
pub async fn begin(
    store: &Store,
    id: ApplicationId,
    secret: &SecretString,
    configured: SignatureRule,
    by: &By,
) -> Result<Beginning, CredentialError> {
    let Application { wish, state, .. } = find(store, id).await?;
    let step = Step::Activate { account: AccountId(0) };
    state.after(step, hand(by)?, &[]).map_err(RegistryError::from)?;
    let signature = accounts::new_signature(store, configured, by.at).await?;
    let name = wish.holder.name();
    let verifier = passwords::accept(store, &wish.address, &name, secret, by.at).await?;
    Ok(Beginning { verifier, signature })
}

/// Does it within somebody's transaction; `may` is asked of the application as it was, under its lock.
pub fn activate_in<E: From<RegistryError>>(
    tx: &mut Tx<'_>,
    id: ApplicationId,
    beginning: &Beginning,
    by: &By,
    may: impl FnOnce(&Application) -> Result<(), E>,
) -> Result<(Application, Contract), E> {
    let (mut row, mut application) = locked(tx, id)?;
    may(&application)?;
    let contract = opened(tx, &mut row, &mut application, beginning, by)?;
    Ok((application, contract))
}

fn opened(
    tx: &mut Tx<'_>,
    row: &mut ApplicationRow,
    application: &mut Application,
    beginning: &Beginning,
    by: &By,
) -> Result<Contract, RegistryError> {
    let (hand, Beginning { verifier, signature }) = (hand(by)?, beginning);
    // Whether it may be now, before anything is opened.
    let step = Step::Activate { account: AccountId(0) };
    application.state.after(step, hand.clone(), &[])?;
    let wish = application.wish.clone();
    let (account, contract) = match wish.purpose {
        Purpose::Opening => records::insert(tx, &holding(&wish, verifier, *signature, by.at), by)?,
        Purpose::Reopening => reopened(tx, &wish, verifier, by)?,
    };
    let state = application.state.after(Step::Activate { account }, hand, &[])?;
    keep(tx, row, application, state, by)?;
    let details = json!({ "application": application.id.0, "until": contract.ends_at.iso8601() });
    audit::record(tx, by, "application.activate", wish.address.as_str(), details)?;
    Ok(contract)
}

fn holding(wish: &Wish, password: &str, signature: SignatureRule, at: Timestamp) -> NewHolding {
    let account = NewAccount {
        address: wish.address.clone(),
        name: wish.holder.name(),
        identity_number: None,
        opening: wish.opening,
        signature: wish.signature.unwrap_or(signature),
        password: password.to_owned(),
        certificates: Vec::new(),
        at,
    };
    NewHolding {
        account,
        holder: wish.holder.clone(),
        contact: wish.contact.clone(),
        service: wish.service,
        months: wish.months,
    }
}

fn reopened(
    tx: &mut Tx<'_>,
    wish: &Wish,
    password: &str,
    by: &By,
) -> Result<(AccountId, Contract), RegistryError> {
    let account = closed(tx, &wish.address, &wish.holder, by.at)?;
    let account = account.ok_or_else(|| ApplicationError::Open(wish.address.clone()))?;
    reopen_in(tx, &account, by)?;
    records::bind(tx, account.id, &wish.holder, by)?;
    records::set_service_in(tx, account.id, &account.address, wish.service, by)?;
    // Sessions end, and he is told, as whenever a password is new.
    let put = passwords::put(tx, Owner::holder(account.id), password, None, by);
    put.map_err(|error| match error {
        CredentialError::Registry(error) => error,
        _ => RowsError::Stored("a password").into(),
    })?;
    let of = (account.id, &account.address);
    accounts::set_opening_in(tx, of, wish.opening, by)?;
    // Who applied for no rule keeps the one that he had.
    if let Some(rule) = wish.signature {
        accounts::set_signature_in(tx, of, rule, by)?;
    }
    records::put_contact(tx, account.id, &account.address, &wish.contact, by)?;
    let contract = contracts::begin(tx, account.id, wish.months, by.at)?;
    Ok((account.id, contract))
}
