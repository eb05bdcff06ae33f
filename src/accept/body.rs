//! A message's octets while they come in. All bodies together stay below a budget; of one that is
//! refused already only the header and the digest are kept.

use super::{check, heavy};
use crate::registry::budget::Share;
use crate::wire::digest::RunningDigest;
use crate::wire::{Digest, mime, sha256};

pub struct Body {
    kept: Kept,
    share: Share,
}

enum Kept {
    Whole(Vec<u8>),
    /// Of a refused body: the octets it begins with, and the digest of all.
    Glimpse {
        head: Vec<u8>,
        digest: RunningDigest,
    },
    /// There was no room.
    Nothing,
}

/// What evidence says of a body that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glimpse {
    pub digest: Digest,
    /// Decoded; empty when none can be read.
    pub subject: String,
    pub ua_message_id: Option<String>,
}

/// A whole body. Its place in the budget is free again when this is dropped.
pub struct Whole {
    pub octets: Vec<u8>,
    _share: Share,
}

impl Body {
    pub fn new(share: Share) -> Self {
        Self { kept: Kept::Whole(Vec::new()), share }
    }

    /// Takes more octets. Beyond the budget nothing is kept: the message is answered with a
    /// temporary error.
    pub fn add(&mut self, octets: &[u8]) {
        let (held, more) = match &mut self.kept {
            Kept::Whole(whole) => (whole, octets),
            Kept::Glimpse { head, digest } => {
                digest.add(octets);
                let room = GLIMPSE.saturating_sub(head.len());
                (head, octets.get(..room).unwrap_or(octets))
            }
            Kept::Nothing => return,
        };
        if self.share.hold(held.len().saturating_add(more.len())) {
            held.extend_from_slice(more);
        } else {
            tracing::warn!(
                account = self.share.account().0,
                "memory for incoming messages is used up"
            );
            self.kept = Kept::Nothing;
            self.share.hold(0);
        }
    }

    /// From here on the octets count for the digest only.
    pub fn refuse(&mut self) {
        let Kept::Whole(whole) = &mut self.kept else { return };
        let mut digest = RunningDigest::default();
        heavy(whole.len(), || digest.add(whole));
        let mut head = std::mem::take(whole);
        head.truncate(GLIMPSE);
        head.shrink_to_fit();
        self.share.hold(head.len());
        self.kept = Kept::Glimpse { head, digest };
    }

    pub fn whole(self) -> Option<Whole> {
        match self.kept {
            Kept::Whole(octets) => Some(Whole { octets, _share: self.share }),
            Kept::Glimpse { .. } | Kept::Nothing => None,
        }
    }

    /// The Message-ID of a body that has not come to its end, where that came.
    pub fn unfinished(self) -> Option<String> {
        match self.kept {
            Kept::Whole(octets) => message_id(&octets),
            Kept::Glimpse { .. } | Kept::Nothing => None,
        }
    }

    /// What there is to say of it when it is refused.
    pub fn glimpse(mut self) -> Option<Glimpse> {
        self.refuse();
        match self.kept {
            Kept::Glimpse { head, digest } => Some(Glimpse::new(&head, digest.finish())),
            Kept::Whole(_) | Kept::Nothing => None,
        }
    }
}

impl Glimpse {
    /// Subject and Message-ID as far as they can be read in the octets that a message begins with.
    pub fn new(octets: &[u8], digest: Digest) -> Self {
        let header = mime::header(octets.get(..GLIMPSE).unwrap_or(octets));
        let subject = mime::text::decoded_field(header, "subject").unwrap_or_default();
        let subject = check::bounded_subject(&subject);
        Self { digest, subject, ua_message_id: message_id(octets) }
    }
}

/// As far as it can be read in the octets that a message begins with.
pub fn message_id(octets: &[u8]) -> Option<String> {
    let header = mime::header(octets.get(..GLIMPSE).unwrap_or(octets));
    let id = mime::text::decoded_field(header, "message-id")?;
    check::message_id(id.as_bytes())
}

impl Whole {
    pub fn digest(&self) -> Digest {
        heavy(self.octets.len(), || sha256(&self.octets))
    }
}

/// A refused message's header is looked for in so many octets.
const GLIMPSE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::budget::Budget;
    use crate::wire::AccountId;
    use std::sync::Arc;

    const MAIL: &[u8] = b"Subject: =?utf-8?q?=C4=B0hale?=\r\nMessage-ID: <a@b>\r\n\r\n\0text";

    fn glimpse(mail: &[u8], cut: usize, refused_at: usize) -> Glimpse {
        let mut body = Body::new(Arc::new(Budget::new(1 << 30)).open(AccountId(1)));
        for (n, piece) in mail.chunks(cut).enumerate() {
            if n == refused_at {
                body.refuse();
            }
            body.add(piece);
        }
        body.glimpse().unwrap()
    }

    #[test]
    fn a_refused_body_has_the_digest_and_subject_of_its_whole_however_it_was_cut() {
        let long = [MAIL, &vec![b'x'; 3 * GLIMPSE]].concat();
        for mail in [MAIL, &long] {
            for cut in [1, 7, 64, mail.len()] {
                for refused_at in [0, 1, 5, usize::MAX] {
                    let seen = glimpse(mail, cut, refused_at);
                    assert_eq!(seen.digest, sha256(mail), "{cut} {refused_at}");
                    assert_eq!(
                        (seen.subject.as_str(), seen.ua_message_id.as_deref()),
                        ("İhale", Some("a@b"))
                    );
                }
            }
        }
    }

    #[test]
    fn a_refused_body_gives_its_memory_back_but_for_its_header() {
        let budget = Arc::new(Budget::new(4 << 20));
        let mut body = Body::new(budget.open(AccountId(1)));
        body.add(&[b'x'; 1 << 20]);
        let room = || budget.open(AccountId(1)).hold((1 << 20) - GLIMPSE);
        assert!(!room());
        body.refuse();
        assert!(room());
        (0..9).for_each(|_| body.add(&[b'x'; 1 << 20]));
        assert!(room());
        assert_eq!(body.glimpse().unwrap().digest, sha256(&vec![b'x'; 10 << 20]));
    }

    #[test]
    fn beyond_the_budget_nothing_is_kept_and_nothing_is_said() {
        let budget = Arc::new(Budget::new(400));
        let mut body = Body::new(budget.open(AccountId(1)));
        body.add(&[b'x'; 60]);
        body.add(&[b'x'; 60]);
        assert!(budget.open(AccountId(1)).hold(100));
        body.refuse();
        assert_eq!(body.glimpse(), None);
    }
}
