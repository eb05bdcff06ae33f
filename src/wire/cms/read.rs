//! Reading a SignedData: slices of what came, so that signatures are checked over the original octets.

use super::oid;
use crate::wire::der::{self, DerError, Node, tag};
use crate::wire::{DigestAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier;
use std::borrow::Cow;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CmsError {
    #[error("not well-formed: {0}")]
    Der(#[from] DerError),
    #[error("not a SignedData")]
    NotSignedData,
    #[error(
        "more than {MAX_SIGNERS} signers, {MAX_CERTIFICATES} certificates or {MAX_ATTRIBUTES} attributes"
    )]
    TooMany,
    #[error("a signed attribute stands twice or has not exactly one value")]
    Attribute,
}

/// A SignedData as it came.
#[derive(Clone, Debug)]
pub struct SignedData<'a> {
    pub content_type: ObjectIdentifier,
    /// Absent in a detached signature.
    pub content: Option<Cow<'a, [u8]>>,
    /// DER of each certificate.
    pub certificates: Vec<&'a [u8]>,
    pub crls: Vec<&'a [u8]>,
    /// DER of each OCSPResponse (RFC 5940 §2).
    pub ocsp: Vec<&'a [u8]>,
    pub signers: Vec<SignerInfo<'a>>,
}

#[derive(Clone, Debug)]
pub struct SignerInfo<'a> {
    pub id: SignerId<'a>,
    pub digest_algorithm: ObjectIdentifier,
    pub signature_algorithm: ObjectIdentifier,
    pub signature: Cow<'a, [u8]>,
    signed: Option<Node<'a>>,
    attributes: Vec<Attribute<'a>>,
    unsigned: Vec<Attribute<'a>>,
}

/// How a signer names its certificate: both are octets as they stand in the certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignerId<'a> {
    IssuerSerial { issuer: &'a [u8], serial: &'a [u8] },
    KeyId(&'a [u8]),
}

/// The certificate that the signer bound into the signature (RFC 5035).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EssCertificate<'a> {
    pub algorithm: ObjectIdentifier,
    pub hash: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
struct Attribute<'a> {
    kind: ObjectIdentifier,
    values: Node<'a>,
}

impl<'a> SignedData<'a> {
    pub fn parse(input: &'a [u8]) -> Result<Self, CmsError> {
        let mut info = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        if info.next()?.oid()? != oid::SIGNED_DATA {
            return Err(CmsError::NotSignedData);
        }
        let mut data = info.expect(tag::context(0))?.reader().expect(tag::SEQUENCE)?.reader();
        data.expect(tag::INTEGER)?;
        data.expect(tag::SET)?;
        let (content_type, content) = encapsulated(data.expect(tag::SEQUENCE)?)?;
        let certificates = bag(data.optional(tag::context(0))?)?;
        let revocation = data.optional(tag::context(1))?;
        let (crls, ocsp) = (bag(revocation)?, responses(revocation)?);
        let signers = data.expect(tag::SET)?.children()?;
        if signers.len() > MAX_SIGNERS {
            return Err(CmsError::TooMany);
        }
        let signers = signers.into_iter().map(signer).collect::<Result<_, _>>()?;
        Ok(Self { content_type, content, certificates, crls, ocsp, signers })
    }
}

impl<'a> SignerInfo<'a> {
    /// RFC 5652 §5.4: what the signature is over; `None`: the content itself.
    pub fn signed_octets(&self) -> Option<Vec<u8>> {
        let signed = self.signed?;
        Some(der::element(tag::SET, &[signed.content]))
    }

    pub fn content_type(&self) -> Result<Option<ObjectIdentifier>, CmsError> {
        Ok(self.value(oid::CONTENT_TYPE)?.map(|v| v.oid()).transpose()?)
    }

