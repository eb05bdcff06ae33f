//! Sealed messages reach their recipients: into a local mailbox, or to another provider.

pub mod consign;
pub mod dial;
pub mod dialogue;
mod fate;
pub mod incoming;
mod outgoing;
mod parked;
mod retry;
mod run;
mod settle;

pub use run::{Carrier, Heard, Load, Relay, Rules, Taken, Unsent, Who};
