//! How long a mailbox remembers what vanished from it. A program that was away longer, or missed more,
//! is told of every UID that is not in use (RFC 7162 §3.2.5 and §3.2.6 let a server tell too many):
//! that is right, only longer.
//!
//! What is forgotten is said first (`mailbox.forgotten`, a mod-sequence), and then removed: whoever
//! breaks off in between leaves rows that nobody asks for, and the next sweep removes them.

use super::view;
use crate::store::rows::{Lane, RowsError, Tx};
use crate::store::{Store, StoreError};
use crate::wire::imap::{Uid, UidSet};
use crate::wire::{MailboxId, Timestamp};

/// How much is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// UIDs of a mailbox.
    pub uids: u64,
    /// Milliseconds; what is forgotten by age vanished at least so long ago, and at most twice.
    pub millis: i64,
}

impl Default for Memory {
    fn default() -> Self {
        Self { uids: UIDS, millis: AGE }
    }
}

/// Forgets what vanished long ago, or before many others, everywhere; says how many UIDs.
pub async fn sweep(store: &Store, memory: Memory, now: Timestamp) -> Result<u64, StoreError> {
    let (mut after, mut forgotten) = (MailboxId(0), 0);
    loop {
        let page = store.read(move |tx| page(tx, after)).await?;
        let Some(last) = page.last() else { return Ok(forgotten) };
        after = last.id;
        for mailbox in page {
            let plan = store.read(move |tx| plan(tx, mailbox, memory, now)).await?;
            let Some(plan) = plan else { continue };
            store.write(Lane::Background, move |tx| settle(tx, mailbox.id, plan)).await?;
            loop {
                let work = move |tx: &mut Tx<'_>| remove(tx, mailbox.id);
                let gone = store.write(Lane::Background, work).await?;
                forgotten += gone;
                if gone < UNIT {
                    break;
                }
            }
        }
    }
}

/// What vanished from a mailbox after `since`; too much when that is forgotten.
pub(super) fn vanished(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    since: i64,
) -> Result<UidSet, RowsError> {
    let rows = tx.query(
        "SELECT uid FROM vanished WHERE mailbox = $1 AND mod_seq > $2",
        &[mailbox.0.into(), since.into()],
    )?;
    // Asked after them: what is forgotten in between was said to be before it went.
    match remembers(tx, mailbox, since)? {
        true => rows.iter().map(|row| view::uid(row, 0)).collect(),
        false => unused(tx, mailbox),
    }
}

/// Whether all that vanished after `since` is remembered.
pub(super) fn remembers(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    since: i64,
) -> Result<bool, RowsError> {
    let sql = "SELECT forgotten FROM mailbox WHERE id = $1";
    let row = tx.first(sql, &[mailbox.0.into()])?;
    Ok(row.map(|row| row.int(0)).transpose()?.is_none_or(|forgotten| forgotten <= since))
}

/// Every UID that was given and is not in use.
fn unused(tx: &mut Tx<'_>, mailbox: MailboxId) -> Result<UidSet, RowsError> {
    let sql = "SELECT uid_next FROM mailbox WHERE id = $1";
    let Some(row) = tx.first(sql, &[mailbox.0.into()])? else { return Ok(UidSet::new()) };
    let next: Uid = view::uid(&row, 0)?;
    let sql = "SELECT uid FROM message WHERE mailbox = $1 ORDER BY uid";
    let rows = tx.query(sql, &[mailbox.0.into()])?;
    let there = rows.iter().map(|row| view::uid(row, 0)).collect::<Result<UidSet, _>>()?;
    Ok(UidSet::range(1, next.saturating_sub(1)).difference(&there))
}

/// A mailbox that remembers something.
#[derive(Clone, Copy, Debug)]
struct Remembering {
    id: MailboxId,
    mod_seq: i64,
    forgotten: i64,
    /// Up to which mod-sequence it had come when that was looked at, and when that was.
    mark: Option<(i64, Timestamp)>,
}

