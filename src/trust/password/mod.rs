//! Passwords: Argon2id, bounded in number and cost, and a short memory of what was right, so that
//! a mail program that connects again and again does not cost a hash each time.

use super::cache::Cache;
use super::random;
use crate::wire::digest::sha256_of;
use crate::wire::{Digest, Timestamp};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub struct Passwords {
    /// As many at once as there are cores: each takes 19 MiB and a core.
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    right: Cache<Digest, ()>,
    key: Zeroizing<[u8; 32]>,
    nobody: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are being checked; the peer may try again.
    #[error("too many passwords are being checked")]
    Busy,
    #[error("the stored password is of no form that is known, or too costly to check")]
    Stored,
    #[error("longer than {MAX_PASSWORD} octets")]
    TooLong,
    #[error("hashing failed")]
    Failed,
}

impl Passwords {
    /// `parallel`: how many are checked at once.
    pub fn new(parallel: usize) -> Result<Self, PasswordError> {
        Ok(Self {
            running: Arc::new(Semaphore::new(parallel.max(1))),
            waiting: AtomicUsize::new(0),
            right: Cache::new(REMEMBERED),
            key: Zeroizing::new(random::bytes()),
            nobody: hash(&random::bytes::<16>())?,
        })
    }

    /// The form that is stored (PHC string); salted anew each time.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        check_length(password)?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.run(move || hash(&password)).await?
    }

    /// Whether the password is the stored one. What was right a short time ago is right at once;
    /// a changed password has another stored form, so nothing needs to be forgotten.
    pub async fn verify(
        &self,
        password: &str,
        stored: &str,
        now: Timestamp,
    ) -> Result<bool, PasswordError> {
        check_length(password)?;
        let remembered = self.remembered(password, stored);
        if self.right.get(&remembered, now).is_some() {
            return Ok(true);
        }
        let (octets, form) = (Zeroizing::new(password.as_bytes().to_vec()), stored.to_owned());
        let right = self.run(move || verify(&octets, &form)).await??;
        if right {
            self.right.put(remembered, (), now.plus_secs(REMEMBER_SECS));
        }
        Ok(right)
    }

    /// Takes as long as for an account that exists, and says no.
    pub async fn verify_nobody(&self, password: &str) -> Result<bool, PasswordError> {
        check_length(password)?;
        let (octets, form) = (Zeroizing::new(password.as_bytes().to_vec()), self.nobody.clone());
        self.run(move || verify(&octets, &form)).await??;
        Ok(false)
    }

    /// Forgets what was right, as when an account is closed.
    pub fn forget(&self) {
        self.right.clear();
    }

    /// The key is random per process: from memory alone nobody can try passwords later.
    fn remembered(&self, password: &str, stored: &str) -> Digest {
        let length = (stored.len() as u64).to_be_bytes();
        sha256_of([self.key.as_slice(), &length, stored.as_bytes(), password.as_bytes()])
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Waiting::enter(&self.waiting)?;
        let permit = self.running.clone().acquire_owned().await;
        let permit = permit.map_err(|_| PasswordError::Failed)?;
        drop(place);
        // the permit goes along: a peer that hangs up does not make room for more work
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Failed)
    }
}

/// A place in the queue, given back however the wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Result<Self, PasswordError> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            Ok(place)
        } else {
            Err(PasswordError::Busy) // the place is given back here, too
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn check_length(password: &str) -> Result<(), PasswordError> {
    if password.len() > MAX_PASSWORD { Err(PasswordError::TooLong) } else { Ok(()) }
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hashed = argon2.hash_password_with_salt(password, &random::bytes::<16>());
    hashed.map(|hashed| hashed.to_string()).map_err(|_| PasswordError::Failed)
}

fn verify(password: &[u8], stored: &str) -> Result<bool, PasswordError> {
    if !stored.starts_with("$argon2id$") {
        return Err(PasswordError::Stored);
    }
    let stored = PasswordHash::new(stored).map_err(|_| PasswordError::Stored)?;
    let params = Params::try_from(&stored).map_err(|_| PasswordError::Stored)?;
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES {
        return Err(PasswordError::Stored);
    }
    match Argon2::default().verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Stored),
    }
}

// RFC 9106 §4 leaves the choice to the machine; these are OWASP's least for Argon2id (2024): about
// 20 ms on one core, and a server with few cores still checks some hundred logins a second.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Rows from elsewhere may ask for more, not for anything.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_PASSWORD: usize = 1_024;
/// A second or two of work; beyond that, waiting peers give up anyway.
const MAX_WAITING: usize = 256;
const REMEMBER_SECS: i64 = 300;
const REMEMBERED: usize = 65_536;

#[cfg(test)]
mod tests;
