//! What the API asks of rooms that it can't see: to accept a message, and to verify a document. Who
//! wires the rooms up brings them together.

use super::problem::{Entry, Refusal};
use crate::registry::audit::Channel;
use crate::registry::audit::seal::Verdict;
use crate::wire::{AccountId, KepAddress, MessageId, OperatorCode, Timestamp};
use axum::body::Bytes;
use std::future::Future;
use std::pin::Pin;

pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A message on its way in, and for whom it is.
#[derive(Clone, Debug)]
pub struct Letter {
    pub account: AccountId,
    pub address: KepAddress,
    /// Which of the account's operators hands it in, where it is not its holder.
    pub operator: Option<OperatorCode>,
    /// When its author showed who he is.
    pub at: Timestamp,
    /// By which door it comes.
    pub channel: Channel,
    /// Each once.
    pub recipients: Vec<String>,
    pub octets: Bytes,
}

/// What became of it. When this says that it is taken, it is durable (invariant 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submitted {
    Accepted(MessageId),
    /// The same mail came before.
    Again(MessageId),
    /// It waits for its author's signature.
    Held(MessageId),
    Refused(Box<Refusal>),
    Unavailable,
}

/// The room that accepts.
pub trait Accepting: Send + Sync {
    fn submit(&self, letter: Letter) -> Waiting<Submitted>;
    /// A message whose connection ended before it did: as much of it as came.
    fn broke_off(&self, letter: Letter) -> Waiting<()>;
    /// The largest message that may be submitted now, in octets.
    fn most(&self) -> u64;
    /// All that it may refuse a message for.
    fn refusals(&self) -> Vec<Entry>;
}

/// The judgement of a document, as `kep verify --json` prints it.
pub trait Verifying: Send + Sync {
    fn verify(&self, octets: Bytes, now: Timestamp) -> Waiting<Option<serde_json::Value>>;
    /// What `kep audit verify` finds; nothing when that can't be told now.
    fn audit(&self, now: Timestamp) -> Waiting<Option<Verdict>>;
}
