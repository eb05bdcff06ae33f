//! TimeStampReq and TimeStampResp (RFC 3161 §2.4).

use super::{Imprint, TspError};
use crate::wire::der::{self, Node, tag};
use ::der::asn1::ObjectIdentifier;

/// A request: `nonce` is the INTEGER's content octets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub imprint: Imprint,
    pub policy: Option<ObjectIdentifier>,
    pub nonce: Option<Vec<u8>>,
    pub certificate_wanted: bool,
    /// Extensions are there; we know none.
    pub extended: bool,
}

/// PKIStatus (§2.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Granted,
    GrantedWithMods,
    Rejection,
    Waiting,
    RevocationWarning,
    RevocationNotification,
    Other(u32),
}

/// PKIFailureInfo (§2.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    BadAlgorithm,
    BadRequest,
    BadDataFormat,
    TimeNotAvailable,
    UnacceptedPolicy,
    UnacceptedExtension,
    AddInfoNotAvailable,
    SystemFailure,
}

/// A reply as it came or will go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub status: Status,
    pub text: Option<String>,
    pub failure: Option<Failure>,
    /// The token's DER.
    pub token: Option<Vec<u8>>,
}

impl Request {
    pub fn parse(input: &[u8]) -> Result<Self, TspError> {
        let mut reader = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        if reader.expect(tag::INTEGER)?.small()? != 1 {
            return Err(TspError::Version);
        }
        let imprint = Imprint::read(reader.next()?)?;
        let policy = reader.optional(tag::OID)?.map(|node| node.oid()).transpose()?;
        let nonce = reader.optional(tag::INTEGER)?.map(|node| node.content.to_vec());
        let wanted = reader.optional(tag::BOOLEAN)?.map(|node| node.boolean()).transpose()?;
        let extended = reader.optional(tag::context(0))?.is_some();
        reader.finish()?;
        Ok(Self { imprint, policy, nonce, certificate_wanted: wanted.unwrap_or(false), extended })
    }

    pub fn write(&self) -> Vec<u8> {
        let policy = self.policy.map(der::oid).unwrap_or_default();
        let nonce = self.nonce.as_ref().map(|n| der::element(tag::INTEGER, &[n]));
        let wanted = if self.certificate_wanted { der::boolean(true) } else { Vec::new() };
        der::sequence(&[
            &der::small_integer(1),
            &self.imprint.write(),
            &policy,
            &nonce.unwrap_or_default(),
            &wanted,
        ])
    }
}

impl Reply {
    pub fn granted(token: Vec<u8>) -> Self {
        Self { status: Status::Granted, text: None, failure: None, token: Some(token) }
    }

    pub fn rejected(failure: Failure, text: &str) -> Self {
        let text = Some(text.to_owned());
        Self { status: Status::Rejection, text, failure: Some(failure), token: None }
    }

    pub fn parse(input: &[u8]) -> Result<Self, TspError> {
        let mut reader = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        let mut info = reader.expect(tag::SEQUENCE)?.reader();
        let status = Status::from_number(info.expect(tag::INTEGER)?.small()?);
        let text = info.optional(tag::SEQUENCE)?.map(first_text).transpose()?.flatten();
        let failure = info.optional(tag::BIT_STRING)?.and_then(|node| Failure::read(node.content));
        let token = if reader.is_empty() { None } else { Some(reader.next()?.whole.to_vec()) };
        reader.finish()?;
        Ok(Self { status, text, failure, token })
    }

    pub fn write(&self) -> Vec<u8> {
        let text = self.text.as_deref().map(|t| der::sequence(&[&der::utf8_string(t)]));
        let failure = self.failure.map(|f| der::named_bit(f.bit()));
        let info = der::sequence(&[
            &der::small_integer(self.status.number()),
            &text.unwrap_or_default(),
            &failure.unwrap_or_default(),
        ]);
        der::sequence(&[&info, self.token.as_deref().unwrap_or_default()])
    }
}

impl Status {
    fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Granted,
            1 => Self::GrantedWithMods,
            2 => Self::Rejection,
            3 => Self::Waiting,
            4 => Self::RevocationWarning,
            5 => Self::RevocationNotification,
            other => Self::Other(other),
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Granted => 0,
            Self::GrantedWithMods => 1,
            Self::Rejection => 2,
            Self::Waiting => 3,
            Self::RevocationWarning => 4,
            Self::RevocationNotification => 5,
            Self::Other(other) => other,
        }
    }
}

impl Failure {
    fn bit(self) -> u8 {
        match self {
            Self::BadAlgorithm => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::AddInfoNotAvailable => 17,
            Self::SystemFailure => 25,
        }
    }

    /// The first bit that is set and known; the first octet counts unused bits.
    fn read(content: &[u8]) -> Option<Self> {
        let bits = content.get(1..)?;
        FAILURES.into_iter().find(|failure| {
            let bit = usize::from(failure.bit());
            bits.get(bit / 8).is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0)
        })
    }
}

fn first_text(node: Node<'_>) -> Result<Option<String>, TspError> {
    let first = node.children()?.into_iter().next();
    Ok(first.map(|node| String::from_utf8_lossy(node.content).chars().take(MAX_TEXT).collect()))
}

const FAILURES: [Failure; 8] = [
    Failure::BadAlgorithm,
    Failure::BadRequest,
    Failure::BadDataFormat,
    Failure::TimeNotAvailable,
    Failure::UnacceptedPolicy,
    Failure::UnacceptedExtension,
    Failure::AddInfoNotAvailable,
    Failure::SystemFailure,
];

/// Enough for a log line; the authority chooses the text.
const MAX_TEXT: usize = 200;
