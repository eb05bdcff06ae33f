//! One fact as evidence tells it, in no dialect. [`Evidence::write`] spells it, [`Evidence::read`]
//! understands both dialects and says what is odd about a foreign one.

use super::{Event, Reason, en319522, ts102640};
use crate::wire::xml::{Xml, XmlFault};
use crate::wire::{Digest, EvidenceId, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    pub id: EvidenceId,
    pub event: Event,
    /// Beside what a success itself says. Failures in the younger dialect always have one.
    pub reasons: Vec<Why>,
    pub policies: Vec<String>,
    pub issuer: Issuer,
    pub event_time: Timestamp,
    pub submission_time: Option<Timestamp>,
    /// When a period ended, for evidence of a time-out; `issue_time` says when that was written down.
    pub due_time: Option<Timestamp>,
    pub issue_time: Option<Timestamp>,
    pub sender: Party,
    pub sender_authentication: Option<Authentication>,
    pub recipient_authentication: Option<Authentication>,
    /// Never empty in what we write.
    pub recipients: Vec<Party>,
    /// Which of the recipients this is about, counted from one.
    pub refers_to: Option<usize>,
    /// The name of the other provider, or of the system outside, that the event is about.
    pub external: Option<String>,
    pub message: MessageDetails,
    /// How and by whom the message was opened.
    pub opening: Option<Opening>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    pub reason: Reason,
    pub details: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Issuer {
    pub name: String,
    pub address: String,
    pub postal: Option<PostalAddress>,
    /// The seal certificate, in DER.
    pub certificate: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PostalAddress {
    pub street: String,
    pub locality: String,
    pub postal_code: String,
    /// ISO 3166, `TR`.
    pub country: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// `local@domain`, without a scheme.
    pub address: String,
    pub name: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authentication {
    pub time: Timestamp,
    pub method: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MessageDetails {
    pub subject: String,
    /// The Message-ID that the user's program gave, without angle brackets.
    pub ua_message_id: Option<String>,
    /// The provider's identifier, without angle brackets.
    pub message_id: String,
    /// Of the original message's octets.
    pub digest: Option<ContentDigest>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContentDigest {
    Sha256(Digest),
    /// What others use.
    Other {
        algorithm: String,
        value: Vec<u8>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// `imap`, `portal`, `api`.
    pub channel: String,
    pub person: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Dialect {
    /// TS 102 640-2 V2.1.1
    Ts102640,
    /// EN 319 522-3 V1.1.1 in the REM baseline of EN 319 532-4
    En319522,
}

impl Dialect {
    /// As rows, reports and settings name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ts102640 => "ts102640",
            Self::En319522 => "en319522",
        }
    }
}

/// Evidence that was read, and what a strict writer would not have written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    pub evidence: Evidence,
    pub dialect: Dialect,
    pub oddities: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EvidenceFault {
    #[error("{0}")]
    Xml(#[from] XmlFault),
    #[error("the root element {0:?} is of no evidence that we know")]
    Root(String),
    #[error("the event {0:?} is not known")]
    Event(String),
    #[error("{0} is missing or can't be read")]
    Missing(&'static str),
    #[error("this dialect has no {0:?} evidence")]
    NotInDialect(Event),
    #[error("evidence names no recipient, or refers to one it does not name")]
    Recipient,
    #[error("evidence needs {0}")]
    Empty(&'static str),
    #[error("the evidence has more than {MAX} {what}", MAX = MAX_LIST, what = .0)]
    TooMany(&'static str),
}

impl Evidence {
    /// The unsigned document.
    pub fn write(&self, dialect: Dialect) -> Result<String, EvidenceFault> {
        self.check()?;
        match dialect {
            Dialect::Ts102640 => ts102640::write(self),
            Dialect::En319522 => en319522::write(self),
        }
    }

    pub fn read(octets: &[u8]) -> Result<Read, EvidenceFault> {
        Self::read_xml(&Xml::parse(octets)?)
    }

    /// Of a document that is parsed already, for its signature.
    pub fn read_xml(xml: &Xml) -> Result<Read, EvidenceFault> {
        let root = xml.root();
        match root.tag_name().namespace() {
            Some(ts102640::NS) => ts102640::read(root),
            Some(en319522::NS) => en319522::read(root),
            _ => Err(EvidenceFault::Root(root.tag_name().name().to_owned())),
        }
    }

    /// The recipient that the evidence is about.
    pub fn recipient(&self) -> Option<&Party> {
        self.refers_to.and_then(|n| self.recipients.get(n.checked_sub(1)?))
    }

    /// What the schemas want and the types can't say.
    fn check(&self) -> Result<(), EvidenceFault> {
        let count = self.recipients.len();
        if count == 0 || self.refers_to.is_some_and(|n| n == 0 || n > count) {
            return Err(EvidenceFault::Recipient);
        }
        let blank = |texts: &[&str]| texts.iter().any(|t| t.trim().is_empty());
        let addresses = self.recipients.iter().chain([&self.sender]);
        if addresses.into_iter().any(|p| blank(&[&p.address])) {
            return Err(EvidenceFault::Empty("an address for everybody"));
        }
        if blank(&[&self.issuer.name, &self.issuer.address, &self.message.message_id]) {
            return Err(EvidenceFault::Empty("its issuer and the message's identifier"));
        }
        let postal = self.issuer.postal.as_ref();
        if postal.is_some_and(|p| blank(&[&p.street, &p.locality, &p.postal_code, &p.country])) {
            return Err(EvidenceFault::Empty("the whole postal address or none"));
        }
        Ok(())
    }
}

/// `mailto:` and angle brackets off.
pub(super) fn bare(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text).trim();
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
    inner.unwrap_or(text).to_owned()
}

/// The identifier that goes into a document, and that is told from it again: the root's own Id.
pub(super) fn evidence_id(root_id: Option<&str>, identifier: &str) -> EvidenceId {
    let identifier = bare(identifier);
    let own = root_id.filter(|id| {
        identifier.strip_prefix(*id).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
    });
    EvidenceId::from_stored(own.map_or(identifier.clone(), str::to_owned))
}

/// An xs:ID out of an identifier that may come from elsewhere.
pub(super) fn xml_id(id: &EvidenceId) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let text: String = id.as_str().chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts { text } else { format!("_{text}") }
}

/// Recipients, reasons, policies: more in one evidence than any message has.
pub(super) const MAX_LIST: usize = 10_000;
/// Our own additions to the Extensions of either dialect.
pub(super) const OWN_NS: &str = "urn:x-kep:evidence:1";
