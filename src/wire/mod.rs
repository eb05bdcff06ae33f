//! Pure grammars: bytes ↔ values. Knows no room, no clock, no IO.

pub mod address;
pub mod digest;
pub mod ids;
#[cfg(test)]
pub(crate) mod judges;
pub mod rem;
pub mod time;
pub mod xades;
pub mod xml;

pub use address::{AddressError, KepAddress, KepDomain};
pub use digest::{Digest, sha256};
pub use ids::{AccountId, BlobId, ContentId, EvidenceId, MailboxId, MessageId};
pub use time::Timestamp;
