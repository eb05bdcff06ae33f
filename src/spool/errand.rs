//! Errands of the room `notify`: to say something outside KEP, or to look whether it must be said.

use super::Step;
use crate::store::{RowsError, Tx, jobs};
use crate::wire::{AccountId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "kebab-case")]
pub enum Errand {
    /// What stands in this row of the outbox.
    Say { outgoing: i64 },
    /// A recipient's time to read ends at `due`: if he has not opened the message by now, he is told, as the
    /// steps of the policy have it whose time came after `since`.
    Unread {
        message: String,
        recipient: usize,
        due: i64,
        #[serde(default)]
        since: i64,
    },
    /// A balance fell below its threshold.
    Low,
}

impl Errand {
    pub fn parse(json: &str) -> Result<Self, RowsError> {
        serde_json::from_str(json).map_err(|_| RowsError::Stored("an errand"))
    }
}

/// Lays in that a row of the outbox is to be said.
pub fn notify(tx: &mut Tx<'_>, outgoing: i64, due: Timestamp) -> Result<(), RowsError> {
    lay_in(tx, &format!("notify/{outgoing}"), &Errand::Say { outgoing }, due)
}

/// What stands in a row of the outbox is to be said now, whether its job waits or was done.
pub fn hurry_notice(tx: &mut Tx<'_>, outgoing: i64, now: Timestamp) -> Result<(), RowsError> {
    notify(tx, outgoing, now)?;
    jobs::hurry(tx, Step::Notify.word(), &format!("notify/{outgoing}"), now)
}

/// Lays in that it is looked at `at` whether a recipient has opened the message; the time before that was
/// `since`.
pub fn unread(
    tx: &mut Tx<'_>,
    (message, recipient): (&MessageId, usize),
    due: Timestamp,
    (since, at): (Timestamp, Timestamp),
) -> Result<(), RowsError> {
    let (named, due, since) = (message.to_string(), due.millis(), since.millis());
    let errand = Errand::Unread { message: named, recipient, due, since };
    lay_in(tx, &format!("unread/{message}/{recipient}/{}", at.millis()), &errand, at)
}

/// Lays in that somebody's balance fell below its threshold.
pub fn low(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<(), RowsError> {
    lay_in(tx, &format!("low/{account}/{}", at.millis()), &Errand::Low, at)
}

fn lay_in(tx: &mut Tx<'_>, name: &str, errand: &Errand, due: Timestamp) -> Result<(), RowsError> {
    let payload = serde_json::to_string(errand).map_err(|_| RowsError::Stored("an errand"))?;
    jobs::lay_in(tx, Step::Notify.word(), name, &payload, due)
}
