//! Who waits for news of which mailbox or account. One listener to the store's news rings for all connections, so that
//! a change of one mailbox doesn't wake ten thousand tasks.

use crate::store::Changed;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[derive(Clone, Default)]
pub struct Bells(Arc<Mutex<HashMap<Changed, watch::Sender<()>>>>);

/// One listener's bell; it has rung when that changed since it was hung up.
pub struct Bell {
    pub of: Changed,
    pub rung: watch::Receiver<()>,
    bells: Bells,
}

impl Bells {
    pub fn hang_up(&self, of: Changed) -> Bell {
        let rung = self.lock().entry(of).or_insert_with(|| watch::channel(()).0).subscribe();
        Bell { of, rung, bells: self.clone() }
    }

    pub fn ring(&self, of: Changed) {
        if let Some(bell) = self.lock().get(&of) {
            bell.send_replace(());
        }
    }

    /// For when it isn't known what changed.
    pub fn ring_all(&self) {
        for bell in self.lock().values() {
            bell.send_replace(());
        }
    }

    #[cfg(test)]
    pub fn is_quiet(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Changed, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let mut bells = self.bells.lock();
        // This one still counts.
        if bells.get(&self.of).is_some_and(|bell| bell.receiver_count() <= 1) {
            bells.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AccountId, MailboxId};

    const ONE: Changed = Changed::Mailbox(MailboxId(1));
    const ACCOUNT: Changed = Changed::Account(AccountId(1));

    #[test]
    fn a_bell_rings_for_its_mailbox_or_account_only() {
        let bells = Bells::default();
        let (one, two) = (bells.hang_up(ONE), bells.hang_up(ACCOUNT));
        bells.ring(ONE);
        assert!(one.rung.has_changed().unwrap());
        assert!(!two.rung.has_changed().unwrap());
        bells.ring_all();
        assert!(two.rung.has_changed().unwrap());
    }

    #[test]
    fn bells_nobody_listens_to_are_taken_down() {
        let bells = Bells::default();
        let (one, other) = (bells.hang_up(ONE), bells.hang_up(ONE));
        drop(one);
        bells.ring(ONE);
        assert!(other.rung.has_changed().unwrap());
        drop(other);
        assert!(bells.lock().is_empty());
    }
}
