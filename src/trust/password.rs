//! Passwords: Argon2id, with bounded cost. A right one is remembered for some minutes by a keyed
//! hash in memory, since mail programs log in again and again with the same one.

use super::random;
use crate::wire::Timestamp;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
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
    known: Mutex<Marks>,
    wrong: Mutex<Marks>,
}

/// Keyed hashes, and until when each counts.
type Marks = HashMap<[u8; 32], Timestamp>;

/// A verifier for a password, as PHC text.
pub fn hash(secret: &SecretString) -> Result<String, super::TrustError> {
    let salt = random::bytes::<16>();
    let hashed = argon2().hash_password_with_salt(secret.expose_secret().as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|e| super::TrustError::Password(e.to_string()))
}

/// The work on a password was cut short, as when the server stops.
pub fn interrupted() -> super::TrustError {
    super::TrustError::Password("the work was interrupted".into())
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
            wrong: Mutex::default(),
        })
    }

    /// Whether the secret fits; without a verifier, or with one that nothing fits, a decoy is tried, so that
    /// an unknown user costs the same time.
    pub async fn verify(
        &self,
        verifier: Option<&str>,
        secret: &SecretString,
        now: Timestamp,
    ) -> bool {
        let mark = verifier.and_then(|verifier| self.mark(verifier, secret));
        if let Some(mark) = &mark
            && is_marked(&self.known, mark, now)
        {
            return true;
        }
        let (verifier, there) = self.tried(verifier);
        let verifier = verifier.to_owned();
        let secret = secret.clone();
        // The semaphore is never closed; without a permit the verification is still right.
        let permit = self.permits.clone().acquire_owned().await.ok();
        let job = move || {
            let fits = fits(&verifier, &secret);
            // With the job, not with its waiter: who hangs up makes no room for one more.
            drop(permit);
            fits
        };
        let fits = tokio::task::spawn_blocking(job).await.unwrap_or(false) && there;
        if let Some(mark) = mark.filter(|_| fits) {
            remember(&self.known, mark, now, REMEMBERED_SECS);
        }
        fits
    }

    /// What the work is done on, and whether its outcome counts.
    fn tried<'a>(&'a self, verifier: Option<&'a str>) -> (&'a str, bool) {
        match verifier.filter(|verifier| bearable(verifier).is_some()) {
            Some(verifier) => (verifier, true),
            None => (&self.decoy, false),
        }
    }

    /// Whether this secret was wrong for this name of late already; from now on it was.
    pub fn was_wrong(&self, name: &str, secret: &SecretString, now: Timestamp) -> bool {
        let Some(mark) = self.mark(name, secret) else { return false };
        let again = is_marked(&self.wrong, &mark, now);
        remember(&self.wrong, mark, now, WRONG_SECS);
        again
    }

    /// Keyed, so that a dump of memory gives no fast hash of a password away without its key; over what
    /// it is for too: the verifier, so that a changed password is not known, or a name.
    fn mark(&self, owner: &str, secret: &SecretString) -> Option<[u8; 32]> {
        let key = PKey::hmac(&self.key).ok()?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
        signer.update(owner.as_bytes()).ok()?;
        signer.update(&[0]).ok()?;
        signer.update(secret.expose_secret().as_bytes()).ok()?;
        signer.sign_to_vec().ok()?.try_into().ok()
    }
}

fn is_marked(marks: &Mutex<Marks>, mark: &[u8; 32], now: Timestamp) -> bool {
    let marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    marks.get(mark).is_some_and(|until| now < *until)
}

fn remember(marks: &Mutex<Marks>, mark: [u8; 32], now: Timestamp, secs: i64) {
    let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    if marks.len() >= KNOWN {
        marks.retain(|_, until| now < *until);
    }
    if marks.len() < KNOWN || marks.contains_key(&mark) {
        marks.insert(mark, now.plus_secs(secs));
    }
}

