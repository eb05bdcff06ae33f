//! Operators (işlem yetkilisi): the persons who act for an account beside its holder, each with roles,
//! passwords and certificates of his own, so that it is known who did what.

pub mod deeds;
mod departing;
mod keys;
mod person;
pub mod reading;
mod signer;
mod table;

pub use departing::{end, end_in, resume, resume_in, suspend, suspend_in};
pub(super) use keys::has_ended;
pub use keys::{certificates, give_certificate, give_password, passwords};
pub use person::{Person, PersonFault};
pub use signer::{Signer, e_seal, signer};
pub use table::{Act, Role, Roles, TABLE};

use super::accounts::{self, RegistryError};
use super::audit::{self, By};
use super::directory;
use super::holders::{HolderKind, records};
use crate::store::accounts as account_rows;
use crate::store::operators::{self as rows, OperatorRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::{AccountId, KepAddress, MailAddress, Mobile, OperatorCode, Timestamp, digest};
use serde_json::json;
use thiserror::Error;

/// A person who acts for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub account: AccountId,
    pub code: OperatorCode,
    pub person: Person,
    pub roles: Roles,
    pub added_at: Timestamp,
    pub added_by: String,
    pub standing: Standing,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Active,
    /// For a time he may nothing.
    Suspended {
        at: Timestamp,
        by: Box<str>,
    },
    /// He acts no more; his code and name are kept for what he did.
    Ended {
        at: Timestamp,
        by: Box<str>,
    },
}

/// Whose operators.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    pub account: AccountId,
    pub address: &'a KepAddress,
}

#[derive(Debug, Error)]
pub enum OperatorError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Person(#[from] PersonFault),
    #[error("{0} has no operator {1}")]
    Unknown(KepAddress, OperatorCode),
    #[error("operator {1} of {0} has ended")]
    Ended(KepAddress, OperatorCode),
    #[error("operator {1} of {0} is suspended")]
    Suspended(KepAddress, OperatorCode),
    #[error("operator {1} of {0} is not suspended")]
    NotSuspended(KepAddress, OperatorCode),
    #[error("{0} is a person's account (bireysel): nobody else acts for it")]
    Personal(KepAddress),
    #[error("that person is an operator of {0} already")]
    Exists(KepAddress),
    #[error("{0} has given all its codes")]
    Full(KepAddress),
    #[error("that certificate names another person than operator {0}")]
    OtherPerson(OperatorCode),
    #[error("that certificate is registered for another person")]
    Taken,
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<RowsError> for OperatorError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

impl Operator {
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.standing, Standing::Ended { .. })
    }

    pub fn may(&self, act: Act) -> bool {
        self.is_active() && self.roles.may(act)
    }

    /// Another text whenever something about him became different.
    pub fn version(&self) -> String {
        let person = &self.person;
        let standing = match &self.standing {
            Standing::Active => String::new(),
            Standing::Suspended { at, .. } => format!("suspended {}", at.millis()),
            Standing::Ended { at, .. } => format!("ended {}", at.millis()),
        };
        let title = person.title.as_deref().unwrap_or_default();
        let text = format!("{}\n{title}\n{standing}", self.roles.words());
        digest::sha256(text.as_bytes()).hex()
    }

    /// As audit, evidence and logs name him.
    pub fn label(&self) -> String {
        format!("{} {}", self.code, self.person.name())
    }
}

pub async fn add(
    store: &Store,
    by: &By,
    address: &KepAddress,
    person: Person,
    roles: Roles,
) -> Result<Operator, OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, account)?;
        add_in(tx, &by, &Of { account, address: &address }, person.clone(), roles)
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn add_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    person: Person,
    roles: Roles,
) -> Result<Operator, OperatorError> {
    let (account, address) = (of.account, of.address);
    institutional(tx, account, address)?;
    let next = rows::last_code(tx, account)? + 1;
    let full = || OperatorError::Full(address.clone());
    let code = OperatorCode::of_number(next).ok_or_else(full)?;
    let new = Operator {
        account,
        code,
        person,
        roles,
        added_at: by.at,
        added_by: by.actor.to_string(),
        standing: Standing::Active,
    };
    if !rows::add(tx, &row(&new))? {
        return Err(OperatorError::Exists(address.clone()));
    }
    record(tx, by, "operator.add", address, &new, json!({ "roles": roles.words() }))?;
    directory::entry::refresh(tx, account, by.at)?;
    Ok(new)
}

/// Those of an account, by their codes; those that have ended too.
pub async fn list(store: &Store, address: &KepAddress) -> Result<Vec<Operator>, OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let found = store.read(move |tx| rows::of_account(tx, account)).await?;
    Ok(found.into_iter().map(operator).collect::<Result<_, _>>()?)
}

