//! Bringing a virtual mailbox up to date: what happened in its sources since it was looked at last
//! is read without holding anybody up, and taken over in units of bounded size. A unit may be done
//! twice, by two who look at the same time, or after a crash.

use super::{Rule, gather, is_source};
use crate::store::mail::view::{self, Mailbox, mailboxes};
use crate::store::mail::{Place, memory};
use crate::store::rows::{Lane, RowsError, Tx};
use crate::store::{Store, StoreError, accounts};
use crate::wire::imap::{Flags, Keywords, ModSeq};
use crate::wire::{AccountId, MailboxId};
use std::collections::BTreeMap;

/// Brings the account's mailbox up to date if it is a virtual one.
pub async fn freshen(store: &Store, account: AccountId, id: MailboxId) -> Result<(), StoreError> {
    let unknown = store.read(move |tx| unknown(tx, account, id)).await?;
    if !unknown.is_empty() {
        store.write(Lane::Client, move |tx| begin(tx, account, id, &unknown)).await?;
    }
    let plan = store.read(move |tx| plan(tx, account, id)).await?;
    for places in plan.places.chunks(UNIT) {
        let mut places = places.to_vec();
        if plan.places.len() > UNIT {
            // A long way to go: source by source one statement takes over many, and what came at
            // about the same time still stands together.
            places.sort_unstable();
        }
        store.write(Lane::Client, move |tx| unit(tx, account, id, &places)).await?;
    }
    if !plan.marks.is_empty() {
        store.write(Lane::Client, move |tx| settle(tx, account, id, &plan.marks)).await?;
    }
    Ok(())
}

/// What is to be looked at, what is gone first, then in the order in which it came; and what is gathered when all of it was.
#[derive(Debug, Default)]
struct Plan {
    places: Vec<Place>,
    marks: Vec<Mark>,
}

/// A source that changed.
#[derive(Clone, Copy, Debug)]
struct Mark {
    source: MailboxId,
    /// `None`: nothing of it was gathered ever.
    known: Option<Known>,
    /// `None`: it is no source any more.
    now: Option<ModSeq>,
}

/// How far a source was gathered.
#[derive(Clone, Copy, Debug)]
struct Known {
    mod_seq: i64,
    began: i64,
}

fn marks(tx: &mut Tx<'_>, of: &Mailbox) -> Result<Vec<Mark>, RowsError> {
    let rows = tx.query(
        "SELECT source, mod_seq, began FROM gathered WHERE mailbox = $1",
        &[of.id.0.into()],
    )?;
    let mut all = BTreeMap::new();
    for row in &rows {
        all.insert(MailboxId(row.int(0)?), Known { mod_seq: row.int(1)?, began: row.int(2)? });
    }
    let mut marks = Vec::new();
    for source in mailboxes(tx, of.account)?.into_iter().filter(is_source) {
        let known = all.remove(&source.id);
        // Nothing was ever in a mailbox whose mod-sequence is the first.
        if known.map_or(FIRST, |known| known.mod_seq) < source.mod_seq as i64 {
            marks.push(Mark { source: source.id, known, now: Some(source.mod_seq) });
        }
    }
    marks.extend(all.into_iter().map(|(source, known)| Mark {
        source,
        known: Some(known),
        now: None,
    }));
    Ok(marks)
}

fn virtual_mailbox(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
) -> Result<Option<(Mailbox, Rule)>, RowsError> {
    let mailbox = view::owned(tx, account, id)?;
    Ok(mailbox.and_then(|mailbox| Rule::of(&mailbox).map(|rule| (mailbox, rule))))
}

/// Sources of which nothing was gathered yet.
fn unknown(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
) -> Result<Vec<MailboxId>, StoreError> {
    let Some((mailbox, _)) = virtual_mailbox(tx, account, id)? else { return Ok(Vec::new()) };
    let marks = marks(tx, &mailbox)?.into_iter().filter(|mark| mark.known.is_none());
    Ok(marks.map(|mark| mark.source).collect())
}

