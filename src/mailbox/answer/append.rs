//! APPEND: bytes are collected within memory that all connections share, laid into the store
//! message by message, and become messages all together. A copy of what was submitted takes the
//! place of the server's own.

mod run;

use super::room::{Held, Room};
use super::{
    Answered, Failure, Who, changing, gathered, labelling, messages, quota, target, words,
};
use crate::mailbox::ask::{AppendBegin, Appended, Refusal};
use crate::store::mail::view::{self, Mailbox};
use crate::store::mail::{self, Kind, NewMessage, Place, Role, change, gather, sent};
use crate::store::{Blobs, Put, Tx, accounts, contents, submissions};
use crate::wire::imap::{Keywords, MailboxName, Structure, Uid, UidSet};
use crate::wire::mime::fields::{fields, unfold};
use crate::wire::mime::unbinary;
use crate::wire::{MailboxId, MessageId, Timestamp, mime};
use std::sync::Arc;

/// An APPEND under way.
#[derive(Default)]
pub struct Append {
    /// Complete ones.
    ready: Vec<Arc<Ready>>,
    coming: Option<Coming>,
}

/// A message whose bytes are coming.
pub struct Coming {
    begin: AppendBegin,
    bytes: Held,
}

/// A message whose octets rest in a blob already, to which no row points yet.
pub struct Ready {
    begin: AppendBegin,
    put: Put,
    structure: Vec<u8>,
    header: Vec<u8>,
    ua_message_id: Option<String>,
}

/// Whether the mailbox takes appended messages, before any byte is read.
pub fn may_begin(tx: &mut Tx<'_>, who: &Who, to: &MailboxName) -> Answered<Mailbox> {
    let mailbox = target(tx, who, to)?;
    if mailbox.role != Role::Opening {
        super::may_add(tx, who)?;
    }
    match mailbox.role {
        Role::Evidence => Err(Failure::said(words::ONLY_EVIDENCE)),
        Role::Held => Err(Failure::said(words::ONLY_SERVER)),
        Role::Hidden => Err(Refusal::NoSuchTarget.into()),
        Role::All | Role::Flagged | Role::Label => Err(Refusal::Cannot.into()),
        _ => Ok(mailbox),
    }
}

/// Whether a mailbox of that role takes messages of a client at all.
pub fn takes(role: Role) -> bool {
    !role.is_gathered() && !matches!(role, Role::Evidence | Role::Held | Role::Hidden)
}

impl Append {
    /// Makes ready for the next message. Its predecessor must be ready.
    pub fn begin(&mut self, who: &Who, begin: AppendBegin, most: u64, room: &Room) -> Answered<()> {
        if begin.size > most {
            return Err(Refusal::TooBig.into());
        }
        if begin.flags.keywords.as_str().len() > messages::KEYWORDS_MAX {
            return Err(Refusal::Limit.into());
        }
        let kept: usize = self.ready.iter().map(|r| r.structure.len() + r.header.len()).sum();
        if self.ready.len() >= MESSAGES_MAX || kept > HEADERS_MAX {
            return Err(Refusal::Limit.into());
        }
        self.coming = Some(Coming { begin, bytes: room.hold(who.account) });
        Ok(())
    }

    pub fn chunk(&mut self, chunk: &[u8]) -> Answered<()> {
        let coming = self.coming.as_mut().ok_or(Refusal::Cannot)?;
        let most = usize::try_from(coming.begin.size).unwrap_or(usize::MAX);
        if coming.bytes.len().saturating_add(chunk.len()) > most {
            return Err(Refusal::TooBig.into());
        }
        match coming.bytes.add(chunk, most) {
            true => Ok(()),
            false => Err(Refusal::Unavailable.into()),
        }
    }

    /// So many octets more belong to the message (RFC 4469).
    pub fn more(&mut self, octets: u64, most: u64) -> Answered<()> {
        let coming = self.coming.as_mut().ok_or(Refusal::Cannot)?;
        let size = coming.begin.size.saturating_add(octets);
        if size > most {
            return Err(Refusal::TooBig.into());
        }
        coming.begin.size = size;
        Ok(())
    }

