//! The message's header, cut into fields (RFC 5322 §2.2), strictly: a line that is no field would
//! be read one way by us and another by someone's mail program.

use super::Limits;
use crate::accept::refusal::Refusal;

pub(super) struct Header<'a> {
    fields: Vec<Field<'a>>,
    /// Where the body starts, behind the empty line.
    pub body: usize,
}

pub(super) struct Field<'a> {
    pub name: &'a [u8],
    /// Folded as it stands, without the last CRLF.
    pub value: &'a [u8],
}

impl<'a> Header<'a> {
    pub fn read(octets: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        if octets.is_empty() {
            return Err(Refusal::Empty);
        }
        let mut fields = Vec::new();
        let mut at = 0;
        let mut number = 0;
        while let Some(line) = line_at(octets, at).filter(|line| !is_empty(line)) {
            number += 1;
            let end = field_end(octets, at);
            if end > limits.header_octets {
                return Err(Refusal::HeaderTooLarge(limits.header_octets.to_string()));
            }
            if fields.len() >= limits.fields {
                return Err(Refusal::TooManyHeaders(limits.fields.to_string()));
            }
            let whole = octets.get(at..end).unwrap_or(line);
            number += whole.iter().filter(|b| **b == b'\n').count().saturating_sub(1);
            let field = field(whole).ok_or_else(|| Refusal::HeaderMalformed(number.to_string()))?;
            fields.push(field);
            at = end;
        }
        if fields.is_empty() {
            return Err(Refusal::HeaderMissing);
        }
        let body = at + line_at(octets, at).map_or(0, <[u8]>::len);
        Ok(Self { fields, body })
    }

    /// All fields of this name, in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let same = move |field: &&Field| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(same).map(|field| field.value)
    }

    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
}

/// The line that starts at `at`, with its CRLF.
pub(super) fn line_at(octets: &[u8], at: usize) -> Option<&[u8]> {
    let rest = octets.get(at..).filter(|rest| !rest.is_empty())?;
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1);
    rest.get(..end)
}

pub(super) fn is_empty(line: &[u8]) -> bool {
    line == b"\r\n"
}

/// Where the field that starts at `at` ends, continuation lines included.
pub(super) fn field_end(octets: &[u8], at: usize) -> usize {
    let mut end = at + line_at(octets, at).map_or(0, <[u8]>::len);
    while let Some(line) = line_at(octets, end)
        && matches!(line.first(), Some(b' ' | b'\t'))
    {
        end += line.len();
    }
    end
}

/// Name and value; none when the line is no field.
pub(super) fn field(whole: &[u8]) -> Option<Field<'_>> {
    let colon = whole.iter().position(|b| *b == b':')?;
    let name = whole.get(..colon)?;
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let value = whole.get(colon + 1..)?;
    // RFC 5322 §3.2.2: a folded line of white space alone; some readers end the header there.
    let folds = value.split_inclusive(|b| *b == b'\n').skip(1);
    if folds.into_iter().any(|line| line.trim_ascii().is_empty()) {
        return None;
    }
    Some(Field { name, value: value.strip_suffix(b"\r\n").unwrap_or(value) })
}

/// A value on one line (RFC 5322 §2.2.3), trimmed.
pub(super) fn unfolded(value: &[u8]) -> Vec<u8> {
    let flat: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    flat.trim_ascii().to_vec()
}
