//! What an answer means for what was to be said. Pure.

use crate::registry::outbox::Kind;
use crate::registry::outbox::trouble::GIVEN_UP;
use crate::wire::Timestamp;

/// What became of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Taken; the names under which receipts come, if any.
    Taken(Vec<String>),
    /// Not now. Whether it was taken all the same may be unknown.
    Later(String),
    /// Not this, not there, never.
    Never(String),
}

/// What is to be done then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    Sent(Vec<String>),
    Again { at: Timestamp, why: String },
    Failed(String),
}

/// `attempts` counts this one, too; what would be tried after `expires` is given up.
pub fn next(said: Said, kind: Kind, attempts: u32, expires: Timestamp, now: Timestamp) -> Next {
    match said {
        Said::Taken(references) => Next::Sent(references),
        Said::Never(why) => Next::Failed(bounded(why)),
        Said::Later(why) => {
            let at = now.plus_secs(pause(kind, attempts));
            match at < expires {
                true => Next::Again { at, why: bounded(why) },
                false => Next::Failed(bounded(format!("{GIVEN_UP} {attempts} attempts: {why}"))),
            }
        }
    }
}

/// Seconds: doubled each time, to half an hour; from five for who waits for it at a screen.
fn pause(kind: Kind, attempts: u32) -> i64 {
    let (first, longest) = if kind.is_asked_for() { (5, 60) } else { (20, 1800) };
    let doubled = 1_i64.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(i64::MAX);
    doubled.saturating_mul(first).min(longest)
}

/// What others say is kept in one line of a bounded length.
pub fn bounded(why: String) -> String {
    why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect()
}

const MOST: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_424_000);

    #[test]
    fn it_is_tried_less_and_less_often_until_its_time_has_passed() {
        let again = |kind, attempts, left| {
            let end = NOW.plus_secs(left);
            match next(Said::Later("busy\r\n".into()), kind, attempts, end, NOW) {
                Next::Again { at, why } => {
                    assert_eq!(why, "busy  ");
                    Some((at.millis() - NOW.millis()) / 1000)
                }
                Next::Failed(why) => {
                    assert!(why.starts_with("given up after"), "{why}");
                    None
                }
                Next::Sent(_) => panic!("it was not"),
            }
        };
        let pauses = [1, 2, 3, 7, 8, 40, u32::MAX].map(|n| again(Kind::Mail, n, 86_400));
        assert_eq!(pauses.map(Option::unwrap), [20, 40, 80, 1280, 1800, 1800, 1800]);
        assert_eq!(again(Kind::LoginCode, 1, 600), Some(5));
        assert_eq!(again(Kind::Mail, 8, 1800), None);
    }

    #[test]
    fn what_is_for_good_is_not_tried_again() {
        let end = NOW.plus_secs(60);
        let never = next(Said::Never("x".repeat(1000)), Kind::Mail, 1, end, NOW);
        assert_eq!(never, Next::Failed("x".repeat(MOST)));
        let taken = next(Said::Taken(vec!["1".into()]), Kind::Mail, 1, NOW, NOW);
        assert_eq!(taken, Next::Sent(vec!["1".into()]), "late, but said");
    }
}
