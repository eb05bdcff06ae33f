//! Memory for messages that are being appended: one account takes a share of it at most, and what
//! is only announced takes none.

use crate::registry::budget::{Budget, Share};
use crate::wire::AccountId;
use std::sync::Arc;

/// What all appends share.
#[derive(Clone)]
pub struct Room(Arc<Budget>);

/// Octets that come in, within their account's part of the room, which they give back.
pub struct Held {
    share: Share,
    octets: Vec<u8>,
    taken: usize,
}

impl Room {
    /// For so many octets, of which an account may have a quarter; a whole message fits always.
    pub fn new(octets: usize, message: u64) -> Self {
        let message = usize::try_from(message).unwrap_or(usize::MAX);
        Self(Arc::new(Budget::fitting(octets, message)))
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.0.held()
    }

    pub fn hold(&self, account: AccountId) -> Held {
        Held { share: self.0.open(account), octets: Vec::new(), taken: 0 }
    }
}

impl Held {
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Takes a chunk in, of at most `most` octets in all; not when there is no room for it.
    pub fn add(&mut self, chunk: &[u8], most: usize) -> bool {
        let needed = self.octets.len().saturating_add(chunk.len());
        if needed > self.taken {
            // Grows by halves, so that it is not copied at each chunk.
            let wanted = needed.max((self.taken + self.taken / 2).min(most)).max(LEAST.min(most));
            if !self.share.hold(wanted) {
                return false;
            }
            self.taken = wanted;
            self.octets.reserve_exact(wanted - self.octets.len());
        }
        self.octets.extend_from_slice(chunk);
        true
    }

    /// The octets; their room is held until this is dropped.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }
}

/// Octets taken at first: most drafts are smaller.
const LEAST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn one_account_has_a_quarter_and_all_together_have_the_whole() {
        let room = Room::new(8 * MIB, MIB as u64);
        let fill = |account: i64, octets: usize| {
            let mut held = room.hold(AccountId(account));
            let added = held.add(&vec![b'x'; octets], octets);
            (held, added)
        };
        let (first, added) = fill(1, 2 * MIB);
        assert!(added && first.len() == 2 * MIB);
        assert!(!fill(1, 1).1, "its share is used up");
        let others: Vec<_> = (2..=4).map(|account| fill(account, 2 * MIB)).collect();
        assert!(others.iter().all(|(_, added)| *added));
        assert!(!fill(5, 1).1, "all is used up");
        drop(first);
        assert!(fill(5, 1).1 && fill(1, 1).1);
        drop(others);
        assert_eq!(room.0.held(), 0);
    }

    #[test]
    fn what_grows_takes_no_more_than_was_announced() {
        let room = Room::new(4 * MIB, MIB as u64);
        let mut held = room.hold(AccountId(1));
        for _ in 0..MIB / 1000 {
            assert!(held.add(&[b'x'; 1000], MIB));
        }
        assert!(room.0.held() <= MIB);
        let octets = held.take();
        assert_eq!(octets.len(), MIB / 1000 * 1000);
        assert!(room.0.held() >= octets.len(), "they are still there");
        drop(held);
        assert_eq!(room.0.held(), 0);
    }
}
