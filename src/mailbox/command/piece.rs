//! A piece of a message that FETCH was asked for: at hand in the row, or content to be asked for.
//! Of an unopened dispatch nothing of what it encloses is told before it is opened: not how large a
//! part is, nor that there is none (invariant 3).

use std::borrow::Cow;
use std::ops::Range;

use super::binary::{self, Decoding};
use crate::mailbox::ask::{Ask, Content, Opening, Refusal, Row};
use crate::wire::MailboxId;
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::{Structure, Uid};
use crate::wire::mime::section::pick_fields;
use crate::wire::mime::{Layout, Section, SectionText};

/// Where a section was found.
#[derive(Debug)]
pub(super) enum Found {
    /// The message has no such section.
    Nil,
    Bytes(Vec<u8>),
    Number(u64),
    Content(Piece),
    Refused(Refusal),
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
    /// Decoded as it comes (RFC 3516).
    Decode(Box<Decoding>),
    /// An octet of what is enclosed, so that it is opened: then it is told what was asked for.
    Open,
}

/// What the response calls an item that is found by `find`.
pub(super) fn name(item: &FetchItem) -> Option<Cow<'_, str>> {
    match item {
        FetchItem::Section { name, .. } => Some(name.into()),
        FetchItem::Binary { part, partial, .. } => Some(binary::name(part, *partial).into()),
        FetchItem::BinarySize { part } => Some(binary::size_name(part).into()),
        _ => None,
    }
}

/// Where an item lies, of those that have a name here.
pub(super) fn find(item: &FetchItem, row: &Row) -> Found {
    match item {
        FetchItem::Section { section, partial, .. } => find_section(section, *partial, row),
        FetchItem::Binary { part, partial, .. } => binary::find(part, *partial, row),
        FetchItem::BinarySize { part } => binary::find_size(part, row),
        _ => Found::Nil,
    }
}

fn find_section(section: &Section, partial: Option<(u64, u64)>, row: &Row) -> Found {
    let outer = section.part.is_empty();
    let range = match &section.text {
        SectionText::Header if outer => return Found::Bytes(cut(&row.header, partial)),
        SectionText::HeaderFields { not, names } if outer => {
            return Found::Bytes(cut(&pick_fields(&row.header, *not, names), partial));
        }
        SectionText::Whole if outer => return stream(0..row.size, partial, row.uid),
        _ => layout(row),
    };
    let Some(layout) = range else { return Found::Nil };
    if let Some(piece) = to_open(&layout, section, row) {
        return Found::Content(piece);
    }
    match (layout.find(section), &section.text) {
        (None, _) => Found::Nil,
        (Some(range), SectionText::HeaderFields { not, names }) => {
            let end = range.end.min(range.start.saturating_add(HEADER_MAX));
            let (not, names, bytes) = (*not, names.clone(), Vec::new());
            content(row.uid, range.start..end, Kind::Header { not, names, partial, bytes })
        }
        (Some(range), _) => stream(range, partial, row.uid),
    }
}

pub(super) fn layout(row: &Row) -> Option<Layout> {
    Structure::read(&row.structure).and_then(|structure| structure.layout())
}

/// What has to be read first of an unopened dispatch, for a section of what it encloses.
pub(super) fn to_open(layout: &Layout, section: &Section, row: &Row) -> Option<Piece> {
    let sealed = row.opening == Opening::Sealed;
    let enclosed = layout.enclosing(section).filter(|range| sealed && !range.is_empty())?;
    let left = enclosed.start..enclosed.start + 1;
    Some(Piece { uid: row.uid, left, kind: Kind::Open })
}

pub(super) fn stream(range: Range<u64>, partial: Option<(u64, u64)>, uid: Uid) -> Found {
    content(uid, within(range, partial), Kind::Stream { begun: false })
}

pub(super) fn content(uid: Uid, left: Range<u64>, kind: Kind) -> Found {
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

    /// Asks for these octets next.
    pub fn read(&mut self, range: Range<u64>) {
        self.left = range;
    }

    /// A string was begun, and can't be ended otherwise than by cutting the line.
    pub fn is_begun(&self) -> bool {
        match &self.kind {
            Kind::Stream { begun } => *begun,
            Kind::Decode(decoding) => decoding.is_begun(),
            Kind::Header { .. } | Kind::Open => false,
        }
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
