//! What a message must be to be accepted: pure checks over its octets, one file each.
//!
//! Nothing is altered. What is wrong is refused by name; what the standards forbid but people send
//! (no Date, a wrong Date, undeclared 8-bit text) is taken, because the evidence has its own time
//! and encloses the octets as they came.

mod content_type;
mod fields;
mod header;
mod mailbox_list;
mod recipients;
mod sender;
mod signature;
mod structure;
mod turkish;

pub(super) use fields::{bounded_subject, message_id};
pub use signature::SignatureForm;

use super::ask::Envelope;
use super::refusal::Refusal;
use crate::registry::read_policy::MessageType;
use crate::wire::KepAddress;
use crate::wire::smtp::{BodyError, TextGuard};
use header::Header;

/// What the checks found in an acceptable message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The account: its only author.
    pub from: KepAddress,
    /// Addresses as written.
    pub to: Vec<String>,
    pub cc: Vec<String>,
    /// Decoded; empty when there is none.
    pub subject: String,
    /// The mail program's Message-ID without its brackets.
    pub ua_message_id: Option<String>,
    pub message_type: MessageType,
    /// X-TR-REM-iletiID.
    pub national_id: Option<String>,
    pub signature: SignatureForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields of the message's header.
    pub fields: usize,
    /// Octets of the message's header.
    pub header_octets: usize,
    pub parts: usize,
    /// Multiparts and messages within each other.
    pub depth: usize,
    /// Octets of a line without CRLF.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fields: FIELDS,
            header_octets: HEADER_OCTETS,
            parts: PARTS,
            depth: DEPTH,
            line: LINE,
        }
    }
}

/// Judges a whole message for its envelope. The user's signature is located here and judged by
/// `trust`.
pub fn inspect(octets: &[u8], envelope: &Envelope, limits: &Limits) -> Result<Parsed, Refusal> {
    line_ends(octets, limits.line)?;
    let header = Header::read(octets, limits)?;
    fields::no_duplicates(&header)?;
    sender::check(&header, &envelope.from.address)?;
    let (to, cc) = recipients::check(&header, envelope)?;
    structure::check(octets, &header, limits)?;
    let signature = signature::locate(octets, &header)?;
    Ok(Parsed {
        from: envelope.from.address.clone(),
        to,
        cc,
        subject: fields::subject(&header),
        ua_message_id: fields::own_message_id(&header),
        message_type: fields::message_type(&header),
        national_id: fields::national_id(&header),
        signature,
    })
}

/// The SMTP session has seen this already; other doors (portal, relay) have not.
fn line_ends(octets: &[u8], limit: usize) -> Result<(), Refusal> {
    let mut guard = TextGuard::new(limit);
    guard.watch(octets);
    guard.finish().map_err(|fault| match fault {
        BodyError::BareCr | BodyError::BareLf => Refusal::BareLineEnd,
        BodyError::Nul => Refusal::NulOctet,
        BodyError::LineTooLong => Refusal::LineTooLong(limit.to_string()),
    })
}

/// The provider's own names: what they send is the provider's word.
pub(super) const RESERVED: [&str; 3] = ["kepservisi", "postmaster", "abuse"];

/// The longest honest headers (many Received, long References) have about a hundred fields.
const FIELDS: usize = 1_000;
/// 500 recipients with names and addresses are about 60 KB.
const HEADER_OCTETS: usize = 256 * 1024;
const PARTS: usize = 2_000;
/// A mail forwarded as attachment twenty times nests about forty levels.
const DEPTH: usize = 64;
/// RFC 5322 §2.1.1.
const LINE: usize = 998;

#[cfg(test)]
mod tests;
