//! The provider itself, and what an address is to it.

use super::RegistryError;
use super::peers::{Peer, PeerState};
use super::standing::{Act, is_allowed};
use crate::store::Store;
use crate::wire::{AccountId, KepAddress, KepDomain, Timestamp};

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
    /// Another provider in force; the largest dispatch that it takes, in octets.
    Provider {
        size_limit: Option<u64>,
    },
    /// For a time it neither gets nor sends anything.
    ProviderSuspended,
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
        now: Timestamp,
    ) -> Result<Standing, RegistryError> {
        if self.is_ours(&address.domain()) {
            let Some(account) = super::accounts::find(store, address).await? else {
                return Ok(Standing::LocalUnknown);
            };
            let receives = is_allowed(store, &account.standing(), Act::Receive, now).await?;
            return Ok(match receives {
                true => Standing::Local(account.id),
                false => Standing::LocalClosed,
            });
        }
        let domain = address.domain().provider();
        let peer = store.look_up(move |tx| Peer::find(tx, &domain)).await?;
        Ok(match peer {
            None => Standing::ProviderUnknown,
            Some(peer) => match peer.state {
                PeerState::Active => Standing::Provider { size_limit: peer.size_limit },
                PeerState::Suspended { .. } => Standing::ProviderSuspended,
                PeerState::Closed { .. } => Standing::ProviderEnded,
            },
        })
    }
}
