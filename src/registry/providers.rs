//! The provider itself, and the other providers of the circuit.

use super::RegistryError;
use crate::store::accounts::{self as rows, ProviderRow};
use crate::store::{Lane, Store};
use crate::wire::{AccountId, KepAddress, KepDomain};

/// Who we are: evidence and mails name us so.
#[derive(Clone, Debug)]
pub struct Provider {
    pub domain: KepDomain,
    pub name: String,
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub locality: String,
    pub country: String,
    pub policy_uris: Vec<String>,
    pub portal_url: Option<String>,
    pub texts: super::Texts,
}

/// What an address is to us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Local(AccountId),
    LocalClosed,
    LocalUnknown,
    /// Another provider in force.
    Provider,
    ProviderEnded,
    ProviderUnknown,
}

impl Provider {
    /// The address that all our mails come from; the seal certificate names it.
    pub fn service_address(&self) -> String {
        format!("kepservisi@{}", self.domain)
    }

    pub fn is_ours(&self, domain: &KepDomain) -> bool {
        domain.provider() == self.domain.provider()
    }

    /// Where mail for an address goes.
    pub async fn standing(
        &self,
        store: &Store,
        address: &KepAddress,
    ) -> Result<Standing, RegistryError> {
        if self.is_ours(&address.domain()) {
            return Ok(match super::accounts::find(store, address).await? {
                None => Standing::LocalUnknown,
                Some(account) if account.state == super::AccountState::Active => {
                    Standing::Local(account.id)
                }
                Some(_) => Standing::LocalClosed,
            });
        }
        let domain = address.domain().provider().to_string();
        let row = store.look_up(move |tx| rows::provider(tx, &domain)).await?;
        Ok(match row {
            None => Standing::ProviderUnknown,
            Some(row) if row.state == "active" => Standing::Provider,
            Some(_) => Standing::ProviderEnded,
        })
    }
}

pub async fn put(store: &Store, row: ProviderRow) -> Result<(), RegistryError> {
    Ok(store.write(Lane::Client, move |tx| rows::put_provider(tx, &row)).await?)
}

pub async fn remove(store: &Store, domain: &KepDomain) -> Result<bool, RegistryError> {
    let domain = domain.to_string();
    Ok(store.write(Lane::Client, move |tx| rows::remove_provider(tx, &domain)).await?)
}

pub async fn list(store: &Store) -> Result<Vec<ProviderRow>, RegistryError> {
    Ok(store.read(rows::providers).await?)
}

pub async fn find(store: &Store, domain: &KepDomain) -> Result<Option<ProviderRow>, RegistryError> {
    let domain = domain.to_string();
    Ok(store.read(move |tx| rows::provider(tx, &domain)).await?)
}
