//! Messages in a mailbox: rows, flags, copies, moves, removals. Moving a notice into `Açılacaklar`
//! opens the message it stands for.

use super::{Answered, Failure, Who, changing, gathered, labelling, owned, quota, target, words};
use crate::mailbox::ask::{
    self, FlagChange, FlagRow, Moved, Opening, Placed, Refusal, Row, RowWant, Stored,
};
use crate::registry::OpeningMode;
use crate::spool::fact::Channel;
use crate::spool::opening;
use crate::store::Tx;
use crate::store::mail::change::{self, Flagged};
use crate::store::mail::view::{self, FlagsRow, Mailbox, MessageRow, Want};
use crate::store::mail::{Kind, Role, threads};
use crate::wire::imap::{Flags, MailboxName, SystemFlags, UidSet};
use crate::wire::{MailboxId, MessageId};
use std::cell::Cell;
use std::collections::BTreeSet;

pub fn rows(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: &UidSet,
    want: RowWant,
) -> Answered<Vec<Row>> {
    let mailbox = owned(tx, who, id)?;
    let mut batch = uids.clone().take_first(ask::BATCH);
    let dear = Want { structure: want.structure, header: want.header };
    let rows = view::first_rows(tx, &mailbox, &mut batch, dear)?.into_iter();
    let mut rows: Vec<_> = rows.map(|row| shown(who, row)).collect();
    for row in rows.iter_mut().filter(|_| want.thread) {
        row.thread = threads::thread_of(tx, mailbox.account, row.content)?;
    }
    Ok(rows)
}

pub fn flags(tx: &mut Tx<'_>, who: &Who, id: MailboxId, uids: &UidSet) -> Answered<Vec<FlagRow>> {
    let mailbox = owned(tx, who, id)?;
    let batch = uids.clone().take_first(ask::FLAGS_BATCH);
    Ok(view::flags(tx, &mailbox, &batch)?.into_iter().map(flag_row).collect())
}

pub fn flag_row(row: FlagsRow) -> FlagRow {
    FlagRow { uid: row.uid, modseq: row.mod_seq, flags: row.flags }
}

fn shown(who: &Who, row: MessageRow) -> Row {
    // A notice that is opened by its first fetch is not looked into for less.
    let at_once = row.kind == Kind::Stub && who.opening == Some(OpeningMode::Direct);
    let sealed = row.kind == Kind::Sealed || at_once;
    Row {
        uid: row.uid,
        modseq: row.mod_seq,
        flags: row.flags,
        internal_date: row.internal_date,
        saved_at: row.saved_at,
        content: row.content,
        thread: None,
        size: row.size,
        opening: if sealed { Opening::Sealed } else { Opening::Open },
        structure: row.structure,
        header: row.header,
    }
}

pub fn store(tx: &mut Tx<'_>, who: &Who, ask: &ask::Store) -> Answered<Stored> {
    let mailbox = changing(tx, who, ask.mailbox)?;
    if mailbox.role.is_gathered() {
        return gathered::store(tx, who, &mailbox, ask);
    }
    let too_many = Cell::new(false);
    let change = |old: &Flags| {
        let new = changed(old, ask);
        too_many.set(too_many.get() || is_too_long(&new));
        new
    };
    let flagged = change::set_flags(tx, &mailbox, &ask.uids, ask.unchanged_since, &change)?;
    if too_many.get() {
        return Err(Refusal::Limit.into());
    }
    Ok(stored(flagged, ask.echo))
}

/// Whether these are more keywords than a message may have.
pub fn is_too_long(flags: &Flags) -> bool {
    flags.keywords.as_str().len() > KEYWORDS_MAX
}

pub(super) fn changed(old: &Flags, ask: &ask::Store) -> Flags {
    // The server's own keywords are neither set nor taken by a client.
    let words = ask.flags.keywords.client_owned();
    let system = ask.flags.system;
    match ask.change {
        FlagChange::Add => {
            Flags { system: old.system | system, keywords: old.keywords.with(&words) }
        }
        FlagChange::Remove => {
            Flags { system: old.system.without(system), keywords: old.keywords.without(&words) }
        }
        FlagChange::Replace => Flags { system, keywords: old.keywords.server_owned().with(&words) },
    }
}

