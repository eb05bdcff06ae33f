//! Why something is not said outside KEP, as whom it is about may know it: what a gateway answered, word for word,
//! is the staff's.

use super::OutgoingRow;
use crate::store::outbox::State;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It could not be said yet, and is tried again.
    Delayed,
    /// Who carries it refuses it, for good.
    Refused,
    /// It could not be said as long as it meant anything.
    GivenUp,
    /// No credits for SMS were left.
    NoCredits,
}

impl Trouble {
    pub fn of(row: &OutgoingRow) -> Option<Self> {
        match row.state {
            State::Waiting | State::Sending => (!row.trouble.is_empty()).then_some(Self::Delayed),
            State::Failed if row.trouble == NO_CREDITS => Some(Self::NoCredits),
            State::Failed
                if row.trouble.starts_with(GIVEN_UP) || row.trouble.starts_with(TOO_LATE) =>
            {
                Some(Self::GivenUp)
            }
            State::Failed => Some(Self::Refused),
            State::Sent | State::Joined | State::Withdrawn => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
            Self::NoCredits => "no-credits",
        }
    }
}

/// How those who say it write it down.
pub const NO_CREDITS: &str = "no credits for SMS are left";
pub const GIVEN_UP: &str = "given up after";
pub const TOO_LATE: &str = "its time had passed";
