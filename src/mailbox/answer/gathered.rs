//! Changes through a virtual mailbox: each is made to the message that is shown, and shown at once.
//! What is expunged goes into the trash, for it stands elsewhere.

use super::messages::{self, changed, may_be_copied, may_enter, placed_in};
use super::{Answered, Failure, Who, changing, owned, quota, target};
use crate::mailbox::ask::{self, Ask, FlagRow, Moved, Placed, Refusal, Search, Stored};
use crate::store::Tx;
use crate::store::mail::gather::{self, Member};
use crate::store::mail::view::{self, Mailbox};
use crate::store::mail::{Place, Role, change, trash, tree};
use crate::wire::imap::{Flags, MailboxName, SystemFlags, UidSet};
use crate::wire::{AccountId, MailboxId};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Which virtual mailboxes an ask looks at.
pub enum Look {
    Named(MailboxName),
    Number(MailboxId),
    /// All whose counts may be told: where only subscribed ones are listed, those.
    Listed {
        subscribed: bool,
    },
}

/// `None`: at none. Of mailboxes by number only the one that is selected is looked at.
pub fn look(ask: &Ask, selected: Option<MailboxId>) -> Option<Look> {
    match ask {
        Ask::Select { name, .. } | Ask::Open { name } | Ask::Status { name, .. } => {
            tree::is_reserved(name).then(|| Look::Named(name.clone()))
        }
        Ask::Mailboxes(want) => want.status.map(|_| Look::Listed { subscribed: want.missing }),
        Ask::Changes { mailbox, .. }
        | Ask::News { mailbox, .. }
        | Ask::Search(Search { mailbox, .. }) => {
            selected.filter(|id| id == mailbox).map(Look::Number)
        }
        _ => None,
    }
}

pub fn found(tx: &mut Tx<'_>, account: AccountId, look: &Look) -> Answered<Vec<MailboxId>> {
    let found: Vec<_> = match look {
        Look::Number(id) => return Ok(vec![*id]),
        Look::Named(name) => view::named(tx, account, name.as_str())?.into_iter().collect(),
        Look::Listed { subscribed } => {
            let mut all = view::mailboxes(tx, account)?;
            all.retain(|mailbox| mailbox.subscribed || !subscribed);
            all
        }
    };
    Ok(found.into_iter().filter(|it| it.role.is_gathered()).map(|it| it.id).collect())
}

/// The messages behind these, which are made right first.
pub(super) fn behind(tx: &mut Tx<'_>, shown: &Mailbox, uids: &UidSet) -> Answered<Vec<Member>> {
    let before = gather::members(tx, shown, uids)?;
    gather::gather(tx, shown, &places(&before))?;
    Ok(gather::members(tx, shown, uids)?)
}

fn places(members: &[Member]) -> Vec<Place> {
    members.iter().map(|member| member.source).collect()
}

/// The message that a virtual mailbox shows under a UID.
pub fn source(tx: &mut Tx<'_>, who: &Who, shown: &Mailbox, uid: u32) -> Answered<(Mailbox, u32)> {
    let member = gather::members(tx, shown, &UidSet::one(uid))?.pop().ok_or(Refusal::Gone)?;
    let mailbox = view::owned(tx, who.account, member.source.mailbox)?.ok_or(Refusal::Gone)?;
    Ok((mailbox, member.source.uid))
}

/// The same, to change it.
pub fn changing_source(
    tx: &mut Tx<'_>,
    who: &Who,
    shown: &Mailbox,
    uid: u32,
) -> Answered<(Mailbox, u32)> {
    let member = behind(tx, shown, &UidSet::one(uid))?.pop().ok_or(Refusal::Gone)?;
    Ok((changing(tx, who, member.source.mailbox)?, member.source.uid))
}

pub fn store(tx: &mut Tx<'_>, who: &Who, shown: &Mailbox, ask: &ask::Store) -> Answered<Stored> {
    let behind = behind(tx, shown, &ask.uids)?;
    let since = ask.unchanged_since.unwrap_or(u64::MAX);
    let (members, stale): (Vec<_>, Vec<_>) = behind.into_iter().partition(|m| m.mod_seq <= since);
    let flagged = set_flags(tx, who, &members, &|old: &Flags| changed(old, ask))?;
    gather::gather(tx, shown, &places(&members))?;
    let shown = owned(tx, who, shown.id)?;
    let mut stored = Stored {
        modseq: shown.mod_seq,
        modified: stale.iter().map(|member| member.uid).collect(),
        ..Stored::default()
    };
    for member in members {
        let new = flagged.get(&member.source);
        let is_changed = new.is_some_and(|new| *new != member.flags);
        if is_changed {
            stored.changed.insert(member.uid);
            stored.before.entry(member.mod_seq).or_default().insert(member.uid);
        }
        if let Some(flags) = new.cloned().filter(|_| ask.echo) {
            let modseq = if is_changed { shown.mod_seq } else { member.mod_seq };
            stored.rows.push(FlagRow { uid: member.uid, modseq, flags });
        }
    }
    Ok(stored)
}

