//! A mail with `binary` parts as one of lines (RFC 3516 §4.4: a server that keeps no binary content may
//! encode it): these parts in base64, all other octets as they came.

use super::tree::{Body, Part};
use super::{fields, parse};
use std::ops::Range;

/// The mail without a NUL in it; nothing when one stands elsewhere than in a binary part.
pub fn encode(mail: &[u8]) -> Option<Vec<u8>> {
    let mut changes = Vec::new();
    collect(mail, &parse(mail), &mut changes);
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 2);
    let mut at = 0;
    for (range, new) in changes {
        out.extend_from_slice(mail.get(at..range.start)?);
        out.extend_from_slice(&new);
        at = range.end;
    }
    out.extend_from_slice(mail.get(at..)?);
    (!out.contains(&0)).then_some(out)
}

/// What is to stand instead of what, in the order of the mail.
fn collect(mail: &[u8], part: &Part, changes: &mut Vec<(Range<usize>, Vec<u8>)>) {
    let binary = part.content.encoding.eq_ignore_ascii_case(b"binary");
    let leaf = matches!(part.inside, Body::Leaf);
    if binary {
        // What encloses others can't be encoded itself (RFC 2045 §6.4).
        relabel(mail, part, if leaf { "base64" } else { "8bit" }, changes);
    }
    if binary && leaf {
        let text = data_encoding::BASE64_MIME.encode(part.body_bytes(mail));
        changes.push((part.body.clone(), text.into_bytes()));
    }
    part.children().iter().for_each(|child| collect(mail, child, changes));
}

fn relabel(mail: &[u8], part: &Part, encoding: &str, changes: &mut Vec<(Range<usize>, Vec<u8>)>) {
    let named = fields(part.header_bytes(mail)).filter(|f| f.is("Content-Transfer-Encoding"));
    if let Some(field) = named.last() {
        let at = part.header.start;
        let line = format!("Content-Transfer-Encoding: {encoding}\r\n");
        changes.push((at + field.raw.start..at + field.raw.end, line.into_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mime::{Decoder, Encoding};
    use proptest::prelude::*;

    const MAIL: &[u8] =
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n\
--b\r\nContent-Transfer-Encoding:  BINARY\r\nX: y\r\n\r\na\0b\r\n--b\r\n\r\ntext\r\n--b--\r\n";

    #[test]
    fn binary_parts_become_base64_and_nothing_else_changes() {
        let encoded = encode(MAIL).unwrap();
        let text = String::from_utf8(encoded.clone()).unwrap();
        assert!(text.contains("boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\n"));
        assert!(text.contains("\r\nContent-Transfer-Encoding: base64\r\nX: y\r\n\r\nYQBi\r\n"));
        assert!(text.ends_with("--b\r\n\r\ntext\r\n--b--\r\n"));
        let root = parse(&encoded);
        let body = root.children()[0].body_bytes(&encoded);
        let (mut decoder, mut out) = (Decoder::new(Encoding::Base64).unwrap(), Vec::new());
        decoder.feed(body, &mut out);
        assert_eq!(out, b"a\0b");
    }

    #[test]
    fn nul_elsewhere_can_not_be_kept() {
        assert_eq!(encode(b"Subject: x\r\n\r\na\0b"), None);
        assert_eq!(encode(b"Subject: \0\r\nContent-Transfer-Encoding: binary\r\n\r\nab"), None);
    }

    proptest! {
        #[test]
        fn no_octets_are_too_odd(words in proptest::collection::vec(prop_oneof![
            Just("--b\r\n"), Just("--b--"), Just("\r\n"), Just("Content-Transfer-Encoding: binary\r\n"),
            Just("Content-Type: multipart/mixed; boundary=b\r\n"), Just("Content-Type: message/rfc822\r\n"),
            Just("\0"), Just("x")
        ], 0..30)) {
            let mail = words.concat().into_bytes();
            if let Some(encoded) = encode(&mail) {
                prop_assert!(!encoded.contains(&0));
            }
        }
    }
}
