//! Header fields as they stand in the octets (RFC 5322 §2.2), tolerant of bare LF and of junk.

use std::borrow::Cow;
use std::ops::Range;

/// One field of a header; `raw` is where it stands, folded lines and last line end included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    pub name: &'a [u8],
    /// After the colon, folded as it came, without the last line end.
    pub value: &'a [u8],
    pub raw: Range<usize>,
}

impl<'a> Field<'a> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, trimmed. Octets no protocol may carry (NUL, stray CR or LF) are
    /// spaces.
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        unfold(self.value)
    }
}

/// The fields of a header, in order; at most `FIELDS`. Lines that are no field are skipped.
pub fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    lines_of_fields(header).filter_map(move |raw| {
        let text = header.get(raw.clone())?;
        let colon = text.iter().position(|b| *b == b':')?;
        let name = text.get(..colon)?.trim_ascii_end();
        let good = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        let value = without_line_end(text.get(colon + 1..)?);
        good.then_some(Field { name, value, raw })
    })
}

/// The first field of that name.
pub fn field<'a>(header: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(header).find(|field| field.is(name))
}

/// The value on one line, trimmed.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if !value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let folds = match (byte, value.get(at + 1), value.get(at + 2)) {
            (b'\r', Some(b'\n'), Some(b' ' | b'\t')) => 2,
            (b'\n', Some(b' ' | b'\t'), _) => 1,
            _ => 0,
        };
        match byte {
            _ if folds > 0 => at += folds - 1,
            b'\r' | b'\n' | 0 => out.push(b' '),
            other => out.push(other),
        }
        at += 1;
    }
    Cow::Owned(out)
}

/// Where each field stands, with its continuation lines; the empty line is none.
pub(super) fn lines_of_fields(header: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let first = line_end(header, start)?;
        if is_empty_line(header.get(start..first)?) {
            return None;
        }
        at = first;
        while matches!(header.get(at), Some(b' ' | b'\t')) {
            match line_end(header, at) {
                Some(next) if !is_blank(header.get(at..next)?) => at = next,
                _ => break,
            }
        }
        Some(start..at)
    })
    .take(FIELDS)
}

/// Where the line that starts at `at` ends, its line end included; nothing at the end of `bytes`.
pub(super) fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    Some(memchr::memchr(b'\n', rest).map_or(bytes.len(), |lf| at + lf + 1))
}

pub(super) fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A folded line of nothing but white space does not go on a field (it is kept, as a junk line).
fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// More than any header needs; what is beyond is bytes, not fields.
const FIELDS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_they_stand() {
        let header = b"From: a\r\nSubject: bir\r\n  iki\r\njunk\r\nTO : x\nX:\r\n\r\n";
        let all: Vec<_> = fields(header).collect();
        let names: Vec<_> =
            all.iter().map(|f| String::from_utf8_lossy(f.name).into_owned()).collect();
        assert_eq!(names, ["From", "Subject", "TO", "X"]);
        assert_eq!(all[1].unfolded().as_ref(), b"bir  iki");
        assert_eq!(&header[all[1].raw.clone()], b"Subject: bir\r\n  iki\r\n");
        assert!(all[2].is("to"));
        assert_eq!(all[3].value, b"");
    }

    #[test]
    fn a_value_has_no_line_ends_left() {
        assert_eq!(unfold(b" a\r\n\tb\rc\0d\n e ").as_ref(), b"a\tb c d e");
    }
}
