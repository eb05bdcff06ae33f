//! 3 · The dispatch reaches a local mailbox, or the other provider.

pub mod dialogue;