/// The operator that must be there.
pub async fn get(
    store: &Store,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<Operator, OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let found = store.read(move |tx: &mut Tx<'_>| find(tx, account, code)).await?;
    found.ok_or_else(|| OperatorError::Unknown(address.clone(), code))
}

pub async fn set_roles(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
    roles: Roles,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        set_roles_in(tx, &by, &Of { account, address: &address }, code, roles)
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn set_roles_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    code: OperatorCode,
    roles: Roles,
) -> Result<(), OperatorError> {
    let one = present(tx, of.account, of.address, code)?;
    rows::set_roles(tx, of.account, code.number(), &roles.words())?;
    let details = json!({ "roles": roles.words(), "before": one.roles.words() });
    Ok(record(tx, by, "operator.roles", of.address, &one, details)?)
}

/// What he is in the company or public body; empty: nothing.
pub async fn set_title(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
    title: &str,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address, title) = (by.clone(), address.clone(), title.to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        set_title_in(tx, &by, &Of { account, address: &address }, code, &title)
    };
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn set_title_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    code: OperatorCode,
    title: &str,
) -> Result<(), OperatorError> {
    let title = person::titled(title)?.unwrap_or_default();
    let one = present(tx, of.account, of.address, code)?;
    rows::set_title(tx, of.account, code.number(), &title)?;
    directory::entry::refresh(tx, of.account, by.at)?;
    let details = json!({ "title": title, "before": one.person.title });
    Ok(record(tx, by, "operator.title", of.address, &one, details)?)
}

/// Those of an account behind a code, by their codes; those that have ended too.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: i64,
    most: usize,
) -> Result<Vec<Operator>, RowsError> {
    let found = rows::of_account(tx, account)?.into_iter();
    found.filter(|row| row.code > after).take(most).map(operator).collect()
}

/// A person acts for himself; who is not known may be an institution.
fn institutional(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
) -> Result<(), OperatorError> {
    let known = accounts::account(&account_rows::by_id(tx, account)?)?.holder;
    let holder = known.map(|id| records::holder(tx, id)).transpose()?;
    match holder.is_some_and(|holder| holder.kind() == HolderKind::Person) {
        true => Err(OperatorError::Personal(address.clone())),
        false => Ok(()),
    }
}

pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: OperatorCode,
) -> Result<Option<Operator>, RowsError> {
    rows::find(tx, account, code.number())?.map(operator).transpose()
}

/// The operator of that code who acts now, if it is one.
pub fn acting(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: OperatorCode,
) -> Result<Option<Operator>, RowsError> {
    Ok(find(tx, account, code)?.filter(Operator::is_active))
}

/// Whether somebody may do that for an account now: its holder, or an operator by his roles.
pub fn may(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: Option<OperatorCode>,
    act: Act,
) -> Result<bool, RowsError> {
    match code {
        None => Ok(true),
        Some(code) => Ok(find(tx, account, code)?.is_some_and(|one| one.may(act))),
    }
}

pub(super) fn active(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<Operator, OperatorError> {
    let one = present(tx, account, address, code)?;
    match one.standing {
        Standing::Active => Ok(one),
        _ => Err(OperatorError::Suspended(address.clone(), code)),
    }
}

/// Who is an operator now, be he suspended.
fn present(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<Operator, OperatorError> {
    match find(tx, account, code)? {
        None => Err(OperatorError::Unknown(address.clone(), code)),
        Some(one) if one.has_ended() => Err(OperatorError::Ended(address.clone(), code)),
        Some(one) => Ok(one),
    }
}

/// What is done about an operator: never his identity number, nor where he is reached.
fn record(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    address: &KepAddress,
    about: &Operator,
    mut details: serde_json::Value,
) -> Result<(), RowsError> {
    details["operator"] = about.label().into();
    audit::record(tx, by, act, address.as_str(), details)?;
    Ok(())
}

fn row(one: &Operator) -> OperatorRow {
    OperatorRow {
        account: one.account,
        code: one.code.number(),
        given_name: one.person.given_name.clone(),
        surname: one.person.surname.clone(),
        title: one.person.title.clone().unwrap_or_default(),
        identity_number: one.person.identity_number.clone(),
        phone: one.person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        email: one.person.email.as_ref().map(|email| email.as_str().to_owned()),
        roles: one.roles.words(),
        added_at: one.added_at,
        added_by: one.added_by.clone(),
        ended: match &one.standing {
            Standing::Ended { at, by } => Some((*at, by.to_string())),
            _ => None,
        },
        suspended: match &one.standing {
            Standing::Suspended { at, by } => Some((*at, by.to_string())),
            _ => None,
        },
    }
}

fn operator(row: OperatorRow) -> Result<Operator, RowsError> {
    let phone = row.phone.as_deref().map(Mobile::parse).transpose();
    let email = row.email.as_deref().map(MailAddress::parse).transpose();
    Ok(Operator {
        account: row.account,
        code: OperatorCode::of_number(row.code).ok_or(RowsError::Stored("an operator's code"))?,
        person: Person {
            given_name: row.given_name,
            surname: row.surname,
            title: Some(row.title).filter(|title| !title.is_empty()),
            identity_number: row.identity_number,
            phone: phone.map_err(|_| RowsError::Stored("a phone number"))?,
            email: email.map_err(|_| RowsError::Stored("an e-mail address"))?,
        },
        roles: Roles::parse(&row.roles).ok_or(RowsError::Stored("an operator's roles"))?,
        added_at: row.added_at,
        added_by: row.added_by,
        standing: match (row.ended, row.suspended) {
            (Some((at, by)), _) => Standing::Ended { at, by: by.into() },
            (None, Some((at, by))) => Standing::Suspended { at, by: by.into() },
            (None, None) => Standing::Active,
        },
    })
}

#[cfg(test)]
mod tests;
