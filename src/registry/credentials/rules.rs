//! The rules of logging in, as the provider's policies have them.

use crate::store::{RowsError, Tx};
use crate::wire::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Characters of a password.
    pub password_least: usize,
    /// Whether two factors are asked of everybody.
    pub two_factors: bool,
    /// A session that is not used for so many seconds is over.
    pub idle_secs: i64,
    /// A session is over after so many seconds, however it is used.
    pub session_secs: i64,
    /// What was proven so many seconds ago proves a legal act still.
    pub step_up_secs: i64,
    /// So many failures of one factor are borne.
    pub tries: i64,
    /// Then the factor waits for so many seconds.
    pub lock_secs: i64,
}

impl Rules {
    pub fn at(_tx: &mut Tx<'_>, _now: Timestamp) -> Result<Self, RowsError> {
        Ok(Self::default())
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            password_least: 8,
            two_factors: false,
            idle_secs: 15 * 60,
            session_secs: 8 * 3600,
            step_up_secs: 10 * 60,
            tries: 10,
            lock_secs: 15 * 60,
        }
    }
}
