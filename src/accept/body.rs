//! A message's octets while they come in. All bodies together stay below a budget; of one that is
//! refused already only the header and the digest are kept.

use super::heavy;
use crate::wire::digest::RunningDigest;
use crate::wire::{Digest, MessageId, mime, sha256};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct Body {
    kept: Kept,
    permits: Option<OwnedSemaphorePermit>,
    budget: Arc<Semaphore>,
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
    _permits: Option<OwnedSemaphorePermit>,
}

impl Body {
    pub fn new(budget: Arc<Semaphore>) -> Self {
        Self { kept: Kept::Whole(Vec::new()), permits: None, budget }
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
        let want = held.len() + more.len();
        if reserve(&mut self.permits, &self.budget, want) {
            held.extend_from_slice(more);
        } else {
            tracing::warn!("memory for incoming messages is used up");
            (self.kept, self.permits) = (Kept::Nothing, None);
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
        if let Some(permits) = &mut self.permits {
            self.permits = permits.split(head.len().div_ceil(GRAIN));
        }
        self.kept = Kept::Glimpse { head, digest };
    }

    pub fn whole(self) -> Option<Whole> {
        match self.kept {
            Kept::Whole(octets) => Some(Whole { octets, _permits: self.permits }),
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
        let field = |name| mime::text::decoded_field(header, name);
        let id = field("message-id").and_then(|id| MessageId::parse(&id));
        Self {
            digest,
            subject: field("subject").unwrap_or_default(),
            ua_message_id: id.map(|id| id.to_string()),
        }
    }
}

impl Whole {
    pub fn digest(&self) -> Digest {
        heavy(self.octets.len(), || sha256(&self.octets))
    }
}

/// Has the budget hold so many octets; false when there is no room.
fn reserve(
    permits: &mut Option<OwnedSemaphorePermit>,
    budget: &Arc<Semaphore>,
    octets: usize,
) -> bool {
    let have = permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let want = octets.div_ceil(GRAIN).saturating_sub(have);
    if want == 0 {
        return true;
    }
    let want = u32::try_from(want).unwrap_or(u32::MAX);
    match (Arc::clone(budget).try_acquire_many_owned(want), permits) {
        (Ok(more), Some(permits)) => permits.merge(more),
        (Ok(more), none) => *none = Some(more),
        (Err(_), _) => return false,
    }
    true
}

/// A refused message's header is looked for in so many octets.
const GLIMPSE: usize = 64 << 10;
/// The budget is counted in these.
pub const GRAIN: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: =?utf-8?q?=C4=B0hale?=\r\nMessage-ID: <a@b>\r\n\r\n\0text";

    fn glimpse(mail: &[u8], cut: usize, refused_at: usize) -> Glimpse {
        let mut body = Body::new(Arc::new(Semaphore::new(1 << 10)));
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
        let budget = Arc::new(Semaphore::new(64));
        let mut body = Body::new(Arc::clone(&budget));
        body.add(&[b'x'; 40 * GRAIN]);
        assert_eq!(budget.available_permits(), 24);
        body.refuse();
        assert_eq!(budget.available_permits(), 64 - GLIMPSE / GRAIN);
        (0..100).for_each(|_| body.add(&[b'x'; GRAIN]));
        assert_eq!(budget.available_permits(), 64 - GLIMPSE / GRAIN);
        assert_eq!(body.glimpse().unwrap().digest, sha256(&[b'x'; 140 * GRAIN]));
        assert_eq!(budget.available_permits(), 64);
    }

    #[test]
    fn beyond_the_budget_nothing_is_kept_and_nothing_is_said() {
        let mut body = Body::new(Arc::new(Semaphore::new(1)));
        body.add(&[b'x'; GRAIN + 1]);
        body.refuse();
        assert_eq!(body.glimpse(), None);
    }
}
