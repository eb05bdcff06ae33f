//! XML signatures: whether a key made one, and whether one of a few certificates that are believed by
//! name did.

use super::{raw, raw_pss};
use crate::trust::Certificate;
use crate::wire::xades::{Binding, Covered, Hash, Signature, SignatureFault, SignatureMethod};
use crate::wire::xml::Xml;
use crate::wire::{DigestAlgorithm, SignatureAlgorithm};

/// Why a document is not signed by any of those that are believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PinFault {
    #[error("the signature: {0}")]
    Form(#[from] SignatureFault),
    #[error("the signature is too weak: {0}")]
    Weak(String),
    #[error("{0} is not what was signed")]
    Altered(&'static str),
    #[error("the signature names another certificate than it brings")]
    Binding,
    #[error("the signature was not made by the key of {0}")]
    Value(String),
    #[error("{subject} (SHA-256 {fingerprint}) signed it, and is not pinned")]
    NotPinned { subject: String, fingerprint: String },
    #[error("the signature brings no certificate, and none that is pinned made it")]
    Nobody,
}

/// Whether the certificate's key made the signature over its SignedInfo.
pub fn xml_value(signer: &Certificate, signature: &Signature) -> bool {
    let (octets, value) = (&signature.signed_octets, &signature.value);
    let verify = |rsa, hash| {
        let algorithm = SignatureAlgorithm::of(rsa, digest_algorithm(hash));
        algorithm.is_some_and(|algorithm| raw(signer, algorithm, octets, value))
    };
    match signature.method {
        SignatureMethod::Rsa(hash) => verify(true, hash),
        SignatureMethod::Ecdsa(hash) => verify(false, hash),
        SignatureMethod::RsaPss(hash) => raw_pss(signer, digest_algorithm(hash), octets, value),
    }
}

/// The one of `pinned` that signed the whole document (enveloped, XAdES or plain). When is the
/// caller's question.
pub fn pinned(xml: &Xml, pinned: &[Certificate]) -> Result<Certificate, PinFault> {
    let at_hand: Vec<&[u8]> = pinned.iter().map(Certificate::der).collect();
    let signature = Signature::read_beside(xml, &at_hand)?;
    let weak = signature.weak();
    if !weak.is_empty() {
        return Err(PinFault::Weak(weak.join(", ")));
    }
    if let Some(altered) = signature.references.iter().find(|reference| !reference.holds()) {
        return Err(PinFault::Altered(match altered.covers {
            Covered::Document => "the document",
            Covered::SignedProperties => "what the signer said of the signature",
            Covered::KeyInfo => "the signer's certificate",
        }));
    }
    let brought = signature.certificates.first().and_then(|der| Certificate::from_der(der).ok());
    let signer = match signature.binding {
        Binding::Bound(_) => brought.ok_or(PinFault::Nobody)?,
        // Where the signature names nobody, whoever's key made it is meant (XML Signature §4.5.4).
        Binding::Absent => {
            let made = pinned.iter().find(|one| xml_value(one, &signature));
            made.cloned().or(brought).ok_or(PinFault::Nobody)?
        }
        Binding::NotAtHand => return Err(PinFault::Nobody),
        Binding::Weak | Binding::DigestDiffers | Binding::IssuerSerialDiffers => {
            return Err(PinFault::Binding);
        }
    };
    let subject = signer.subject().to_owned();
    if !xml_value(&signer, &signature) {
        return Err(PinFault::Value(subject));
    }
    match pinned.contains(&signer) {
        true => Ok(signer),
        false => Err(PinFault::NotPinned { subject, fingerprint: signer.digest().hex() }),
    }
}

fn digest_algorithm(hash: Hash) -> DigestAlgorithm {
    match hash {
        Hash::Sha1 => DigestAlgorithm::Sha1,
        Hash::Sha256 => DigestAlgorithm::Sha256,
        Hash::Sha384 => DigestAlgorithm::Sha384,
        Hash::Sha512 => DigestAlgorithm::Sha512,
    }
}
