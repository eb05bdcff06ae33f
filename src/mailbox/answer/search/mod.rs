//! SEARCH: first what sets alone tell, then rows, then headers, then opened content; a message is
//! looked at only as far as it takes. Of an unopened dispatch only the outer header is looked at.

mod fuzzy;
mod judge;
mod run;
mod text;

pub use judge::{Known, Query, Source, threads};

use super::views::Views;
use super::{Answered, Failure, Who, owned, words};
use crate::mailbox::ask::Refusal;
use crate::store::mail::Kind;
use crate::store::mail::held::held;
use crate::store::mail::view::{self, MessageRow, Want};
use crate::store::{Blobs, Tx};
use crate::wire::MailboxId;
use crate::wire::imap::{ModSeq, UidSet};

/// How far a search is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub found: UidSet,
    /// Of these, what would be found without `Fuzzy`, too.
    pub exact: UidSet,
    pub highest_modseq: ModSeq,
    /// Rows don't tell of these.
    pub to_read: UidSet,
    /// Nor do headers of these.
    pub to_open: UidSet,
    /// Octets of headers and contents read so far.
    pub read: u64,
}

/// Which messages are to be looked at, of those that are there.
pub struct Candidates {
    pub uids: UidSet,
    /// They are the result already.
    pub sure: bool,
    pub there: UidSet,
}

pub fn candidates(
    tx: &mut Tx<'_>,
    who: &Who,
    views: &Views,
    id: MailboxId,
    query: &Query,
) -> Answered<Candidates> {
    let mailbox = owned(tx, who, id)?;
    let glance = views.glance(tx, &mailbox)?;
    let (uids, sure) = query.narrow(&glance);
    Ok(Candidates { uids, sure, there: glance.uids.clone() })
}

/// Judges a batch by its rows.
pub fn by_rows(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    query: &Query,
) -> Answered<Progress> {
    let mailbox = owned(tx, who, id)?;
    let mut progress = Progress::default();
    for row in view::rows(tx, &mailbox, batch)? {
        let known = query.known(&row, who.now, None, None);
        match query.judge(&known) {
            Some(hit) => progress.note(query, &known, hit),
            None => progress.to_read.insert(row.uid),
        }
    }
    Ok(progress)
}

/// Judges a batch by rows and headers.
pub fn by_headers(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    query: &Query,
) -> Answered<Progress> {
    let mailbox = owned(tx, who, id)?;
    let mut progress = Progress::default();
    view::headers(tx, &mailbox, batch, &mut |row, octets| {
        let (header, body) = (query.header(octets), sealed(row));
        let known = query.known(row, who.now, Some(&header), body);
        progress.read += octets.len() as u64;
        match query.judge(&known) {
            Some(hit) => progress.note(query, &known, hit),
            None => progress.to_open.insert(row.uid),
        }
    })?;
    Ok(progress)
}

/// Judges a batch by all there is: content is opened when a header does not tell. Ends early when much
/// was read; the others are still to be opened.
pub fn by_content(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    batch: &UidSet,
    query: &Query,
    blobs: &Blobs,
) -> Answered<Progress> {
    let mailbox = owned(tx, who, id)?;
    let contents = held(tx, &mailbox, batch)?;
    let mut progress = Progress::default();
    let mut left = batch.clone();
    while !left.is_empty() && progress.read <= ENOUGH {
        let want = Want { header: true, structure: true };
        for row in view::first_rows(tx, &mailbox, &mut left, want)? {
            if progress.read > ENOUGH {
                progress.to_open.insert(row.uid);
                continue;
            }
            let header = query.header(&row.header);
            progress.read += row.header.len() as u64;
            let known = |body| query.known(&row, who.now, Some(&header), body);
            let known_so_far = known(sealed(&row));
            if let Some(hit) = query.judge(&known_so_far) {
                progress.note(query, &known_so_far, hit);
                continue;
            }
            let content = contents.iter().find(|held| held.uid == row.uid);
            let content = content.map(|held| &held.content).ok_or(Refusal::Gone)?;
            let (texts, read) = text::texts(&row.structure, content, blobs)?;
            progress.read += read;
            let known = known(Some(&texts));
            progress.note(query, &known, query.judge(&known).unwrap_or(false));
        }
    }
    progress.to_open = progress.to_open.union(&left);
    Ok(progress)
}

/// Of what must not be opened there are no texts, and that is known without looking.
fn sealed(row: &MessageRow) -> Option<&'static [String]> {
    (row.kind == Kind::Sealed).then_some(&[])
}

impl Progress {
    fn note(&mut self, query: &Query, known: &Known<'_>, hit: bool) {
        if hit {
            self.found.insert(known.row.uid);
            self.highest_modseq = self.highest_modseq.max(known.row.mod_seq);
            if query.is_exact(known) {
                self.exact.insert(known.row.uid);
            }
        }
    }

    /// Takes in what a batch told. Refused when more was read than one search may.
    pub fn add(&mut self, batch: Progress) -> Answered<()> {
        self.found = self.found.union(&batch.found);
        self.exact = self.exact.union(&batch.exact);
        self.to_read = self.to_read.union(&batch.to_read);
        self.to_open = self.to_open.union(&batch.to_open);
        self.highest_modseq = self.highest_modseq.max(batch.highest_modseq);
        self.read += batch.read;
        match self.read > READ_MAX {
            true => Err(Failure::said(words::SEARCH_TOO_WIDE)),
            false => Ok(()),
        }
    }
}

/// Rows judged at one go.
pub const ROWS: usize = 2048;
/// Headers judged at one go.
pub const HEADERS: usize = 1024;
/// Contents opened at one go.
pub const OPENED: usize = 64;
/// Octets after which a go at contents ends.
const ENOUGH: u64 = 4 << 20;
/// Octets of headers and contents that one search may read (invariant 10): some 100,000 ordinary
/// mails.
const READ_MAX: u64 = 2 << 30;
