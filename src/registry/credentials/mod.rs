//! What people log in by, beside the passwords of mail programs: passwords, codes that change with
//! time, codes on paper, passkeys. Each is an account's holder's, or one operator's.

pub mod certificates;
mod common;
pub mod passkeys;
pub mod passwords;
mod rules;
mod telling;
pub mod totp;
pub mod tries;

pub use passwords::PasswordFault;
pub use rules::Rules;
pub(super) use telling::{
    changed as tell_changed, has_phone, login_code, reset as send_reset, tells_himself,
};

use super::accounts::RegistryError;
use super::audit::{self, Actor, By};
use crate::store::api_tokens;
use crate::store::credentials::{self as rows, OwnerKey};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts as account_rows};
use crate::trust::TrustError;
use crate::trust::passkey::PasskeyFault;
use crate::trust::vault::VaultError;
use crate::wire::{AccountId, Timestamp};
use serde_json::json;
use std::fmt;
use thiserror::Error;

/// Whose a credential is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Owner {
    pub account: AccountId,
    /// 0: the account's holder.
    pub operator: i64,
}

impl Owner {
    pub const fn holder(account: AccountId) -> Self {
        Self { account, operator: 0 }
    }

    pub(in crate::registry) fn key(self) -> OwnerKey {
        OwnerKey { account: self.account, operator: self.operator }
    }
}

impl From<OwnerKey> for Owner {
    fn from(key: OwnerKey) -> Self {
        Self { account: key.account, operator: key.operator }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.operator)
    }
}

#[derive(Debug, Error)]
pub enum CredentialError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the password {}", .0.english())]
    Password(#[from] PasswordFault),
    #[error("there is a confirmed authenticator app already; remove it first")]
    TotpThere,
    #[error("there is no authenticator app that could be used")]
    NoTotp,
    #[error("the code is wrong, or was used already")]
    Code,
    #[error("{0}")]
    Passkey(#[from] PasskeyFault),
    #[error("this passkey is registered already")]
    PasskeyThere,
    #[error("{0} passkeys are as many as one may have; remove one that is not used")]
    ManyPasskeys(usize),
    #[error("the name of a passkey is one line of 1 to {0} characters")]
    PasskeyName(usize),
    #[error("this was asked too long ago, or was answered already; ask again")]
    Expired,
    #[error("passkeys need the portal's address, with https and a name: opening.portal_url")]
    NoPortal,
    #[error(
        "the certificate is registered for somebody else of the account, or names another person"
    )]
    CertificateOfAnother,
    #[error("{0} certificates are as many as an account may have")]
    ManyCertificates(usize),
    #[error("no telephone is known to which a code could be sent")]
    NoPhone,
    #[error("two factors are asked here: one of them must stay")]
    LastFactor,
    #[error("too many wrong tries; again after {}", .0.turkish())]
    Locked(Timestamp),
}

impl From<StoreError> for CredentialError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<RowsError> for CredentialError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<VaultError> for CredentialError {
    fn from(error: VaultError) -> Self {
        Self::Registry(RegistryError::Trust(error.into()))
    }
}

impl From<TrustError> for CredentialError {
    fn from(error: TrustError) -> Self {
        Self::Registry(error.into())
    }
}

/// Whether two factors are asked of this person: by the provider's policy, or by his own choice.
pub fn asks_two(tx: &mut Tx<'_>, owner: Owner, rules: &Rules) -> Result<bool, RowsError> {
    Ok(rules.two_factors || rows::two_factors(tx, owner.key())?.unwrap_or(false))
}

/// What the person has chosen; the provider's policy may ask for two all the same.
pub async fn chosen_two(store: &Store, owner: Owner) -> Result<bool, CredentialError> {
    let chosen = store.read(move |tx| rows::two_factors(tx, owner.key())).await?;
    Ok(chosen.unwrap_or(false))
}

/// Who asks for two factors must have a second one.
pub async fn choose_two(
    store: &Store,
    owner: Owner,
    two: bool,
    by: &By,
) -> Result<(), CredentialError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if two && !has_second(tx, owner)? {
            return Err(CredentialError::NoTotp);
        }
        rows::set_two_factors(tx, owner.key(), two)?;
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.two-factors", owner, json!({ "asked": two }))
    };
    store.write(Lane::Client, work).await
}

/// A second factor of the person's own: an app, or a passkey.
pub(super) fn has_second(tx: &mut Tx<'_>, owner: Owner) -> Result<bool, RowsError> {
    let app = rows::totp::get(tx, owner.key())?.is_some_and(|row| row.confirmed_at.is_some());
    Ok(app || !rows::passkeys::of(tx, owner.key())?.is_empty())
}

/// A person takes no factor away that is asked of him; staff may, for who has lost it.
fn stays_second(tx: &mut Tx<'_>, owner: Owner, by: &By) -> Result<(), CredentialError> {
    let own = matches!(by.actor, Actor::Person { .. });
    let rules = Rules::at(tx, by.at)?;
    match own && asks_two(tx, owner, &rules)? && !has_second(tx, owner)? {
        true => Err(CredentialError::LastFactor),
        false => Ok(()),
    }
}

/// All that an operator logs in by goes with him, his sessions too.
pub fn forget(tx: &mut Tx<'_>, owner: Owner) -> Result<(), RowsError> {
    api_tokens::remove_of(tx, owner.account, owner.operator)?;
    rows::forget(tx, owner.key())
}

/// An act about somebody's credentials; last in its transaction.
pub(super) fn record(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    owner: Owner,
    mut details: serde_json::Value,
) -> Result<(), CredentialError> {
    let address = account_rows::by_id(tx, owner.account)?.address;
    if owner.operator != 0 {
        details["operator"] = owner.operator.into();
    }
    audit::record(tx, by, act, &address, details)?;
    Ok(())
}
