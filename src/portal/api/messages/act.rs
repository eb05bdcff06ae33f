//! What is done with one message, in one transaction.

use super::OneMessage;
use super::content::check_open;
use super::shown::Message;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Json, Tagged};
use crate::portal::api::filing;
use crate::portal::api::kinds::{LabelKey, LabelWords, MailboxKey, MailboxWord, MessageKey};
use crate::portal::api::mailboxes;
use crate::portal::api::problem::Problem;
use crate::portal::api::submissions::{self, Timeline};
use crate::registry::labels;
use crate::registry::operators::Act;
use crate::registry::operators::deeds::{Deed, Filing};
use crate::spool::fact::Channel;
use crate::spool::opening::{self, Opening};
use crate::store::Tx;
use crate::store::mail::origin::{Origin, origin};
use crate::store::mail::view::{self, Mailbox, MessageRow};
use crate::store::mail::{self, Kind, Place, Role, change, page, trash};
use crate::wire::imap::{Flags, Keywords, SystemFlags, UidSet};
use serde::Deserialize;
use std::cell::Cell;
use utoipa::ToSchema;

/// The message of that key, if it is the account's, with its header. What is gathered is named by where
/// it stands.
pub fn find(tx: &mut Tx<'_>, call: &Call, key: MessageKey) -> Answered<(Mailbox, MessageRow)> {
    let place = key.0.ok_or(Problem::MessageUnknown)?;
    let mailbox = view::owned(tx, call.account_id()?, place.mailbox)?;
    let mailbox = mailbox.filter(|mailbox| !mailbox.role.is_gathered());
    let mailbox = mailbox.ok_or(Problem::MessageUnknown)?;
    let row = page::shown(tx, &mailbox, &[place.uid])?.pop().ok_or(Problem::MessageUnknown)?;
    Ok((mailbox, row))
}

/// The same, to change it: until the transaction ends nobody else does.
pub fn changing(tx: &mut Tx<'_>, call: &Call, key: MessageKey) -> Answered<(Mailbox, MessageRow)> {
    // Accounts are locked before their mailboxes.
    call.may_file_in(tx)?;
    if let Some(place) = key.0.filter(|_| tx.shared()) {
        view::owned(tx, call.account_id()?, place.mailbox)?.ok_or(Problem::MessageUnknown)?;
        mail::lock(tx, place.mailbox)?;
    }
    find(tx, call, key)
}

/// A message as it stands now.
fn standing(tx: &mut Tx<'_>, call: &Call, place: Place) -> Answered<Tagged<Message>> {
    let (mailbox, row) = find(tx, call, MessageKey(Some(place)))?;
    Ok(tagged(&mailbox, &row))
}

fn tagged(mailbox: &Mailbox, row: &MessageRow) -> Tagged<Message> {
    Tagged(Message::of(row, row.place(mailbox)), row.mod_seq.to_string())
}

pub fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage) -> Answered<Tagged<Message>> {
    let (mailbox, row) = find(tx, call, ask.message)?;
    Ok(tagged(&mailbox, &row))
}

pub fn timeline(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage) -> Answered<Json<Timeline>> {
    let (_, row) = find(tx, call, ask.message)?;
    match row.message_id {
        Some(id) => submissions::timeline_of(tx, call, &id),
        None => Ok(Json(Timeline::default())),
    }
}

/// The read fact is durable before this says where the content is (invariant 3).
pub fn open(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage, (): &()) -> Answered<Tagged<Message>> {
    let (mailbox, row) = changing(tx, call, ask.message)?;
    let message = match (row.kind, &row.message_id) {
        (Kind::Dispatch, _) => return Ok(tagged(&mailbox, &row)),
        (Kind::Sealed | Kind::Stub, Some(message)) => message.clone(),
        _ => return Err(Problem::NothingToOpen),
    };
    let (account, person) = (call.account_id()?, call.person()?);
    let opening = Opening { account, message, channel: Channel::Api, person, at: call.now };
    let places = opening::open(tx, &opening)?;
    let same = places.iter().find(|place| **place == row.place(&mailbox));
    let place = same.or(places.first()).copied().ok_or(Problem::MessageUnknown)?;
    standing(tx, call, place)
}

