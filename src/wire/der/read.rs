//! Reading: nodes are slices of the input, so that what was signed can be verified as it came.

use super::tag;
use crate::wire::Timestamp;
use chrono::{NaiveDate, NaiveDateTime};
use der::asn1::ObjectIdentifier;
use std::borrow::Cow;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DerError {
    #[error("the octets end too early")]
    Short,
    #[error("a length or tag form that is not used here")]
    Form,
    #[error("nested deeper than {MAX_DEPTH}")]
    Deep,
    #[error("more than {MAX_CHILDREN} elements in one")]
    Many,
    #[error("octets are left over")]
    Trailing,
    #[error("tag {found:#04x} where {wanted:#04x} belongs")]
    Tag { wanted: u8, found: u8 },
    #[error("a value that its type does not allow")]
    Value,
}

/// One element: its identifier octet, all its octets, and its contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    pub tag: u8,
    pub whole: &'a [u8],
    pub content: &'a [u8],
}

/// The elements of a constructed one, in order.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// The one element that `input` is.
pub fn parse(input: &[u8]) -> Result<Node<'_>, DerError> {
    let mut reader = Reader::new(input);
    let node = reader.next()?;
    reader.finish()?;
    Ok(node)
}

impl<'a> Reader<'a> {
    pub fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[allow(clippy::should_implement_trait)] // an iterator would hide the error
    pub fn next(&mut self) -> Result<Node<'a>, DerError> {
        let node = element(self.rest, 0)?;
        self.rest = self.rest.get(node.whole.len()..).ok_or(DerError::Short)?;
        Ok(node)
    }

    pub fn expect(&mut self, wanted: u8) -> Result<Node<'a>, DerError> {
        self.next()?.of(wanted)
    }

    /// The next element if it has this tag.
    pub fn optional(&mut self, wanted: u8) -> Result<Option<Node<'a>>, DerError> {
        match self.rest.first() {
            Some(found) if *found == wanted => self.next().map(Some),
            _ => Ok(None),
        }
    }

    pub fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing) }
    }
}

impl<'a> Node<'a> {
    pub fn of(self, wanted: u8) -> Result<Self, DerError> {
        if self.tag == wanted { Ok(self) } else { Err(DerError::Tag { wanted, found: self.tag }) }
    }

    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// All elements inside; a list longer than any we know is refused before it costs memory.
    pub fn children(&self) -> Result<Vec<Node<'a>>, DerError> {
        let mut reader = self.reader();
        let mut all = Vec::new();
        while !reader.is_empty() {
            if all.len() == MAX_CHILDREN {
                return Err(DerError::Many);
            }
            all.push(reader.next()?);
        }
        Ok(all)
    }

    pub fn oid(&self) -> Result<ObjectIdentifier, DerError> {
        let node = self.of(tag::OID)?;
        ObjectIdentifier::from_bytes(node.content).map_err(|_| DerError::Value)
    }

    /// A BOOLEAN.
    pub fn boolean(&self) -> Result<bool, DerError> {
        match self.of(tag::BOOLEAN)?.content {
            [value] => Ok(*value != 0),
            _ => Err(DerError::Value),
        }
    }

    /// An INTEGER or ENUMERATED that is small and not negative.
    pub fn small(&self) -> Result<u32, DerError> {
        match self.content {
            [first, ..] if *first < 0x80 && self.content.len() <= 4 => {
                Ok(self.content.iter().fold(0, |n, octet| (n << 8) | u32::from(*octet)))
            }
            _ => Err(DerError::Value),
        }
    }

    /// The octets of an OCTET STRING, in one piece or (BER) in several.
    pub fn octets(&self) -> Result<Cow<'a, [u8]>, DerError> {
        if self.tag == tag::OCTET_STRING {
            return Ok(Cow::Borrowed(self.content));
        }
        self.of(tag::OCTET_STRING | CONSTRUCTED)?;
        let mut joined = Vec::new();
        gather(self.content, &mut joined, 0)?;
        Ok(Cow::Owned(joined))
    }

    /// The octets of a BIT STRING without unused bits.
    pub fn bits(&self) -> Result<&'a [u8], DerError> {
        match self.of(tag::BIT_STRING)?.content {
            [0, bits @ ..] => Ok(bits),
            _ => Err(DerError::Value),
        }
    }

    /// A UTCTime or GeneralizedTime in UTC (RFC 5280 §4.1.2.5; fractions as RFC 3161 allows).
    pub fn time(&self) -> Result<Timestamp, DerError> {
        let text = std::str::from_utf8(self.content).map_err(|_| DerError::Value)?;
        let text = text.strip_suffix('Z').ok_or(DerError::Value)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (year, rest) = match self.tag {
            tag::UTC_TIME if whole.len() == 12 && fraction.is_empty() => {
                let (two, rest) = whole.split_at_checked(2).ok_or(DerError::Value)?;
                let two = digits(two)?;
                (if two < 50 { 2000 + two } else { 1900 + two }, rest)
            }
            tag::GENERALIZED_TIME if whole.len() == 14 => {
                let (four, rest) = whole.split_at_checked(4).ok_or(DerError::Value)?;
                (digits(four)?, rest)
            }
            _ => return Err(DerError::Value),
        };
        instant(year, rest, millis(fraction)?)
    }
}

