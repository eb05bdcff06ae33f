//! Who idles on which mailbox. One listener to the store's news rings for all connections, so that
//! a change of one mailbox doesn't wake ten thousand tasks.

use crate::wire::MailboxId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[derive(Clone, Default)]
pub struct Bells(Arc<Mutex<HashMap<MailboxId, watch::Sender<()>>>>);

/// One listener's bell; it has rung when the mailbox changed since it was hung up.
pub struct Bell {
    pub mailbox: MailboxId,
    pub rung: watch::Receiver<()>,
    bells: Bells,
}

impl Bells {
    pub fn hang_up(&self, mailbox: MailboxId) -> Bell {
        let rung = self.lock().entry(mailbox).or_insert_with(|| watch::channel(()).0).subscribe();
        Bell { mailbox, rung, bells: self.clone() }
    }

    pub fn ring(&self, mailbox: MailboxId) {
        if let Some(bell) = self.lock().get(&mailbox) {
            bell.send_replace(());
        }
    }

    /// For when it isn't known what changed.
    pub fn ring_all(&self) {
        for bell in self.lock().values() {
            bell.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MailboxId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let mut bells = self.bells.lock();
        // This one still counts.
        if bells.get(&self.mailbox).is_some_and(|bell| bell.receiver_count() <= 1) {
            bells.remove(&self.mailbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_rings_for_its_mailbox_only() {
        let bells = Bells::default();
        let (one, two) = (bells.hang_up(MailboxId(1)), bells.hang_up(MailboxId(2)));
        bells.ring(MailboxId(1));
        assert!(one.rung.has_changed().unwrap());
        assert!(!two.rung.has_changed().unwrap());
        bells.ring_all();
        assert!(two.rung.has_changed().unwrap());
    }

    #[test]
    fn bells_nobody_listens_to_are_taken_down() {
        let bells = Bells::default();
        let (one, other) = (bells.hang_up(MailboxId(1)), bells.hang_up(MailboxId(1)));
        drop(one);
        bells.ring(MailboxId(1));
        assert!(other.rung.has_changed().unwrap());
        drop(other);
        assert!(bells.lock().is_empty());
    }
}