/// What becomes of a message; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageChange {
    #[schema(example = true)]
    seen: Option<bool>,
    /// Önemli.
    #[schema(example = true)]
    starred: Option<bool>,
    #[schema(example = false)]
    answered: Option<bool>,
    /// Keys of labels that it gets.
    #[schema(inline)]
    add_labels: Option<LabelWords>,
    /// Keys of labels that it loses.
    #[schema(inline)]
    remove_labels: Option<LabelWords>,
}

pub fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneMessage,
    new: &Json<MessageChange>,
) -> Answered<Tagged<Message>> {
    let (mailbox, row) = changing(tx, call, ask.message)?;
    call.matches(&row.mod_seq.to_string())?;
    let new = &new.0;
    let add = known(tx, call, new.add_labels.as_ref())?;
    let remove = known(tx, call, new.remove_labels.as_ref())?;
    let marks = [
        (new.seen, SystemFlags::SEEN),
        (new.starred, SystemFlags::FLAGGED),
        (new.answered, SystemFlags::ANSWERED),
    ];
    let too_many = Cell::new(false);
    let changed = |old: &Flags| {
        let mut system = old.system;
        for (wish, flag) in marks {
            match wish {
                Some(true) => system = system | flag,
                Some(false) => system = system.without(flag),
                None => {}
            }
        }
        let keywords = old.keywords.without(&remove).with(&add);
        too_many.set(keywords.as_str().len() > KEYWORDS);
        Flags { system, keywords }
    };
    let flagged = change::set_flags(tx, &mailbox, &UidSet::one(row.uid), None, &changed)?;
    if too_many.get() {
        return Err(Problem::KeywordsMany);
    }
    let altered = !flagged.changed.is_empty();
    let now = flagged.rows.into_iter().next().ok_or(Problem::MessageUnknown)?;
    let labels = marks.iter().all(|(wish, _)| wish.is_none());
    let what = if labels { "label" } else { "flags" };
    if altered {
        filing::done(tx, call, &filing::message(Filing::File, what, &mailbox, &row))?;
    }
    standing(tx, call, now.place(&mailbox))
}

/// The keywords of labels that the account has.
fn known(tx: &mut Tx<'_>, call: &Call, wanted: Option<&LabelWords>) -> Answered<Keywords> {
    let wanted = wanted.map(|words| words.0.as_slice()).unwrap_or_default();
    if wanted.is_empty() {
        return Ok(Keywords::default());
    }
    let all = labels::all(tx, call.account_id()?)?;
    let one = |key: &LabelKey| {
        let keyword = key.keyword().ok_or(Problem::LabelUnknown)?;
        let same =
            |label: &&labels::Label| label.key.as_str().eq_ignore_ascii_case(keyword.as_str());
        let label = all.iter().find(same).ok_or(Problem::LabelUnknown)?;
        Ok(label.key.clone())
    };
    wanted.iter().map(one).collect()
}

/// Where a message goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// A mailbox: its part or its number.
    #[schema(inline)]
    mailbox: MailboxWord,
}

pub fn move_to(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneMessage,
    to: &Json<Move>,
) -> Answered<Tagged<Message>> {
    let (from, row) = changing(tx, call, ask.message)?;
    let to = mailboxes::find(tx, call.account_id()?, to.0.mailbox.0)?;
    let filed = match to.role {
        _ if to.is_trash() => Filing::Delete,
        Role::Drafts => Filing::Draft,
        _ => Filing::File,
    };
    match filed {
        Filing::Delete => call.on_duty(Act::Delete)?,
        Filing::Draft => call.on_duty(Act::Draft)?,
        Filing::Keep | Filing::File => {}
    }
    let evidence = row.kind == Kind::Evidence;
    let takes = match to.role {
        Role::Evidence => evidence,
        Role::Held | Role::Opening | Role::Hidden => false,
        role => !role.is_gathered(),
    };
    match takes {
        true => put(tx, call, &from, &row, &to, filed),
        false => Err(Problem::MailboxTakesNone(to.name)),
    }
}