    pub fn message_digest(&self) -> Result<Option<Cow<'a, [u8]>>, CmsError> {
        Ok(self.value(oid::MESSAGE_DIGEST)?.map(|v| v.octets()).transpose()?)
    }

    /// The time the signer claims.
    pub fn signing_time(&self) -> Result<Option<Timestamp>, CmsError> {
        Ok(self.value(oid::SIGNING_TIME)?.map(|v| v.time()).transpose()?)
    }

    /// The first ESSCertID or ESSCertIDv2.
    pub fn ess_certificate(&self) -> Result<Option<EssCertificate<'a>>, CmsError> {
        let (value, default) = match self.value(oid::SIGNING_CERTIFICATE_V2)? {
            Some(value) => (value, DigestAlgorithm::Sha256),
            None => match self.value(oid::SIGNING_CERTIFICATE)? {
                Some(value) => (value, DigestAlgorithm::Sha1),
                None => return Ok(None),
            },
        };
        let mut id = value
            .of(tag::SEQUENCE)?
            .reader()
            .expect(tag::SEQUENCE)?
            .reader()
            .expect(tag::SEQUENCE)?
            .reader();
        let algorithm = match id.optional(tag::SEQUENCE)? {
            Some(named) => named.reader().next()?.oid()?,
            None => default.oid(),
        };
        Ok(Some(EssCertificate { algorithm, hash: id.expect(tag::OCTET_STRING)?.content }))
    }

    /// The tokens over the signature, as they came (EN 319 122-1 §5.3).
    pub fn signature_time_stamps(&self) -> Result<Vec<&'a [u8]>, CmsError> {
        let mut tokens = Vec::new();
        for attribute in self.unsigned.iter().filter(|a| a.kind == oid::SIGNATURE_TIME_STAMP) {
            tokens.extend(attribute.values.children()?.iter().map(|value| value.whole));
        }
        Ok(tokens)
    }

    /// RFC 5652 §11: these attributes stand once and have one value.
    fn value(&self, kind: ObjectIdentifier) -> Result<Option<Node<'a>>, CmsError> {
        let mut found = self.attributes.iter().filter(|attribute| attribute.kind == kind);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(attribute), None) => match attribute.values.children()?.as_slice() {
                [value] => Ok(Some(*value)),
                _ => Err(CmsError::Attribute),
            },
            _ => Err(CmsError::Attribute),
        }
    }
}

pub(super) type Encapsulated<'a> = (ObjectIdentifier, Option<Cow<'a, [u8]>>);

pub(super) fn encapsulated(node: Node<'_>) -> Result<Encapsulated<'_>, CmsError> {
    let mut reader = node.reader();
    let content_type = reader.next()?.oid()?;
    let content = match reader.optional(tag::context(0))? {
        Some(wrapped) => Some(wrapped.reader().next()?.octets()?),
        None => None,
    };
    Ok((content_type, content))
}

/// Certificates or CRLs; other kinds (tagged choices) are left out.
fn bag(node: Option<Node<'_>>) -> Result<Vec<&[u8]>, CmsError> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let all = node.children()?;
    if all.len() > MAX_CERTIFICATES {
        return Err(CmsError::TooMany);
    }
    Ok(all.into_iter().filter(|one| one.tag == tag::SEQUENCE).map(|one| one.whole).collect())
}

/// OtherRevocationInfoFormat that holds an OCSP response; other formats are left out.
fn responses(node: Option<Node<'_>>) -> Result<Vec<&[u8]>, CmsError> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for other in node.children()?.iter().filter(|one| one.tag == tag::context(1)) {
        let mut reader = other.reader();
        if reader.next()?.oid()? == oid::OCSP_RESPONSE {
            all.push(reader.expect(tag::SEQUENCE)?.whole);
        }
    }
    Ok(all)
}

fn signer(node: Node<'_>) -> Result<SignerInfo<'_>, CmsError> {
    let mut reader = node.of(tag::SEQUENCE)?.reader();
    reader.expect(tag::INTEGER)?;
    let id = signer_id(reader.next()?)?;
    let digest_algorithm = algorithm(reader.expect(tag::SEQUENCE)?)?;
    let signed = reader.optional(tag::context(0))?;
    let signature_algorithm = algorithm(reader.expect(tag::SEQUENCE)?)?;
    let signature = reader.next()?.octets()?;
    let unsigned = attributes(reader.optional(tag::context(1))?)?;
    let attributes = attributes(signed)?;
    Ok(SignerInfo {
        id,
        digest_algorithm,
        signature_algorithm,
        signature,
        signed,
        attributes,
        unsigned,
    })
}

fn signer_id(node: Node<'_>) -> Result<SignerId<'_>, CmsError> {
    if node.tag == tag::context_primitive(0) {
        return Ok(SignerId::KeyId(node.content));
    }
    let mut reader = node.of(tag::SEQUENCE)?.reader();
    let issuer = reader.expect(tag::SEQUENCE)?.whole;
    let serial = reader.expect(tag::INTEGER)?.content;
    Ok(SignerId::IssuerSerial { issuer, serial })
}

fn algorithm(node: Node<'_>) -> Result<ObjectIdentifier, CmsError> {
    Ok(node.reader().next()?.oid()?)
}

fn attributes(node: Option<Node<'_>>) -> Result<Vec<Attribute<'_>>, CmsError> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let all = node.children()?;
    if all.len() > MAX_ATTRIBUTES {
        return Err(CmsError::TooMany);
    }
    all.into_iter().map(attribute).collect()
}

fn attribute(node: Node<'_>) -> Result<Attribute<'_>, CmsError> {
    let mut reader = node.of(tag::SEQUENCE)?.reader();
    Ok(Attribute { kind: reader.next()?.oid()?, values: reader.expect(tag::SET)? })
}

/// A mail has one signer; a few more are read so that they can be refused by name.
const MAX_SIGNERS: usize = 8;
/// Longer chains than this are not seen; each costs parsing.
const MAX_CERTIFICATES: usize = 32;
const MAX_ATTRIBUTES: usize = 64;
