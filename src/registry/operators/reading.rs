//! What an operator reads: once for him and a message's content it stands in the audit, before the content leaves.

use crate::registry::audit::{self, By};
use crate::store::mail::{Kind, reads};
use crate::store::{RowsError, Tx};
use crate::wire::imap::Uid;
use crate::wire::{ContentId, MessageId};
use serde_json::{Value, json};

pub use reads::Reader;

/// A message's content that he is to be given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    pub content: ContentId,
    /// Where it stands; what was sealed stands in no mailbox of its sender.
    pub place: Option<(String, Uid)>,
    /// The provider's identifier of the message that it is, or is about.
    pub message: Option<MessageId>,
}

/// Whether a message of that kind has content: a notice has none, and an unopened dispatch gives none.
pub fn is_content(kind: Kind) -> bool {
    match kind {
        Kind::Plain | Kind::Dispatch | Kind::Evidence => true,
        Kind::Stub | Kind::Sealed => false,
    }
}

/// Those that are not recorded yet.
pub fn unrecorded(
    tx: &mut Tx<'_>,
    reader: Reader,
    all: Vec<Given>,
) -> Result<Vec<Given>, RowsError> {
    let mut new = Vec::new();
    for given in all {
        if !reads::has(tx, reader, given.content)? {
            new.push(given);
        }
    }
    Ok(new)
}

/// Records them, each that nobody recorded meanwhile.
pub fn record(
    tx: &mut Tx<'_>,
    by: &By,
    address: &str,
    reader: Reader,
    given: &[Given],
) -> Result<(), RowsError> {
    // In one order, so that two of them don't wait for each other.
    let mut all: Vec<_> = given.iter().collect();
    all.sort_by_key(|given| given.content);
    let mut new = Vec::new();
    for given in all {
        if reads::add(tx, reader, given.content)? {
            new.push(details(reader, given));
        }
    }
    if !new.is_empty() {
        audit::record_all(tx, by, "mail.read", address, new)?;
    }
    Ok(())
}

fn details(reader: Reader, given: &Given) -> Value {
    let mut details = json!({ "operator": reader.operator.to_string() });
    if let Some((mailbox, uid)) = &given.place {
        details["mailbox"] = mailbox.as_str().into();
        details["uid"] = (*uid).into();
    }
    if let Some(message) = &given.message {
        details["message"] = message.as_str().into();
    }
    details
}
