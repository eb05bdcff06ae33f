//! Digest and signature algorithms by their identifiers, and ECDSA values in both spellings.

use crate::wire::SignatureAlgorithm;
use der::{Decode, Encode, Sequence, asn1::UintRef};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// Recognised so that it can be called weak; never computed, never made.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// What a signature that we read was made with. The curve is the key's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureMethod {
    Rsa(Hash),
    RsaPss(Hash),
    Ecdsa(Hash),
}

impl Hash {
    /// RFC 9231 §2.1 and XML Encryption name them.
    pub fn by_uri(uri: &str) -> Option<Self> {
        HASHES.iter().find(|(_, known)| *known == uri).map(|(hash, _)| *hash)
    }

    pub fn uri(self) -> &'static str {
        HASHES.iter().find(|(hash, _)| *hash == self).map_or("", |(_, uri)| uri)
    }

    pub fn is_weak(self) -> bool {
        self == Self::Sha1
    }

    /// `None` for the weak one: it proves nothing.
    pub fn of(self, octets: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Sha1 => None,
            Self::Sha256 => Some(Sha256::digest(octets).to_vec()),
            Self::Sha384 => Some(Sha384::digest(octets).to_vec()),
            Self::Sha512 => Some(Sha512::digest(octets).to_vec()),
        }
    }
}

impl SignatureMethod {
    pub fn by_uri(uri: &str) -> Option<Self> {
        METHODS.iter().find(|(_, known)| *known == uri).map(|(method, _)| *method)
    }

    pub fn uri(self) -> &'static str {
        METHODS.iter().find(|(method, _)| *method == self).map_or("", |(_, uri)| uri)
    }

    pub fn hash(self) -> Hash {
        match self {
            Self::Rsa(hash) | Self::RsaPss(hash) | Self::Ecdsa(hash) => hash,
        }
    }
}

impl SignatureAlgorithm {
    /// How a document that we sign names it.
    pub fn method(self) -> SignatureMethod {
        match self {
            Self::RsaSha256 => SignatureMethod::Rsa(Hash::Sha256),
            Self::RsaSha384 => SignatureMethod::Rsa(Hash::Sha384),
            Self::RsaSha512 => SignatureMethod::Rsa(Hash::Sha512),
            Self::EcdsaSha256 => SignatureMethod::Ecdsa(Hash::Sha256),
            Self::EcdsaSha384 => SignatureMethod::Ecdsa(Hash::Sha384),
            Self::EcdsaSha512 => SignatureMethod::Ecdsa(Hash::Sha512),
        }
    }

    /// Octets of one ECDSA coordinate, on the curve that goes with the digest (RFC 5480 §4).
    fn field(self) -> Option<usize> {
        match self {
            Self::EcdsaSha256 => Some(32),
            Self::EcdsaSha384 => Some(48),
            Self::EcdsaSha512 => Some(66),
            Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512 => None,
        }
    }

    /// A key's signature as XML carries it: RFC 4050 and XML Signature 1.1 §6.4.3 join r and s.
    pub(super) fn in_xml(self, signature: &[u8]) -> Option<Vec<u8>> {
        let Some(field) = self.field() else { return Some(signature.to_vec()) };
        let pair = Pair::from_der(signature).ok()?;
        let mut joined = vec![0; 2 * field];
        for (half, number) in joined.chunks_mut(field).zip([pair.r, pair.s]) {
            let from = field.checked_sub(number.as_bytes().len())?;
            half[from..].copy_from_slice(number.as_bytes());
        }
        Some(joined)
    }
}

/// r and s joined, as DER: what keys verify.
pub(super) fn ecdsa_in_der(joined: &[u8]) -> Option<Vec<u8>> {
    // P-521 is the longest curve there is.
    if joined.is_empty() || !joined.len().is_multiple_of(2) || joined.len() > 132 {
        return None;
    }
    let (r, s) = joined.split_at(joined.len() / 2);
    Pair { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
}

/// RFC 3279 §2.2.3 Ecdsa-Sig-Value.
#[derive(Sequence)]
struct Pair<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

const HASHES: [(Hash, &str); 4] = [
    (Hash::Sha1, "http://www.w3.org/2000/09/xmldsig#sha1"),
    (Hash::Sha256, "http://www.w3.org/2001/04/xmlenc#sha256"),
    (Hash::Sha384, "http://www.w3.org/2001/04/xmldsig-more#sha384"),
    (Hash::Sha512, "http://www.w3.org/2001/04/xmlenc#sha512"),
];

const METHODS: [(SignatureMethod, &str); 11] = [
    (SignatureMethod::Rsa(Hash::Sha1), "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    (SignatureMethod::Rsa(Hash::Sha256), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
    (SignatureMethod::Rsa(Hash::Sha384), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"),
    (SignatureMethod::Rsa(Hash::Sha512), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
    (
        SignatureMethod::RsaPss(Hash::Sha256),
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    ),
    (
        SignatureMethod::RsaPss(Hash::Sha384),
        "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
    ),
    (
        SignatureMethod::RsaPss(Hash::Sha512),
        "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
    ),
    (SignatureMethod::Ecdsa(Hash::Sha1), "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
    (SignatureMethod::Ecdsa(Hash::Sha256), "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
    (SignatureMethod::Ecdsa(Hash::Sha384), "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
    (SignatureMethod::Ecdsa(Hash::Sha512), "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
];
