//! What a message says of the conversation that it is part of (RFC 5322 §3.6.4). Message-IDs are kept as
//! parts of their digests: nobody can make two alike, and a long one takes no more room.

use super::fields::fields;
use crate::wire::digest::sha256;

/// Stands for a Message-ID.
pub type Reference = [u8; 16];

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Related {
    /// By its Message-ID.
    pub own: Option<Reference>,
    /// What it answers, the oldest first: References, or else the first of In-Reply-To (RFC 5256 §3,
    /// REFERENCES).
    pub references: Vec<Reference>,
}

impl Related {
    /// Of a header; of its references the last ones, `most` of them.
    pub fn of(header: &[u8], most: usize) -> Self {
        let (mut own, mut references, mut answered) = (None, None, None);
        for field in fields(header) {
            let place = match field {
                _ if field.is("Message-ID") => &mut own,
                _ if field.is("References") => &mut references,
                _ if field.is("In-Reply-To") => &mut answered,
                _ => continue,
            };
            place.get_or_insert(field.value);
        }
        let first =
            |value: &[u8]| message_ids(value.get(..LONGEST).unwrap_or(value)).into_iter().next();
        let mut references = references.map(|value| last_ids(value, most)).unwrap_or_default();
        if references.is_empty() {
            references.extend(answered.and_then(first));
        }
        Self { own: own.and_then(first), references }
    }
}

/// Of a Message-ID as it stands between its brackets.
pub fn reference(id: &str) -> Reference {
    shortened(id.as_bytes())
}

/// No more is read than so many ids take.
fn last_ids(value: &[u8], most: usize) -> Vec<Reference> {
    let from = value.len().saturating_sub(most.saturating_mul(LONGEST));
    let mut all = message_ids(value.get(from..).unwrap_or_default());
    all.drain(..all.len().saturating_sub(most));
    all
}

/// The Message-IDs in a value; quoting makes no difference (`<"a"@b>` is `<a@b>`).
fn message_ids(value: &[u8]) -> Vec<Reference> {
    let (mut found, mut id, mut quoted) = (Vec::new(), None::<Vec<u8>>, false);
    for &byte in value {
        match (&mut id, byte) {
            (_, b'<') if !quoted => id = Some(Vec::new()),
            (Some(whole), b'>') if !quoted => {
                if whole.contains(&b'@') {
                    found.push(shortened(whole));
                }
                id = None;
            }
            (Some(_), b'"') => quoted = !quoted,
            (Some(_), b'\\' | b' ' | b'\t' | b'\r' | b'\n') | (None, _) => {}
            (Some(whole), byte) => whole.push(byte),
        }
    }
    found
}

fn shortened(id: &[u8]) -> Reference {
    sha256(id).0.first_chunk().copied().unwrap_or_default()
}

/// Octets of a Message-ID that fits into a line (RFC 5322 §2.1.1).
const LONGEST: usize = 998;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_read_however_they_are_quoted() {
        let one = message_ids(b"<a.b@c>");
        assert_eq!(one, [reference("a.b@c")]);
        assert_eq!(message_ids(b" junk <\"a.b\"@c> (x)"), one);
        assert_eq!(message_ids(b"<a.\r\n b@c>"), one);
        assert_eq!(message_ids(b"<a@b><c@d>\r\n\t<e@f>").len(), 3);
        for none in ["", "a@b", "<a>", "<a@b", "<\"a@b>"] {
            assert!(message_ids(none.as_bytes()).is_empty(), "{none}");
        }
    }

    #[test]
    fn in_reply_to_counts_when_there_are_no_references() {
        let of = |header: &str| Related::of(header.as_bytes(), 100).references;
        assert_eq!(of("In-Reply-To: <a@b> <c@d>\r\n\r\n"), message_ids(b"<a@b>"));
        let both = of("In-Reply-To: <a@b>\r\nReferences: <x@y> <z@y>\r\n\r\n");
        assert_eq!(both, message_ids(b"<x@y> <z@y>"));
        assert_eq!(of("References: none\r\nIn-Reply-To: <a@b>\r\n\r\n"), message_ids(b"<a@b>"));
    }

    #[test]
    fn of_ten_thousand_references_the_last_ones_count() {
        let all: Vec<String> = (0..10_000).map(|n| format!("<{n}@x>")).collect();
        let header = format!("Message-ID: <a@b>\r\nReferences: {}\r\n\r\n", all.join("\r\n "));
        let related = Related::of(header.as_bytes(), 32);
        assert_eq!(related.own, Some(reference("a@b")));
        let last: Vec<_> = (9_968..10_000).map(|n| reference(&format!("{n}@x"))).collect();
        assert_eq!(related.references, last);
    }

    #[test]
    fn an_id_longer_than_a_line_is_cut_off_and_never_another_one() {
        let long = "a".repeat(400_000);
        let header = format!("Message-ID: <{long}@b>\r\nReferences: <{long}@c> <d@e>\r\n\r\n");
        let related = Related::of(header.as_bytes(), 32);
        assert_eq!(related, Related { own: None, references: vec![reference("d@e")] });
    }
}
