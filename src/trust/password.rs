//! Passwords: Argon2id, with bounded cost. A right one is remembered for some minutes by a keyed
//! hash in memory, since mail programs log in again and again with the same one.

use super::random;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use crate::wire::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Verifies passwords, a few at a time.
pub struct Passwords {
    permits: Arc<Semaphore>,
    decoy: String,
    key: [u8; 32],
    known: Mutex<HashMap<[u8; 32], Timestamp>>,
}

/// A verifier for a password, as PHC text.
pub fn hash(secret: &SecretString) -> Result<String, super::TrustError> {
    let salt = random::bytes::<16>();
    let hashed = argon2().hash_password_with_salt(secret.expose_secret().as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|e| super::TrustError::Password(e.to_string()))
}

impl Passwords {
    /// `parallel` verifications at once: each takes 19 MiB and some 20 ms of a core.
    pub fn new(parallel: usize) -> Result<Self, super::TrustError> {
        let decoy = hash(&SecretString::from(super::random::password(4)))?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(parallel.max(1))),
            decoy,
            key: random::bytes(),
            known: Mutex::default(),
        })
    }

    /// Whether the secret fits; without a verifier a decoy is tried, so that an unknown user costs
    /// the same time.
    pub async fn verify(
        &self,
        verifier: Option<&str>,
        secret: &SecretString,
        now: Timestamp,
    ) -> bool {
        let mark = verifier.and_then(|verifier| self.mark(verifier, secret));
        if let Some(mark) = &mark
            && self.is_known(mark, now)
        {
            return true;
        }
        let there = verifier.is_some();
        let verifier = verifier.unwrap_or(&self.decoy).to_owned();
        let secret = secret.clone();
        // The semaphore is never closed; without a permit the verification is still right.
        let _permit = self.permits.acquire().await.ok();
        let fits = tokio::task::spawn_blocking(move || fits(&verifier, &secret)).await;
        let fits = fits.unwrap_or(false) && there;
        if let Some(mark) = mark.filter(|_| fits) {
            self.remember(mark, now);
        }
        fits
    }

    /// Keyed, so that a dump of memory gives no fast hash of a password away without its key; over
    /// the verifier too, so that a changed password is not known.
    fn mark(&self, verifier: &str, secret: &SecretString) -> Option<[u8; 32]> {
        let key = PKey::hmac(&self.key).ok()?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
        signer.update(verifier.as_bytes()).ok()?;
        signer.update(&[0]).ok()?;
        signer.update(secret.expose_secret().as_bytes()).ok()?;
        signer.sign_to_vec().ok()?.try_into().ok()
    }

    fn is_known(&self, mark: &[u8; 32], now: Timestamp) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(mark).is_some_and(|until| now < *until)
    }

    fn remember(&self, mark: [u8; 32], now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.retain(|_, until| now < *until);
        }
        if known.len() < KNOWN {
            known.insert(mark, now.plus_secs(REMEMBERED_SECS));
        }
    }
}

fn fits(verifier: &str, secret: &SecretString) -> bool {
    let Ok(verifier) = PasswordHash::new(verifier) else { return false };
    argon2().verify_password(secret.expose_secret().as_bytes(), &verifier).is_ok()
}

fn argon2() -> Argon2<'static> {
    // OWASP, 2025: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

const REMEMBERED_SECS: i64 = 600;
const KNOWN: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_verifier_only() {
        let passwords = Passwords::new(2).unwrap();
        let (right, wrong) = (SecretString::from("doğru at"), SecretString::from("yanlış"));
        let verifier = hash(&right).unwrap();
        assert!(verifier.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let now = Timestamp::from_secs(1_000);
        assert!(passwords.verify(Some(&verifier), &right, now).await);
        assert!(passwords.verify(Some(&verifier), &right, now).await);
        assert!(!passwords.verify(Some(&verifier), &wrong, now).await);
        assert!(!passwords.verify(None, &right, now).await);
        let other = hash(&wrong).unwrap();
        assert!(!passwords.verify(Some(&other), &right, now).await);
    }
}
