//! An OCSP question and the judgement of its answer (RFC 6960 §3.2).

use super::past::{Entry, Statement};
use super::{Said, Unknown, check_window};
use crate::trust::{Certificate, message_digest, verify_octets};
use crate::wire::der::{self, DerError, tag};
use crate::wire::ocsp::{
    BasicResponse, CertId, CertStatus, OcspError, OcspRequest, SingleResponse,
};
use crate::wire::{DigestAlgorithm, SignatureAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::hash::hash;

/// Without a nonce: many responders answer from prepared replies (RFC 5019).
pub(super) fn request(certificate: &Certificate, issuer: &Certificate) -> Result<Vec<u8>, Unknown> {
    let id = id(certificate, issuer, CertId::algorithm())?;
    Ok(OcspRequest { ids: vec![id], nonce: None }.write())
}

pub(super) fn read(
    octets: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    at: Timestamp,
) -> Result<Said, Unknown> {
    let response = BasicResponse::parse(octets)?;
    check_signature(&response, issuer, at)?;
    let one = about(&response, certificate, issuer)?;
    check_window(one.this_update, one.next_update, at)?;
    match one.status {
        CertStatus::Good => Ok(Said::Good),
        CertStatus::Revoked { at, .. } => Ok(Said::Revoked(at)),
        CertStatus::Unknown => Err(Unknown::NotKnownThere),
    }
}

/// What the answer says, whenever that was.
pub(super) fn statement(
    octets: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<Statement, Unknown> {
    let response = BasicResponse::parse(octets)?;
    let one = about(&response, certificate, issuer)?;
    check_signature(&response, issuer, one.this_update)?;
    let revoked = match one.status {
        CertStatus::Good => None,
        CertStatus::Revoked { at, reason } => Some(Entry { at, reason }),
        CertStatus::Unknown => return Err(Unknown::NotKnownThere),
    };
    Ok(Statement { revoked, this: one.this_update, next: one.next_update })
}

fn about<'r>(
    response: &'r BasicResponse<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<&'r SingleResponse, Unknown> {
    for one in &response.responses {
        let Some(algorithm) = DigestAlgorithm::from_oid(one.id.algorithm) else { continue };
        if id(certificate, issuer, algorithm)? == one.id {
            return Ok(one);
        }
    }
    Err(Unknown::NotKnownThere)
}

/// §4.2.2.2: by the authority itself, or by one that it issued for this purpose.
fn check_signature(
    response: &BasicResponse<'_>,
    issuer: &Certificate,
    at: Timestamp,
) -> Result<(), Unknown> {
    let algorithm = SignatureAlgorithm::from_oid(response.signature_algorithm);
    let algorithm = algorithm.ok_or(Unknown::NotAuthorised)?;
    let signed_by = |certificate: &Certificate| {
        verify_octets(certificate, algorithm, response.signed_octets, response.signature)
    };
    if signed_by(issuer) {
        return Ok(());
    }
    let delegates = response.certificates.iter().take(MAX_DELEGATES);
    let delegates = delegates.filter_map(|der| Certificate::from_der(der).ok());
    for delegate in delegates {
        if is_delegate(&delegate, issuer, at) && signed_by(&delegate) {
            return Ok(());
        }
    }
    Err(Unknown::NotAuthorised)
}

fn is_delegate(certificate: &Certificate, issuer: &Certificate, at: Timestamp) -> bool {
    let purposes = certificate.extended_key_usage();
    purposes.is_some_and(|(_, all)| all.contains(&OCSP_SIGNING))
        && certificate.valid_at(at)
        && certificate.signature_digest().is_some()
        && certificate.x509().verify(issuer.key()).unwrap_or(false)
}

fn id(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithm: DigestAlgorithm,
) -> Result<CertId, Unknown> {
    let make = || -> Option<CertId> {
        let name = issuer.x509().subject_name().to_der().ok()?;
        let key = issuer.key().public_key_to_der().ok()?;
        let key = key_bits(&key).ok()?;
        let hashed = |octets: &[u8]| Some(hash(message_digest(algorithm), octets).ok()?.to_vec());
        Some(CertId {
            algorithm: algorithm.oid(),
            name_hash: hashed(&name)?,
            key_hash: hashed(key)?,
            serial: certificate.serial_octets().to_vec(),
        })
    };
    make().ok_or(Unknown::MalformedAnswer(OcspError::NotBasic))
}

/// §4.1.1: the key without its algorithm, tag and length.
fn key_bits(info: &[u8]) -> Result<&[u8], DerError> {
    let mut reader = der::parse(info)?.reader();
    reader.expect(tag::SEQUENCE)?;
    reader.next()?.bits()
}

const OCSP_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.9");
const MAX_DELEGATES: usize = 4;
