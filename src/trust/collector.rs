//! Collects what the authorities say of the certificates that we seal and stamp with: asked beside
//! the work, so that no evidence waits for it, and kept with each evidence, since it can't be had later.
//! What was said once stays known while an authority is silent.

use super::revocation::{Heard, Piece, Proof, Revocation, RevocationFault};
use super::{Certificate, Clock, Path};
use crate::wire::{Digest, Timestamp};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

pub struct Collector {
    revocation: Revocation,
    clock: Clock,
    /// By the digest of their first certificate.
    paths: Mutex<Vec<(Digest, Path)>>,
    known: ArcSwap<Known>,
    /// One round at a time, so that an older one never has the last word.
    asking: tokio::sync::Mutex<()>,
    more: Notify,
}

/// The last that was said of each certificate.
#[derive(Clone, Default, Debug)]
pub struct Known {
    /// Of all paths, anchors too.
    pub certificates: Vec<Certificate>,
    heard: HashMap<Digest, Heard>,
}

impl Collector {
    pub fn new(revocation: Revocation, clock: Clock) -> Self {
        let (paths, known) = (Mutex::default(), ArcSwap::default());
        let (asking, more) = (tokio::sync::Mutex::default(), Notify::new());
        Self { revocation, clock, paths, known, asking, more }
    }

    /// From now on asks about this one, too; a path that it knows costs a glance. Says whether it
    /// was new.
    pub fn watch(&self, path: &Path) -> bool {
        let Some(digest) = path.certificate().map(Certificate::digest) else { return false };
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let new = paths.len() < MAX_PATHS && paths.iter().all(|(known, _)| *known != digest);
        if new {
            paths.push((digest, path.clone()));
            self.more.notify_one();
        }
        new
    }

    /// What was said lately.
    pub fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Asks about all of them, once. Says whether everything was answered.
    pub async fn round(&self) -> bool {
        let _alone = self.asking.lock().await;
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut known = Known::default();
        let mut whole = true;
        for (_, path) in paths {
            for pair in path.certificates().windows(2) {
                let [certificate, issuer] = pair else { continue };
                whole &= self.ask(certificate, issuer, &mut known).await;
                // Whoever does not wait for the rest has this.
                self.known.store(Arc::new(self.known.load().with(&known)));
            }
            path.certificates().iter().for_each(|certificate| known.add(certificate));
        }
        self.known.store(Arc::new(known));
        whole
    }

    /// Asks about a path that is not ours to watch, this once.
    pub async fn about(&self, path: &Path) -> Known {
        let mut known = Known::default();
        for pair in path.certificates().windows(2) {
            let [certificate, issuer] = pair else { continue };
            self.ask(certificate, issuer, &mut known).await;
        }
        known
    }

    /// Asks about one; what was said before stays where nobody answers.
    async fn ask(&self, certificate: &Certificate, issuer: &Certificate, to: &mut Known) -> bool {
        let digest = certificate.digest();
        if to.heard.contains_key(&digest) {
            return true;
        }
        let subject = || certificate.subject().to_owned();
        let answer = self.revocation.ask(certificate, issuer, self.clock.now()).await;
        let (heard, answered) = match answer {
            Ok(heard) => (Some(heard), true),
            Err(why) => {
                let fault = RevocationFault::Unknown { subject: subject(), why };
                tracing::warn!(%fault, "own certificate");
                (self.known.load().heard.get(&digest).cloned(), false)
            }
        };
        if let Some(heard) = heard {
            if let Some(at) = heard.revoked() {
                let fault = RevocationFault::Revoked { subject: subject(), at };
                tracing::error!(%fault, "own certificate");
            }
            to.heard.insert(digest, heard);
        }
        answered
    }

    /// Asks again and again, until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let pause = if self.round().await { self.revocation.refresh() } else { AGAIN };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.more.notified() => {}
                _ = stop.changed() => return,
            }
        }
    }
}

impl Known {
    /// With what was heard since.
    fn with(&self, newer: &Self) -> Self {
        let mut all = self.clone();
        newer.certificates.iter().for_each(|certificate| all.add(certificate));
        all.heard.extend(newer.heard.iter().map(|(digest, heard)| (*digest, heard.clone())));
        all
    }

    fn add(&mut self, certificate: &Certificate) {
        if self.certificates.iter().all(|known| known.digest() != certificate.digest()) {
            self.certificates.push(certificate.clone());
        }
    }

    /// Lists that were the last word on a certificate.
    pub fn crls(&self) -> impl Iterator<Item = &Piece> {
        self.heard.values().filter_map(|heard| match heard.proof() {
            Proof::List(list) => Some(list),
            Proof::Answer(_) => None,
        })
    }

    /// Whole OCSPResponses that were.
    pub fn answers(&self) -> impl Iterator<Item = &Piece> {
        self.heard.values().filter_map(|heard| match heard.proof() {
            Proof::Answer(answer) => Some(answer),
            Proof::List(_) => None,
        })
    }

    /// Whether no certificate of the path is known to be taken back by then.
    pub fn check(&self, path: &Path, now: Timestamp) -> Result<(), RevocationFault> {
        for certificate in path.certificates() {
            let heard = self.heard.get(&certificate.digest());
            if let Some(at) = heard.and_then(Heard::revoked).filter(|at| *at <= now) {
                let subject = certificate.subject().to_owned();
                return Err(RevocationFault::Revoked { subject, at });
            }
        }
        Ok(())
    }
}

/// A silent authority is asked again after this long.
const AGAIN: Duration = Duration::from_secs(60);
/// A seal, its successor, a few units of a time-stamp service.
const MAX_PATHS: usize = 32;

#[cfg(test)]
mod tests;
