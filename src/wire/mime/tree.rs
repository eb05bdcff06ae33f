//! Octets → tree of parts, in one pass over the lines with a stack of open boundaries, so that a
//! deep nest costs no more than a flat one (RFC 2046 §5.1).

use super::content::Content;
use super::fields::{is_empty_line, line_end};
use std::ops::Range;

/// A part of a message, or the message itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// With the empty line that ends it.
    pub header: Range<usize>,
    /// Without the line end before the next boundary.
    pub body: Range<usize>,
    pub content: Content,
    pub inside: Body,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Leaf,
    /// One part at least.
    Multipart(Vec<Part>),
    Message(Box<Part>),
}

/// Any octets have a tree.
pub fn parse(bytes: &[u8]) -> Part {
    let mut parser = Parser { bytes, open: vec![Open::at(0)], parts: 1 };
    parser.read();
    parser.finish()
}

/// The outermost header with its empty line; all of a mail without one.
pub fn header(bytes: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(next) = line_end(bytes, at) {
        if bytes.get(at..next).is_some_and(is_empty_line) {
            return bytes.get(..next).unwrap_or(bytes);
        }
        at = next;
    }
    bytes
}

impl Part {
    /// Line ends in the body.
    pub fn lines(&self, message: &[u8]) -> usize {
        let body = message.get(self.body.clone()).unwrap_or_default();
        memchr::memchr_iter(b'\n', body).count()
    }

    pub fn header_bytes<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(self.header.clone()).unwrap_or_default()
    }

    pub fn body_bytes<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(self.body.clone()).unwrap_or_default()
    }

    /// Children in order; a message's one child is its message.
    pub fn children(&self) -> &[Part] {
        match &self.inside {
            Body::Leaf => &[],
            Body::Multipart(parts) => parts,
            Body::Message(message) => std::slice::from_ref(message),
        }
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    open: Vec<Open>,
    parts: usize,
}

/// A part whose end is not reached yet.
struct Open {
    start: usize,
    /// Its header is read; where the body starts and what it is.
    body: Option<(usize, Content, Expect)>,
    children: Vec<Part>,
}

enum Expect {
    Nothing,
    /// Children between lines of `--` and this; nothing more after the closing one.
    Parts {
        boundary: Vec<u8>,
        closed: bool,
    },
    Message,
}

impl Open {
    fn at(start: usize) -> Self {
        Self { start, body: None, children: Vec::new() }
    }

    /// Where its body starts, or its header while that is read.
    fn begun(&self) -> usize {
        self.body.as_ref().map_or(self.start, |(body, _, _)| *body)
    }

    fn is_digest(&self) -> bool {
        self.body.as_ref().is_some_and(|(_, content, _)| content.is("multipart", "digest"))
    }

    fn close(self, bytes: &[u8], end: usize, digest: bool) -> Part {
        let (body, content, expect) = self.body.unwrap_or_else(|| {
            let header = bytes.get(self.start..end).unwrap_or_default();
            (end, Content::of_header(header, digest), Expect::Nothing)
        });
        let mut children = self.children;
        let inside = match expect {
            Expect::Message => children.pop().map_or(Body::Leaf, |m| Body::Message(Box::new(m))),
            Expect::Parts { .. } if !children.is_empty() => Body::Multipart(children),
            _ => Body::Leaf,
        };
        let end = end.max(body);
        Part { header: self.start..body, body: body..end, content, inside }
    }
}

impl Parser<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(next) = line_end(self.bytes, at) {
            let line = self.bytes.get(at..next).unwrap_or_default();
            match self.delimiter(line) {
                Some((level, closes)) => self.delimit(level, closes, at, next),
                None if is_empty_line(line) => self.header_ends(next),
                None => {}
            }
            at = next;
        }
    }

    fn finish(mut self) -> Part {
        while self.open.len() > 1 {
            self.close_top(self.bytes.len());
        }
        let root = self.open.pop().unwrap_or_else(|| Open::at(0));
        root.close(self.bytes, self.bytes.len(), false)
    }

    /// The innermost open multipart this line delimits, and whether it closes it.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let hit = |open: &Open| match &open.body {
            Some((_, _, Expect::Parts { boundary, closed: false })) => {
                let rest = text.strip_prefix(boundary.as_slice())?;
                matches!(rest, b"" | b"--").then_some(!rest.is_empty())
            }
            _ => None,
        };
        self.open.iter().enumerate().rev().find_map(|(at, open)| Some((at, hit(open)?)))
    }

    fn delimit(&mut self, level: usize, closes: bool, line: usize, next: usize) {
        // A part that has no body yet ends where its header does, and so do those around it.
        let begun = self.open.iter().skip(level + 1).map(Open::begun).max().unwrap_or_default();
        let end = self.before_line_end(line).max(begun);
        while self.open.len() > level + 1 {
            self.close_top(end);
        }
        let full = self.parts >= PARTS;
        if let Some(Open { body: Some((_, _, Expect::Parts { closed, .. })), .. }) =
            self.open.last_mut()
        {
            *closed = closes || full;
        }
        if !closes && !full {
            self.begin(next);
        }
    }

    /// RFC 2046 §5.1.1: the line end before a boundary belongs to the boundary.
    fn before_line_end(&self, at: usize) -> usize {
        let before = self.bytes.get(..at).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        before.strip_suffix(b"\r").unwrap_or(before).len()
    }

    fn begin(&mut self, start: usize) {
        self.parts += 1;
        self.open.push(Open::at(start));
    }

    fn close_top(&mut self, end: usize) {
        let Some(top) = self.open.pop() else { return };
        let digest = self.open.last().is_some_and(Open::is_digest);
        let end = end.max(top.start);
        let part = top.close(self.bytes, end, digest);
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(part);
        }
    }

    fn header_ends(&mut self, body: usize) {
        let digest = self
            .open
            .len()
            .checked_sub(2)
            .and_then(|at| self.open.get(at))
            .is_some_and(Open::is_digest);
        let room = self.open.len() < DEPTH && self.parts < PARTS;
        let Some(top) = self.open.last_mut().filter(|top| top.body.is_none()) else { return };
        let header = self.bytes.get(top.start..body).unwrap_or_default();
        let content = Content::of_header(header, digest);
        let expect = if room { expect(&content) } else { Expect::Nothing };
        let message = matches!(expect, Expect::Message);
        top.body = Some((body, content, expect));
        if message {
            self.begin(body);
        }
    }
}

fn expect(content: &Content) -> Expect {
    let message = content.is("message", "rfc822") || content.is("message", "global");
    match content.param("boundary").filter(|b| !b.is_empty()) {
        Some(boundary) if content.is_kind("multipart") => {
            Expect::Parts { boundary: boundary.trim_ascii_end().to_vec(), closed: false }
        }
        _ if message && content.is_identity() => Expect::Message,
        _ => Expect::Nothing,
    }
}

/// Levels of nesting; deeper is a leaf.
pub(super) const DEPTH: usize = 100;
/// Parts in a message; what comes after is the last multipart's epilogue. More than twice as many
/// as a submission may have (each may enclose a message, which is a part too), and the dispatch
/// around it: its evidence and seal come last.
pub(super) const PARTS: usize = 4_200;

#[cfg(test)]
mod tests;
