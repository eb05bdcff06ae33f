//! How many requests a token may make: so many a minute, and for a moment as many as that at once.

use crate::wire::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

pub struct Pace {
    per_minute: u32,
    spent: Mutex<HashMap<String, Spent>>,
}

/// In thousandths of a request.
#[derive(Clone, Copy)]
struct Spent {
    amount: u64,
    at: Timestamp,
}

impl Pace {
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), spent: Mutex::default() }
    }

    /// One more request by `who`; after how many seconds it may come when it is too early.
    pub fn take(&self, who: &str, now: Timestamp) -> Result<(), u64> {
        let most = u64::from(self.per_minute) * 1000;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= REMEMBERED && !spent.contains_key(who) {
            spent.retain(|_, one| one.left(now, self.per_minute) > 0);
            if spent.len() >= REMEMBERED {
                // Who is forgotten begins anew: that costs us less than keeping all.
                spent.clear();
            }
        }
        let left = spent.get(who).map_or(0, |one| one.left(now, self.per_minute));
        if left + 1000 > most {
            let wait = (left + 1000 - most) * 60 / most.max(1);
            return Err(wait.max(1));
        }
        spent.insert(who.to_owned(), Spent { amount: left + 1000, at: now });
        Ok(())
    }
}

impl Spent {
    /// What of it counts still.
    fn left(self, now: Timestamp, per_minute: u32) -> u64 {
        let passed = u64::try_from(now.millis() - self.at.millis()).unwrap_or_default();
        let back = passed.saturating_mul(u64::from(per_minute)) / 60;
        self.amount.saturating_sub(back)
    }
}

/// Callers that are remembered at a time.
const REMEMBERED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_often_is_told_when_to_come_again() {
        let (pace, begin) = (Pace::new(60), Timestamp::from_millis(1_000_000));
        for _ in 0..60 {
            assert_eq!(pace.take("a", begin), Ok(()));
        }
        assert_eq!(pace.take("a", begin), Err(1));
        assert_eq!(pace.take("b", begin), Ok(()));
        assert_eq!(pace.take("a", begin.plus_millis(999)), Err(1));
        assert_eq!(pace.take("a", begin.plus_secs(1)), Ok(()));
        assert_eq!(pace.take("a", begin.plus_secs(1)), Err(1));
        // A clock that goes back gives nothing.
        assert_eq!(pace.take("a", begin), Err(1));
    }

    #[test]
    fn memory_is_bounded_whoever_asks() {
        let (pace, now) = (Pace::new(1), Timestamp::from_millis(0));
        for n in 0..REMEMBERED * 2 {
            let _ = pace.take(&n.to_string(), now);
        }
        assert!(pace.spent.lock().unwrap().len() <= REMEMBERED);
    }
}
