//! A certificate, parsed once: who, by whom, how long, for what.

mod kept;
mod names;

pub(super) use names::point_names;

use super::TrustError;
use crate::wire::der::{self, DerError, Node, tag};
use crate::wire::{Digest, DigestAlgorithm, SignatureAlgorithm, Timestamp, cms, sha256};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::ec::EcKey;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::{X509, X509Name, X509NameRef};
use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Cheap to clone: clones share what was parsed.
#[derive(Clone)]
pub struct Certificate(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    digest: Digest,
    x509: X509,
    key: PKey<Public>,
    /// The same key, when it is of a curve: it verifies without looking its algorithm up each time.
    curve: Option<EcKey<Public>>,
    /// Of the key, once it was asked for: openssl writes keys slowly.
    key_digest: OnceLock<Digest>,
    subject: String,
    issuer: String,
    serial: String,
    not_before: Timestamp,
    not_after: Timestamp,
    emails: Vec<String>,
    identity_number: Option<String>,
    signature_digest: Option<DigestAlgorithm>,
    extensions: Vec<Extension>,
}

struct Extension {
    kind: Oid,
    critical: bool,
    value: Vec<u8>,
}

/// Bits of the key-usage extension (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyUsage {
    pub digital_signature: bool,
    pub non_repudiation: bool,
    pub key_encipherment: bool,
    pub key_agreement: bool,
    pub key_cert_sign: bool,
    pub crl_sign: bool,
}

impl Certificate {
    pub fn from_der(der: &[u8]) -> Result<Self, TrustError> {
        let x509 = X509::from_der(der).map_err(|e| TrustError::Certificate(e.to_string()))?;
        // openssl reads a prefix; what we keep and digest is what it read
        Self::from_x509(x509)
    }

