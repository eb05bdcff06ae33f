//! SORT and THREAD (RFC 5256): of each message a small key or letter is gathered, batch by batch, and
//! these are put in order. Only outer headers are looked at, so an unopened dispatch shows nothing.

mod key;
mod letter;
mod ordered;
mod references;
mod run;

pub use letter::Letter;

use super::{Answered, Who, owned};
use crate::mailbox::ask::{Refusal, ThreadToken};
use crate::store::Tx;
use crate::store::mail::view::{self, MessageRow, Want};
use crate::wire::MailboxId;
use crate::wire::imap::command::{SortCriterion, SortKey, Threading};
use crate::wire::imap::{Uid, UidSet};
use key::Key;

/// What a SORT has gathered.
#[derive(Debug, Default)]
pub struct Keyed {
    all: Vec<(Vec<Key>, Uid)>,
    octets: usize,
}

/// What a THREAD has gathered.
#[derive(Debug, Default)]
pub struct Letters {
    all: Vec<Letter>,
    octets: usize,
}

/// What is sorted by, and which messages match to the letter.
#[derive(Clone, Debug)]
pub struct SortBy {
    pub by: Vec<SortCriterion>,
    pub exact: UidSet,
}

/// The sort keys of a batch.
pub fn keys(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    SortBy { by, exact }: &SortBy,
) -> Answered<Vec<(Vec<Key>, Uid)>> {
    let bare = [SortKey::Arrival, SortKey::Size, SortKey::Relevancy];
    let header = by.iter().any(|by| !bare.contains(&by.key));
    let key = |row: &MessageRow| {
        (by.iter().map(|by| Key::of(by.key, row, exact)).collect::<Vec<_>>(), row.uid)
    };
    each(tx, who, id, batch, header, key)
}

/// What threading needs of a batch.
pub fn letters(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    by: Threading,
) -> Answered<Vec<Letter>> {
    each(tx, who, id, batch, true, |row| Letter::of(row, by))
}

fn each<T>(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    header: bool,
    take: impl Fn(&MessageRow) -> T,
) -> Answered<Vec<T>> {
    let mailbox = owned(tx, who, id)?;
    let (mut left, mut taken) = (batch.clone(), Vec::new());
    while !left.is_empty() {
        let rows = view::first_rows(tx, &mailbox, &mut left, Want { header, structure: false })?;
        taken.extend(rows.iter().map(&take));
    }
    Ok(taken)
}

impl Keyed {
    pub fn add(&mut self, batch: Vec<(Vec<Key>, Uid)>) -> Answered<()> {
        let keys = batch.iter().flat_map(|(keys, _)| keys);
        self.octets += keys.map(Key::weight).sum::<usize>() + batch.len() * size_of::<Uid>();
        self.all.extend(batch);
        within(self.octets)
    }

    /// In order; of equals the one that came first goes first (RFC 5256 §3), whatever is reversed.
    pub fn sorted(mut self, by: &[SortCriterion]) -> Vec<Uid> {
        self.all.sort_by(|(a, a_uid), (b, b_uid)| {
            let keys = a.iter().zip(b).zip(by);
            let each = keys.map(|((a, b), by)| if by.reverse { b.cmp(a) } else { a.cmp(b) });
            each.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a_uid.cmp(b_uid))
        });
        self.all.into_iter().map(|(_, uid)| uid).collect()
    }
}

impl Letters {
    pub fn add(&mut self, batch: Vec<Letter>) -> Answered<()> {
        self.octets += batch.iter().map(Letter::weight).sum::<usize>();
        self.all.extend(batch);
        within(self.octets)
    }

    pub fn threads(self, by: Threading) -> Answered<Vec<ThreadToken>> {
        Ok(match by {
            Threading::OrderedSubject => ordered::threads(self.all),
            Threading::References => references::threads(&self.all).ok_or(Refusal::Limit)?,
        })
    }
}

fn within(octets: usize) -> Answered<()> {
    if octets > HELD_MAX { Err(Refusal::Limit.into()) } else { Ok(()) }
}

/// Messages looked at in one go.
pub const BATCH: usize = 512;
/// How many may be arranged at a time.
pub const AT_A_TIME: usize = 2;
/// Octets that one may hold: a few hundred for each of 100,000 messages.
const HELD_MAX: usize = 64 << 20;
