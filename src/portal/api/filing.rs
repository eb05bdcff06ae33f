//! What an operator files and takes away: it stands in the audit with his name, in the transaction that does it,
//! as over IMAP (docs/operators.md).

use super::call::{Answered, Call};
use super::kinds::MessageKey;
use crate::registry::operators::deeds::{self, Deed, Filing, Of};
use crate::store::Tx;
use crate::store::mail::Place;
use crate::store::mail::view::{Mailbox, MessageRow};

/// To be said in the transaction that does it, when it is done; of the account's holder nothing is.
pub fn done(tx: &mut Tx<'_>, call: &Call, deed: &Deed) -> Answered<()> {
    let Some(operator) = call.operator() else { return Ok(()) };
    let address = call.account()?.address.as_str();
    Ok(deeds::record(tx, &call.by()?, address, operator.code, deed)?)
}

/// Something that is done to a message, as it stood before.
pub fn message(filing: Filing, what: &'static str, from: &Mailbox, row: &MessageRow) -> Deed {
    let place = Place { mailbox: from.id, uid: row.uid };
    Deed { of: Of::Message(MessageKey::write(place)), ..mailbox(filing, what, &from.name) }
}

/// Something that is done to a mailbox.
pub fn mailbox(filing: Filing, what: &'static str, name: &str) -> Deed {
    Deed { filing, what, mailbox: Some(name.to_owned()), to: None, of: Of::Mailbox }
}

/// Something that is done to a label itself.
pub fn label(what: &'static str, key: &str) -> Deed {
    let of = Of::Label(key.to_owned());
    Deed { filing: Filing::File, what, mailbox: None, to: None, of }
}
