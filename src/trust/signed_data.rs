//! The check of one CMS signer over the original octets: what token, seal and user signatures share.

use super::cache::{Cache, FOREVER};
use super::{Certificate, message_digest};
use crate::wire::cms::{CmsError, SignedData, SignerId, SignerInfo, oid};
use crate::wire::{Digest, DigestAlgorithm, SignatureAlgorithm, sha256};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::hash::hash;
use openssl::rsa::Padding;
use openssl::sign::Verifier;

/// Certificates by their octets: parsing one costs more than verifying with it.
pub(super) struct Pool(Cache<Digest, Option<Certificate>>);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignerFault {
    #[error("{0}")]
    Malformed(#[from] CmsError),
    #[error("there is no signer")]
    NoSigner,
    #[error("there are several signers")]
    SeveralSigners,
    #[error("the signer's certificate is not there")]
    NoCertificate,
    #[error("the digest algorithm {0} is weak")]
    WeakDigest(String),
    #[error("the algorithm {0} is not known here")]
    UnknownAlgorithm(Oid),
    #[error("a signed attribute that belongs there is missing: {0}")]
    MissingAttribute(&'static str),
    #[error("the signed content type is another one")]
    ContentType,
    #[error("the content is not what was signed: the digests differ")]
    DigestMismatch,
    #[error("the certificate is not the one that the signer bound (signing-certificate)")]
    BoundCertificate,
    #[error("the signature does not verify")]
    Broken,
}

/// How strict the attributes are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Plain S/MIME: attributes may be missing.
    Smime,
    /// CAdES and tokens: signing-certificate (v2) must be there.
    Cades,
}

impl Pool {
    pub fn new() -> Self {
        Self::of(POOL)
    }

    pub fn of(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    /// Those that are certificates at all; octets that openssl can't read are left out.
    pub fn parse<'a>(&self, all: impl IntoIterator<Item = &'a [u8]>) -> Vec<Certificate> {
        all.into_iter().filter_map(|der| self.certificate(der)).collect()
    }

