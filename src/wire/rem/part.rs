//! MIME parts as ranges of a mail, exact to the octet: what a signature covers and what an original
//! is must not be guessed. Header fields are unfolded, bodies are left where they are.

use super::encode::{from_base64, from_quoted_printable};
use std::ops::Range;

/// One entity: the mail itself or a part of it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Header, blank line and body.
    pub(super) whole: Range<usize>,
    pub(super) body: Range<usize>,
    fields: Vec<(String, String)>,
}

impl Part {
    /// Reads the header at the start of `whole`.
    pub(super) fn read(mail: &[u8], whole: Range<usize>) -> Self {
        let octets = mail.get(whole.clone()).unwrap_or_default();
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut at = 0;
        for line in octets.split_inclusive(|b| *b == b'\n') {
            at += line.len();
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                break;
            }
            let text = String::from_utf8_lossy(text);
            if text.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(text.trim());
                }
            } else if let Some((name, value)) = text.split_once(':') {
                fields.push((name.trim_end().to_owned(), value.trim().to_owned()));
            }
            if fields.len() >= MAX_FIELDS {
                break;
            }
        }
        let body = whole.start + at..whole.end;
        Self { whole, body, fields }
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// `type/subtype` in lower case; RFC 2045 §5.2 names the default.
    pub(super) fn content_type(&self) -> String {
        let value = self.field("Content-Type").unwrap_or("text/plain");
        value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// The name of an attachment, from either field.
    pub(super) fn file_name(&self) -> Option<String> {
        let disposition = self.field("Content-Disposition").and_then(|v| parameter(v, "filename"));
        disposition.or_else(|| self.field("Content-Type").and_then(|v| parameter(v, "name")))
    }

    /// The parts of a multipart. Each ends before the line break in front of the next boundary.
    pub(super) fn parts(&self, mail: &[u8]) -> Vec<Self> {
        let boundary = self.field("Content-Type").and_then(|v| parameter(v, "boundary"));
        let Some(boundary) = boundary.filter(|b| !b.is_empty()) else { return Vec::new() };
        let Some(body) = mail.get(self.body.clone()) else { return Vec::new() };
        let mut parts = Vec::new();
        let (mut at, mut start) = (self.body.start, None);
        for line in body.split_inclusive(|b| *b == b'\n') {
            let delimiter = delimiter(line, boundary.as_bytes());
            if let Some(closing) = delimiter {
                if let Some(start) = start {
                    parts.push(Self::read(mail, start..end_of_part(mail, start, at)));
                }
                start = Some(at + line.len());
                if closing || parts.len() >= MAX_PARTS {
                    return parts;
                }
            }
            at += line.len();
        }
        // A mail that was cut: the last part goes to the end.
        parts.extend(start.map(|start| Self::read(mail, start..self.body.end)));
        parts
    }

    /// The body without its transfer encoding; `None` when that is unknown or broken.
    pub(super) fn decoded(&self, mail: &[u8]) -> Option<Vec<u8>> {
        let octets = mail.get(self.body.clone())?;
        let encoding = self.field("Content-Transfer-Encoding").unwrap_or("7bit");
        match encoding.trim().to_ascii_lowercase().as_str() {
            "base64" => from_base64(octets),
            "quoted-printable" => Some(from_quoted_printable(octets)),
            "7bit" | "8bit" | "binary" => Some(octets.to_vec()),
            _ => None,
        }
    }

    pub(super) fn is_encoded(&self) -> bool {
        let encoding = self.field("Content-Transfer-Encoding").unwrap_or("7bit").trim();
        ["base64", "quoted-printable"].iter().any(|e| encoding.eq_ignore_ascii_case(e))
    }
}

/// Is the line a boundary, and the closing one?
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// RFC 2046 §5.1.1: the line break before a boundary belongs to the boundary.
fn end_of_part(mail: &[u8], start: usize, boundary: usize) -> usize {
    let before = mail.get(start..boundary).unwrap_or_default();
    let before = before.strip_suffix(b"\n").map_or(before, |b| b.strip_suffix(b"\r").unwrap_or(b));
    start + before.len()
}

/// A parameter of a structured field, quoted or not (RFC 2045 §5.1).
pub(super) fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (found, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (found, next) = after.split_at(end);
                (found.trim().to_owned(), next)
            }
        };
        if name.trim_matches([';', ' ', '\t']).eq_ignore_ascii_case(wanted) {
            return Some(found);
        }
        rest = next;
    }
}

fn unquoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (out, &text[at + 1..]),
            c => {
                out.push(c);
                escaped = false;
            }
        }
    }
    (out, "")
}

const MAX_FIELDS: usize = 10_000;
/// Where reading stops.
pub(super) const MAX_PARTS: usize = 1_000;
