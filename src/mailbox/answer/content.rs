//! The only way to a message's octets over IMAP. Those of an unopened dispatch's original are not
//! read before the read fact is durable (invariant 3). What counts is where octets lie, not how a
//! section is called: the original begins with its first octet and ends with its last.

use super::{Answered, Who, owned};
use crate::mailbox::ask::{Content as Ask, Refusal};
use crate::registry::OpeningMode;
use crate::store::contents::{self, Content};
use crate::store::mail::Kind;
use crate::store::mail::view;
use crate::store::{Blobs, Tx};
use crate::wire::imap::Uid;
use crate::wire::{MailboxId, MessageId};
use std::ops::Range;
use std::sync::Arc;

/// What is to be done about an ask for content.
pub enum Look {
    /// With what to go on by, unless the message is unopened: then each ask is looked at anew.
    Bytes(Vec<u8>, Option<Shown>),
    /// To be opened first; then looked at again.
    MustOpen(MessageId),
    /// A notice in a session that opens by fetching: to be opened, and then shown still.
    Notice(MessageId, Shown),
}

/// A content that was shown, to go on with; nothing of it needs to be opened any more.
#[derive(Clone, Debug)]
pub struct Shown {
    mailbox: MailboxId,
    uid: Uid,
    octets: Octets,
}

#[derive(Clone, Debug)]
enum Octets {
    Of(Content),
    /// Of what is gone by now.
    Kept(Arc<Vec<u8>>),
}

pub fn look(tx: &mut Tx<'_>, who: &Who, blobs: &Blobs, ask: &Ask) -> Answered<Look> {
    let mailbox = owned(tx, who, ask.mailbox)?;
    let row = view::row(tx, &mailbox, ask.uid)?.ok_or(Refusal::Gone)?;
    let content = contents::find(tx, row.content)?;
    let sealed = row.kind == Kind::Sealed;
    if sealed && meet(&original(&content), &ask.range) {
        return Ok(Look::MustOpen(row.message_id.ok_or(Refusal::Unavailable)?));
    }
    let shown = |octets| Shown { mailbox: ask.mailbox, uid: ask.uid, octets };
    if row.kind == Kind::Stub && who.opening == Some(OpeningMode::Direct) {
        // QUIRK(kep, 2026-11): it is shown though it is gone; docs/quirks.md#28
        let octets = Arc::new(content.read(blobs, 0..content.size)?);
        let message = row.message_id.ok_or(Refusal::Unavailable)?;
        return Ok(Look::Notice(message, shown(Octets::Kept(octets))));
    }
    let bytes = piece_of(&content, blobs, &ask.range)?;
    let shown = shown(Octets::Of(content));
    Ok(Look::Bytes(bytes, (!sealed).then_some(shown)))
}

impl Shown {
    /// Whether `ask` goes on with this.
    pub fn goes_on(&self, ask: &Ask) -> bool {
        ask.mailbox == self.mailbox && ask.uid == self.uid
    }

    pub fn read(&self, blobs: &Blobs, range: &Range<u64>) -> Answered<Vec<u8>> {
        match &self.octets {
            Octets::Of(content) => piece_of(content, blobs, range),
            Octets::Kept(octets) => {
                let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(octets.len());
                let piece = octets.get(within(range.start)..within(range.end));
                let piece = piece.filter(|piece| !piece.is_empty());
                Ok(piece.ok_or(Refusal::Cannot)?.to_vec())
            }
        }
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
