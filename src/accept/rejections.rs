//! How many rejection evidences an account gets: a broken program repeats itself all night.

use super::ask::Envelope;
use super::refusal::Refusal;
use crate::wire::{AccountId, Digest, Timestamp, sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

pub struct Rejections {
    per_hour: usize,
    given: Mutex<HashMap<AccountId, VecDeque<Timestamp>>>,
}

impl Rejections {
    pub fn new(per_hour: usize) -> Self {
        Self { per_hour, given: Mutex::default() }
    }

    /// Whether one more is given now; if so, it counts.
    pub fn allow(&self, account: AccountId, now: Timestamp) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() > ACCOUNTS {
            given.retain(|_, times| times.back().is_some_and(|last| within_hour(*last, now)));
        }
        let times = given.entry(account).or_default();
        while times.front().is_some_and(|first| !within_hour(*first, now)) {
            times.pop_front();
        }
        let allowed = times.len() < self.per_hour;
        if allowed {
            times.push_back(now);
        }
        allowed
    }
}

/// The same mail to the same recipients, refused again for the same reason on the same day (UTC), is
/// the same rejection.
pub fn identifier(
    envelope: &Envelope,
    digest: Digest,
    refusal: &Refusal,
    now: Timestamp,
) -> [u8; 16] {
    let mut to: Vec<_> = envelope.recipients.iter().map(|r| r.address.as_str()).collect();
    to.sort_unstable();
    let day = now.secs().div_euclid(86_400);
    let (from, why) = (&envelope.from.address, refusal.name());
    let named = format!("{from}\n{}\n{why}\n{day}\n{}", digest.hex(), to.join("\n"));
    let Digest(whole) = sha256(named.as_bytes());
    let mut identifier = [0; 16];
    identifier.copy_from_slice(&whole[..16]);
    identifier
}

fn within_hour(then: Timestamp, now: Timestamp) -> bool {
    now.millis() - then.millis() < 3_600_000
}

/// Remembered before the quiet ones are forgotten.
const ACCOUNTS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::ask::{Login, Recipient, Route};
    use crate::wire::KepAddress;
    use crate::wire::smtp::{Body, Notify};

    fn envelope(to: &[&str]) -> Envelope {
        let address = |text: &str| KepAddress::parse(text).unwrap();
        let login = Login {
            account: AccountId(1),
            address: address("ali@hs05.kep.tr"),
            operator: None,
            at: Timestamp::from_secs(0),
            channel: crate::registry::audit::Channel::Smtp,
        };
        let recipient = |to: &&str| Recipient {
            address: address(to),
            route: Route::Local,
            notify: Notify::Unsaid,
            orcpt: None,
        };
        Envelope {
            from: login,
            recipients: to.iter().map(recipient).collect(),
            body: Body::SevenBit,
            smtputf8: false,
            requiretls: false,
            announced_size: None,
            ret: None,
            envid: None,
        }
    }

    #[test]
    fn another_mail_recipient_reason_or_day_is_another_rejection() {
        let (veli, can) = ("veli@hs05.kep.tr", "can@hs05.kep.tr");
        let (one, other, at) = (sha256(b"1"), sha256(b"2"), Timestamp::from_secs);
        let id =
            |to: &[&str], digest, refusal, now| identifier(&envelope(to), digest, &refusal, now);
        let first = id(&[veli, can], one, Refusal::NulOctet, at(0));
        assert_eq!(id(&[can, veli], one, Refusal::NulOctet, at(86_399)), first);
        let others = [
            id(&[veli, can], other, Refusal::NulOctet, at(0)),
            id(&[veli], one, Refusal::NulOctet, at(0)),
            id(&[veli, can], one, Refusal::BareLineEnd, at(0)),
            id(&[veli, can], one, Refusal::NulOctet, at(86_400)),
        ];
        assert!(!others.contains(&first));
    }

    #[test]
    fn an_account_gets_so_many_rejections_an_hour() {
        let rejections = Rejections::new(2);
        let (one, other) = (AccountId(1), AccountId(2));
        let at = |secs| Timestamp::from_secs(secs);
        assert!(rejections.allow(one, at(0)));
        assert!(rejections.allow(one, at(10)));
        assert!(!rejections.allow(one, at(20)));
        assert!(rejections.allow(other, at(20)));
        assert!(rejections.allow(one, at(3600)));
        assert!(!rejections.allow(one, at(3601)));
    }
}
