//! When it is tried again. Pure: the dice are the caller's.

use crate::wire::{Timestamp, sha256};

/// A mail that was not taken now: after a minute, then twice as long each time, up to half an hour.
/// QUIRK(kep, 2026-11): RFC 5321 waits longer; docs/quirks.md#82
pub fn next_try(attempts: u32, now: Timestamp, dice: u64) -> Timestamp {
    now.plus_millis(spread(doubled(60, attempts, 1_800), dice))
}

/// A server that is not well is asked after fifteen seconds, then twice as long each time, up to ten
/// minutes: one mail is risked, not the whole queue.
pub fn next_probe(failures: u32, now: Timestamp, dice: u64) -> Timestamp {
    now.plus_millis(spread(doubled(15, failures.saturating_sub(1), 600), dice))
}

/// Below [`DICE`]: as even as a digest, and the same for the same mail, time and host.
pub fn dice(host: &str, id: i64, now: Timestamp) -> u64 {
    let [a, b, c, d, ..] = sha256(format!("{host}\n{id}\n{}", now.millis()).as_bytes()).0;
    u64::from(u32::from_be_bytes([a, b, c, d])) % DICE
}

fn doubled(secs: i64, times: u32, most: i64) -> i64 {
    secs.saturating_mul(1 << times.min(16)).min(most)
}

/// A fifth less to a fifth more, in milliseconds: those who failed together don't come back together.
fn spread(secs: i64, dice: u64) -> i64 {
    secs * 10 * (80 + (dice % DICE) as i64)
}

/// How many sides the dice have.
const DICE: u64 = 41;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_fall_otherwise_for_each_mail_time_and_host() {
        let at = Timestamp::from_millis;
        let sides: std::collections::BTreeSet<_> =
            (0..400).map(|n| dice("hs05.kep.tr", n, at(n % 7))).collect();
        assert_eq!(sides, (0..DICE).collect());
        assert_eq!(dice("hs05.kep.tr", 1, at(2)), dice("hs05.kep.tr", 1, at(2)));
        assert!((0..DICE as i64).any(|n| dice("a", n, at(0)) != dice("b", n, at(0))));
    }

    #[test]
    fn pauses_grow_and_are_never_the_same_for_all() {
        let now = Timestamp::from_secs(0);
        let middle = |attempts| next_try(attempts, now, 20).millis() / 1000;
        assert_eq!([0, 1, 2, 5, 40].map(middle), [60, 120, 240, 1_800, 1_800]);
        let probe = |failures| next_probe(failures, now, 20).millis() / 1000;
        assert_eq!([1, 2, 3, 7, u32::MAX].map(probe), [15, 30, 60, 600, 600]);
        let dice = [0, 40, 41].map(|dice| next_try(0, now, dice).millis());
        assert_eq!(dice, [48_000, 72_000, 48_000]);
    }
}
