//! Building a SignedData with one signer: attributes, then the signature, then a time stamp.
//! The key is used between the stages by whoever holds it.

use super::{CmsError, oid};
use crate::wire::der::{self, Reader, tag};
use crate::wire::{Digest, DigestAlgorithm, SignatureAlgorithm, Timestamp, sha256};
use ::der::asn1::ObjectIdentifier;

/// What every signature of one certificate has in common; made once per key.
#[derive(Clone, Debug)]
pub struct Identity {
    algorithm: SignatureAlgorithm,
    signer_id: Vec<u8>,
    signing_certificate: Vec<u8>,
    certificates: Vec<u8>,
}

/// The attributes stand; a signature over [`Prepared::to_sign`] is wanted.
#[derive(Debug)]
pub struct Prepared<'a> {
    identity: &'a Identity,
    content_type: ObjectIdentifier,
    attributes: Vec<u8>,
}

/// Signed; a time stamp over [`Signed::to_stamp`] may follow.
#[derive(Debug)]
pub struct Signed<'a> {
    prepared: Prepared<'a>,
    signature: Vec<u8>,
}

impl Identity {
    /// `chain` are further certificates to send along, without the anchor.
    pub fn new<'c>(
        certificate: &[u8],
        chain: impl IntoIterator<Item = &'c [u8]>,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CmsError> {
        let (issuer, serial) = issuer_and_serial(certificate)?;
        let mut certificates = vec![certificate.to_vec()];
        certificates.extend(chain.into_iter().map(<[u8]>::to_vec));
        certificates.sort();
        certificates.dedup();
        let pieces: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
        Ok(Self {
            algorithm,
            signer_id: der::sequence(&[issuer, serial]),
            signing_certificate: signing_certificate_v2(certificate)?,
            certificates: der::element(tag::context(0), &pieces),
        })
    }

    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The same, but no certificates are sent along (RFC 3161 §2.4.1: certReq false).
    pub fn without_certificates(&self) -> Self {
        Self { certificates: Vec::new(), ..self.clone() }
    }
}

/// RFC 5035 §4: IssuerSerial of a certificate (CAdES and XAdES IssuerSerialV2 carry it).
pub fn issuer_serial(certificate: &[u8]) -> Result<Vec<u8>, CmsError> {
    let (issuer, serial) = issuer_and_serial(certificate)?;
    Ok(der::sequence(&[&der::sequence(&[&der::explicit(4, issuer)]), serial]))
}

/// Certificates, CRLs and OCSP responses in one SignedData without signers (RFC 5652 §5, "degenerate"),
/// which other programs read too.
pub fn validation_data<'d>(
    certificates: impl IntoIterator<Item = &'d [u8]>,
    crls: impl IntoIterator<Item = &'d [u8]>,
    ocsp: impl IntoIterator<Item = &'d [u8]>,
) -> Vec<u8> {
    let bag = |number: u8, mut all: Vec<Vec<u8>>| {
        all.sort();
        all.dedup();
        let pieces: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        if all.is_empty() { Vec::new() } else { der::element(tag::context(number), &pieces) }
    };
    let other =
        |response: &[u8]| der::element(tag::context(1), &[&der::oid(oid::OCSP_RESPONSE), response]);
    let certificates = certificates.into_iter().map(<[u8]>::to_vec).collect();
    let mut revocation: Vec<Vec<u8>> = crls.into_iter().map(<[u8]>::to_vec).collect();
    revocation.extend(ocsp.into_iter().map(other));
    // §5.1: version 5 when revocation information of another format is there, 1 for plain CRLs
    let version =
        if revocation.iter().any(|one| one.first() != Some(&tag::SEQUENCE)) { 5 } else { 1 };
    let signed_data = der::sequence(&[
        &der::small_integer(version),
        &der::set_of(Vec::new()),
        &der::sequence(&[&der::oid(oid::DATA)]),
        &bag(0, certificates),
        &bag(1, revocation),
        &der::set_of(Vec::new()),
    ]);
    der::sequence(&[&der::oid(oid::SIGNED_DATA), &der::explicit(0, &signed_data)])
}