    /// All certificates of a PEM file, in order; at least one.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, TrustError> {
        let all = X509::stack_from_pem(pem).map_err(|e| TrustError::Certificate(e.to_string()))?;
        if all.is_empty() {
            return Err(TrustError::Certificate("no certificate in PEM form".into()));
        }
        all.into_iter().map(Self::from_x509).collect()
    }

    pub(super) fn from_x509(x509: X509) -> Result<Self, TrustError> {
        let der = x509.to_der()?;
        let parts = Parts::read(&der).map_err(|e| TrustError::Certificate(e.to_string()))?;
        let subject = x509.subject_name();
        let key = x509.public_key()?;
        Ok(Self(Arc::new(Facts {
            digest: sha256(&der),
            curve: key.ec_key().ok().filter(|_| key.id() == Id::EC),
            key,
            key_digest: OnceLock::new(),
            subject: name(subject),
            issuer: name(x509.issuer_name()),
            serial: x509.serial_number().to_bn()?.to_dec_str()?.to_string(),
            not_before: parts.not_before,
            not_after: parts.not_after,
            emails: emails(&x509),
            identity_number: identity_number(subject),
            signature_digest: parts.signature_digest,
            extensions: parts.extensions,
            der,
            x509,
        })))
    }

    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    pub fn pem(&self) -> String {
        super::signer::pem("CERTIFICATE", &self.0.der)
    }

    /// SHA-256 of the DER.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn key_digest(&self) -> Result<Digest, TrustError> {
        if let Some(known) = self.0.key_digest.get() {
            return Ok(*known);
        }
        let digest = sha256(&self.0.key.public_key_to_der()?);
        Ok(*self.0.key_digest.get_or_init(|| digest))
    }

    /// RFC 4514: `CN=…,O=…,C=TR`.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Decimal, as `X509SerialNumber` in XML wants it.
    pub fn serial(&self) -> &str {
        &self.0.serial
    }

    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.0.not_before <= at && at <= self.0.not_after
    }

    /// E-mail names of subject and subjectAltName, in lower case.
    pub fn emails(&self) -> &[String] {
        &self.0.emails
    }

    /// T.C. kimlik no (11 digits) or vergi kimlik no (10) from the subject's serialNumber.
    pub fn identity_number(&self) -> Option<&str> {
        self.0.identity_number.as_deref()
    }

    /// The common name alone, for people.
    pub fn common_name(&self) -> Option<String> {
        let mut names = self.0.x509.subject_name().entries_by_nid(Nid::COMMONNAME);
        names.next().and_then(|entry| entry.data().to_string().ok())
    }

    /// The SubjectPublicKeyInfo, in DER.
    pub fn public_key(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.key.public_key_to_der()?)
    }

    /// PEM of the SubjectPublicKeyInfo.
    pub fn public_key_pem(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.0.key.public_key_to_pem()?)
    }

    /// Whether it may issue certificates (basicConstraints).
    pub fn is_authority(&self) -> bool {
        let Some((_, value)) = self.extension(BASIC_CONSTRAINTS) else { return false };
        let read = || -> Result<bool, DerError> {
            let mut reader = der::parse(value)?.of(tag::SEQUENCE)?.reader();
            Ok(reader.optional(tag::BOOLEAN)?.map(|b| b.boolean()).transpose()?.unwrap_or(false))
        };
        read().unwrap_or(false)
    }

    /// `None`: the extension is absent, so no use is excluded.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        let (_, value) = self.extension(KEY_USAGE)?;
        let bits = der::parse(value).ok()?.of(tag::BIT_STRING).ok()?.content.get(1).copied();
        let bits = bits.unwrap_or(0);
        Some(KeyUsage {
            digital_signature: bits & 0x80 != 0,
            non_repudiation: bits & 0x40 != 0,
            key_encipherment: bits & 0x20 != 0,
            key_agreement: bits & 0x08 != 0,
            key_cert_sign: bits & 0x04 != 0,
            crl_sign: bits & 0x02 != 0,
        })
    }

    /// Purposes of the extended key usage and whether it is critical.
    pub fn extended_key_usage(&self) -> Option<(bool, Vec<Oid>)> {
        let (critical, value) = self.extension(EXTENDED_KEY_USAGE)?;
        let purposes = der::parse(value).and_then(|node| node.children());
        let purposes = purposes.unwrap_or_default().iter().filter_map(|p| p.oid().ok()).collect();
        Some((critical, purposes))
    }

    /// HTTP addresses of OCSP responders (authorityInfoAccess).
    pub fn ocsp_urls(&self) -> Vec<String> {
        let urls = self.0.x509.ocsp_responders();
        urls.map(|all| all.iter().map(|url| url.to_string()).filter(is_http).collect())
            .unwrap_or_default()
    }

    /// HTTP addresses of CRLs.
    pub fn crl_urls(&self) -> Vec<String> {
        let points = self.0.x509.crl_distribution_points();
        let mut urls = Vec::new();
        for point in points.iter().flatten() {
            let names = point.distpoint().and_then(|name| name.fullname());
            let names = names.iter().flat_map(|names| names.iter());
            urls.extend(names.filter_map(|name| name.uri()).map(str::to_owned));
        }
        urls.retain(is_http);
        urls
    }

    /// SubjectKeyIdentifier, for who is named by it.
    pub fn key_id(&self) -> Option<&[u8]> {
        self.0.x509.subject_key_id().map(|id| id.as_slice())
    }

    /// Whether issuer (DER of the Name) and serial (content octets) are this certificate's.
    pub(super) fn is_named(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let Ok((own_issuer, own_serial)) = Parts::names(&self.0.der) else { return false };
        // RFC 5280 §7.1: programs write the same name in other string types
        own_serial == serial && (own_issuer == issuer || self.is_issuer_name(issuer))
    }

    fn is_issuer_name(&self, issuer: &[u8]) -> bool {
        let same = |name: X509Name| name.try_cmp(self.0.x509.issuer_name());
        X509Name::from_der(issuer).and_then(same).is_ok_and(|order| order == Ordering::Equal)
    }

    /// Content octets of the serialNumber INTEGER.
    pub(super) fn serial_octets(&self) -> &[u8] {
        Parts::names(&self.0.der).map_or(&[], |(_, serial)| serial)
    }

    /// The digest under the issuer's signature; `None`: weak (SHA-1, MD5) or unknown.
    pub(super) fn signature_digest(&self) -> Option<DigestAlgorithm> {
        self.0.signature_digest
    }

    pub(super) fn x509(&self) -> &X509 {
        &self.0.x509
    }

    pub(super) fn key(&self) -> &PKey<Public> {
        &self.0.key
    }

    pub(super) fn curve(&self) -> Option<&EcKey<Public>> {
        self.0.curve.as_ref()
    }

    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.0.key.id(), Id::RSA | Id::RSA_PSS)
    }

    fn extension(&self, kind: Oid) -> Option<(bool, &[u8])> {
        let found = self.0.extensions.iter().find(|extension| extension.kind == kind)?;
        Some((found.critical, &found.value))
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} by {}, {})", self.0.subject, self.0.issuer, self.0.serial)
    }
}

struct Parts {
    signature_digest: Option<DigestAlgorithm>,
    not_before: Timestamp,
    not_after: Timestamp,
    extensions: Vec<Extension>,
}

