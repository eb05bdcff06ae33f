//! Pure grammars: bytes ↔ values. Knows no room, no clock, no IO.

pub mod address;
pub mod algorithm;
pub mod cbor;
pub mod clamd;
pub mod cms;
pub mod der;
pub mod digest;
pub mod fold;
pub mod ids;
pub mod imap;
#[cfg(test)]
pub(crate) mod judges;
pub mod lists;
pub mod mime;
pub mod mta_sts;
pub mod ocsp;
mod operator_code;
pub mod reach;
pub mod rem;
pub mod scram;
pub mod sheet;
pub mod smpp;
pub mod smtp;
pub mod time;
pub mod tlsa;
pub mod tsp;
pub mod vcard;
pub mod webauthn;
pub mod xades;
pub mod xml;
pub mod zip;

pub use address::{AddressError, KepAddress, KepDomain, is_host};
pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use digest::{Digest, sha256};
pub use ids::{
    AccountId, ApplicationId, BlobId, ContentId, EvidenceId, HolderId, MailboxId, MessageId,
    ThreadId,
};
pub use operator_code::OperatorCode;
pub use reach::{MailAddress, Mobile, Reach, ReachError};
pub use time::Timestamp;
