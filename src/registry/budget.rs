//! Memory for messages on their way in, by SMTP or IMAP: bounded for all together, and for each account,
//! so that one can't take the place of all others.

use crate::wire::AccountId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// In octets.
pub struct Budget {
    all: usize,
    one: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_account: HashMap<AccountId, usize>,
}

/// What one message has of it; given back when this is dropped.
pub struct Share {
    budget: Arc<Budget>,
    account: AccountId,
    octets: usize,
}

impl Budget {
    /// Messages that come in at the same time may take this much memory together; what of it one
    /// account may take bounds `accept.max_size`.
    pub const BODIES: usize = 512 << 20;

    pub fn new(all: usize) -> Self {
        Self { all, one: Self::of_one(all), taken: Mutex::default() }
    }

    /// In which one whole message of this size fits always.
    pub fn fitting(all: usize, message: usize) -> Self {
        let (all, one) = (all.max(message), Self::of_one(all).max(message));
        Self { all, one, taken: Mutex::default() }
    }

    /// What one account's messages may take together, and so the most that one message may.
    pub const fn of_one(all: usize) -> usize {
        all / ACCOUNTS
    }

    pub fn open(self: &Arc<Self>, account: AccountId) -> Share {
        Share { budget: Arc::clone(self), account, octets: 0 }
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        let taken = self.taken();
        assert!(taken.all > 0 || taken.by_account.is_empty());
        taken.all
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Holds so many octets instead of what it held; false, and nothing changes, when there is no
    /// room for more.
    pub fn hold(&mut self, octets: usize) -> bool {
        let budget = Arc::clone(&self.budget);
        let mut taken = budget.taken();
        let own = taken.by_account.get(&self.account).copied().unwrap_or_default();
        let all = taken.all.saturating_sub(self.octets).saturating_add(octets);
        let own = own.saturating_sub(self.octets).saturating_add(octets);
        if octets > self.octets && (all > budget.all || own > budget.one) {
            return false;
        }
        taken.all = all;
        match own {
            0 => drop(taken.by_account.remove(&self.account)),
            own => drop(taken.by_account.insert(self.account, own)),
        }
        self.octets = octets;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

/// So many accounts together can take all of it.
const ACCOUNTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<Budget> {
        Arc::new(Budget::new(400))
    }

    #[test]
    fn one_account_leaves_room_for_the_others() {
        let budget = budget();
        let mut shares: Vec<_> = (0..8).map(|_| budget.open(AccountId(1))).collect();
        let got = shares.iter_mut().filter_map(|share| share.hold(30).then_some(())).count();
        assert_eq!(got, 3);
        assert!(budget.open(AccountId(2)).hold(100));
        assert!(!budget.open(AccountId(2)).hold(101));
    }

    #[test]
    fn all_accounts_together_stay_below_the_whole() {
        let budget = budget();
        let mut shares: Vec<_> = (0..5).map(|n| budget.open(AccountId(n))).collect();
        let got = shares.iter_mut().filter_map(|share| share.hold(100).then_some(())).count();
        assert_eq!(got, 4);
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let budget = budget();
        let mut share = budget.open(AccountId(1));
        assert!(share.hold(100));
        assert!(!share.hold(101));
        assert!(share.hold(10));
        assert!(budget.open(AccountId(1)).hold(90));
        drop(share);
        assert!(budget.taken().by_account.is_empty());
        assert_eq!(budget.taken().all, 0);
    }
}
