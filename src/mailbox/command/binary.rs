//! BINARY and BINARY.SIZE (RFC 3516, RFC 9051 §6.4.5): parts without their transfer encoding. A part
//! is decoded as it is read: what is small is kept meanwhile, what is large is read once for its
//! length and once to be sent, and never held.

use std::ops::Range;

use super::piece::{self, Found, Kind, layout, to_open};
use crate::mailbox::ask::{Opening, Refusal, Row};
use crate::wire::imap::encode::Fetch as Response;
use crate::wire::mime::{Decoder, Encoding, Section};

/// A part that is being decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    encoding: Encoding,
    /// Where its encoded octets lie.
    range: Range<u64>,
    /// Nothing when it has been fed to its end.
    decoder: Option<Decoder>,
    /// Decoded octets so far.
    at: u64,
    /// Which of them are wanted; nothing when only their number is.
    window: Option<Range<u64>>,
    /// What is wanted of them, while it is little.
    kept: Vec<u8>,
    nul: bool,
    pass: Pass,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pass {
    Measure,
    /// The string is begun.
    Send,
}

/// What is to be done when a chunk was fed.
pub(super) enum Fed {
    /// More is needed.
    More,
    /// From the start again, to be sent.
    Again(Range<u64>),
    Done,
}

pub(super) fn name(part: &[u32], partial: Option<(u64, u64)>) -> String {
    let mut name = format!("BINARY[{}]", numbers(part));
    if let Some((start, _)) = partial {
        name.push_str(&format!("<{start}>"));
    }
    name
}

pub(super) fn size_name(part: &[u32]) -> String {
    format!("BINARY.SIZE[{}]", numbers(part))
}

fn numbers(part: &[u32]) -> String {
    part.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

pub(super) fn find(part: &[u32], partial: Option<(u64, u64)>, row: &Row) -> Found {
    if part.is_empty() {
        return piece::stream(0..row.size, partial, row.uid);
    }
    let section = Section { part: part.to_vec(), ..Section::default() };
    let Some(layout) = layout(row) else { return Found::Nil };
    if let Some(piece) = to_open(&layout, &section, row) {
        return Found::Content(piece);
    }
    let Some((_, node)) = layout.part(part) else { return Found::Nil };
    let (start, length) = partial.unwrap_or((0, u64::MAX));
    match node.encoding {
        Encoding::Identity => piece::stream(node.body.clone(), partial, row.uid),
        encoding => {
            let window = Some(start..start.saturating_add(length));
            decode(encoding, node.body.clone(), window, row)
        }
    }
}

pub(super) fn find_size(part: &[u32], row: &Row) -> Found {
    if part.is_empty() {
        return Found::Number(row.size);
    }
    let section = Section { part: part.to_vec(), ..Section::default() };
    let Some(layout) = layout(row) else { return Found::Number(0) };
    // Asking opens nothing.
    // QUIRK(kep, 2026-11): nothing is said of what is enclosed; docs/quirks.md#41
    if row.opening == Opening::Sealed && layout.enclosing(&section).is_some() {
        return Found::Number(0);
    }
    match layout.part(part) {
        None => Found::Number(0),
        Some((_, node)) => match node.encoding {
            Encoding::Identity => Found::Number(node.body.end - node.body.start),
            _ if node.body.is_empty() => Found::Number(0),
            encoding => decode(encoding, node.body.clone(), None, row),
        },
    }
}

fn decode(encoding: Encoding, range: Range<u64>, window: Option<Range<u64>>, row: &Row) -> Found {
    let Some(decoder) = Decoder::new(encoding) else {
        return Found::Refused(Refusal::UnknownCte);
    };
    let decoding = Decoding {
        encoding,
        range: range.clone(),
        decoder: Some(decoder),
        at: 0,
        window,
        kept: Vec::new(),
        nul: false,
        pass: Pass::Measure,
    };
    piece::content(row.uid, range, Kind::Decode(Box::new(decoding)))
}

impl Decoding {
    pub fn is_begun(&self) -> bool {
        self.pass == Pass::Send
    }

    /// Takes encoded octets, the last ones or not, and writes what can be written.
    pub fn feed(&mut self, chunk: &[u8], last: bool, name: &str, out: &mut Response<'_>) -> Fed {
        let mut octets = Vec::new();
        if let Some(decoder) = &mut self.decoder {
            decoder.feed(chunk, &mut octets);
        }
        if let Some(decoder) = self.decoder.take_if(|_| last) {
            decoder.finish(&mut octets);
        }
        let wanted = self.wanted(&octets);
        match self.pass {
            Pass::Send => {
                out.append(wanted);
                if last || self.is_full() { Fed::Done } else { Fed::More }
            }
            Pass::Measure => {
                self.nul |= wanted.contains(&0);
                if self.kept.len() <= KEPT {
                    let wanted = wanted.to_vec();
                    self.kept.extend_from_slice(&wanted);
                }
                if last || self.is_full() { self.measured(name, out) } else { Fed::More }
            }
        }
    }

    /// Those of the octets just decoded that are wanted.
    fn wanted<'o>(&mut self, octets: &'o [u8]) -> &'o [u8] {
        let from = self.at;
        self.at += octets.len() as u64;
        let Some(window) = &self.window else { return &[] };
        let start = window.start.saturating_sub(from).min(octets.len() as u64);
        let end = window.end.saturating_sub(from).min(octets.len() as u64);
        octets.get(start as usize..end as usize).unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        self.window.as_ref().is_some_and(|window| self.at >= window.end)
    }

    fn measured(&mut self, name: &str, out: &mut Response<'_>) -> Fed {
        let Some(window) = &self.window else {
            out.number(name, self.at);
            return Fed::Done;
        };
        let length = self.at.min(window.end).saturating_sub(window.start);
        match self.nul {
            true => out.literal8(name, length),
            false => out.literal(name, length),
        }
        if self.kept.len() as u64 == length {
            out.append(&self.kept);
            return Fed::Done;
        }
        (self.kept, self.at, self.pass) = (Vec::new(), 0, Pass::Send);
        self.decoder = Decoder::new(self.encoding);
        Fed::Again(self.range.clone())
    }
}

/// Decoded octets that are kept while a part is measured.
const KEPT: usize = 256 << 10;