fn put(
    tx: &mut Tx<'_>,
    call: &Call,
    from: &Mailbox,
    row: &MessageRow,
    to: &Mailbox,
    filed: Filing,
) -> Answered<Tagged<Message>> {
    if from.id == to.id {
        return Ok(tagged(from, row));
    }
    let placed = change::move_all(tx, from, &UidSet::one(row.uid), to, call.now)?;
    let uid = placed.to.first().ok_or(Problem::MessageUnknown)?;
    filing::done(tx, call, &went(filed, "move", (from, row), to))?;
    standing(tx, call, Place { mailbox: to.id, uid })
}

fn went(
    filed: Filing,
    what: &'static str,
    (from, row): (&Mailbox, &MessageRow),
    to: &Mailbox,
) -> Deed {
    Deed { to: Some(to.name.clone()), ..filing::message(filed, what, from, row) }
}

pub fn archive(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneMessage,
    (): &(),
) -> Answered<Tagged<Message>> {
    let (from, row) = changing(tx, call, ask.message)?;
    let role = match origin(tx, call.account_id()?, &row)? {
        Origin::Incoming => Role::ArchiveIn,
        Origin::Outgoing => Role::ArchiveOut,
    };
    let to = mailboxes::of_role(tx, call.account_id()?, role)?;
    put(tx, call, &from, &row, &to, Filing::File)
}

pub fn trash(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage, (): &()) -> Answered<Tagged<Message>> {
    let (from, row) = changing(tx, call, ask.message)?;
    if from.is_trash() {
        return Ok(tagged(&from, &row));
    }
    let to = mailboxes::of_role(tx, call.account_id()?, Role::Trash)?;
    call.on_duty(Act::Delete)?;
    let placed = trash::discard(tx, &from, &UidSet::one(row.uid), call.now)?;
    let uid = placed.to.first().ok_or(Problem::MessageUnknown)?;
    filing::done(tx, call, &went(Filing::Delete, "move", (&from, &row), &to))?;
    standing(tx, call, Place { mailbox: to.id, uid })
}

pub fn restore(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneMessage,
    (): &(),
) -> Answered<Tagged<Message>> {
    let (from, row) = changing(tx, call, ask.message)?;
    if !from.is_trash() {
        return Err(Problem::NotTrash);
    }
    let restored = trash::restore(tx, &from, &UidSet::one(row.uid), call.now)?;
    let back = restored.first().ok_or(Problem::MessageUnknown)?;
    let uid = back.placed.to.first().ok_or(Problem::MessageUnknown)?;
    let to = mailboxes::find(tx, call.account_id()?, MailboxKey::Number(back.to))?;
    filing::done(tx, call, &went(Filing::File, "restore", (&from, &row), &to))?;
    standing(tx, call, Place { mailbox: back.to, uid })
}

/// For good. What is not open yet waits until it is, or its time to read has ended.
pub fn delete(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage, (): &()) -> Answered<Done> {
    let (from, row) = changing(tx, call, ask.message)?;
    if !from.is_trash() {
        return Err(Problem::NotTrash);
    }
    if row.kind == Kind::Sealed {
        check_open(&row)?;
    }
    call.on_duty(Act::Delete)?;
    change::remove_all(tx, &from, &UidSet::one(row.uid))?;
    filing::done(tx, call, &filing::message(Filing::Delete, "expunge", &from, &row))?;
    Ok(Done)
}

/// Octets of one message's keywords: hundreds of labels (as by IMAP).
const KEYWORDS: usize = 8192;
