//! What a mail program changes in mailboxes: flags, copies, moves, removals. Whole sets at a time,
//! each with one mod-sequence.

use super::view::{Mailbox, MessageRow, rows};
use super::{Kind, next_mod_seq, next_uids, usage};
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::{Flags, ModSeq, Uid, UidSet};
use crate::wire::{ContentId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a change of flags.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flagged {
    /// Have other flags than before, with `mod_seq`.
    pub changed: UidSet,
    pub mod_seq: ModSeq,
    /// These by the mod-sequence that they had before.
    pub before: BTreeMap<ModSeq, UidSet>,
    /// Left alone: changed after `unchanged_since`.
    pub modified: UidSet,
    /// All that are there and were not left alone, as they are now.
    pub rows: Vec<MessageRow>,
}

/// Where messages went; the sets pair up in ascending order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placed {
    pub from: UidSet,
    pub to: UidSet,
}

/// Gives messages the flags that `change` makes of theirs.
pub fn set_flags(
    tx: &mut Tx<'_>,
    mailbox: &Mailbox,
    uids: &UidSet,
    unchanged_since: Option<ModSeq>,
    change: &dyn Fn(&Flags) -> Flags,
) -> Result<Flagged, RowsError> {
    let mut out = Flagged { mod_seq: mailbox.mod_seq, ..Flagged::default() };
    for mut row in rows(tx, mailbox, uids)? {
        if unchanged_since.is_some_and(|since| row.mod_seq > since) {
            out.modified.insert(row.uid);
            continue;
        }
        let flags = change(&row.flags);
        if flags != row.flags {
            out.changed.insert(row.uid);
            out.before.entry(row.mod_seq).or_default().insert(row.uid);
            row.flags = flags;
        }
        out.rows.push(row);
    }
    if out.changed.is_empty() {
        return Ok(out);
    }
    let mod_seq = next_mod_seq(tx, mailbox.id)?;
    out.mod_seq = mod_seq as u64;
    for run in runs(&out) {
        tx.execute(
            "UPDATE message SET flags = $1, keywords = $2, mod_seq = $3
             WHERE mailbox = $4 AND uid BETWEEN $5 AND $6",
            &[
                i64::from(run.flags.system.bits()).into(),
                run.flags.keywords.as_str().into(),
                mod_seq.into(),
                mailbox.id.0.into(),
                i64::from(run.first).into(),
                i64::from(run.last).into(),
            ],
        )?;
    }
    for row in out.rows.iter_mut().filter(|row| out.changed.contains(row.uid)) {
        row.mod_seq = mod_seq as u64;
    }
    Ok(out)
}

/// Messages in a row that get the same flags.
struct Run {
    first: Uid,
    last: Uid,
    flags: Flags,
}

/// No message that is to stay as it is lies within a run: all that were asked for are in `rows`
/// or in `modified`, and a run ends where the UIDs asked for have a gap.
fn runs(out: &Flagged) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in out.rows.iter().filter(|row| out.changed.contains(row.uid)) {
        match runs.last_mut() {
            Some(run) if run.last + 1 == row.uid && run.flags == row.flags => run.last = row.uid,
            _ => runs.push(Run { first: row.uid, last: row.uid, flags: row.flags.clone() }),
        }
    }
    runs
}

/// Copies messages; what they are to the store, their flags and dates stay (RFC 9051 §6.4.7).
pub fn copy(
    tx: &mut Tx<'_>,
    from: &Mailbox,
    uids: &UidSet,
    to: &Mailbox,
    now: Timestamp,
) -> Result<Placed, RowsError> {
    let there = present(tx, from, uids)?;
    let count = u32::try_from(there.len()).map_err(|_| RowsError::Stored("a UID"))?;
    if count == 0 {
        return Ok(Placed::default());
    }
    let (first, mod_seq, _) = next_uids(tx, to.id, count)?;
    let came_from = (to.is_trash() && !from.is_trash()).then_some(from.id.0);
    let stays_thrown_away = to.is_trash() && from.is_trash();
    let mut next = first;
    for &(low, high) in there.ranges() {
        next += tx.execute(
            "INSERT INTO message (mailbox, uid, mod_seq, born, flags, keywords, saved_at,
                                  internal_date, size, content, kind, message_id, ua_message_id,
                                  came_from)
             SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT) + ROW_NUMBER() OVER (ORDER BY uid),
                    CAST($3 AS BIGINT), CAST($3 AS BIGINT), flags, keywords, CAST($4 AS BIGINT),
                    internal_date, size, content, kind, message_id, ua_message_id,
                    CASE WHEN CAST($5 AS BIGINT) = 1 THEN came_from ELSE CAST($6 AS BIGINT) END
             FROM message WHERE mailbox = $7 AND uid BETWEEN $8 AND $9",
            &[
                to.id.0.into(),
                (next - 1).into(),
                mod_seq.into(),
                now.millis().into(),
                stays_thrown_away.into(),
                came_from.into(),
                from.id.0.into(),
                i64::from(low).into(),
                i64::from(high).into(),
            ],
        )? as i64;
    }
    let first = u32::try_from(first).map_err(|_| RowsError::Stored("a UID"))?;
    let placed = Placed { from: there, to: UidSet::range(first, first + (count - 1)) };
    let octets = usage::of(tx, to, &placed.to)?;
    usage::add(tx, to.id, octets as i64)?;
    Ok(placed)
}