/// What is stored may come from elsewhere: only Argon2id, and only at a cost that can be borne.
fn bearable(verifier: &str) -> Option<PasswordHash> {
    let verifier = PasswordHash::new(verifier).ok()?;
    let params = Params::try_from(&verifier).ok()?;
    let bearable = params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES;
    (bearable && verifier.algorithm == argon2::ARGON2ID_IDENT).then_some(verifier)
}

fn fits(verifier: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret().as_bytes();
    let Some(verifier) = bearable(verifier).filter(|_| secret.len() <= MAX_SECRET) else {
        return false;
    };
    argon2().verify_password(secret, &verifier).is_ok()
}

fn argon2() -> Argon2<'static> {
    // OWASP, 2025: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

const REMEMBERED_SECS: i64 = 600;
/// Longer than mail programs wait before they try again.
const WRONG_SECS: i64 = 3_600;
const KNOWN: usize = 20_000;
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
/// Longer ones are no passwords but work for us.
const MAX_SECRET: usize = 1_024;

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

    #[tokio::test]
    async fn what_was_right_is_known_for_a_while_and_only_with_its_verifier() {
        let passwords = Passwords::new(1).unwrap();
        let (one, two) = (SecretString::from("one"), SecretString::from("two"));
        let (first, second) = (hash(&one).unwrap(), hash(&two).unwrap());
        let now = Timestamp::from_secs(1_000);
        assert!(passwords.verify(Some(&first), &one, now).await);
        let known = |verifier: &str, at: Timestamp| {
            is_marked(&passwords.known, &passwords.mark(verifier, &one).unwrap(), at)
        };
        assert!(known(&first, now));
        assert!(!known(&first, now.plus_secs(REMEMBERED_SECS)));
        assert!(!known(&second, now), "a changed password");
    }

    #[test]
    fn the_same_wrong_one_is_known_again_for_its_name_and_for_a_while() {
        let passwords = Passwords::new(1).unwrap();
        let (old, other) = (SecretString::from("eski"), SecretString::from("başka"));
        let was =
            |name, secret, secs| passwords.was_wrong(name, secret, Timestamp::from_secs(secs));
        assert_eq!([was("ali", &old, 0), was("ali", &old, 3_599)], [false, true]);
        assert_eq!([was("ali", &other, 3_600), was("veli", &old, 3_600)], [false, false]);
        assert!(was("ali", &old, 7_198), "each time it is remembered anew");
        assert!(!was("ali", &old, 7_198 + 3_600));
    }

    #[tokio::test]
    async fn verifiers_that_cost_too_much_or_are_none_never_fit() {
        let passwords = Passwords::new(1).unwrap();
        let (secret, now) = (SecretString::from("one"), Timestamp::from_secs(1_000));
        let good = hash(&secret).unwrap();
        for bad in [
            good.replace("m=19456", "m=4194304"),
            good.replace("t=2", "t=1000"),
            good.replace("$argon2id$", "$argon2d$"),
            "plain".to_owned(),
            "-".to_owned(),
            String::new(),
        ] {
            assert!(!passwords.verify(Some(&bad), &secret, now).await, "{bad}");
            // It costs what an unknown name costs.
            assert_eq!(passwords.tried(Some(&bad)), (passwords.decoy.as_str(), false), "{bad}");
        }
        assert_eq!(passwords.tried(Some(&good)), (good.as_str(), true));
        let long = SecretString::from("a".repeat(MAX_SECRET + 1));
        assert!(!passwords.verify(Some(&hash(&long).unwrap()), &long, now).await);
    }

    #[tokio::test]
    async fn who_hangs_up_makes_no_room_for_more_work() {
        let passwords = Passwords::new(1).unwrap();
        let secret = SecretString::from("one");
        let verifier = hash(&secret).unwrap();
        let now = Timestamp::from_secs(1_000);
        let mut waiting = Box::pin(passwords.verify(Some(&verifier), &secret, now));
        std::future::poll_fn(|context| {
            let _ = waiting.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        drop(waiting); // its hash is being worked on, or is done
        assert!(passwords.verify(Some(&verifier), &secret, now).await);
        assert_eq!(passwords.permits.available_permits(), 1);
    }
}