/// Notes that sources are being gathered, before anything of them is: what an interrupted gathering
/// leaves is known by that.
fn begin(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
    sources: &[MailboxId],
) -> Result<(), StoreError> {
    accounts::lock(tx, account)?;
    let Some((mailbox, _)) = virtual_mailbox(tx, account, id)? else { return Ok(()) };
    for source in sources {
        tx.execute(
            "INSERT INTO gathered (mailbox, source, mod_seq, began) VALUES ($1, $2, $3, $4)
             ON CONFLICT (mailbox, source) DO NOTHING",
            &[id.0.into(), source.0.into(), FIRST.into(), (mailbox.mod_seq as i64).into()],
        )?;
    }
    Ok(())
}

fn plan(tx: &mut Tx<'_>, account: AccountId, id: MailboxId) -> Result<Plan, StoreError> {
    let Some((mailbox, rule)) = virtual_mailbox(tx, account, id)? else {
        return Ok(Plan::default());
    };
    let marks = marks(tx, &mailbox)?;
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for mark in &marks {
        let since = mark.known.map_or(FIRST, |known| known.mod_seq);
        match mark.now {
            // All that is shown of it is looked at, be it that it goes or that it was begun before.
            None => shown(tx, &mailbox, mark.source, &mut gone)?,
            Some(_) if since == FIRST => shown(tx, &mailbox, mark.source, &mut gone)?,
            Some(_) if !memory::remembers(tx, mark.source, since)? => {
                shown(tx, &mailbox, mark.source, &mut gone)?;
            }
            Some(_) => {
                let uids = memory::vanished(tx, mark.source, since)?;
                gone.extend(uids.iter().map(|uid| Place { mailbox: mark.source, uid }));
            }
        }
        if mark.now.is_some() {
            changed(tx, mark.source, since, &rule, &mut there)?;
        }
    }
    there.sort_unstable();
    let places = gone.into_iter().chain(there.into_iter().map(|(_, place)| place)).collect();
    Ok(Plan { places, marks })
}

fn shown(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    source: MailboxId,
    out: &mut Vec<Place>,
) -> Result<(), RowsError> {
    let rows = tx.query(
        "SELECT source_uid FROM message WHERE mailbox = $1 AND source = $2 ORDER BY source_uid",
        &[of.id.0.into(), source.0.into()],
    )?;
    for row in &rows {
        out.push(Place { mailbox: source, uid: view::uid(row, 0)? });
    }
    Ok(())
}

/// What came or changed, by the time at which it was saved.
fn changed(
    tx: &mut Tx<'_>,
    source: MailboxId,
    since: i64,
    rule: &Rule,
    out: &mut Vec<(i64, Place)>,
) -> Result<(), RowsError> {
    let rows = tx.query(
        "SELECT uid, flags, keywords, saved_at FROM message WHERE mailbox = $1 AND mod_seq > $2",
        &[source.0.into(), since.into()],
    )?;
    for row in &rows {
        let keywords = Keywords::from_stored(row.text(2)?);
        let flags = Flags { system: view::system(row, 1)?, keywords };
        // At first most don't belong in, and none that doesn't is shown.
        if since > FIRST || rule.holds(&flags) {
            out.push((row.int(3)?, Place { mailbox: source, uid: view::uid(row, 0)? }));
        }
    }
    Ok(())
}

fn unit(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
    places: &[Place],
) -> Result<(), StoreError> {
    accounts::lock(tx, account)?;
    if let Some((mailbox, _)) = virtual_mailbox(tx, account, id)? {
        gather(tx, &mailbox, places)?;
    }
    Ok(())
}

/// All that was planned is done. What another has forgotten and begun anew meanwhile is his.
fn settle(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
    marks: &[Mark],
) -> Result<(), StoreError> {
    accounts::lock(tx, account)?;
    for mark in marks {
        let (Some(known), source) = (mark.known, mark.source) else { continue };
        let (id, source, began) = (id.0.into(), source.0.into(), known.began.into());
        match mark.now {
            Some(now) => tx.execute(
                "UPDATE gathered SET mod_seq = $1
                 WHERE mailbox = $2 AND source = $3 AND began = $4 AND mod_seq < $1",
                &[(now as i64).into(), id, source, began],
            )?,
            None => tx.execute(
                "DELETE FROM gathered WHERE mailbox = $1 AND source = $2 AND began = $3",
                &[id, source, began],
            )?,
        };
    }
    Ok(())
}

/// The mod-sequence of a mailbox in which nothing was ever.
const FIRST: i64 = 1;
/// Messages in one unit: others may write in between.
const UNIT: usize = 512;
