//! Whose password is this? One door for SMTP, IMAP and the portal.

use super::accounts::{self, Account, RegistryError};
use crate::store::Store;
use crate::trust::password::Passwords;
use crate::wire::{KepAddress, KepDomain, Timestamp};
use secrecy::SecretString;

pub struct Logins {
    store: Store,
    passwords: Passwords,
    domain: KepDomain,
}

pub enum Outcome {
    Proven(Account),
    /// Unknown or wrong: the caller does not learn which, nor by how long it took.
    Rejected,
}

impl Logins {
    pub fn new(store: Store, passwords: Passwords, domain: KepDomain) -> Self {
        Self { store, passwords, domain }
    }

    /// `user` is the address; its local part alone means the provider's own domain.
    pub async fn login(
        &self,
        user: &str,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<Outcome, RegistryError> {
        let address = match user.contains('@') {
            true => KepAddress::parse(user),
            false => KepAddress::parse(&format!("{user}@{}", self.domain)),
        };
        let found = match &address {
            Ok(address) => accounts::with_verifier(&self.store, address).await?,
            Err(_) => None,
        };
        let verifier = found.as_ref().map(|(_, verifier)| verifier.as_str());
        let proven = self.passwords.verify(verifier, secret, now).await;
        Ok(match found {
            Some((account, _)) if proven => Outcome::Proven(account),
            _ => Outcome::Rejected,
        })
    }
}
