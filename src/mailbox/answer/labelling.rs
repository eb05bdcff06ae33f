//! Mailboxes for labels: what is put into one gets its label, and stays where it is; what is taken
//! out loses it.

use super::messages::{self, is_too_long};
use super::{Answered, Failure, Who, changing, gathered};
use crate::mailbox::ask::{self, Moved, Placed, Refusal, Stored};
use crate::registry::labels::{self, LabelError};
use crate::store::mail::gather::{self, is_source};
use crate::store::mail::view::{self, Mailbox};
use crate::store::mail::{Place, Role, change};
use crate::store::{Tx, accounts};
use crate::wire::imap::{Flags, Keywords, MailboxName, SystemFlags, Uid, UidSet};
use std::cell::Cell;

/// The mailbox of that name, if it is one for a label.
pub fn named(tx: &mut Tx<'_>, who: &Who, name: &MailboxName) -> Answered<Option<Mailbox>> {
    let found = view::named(tx, who.account, name.as_str())?;
    Ok(found.filter(|mailbox| mailbox.role == Role::Label))
}

/// Keywords that come with messages are labels from then on.
pub fn learn(tx: &mut Tx<'_>, who: &Who, words: &Keywords) -> Answered<()> {
    labels::learn(tx, who.account, words, who.now).map_err(failure)
}

/// Gives messages keywords, which are labels from then on if any message bears them now.
pub fn store(tx: &mut Tx<'_>, who: &Who, ask: &ask::Store, words: &Keywords) -> Answered<Stored> {
    let new = labels::unknown(tx, who.account, words).map_err(failure)?;
    if !new.is_empty() {
        // Accounts are locked before their mailboxes.
        accounts::lock(tx, who.account)?;
    }
    let stored = messages::store(tx, who, ask)?;
    if !stored.changed.is_empty() {
        labels::enter(tx, who.account, new, who.now).map_err(failure)?;
    }
    Ok(stored)
}

fn failure(error: LabelError) -> Failure {
    match error {
        LabelError::Registry(error) => Failure::Registry(error),
        _ => Refusal::Unavailable.into(),
    }
}

pub fn copy(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    uids: &UidSet,
    to: &Mailbox,
) -> Answered<Option<Placed>> {
    let sources = sources(tx, from, uids)?;
    let places: Vec<_> = sources.iter().map(|(_, place)| *place).collect();
    let label = label(to);
    let put = |old: &Flags| Flags { keywords: old.keywords.with(&label), ..old.clone() };
    set(tx, who, &places, &put)?;
    gather::gather(tx, to, &places)?;
    let shown = gather::shown(tx, to, &places)?;
    let pairs = sources.iter().filter_map(|(uid, place)| Some((*uid, *shown.get(place)?)));
    Ok(paired(to, &pairs.collect::<Vec<_>>()))
}

/// QUIRK(kep, 2026-11): what is moved here stays where it was, too; docs/quirks.md#49
/// From one label to another it loses the first.
pub fn move_to(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    uids: &UidSet,
    to: &Mailbox,
) -> Answered<Moved> {
    let placed = copy(tx, who, from, uids, to)?;
    match from.role == Role::Label && from.id != to.id {
        true => Ok(Moved { placed, gone: take_off(tx, who, from, uids, SystemFlags::default())? }),
        false => Ok(Moved { placed, gone: UidSet::new() }),
    }
}

/// Takes the label off what is marked as deleted, and the mark too: the message stays.
pub fn expunge(tx: &mut Tx<'_>, who: &Who, from: &Mailbox, uids: &UidSet) -> Answered<UidSet> {
    let mut members = gathered::behind(tx, from, uids)?;
    members.retain(|member| member.flags.system.has(SystemFlags::DELETED));
    let marked = members.iter().map(|member| member.uid).collect();
    take_off(tx, who, from, &marked, SystemFlags::DELETED)
}

/// What was moved from a mailbox for a label to another one is not to come back to it; in the trash
/// it keeps its labels, so that it has them when it is restored.
pub fn left(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    to: &Mailbox,
    moved: &Moved,
) -> Answered<()> {
    let placed = moved.placed.as_ref().filter(|_| from.role == Role::Label && !to.is_trash());
    let Some(placed) = placed else { return Ok(()) };
    let places: Vec<_> = placed.to.iter().map(|uid| Place { mailbox: to.id, uid }).collect();
    let label = label(from);
    let without = |old: &Flags| Flags { keywords: old.keywords.without(&label), ..old.clone() };
    set(tx, who, &places, &without)?;
    Ok(gather::gather(tx, from, &places)?)
}

fn take_off(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    uids: &UidSet,
    marks: SystemFlags,
) -> Answered<UidSet> {
    let sources = sources(tx, from, uids)?;
    let places: Vec<_> = sources.iter().map(|(_, place)| *place).collect();
    let label = label(from);
    let without = |old: &Flags| Flags {
        system: old.system.without(marks),
        keywords: old.keywords.without(&label),
    };
    set(tx, who, &places, &without)?;
    gather::gather(tx, from, &places)?;
    Ok(sources.into_iter().map(|(uid, _)| uid).collect())
}

/// The messages themselves, by the UIDs under which they are shown.
fn sources(tx: &mut Tx<'_>, from: &Mailbox, uids: &UidSet) -> Answered<Vec<(Uid, Place)>> {
    if from.role.is_gathered() {
        let members = gathered::behind(tx, from, uids)?;
        return Ok(members.into_iter().map(|member| (member.uid, member.source)).collect());
    }
    // What was thrown away is shown by no label.
    if !is_source(from) {
        return Err(Refusal::Cannot.into());
    }
    let rows = view::rows(tx, from, uids)?;
    Ok(rows.iter().map(|row| (row.uid, row.place(from))).collect())
}

fn set(
    tx: &mut Tx<'_>,
    who: &Who,
    places: &[Place],
    change: &dyn Fn(&Flags) -> Flags,
) -> Answered<()> {
    let too_many = Cell::new(false);
    let bounded = |old: &Flags| {
        let new = change(old);
        too_many.set(too_many.get() || is_too_long(&new));
        new
    };
    for (source, uids) in gather::by_source(places.iter().copied()) {
        let mailbox = changing(tx, who, source)?;
        change::set_flags(tx, &mailbox, &uids, None, &bounded)?;
    }
    match too_many.get() {
        true => Err(Refusal::Limit.into()),
        false => Ok(()),
    }
}

fn label(of: &Mailbox) -> Keywords {
    of.label.iter().cloned().collect()
}

/// Sets pair up in ascending order (RFC 4315 §3): what was there before may break it, and then
/// nothing is said.
fn paired(to: &Mailbox, pairs: &[(Uid, Uid)]) -> Option<Placed> {
    let grows = pairs.windows(2).all(|two| matches!(two, [a, b] if a.0 < b.0 && a.1 < b.1));
    (grows && !pairs.is_empty()).then(|| Placed {
        uid_validity: to.uid_validity,
        from: pairs.iter().map(|pair| pair.0).collect(),
        to: pairs.iter().map(|pair| pair.1).collect(),
    })
}