fn digits(text: &str) -> Result<u32, DerError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DerError::Value);
    }
    text.parse().map_err(|_| DerError::Value)
}

fn millis(fraction: &str) -> Result<i64, DerError> {
    if fraction.is_empty() {
        return Ok(0);
    }
    let kept: String = fraction.chars().chain("00".chars()).take(3).collect();
    digits(fraction.get(..fraction.len().min(9)).ok_or(DerError::Value)?)?;
    digits(&kept).map(i64::from)
}

/// `rest` is `MMDDhhmmss`.
fn instant(year: u32, rest: &str, millis: i64) -> Result<Timestamp, DerError> {
    let field = |at: usize| digits(rest.get(at..at + 2).ok_or(DerError::Value)?);
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).map_err(|_| DerError::Value)?,
        field(0)?,
        field(2)?,
    );
    let time = |d: NaiveDate| d.and_hms_opt(field(4).ok()?, field(6).ok()?, field(8).ok()?);
    let time: NaiveDateTime = date.and_then(time).ok_or(DerError::Value)?;
    Ok(Timestamp::from_millis(time.and_utc().timestamp_millis() + millis))
}

fn element(input: &[u8], depth: usize) -> Result<Node<'_>, DerError> {
    if depth > MAX_DEPTH {
        return Err(DerError::Deep);
    }
    let (&tag, after_tag) = input.split_first().ok_or(DerError::Short)?;
    if tag & 0x1f == 0x1f {
        return Err(DerError::Form); // tags above 30 are in none of our grammars
    }
    let (&first, after_length) = after_tag.split_first().ok_or(DerError::Short)?;
    let (header, length) = match first {
        0x80 => return indefinite(input, tag, depth),
        0..0x80 => (2, usize::from(first)),
        _ => {
            let count = usize::from(first & 0x7f);
            let octets = after_length.get(..count).ok_or(DerError::Short)?;
            if count > 4 {
                return Err(DerError::Form);
            }
            (2 + count, octets.iter().fold(0, |n, octet| (n << 8) | usize::from(*octet)))
        }
    };
    let whole = input.get(..header + length).ok_or(DerError::Short)?;
    Ok(Node { tag, whole, content: &whole[header..] })
}

/// X.690 §8.1.3.6: the contents last until two zero octets.
fn indefinite(input: &[u8], tag: u8, depth: usize) -> Result<Node<'_>, DerError> {
    if tag & CONSTRUCTED == 0 {
        return Err(DerError::Form);
    }
    let mut at = 2;
    loop {
        let rest = input.get(at..).ok_or(DerError::Short)?;
        if rest.starts_with(&[0, 0]) {
            return Ok(Node { tag, whole: &input[..at + 2], content: &input[2..at] });
        }
        at += element(rest, depth + 1)?.whole.len();
    }
}

fn gather(pieces: &[u8], into: &mut Vec<u8>, depth: usize) -> Result<(), DerError> {
    if depth >= MAX_PIECES_DEPTH {
        return Err(DerError::Deep);
    }
    let mut reader = Reader::new(pieces);
    while !reader.is_empty() {
        let piece = reader.next()?;
        match piece.tag {
            tag::OCTET_STRING => into.extend_from_slice(piece.content),
            _ => gather(piece.of(tag::OCTET_STRING | CONSTRUCTED)?.content, into, depth + 1)?,
        }
    }
    Ok(())
}

const CONSTRUCTED: u8 = 0x20;

const MAX_CHILDREN: usize = 4_096;

/// A token inside a signature inside a mail nests about 20 deep.
const MAX_DEPTH: usize = 32;
/// Pieces of pieces of a string: programs write one level. Each scans its content anew, which may be
/// a whole message.
const MAX_PIECES_DEPTH: usize = 4;
