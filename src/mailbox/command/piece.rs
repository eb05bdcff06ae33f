//! A piece of a message that FETCH was asked for: at hand in the row, or content to be asked for.

use std::ops::Range;

use crate::mailbox::ask::{Ask, Content, Row};
use crate::wire::MailboxId;
use crate::wire::imap::{Structure, Uid};
use crate::wire::mime::section::pick_fields;
use crate::wire::mime::{Section, SectionText};

/// Where a section was found.
#[derive(Debug)]
pub(super) enum Found {
    /// The message has no such section.
    Nil,
    Bytes(Vec<u8>),
    Content(Piece),
}

/// Bytes that are being asked for, chunk after chunk.
#[derive(Debug)]
pub(super) struct Piece {
    uid: Uid,
    /// Not here yet.
    left: Range<u64>,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Passed on as it comes.
    Stream { begun: bool },
    /// A header to pick fields from: collected first.
    Header { not: bool, names: Vec<String>, partial: Option<(u64, u64)>, bytes: Vec<u8> },
}

pub(super) fn find(section: &Section, partial: Option<(u64, u64)>, row: &Row) -> Found {
    let outer = section.part.is_empty();
    let range = match &section.text {
        SectionText::Header if outer => return Found::Bytes(cut(&row.header, partial)),
        SectionText::HeaderFields { not, names } if outer => {
            return Found::Bytes(cut(&pick_fields(&row.header, *not, names), partial));
        }
        SectionText::Whole if outer => Some(0..row.size),
        _ => None,
    };
    let layout = || Structure::read(&row.structure).and_then(|structure| structure.layout());
    match range.or_else(|| layout()?.find(section)) {
        Some(range) => content(section, partial, range, row.uid),
        None => Found::Nil,
    }
}

fn content(section: &Section, partial: Option<(u64, u64)>, range: Range<u64>, uid: Uid) -> Found {
    let (left, kind) = match &section.text {
        SectionText::HeaderFields { not, names } => {
            let end = range.end.min(range.start.saturating_add(HEADER_MAX));
            let (names, bytes) = (names.clone(), Vec::new());
            (range.start..end, Kind::Header { not: *not, names, partial, bytes })
        }
        _ => (within(range, partial), Kind::Stream { begun: false }),
    };
    match left.is_empty() {
        true => Found::Bytes(Vec::new()),
        false => Found::Content(Piece { uid, left, kind }),
    }
}

impl Piece {
    pub fn ask(&self, mailbox: MailboxId) -> Ask {
        Ask::Content(Content { mailbox, uid: self.uid, range: self.left.clone() })
    }

    /// Octets still to come.
    pub fn missing(&self) -> u64 {
        self.left.end.saturating_sub(self.left.start)
    }

    /// Takes a chunk, or says no to an empty one; more than was asked for is cut off.
    pub fn take(&mut self, chunk: &mut Vec<u8>) -> bool {
        chunk.truncate(usize::try_from(self.missing()).unwrap_or(usize::MAX));
        self.left.start += chunk.len() as u64;
        !chunk.is_empty()
    }
}

/// The bytes of a string a partial asks for.
pub(super) fn cut(bytes: &[u8], partial: Option<(u64, u64)>) -> Vec<u8> {
    let range = within(0..bytes.len() as u64, partial);
    bytes.get(range.start as usize..range.end as usize).unwrap_or_default().to_vec()
}

/// RFC 9051 §6.4.5: beyond the end there is nothing, and that is no error.
fn within(range: Range<u64>, partial: Option<(u64, u64)>) -> Range<u64> {
    let Some((offset, length)) = partial else { return range };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(length).min(range.end)
}

/// Of an enclosed message's header; fields behind are not picked.
const HEADER_MAX: u64 = 1024 * 1024;
