//! The trash: what is in it knows where it was and can be put back there, and goes for good when it
//! has been in it for long. Evidence is none of a mailbox's messages and stays (invariant 5); of a
//! notice that goes the message stays hidden until its time to read ends.

use super::change::{Placed, move_all, remove_all, set_flags};
use super::gather::is_source;
use super::origin::{Origin, origin};
use super::view::{self, Mailbox, MessageRow};
use super::{Kind, Role, lock, of_role, places_of};
use crate::store::rows::{Lane, RowsError, Tx};
use crate::store::{Store, StoreError, accounts};
use crate::wire::imap::{Flags, SystemFlags, Uid, UidSet};
use crate::wire::{AccountId, MailboxId, MessageId, Timestamp};
use std::collections::BTreeMap;

/// Messages that are back where they were.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    pub to: MailboxId,
    pub placed: Placed,
}

/// Throws messages away: they come into the trash, not marked as deleted any more.
pub fn discard(
    tx: &mut Tx<'_>,
    from: &Mailbox,
    uids: &UidSet,
    now: Timestamp,
) -> Result<Placed, RowsError> {
    let id = of_role(tx, from.account, Role::Trash)?;
    let trash = view::owned(tx, from.account, id)?.ok_or(RowsError::Missing("trash"))?;
    let placed = move_all(tx, from, uids, &trash, now)?;
    let unmarked = |flags: &Flags| Flags {
        system: flags.system.without(SystemFlags::DELETED),
        ..flags.clone()
    };
    set_flags(tx, &trash, &placed.to, None, &unmarked)?;
    Ok(placed)
}

/// Puts messages from the trash back to where they were; when that is gone, or isn't known, to where
/// such messages come. The account must be locked.
pub fn restore(
    tx: &mut Tx<'_>,
    trash: &Mailbox,
    uids: &UidSet,
    now: Timestamp,
) -> Result<Vec<Restored>, RowsError> {
    if !trash.is_trash() {
        return Ok(Vec::new());
    }
    lock(tx, trash.id)?;
    let came_from = came_from(tx, trash, uids)?;
    let mut targets: BTreeMap<MailboxId, (Mailbox, UidSet)> = BTreeMap::new();
    for row in view::rows(tx, trash, uids)? {
        let was = came_from.get(&row.uid).copied();
        let target = target(tx, trash.account, was, &row)?;
        let of = targets.entry(target.id).or_insert_with(|| (target, UidSet::new()));
        of.1.insert(row.uid);
    }
    let mut restored = Vec::new();
    for (to, (mailbox, uids)) in targets {
        restored.push(Restored { to, placed: move_all(tx, trash, &uids, &mailbox, now)? });
    }
    Ok(restored)
}

/// What the account has of a provider's message in its trash.
pub fn of_message(
    tx: &mut Tx<'_>,
    trash: &Mailbox,
    message: &MessageId,
) -> Result<UidSet, RowsError> {
    let mut uids = UidSet::new();
    for kind in [Kind::Plain, Kind::Dispatch, Kind::Sealed, Kind::Stub, Kind::Evidence] {
        let places = places_of(tx, trash.account, message, kind)?;
        let there = places.iter().filter(|place| place.mailbox == trash.id);
        there.for_each(|place| uids.insert(place.uid));
    }
    Ok(uids)
}

fn came_from(
    tx: &mut Tx<'_>,
    trash: &Mailbox,
    uids: &UidSet,
) -> Result<BTreeMap<Uid, MailboxId>, RowsError> {
    let mut known = BTreeMap::new();
    for (first, last) in view::spans(uids) {
        let rows = tx.query(
            "SELECT uid, came_from FROM message
             WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 AND came_from IS NOT NULL",
            &[trash.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        for row in &rows {
            known.insert(view::uid(row, 0)?, MailboxId(row.int(1)?));
        }
    }
    Ok(known)
}

fn target(
    tx: &mut Tx<'_>,
    account: AccountId,
    was: Option<MailboxId>,
    row: &MessageRow,
) -> Result<Mailbox, RowsError> {
    if let Some(was) = was
        && let Some(mailbox) = view::owned(tx, account, was)?.filter(is_source)
    {
        return Ok(mailbox);
    }
    let role = match row.kind {
        Kind::Evidence => Role::Evidence,
        _ if row.flags.system.has(SystemFlags::DRAFT) => Role::Drafts,
        _ => match origin(tx, account, row)? {
            Origin::Incoming => Role::Inbox,
            Origin::Outgoing => Role::Sent,
        },
    };
    let id = of_role(tx, account, role)?;
    view::owned(tx, account, id)?.ok_or(RowsError::Missing("mailbox of a role"))
}

/// Removes for good what came into the trash before `before`; says how many messages.
pub async fn empty(store: &Store, before: Timestamp) -> Result<u64, StoreError> {
    let (mut after, mut removed) = (MailboxId(0), 0);
    loop {
        let page = store.read(move |tx| page(tx, after)).await?;
        let Some(&(last, _)) = page.last() else { return Ok(removed) };
        after = last;
        let old = store.read(move |tx| with_old(tx, &page, before)).await?;
        for (mailbox, account) in old {
            loop {
                let work = move |tx: &mut Tx<'_>| remove_old(tx, account, mailbox, before);
                let gone = store.write(Lane::Background, work).await?;
                removed += gone as u64;
                if gone < UNIT {
                    break;
                }
            }
        }
    }
}

type Trash = (MailboxId, AccountId);

fn page(tx: &mut Tx<'_>, after: MailboxId) -> Result<Vec<Trash>, StoreError> {
    let rows = tx.query(
        "SELECT id, account FROM mailbox WHERE role = 'trash' AND id > $1 ORDER BY id LIMIT 256",
        &[after.0.into()],
    )?;
    let trash = rows.iter().map(|row| Ok((MailboxId(row.int(0)?), AccountId(row.int(1)?))));
    Ok(trash.collect::<Result<_, RowsError>>()?)
}

fn with_old(tx: &mut Tx<'_>, page: &[Trash], before: Timestamp) -> Result<Vec<Trash>, StoreError> {
    let mut found = Vec::new();
    for &(mailbox, account) in page {
        if !old(tx, mailbox, before, 1)?.is_empty() {
            found.push((mailbox, account));
        }
    }
    Ok(found)
}

/// An unopened dispatch is not old: it waits until it is opened, or its time to read has ended.
fn old(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    before: Timestamp,
    most: usize,
) -> Result<UidSet, RowsError> {
    let rows = tx.query(
        "SELECT uid FROM message WHERE mailbox = $1 AND saved_at < $2 AND kind <> $3
         ORDER BY uid LIMIT $4",
        &[
            mailbox.0.into(),
            before.millis().into(),
            Kind::Sealed.word().into(),
            (most as i64).into(),
        ],
    )?;
    rows.iter().map(|row| view::uid(row, 0)).collect()
}

fn remove_old(
    tx: &mut Tx<'_>,
    account: AccountId,
    mailbox: MailboxId,
    before: Timestamp,
) -> Result<usize, StoreError> {
    accounts::lock(tx, account)?;
    lock(tx, mailbox)?;
    let Some(trash) = view::owned(tx, account, mailbox)? else { return Ok(0) };
    let uids = old(tx, mailbox, before, UNIT)?;
    Ok(remove_all(tx, &trash, &uids)?.len())
}

/// Messages removed in one unit.
const UNIT: usize = 256;
