//! What the sender's copy in `Giden Kutusu` shows of how far a message came, as keywords that only
//! the server sets. With several recipients (docs/evidence.md):
//!
//! | keyword | set when |
//! |---|---|
//! | `$KepAccepted` | the submission was accepted |
//! | `$KepDelivered` | every recipient has it, opened or not |
//! | `$KepRead` | every recipient opened it himself |
//! | `$KepReadByTimeout` | at least one recipient's time to read ended |
//! | `$KepFailed` | at least one recipient will not get it, or his provider says nothing of it |

use crate::store::submissions::RecipientState;

/// The keywords of a message that was accepted, by the states of its recipients.
pub fn of_sent(states: &[RecipientState]) -> Vec<&'static str> {
    use RecipientState as State;
    let all = |wanted: &[State]| !states.is_empty() && states.iter().all(|s| wanted.contains(s));
    let any = |wanted: State| states.contains(&wanted);
    let mut words = vec!["$KepAccepted"];
    if all(&[State::Delivered, State::Read, State::Expired]) {
        words.push("$KepDelivered");
    }
    if all(&[State::Read]) {
        words.push("$KepRead");
    }
    if any(State::Expired) {
        words.push("$KepReadByTimeout");
    }
    if any(State::Failed) || any(State::RelayFailed) {
        words.push("$KepFailed");
    }
    words
}

/// Marks evidence of incoming messages in the addressee's `Deliller`.
pub const INCOMING: &str = "$KepIncoming";

#[cfg(test)]
mod tests {
    use super::*;
    use RecipientState as State;

    #[test]
    fn keywords_of_several_recipients_mean_what_the_table_says() {
        let cases: [(&[State], &str); 11] = [
            (&[State::Accepted], "$KepAccepted"),
            (&[State::Delivered, State::Accepted], "$KepAccepted"),
            (&[State::Relayed, State::Relayed], "$KepAccepted"),
            (&[State::Delivered, State::RelayFailed], "$KepAccepted $KepFailed"),
            (&[State::Relayed, State::RelayFailed], "$KepAccepted $KepFailed"),
            (&[State::Delivered, State::Delivered], "$KepAccepted $KepDelivered"),
            (&[State::Read, State::Delivered], "$KepAccepted $KepDelivered"),
            (&[State::Read, State::Read], "$KepAccepted $KepDelivered $KepRead"),
            (&[State::Read, State::Expired], "$KepAccepted $KepDelivered $KepReadByTimeout"),
            (&[State::Read, State::Failed], "$KepAccepted $KepFailed"),
            (&[State::Expired, State::Failed], "$KepAccepted $KepReadByTimeout $KepFailed"),
        ];
        for (states, words) in cases {
            assert_eq!(of_sent(states).join(" "), words, "{states:?}");
        }
    }
}