/// Moves messages; those that are gone by now are left out.
pub fn move_all(
    tx: &mut Tx<'_>,
    from: &Mailbox,
    uids: &UidSet,
    to: &Mailbox,
    now: Timestamp,
) -> Result<Placed, RowsError> {
    let placed = copy(tx, from, uids, to, now)?;
    // Their contents are held by the copies.
    take(tx, from, &placed.from)?;
    Ok(placed)
}

/// Removes messages for good; contents go when nothing refers to them.
pub fn remove_all(tx: &mut Tx<'_>, from: &Mailbox, uids: &UidSet) -> Result<UidSet, RowsError> {
    let there = present(tx, from, uids)?;
    crate::store::holds::keep_back(tx, from, &there)?;
    for content in take(tx, from, &there)? {
        super::forget_unused(tx, content)?;
    }
    Ok(there)
}

/// Takes messages out, whatever becomes of their contents.
pub(super) fn take(
    tx: &mut Tx<'_>,
    from: &Mailbox,
    uids: &UidSet,
) -> Result<BTreeSet<ContentId>, RowsError> {
    let mut contents = BTreeSet::new();
    if uids.is_empty() {
        return Ok(contents);
    }
    let octets = usage::of(tx, from, uids)?;
    usage::add(tx, from.id, -(octets as i64))?;
    let mod_seq = next_mod_seq(tx, from.id)?;
    for &(first, last) in uids.ranges() {
        let (first, last) = (i64::from(first), i64::from(last));
        tx.execute(
            "INSERT INTO vanished (mailbox, uid, mod_seq)
             SELECT mailbox, uid, CAST($1 AS BIGINT) FROM message
             WHERE mailbox = $2 AND uid BETWEEN $3 AND $4",
            &[mod_seq.into(), from.id.0.into(), first.into(), last.into()],
        )?;
        let gone = tx.query(
            "DELETE FROM message WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 RETURNING content",
            &[from.id.0.into(), first.into(), last.into()],
        )?;
        for row in &gone {
            contents.insert(ContentId(row.int(0)?));
        }
    }
    Ok(contents)
}

/// Those of `uids` that are in use and have all of these system flags.
pub fn flagged(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    uids: &UidSet,
    flags: u8,
) -> Result<UidSet, RowsError> {
    let mut there = UidSet::new();
    for &(first, last) in uids.ranges() {
        let rows = tx.query(
            "SELECT uid FROM message
             WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 AND (flags & $4) = $4 ORDER BY uid",
            &[
                of.id.0.into(),
                i64::from(first).into(),
                i64::from(last).into(),
                i64::from(flags).into(),
            ],
        )?;
        for row in &rows {
            there.insert(super::view::uid(row, 0)?);
        }
    }
    Ok(there)
}

/// The first messages of a mailbox, `most` of them.
pub fn first(tx: &mut Tx<'_>, of: &Mailbox, most: usize) -> Result<UidSet, RowsError> {
    let rows = tx.query(
        "SELECT uid FROM message WHERE mailbox = $1 ORDER BY uid LIMIT $2",
        &[of.id.0.into(), (most as i64).into()],
    )?;
    rows.iter().map(|row| super::view::uid(row, 0)).collect()
}

fn present(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<UidSet, RowsError> {
    flagged(tx, of, uids, 0)
}

/// Whether something in it is still to be opened: a dispatch, or the notice of one.
pub fn has_unopened(tx: &mut Tx<'_>, of: &Mailbox) -> Result<bool, RowsError> {
    let kinds = [Kind::Sealed, Kind::Stub].map(Kind::word);
    let sql = "SELECT uid FROM message WHERE mailbox = $1 AND kind IN ($2, $3) LIMIT 1";
    Ok(tx.first(sql, &[of.id.0.into(), kinds[0].into(), kinds[1].into()])?.is_some())
}

/// What those of `uids` that are there are.
pub fn kinds(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<BTreeSet<Kind>, RowsError> {
    let mut kinds = BTreeSet::new();
    for &(first, last) in uids.ranges() {
        let rows = tx.query(
            "SELECT DISTINCT kind FROM message WHERE mailbox = $1 AND uid BETWEEN $2 AND $3",
            &[of.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        for row in &rows {
            kinds.insert(Kind::parse(row.text(0)?)?);
        }
    }
    Ok(kinds)
}
