//! What an authority says about certificates it took back: CRLs and OCSP answers.

use super::CertificateAuthority;
use crate::trust::{TrustError, message_digest};
use crate::wire::der::{self, tag};
use crate::wire::ocsp::{self, CertId, CertStatus, OcspRequest, SingleResponse};
use crate::wire::{DigestAlgorithm, SignatureAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::hash::{MessageDigest, hash};

/// A certificate that was taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// Decimal, as [`crate::trust::Certificate::serial`] gives it.
    pub serial: String,
    pub at: Timestamp,
    /// CRLReason (RFC 5280 §5.3.1), when it is said.
    pub reason: Option<u8>,
}

impl CertificateAuthority {
    /// A CRL of version 2 (RFC 5280 §5), numbered by its time.
    pub fn crl(
        &self,
        revoked: &[Revoked],
        now: Timestamp,
        next: Timestamp,
    ) -> Result<Vec<u8>, TrustError> {
        let entries = revoked.iter().map(entry).collect::<Result<Vec<_>, _>>()?.concat();
        let entries = if entries.is_empty() { entries } else { der::sequence(&[&entries]) };
        let number = der::octet_string(&der::integer(&now.millis().to_be_bytes()));
        let mut extensions = der::sequence(&[&der::oid(CRL_NUMBER), &number]);
        if let Some(key_id) = self.certificate().key_id() {
            let id = der::element(tag::context_primitive(0), &[key_id]);
            let id = der::octet_string(&der::sequence(&[&id]));
            extensions.extend(der::sequence(&[&der::oid(AUTHORITY_KEY_ID), &id]));
        }
        let tbs = der::sequence(&[
            &der::small_integer(1),
            &self.algorithm(),
            &self.subject()?,
            &der::time(now),
            &der::time(next),
            &entries,
            &der::explicit(0, &der::sequence(&[&extensions])),
        ]);
        let signature = self.sign(&tbs)?;
        Ok(der::sequence(&[&tbs, &self.algorithm(), &der::bit_string(&signature)]))
    }

    /// The OCSP response to a request, as the octets came over HTTP.
    pub fn ocsp(
        &self,
        request: &[u8],
        revoked: &[Revoked],
        now: Timestamp,
    ) -> Result<Vec<u8>, TrustError> {
        let Ok(request) = OcspRequest::parse(request) else {
            return Ok(ocsp::error_response(1));
        };
        let mut responses = Vec::new();
        for id in request.ids {
            responses.push(SingleResponse {
                status: self.status(&id, revoked)?,
                id,
                this_update: now,
                next_update: Some(now.plus_secs(OCSP_VALID_SECS)),
            });
        }
        let data = ocsp::response_data(&self.subject()?, now, &responses, request.nonce.as_deref());
        Ok(ocsp::response(&data, &self.algorithm(), &self.sign(&data)?))
    }

    fn status(&self, id: &CertId, revoked: &[Revoked]) -> Result<CertStatus, TrustError> {
        let Some(algorithm) = DigestAlgorithm::from_oid(id.algorithm) else {
            return Ok(CertStatus::Unknown);
        };
        if hash(message_digest(algorithm), &self.subject()?)?.as_ref() != id.name_hash {
            return Ok(CertStatus::Unknown);
        }
        let serial = openssl::bn::BigNum::from_slice(&id.serial)?.to_dec_str()?.to_string();
        let found = revoked.iter().find(|one| one.serial == serial);
        let status = |one: &Revoked| CertStatus::Revoked { at: one.at, reason: one.reason };
        Ok(found.map_or(CertStatus::Good, status))
    }

    fn subject(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.certificate().x509().subject_name().to_der()?)
    }

    fn algorithm(&self) -> Vec<u8> {
        der::signature_algorithm(if self.certificate().is_rsa() {
            SignatureAlgorithm::RsaSha256
        } else {
            SignatureAlgorithm::EcdsaSha256
        })
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, TrustError> {
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.key)?;
        Ok(signer.sign_oneshot_to_vec(octets)?)
    }
}

fn entry(revoked: &Revoked) -> Result<Vec<u8>, TrustError> {
    let serial = openssl::bn::BigNum::from_dec_str(&revoked.serial)?.to_vec();
    let reason = revoked.reason.map(|reason| {
        let reason = der::octet_string(&der::enumerated(reason));
        der::sequence(&[&der::sequence(&[&der::oid(REASON), &reason])])
    });
    let (serial, at) = (der::integer(&serial), der::time(revoked.at));
    Ok(der::sequence(&[&serial, &at, &reason.unwrap_or_default()]))
}

const CRL_NUMBER: Oid = Oid::new_unwrap("2.5.29.20");
const REASON: Oid = Oid::new_unwrap("2.5.29.21");
const AUTHORITY_KEY_ID: Oid = Oid::new_unwrap("2.5.29.35");
/// A development responder's word holds for an hour.
const OCSP_VALID_SECS: i64 = 3_600;
