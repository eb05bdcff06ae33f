//! The only way to a message's octets over IMAP. Those of an unopened dispatch's original are not
//! read before the read fact is durable (invariant 3). What counts is where octets lie, not how a
//! section is called: the original begins with its first octet and ends with its last.

use super::reads::{self, Known, Reads};
use super::{Answered, Who, gathered, owned};
use crate::mailbox::ask::{BATCH, Content as Ask, OCTETS, Refusal};
use crate::registry::OpeningMode;
use crate::store::contents::Content;
use crate::store::mail::Kind;
use crate::store::mail::held::{Held, held};
use crate::store::mail::view::Mailbox;
use crate::store::{Blobs, Tx};
use crate::wire::imap::{Uid, UidSet};
use crate::wire::{MailboxId, MessageId};
use std::ops::Range;
use std::sync::Arc;

/// What is to be done about an ask for content.
pub enum Look {
    Octets(Found),
    /// The first piece is to be opened first; then looked at again.
    MustOpen(MessageId),
    /// A notice in a session that opens by fetching: to be opened, and then shown still.
    Notice(MessageId, Shown),
}

/// Octets that may leave when what they are read of is recorded.
pub struct Found {
    pub octets: Vec<u8>,
    /// To go on by when the last piece is not through, unless it is of an unopened message: then each
    /// ask is looked at anew.
    pub shown: Option<Shown>,
    pub reads: Reads,
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

/// Reads piece after piece, until an answer is full or one can't be given as things are: the session
/// asks for that one again, and hears then what is the matter.
pub fn look(tx: &mut Tx<'_>, who: &Who, blobs: &Blobs, ask: &Ask, known: &Known) -> Answered<Look> {
    let mailbox = owned(tx, who, ask.mailbox)?;
    let pieces = ask.pieces.get(..ask.pieces.len().min(BATCH)).unwrap_or_default();
    let there = there(tx, who, &mailbox, pieces)?;
    let (mut octets, mut shown, mut wanted) = (Vec::new(), None, Vec::new());
    for (uid, range) in pieces {
        let (first, before) = (octets.is_empty(), octets.len());
        let held = there.binary_search_by_key(uid, |held| held.uid);
        let held = held.ok().and_then(|at| there.get(at));
        let read = match held {
            Some(held) if must_open(held, range) && first => {
                return Ok(Look::MustOpen(held.message_id.clone().ok_or(Refusal::Unavailable)?));
            }
            Some(held) if is_notice(who, held) && first => return notice(ask.mailbox, held, blobs),
            Some(held) if must_open(held, range) || is_notice(who, held) => break,
            Some(held) => read(&held.content, blobs, range, &mut octets),
            None => Err(Refusal::Gone.into()),
        };
        if first {
            read?;
        }
        let came = (octets.len() - before) as u64;
        wanted.extend(held.filter(|_| came > 0).map(|held| (held, range.end)));
        if came < range.end.saturating_sub(range.start) {
            let more = held.filter(|held| came > 0 && held.kind != Kind::Sealed);
            let more = more.filter(|held| reads::goes_on(who, held, range.end));
            shown = more.map(|held| Shown::of(ask.mailbox, held));
            break;
        }
    }
    let reads = reads::look(tx, who, known, &mailbox, &wanted)?;
    Ok(Look::Octets(Found { octets, shown, reads }))
}

/// What the pieces lie in, by UID. Of a virtual mailbox one message at a time, where it stands: what
/// is shown there may be older.
fn there(
    tx: &mut Tx<'_>,
    who: &Who,
    mailbox: &Mailbox,
    pieces: &[(Uid, Range<u64>)],
) -> Answered<Vec<Held>> {
    if !mailbox.role.is_gathered() {
        return Ok(held(tx, mailbox, &pieces.iter().map(|(uid, _)| *uid).collect())?);
    }
    let Some((shown, _)) = pieces.first() else { return Ok(Vec::new()) };
    let (mailbox, uid) = gathered::source(tx, who, mailbox, *shown)?;
    let found = held(tx, &mailbox, &UidSet::one(uid))?;
    Ok(found.into_iter().map(|held| Held { uid: *shown, ..held }).collect())
}

impl Shown {
    fn of(mailbox: MailboxId, held: &Held) -> Self {
        Self { mailbox, uid: held.uid, octets: Octets::Of(held.content.clone()) }
    }

    /// The range that goes on with this, when `ask` begins with one.
    pub fn next(&self, ask: &Ask) -> Option<Range<u64>> {
        let (uid, range) = ask.pieces.first()?;
        (ask.mailbox == self.mailbox && *uid == self.uid).then(|| range.clone())
    }

    pub fn read(&self, blobs: &Blobs, range: &Range<u64>) -> Answered<Vec<u8>> {
        match &self.octets {
            Octets::Of(content) => {
                let mut octets = Vec::new();
                read(content, blobs, range, &mut octets)?;
                Ok(octets)
            }
            Octets::Kept(octets) => {
                let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(octets.len());
                let piece = octets.get(within(range.start)..within(range.end));
                let piece = piece.filter(|piece| !piece.is_empty());
                Ok(piece.ok_or(Refusal::Cannot)?.to_vec())
            }
        }
    }
}

fn must_open(held: &Held, range: &Range<u64>) -> bool {
    held.kind == Kind::Sealed && meet(&original(&held.content), range)
}

/// A session that opens by fetching opens a notice by any of its content.
fn is_notice(who: &Who, held: &Held) -> bool {
    held.kind == Kind::Stub && who.opening == Some(OpeningMode::Direct)
}

/// QUIRK(kep, 2026-11): it is shown though it is gone; docs/quirks.md#28
fn notice(mailbox: MailboxId, held: &Held, blobs: &Blobs) -> Answered<Look> {
    let octets = Arc::new(held.content.read(blobs, 0..held.content.size)?);
    let message = held.message_id.clone().ok_or(Refusal::Unavailable)?;
    Ok(Look::Notice(message, Shown { mailbox, uid: held.uid, octets: Octets::Kept(octets) }))
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

/// As much of a piece as still goes into the answer.
fn read(content: &Content, blobs: &Blobs, piece: &Range<u64>, out: &mut Vec<u8>) -> Answered<()> {
    let room = OCTETS.saturating_sub(out.len() as u64);
    let end = piece.end.min(content.size).min(piece.start.saturating_add(room));
    if piece.start >= end {
        return Err(Refusal::Cannot.into());
    }
    Ok(content.read_onto(blobs, piece.start..end, out)?)
}
