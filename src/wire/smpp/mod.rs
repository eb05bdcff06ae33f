//! SMPP 3.4 (Short Message Peer to Peer, Issue 1.2 of 12-Oct-1999), as far as one who hands messages to
//! an SMSC and hears what became of them needs it. Own and not a crate's: ten forms of PDUs, and the
//! Turkish shift table that none has.

pub mod gsm;
mod pdu;
mod read;
mod receipt;
mod status;
pub mod text;

pub use pdu::{Address, Bind, Body, Message, Pdu, command};
pub use read::{LONGEST, PduError, frame};
pub use receipt::{Fate, Receipt};
pub use status::{Status, Verdict};

#[cfg(test)]
mod tests;
