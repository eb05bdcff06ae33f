//! EnvelopedData (RFC 5652 §6) for one recipient, written from the beginning to the end: what is
//! encrypted may be of any length and is never held whole, so the outer lengths are indefinite (BER).

use super::build::issuer_and_serial;
use super::{CmsError, oid};
use crate::wire::DigestAlgorithm;
use crate::wire::der::{self, tag};

/// Whom it is for, and the content's key as only he can read it.
pub enum Recipient<'a> {
    /// RFC 3560: encrypted for an RSA key, OAEP with SHA-256.
    Rsa { certificate: &'a [u8], encrypted: &'a [u8] },
    /// RFC 5753: wrapped under a key that was agreed on with an EC key.
    Ec { certificate: &'a [u8], agreed: AgreedKey<'a> },
}

/// The sender's half of an agreement, made for this message alone, and the wrapped key.
pub struct AgreedKey<'a> {
    /// The point, uncompressed (SEC 1 §2.3.3).
    pub point: &'a [u8],
    pub wrapped: &'a [u8],
}

/// What stands around the encrypted octets.
pub struct Frame {
    pub head: Vec<u8>,
    pub foot: Vec<u8>,
}

impl Frame {
    /// Content is plain data under AES-256-CBC with this first block.
    pub fn new(recipient: &Recipient<'_>, iv: &[u8; 16]) -> Result<Self, CmsError> {
        let (version, info) = match recipient {
            Recipient::Rsa { certificate, encrypted } => (0, transported(certificate, encrypted)?),
            Recipient::Ec { certificate, agreed } => (2, agreed_on(certificate, agreed)?),
        };
        let cipher = der::sequence(&[&der::oid(oid::AES256_CBC), &der::octet_string(iv)]);
        let head = [
            &OPEN_SEQUENCE[..],
            &der::oid(oid::ENVELOPED_DATA),
            &OPEN_ZERO,
            &OPEN_SEQUENCE,
            &der::small_integer(version),
            &der::set_of(vec![info]),
            &OPEN_SEQUENCE,
            &der::oid(oid::DATA),
            &cipher,
            &OPEN_ZERO,
        ]
        .concat();
        // The octets, what is encrypted, the content, its place, the whole.
        Ok(Self { head, foot: vec![0; 2 * 5] })
    }

    /// Encrypted octets, a piece of them.
    pub fn piece(octets: &[u8]) -> Vec<u8> {
        der::octet_string(octets)
    }
}

/// RFC 5753 §7.2: what both sides put into the agreed key besides their secret, for a key of 256 bits.
pub fn shared_info() -> Vec<u8> {
    let bits = der::explicit(2, &der::octet_string(&256_u32.to_be_bytes()));
    der::sequence(&[&wrap_algorithm(), &bits])
}

fn transported(certificate: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, CmsError> {
    let (issuer, serial) = issuer_and_serial(certificate)?;
    // RFC 4055 §2.1: with NULL, which every reader takes.
    let sha256 = der::sequence(&[&der::oid(DigestAlgorithm::Sha256.oid()), &der::null()]);
    let mask = der::sequence(&[&der::oid(oid::MGF1), &sha256]);
    let parameters = der::sequence(&[&der::explicit(0, &sha256), &der::explicit(1, &mask)]);
    Ok(der::sequence(&[
        &der::small_integer(0),
        &der::sequence(&[issuer, serial]),
        &der::sequence(&[&der::oid(oid::RSA_OAEP), &parameters]),
        &der::octet_string(encrypted),
    ]))
}

fn agreed_on(certificate: &[u8], agreed: &AgreedKey<'_>) -> Result<Vec<u8>, CmsError> {
    let (issuer, serial) = issuer_and_serial(certificate)?;
    let key = [der::sequence(&[&der::oid(oid::EC_PUBLIC_KEY)]), der::bit_string(agreed.point)];
    let originator = der::element(tag::context(1), &[&key[0], &key[1]]);
    let scheme = der::sequence(&[&der::oid(oid::ECDH_SHA256), &wrap_algorithm()]);
    let wrapped =
        der::sequence(&[&der::sequence(&[issuer, serial]), &der::octet_string(agreed.wrapped)]);
    Ok(der::element(
        tag::context(1),
        &[
            &der::small_integer(3),
            &der::explicit(0, &originator),
            &scheme,
            &der::sequence(&[&wrapped]),
        ],
    ))
}

fn wrap_algorithm() -> Vec<u8> {
    der::sequence(&[&der::oid(oid::AES256_WRAP)])
}

const OPEN_SEQUENCE: [u8; 2] = [tag::SEQUENCE, 0x80];
/// `[0]`, constructed.
const OPEN_ZERO: [u8; 2] = [0xa0, 0x80];
