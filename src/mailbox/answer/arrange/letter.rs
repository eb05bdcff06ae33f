//! What threading needs to know of a message: when it was sent, what it is about, what it answers.

use super::key::{sent, subject};
use crate::store::mail::view::MessageRow;
use crate::wire::fold::collation_key;
use crate::wire::imap::Uid;
use crate::wire::imap::command::Threading;
use crate::wire::mime::related::{Reference, Related};
use crate::wire::mime::subject::base_subject;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub uid: Uid,
    /// Milliseconds.
    pub sent: i64,
    /// The base subject, folded.
    pub subject: Box<str>,
    /// Its subject says that it is a reply or was forwarded.
    pub is_reply: bool,
    pub id: Option<Reference>,
    /// The oldest first.
    pub references: Vec<Reference>,
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
            let related = Related::of(&row.header, REFERENCES);
            (letter.id, letter.references) = (related.own, related.references);
        }
        letter
    }

    /// About how many octets it takes, with what is made of it.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.subject.len()
            + 3 * size_of::<Reference>() * (2 + self.references.len())
    }
}

/// Characters of a subject that count.
const SUBJECT_MAX: usize = 256;
/// Of one message: the last ones.
const REFERENCES: usize = 100;
