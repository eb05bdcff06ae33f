//! Where "now" comes from: the machine, or a test that moves it.

use crate::wire::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// A clock is handed to whoever needs the time; clones show the same time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// Stands still.
    Fixed(Timestamp),
    /// The machine's time and so many milliseconds; the hand may be turned while it runs.
    Moved(Arc<AtomicI64>),
    /// Stands still at so many milliseconds of Unix time, until it is turned.
    Hand(Arc<AtomicI64>),
}

impl Clock {
    pub fn moved(millis: i64) -> Self {
        Self::Moved(Arc::new(AtomicI64::new(millis)))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system(),
            Self::Fixed(at) => *at,
            Self::Moved(by) => system().plus_millis(by.load(Ordering::Relaxed)),
            Self::Hand(at) => Timestamp::from_millis(at.load(Ordering::Relaxed)),
        }
    }

    /// Turns a clock that has a hand; the others don't let themselves be turned.
    pub fn advance(&self, millis: i64) -> bool {
        match self {
            Self::Moved(by) | Self::Hand(by) => {
                by.fetch_add(millis, Ordering::Relaxed);
                true
            }
            Self::System | Self::Fixed(_) => false,
        }
    }
}

/// The one place that asks the machine for the time.
#[allow(clippy::disallowed_methods)]
fn system() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_moved_clock_move_together() {
        let clock = Clock::moved(0);
        let other = clock.clone();
        assert!(clock.advance(3_600_000));
        assert!(other.now().millis() >= Clock::System.now().millis() + 3_599_000);
        assert!(!Clock::System.advance(1));
    }

    #[test]
    fn a_hand_stands_still_until_it_is_turned() {
        let clock = Clock::Hand(Arc::new(AtomicI64::new(5)));
        assert!(clock.advance(-7));
        assert_eq!(clock.now(), Timestamp::from_millis(-2));
    }
}
