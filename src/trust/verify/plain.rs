//! What is verified without anchors: users' S/MIME signatures and RSASSA-PSS values. Whom to believe
//! is a question of its own.

use crate::trust::signed_data::{self, Form, Pool, SignerFault};
use crate::trust::{Certificate, message_digest};
use crate::wire::cms::{SignedData, oid};
use crate::wire::{DigestAlgorithm, Timestamp};
use openssl::rsa::Padding;
use openssl::sign::Verifier;

/// An S/MIME signature that verifies with the certificate that came along.
#[derive(Clone, Debug)]
pub struct Plain {
    pub signer: Certificate,
    /// All that came along.
    pub certificates: Vec<Certificate>,
    /// What the signer claims.
    pub signing_time: Option<Timestamp>,
}

/// Digest, attributes and signature; `detached` is the signed octets when they are not inside.
/// Plain S/MIME (RFC 8551): the attributes of CAdES may be missing.
pub fn smime(signature: &[u8], detached: Option<&[u8]>) -> Result<Plain, SignerFault> {
    let signed = SignedData::parse(signature)?;
    if signed.content_type != oid::DATA {
        return Err(SignerFault::ContentType);
    }
    let signer = signed_data::only_signer(&signed)?;
    let content = match detached {
        Some(octets) => octets,
        None => signed.content.as_deref().ok_or(SignerFault::MissingAttribute("content"))?,
    };
    let certificates = Pool::new().parse(signed.certificates.iter().copied());
    let certificate = signed_data::check(&signed, signer, content, &certificates, Form::Smime)?;
    Ok(Plain { signer: certificate, certificates, signing_time: signer.signing_time()? })
}

/// As [`super::raw`], for RSASSA-PSS with MGF1 over the same digest (RFC 9231 §2.3.9).
pub fn raw_pss(
    certificate: &Certificate,
    digest: DigestAlgorithm,
    octets: &[u8],
    signature: &[u8],
) -> bool {
    if !certificate.is_rsa() || digest.is_weak() {
        return false;
    }
    let verify = || {
        let mut verifier = Verifier::new(message_digest(digest), certificate.key())?;
        verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
        verifier.verify_oneshot(signature, octets)
    };
    verify().unwrap_or(false)
}