fn stored(flagged: Flagged, echo: bool) -> Stored {
    let row = |row: MessageRow| FlagRow { uid: row.uid, modseq: row.mod_seq, flags: row.flags };
    Stored {
        changed: flagged.changed,
        modseq: flagged.mod_seq,
        before: flagged.before,
        modified: flagged.modified,
        rows: if echo { flagged.rows.into_iter().map(row).collect() } else { Vec::new() },
    }
}

/// Judges a copy or move before its first batch, so that what is refused changes nothing; says how
/// many messages are done at one go.
pub fn may_go(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: &UidSet,
    to: &MailboxName,
    copied: bool,
) -> Answered<usize> {
    let from = owned(tx, who, id)?;
    let to = target(tx, who, to)?;
    let kinds = change::kinds(tx, &from, uids)?;
    may_enter(who, &to, &kinds)?;
    if to.role == Role::Opening {
        return Ok(OPENED);
    }
    if copied && to.role != Role::Label {
        may_be_copied(tx, who, &to, &kinds)?;
        quota::has_room_for(tx, who, &from, uids, &to)?;
    }
    Ok(PLACED)
}

/// Takes back copies of batches before one that failed (RFC 9051 §6.4.7: all or none).
pub fn take_back(
    tx: &mut Tx<'_>,
    who: &Who,
    to: &MailboxName,
    uid_validity: u32,
    uids: &UidSet,
) -> Answered<()> {
    let to = target(tx, who, to)?;
    let to = changing(tx, who, to.id)?;
    if to.uid_validity != uid_validity {
        // Deleted and made anew meanwhile: these UIDs are other messages there.
        return Ok(());
    }
    // What got a label keeps it: nobody knows which had it before.
    if to.role == Role::Label {
        return Ok(());
    }
    change::remove_all(tx, &to, uids)?;
    Ok(())
}

pub(super) fn may_be_copied(
    tx: &mut Tx<'_>,
    who: &Who,
    to: &Mailbox,
    kinds: &BTreeSet<Kind>,
) -> Answered<()> {
    super::may_add(tx, who)?;
    // Into the trash is how programs without MOVE delete. An unopened copy there is opened with
    // all others of the message.
    let unopened = kinds.contains(&Kind::Stub) || kinds.contains(&Kind::Sealed);
    match unopened && to.role != Role::Trash {
        true => Err(Failure::said(words::OPEN_BEFORE_COPY)),
        false => Ok(()),
    }
}

pub fn copy(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: &UidSet,
    to: &MailboxName,
) -> Answered<Option<Placed>> {
    let from = changing(tx, who, id)?;
    if let Some(to) = labelling::named(tx, who, to)? {
        return labelling::copy(tx, who, &from, uids, &to);
    }
    if from.role.is_gathered() {
        return gathered::copy(tx, who, &from, uids, to);
    }
    let to = target(tx, who, to)?;
    let kinds = change::kinds(tx, &from, uids)?;
    may_enter(who, &to, &kinds)?;
    if to.role == Role::Opening {
        // QUIRK(kep, 2026-11): a copy takes its source away here; docs/quirks.md#22
        // Programs without MOVE copy, and then delete what they copied.
        open_all(tx, who, &from, uids)?;
        return Ok(None);
    }
    may_be_copied(tx, who, &to, &kinds)?;
    quota::has_room_for(tx, who, &from, uids, &to)?;
    let placed = change::copy(tx, &from, uids, &to, who.now)?;
    Ok(Some(placed_in(&to, placed)))
}

