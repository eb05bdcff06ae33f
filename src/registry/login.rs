//! Whose password is this? One door for SMTP, IMAP and the portal.

use super::accounts::{self, Account, RegistryError};
use super::crowd;
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

/// How long a client waits for the answer to a wrong password: longer with each one from its network
/// or for the same name, by whatever protocol, and soon forgotten. A right one never waits.
pub struct Pauses {
    first: Duration,
    failures: Mutex<HashMap<Who, (u32, Timestamp)>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Who {
    Network(IpAddr),
    /// The name's local part: who guesses doesn't choose his domain for nothing.
    Name(String),
}

impl Pauses {
    pub fn new(first: Duration) -> Self {
        Self { first, failures: Mutex::default() }
    }

    /// One more failure from this address, for this name: the pause before its answer.
    pub fn after_failure(&self, from: IpAddr, name: &str, now: Timestamp) -> Duration {
        let local = name.split('@').next().unwrap_or_default();
        let local = local.chars().take(NAME).collect::<String>().to_lowercase();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = self.count(&mut failures, Who::Network(crowd::network(from)), now);
        of_network.max(self.count(&mut failures, Who::Name(local), now))
    }

    /// The right password: its network starts anew. The name does not, lest its owner's logins help
    /// whoever guesses.
    pub fn after_success(&self, from: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Who::Network(crowd::network(from)));
    }

    fn count(&self, failures: &mut Failures, who: Who, now: Timestamp) -> Duration {
        if failures.len() >= REMEMBERED && !failures.contains_key(&who) {
            forget(failures, now);
        }
        let (count, last) = failures.entry(who).or_insert((0, now));
        if !is_recent(*last, now) {
            *count = 0;
        }
        let pause = self.first.saturating_mul(1_u32.checked_shl(*count).unwrap_or(u32::MAX));
        (*count, *last) = (count.saturating_add(1), now);
        pause.min(LONGEST)
    }
}

type Failures = HashMap<Who, (u32, Timestamp)>;

/// Makes room: the old ones go; when none is old, the older half.
fn forget(failures: &mut Failures, now: Timestamp) {
    failures.retain(|_, (_, last)| is_recent(*last, now));
    if failures.len() >= REMEMBERED {
        let mut times: Vec<_> = failures.values().map(|(_, last)| *last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        failures.retain(|_, (_, last)| *last > median);
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
/// Networks and names remembered before the old ones are forgotten.
const REMEMBERED: usize = 10_000;
/// RFC 5321 §4.5.3.1.1: characters of a local part.
const NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(pauses: &Pauses, from: &str, name: &str, now: i64) -> u64 {
        pauses.after_failure(from.parse().unwrap(), name, Timestamp::from_secs(now)).as_secs()
    }

    #[test]
    fn pauses_double_and_are_forgotten() {
        let pauses = Pauses::new(Duration::from_secs(2));
        let (one, other) = ("192.0.2.1", "192.0.2.2");
        let mut names = (0..).map(|n| format!("user{n}"));
        let mut fresh = |from, now| secs(&pauses, from, &names.next().unwrap(), now);
        assert_eq!([fresh(one, 0), fresh(one, 1), fresh(one, 2)], [2, 4, 8]);
        assert_eq!(fresh(other, 2), 2);
        assert_eq!((3..40).map(|now| fresh(one, now)).max(), Some(60));
        assert_eq!(fresh(one, 5_000), 2);
        pauses.after_success(other.parse().unwrap());
        assert_eq!(fresh(other, 5_000), 2);
    }

    #[test]
    fn a_network_of_ipv6_and_a_name_tried_from_everywhere_wait_too() {
        let pauses = Pauses::new(Duration::from_secs(1));
        assert_eq!(secs(&pauses, "2001:db8::1", "a", 0), 1);
        assert_eq!(secs(&pauses, "2001:db8::2", "b", 0), 2);
        assert_eq!(secs(&pauses, "::ffff:192.0.2.1", "ali", 0), 1);
        assert_eq!(secs(&pauses, "192.0.2.9", "Ali@hs05.kep.tr", 0), 2);
        pauses.after_success("192.0.2.9".parse().unwrap());
        assert_eq!(secs(&pauses, "192.0.2.10", "ali", 0), 4);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let pauses = Pauses::new(Duration::from_secs(1));
        for n in 0..3 * REMEMBERED as i64 {
            secs(&pauses, "192.0.2.1", &n.to_string(), n / 100);
            assert!(pauses.failures.lock().unwrap().len() <= REMEMBERED);
        }
        assert_eq!(secs(&pauses, "192.0.2.1", "x", 300), 60, "the busiest is not forgotten");
    }
}
