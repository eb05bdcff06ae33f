//! How many rejection evidences an account gets: a broken program repeats itself all night.

use crate::wire::{AccountId, Timestamp};
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

fn within_hour(then: Timestamp, now: Timestamp) -> bool {
    now.millis() - then.millis() < 3_600_000
}

/// Remembered before the quiet ones are forgotten.
const ACCOUNTS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

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
