//! A piece of a message that FETCH was asked for: at hand in the row, or content to be asked for.

use std::ops::Range;

use crate::mailbox::ask::Row;
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::encode::Fetch as Response;
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
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Passed on as it comes.
    Stream { begun: bool },
    /// A header to pick fields from: collected first.
    Header { not: bool, names: Vec<String>, partial: Option<(u64, u64)>, bytes: Vec<u8> },
}

pub(super) fn find(section: &Section, partial: Option<(u64, u64)>, row: &Row) -> Found {
    let outer = section.part.is_empty();
    match &section.text {
        SectionText::Header if outer => Found::Bytes(cut(&row.header, partial)),
        SectionText::HeaderFields { not, names } if outer => {
            Found::Bytes(cut(&pick_fields(&row.header, *not, names), partial))
        }
        _ => match range(section, row) {
            Some(range) => content(section, partial, range, row.uid),
            None => Found::Nil,
        },
    }
}

/// What an item will ask for when its turn comes, if anything.
pub(super) fn content_of(item: &FetchItem, row: &Row) -> Option<Piece> {
    let FetchItem::Section { section, partial, .. } = item else { return None };
    let header = matches!(section.text, SectionText::Header | SectionText::HeaderFields { .. });
    if section.part.is_empty() && header {
        return None;
    }
    match content(section, *partial, range(section, row)?, row.uid) {
        Found::Content(piece) => Some(piece),
        Found::Bytes(_) | Found::Nil => None,
    }
}

fn range(section: &Section, row: &Row) -> Option<Range<u64>> {
    match section.text {
        SectionText::Whole if section.part.is_empty() => Some(0..row.size),
        _ => Structure::read(&row.structure)?.layout()?.find(section),
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
    /// Where what is missing lies.
    pub fn place(&self) -> (Uid, Range<u64>) {
        (self.uid, self.left.clone())
    }

    /// Octets still to come.
    pub fn missing(&self) -> u64 {
        self.left.end.saturating_sub(self.left.start)
    }

    /// Whether something of it is written already.
    pub fn begun(&self) -> bool {
        matches!(self.kind, Kind::Stream { begun: true })
    }

    /// Writes what came, as much of it as is this piece's; says how much that is.
    pub fn write(&mut self, name: &str, octets: &[u8], out: &mut Response<'_>) -> usize {
        let whole = self.missing();
        let most = usize::try_from(whole).unwrap_or(usize::MAX);
        let own = octets.get(..octets.len().min(most)).unwrap_or_default();
        self.left.start += own.len() as u64;
        match &mut self.kind {
            Kind::Stream { begun } => {
                if !std::mem::replace(begun, true) {
                    out.literal(name, whole);
                }
                out.append(own);
            }
            Kind::Header { not, names, partial, bytes } => {
                bytes.extend_from_slice(own);
                if self.left.is_empty() {
                    string(out, name, &cut(&pick_fields(bytes, *not, names), *partial));
                }
            }
        }
        own.len()
    }
}

pub(super) fn string(out: &mut Response<'_>, name: &str, bytes: &[u8]) {
    out.literal(name, bytes.len() as u64);
    out.append(bytes);
}

/// The bytes of a string a partial asks for.
fn cut(bytes: &[u8], partial: Option<(u64, u64)>) -> Vec<u8> {
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
