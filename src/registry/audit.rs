//! STUB until the foundation is merged.
use crate::store::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct By {
    pub actor: Actor,
    pub channel: Channel,
    pub at: Timestamp,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    System(&'static str),
    Staff(String),
    Person { account: AccountId, name: String },
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    System,
    CommandLine,
    Api,
    Portal,
    Smtp,
    Imap,
}
pub fn record(
    _tx: &mut Tx<'_>,
    _by: &By,
    _act: &'static str,
    _subject: &str,
    _details: serde_json::Value,
) -> Result<(), RowsError> {
    Ok(())
}
