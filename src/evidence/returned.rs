//! What another provider's evidence about a message of ours changes. All of it is kept; our own is
//! never touched; only the state that is shown moves, and by this table (docs/evidence.md):
//!
//! | shown | 20 | 21, 41 | 40 | 60 | 61 |
//! |---|---|---|---|---|---|
//! | accepted, relayed | – | failed | delivered | read | expired |
//! | relay-failed | – | failed | delivered | read | expired |
//! | failed | – | – | delivered | read | expired |
//! | delivered | – | – | – | read | expired |
//! | read, expired | – | – | – | – | – |
//!
//! So a success outweighs a failure, whichever came first: the provider that has the mailbox knows.
//! Of reading and its time-out the first to come stays. What moves nothing came late, came again, or
//! contradicts.

use crate::store::submissions::RecipientState;
use crate::wire::rem::Event;

/// What an evidence does to a recipient's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    Moves(RecipientState),
    /// Kept beside.
    Beside(Beside),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    /// It tells of no state.
    Told,
    /// What followed was known already.
    Late,
    /// The same was known already.
    Again,
    /// The opposite was known already.
    Contradicts,
}

/// Whether another provider can tell this of our message at all: submission is ours to tell, and
/// that it can't be reached.
pub fn is_theirs(event: Event) -> bool {
    !matches!(event, Event::SubmissionAcceptance | Event::SubmissionRejection | Event::RelayFailure)
}

pub fn effect(shown: RecipientState, event: Event) -> Effect {
    use RecipientState as Shown;
    let Some(told) = told(event) else {
        return Effect::Beside(match (event, shown) {
            (Event::RelayAcceptance, Shown::Accepted | Shown::Relayed) => Beside::Told,
            (Event::RelayAcceptance, Shown::Failed) => Beside::Contradicts,
            (Event::RelayAcceptance, _) => Beside::Late,
            _ => Beside::Told,
        });
    };
    match (shown, told) {
        (Shown::Accepted | Shown::Relayed | Shown::RelayFailed, _)
        | (Shown::Failed, Shown::Delivered | Shown::Read | Shown::Expired)
        | (Shown::Delivered, Shown::Read | Shown::Expired) => Effect::Moves(told),
        (shown, told) if shown == told => Effect::Beside(Beside::Again),
        (Shown::Read | Shown::Expired, Shown::Delivered) => Effect::Beside(Beside::Late),
        _ => Effect::Beside(Beside::Contradicts),
    }
}

/// The state that an event tells of.
fn told(event: Event) -> Option<RecipientState> {
    match event {
        Event::Delivery => Some(RecipientState::Delivered),
        Event::RelayRejection | Event::NonDelivery | Event::DeliveryExpiration => {
            Some(RecipientState::Failed)
        }
        Event::Retrieval => Some(RecipientState::Read),
        Event::RetrievalExpiration => Some(RecipientState::Expired),
        _ => None,
    }
}

impl Beside {
    pub fn word(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Late => "late",
            Self::Again => "again",
            Self::Contradicts => "contradicts",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecipientState as State;

    /// The table above and in docs/evidence.md, row by row.
    #[test]
    fn what_comes_back_moves_the_state_as_the_table_says() {
        let events = [
            Event::RelayAcceptance,
            Event::RelayRejection,
            Event::NonDelivery,
            Event::Delivery,
            Event::Retrieval,
            Event::RetrievalExpiration,
        ];
        let table = [
            (State::Accepted, ["told", "failed", "failed", "delivered", "read", "expired"]),
            (State::Relayed, ["told", "failed", "failed", "delivered", "read", "expired"]),
            (State::RelayFailed, ["late", "failed", "failed", "delivered", "read", "expired"]),
            (State::Failed, ["contradicts", "again", "again", "delivered", "read", "expired"]),
            (State::Delivered, ["late", "contradicts", "contradicts", "again", "read", "expired"]),
            (State::Read, ["late", "contradicts", "contradicts", "late", "again", "contradicts"]),
            (
                State::Expired,
                ["late", "contradicts", "contradicts", "late", "contradicts", "again"],
            ),
        ];
        for (shown, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                let found = match effect(shown, event) {
                    Effect::Moves(state) => state.word(),
                    Effect::Beside(beside) => beside.word(),
                };
                assert_eq!(found, expected, "{} then {}", shown.word(), event.name());
            }
        }
    }

    #[test]
    fn in_whatever_order_it_comes_the_same_is_shown_at_the_end() {
        let told = [Event::RelayAcceptance, Event::NonDelivery, Event::Delivery, Event::Retrieval];
        for turn in 0..24_usize {
            let mut left = told.to_vec();
            let mut shown = State::Accepted;
            for step in [turn % 4, turn / 4 % 3, turn / 12 % 2, 0] {
                if let Effect::Moves(state) = effect(shown, left.remove(step % left.len())) {
                    shown = state;
                }
            }
            assert_eq!(shown, State::Read, "{turn}");
        }
    }
}
