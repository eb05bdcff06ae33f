//! The only way to a message's octets over IMAP. Those of an unopened dispatch's original are not
//! read before the read fact is durable (invariant 3). What counts is where octets lie, not how a
//! section is called: the original begins with its first octet and ends with its last.

use super::{Answered, Who, gathered, owned};
use crate::mailbox::ask::{Content as Ask, Refusal};
use crate::store::contents::{self, Content};
use crate::store::mail::Kind;
use crate::store::mail::view;
use crate::store::{Blobs, Tx};
use crate::wire::imap::Uid;
use crate::wire::{MailboxId, MessageId};
use std::ops::Range;

/// What is to be done about an ask for content.
pub enum Look {
    /// With what to go on by, unless the message is unopened: then each ask is looked at anew.
    Bytes(Vec<u8>, Option<Shown>),
    /// To be opened first; then looked at again.
    MustOpen(MessageId),
}

/// A content that was shown, to go on with; nothing of it needs to be opened any more.
#[derive(Clone, Debug)]
pub struct Shown {
    mailbox: MailboxId,
    uid: Uid,
    content: Content,
}

pub fn look(tx: &mut Tx<'_>, who: &Who, blobs: &Blobs, ask: &Ask) -> Answered<Look> {
    let mailbox = owned(tx, who, ask.mailbox)?;
    let (mailbox, uid) = match mailbox.role.is_gathered() {
        true => gathered::source(tx, who, &mailbox, ask.uid)?,
        false => (mailbox, ask.uid),
    };
    let row = view::row(tx, &mailbox, uid)?.ok_or(Refusal::Gone)?;
    let content = contents::find(tx, row.content)?;
    let sealed = row.kind == Kind::Sealed;
    if sealed && meet(&original(&content), &ask.range) {
        return Ok(Look::MustOpen(row.message_id.ok_or(Refusal::Unavailable)?));
    }
    let bytes = piece_of(&content, blobs, &ask.range)?;
    let shown = Shown { mailbox: ask.mailbox, uid: ask.uid, content };
    Ok(Look::Bytes(bytes, (!sealed).then_some(shown)))
}

impl Shown {
    /// Whether `ask` goes on with this.
    pub fn goes_on(&self, ask: &Ask) -> bool {
        ask.mailbox == self.mailbox && ask.uid == self.uid
    }

    pub fn read(&self, blobs: &Blobs, range: &Range<u64>) -> Answered<Vec<u8>> {
        piece_of(&self.content, blobs, range)
    }
}

/// Where the original lies in a dispatch: between head and tail. Of a content that was not composed
/// that way all of it counts.
fn original(content: &Content) -> Range<u64> {
    match content.pieces() {
        [head, original, _tail] => head.size..head.size + original.size,
        _ => 0..content.size,
    }
}

fn meet(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

fn piece_of(content: &Content, blobs: &Blobs, range: &Range<u64>) -> Answered<Vec<u8>> {
    let end = range.end.min(content.size).min(range.start.saturating_add(PIECE));
    if range.start >= end {
        return Err(Refusal::Cannot.into());
    }
    Ok(content.read(blobs, range.start..end)?)
}

/// Octets in one answer: what a connection holds of a large message.
const PIECE: u64 = 256 << 10;
