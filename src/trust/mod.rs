//! Keys, certificates, time, signatures: the only room that knows cryptography.
//! No private key leaves it; what can be revoked, expire or be forged is judged here, by name.

mod cache;
pub mod certificate;
pub mod clock;
pub mod collector;
pub mod detached;
pub mod dial;
pub mod dns;
pub mod envelope;
mod error;
pub mod one_time;
pub mod passkey;
pub mod password;
pub mod path;
pub mod pki;
pub mod random;
pub mod readiness;
pub mod revocation;
pub mod scram;
pub mod secret;
pub mod serve;
mod signed_data;
pub mod signer;
pub mod stamp;
pub mod tls;
pub mod token;
pub mod totp;
pub mod tsa;
pub mod user_signature;
pub mod user_signer;
pub mod vault;
pub mod verify;

pub use certificate::Certificate;
pub use clock::Clock;
pub use collector::Collector;
pub use error::TrustError;
pub use path::{Anchors, Path, PathFault, Role};
pub use readiness::{Readiness, Unready};
pub use revocation::{
    Lists, Material, OnUnknown, Past, Revocation, RevocationFault, RevocationSettings, Status,
};
pub use signed_data::SignerFault;
pub use signer::{SignError, Signer, SignerSource};
pub use stamp::{StampError, StampSettings, StampSource, Stamper};
pub use token::{Token, TokenFault, TokenVerifier};
pub use user_signature::{FaultReason, SignatureFault, UserSigned, UserTrust};
pub use user_signer::UserSigner;
pub use verify::{SealFault, SealVerifier, Sealed};

#[cfg(test)]
pub(crate) mod testing;

use crate::wire::{DigestAlgorithm, SignatureAlgorithm};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::sign::Verifier;

/// Whether `signature` over `octets` is by the certificate's key; an error is a no.
pub(crate) fn verify_octets(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    octets: &[u8],
    signature: &[u8],
) -> bool {
    if algorithm.is_rsa() != certificate.is_rsa() {
        return false;
    }
    let verify = || -> Result<bool, ErrorStack> {
        match (certificate.curve(), algorithm.digest()) {
            (Some(curve), DigestAlgorithm::Sha256) => {
                let parsed = EcdsaSig::from_der(signature)?;
                // As openssl's own way does: a signature has one form, and nothing behind it.
                Ok(parsed.to_der()? == signature && parsed.verify(&sha256(octets), curve)?)
            }
            (_, digest) => {
                let mut verifier = Verifier::new(message_digest(digest), certificate.key())?;
                verifier.verify_oneshot(signature, octets)
            }
        }
    };
    verify().unwrap_or(false)
}

pub(crate) fn message_digest(algorithm: DigestAlgorithm) -> MessageDigest {
    match algorithm {
        DigestAlgorithm::Md5 => MessageDigest::md5(),
        DigestAlgorithm::Sha1 => MessageDigest::sha1(),
        DigestAlgorithm::Sha256 => MessageDigest::sha256(),
        DigestAlgorithm::Sha384 => MessageDigest::sha384(),
        DigestAlgorithm::Sha512 => MessageDigest::sha512(),
    }
}
