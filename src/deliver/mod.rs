//! Sealed messages reach their recipients: into a local mailbox, or to another provider.

pub mod consign;
pub mod dialogue;
