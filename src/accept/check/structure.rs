//! How many parts, and how deep: one pass over the lines, no recursion, so that neither we nor any
//! reader behind us is led down a well.

use super::Limits;
use super::content_type::ContentType;
use super::header::{Header, field, field_end, is_empty, line_at};
use crate::accept::refusal::Refusal;

pub(super) fn check(octets: &[u8], header: &Header, limits: &Limits) -> Result<(), Refusal> {
    let mut walk = Walk { open: Vec::new(), depth: 0, parts: 0, limits };
    let top = header.first("Content-Type").and_then(ContentType::parse);
    if top.as_ref().is_some_and(|t| t.is_multipart() && t.boundary().is_none()) {
        return Err(Refusal::MultipartMalformed);
    }
    let mut at = header.body;
    let mut message_inside = walk.enter(top.as_ref())?;
    loop {
        if std::mem::take(&mut message_inside) {
            let (end, kind) = part_header(octets, at, &walk);
            at = end;
            message_inside = walk.enter(kind.as_ref())?;
            continue;
        }
        let Some(line) = line_at(octets, at) else { return Ok(()) };
        at += line.len();
        message_inside = walk.delimiter(line)?;
    }
}

struct Walk<'a> {
    open: Vec<Level>,
    depth: usize,
    parts: usize,
    limits: &'a Limits,
}

struct Level {
    boundary: String,
    depth: usize,
}

impl Walk<'_> {
    /// Goes into a part of this type; true when a header follows (a message in a message).
    fn enter(&mut self, kind: Option<&ContentType>) -> Result<bool, Refusal> {
        let Some(kind) = kind else { return Ok(false) };
        let message = kind.is("message/rfc822") || kind.is("message/global");
        let boundary = kind.boundary().filter(|_| kind.is_multipart());
        if message || boundary.is_some() {
            self.depth += 1;
        }
        if self.depth > self.limits.depth {
            return Err(Refusal::TooDeep(self.limits.depth.to_string()));
        }
        if let Some(boundary) = boundary {
            self.open.push(Level { boundary: boundary.to_owned(), depth: self.depth });
        }
        Ok(message)
    }

    /// True when the line starts a part, so that a header follows.
    fn delimiter(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        let Some((index, kind)) = self.find(line) else { return Ok(false) };
        self.open.truncate(index + 1);
        self.depth = self.open.last().map_or(0, |level| level.depth);
        if kind == Delimiter::Close {
            self.open.pop();
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Refusal::TooManyParts(self.limits.parts.to_string()));
        }
        Ok(true)
    }

    fn find(&self, line: &[u8]) -> Option<(usize, Delimiter)> {
        if !line.starts_with(b"--") {
            return None;
        }
        let levels = self.open.iter().enumerate().rev();
        levels.filter_map(|(index, level)| Some((index, delimiter(line, &level.boundary)?))).next()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Part,
    Close,
}

/// RFC 2046 §5.1.1: `--boundary` or `--boundary--`, then only white space.
pub(super) fn delimiter(line: &[u8], boundary: &str) -> Option<Delimiter> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?.trim_ascii_end();
    match rest {
        b"" => Some(Delimiter::Part),
        b"--" => Some(Delimiter::Close),
        _ => None,
    }
}

/// A part's header is read tolerantly: only its type matters here. It ends at the empty line, or
/// where a delimiter stands in its place.
fn part_header(octets: &[u8], start: usize, walk: &Walk) -> (usize, Option<ContentType>) {
    let mut at = start;
    let mut kind = None;
    while let Some(line) = line_at(octets, at) {
        if is_empty(line) {
            return (at + line.len(), kind);
        }
        if walk.find(line).is_some() {
            return (at, None);
        }
        let end = field_end(octets, at);
        let read = octets.get(at..end).and_then(field);
        if let Some(read) = read.filter(|f| f.name.eq_ignore_ascii_case(b"Content-Type")) {
            kind = kind.or_else(|| ContentType::parse(read.value));
        }
        at = end;
    }
    (at, kind)
}