    /// Where what comes, or is ready, goes.
    pub fn to(&self) -> Option<&MailboxName> {
        let ready = self.ready.first().map(|one| &one.begin);
        self.coming.as_ref().map(|one| &one.begin).or(ready).map(|begin| &begin.to)
    }

    pub fn take_coming(&mut self) -> Option<Coming> {
        self.coming.take()
    }

    pub fn keep(&mut self, ready: Ready) {
        self.ready.push(Arc::new(ready));
    }

    pub fn take_ready(&mut self) -> Vec<Arc<Ready>> {
        std::mem::take(&mut self.ready)
    }
}

impl Coming {
    /// Computes what listings show, and lays the octets into a blob. Takes its time: not for the
    /// runtime's own threads.
    pub fn finish(mut self, blobs: &Blobs) -> Answered<Ready> {
        if self.bytes.len() as u64 != self.begin.size {
            return Err(Refusal::Cannot.into());
        }
        let bytes = keepable(self.bytes.take())?;
        let structure = Structure::compute(&bytes);
        let end = mime::header(&bytes).len();
        if end > HEADER_MAX {
            return Err(Refusal::TooBig.into());
        }
        let header = bytes.get(..end).unwrap_or_default().to_vec();
        let ua_message_id = ua_message_id(&header);
        let put = blobs.put(bytes).map_err(crate::store::StoreError::from)?;
        Ok(Ready { begin: self.begin, put, structure, header, ua_message_id })
    }
}

/// Mailboxes keep lines: FETCH has no other way to give a message whole.
fn keepable(bytes: Vec<u8>) -> Answered<Vec<u8>> {
    if memchr::memchr(0, &bytes).is_none() {
        return Ok(bytes);
    }
    // QUIRK(kep, 2026-11): binary parts are kept in base64; docs/quirks.md#42
    Ok(unbinary::encode(&bytes).ok_or(Refusal::UnknownCte)?)
}

/// Makes messages of what is ready: all, or none.
pub fn commit(
    tx: &mut Tx<'_>,
    who: &Who,
    blobs: &Blobs,
    ready: &[Arc<Ready>],
) -> Answered<Appended> {
    let first = ready.first().ok_or(Refusal::Cannot)?;
    accounts::lock(tx, who.account)?;
    let to = may_begin(tx, who, &first.begin.to)?;
    if to.role != Role::Opening {
        quota::has_room(tx, who, ready.iter().map(|one| one.put.size).sum())?;
    }
    let keywords = ready.iter().map(|one| &one.begin.flags.keywords);
    let keywords = keywords.fold(Keywords::default(), |all, more| all.with(more));
    labelling::learn(tx, who, &keywords)?;
    let mut uids = UidSet::new();
    for one in ready {
        if one.begin.to != first.begin.to {
            return Err(Refusal::Cannot.into());
        }
        let uid = match to.role {
            Role::Opening => open(tx, who, blobs, &to, one)?,
            _ => lay_in(tx, who, blobs, &to, one)?,
        };
        uids.insert(uid);
    }
    Ok(Appended { uid_validity: to.uid_validity, uids })
}

/// The same of one message, which takes another's place (RFC 8508): both happen, or nothing does.
pub fn replace(
    tx: &mut Tx<'_>,
    who: &Who,
    blobs: &Blobs,
    ready: &[Arc<Ready>],
    (mailbox, uid): (MailboxId, Uid),
) -> Answered<Appended> {
    let selected = changing(tx, who, mailbox)?;
    let (from, uid) = match selected.role.is_gathered() {
        true => gathered::changing_source(tx, who, &selected, uid)?,
        false => (selected.clone(), uid),
    };
    view::row(tx, &from, uid)?.ok_or(Refusal::Gone)?;
    let appended = commit(tx, who, blobs, ready)?;
    // It may be the server's copy, which went for the client's already.
    change::remove_all(tx, &from, &UidSet::one(uid))?;
    gather::gather(tx, &selected, &[Place { mailbox: from.id, uid }])?;
    Ok(appended)
}

