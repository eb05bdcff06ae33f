//! Octets → text, by mark and declaration (XML 1.0 §4.3.3, appendix F). What is signed is the canonical
//! form, which is UTF-8 whatever the document was kept in.

use super::{MAX_OCTETS, XmlFault};
use crate::wire::mime::text::{decode_charset, is_charset};
use std::borrow::Cow;

/// UTF-8 as it is; UTF-16 with its mark and single-octet encodings that are declared, decoded.
pub fn text(octets: &[u8]) -> Result<Cow<'_, str>, XmlFault> {
    if octets.len() > MAX_OCTETS {
        return Err(XmlFault::TooLarge(octets.len()));
    }
    match octets {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => match foreign(octets) {
            None => utf8(octets),
            Some(name) => single_octets(octets, name),
        },
    }
}

/// What text that is not UTF-8 is written in.
pub(super) fn name(octets: &[u8]) -> String {
    foreign(octets).unwrap_or_else(|| "UTF-16".to_owned())
}

fn utf8(octets: &[u8]) -> Result<Cow<'_, str>, XmlFault> {
    if let Some(name) = foreign(octets) {
        return Err(XmlFault::Encoding(name));
    }
    std::str::from_utf8(octets).map(Cow::Borrowed).map_err(|_| XmlFault::NotUtf8)
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, XmlFault> {
    let (pairs, odd) = octets.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(Cow::Owned(text)),
        _ => Err(XmlFault::Malformed("broken UTF-16".to_owned())),
    }
}

fn single_octets(octets: &[u8], name: String) -> Result<Cow<'_, str>, XmlFault> {
    let lower = name.to_ascii_lowercase();
    let single = lower.starts_with("iso-8859-") || lower.starts_with("windows-125");
    if !single || !is_charset(lower.as_bytes()) {
        return Err(XmlFault::Encoding(name));
    }
    Ok(Cow::Owned(decode_charset(octets, Some(lower.as_bytes())).into_owned()))
}

/// The encoding of the XML declaration when it is another than UTF-8.
fn foreign(octets: &[u8]) -> Option<String> {
    let start = octets.get(..DECLARATION).unwrap_or(octets);
    let start = String::from_utf8_lossy(start.strip_prefix(b"<?xml")?);
    let after = start.split("?>").next()?.split("encoding").nth(1)?;
    let value = after.trim_start_matches(|c: char| c == '=' || c.is_ascii_whitespace());
    let name = value.get(1..)?.split(['"', '\'']).next()?;
    let known = ["utf-8", "utf8", "us-ascii"].iter().any(|k| name.eq_ignore_ascii_case(k));
    (!known).then(|| name.to_owned())
}

/// It stands at the very start.
const DECLARATION: usize = 256;
