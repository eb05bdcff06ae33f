//! Whose password is this? One door for SMTP, IMAP and the portal.

use super::accounts::{self, Account, RegistryError};
use crate::store::Store;
use crate::trust::password::Passwords;
use crate::wire::{KepAddress, KepDomain, Timestamp};
use secrecy::SecretString;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub struct Logins {
    store: Store,
    passwords: Passwords,
    domain: KepDomain,
}

/// How long a client waits for the answer to a wrong password: longer with each one from its
/// address, and soon forgotten.
pub struct Pauses {
    first: Duration,
    failures: Mutex<HashMap<IpAddr, (u32, Timestamp)>>,
}

impl Pauses {
    pub fn new(first: Duration) -> Self {
        Self { first, failures: Mutex::default() }
    }

    /// One more failure from this address: the pause before its answer.
    pub fn after_failure(&self, from: IpAddr, now: Timestamp) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() > ADDRESSES {
            failures.retain(|_, (_, last)| is_recent(*last, now));
        }
        let (count, last) = failures.entry(from).or_insert((0, now));
        if !is_recent(*last, now) {
            *count = 0;
        }
        let pause = self.first.saturating_mul(1_u32.checked_shl(*count).unwrap_or(u32::MAX));
        (*count, *last) = (count.saturating_add(1), now);
        pause.min(LONGEST)
    }

    /// The right password: its address starts anew.
    pub fn after_success(&self, from: IpAddr) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&from);
    }
}

fn is_recent(last: Timestamp, now: Timestamp) -> bool {
    now.millis() - last.millis() < FORGOTTEN_SECS * 1000
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

/// A person who mistypes waits no longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Failures older than this don't count.
const FORGOTTEN_SECS: i64 = 900;
/// Addresses remembered before the old ones are forgotten.
const ADDRESSES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_forgotten() {
        let pauses = Pauses::new(Duration::from_secs(2));
        let (one, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let at = Timestamp::from_secs;
        let secs = |from, now| pauses.after_failure(from, at(now)).as_secs();
        assert_eq!([secs(one, 0), secs(one, 1), secs(one, 2)], [2, 4, 8]);
        assert_eq!(secs(other, 2), 2);
        assert_eq!((3..40).map(|now| secs(one, now)).max(), Some(60));
        assert_eq!(secs(one, 5_000), 2);
        pauses.after_success(other);
        assert_eq!(secs(other, 5_000), 2);
    }
}