impl<'a> Prepared<'a> {
    /// `content_digest` is the SHA-256 of the content, whose type is `content_type`.
    pub fn new(
        identity: &'a Identity,
        content_type: ObjectIdentifier,
        content_digest: Digest,
        signing_time: Option<Timestamp>,
    ) -> Self {
        let mut attributes = vec![
            attribute(oid::CONTENT_TYPE, &der::oid(content_type)),
            attribute(oid::MESSAGE_DIGEST, &der::octet_string(&content_digest.0)),
            attribute(oid::SIGNING_CERTIFICATE_V2, &identity.signing_certificate),
        ];
        attributes.extend(signing_time.map(|at| attribute(oid::SIGNING_TIME, &der::time(at))));
        Self { identity, content_type, attributes: der::set_of(attributes) }
    }

    /// RFC 5652 §5.4: the DER of the attributes as a SET.
    pub fn to_sign(&self) -> &[u8] {
        &self.attributes
    }

    pub fn signed(self, signature: Vec<u8>) -> Signed<'a> {
        Signed { prepared: self, signature }
    }
}

impl Signed<'_> {
    /// EN 319 122-1 §5.3: the time stamp is over the signature's value, without tag and length.
    pub fn to_stamp(&self) -> &[u8] {
        &self.signature
    }

    /// The finished detached signature, with the time-stamp token if there is one (CAdES-T).
    pub fn detached(&self, token: Option<&[u8]>) -> Vec<u8> {
        self.content_info(None, token)
    }

    /// The finished signature with its content inside, as time-stamp tokens are.
    pub fn attached(&self, content: &[u8]) -> Vec<u8> {
        self.content_info(Some(content), None)
    }

    fn content_info(&self, content: Option<&[u8]>, token: Option<&[u8]>) -> Vec<u8> {
        let Prepared { identity, content_type, .. } = &self.prepared;
        // RFC 5652 §5.1: version 1 for plain data, else 3.
        let version = if *content_type == oid::DATA { 1 } else { 3 };
        let content = content.map(|c| der::explicit(0, &der::octet_string(c))).unwrap_or_default();
        let signed_data = der::sequence(&[
            &der::small_integer(version),
            &der::set_of(vec![der::digest_algorithm(DigestAlgorithm::Sha256)]),
            &der::sequence(&[&der::oid(*content_type), &content]),
            &identity.certificates,
            &der::set_of(vec![self.signer_info(token)]),
        ]);
        der::sequence(&[&der::oid(oid::SIGNED_DATA), &der::explicit(0, &signed_data)])
    }

    fn signer_info(&self, token: Option<&[u8]>) -> Vec<u8> {
        let Prepared { identity, attributes, .. } = &self.prepared;
        let mut signed = attributes.clone();
        signed[0] = tag::context(0); // §5.3: [0] IMPLICIT, with the same length
        let unsigned = token
            .map(|t| der::element(tag::context(1), &[&attribute(oid::SIGNATURE_TIME_STAMP, t)]))
            .unwrap_or_default();
        der::sequence(&[
            &der::small_integer(1),
            &identity.signer_id,
            &der::digest_algorithm(DigestAlgorithm::Sha256),
            &signed,
            &signature_algorithm(identity.algorithm),
            &der::octet_string(&self.signature),
            &unsigned,
        ])
    }
}

fn attribute(kind: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(kind), &der::element(tag::SET, &[value])])
}

/// RFC 3370 §3.2: RSA is named by its key's identifier, which every verifier reads.
fn signature_algorithm(algorithm: SignatureAlgorithm) -> Vec<u8> {
    if algorithm.is_rsa() {
        der::sequence(&[&der::oid(oid::RSA_ENCRYPTION), &der::null()])
    } else {
        der::signature_algorithm(algorithm)
    }
}

/// RFC 5035 §3: ESSCertIDv2 with issuerSerial; the SHA-256 default is not written.
fn signing_certificate_v2(certificate: &[u8]) -> Result<Vec<u8>, CmsError> {
    let id =
        der::sequence(&[&der::octet_string(&sha256(certificate).0), &issuer_serial(certificate)?]);
    Ok(der::sequence(&[&der::sequence(&[&id])]))
}

/// RFC 5280 §4.1: both as they stand in the certificate.
pub(super) fn issuer_and_serial(certificate: &[u8]) -> Result<(&[u8], &[u8]), CmsError> {
    let mut tbs: Reader<'_> =
        der::parse(certificate)?.of(tag::SEQUENCE)?.reader().expect(tag::SEQUENCE)?.reader();
    tbs.optional(tag::context(0))?;
    let serial = tbs.expect(tag::INTEGER)?;
    tbs.expect(tag::SEQUENCE)?;
    let issuer = tbs.expect(tag::SEQUENCE)?;
    Ok((issuer.whole, serial.whole))
}
