//! What waits for a signature, and what can become of it. Pure: one way out of waiting, once.

use crate::wire::{MessageId, OperatorCode, Timestamp};
use thiserror::Error;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    Waiting {
        /// `None`: for whoever may sign.
        to: Option<OperatorCode>,
        since: Timestamp,
        due: Timestamp,
    },
    /// Its signed form went as this message. `None`: the account's holder signed.
    Signed {
        by: Option<OperatorCode>,
        at: Timestamp,
        message: MessageId,
    },
    Returned {
        by: Option<OperatorCode>,
        at: Timestamp,
        reason: String,
    },
    /// Nobody signed it in time; `at` is the end of that time, whenever it was written down.
    Lapsed {
        at: Timestamp,
    },
    /// No signature is asked for any more: it went as it is.
    Released {
        at: Timestamp,
    },
}

/// What brings it from one state to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    HandOver { to: OperatorCode, due: Timestamp },
    Sign { by: Option<OperatorCode>, message: MessageId },
    Return { by: Option<OperatorCode>, reason: String },
    Lapse,
    Release,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Mistimed {
    #[error("it waits no more")]
    Over,
    #[error("its time has not ended")]
    Early,
}

impl State {
    /// Who signs or returns after the end, before it was written down, was in time: what is signed goes.
    pub fn after(&self, step: Step, now: Timestamp) -> Result<Self, Mistimed> {
        let Self::Waiting { due, .. } = self else { return Err(Mistimed::Over) };
        Ok(match step {
            Step::HandOver { to, due } => Self::Waiting { to: Some(to), since: now, due },
            Step::Sign { by, message } => Self::Signed { by, at: now, message },
            Step::Return { by, reason } => Self::Returned { by, at: now, reason },
            Step::Lapse if *due > now => return Err(Mistimed::Early),
            Step::Lapse => Self::Lapsed { at: *due },
            Step::Release => Self::Released { at: now },
        })
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Signed { .. } => "signed",
            Self::Returned { .. } => "returned",
            Self::Lapsed { .. } => "lapsed",
            Self::Released { .. } => "released",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SINCE: i64 = 1_000_000;
    const DUE: i64 = 2_000_000;

    fn step() -> impl Strategy<Value = Step> {
        let code = (1..=999_i64).prop_map(|n| OperatorCode::of_number(n).unwrap());
        let someone = proptest::option::of(code.clone());
        let message = MessageId::parse("1@hs05.kep.tr").unwrap();
        prop_oneof![
            (code, SINCE..2 * DUE)
                .prop_map(|(to, due)| Step::HandOver { to, due: Timestamp::from_millis(due) }),
            someone.clone().prop_map(move |by| Step::Sign { by, message: message.clone() }),
            (someone, "[a-zşğ ]{1,20}").prop_map(|(by, reason)| Step::Return { by, reason }),
            Just(Step::Lapse),
            Just(Step::Release),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_tried_in_whatever_order_one_thing_becomes_of_it(
            steps in proptest::collection::vec((step(), 0..DUE), 0..20),
        ) {
            let (since, due) = (Timestamp::from_millis(SINCE), Timestamp::from_millis(DUE));
            let mut state = State::Waiting { to: None, since, due };
            let mut now = SINCE;
            let mut ends = 0;
            for (step, later) in steps {
                now += later;
                let at = Timestamp::from_millis(now);
                let before = state.clone();
                let waited = matches!(before, State::Waiting { .. });
                match before.after(step.clone(), at) {
                    Ok(after) => {
                        prop_assert!(waited);
                        if !matches!(after, State::Waiting { .. }) {
                            ends += 1;
                        }
                        if let (State::Waiting { due, .. }, State::Lapsed { at: end }) =
                            (&before, &after)
                        {
                            prop_assert!(due == end && *end <= at);
                        }
                        state = after;
                    }
                    Err(Mistimed::Over) => prop_assert!(!waited),
                    Err(Mistimed::Early) => {
                        prop_assert!(waited && step == Step::Lapse);
                    }
                }
            }
            prop_assert!(ends <= 1);
            prop_assert_eq!(ends == 0, matches!(state, State::Waiting { .. }));
        }
    }
}