/// What the flags are after the change.
fn set_flags(
    tx: &mut Tx<'_>,
    who: &Who,
    members: &[Member],
    change: &dyn Fn(&Flags) -> Flags,
) -> Answered<BTreeMap<Place, Flags>> {
    let too_many = Cell::new(false);
    let bounded = |old: &Flags| {
        let new = change(old);
        too_many.set(too_many.get() || messages::is_too_long(&new));
        new
    };
    let mut all = BTreeMap::new();
    for (source, uids) in gather::by_source(places(members)) {
        let mailbox = changing(tx, who, source)?;
        let flagged = change::set_flags(tx, &mailbox, &uids, None, &bounded)?;
        all.extend(flagged.rows.into_iter().map(|row| (row.place(&mailbox), row.flags)));
    }
    match too_many.get() {
        true => Err(Refusal::Limit.into()),
        false => Ok(all),
    }
}

/// To the trash with those that are marked still; says which went from here.
/// QUIRK(kep, 2026-11): expunged from a virtual mailbox is not removed for good; docs/quirks.md#53
pub fn expunge(tx: &mut Tx<'_>, who: &Who, shown: &Mailbox, uids: &UidSet) -> Answered<UidSet> {
    let mut members = behind(tx, shown, uids)?;
    members.retain(|member| member.flags.system.has(SystemFlags::DELETED));
    for (source, uids) in gather::by_source(places(&members)) {
        let mailbox = changing(tx, who, source)?;
        trash::discard(tx, &mailbox, &uids, who.now)?;
    }
    gather::gather(tx, shown, &places(&members))?;
    Ok(members.iter().map(|member| member.uid).collect())
}

pub fn copy(
    tx: &mut Tx<'_>,
    who: &Who,
    shown: &Mailbox,
    uids: &UidSet,
    to: &MailboxName,
) -> Answered<Option<Placed>> {
    Ok(carry(tx, who, shown, uids, to, true)?.placed)
}

pub fn move_to(
    tx: &mut Tx<'_>,
    who: &Who,
    shown: &Mailbox,
    uids: &UidSet,
    to: &MailboxName,
) -> Answered<Moved> {
    carry(tx, who, shown, uids, to, false)
}

fn carry(
    tx: &mut Tx<'_>,
    who: &Who,
    shown: &Mailbox,
    uids: &UidSet,
    to: &MailboxName,
    copied: bool,
) -> Answered<Moved> {
    let members = behind(tx, shown, uids)?;
    let to = target(tx, who, to)?;
    let kinds = members.iter().map(|member| member.kind).collect();
    may_enter(who, &to, &kinds)?;
    if to.role == Role::Opening {
        let gone = messages::open_all(tx, who, shown, uids)?;
        gather::gather(tx, shown, &places(&members))?;
        // A copy of a notice takes it away, and nobody is told how: it vanishes.
        return Ok(Moved { placed: None, gone });
    }
    if copied {
        may_be_copied(tx, who, &to, &kinds)?;
        quota::has_room_for(tx, who, shown, uids, &to)?;
    }
    let mut placed = change::Placed::default();
    // In the order in which they are shown, as COPYUID pairs them up.
    for run in members.chunk_by(|one, next| follows(one.source, next.source)) {
        let Some(first) = run.first() else { continue };
        let from = changing(tx, who, first.source.mailbox)?;
        let uids = run.iter().map(|member| member.source.uid).collect();
        let there = match copied {
            true => change::copy(tx, &from, &uids, &to, who.now)?,
            false => change::move_all(tx, &from, &uids, &to, who.now)?,
        };
        if there.from != uids {
            return Err(Failure::Refused(Refusal::Unavailable));
        }
        placed.from = placed.from.union(&run.iter().map(|member| member.uid).collect());
        placed.to = placed.to.union(&there.to);
    }
    if copied {
        return Ok(Moved { placed: Some(placed_in(&to, placed)), gone: UidSet::new() });
    }
    gather::gather(tx, shown, &places(&members))?;
    let gone = placed.from.clone();
    Ok(Moved { placed: Some(placed_in(&to, placed)), gone })
}

fn follows(one: Place, next: Place) -> bool {
    one.mailbox == next.mailbox && one.uid < next.uid
}
