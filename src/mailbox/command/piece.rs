//! A piece of a message that FETCH was asked for: at hand in the row, or content to be asked for.
//! Of an unopened dispatch nothing of what it encloses is told before it is opened: not how large a
//! part is, nor that there is none (invariant 3).

use std::borrow::Cow;
use std::ops::Range;

use super::binary::{self, Decoding, Fed};
use crate::mailbox::ask::{Opening, Refusal, Row};
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::encode::Fetch as Response;
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
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
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
    if let Some(piece) = to_open(section, row) {
        return Found::Content(piece);
    }
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
        Found::Content(piece) if to_open(section, row).is_none() => Some(piece),
        _ => None,
    }
}

/// What has to be read first of an unopened dispatch, for a section of what it encloses.
pub(super) fn to_open(section: &Section, row: &Row) -> Option<Piece> {
    if row.opening == Opening::Open || section.part.is_empty() {
        return None;
    }
    let enclosed = layout(row)?.enclosing(section).filter(|range| !range.is_empty())?;
    let left = enclosed.start..enclosed.start + 1;
    Some(Piece { uid: row.uid, left, kind: Kind::Open })
}

pub(super) fn layout(row: &Row) -> Option<Layout> {
    Structure::read(&row.structure)?.layout()
}

/// Octets as they are.
pub(super) fn stream(range: Range<u64>, partial: Option<(u64, u64)>, uid: Uid) -> Found {
    found(uid, within(range, partial), Kind::Stream { begun: false })
}

/// A part to be decoded.
pub(super) fn decoded(range: Range<u64>, decoding: Decoding, uid: Uid) -> Found {
    found(uid, range, Kind::Decode(Box::new(decoding)))
}

fn found(uid: Uid, left: Range<u64>, kind: Kind) -> Found {
    match left.is_empty() {
        true => Found::Bytes(Vec::new()),
        false => Found::Content(Piece { uid, left, kind }),
    }
}

fn range(section: &Section, row: &Row) -> Option<Range<u64>> {
    match section.text {
        SectionText::Whole if section.part.is_empty() => Some(0..row.size),
        _ => layout(row)?.find(section),
    }
}

fn content(section: &Section, partial: Option<(u64, u64)>, range: Range<u64>, uid: Uid) -> Found {
    match &section.text {
        SectionText::HeaderFields { not, names } => {
            let end = range.end.min(range.start.saturating_add(HEADER_MAX));
            let (names, bytes) = (names.clone(), Vec::new());
            found(uid, range.start..end, Kind::Header { not: *not, names, partial, bytes })
        }
        _ => stream(range, partial, uid),
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
        match &self.kind {
            Kind::Stream { begun } => *begun,
            Kind::Decode(decoding) => decoding.is_begun(),
            Kind::Header { .. } | Kind::Open => false,
        }
    }

    pub fn is_decoded(&self) -> bool {
        matches!(self.kind, Kind::Decode(_))
    }

    /// Read for nothing but that it be opened.
    pub fn opens(&self) -> bool {
        matches!(self.kind, Kind::Open)
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
            Kind::Decode(decoding) => match decoding.feed(own, self.left.is_empty(), name, out) {
                Fed::More => {}
                Fed::Again(range) => self.left = range,
                Fed::Done => self.left.start = self.left.end,
            },
            Kind::Open => {}
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