/// What a mailbox forgets, and its next mark.
#[derive(Clone, Copy, Debug)]
struct Plan {
    forgotten: i64,
    mark: (i64, Timestamp),
}

fn page(tx: &mut Tx<'_>, after: MailboxId) -> Result<Vec<Remembering>, StoreError> {
    let rows = tx.query(
        "SELECT id, mod_seq, forgotten, marked, marked_at FROM mailbox m WHERE id > $1
         AND EXISTS (SELECT 1 FROM vanished v WHERE v.mailbox = m.id) ORDER BY id LIMIT 256",
        &[after.0.into()],
    )?;
    let mailbox = |row: &crate::store::rows::Row| {
        let at = row.opt_int(4)?.map(Timestamp::from_millis);
        Ok(Remembering {
            id: MailboxId(row.int(0)?),
            mod_seq: row.int(1)?,
            forgotten: row.int(2)?,
            mark: row.opt_int(3)?.zip(at),
        })
    };
    Ok(rows.iter().map(mailbox).collect::<Result<_, RowsError>>()?)
}

/// `None` when there is nothing to do.
fn plan(
    tx: &mut Tx<'_>,
    of: Remembering,
    memory: Memory,
    now: Timestamp,
) -> Result<Option<Plan>, StoreError> {
    let fresh = (of.mod_seq, now);
    // A clock that was put back makes a mark from the future: it begins anew.
    let old = of.mark.filter(|(_, at)| at.plus_millis(memory.millis) <= now);
    let waiting = of.mark.filter(|(_, at)| old.is_none() && *at <= now);
    let aged = old.map_or(of.forgotten, |(mod_seq, _)| mod_seq);
    let row = tx.first(
        "SELECT mod_seq FROM vanished WHERE mailbox = $1 ORDER BY mod_seq DESC LIMIT 1 OFFSET $2",
        &[of.id.0.into(), i64::try_from(memory.uids).unwrap_or(i64::MAX).into()],
    )?;
    // Those of one mod-sequence go together.
    let many = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    let forgotten = of.forgotten.max(aged).max(many);
    let left = tx.first(
        "SELECT 1 FROM vanished WHERE mailbox = $1 AND mod_seq <= $2 LIMIT 1",
        &[of.id.0.into(), forgotten.into()],
    )?;
    if left.is_none() && waiting.is_some() {
        return Ok(None);
    }
    // Nothing is behind it that would have to be forgotten: whoever knows the mailbox from then on
    // is told no more than he needs.
    let forgotten = if left.is_some() { forgotten } else { of.forgotten };
    Ok(Some(Plan { forgotten, mark: waiting.unwrap_or(fresh) }))
}

fn settle(tx: &mut Tx<'_>, id: MailboxId, plan: Plan) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE mailbox SET forgotten = $1, marked = $2, marked_at = $3
         WHERE id = $4 AND forgotten <= $1",
        &[plan.forgotten.into(), plan.mark.0.into(), plan.mark.1.millis().into(), id.0.into()],
    )?;
    Ok(())
}

fn remove(tx: &mut Tx<'_>, id: MailboxId) -> Result<u64, StoreError> {
    Ok(tx.execute(
        "DELETE FROM vanished WHERE mailbox = $1 AND uid IN (
             SELECT v.uid FROM vanished v JOIN mailbox m ON m.id = v.mailbox
             WHERE v.mailbox = $1 AND v.mod_seq <= m.forgotten ORDER BY v.mod_seq LIMIT $2)",
        &[id.0.into(), (UNIT as i64).into()],
    )?)
}

/// More than anybody deletes while he is on holiday; a few megabytes.
const UIDS: u64 = 50_000;
/// A program that was away for a season asks for everything anyway.
const AGE: i64 = 90 * 24 * 3600 * 1000;
/// UIDs removed in one unit: others may write in between.
const UNIT: u64 = 512;
