//! Writing DER: each function gives one whole element.

use super::tag;
use crate::wire::{DigestAlgorithm, SignatureAlgorithm, Timestamp};
use der::asn1::ObjectIdentifier;

pub fn element(tag: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    push_length(&mut out, length);
    for piece in pieces {
        out.extend_from_slice(piece);
    }
    out
}

pub fn sequence(pieces: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, pieces)
}

/// SET OF: its elements in the order of their octets (X.690 §11.6).
pub fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    let pieces: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
    element(tag::SET, &pieces)
}

/// `[n]` EXPLICIT.
pub fn explicit(n: u8, inner: &[u8]) -> Vec<u8> {
    element(tag::context(n), &[inner])
}

/// A not negative INTEGER from its big-endian octets.
pub fn integer(octets: &[u8]) -> Vec<u8> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = &octets[zeros..];
    match significant.first() {
        None => vec![tag::INTEGER, 1, 0],
        Some(first) if *first >= 0x80 => element(tag::INTEGER, &[&[0], significant]),
        Some(_) => element(tag::INTEGER, &[significant]),
    }
}

pub fn small_integer(value: u32) -> Vec<u8> {
    integer(&value.to_be_bytes())
}

pub fn enumerated(value: u8) -> Vec<u8> {
    vec![tag::ENUMERATED, 1, value & 0x7f]
}

pub fn boolean(value: bool) -> Vec<u8> {
    vec![tag::BOOLEAN, 1, if value { 0xff } else { 0 }]
}

pub fn null() -> Vec<u8> {
    vec![tag::NULL, 0]
}

pub fn octet_string(octets: &[u8]) -> Vec<u8> {
    element(tag::OCTET_STRING, &[octets])
}

pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], octets])
}

/// A BIT STRING of named bits: trailing zero bits are not written (X.690 §11.2.2).
pub fn named_bit(bit: u8) -> Vec<u8> {
    let mut octets = vec![0; usize::from(bit / 8) + 1];
    if let Some(last) = octets.last_mut() {
        *last = 0x80 >> (bit % 8);
    }
    element(tag::BIT_STRING, &[&[7 - bit % 8], &octets])
}

pub fn utf8_string(text: &str) -> Vec<u8> {
    element(tag::UTF8_STRING, &[text.as_bytes()])
}

pub fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    element(tag::OID, &[oid.as_bytes()])
}

/// RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime after; whole seconds.
pub fn time(at: Timestamp) -> Vec<u8> {
    let text = at.utc().format("%Y%m%d%H%M%SZ").to_string();
    if ("1950".."2050").contains(&text.get(..4).unwrap_or_default()) {
        element(tag::UTC_TIME, &[&text.as_bytes()[2..]])
    } else {
        element(tag::GENERALIZED_TIME, &[text.as_bytes()])
    }
}

/// GeneralizedTime in whole seconds (RFC 6960 §4.2.2.1).
pub fn generalized_time(at: Timestamp) -> Vec<u8> {
    let text = at.utc().format("%Y%m%d%H%M%SZ").to_string();
    element(tag::GENERALIZED_TIME, &[text.as_bytes()])
}

/// GeneralizedTime with milliseconds, without trailing zeros (RFC 3161 §2.4.2).
pub fn precise_time(at: Timestamp) -> Vec<u8> {
    let whole = at.utc().format("%Y%m%d%H%M%S").to_string();
    let text = match at.millis().rem_euclid(1000) {
        0 => format!("{whole}Z"),
        millis => format!("{}Z", format!("{whole}.{millis:03}").trim_end_matches('0')),
    };
    element(tag::GENERALIZED_TIME, &[text.as_bytes()])
}

/// AlgorithmIdentifier of a digest, parameters absent (RFC 5754 §2).
pub fn digest_algorithm(algorithm: DigestAlgorithm) -> Vec<u8> {
    sequence(&[&oid(algorithm.oid())])
}

/// AlgorithmIdentifier of a signature: NULL for RSA (RFC 4055 §5), absent for ECDSA (RFC 5758 §3.2).
pub fn signature_algorithm(algorithm: SignatureAlgorithm) -> Vec<u8> {
    let parameters = if algorithm.is_rsa() { null() } else { Vec::new() };
    sequence(&[&oid(algorithm.oid()), &parameters])
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(length as u8);
        return;
    }
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    out.push(0x80 | (octets.len() - zeros) as u8);
    out.extend_from_slice(&octets[zeros..]);
}
