//! The way of a login, pure: what was shown so far, and what that comes to. The table of it:
//!
//! | state | shown | then |
//! |---|---|---|
//! | begin | passkey, signature | in |
//! | begin | password, certificate in TLS | in; a second factor, where two are asked |
//! | begin | anything else, or wrong | over |
//! | second | any factor but those two | in |
//! | second | wrong, or one of those two | second with a try less; over with the last |
//! | second | anything after its end | over |
//! | in, over | anything | the same |

use crate::registry::sessions::Factor;
use crate::wire::Timestamp;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    Begin,
    Second(Pending),
    /// By these factors.
    In(Vec<Factor>),
    Over(Over),
}

/// A second factor is awaited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    pub shown: Vec<Factor>,
    /// Tries.
    pub left: u8,
    pub ends_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    Wrong,
    Expired,
    /// So many tries were wrong.
    Exhausted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    Right(Factor),
    Wrong,
}

impl State {
    /// `two`: whether two factors are asked of this person.
    pub fn next(self, event: Event, two: bool, now: Timestamp) -> Self {
        match (self, event) {
            (Self::Begin, Event::Right(factor)) => first(factor, two, now),
            (Self::Begin, Event::Wrong) => Self::Over(Over::Wrong),
            (Self::Second(pending), _) if now >= pending.ends_at => Self::Over(Over::Expired),
            (Self::Second(mut pending), Event::Right(factor)) if factor.is_second() => {
                pending.shown.push(factor);
                Self::In(pending.shown)
            }
            (Self::Second(pending), _) => pending.one_less(),
            (done @ (Self::In(_) | Self::Over(_)), _) => done,
        }
    }
}

fn first(factor: Factor, two: bool, now: Timestamp) -> State {
    match factor {
        factor if factor.is_whole() => State::In(vec![factor]),
        Factor::Password | Factor::Certificate if two => State::Second(Pending {
            shown: vec![factor],
            left: TRIES,
            ends_at: now.plus_secs(SECOND_SECS),
        }),
        Factor::Password | Factor::Certificate => State::In(vec![factor]),
        // A code alone proves a thing, and nobody.
        _ => State::Over(Over::Wrong),
    }
}

impl Pending {
    fn one_less(mut self) -> State {
        self.left = self.left.saturating_sub(1);
        match self.left {
            0 => State::Over(Over::Exhausted),
            _ => State::Second(self),
        }
    }
}

/// Wrong second factors before the first one is asked again.
pub const TRIES: u8 = 5;
/// A telephone is found within five minutes.
pub const SECOND_SECS: i64 = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn event() -> impl Strategy<Value = Event> {
        let right = prop::sample::select(Factor::ALL.to_vec()).prop_map(Event::Right);
        prop_oneof![right, Just(Event::Wrong)]
    }

    #[test]
    fn each_first_factor_leads_where_the_table_says() {
        for factor in Factor::ALL {
            for two in [false, true] {
                let next = State::Begin.next(Event::Right(factor), two, NOW);
                match factor {
                    Factor::Passkey | Factor::Signature => {
                        assert_eq!(next, State::In(vec![factor]))
                    }
                    Factor::Password | Factor::Certificate if !two => {
                        assert_eq!(next, State::In(vec![factor]))
                    }
                    Factor::Password | Factor::Certificate => {
                        assert!(matches!(next, State::Second(_)))
                    }
                    _ => assert_eq!(next, State::Over(Over::Wrong)),
                }
            }
        }
    }

    proptest! {
        /// Nobody is in but by what the table asks, in time, and after no more wrong tries than it bears.
        #[test]
        fn nobody_gets_in_by_less_than_is_asked(
            two: bool, events in prop::collection::vec((event(), 0_i64..120), 1..20),
        ) {
            let (mut state, mut now, mut asked) = (State::Begin, NOW, None);
            let mut wrong = 0;
            for (event, pause) in events {
                now = now.plus_secs(pause);
                let before = state.clone();
                state = state.next(event, two, now);
                if let (State::Second(_), State::Second(_)) | (State::Second(_), State::Over(_)) =
                    (&before, &state)
                {
                    wrong += 1;
                }
                if let (State::Begin, State::Second(_)) = (&before, &state) {
                    asked = Some(now);
                }
                match &state {
                    State::In(shown) => {
                        let whole = shown.len() == 1 && shown[0].is_whole();
                        let first = |factor| matches!(factor, Factor::Password | Factor::Certificate);
                        let alone = !two && shown.len() == 1 && first(shown[0]);
                        let both = shown.len() == 2 && first(shown[0]) && shown[1].is_second();
                        prop_assert!(whole || alone || both, "{shown:?}");
                        if both && before != state {
                            let asked = asked.unwrap();
                            prop_assert!(now.secs() - asked.secs() < SECOND_SECS);
                        }
                    }
                    State::Second(pending) => prop_assert!(two && pending.left >= 1),
                    State::Begin => prop_assert!(false, "nothing leads back"),
                    State::Over(_) => {}
                }
                prop_assert!(wrong <= i32::from(TRIES));
                if matches!(before, State::In(_) | State::Over(_)) {
                    prop_assert_eq!(&before, &state);
                }
            }
        }
    }
}
