//! The algorithms of signatures and digests, as their identifiers stand in certificates and CMS
//! (those of XML: `wire/xades/algorithm.rs`).

use der::asn1::ObjectIdentifier;

/// A signature algorithm that may be trusted; SHA-1 and MD5 have no variant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignatureAlgorithm {
    RsaSha256,
    RsaSha384,
    RsaSha512,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
}

/// A digest algorithm as others name it; the weak ones are known so that they can be refused by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DigestAlgorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl SignatureAlgorithm {
    /// The identifier in certificates (RFC 8017 A.2.4, RFC 5758 §3.2).
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::RsaSha256 => SHA256_WITH_RSA,
            Self::RsaSha384 => SHA384_WITH_RSA,
            Self::RsaSha512 => SHA512_WITH_RSA,
            Self::EcdsaSha256 => ECDSA_WITH_SHA256,
            Self::EcdsaSha384 => ECDSA_WITH_SHA384,
            Self::EcdsaSha512 => ECDSA_WITH_SHA512,
        }
    }

    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        ALL.into_iter().find(|algorithm| algorithm.oid() == oid)
    }

    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaSha256 | Self::EcdsaSha256 => DigestAlgorithm::Sha256,
            Self::RsaSha384 | Self::EcdsaSha384 => DigestAlgorithm::Sha384,
            Self::RsaSha512 | Self::EcdsaSha512 => DigestAlgorithm::Sha512,
        }
    }

    pub fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }

    /// The algorithm of a key kind with a digest; `None` for weak digests.
    pub fn of(rsa: bool, digest: DigestAlgorithm) -> Option<Self> {
        ALL.into_iter().find(|a| a.is_rsa() == rsa && a.digest() == digest)
    }
}

impl DigestAlgorithm {
    /// RFC 8017 B.1, RFC 5754 §2.
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Md5 => MD5,
            Self::Sha1 => SHA1,
            Self::Sha256 => SHA256,
            Self::Sha384 => SHA384,
            Self::Sha512 => SHA512,
        }
    }

    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.oid() == oid)
    }

    pub fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }
}

const ALL: [SignatureAlgorithm; 6] = [
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::RsaSha384,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::EcdsaSha384,
    SignatureAlgorithm::EcdsaSha512,
];

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_go_both_ways() {
        for algorithm in ALL {
            assert_eq!(SignatureAlgorithm::from_oid(algorithm.oid()), Some(algorithm));
            let again = SignatureAlgorithm::of(algorithm.is_rsa(), algorithm.digest());
            assert_eq!(again, Some(algorithm));
        }
    }

    #[test]
    fn weak_digests_have_no_signature_algorithm() {
        assert!(DigestAlgorithm::Sha1.is_weak());
        assert_eq!(SignatureAlgorithm::of(true, DigestAlgorithm::Sha1), None);
        assert_eq!(SignatureAlgorithm::of(false, DigestAlgorithm::Md5), None);
    }
}
