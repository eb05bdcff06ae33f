//! Signs with a key that stays where it is: in a file's memory or in a PKCS#11 token.

mod file;
mod pkcs11;
mod request;

pub use file::FileSigner;
pub use pkcs11::{KeyChoice, Pkcs11Signer, Token, TokenChoice};
pub(super) use request::pem;

use super::error::read_file;
use super::{Certificate, TrustError};
use crate::wire::SignatureAlgorithm;
use crate::wire::cms::Identity;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;

/// One key and its certificate.
pub trait Signer: Send + Sync {
    fn certificate(&self) -> &Certificate;
    /// The issuing authorities that are sent along, without the anchor's need to be there.
    fn chain(&self) -> &[Certificate];
    fn algorithm(&self) -> SignatureAlgorithm;
    /// What CMS signatures of this key have in common.
    fn identity(&self) -> &Identity;
    /// Hashes with SHA-256 and signs: PKCS#1 v1.5, or ECDSA as DER. May block (tokens do).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
    /// Whether signing waits for a device.
    fn waits(&self) -> bool {
        false
    }
}

/// Signs without holding up the runtime: a device is waited for on a thread of its own.
pub async fn sign(signer: &Arc<dyn Signer>, message: Vec<u8>) -> Result<Vec<u8>, SignError> {
    if !signer.waits() {
        return signer.sign(&message);
    }
    let signer = signer.clone();
    let signing = tokio::task::spawn_blocking(move || signer.sign(&message));
    signing.await.map_err(|e| SignError::Token(e.to_string()))?
}

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the key refused: {0}")]
    Key(String),
    /// May work again later: the token was taken out, or its driver failed.
    #[error("the token does not answer: {0}")]
    Token(String),
    /// Each further try would bring the token nearer to locking itself.
    #[error("the token refused the PIN; it is not tried again before a restart")]
    Pin,
}

/// Where a key is, as the configuration names it.
#[derive(Clone, Debug)]
pub enum SignerSource {
    /// PEM files; the certificate's file may hold its chain too.
    File { key: PathBuf, certificate: PathBuf },
    Pkcs11 {
        module: PathBuf,
        token: TokenChoice,
        pin: SecretString,
        key: KeyChoice,
        /// Absent: the token holds it under the key's name.
        certificate: Option<PathBuf>,
    },
}

/// Opens the key and proves that it belongs to its certificate.
pub fn open(source: &SignerSource) -> Result<Arc<dyn Signer>, TrustError> {
    match source {
        SignerSource::File { key, certificate } => {
            let certificates = Certificate::from_pem(&read_file(certificate)?)
                .map_err(|e| TrustError::content(certificate, e))?;
            let key_octets = read_file(key)?;
            let signer = FileSigner::from_pem(&key_octets, certificates)
                .map_err(|e| TrustError::content(key, e))?;
            Ok(Arc::new(signer))
        }
        SignerSource::Pkcs11 { module, token, pin, key, certificate } => {
            let token = Token::open(module, token, pin.clone())?;
            let certificates = match certificate {
                Some(path) => Certificate::from_pem(&read_file(path)?)
                    .map_err(|e| TrustError::content(path, e))?,
                None => vec![token.certificate(key)?],
            };
            Ok(Arc::new(Pkcs11Signer::new(token, key, certificates)?))
        }
    }
}

/// Certificate, chain, algorithm and CMS identity: what both kinds of signer keep.
struct Credential {
    certificate: Certificate,
    chain: Vec<Certificate>,
    algorithm: SignatureAlgorithm,
    identity: Identity,
}

impl Credential {
    fn new(certificates: Vec<Certificate>) -> Result<Self, TrustError> {
        let mut certificates = certificates.into_iter();
        let certificate =
            certificates.next().ok_or(TrustError::Certificate("none is there".into()))?;
        let chain: Vec<Certificate> = certificates.collect();
        let algorithm = algorithm(&certificate)?;
        let sent = chain.iter().map(Certificate::der);
        let identity = Identity::new(certificate.der(), sent, algorithm)
            .map_err(|e| TrustError::Certificate(e.to_string()))?;
        Ok(Self { certificate, chain, algorithm, identity })
    }

    /// A key that signs for another certificate would make evidence nobody can verify.
    fn prove(&self, sign: impl Fn(&[u8]) -> Result<Vec<u8>, SignError>) -> Result<(), TrustError> {
        let signature = sign(PROBE)?;
        let verified = super::verify_octets(&self.certificate, self.algorithm, PROBE, &signature);
        if verified {
            Ok(())
        } else {
            Err(TrustError::KeyMismatch(self.certificate.subject().to_owned()))
        }
    }
}

/// RSA from 2048 bits, P-256 and P-384; always with SHA-256.
fn algorithm(certificate: &Certificate) -> Result<SignatureAlgorithm, TrustError> {
    let key = certificate.key();
    match (certificate.is_rsa(), key.bits()) {
        (true, 2048..) => Ok(SignatureAlgorithm::RsaSha256),
        (true, bits) => Err(TrustError::Key(format!("RSA with {bits} bits; 2048 are the least"))),
        (false, 256 | 384) if key.id() == openssl::pkey::Id::EC => {
            Ok(SignatureAlgorithm::EcdsaSha256)
        }
        _ => Err(TrustError::Key("neither RSA nor P-256 nor P-384".into())),
    }
}

const PROBE: &[u8] = b"kep: does this key belong to this certificate?";

#[cfg(test)]
mod tests;
