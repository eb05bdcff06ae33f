//! Who is woken once a transaction is durable: steps with a job, sessions watching a mailbox.

use crate::wire::{AccountId, MailboxId};
use std::collections::BTreeSet;

/// Collected inside a transaction, sent after its commit.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Wakes {
    pub mailboxes: BTreeSet<MailboxId>,
    pub steps: BTreeSet<&'static str>,
    /// News of other processes were missed: everybody looks for himself.
    pub(super) missed: bool,
    /// The rows take no more work before a restart.
    pub(super) closed: bool,
}

impl Wakes {
    pub(super) fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    pub fn mailbox(&mut self, mailbox: MailboxId) {
        self.mailboxes.insert(mailbox);
    }

    /// Something in a mailbox of the account.
    pub fn account(&mut self, account: AccountId) {
        self.mailboxes.insert(any_of(account));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mailboxes.is_empty() && self.steps.is_empty() && !self.missed
    }

    pub fn step(&mut self, step: &'static str) {
        self.steps.insert(step);
    }
}

/// Under this number an account's news are told, whichever of its mailboxes they are of; no mailbox
/// has a number below zero.
pub fn any_of(account: AccountId) -> MailboxId {
    MailboxId(-account.0)
}
