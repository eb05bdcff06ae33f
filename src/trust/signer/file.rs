//! A key from a PEM file, held in memory.

use super::{Credential, SignError, Signer};
use crate::trust::{Certificate, TrustError};
use crate::wire::SignatureAlgorithm;
use crate::wire::cms::Identity;
use openssl::ec::EcKey;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;

pub struct FileSigner {
    key: PKey<Private>,
    /// The same key, when it is of a curve: it signs without looking its algorithm up each time.
    curve: Option<EcKey<Private>>,
    credential: Credential,
}

impl FileSigner {
    /// `pem` is PKCS#8 or the older forms, unencrypted; the first certificate is the key's.
    pub fn from_pem(pem: &[u8], certificates: Vec<Certificate>) -> Result<Self, TrustError> {
        let key = PKey::private_key_from_pem_callback(pem, |_| Ok(0))
            .map_err(|_| TrustError::Key("no unencrypted private key in PEM form".into()))?;
        Self::new(key, certificates)
    }

    pub(in crate::trust) fn new(
        key: PKey<Private>,
        certificates: Vec<Certificate>,
    ) -> Result<Self, TrustError> {
        let curve = key.ec_key().ok();
        let signer = Self { key, curve, credential: Credential::new(certificates)? };
        signer.credential.prove(|message| signer.sign(message))?;
        Ok(signer)
    }

    fn evp_sign(&self, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        if let Some(curve) = &self.curve {
            return EcdsaSig::sign(&sha256(message), curve)?.to_der();
        }
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.key)?;
        signer.sign_oneshot_to_vec(message)
    }
}

impl Signer for FileSigner {
    fn certificate(&self) -> &Certificate {
        &self.credential.certificate
    }

    fn chain(&self) -> &[Certificate] {
        &self.credential.chain
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.credential.algorithm
    }

    fn identity(&self) -> &Identity {
        &self.credential.identity
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.evp_sign(message).map_err(|e| SignError::Key(e.to_string()))
    }
}
