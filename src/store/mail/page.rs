//! A mailbox leafed through from its newest message to its oldest, and what its mailboxes hold.

use super::view::{self, Mailbox};
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::{Keyword, SystemFlags, Uid, UidSet};
use crate::wire::{AccountId, MailboxId};
use std::collections::BTreeMap;

/// Which messages are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    pub label: Option<Keyword>,
    /// Has these.
    pub with: SystemFlags,
    /// Has none of these.
    pub without: SystemFlags,
}

/// The UIDs of the newest messages before `before`, `most` of them.
pub fn before(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    before: u64,
    wanted: &Wanted,
    most: usize,
) -> Result<Vec<Uid>, RowsError> {
    let pattern = wanted.label.as_ref().map_or_else(|| "%".to_owned(), super::labelled::pattern);
    let looked_at = wanted.with.bits() | wanted.without.bits();
    let rows = tx.query(
        "SELECT uid FROM message WHERE mailbox = $1 AND uid < $2 AND (flags & $3) = $4
         AND ' ' || LOWER(keywords) || ' ' LIKE $5 ESCAPE '!' ORDER BY uid DESC LIMIT $6",
        &[
            of.id.0.into(),
            i64::try_from(before).unwrap_or(i64::MAX).into(),
            i64::from(looked_at).into(),
            i64::from(wanted.with.bits()).into(),
            (&pattern).into(),
            (most as i64).into(),
        ],
    )?;
    rows.iter().map(|row| view::uid(row, 0)).collect()
}

/// How many messages a mailbox holds, and how many of them were not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    pub messages: u64,
    pub unseen: u64,
}

/// Of each mailbox of an account that holds any.
pub fn held(tx: &mut Tx<'_>, account: AccountId) -> Result<BTreeMap<MailboxId, Held>, RowsError> {
    let rows = tx.query(
        "SELECT m.mailbox, COUNT(*), CAST(SUM(CASE WHEN (m.flags & $1) = 0 THEN 1 ELSE 0 END) AS BIGINT)
         FROM mailbox b JOIN message m ON m.mailbox = b.id WHERE b.account = $2 GROUP BY m.mailbox",
        &[i64::from(SystemFlags::SEEN.bits()).into(), account.0.into()],
    )?;
    let one = |row: &crate::store::rows::Row| {
        let held = Held { messages: row.int(1)? as u64, unseen: row.int(2)? as u64 };
        Ok((MailboxId(row.int(0)?), held))
    };
    rows.iter().map(one).collect()
}

/// Those with their headers, until there are so many octets of headers; with how many of them were looked
/// at: one at least.
pub fn shown_within(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    uids: &[Uid],
    most: usize,
) -> Result<(Vec<view::MessageRow>, usize), RowsError> {
    let (mut rows, mut looked_at, mut octets) = (Vec::with_capacity(uids.len()), 0, 0);
    for some in uids.chunks(AT_ONCE) {
        let found = shown(tx, of, some)?;
        octets += found.iter().map(|row| row.header.len()).sum::<usize>();
        looked_at += some.len();
        rows.extend(found);
        if octets >= most {
            break;
        }
    }
    Ok((rows, looked_at))
}

/// These messages with their headers, the newest first.
pub fn shown(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    uids: &[Uid],
) -> Result<Vec<view::MessageRow>, RowsError> {
    let want = view::Want { header: true, structure: false };
    let mut left: UidSet = uids.iter().copied().collect();
    let mut rows = Vec::with_capacity(uids.len());
    while !left.is_empty() {
        let found = view::first_rows(tx, of, &mut left, want)?;
        if found.is_empty() {
            break;
        }
        rows.extend(found);
    }
    rows.reverse();
    Ok(rows)
}

/// A header has half a MiB at most.
const AT_ONCE: usize = 8;