    pub fn certificate(&self, der: &[u8]) -> Option<Certificate> {
        if der.len() > MAX_SIZE {
            return None;
        }
        if der.len() > MAX_KEPT {
            return Certificate::from_der(der).ok();
        }
        let digest = sha256(der);
        if let Some(known) = self.0.get(&digest, NEVER) {
            return known;
        }
        let parsed = Certificate::from_der(der).ok();
        self.0.put(digest, parsed.clone(), FOREVER);
        parsed
    }
}

/// The one signer.
pub(super) fn only_signer<'s, 'a>(
    signed: &'s SignedData<'a>,
) -> Result<&'s SignerInfo<'a>, SignerFault> {
    match signed.signers.as_slice() {
        [] => Err(SignerFault::NoSigner),
        [one] => Ok(one),
        _ => Err(SignerFault::SeveralSigners),
    }
}

/// Checks everything but trust: digest, attributes, signature. Gives the signer's certificate.
pub(super) fn check(
    signed: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    content: &[u8],
    candidates: &[Certificate],
    form: Form,
) -> Result<Certificate, SignerFault> {
    let digest = strong_digest(signer.digest_algorithm)?;
    let scheme = Scheme::of(signer.signature_algorithm, digest)?;
    let certificate =
        candidates.iter().find(|one| is_signer(one, signer)).ok_or(SignerFault::NoCertificate)?;
    let to_verify = match signer.signed_octets() {
        None if form == Form::Cades => {
            return Err(SignerFault::MissingAttribute("message-digest"));
        }
        None => None,
        Some(octets) => {
            check_attributes(signed, signer, content, digest)?;
            check_bound(signer, certificate, form)?;
            Some(octets)
        }
    };
    let octets = to_verify.as_deref().unwrap_or(content);
    if scheme.verify(certificate, octets, &signer.signature) {
        Ok(certificate.clone())
    } else {
        Err(SignerFault::Broken)
    }
}

fn check_attributes(
    signed: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    content: &[u8],
    digest: DigestAlgorithm,
) -> Result<(), SignerFault> {
    let missing = SignerFault::MissingAttribute;
    let content_type = signer.content_type()?.ok_or(missing("content-type"))?;
    if content_type != signed.content_type {
        return Err(SignerFault::ContentType);
    }
    let stated = signer.message_digest()?.ok_or(missing("message-digest"))?;
    let own = hash(message_digest(digest), content).map_err(|_| SignerFault::Broken)?;
    if own.as_ref() == stated.as_ref() { Ok(()) } else { Err(SignerFault::DigestMismatch) }
}

/// RFC 5035 §5: the certificate that verifies is the one that was meant.
fn check_bound(
    signer: &SignerInfo<'_>,
    certificate: &Certificate,
    form: Form,
) -> Result<(), SignerFault> {
    let Some(bound) = signer.ess_certificate()? else {
        return match form {
            Form::Smime => Ok(()),
            Form::Cades => Err(SignerFault::MissingAttribute("signing-certificate-v2")),
        };
    };
    // The first version names the certificate by SHA-1; the signature, not this hash, is the proof.
    let algorithm = DigestAlgorithm::from_oid(bound.algorithm)
        .ok_or(SignerFault::UnknownAlgorithm(bound.algorithm))?;
    let own = hash(message_digest(algorithm), certificate.der());
    let same = own.is_ok_and(|own| own.as_ref() == bound.hash);
    if same { Ok(()) } else { Err(SignerFault::BoundCertificate) }
}

fn is_signer(certificate: &Certificate, signer: &SignerInfo<'_>) -> bool {
    match signer.id {
        SignerId::IssuerSerial { issuer, serial } => certificate.is_named(issuer, serial),
        SignerId::KeyId(id) => certificate.key_id() == Some(id),
    }
}

fn strong_digest(algorithm: Oid) -> Result<DigestAlgorithm, SignerFault> {
    let known = DigestAlgorithm::from_oid(algorithm);
    let known = known.ok_or(SignerFault::UnknownAlgorithm(algorithm))?;
    if known.is_weak() { Err(SignerFault::WeakDigest(format!("{known:?}"))) } else { Ok(known) }
}

enum Scheme {
    Plain(SignatureAlgorithm),
    Pss(DigestAlgorithm),
}

impl Scheme {
    /// RFC 5754 §3: the algorithm may name the key alone; then the digest is the signer's.
    fn of(algorithm: Oid, digest: DigestAlgorithm) -> Result<Self, SignerFault> {
        let unknown = || SignerFault::UnknownAlgorithm(algorithm);
        match algorithm {
            oid::RSA_PSS => Ok(Self::Pss(digest)),
            oid::RSA_ENCRYPTION => {
                SignatureAlgorithm::of(true, digest).map(Self::Plain).ok_or_else(unknown)
            }
            EC_PUBLIC_KEY => {
                SignatureAlgorithm::of(false, digest).map(Self::Plain).ok_or_else(unknown)
            }
            SHA1_WITH_RSA | ECDSA_WITH_SHA1 => Err(SignerFault::WeakDigest("Sha1".into())),
            MD5_WITH_RSA => Err(SignerFault::WeakDigest("Md5".into())),
            other => SignatureAlgorithm::from_oid(other).map(Self::Plain).ok_or_else(unknown),
        }
    }

    fn verify(&self, certificate: &Certificate, octets: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Plain(algorithm) => {
                super::verify_octets(certificate, *algorithm, octets, signature)
            }
            Self::Pss(digest) if certificate.is_rsa() => {
                let verify = || {
                    let mut verifier = Verifier::new(message_digest(*digest), certificate.key())?;
                    verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
                    verifier.verify_oneshot(signature, octets)
                };
                verify().unwrap_or(false)
            }
            Self::Pss(_) => false,
        }
    }
}

const EC_PUBLIC_KEY: Oid = Oid::new_unwrap("1.2.840.10045.2.1");
const SHA1_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.5");
const MD5_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.4");
const ECDSA_WITH_SHA1: Oid = Oid::new_unwrap("1.2.840.10045.4.1");
/// Certificates that sign day by day: users, peers, authorities.
const POOL: usize = 4_096;
/// The largest certificate that is read at all.
const MAX_SIZE: usize = 64 * 1024;
/// Certificates are 1 to 4 KiB; larger ones are parsed each time, so that mails can't fill memory.
const MAX_KEPT: usize = 16 * 1024;
/// What is kept here does not end.
const NEVER: crate::wire::Timestamp = crate::wire::Timestamp::from_millis(0);
