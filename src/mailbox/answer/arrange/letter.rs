//! What threading needs to know of a message: when it was sent, what it is about, what it answers.
//! Message-IDs are kept as parts of their digests: nobody can make two alike.

use super::key::{sent, subject};
use crate::store::mail::view::MessageRow;
use crate::wire::digest::sha256;
use crate::wire::fold::collation_key;
use crate::wire::imap::Uid;
use crate::wire::imap::command::Threading;
use crate::wire::mime::fields;
use crate::wire::mime::subject::base_subject;

/// Stands for a Message-ID.
pub type Id = [u8; 16];

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub uid: Uid,
    /// Milliseconds.
    pub sent: i64,
    /// The base subject, folded.
    pub subject: Box<str>,
    /// Its subject says that it is a reply or was forwarded.
    pub is_reply: bool,
    pub id: Option<Id>,
    /// The oldest first.
    pub references: Vec<Id>,
}

impl Letter {
    pub fn of(row: &MessageRow, by: Threading) -> Self {
        let base = base_subject(&subject(row));
        let cut: String = base.text.chars().take(SUBJECT_MAX).collect();
        let mut letter = Self {
            uid: row.uid,
            sent: sent(row),
            subject: collation_key(&cut).into(),
            is_reply: base.is_reply,
            id: None,
            references: Vec::new(),
        };
        if by == Threading::References {
            letter.id = ids(&row.header, "Message-ID").into_iter().next();
            letter.references = references(&row.header);
        }
        letter
    }

    /// About how many octets it takes, with what is made of it.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.subject.len() + 3 * size_of::<Id>() * (2 + self.references.len())
    }
}

/// References, or else the first of In-Reply-To (RFC 5256 §3, REFERENCES).
fn references(header: &[u8]) -> Vec<Id> {
    let mut all = ids(header, "References");
    if all.is_empty() {
        all = ids(header, "In-Reply-To");
        all.truncate(1);
    }
    all.drain(..all.len().saturating_sub(REFERENCES));
    all
}

fn ids(header: &[u8], name: &str) -> Vec<Id> {
    let field = fields::field(header, name);
    field.map(|field| message_ids(field.value)).unwrap_or_default()
}

/// The Message-IDs in a value; quoting makes no difference (`<"a"@b>` is `<a@b>`).
fn message_ids(value: &[u8]) -> Vec<Id> {
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

fn shortened(id: &[u8]) -> Id {
    sha256(id).0.first_chunk().copied().unwrap_or_default()
}

/// Characters of a subject that count.
const SUBJECT_MAX: usize = 256;
/// Of one message: the last ones.
const REFERENCES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_read_however_they_are_quoted() {
        let one = message_ids(b"<a.b@c>");
        assert_eq!(one.len(), 1);
        assert_eq!(message_ids(b" junk <\"a.b\"@c> (x)"), one);
        assert_eq!(message_ids(b"<a.\r\n b@c>"), one);
        assert_eq!(message_ids(b"<a@b><c@d>\r\n\t<e@f>").len(), 3);
        for none in ["", "a@b", "<a>", "<a@b", "<\"a@b>"] {
            assert!(message_ids(none.as_bytes()).is_empty(), "{none}");
        }
    }

    #[test]
    fn in_reply_to_counts_when_there_are_no_references() {
        let of = |header: &str| references(header.as_bytes());
        assert_eq!(of("In-Reply-To: <a@b> <c@d>\r\n\r\n"), message_ids(b"<a@b>"));
        let both = of("In-Reply-To: <a@b>\r\nReferences: <x@y> <z@y>\r\n\r\n");
        assert_eq!(both, message_ids(b"<x@y> <z@y>"));
        let many = "<r@x> ".repeat(1_000);
        assert_eq!(of(&format!("References: {many}\r\n\r\n")).len(), REFERENCES);
    }
}
