//! Logical lines: physical ones with their continuations (RFC 6350 §3.2). A bare LF ends a line, too;
//! soft breaks of quoted-printable (vCard 2.1) are lines of their own kind.

/// A logical line, and where in the file it begins, from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub number: usize,
    pub octets: Vec<u8>,
}

pub struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    pub fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets.strip_prefix(BOM).unwrap_or(octets), number: 0 }
    }

    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(end) => (self.rest.get(..end)?, self.rest.get(end + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let first = self.physical()?;
        let mut line = Line { number: self.number, octets: first.to_vec() };
        loop {
            if line.octets.ends_with(b"=") && is_quoted_printable(&line.octets) {
                line.octets.pop();
                match self.physical() {
                    Some(next) => line.octets.extend_from_slice(next),
                    None => return Some(line),
                }
            } else if self.rest.starts_with(b" ") || self.rest.starts_with(b"\t") {
                let next = self.physical().unwrap_or_default();
                line.octets.extend_from_slice(next.get(1..).unwrap_or_default());
            } else {
                return Some(line);
            }
        }
    }
}

/// Whether the part before the value says so.
fn is_quoted_printable(line: &[u8]) -> bool {
    let head = line.split(|b| *b == b':').next().unwrap_or_default();
    let says = |mark: &[u8]| head.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark));
    MARKS.iter().any(|mark| says(mark))
}

const BOM: &[u8] = b"\xef\xbb\xbf";
/// With the parameter's name, and as 2.1 has it.
const MARKS: [&[u8]; 2] = [b";ENCODING=QUOTED-PRINTABLE", b";QUOTED-PRINTABLE"];
