//! The audit: every act by users, operators and staff, in the transaction that it changes things in.
//! An entry is bound to the one before it ([`chain`]); the newest link is sealed daily ([`seal`]), so
//! that nobody can write the past anew, whoever holds the rows.
//!
//! What a message says is never in it, nor a secret: who, what, about whom, by which way, when.

pub mod chain;
pub mod own;
pub mod seal;

pub use crate::store::audit::Wanted;

use crate::store::audit::{self as rows, EntryRow};
use crate::store::{RowsError, Store, Tx};
use crate::wire::{AccountId, Digest, Timestamp};
use serde_json::Value;
use std::fmt;

/// Who acts, by which way, when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct By {
    pub actor: Actor,
    pub channel: Channel,
    pub at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A part of the program, of itself: a window that ended.
    System(&'static str),
    /// One of the provider's people.
    Staff(String),
    /// Who uses an account: its holder, or an operator.
    Person { account: AccountId, name: String },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    System,
    CommandLine,
    Api,
    Portal,
    Smtp,
    Imap,
}

/// An entry as it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub n: i64,
    pub at: Timestamp,
    /// As [`Actor`] is written: `staff:ayse`, `person:7:Ali Veli`, `system:contracts`.
    pub actor: String,
    pub channel: String,
    pub act: String,
    pub subject: String,
    pub details: Value,
    pub link: Digest,
}

impl By {
    pub fn system(part: &'static str, at: Timestamp) -> Self {
        Self { actor: Actor::System(part), channel: Channel::System, at }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(part) => write!(f, "system:{part}"),
            Self::Staff(name) => write!(f, "staff:{name}"),
            Self::Person { account, name } => write!(f, "person:{}:{name}", account.0),
        }
    }
}

impl Channel {
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::CommandLine => "command-line",
            Self::Api => "api",
            Self::Portal => "portal",
            Self::Smtp => "smtp",
            Self::Imap => "imap",
        }
    }
}

/// Appends an entry in this transaction: last in it, since on shared rows whoever appends at the same
/// time waits for its end. `act` is a word like `account.close`; `subject` the address or name it is
/// about; `details` a JSON object. Gives the entry's number.
pub fn record(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    subject: &str,
    details: Value,
) -> Result<i64, RowsError> {
    record_all(tx, by, act, subject, vec![details])
}

/// The same of several acts of one kind, an entry each; gives the number of the last one.
pub fn record_all(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    subject: &str,
    details: Vec<Value>,
) -> Result<i64, RowsError> {
    let entry = |details: Value| EntryRow {
        n: 0,
        at: by.at,
        actor: sound(&by.actor.to_string()),
        channel: by.channel.word().to_owned(),
        act: act.to_owned(),
        subject: sound(subject),
        details: details.to_string(),
        link: chain::GENESIS,
    };
    rows::append(tx, details.into_iter().map(entry).collect(), chain::link)
}

/// Entries, the newest first.
pub async fn list(store: &Store, wanted: Wanted) -> Result<Vec<Entry>, RowsError> {
    let found = store.read(move |tx| rows::list(tx, &wanted)).await?;
    found.into_iter().map(entry).collect()
}

/// All acts of that kind about a subject, the newest first.
pub fn all_of(tx: &mut Tx<'_>, subject: &str, act: &str) -> Result<Vec<Entry>, RowsError> {
    let (subject, act) = (Some(subject.to_owned()), Some(act.to_owned()));
    let found = rows::list(tx, &Wanted { subject, act, most: u32::MAX, ..Wanted::default() })?;
    found.into_iter().map(entry).collect()
}

fn entry(row: EntryRow) -> Result<Entry, RowsError> {
    let EntryRow { n, at, actor, channel, act, subject, details, link } = row;
    let details = serde_json::from_str(&details);
    let details = details.map_err(|_| RowsError::Stored("details of the audit"))?;
    Ok(Entry { n, at, actor, channel, act, subject, details, link })
}

/// PostgreSQL keeps no NUL in a text.
fn sound(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests;
