//! The rules of logging in, as the provider's policies have them.

use crate::registry::policy::{self, Policies, Span};
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
    pub fn at(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, RowsError> {
        Ok(Self::of(&policy::at(tx, now)?))
    }

    /// A policy may be anything that can be written; what would lock everybody out is mended.
    pub fn of(policies: &Policies) -> Self {
        let secs = |span: Span| span.millis().div_euclid(1000).max(1);
        Self {
            password_least: (policies.login_password_length as usize).clamp(SHORTEST, LONGEST),
            two_factors: policies.login_two_factors,
            idle_secs: secs(policies.session_idle),
            session_secs: secs(policies.session_length),
            step_up_secs: secs(policies.session_step_up),
            tries: i64::from(policies.login_tries.max(1)),
            lock_secs: secs(policies.login_lock),
        }
    }
}

/// NIST SP 800-63B-4 §3.1.1.2: no fewer than eight, whatever the policy says.
const SHORTEST: usize = 8;
/// No more is asked of anybody.
const LONGEST: usize = 64;
