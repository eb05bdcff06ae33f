//! Who is woken once a transaction is durable: steps with a job, sessions watching a mailbox.

use crate::wire::MailboxId;
use std::collections::BTreeSet;

/// Collected inside a transaction, sent after its commit.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Wakes {
    pub mailboxes: BTreeSet<MailboxId>,
    pub steps: BTreeSet<&'static str>,
}

impl Wakes {
    pub fn mailbox(&mut self, mailbox: MailboxId) {
        self.mailboxes.insert(mailbox);
    }

    pub fn step(&mut self, step: &'static str) {
        self.steps.insert(step);
    }
}
