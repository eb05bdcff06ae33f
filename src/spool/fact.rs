//! Facts: what happened, when, to which recipient. A fact becomes evidence in one place only.

use crate::store::RowsError;
use crate::wire::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// How a message was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Imap,
    Portal,
    Api,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// In the recipient's mailbox.
    Delivered { message: String, recipient: usize, at: i64 },
    /// A provider's dispatch was verified, and is taken over.
    RelayAccepted { message: String, at: i64 },
    /// It is not taken over for this recipient.
    RelayRejected { message: String, recipient: usize, at: i64, reason: String },
    /// The same dispatch came again: evidence that was made of it goes out again.
    Again { message: String, at: i64 },
    /// Could not be put into the mailbox, for good.
    NotDelivered { message: String, recipient: usize, at: i64, reason: String },
    /// The recipient's provider did not get it, or says nothing of it. Of a window that ended `at` is
    /// when it was due.
    RelayFailed {
        message: String,
        recipient: usize,
        at: i64,
        /// Event reason of TS 102 640, or of EN 319 522 where only that knows it.
        reason: String,
        /// What was heard, or why there was nothing.
        detail: String,
        window: bool,
    },
    /// The recipient's provider took it over, and has not said what became of it until `at`.
    DeliveryExpired { message: String, recipient: usize, at: i64 },
    /// Opened by a person.
    Read { message: String, recipient: usize, at: i64, channel: Channel, person: String },
    /// The time to read ended unread; `at` is when it was due.
    Expired { message: String, recipient: usize, at: i64 },
    /// Refused after its octets were read: its sender gets evidence of that.
    Refused { message: String, at: i64, refusal: Refused },
}

/// A submission that was refused, as far as evidence tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    pub account: i64,
    pub sender: String,
    pub recipients: Vec<String>,
    pub subject: String,
    pub ua_message_id: Option<String>,
    /// Of the whole message; none when it was not read to its end.
    pub digest: Option<String>,
    /// TS 102 640 event reason.
    pub reason: String,
    pub text: String,
}

impl Fact {
    /// The job's name: the same fact has the same one.
    pub fn name(&self) -> String {
        let (word, message, recipient) = match self {
            Self::RelayAccepted { message, .. } => ("relay-accepted", message, 0),
            Self::Again { message, .. } => ("again", message, 0),
            Self::RelayRejected { message, recipient, .. } => {
                ("relay-rejected", message, *recipient)
            }
            Self::Delivered { message, recipient, .. } => ("delivered", message, *recipient),
            Self::NotDelivered { message, recipient, .. } => ("not-delivered", message, *recipient),
            Self::RelayFailed { message, recipient, .. } => ("relay-failed", message, *recipient),
            Self::DeliveryExpired { message, recipient, .. } => {
                ("delivery-expired", message, *recipient)
            }
            Self::Read { message, recipient, .. } => (READ, message, *recipient),
            Self::Expired { message, recipient, .. } => ("expired", message, *recipient),
            Self::Refused { message, .. } => ("refused", message, 0),
        };
        name(message, recipient, word)
    }

    pub fn message(&self) -> Option<MessageId> {
        match self {
            Self::RelayAccepted { message, .. }
            | Self::RelayRejected { message, .. }
            | Self::Again { message, .. }
            | Self::Delivered { message, .. }
            | Self::NotDelivered { message, .. }
            | Self::RelayFailed { message, .. }
            | Self::DeliveryExpired { message, .. }
            | Self::Read { message, .. }
            | Self::Expired { message, .. }
            | Self::Refused { message, .. } => MessageId::parse(message),
        }
    }

    pub fn at(&self) -> Timestamp {
        match self {
            Self::RelayAccepted { at, .. }
            | Self::RelayRejected { at, .. }
            | Self::Again { at, .. }
            | Self::Delivered { at, .. }
            | Self::NotDelivered { at, .. }
            | Self::RelayFailed { at, .. }
            | Self::DeliveryExpired { at, .. }
            | Self::Read { at, .. }
            | Self::Expired { at, .. }
            | Self::Refused { at, .. } => Timestamp::from_millis(*at),
        }
    }

    pub fn to_json(&self) -> Result<String, RowsError> {
        serde_json::to_string(self).map_err(|_| RowsError::Stored("a fact"))
    }

    pub fn parse(json: &str) -> Result<Self, RowsError> {
        serde_json::from_str(json).map_err(|_| RowsError::Stored("a fact"))
    }
}

/// The name of the fact that a recipient has read.
pub(super) fn read_name(message: &str, recipient: usize) -> String {
    name(message, recipient, READ)
}

fn name(message: &str, recipient: usize, word: &str) -> String {
    format!("fact/{message}/{recipient}/{word}")
}

const READ: &str = "read";
