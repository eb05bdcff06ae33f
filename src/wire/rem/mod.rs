//! Registered e-mail: evidence in both ETSI dialects, the headers of both, and the S/MIME tree that
//! carries original and evidence. One fact, two spellings; written strictly, read tolerantly.

mod common;
mod dispatch;
mod en319522;
mod encode;
mod event;
mod evidence;
mod headers;
mod introduction;
mod open;
mod part;
mod reason;
mod report;
mod ts102640;

pub use dispatch::{ComposeFault, Composed, Envelope, EvidenceFile, Mailbox};
pub use event::Event;
pub use evidence::{
    Authentication, ContentDigest, Dialect, Evidence, EvidenceFault, Issuer, MessageDetails,
    Opening, Party, PostalAddress, Read, Why,
};
pub use headers::{MessageKind, RemHeaders};
pub use introduction::{
    Introduction, Template, Words, evidence_subject, message_subject, values_of,
};
pub use open::{FoundEvidence, OpenFault, Opened, Original};
pub use reason::Reason;
pub use report::{Action, DeliveryReport, ReportFault, Reported};

#[cfg(test)]
mod tests;