/// A notice that was moved while its program was offline comes as an APPEND. It opens the message,
/// and is gone, as one that is moved by MOVE.
fn open(tx: &mut Tx<'_>, who: &Who, blobs: &Blobs, to: &Mailbox, ready: &Ready) -> Answered<u32> {
    let no_notice = || Failure::said(words::ONLY_STUBS_OPEN);
    let message = ready.ua_message_id.as_deref().and_then(MessageId::of_notice);
    let message = message.ok_or_else(no_notice)?;
    let recipients = submissions::recipients(tx, &message)?;
    if !recipients.iter().any(|recipient| recipient.account == Some(who.account)) {
        return Err(no_notice());
    }
    messages::open(tx, who, message)?;
    // QUIRK(kep, 2026-11): APPENDUID of what is gone already; docs/quirks.md#23
    // The program is to know the UID under which it finds that its notice has vanished.
    let content = contents::create_from(tx, blobs, &[&ready.put])?;
    let notice = new_message(who.now, ready, &Keywords::default(), None);
    let uid = mail::lay_in(tx, to.id, content, &notice)?;
    mail::remove(tx, Place { mailbox: to.id, uid })?;
    Ok(uid)
}

fn lay_in(tx: &mut Tx<'_>, who: &Who, blobs: &Blobs, to: &Mailbox, ready: &Ready) -> Answered<u32> {
    let content = contents::create_from(tx, blobs, &[&ready.put])?;
    let replaces = match &ready.ua_message_id {
        Some(id) if to.role == Role::Sent => sent::find(tx, who.account, id)?,
        _ => None,
    };
    // A second copy by the client is a mail like any other; one that comes before the server's is
    // found and linked when that would be laid in.
    let replaces = replaces.filter(|copy| !copy.by_client && copy.uid.is_some());
    let mut keywords = ready.begin.flags.keywords.client_owned();
    if let Some(copy) = &replaces {
        keywords = keywords.with(&sent::keywords(tx, to, &copy.message)?);
    }
    let new = new_message(who.now, ready, &keywords, replaces.as_ref().map(|copy| &copy.message));
    let servers = match &replaces {
        Some(copy) => mail::places_of(tx, who.account, &copy.message, Kind::Plain)?,
        None => Vec::new(),
    };
    let uid = mail::lay_in(tx, to.id, content, &new)?;
    if let Some(copy) = replaces {
        submissions::sent_copy(tx, &copy.message, i64::from(uid), true)?;
    }
    // What the user has filed elsewhere meanwhile stays where he put it.
    for place in servers.into_iter().filter(|place| place.mailbox == to.id) {
        change::remove_all(tx, to, &UidSet::one(place.uid))?;
    }
    Ok(uid)
}

fn new_message(
    now: Timestamp,
    ready: &Ready,
    keywords: &Keywords,
    message_id: Option<&MessageId>,
) -> NewMessage {
    NewMessage {
        kind: Kind::Plain,
        flags: ready.begin.flags.system.bits(),
        keywords: keywords.as_str().to_owned(),
        internal_date: ready.begin.internal_date.unwrap_or(now),
        saved_at: now,
        size: ready.put.size,
        structure: ready.structure.clone(),
        header: ready.header.clone(),
        message_id: message_id.cloned(),
        ua_message_id: ready.ua_message_id.clone(),
    }
}

/// As the registry of submissions keeps it: without angle brackets.
fn ua_message_id(header: &[u8]) -> Option<String> {
    let field = fields(header).find(|field| field.is("Message-ID"))?;
    let text = String::from_utf8_lossy(&unfold(field.value)).into_owned();
    let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
    (!bare.is_empty() && bare.len() <= MESSAGE_ID_MAX).then(|| bare.to_owned())
}

/// Of one MULTIAPPEND.
const MESSAGES_MAX: usize = 500;
/// Octets of headers and structures that one MULTIAPPEND holds in memory.
const HEADERS_MAX: usize = 4 << 20;
/// Octets of a header that a row may keep.
const HEADER_MAX: usize = 1 << 20;
/// RFC 5322 lines are no longer.
const MESSAGE_ID_MAX: usize = 998;