impl Parts {
    /// RFC 5280 §4.1.
    fn read(certificate: &[u8]) -> Result<Self, DerError> {
        let mut tbs = der::parse(certificate)?.reader().expect(tag::SEQUENCE)?.reader();
        tbs.optional(tag::context(0))?;
        tbs.expect(tag::INTEGER)?;
        let signature_digest = signature_digest(tbs.expect(tag::SEQUENCE)?)?;
        tbs.expect(tag::SEQUENCE)?;
        let mut validity = tbs.expect(tag::SEQUENCE)?.reader();
        let (not_before, not_after) = (validity.next()?.time()?, validity.next()?.time()?);
        let mut extensions = Vec::new();
        while !tbs.is_empty() {
            let node = tbs.next()?;
            if node.tag == tag::context(3) {
                extensions = read_extensions(node)?;
            }
        }
        Ok(Self { signature_digest, not_before, not_after, extensions })
    }

    fn names(certificate: &[u8]) -> Result<(&[u8], &[u8]), DerError> {
        let mut tbs = der::parse(certificate)?.reader().expect(tag::SEQUENCE)?.reader();
        tbs.optional(tag::context(0))?;
        let serial = tbs.expect(tag::INTEGER)?.content;
        tbs.expect(tag::SEQUENCE)?;
        Ok((tbs.expect(tag::SEQUENCE)?.whole, serial))
    }
}

fn read_extensions(node: Node<'_>) -> Result<Vec<Extension>, DerError> {
    let mut extensions = Vec::new();
    for one in node.reader().expect(tag::SEQUENCE)?.children()? {
        let mut reader = one.reader();
        let kind = reader.next()?.oid()?;
        let critical = reader.optional(tag::BOOLEAN)?.map(|b| b.boolean()).transpose()?;
        let value = reader.expect(tag::OCTET_STRING)?.content.to_vec();
        extensions.push(Extension { kind, critical: critical.unwrap_or(false), value });
    }
    Ok(extensions)
}

/// The digest that the issuer signed with; `None`: one that is weak or unknown.
fn signature_digest(algorithm: Node<'_>) -> Result<Option<DigestAlgorithm>, DerError> {
    let mut reader = algorithm.reader();
    let kind = reader.next()?.oid()?;
    if kind != cms::oid::RSA_PSS {
        return Ok(SignatureAlgorithm::from_oid(kind).map(SignatureAlgorithm::digest));
    }
    // RFC 4055 §3.1: the digest is the first parameter, SHA-1 when it is not there
    let parameters = reader.optional(tag::SEQUENCE)?;
    let named = parameters.map(|p| p.reader().optional(tag::context(0))).transpose()?.flatten();
    let Some(named) = named else { return Ok(None) };
    let digest = DigestAlgorithm::from_oid(named.reader().next()?.reader().next()?.oid()?);
    Ok(digest.filter(|digest| !digest.is_weak()))
}

/// RFC 4514: the last name first, special characters escaped.
fn name(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = Vec::new();
    for entry in name.entries() {
        let kind = match entry.object().nid() {
            Nid::UNDEF => entry.object().to_string(),
            nid => nid.short_name().unwrap_or("?").to_owned(),
        };
        let value = entry.data().to_string().unwrap_or_default();
        parts.push(format!("{kind}={}", escaped(&value)));
    }
    parts.reverse();
    parts.join(",")
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (at, c) in value.chars().enumerate() {
        let edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn emails(x509: &X509) -> Vec<String> {
    let subject = x509.subject_name().entries_by_nid(Nid::PKCS9_EMAILADDRESS);
    let mut all: Vec<String> = subject.filter_map(|e| e.data().to_string().ok()).collect();
    for alternative in x509.subject_alt_names().iter().flatten() {
        all.extend(alternative.email().map(str::to_owned));
    }
    all.iter_mut().for_each(|email| email.make_ascii_lowercase());
    all.sort();
    all.dedup();
    all
}

/// Turkish qualified certificates carry the bare number; EN 319 412-1 §5.1.3 writes `PNOTR-…`.
fn identity_number(subject: &X509NameRef) -> Option<String> {
    let entry = subject.entries_by_nid(Nid::SERIALNUMBER).next()?;
    let text = entry.data().to_string().ok()?;
    let number = text.split_once("TR-").map_or(text.as_str(), |(_, number)| number).trim();
    let plain = number.bytes().all(|b| b.is_ascii_digit());
    (plain && matches!(number.len(), 10 | 11)).then(|| number.to_owned())
}

#[allow(clippy::ptr_arg)] // used as a predicate over strings
fn is_http(url: &String) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

const BASIC_CONSTRAINTS: Oid = Oid::new_unwrap("2.5.29.19");
const KEY_USAGE: Oid = Oid::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: Oid = Oid::new_unwrap("2.5.29.37");

#[cfg(test)]
mod tests;