pub fn move_to(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: &UidSet,
    to: &MailboxName,
) -> Answered<Moved> {
    let from = changing(tx, who, id)?;
    if let Some(to) = labelling::named(tx, who, to)? {
        return labelling::move_to(tx, who, &from, uids, &to);
    }
    if from.role.is_gathered() {
        let moved = gathered::move_to(tx, who, &from, uids, to)?;
        let to = target(tx, who, to)?;
        labelling::left(tx, who, &from, &to, &moved)?;
        return Ok(moved);
    }
    let to = target(tx, who, to)?;
    may_enter(who, &to, &change::kinds(tx, &from, uids)?)?;
    if to.role == Role::Opening {
        return Ok(Moved { placed: None, gone: open_all(tx, who, &from, uids)? });
    }
    let placed = change::move_all(tx, &from, uids, &to, who.now)?;
    let gone = placed.from.clone();
    Ok(Moved { placed: Some(placed_in(&to, placed)), gone })
}

/// Which messages an expunge is to remove.
pub fn marked(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: Option<&UidSet>,
) -> Answered<UidSet> {
    let mailbox = owned(tx, who, id)?;
    let all = UidSet::range(1, u32::MAX);
    let deleted = SystemFlags::DELETED.bits();
    Ok(change::flagged(tx, &mailbox, uids.unwrap_or(&all), deleted)?)
}

/// Removes those of `uids` that are marked still.
pub fn expunge(tx: &mut Tx<'_>, who: &Who, id: MailboxId, uids: &UidSet) -> Answered<UidSet> {
    let mailbox = changing(tx, who, id)?;
    if mailbox.role == Role::Label {
        return labelling::expunge(tx, who, &mailbox, uids);
    }
    if mailbox.role.is_gathered() {
        return gathered::expunge(tx, who, &mailbox, uids);
    }
    let marked = change::flagged(tx, &mailbox, uids, SystemFlags::DELETED.bits())?;
    Ok(change::remove_all(tx, &mailbox, &marked)?)
}

/// Whether messages of these kinds may be put into a mailbox.
pub(super) fn may_enter(who: &Who, to: &Mailbox, kinds: &BTreeSet<Kind>) -> Answered<()> {
    let all = |kind: Kind| kinds.iter().all(|other| *other == kind);
    // Who may not open by fetching opens by moving, whatever lies there.
    let moves = who.opening == Some(OpeningMode::Sealed);
    let opens = |kind: &Kind| *kind == Kind::Stub || (moves && *kind == Kind::Sealed);
    match to.role {
        Role::Opening if !kinds.iter().all(opens) => Err(Failure::said(words::ONLY_STUBS_OPEN)),
        Role::Evidence if !all(Kind::Evidence) => Err(Failure::said(words::ONLY_EVIDENCE)),
        Role::Held => Err(Failure::said(words::ONLY_SERVER)),
        Role::Hidden => Err(Refusal::NoSuchTarget.into()),
        Role::All | Role::Flagged => Err(Refusal::Cannot.into()),
        _ => Ok(()),
    }
}

/// The explicit act of opening: says which notices went from here. A dispatch that lay unopened
/// itself stays where it is, opened.
pub(super) fn open_all(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    uids: &UidSet,
) -> Answered<UidSet> {
    let unopened = view::rows(tx, from, uids)?;
    let messages: BTreeSet<_> = unopened.iter().filter_map(|row| row.message_id.clone()).collect();
    for message in messages {
        open(tx, who, message)?;
    }
    let stubs = unopened.iter().filter(|row| row.kind == Kind::Stub);
    Ok(stubs.map(|row| row.uid).collect())
}

/// Records that the person opened a message; it counts once the transaction is durable.
pub fn open(tx: &mut Tx<'_>, who: &Who, message: MessageId) -> Answered<()> {
    let opening = opening::Opening {
        account: who.account,
        message,
        channel: Channel::Imap,
        person: who.person.clone(),
        at: who.now,
    };
    opening::open(tx, &opening)?;
    Ok(())
}

pub(super) fn placed_in(to: &Mailbox, placed: change::Placed) -> Placed {
    Placed { uid_validity: to.uid_validity, from: placed.from, to: placed.to }
}

/// Octets of one message's keywords: hundreds of labels.
pub const KEYWORDS_MAX: usize = 8192;

/// Messages removed at one go: others may write in between.
pub const EXPUNGED: usize = 512;
/// Copied or moved at one go.
const PLACED: usize = 1024;
/// Opened at one go.
const OPENED: usize = 64;
