//! Collects what the authorities say of the certificates that we seal and stamp with: asked beside
//! the work, so that no evidence waits for it, and kept with each evidence, since it can't be had later.

use super::revocation::{Material, Revocation, RevocationFault};
use super::{Clock, Path};
use crate::wire::Digest;
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

pub struct Collector {
    revocation: Revocation,
    clock: Clock,
    /// By the digest of their first certificate.
    paths: Mutex<Vec<(Digest, Path)>>,
    known: ArcSwap<Material>,
    more: Notify,
}

impl Collector {
    pub fn new(revocation: Revocation, clock: Clock) -> Self {
        let (paths, known) = (Mutex::default(), ArcSwap::default());
        Self { revocation, clock, paths, known, more: Notify::new() }
    }

    /// From now on asks about this one, too; a path that it knows costs a glance.
    pub fn watch(&self, path: &Path) {
        let Some(digest) = path.certificate().map(super::Certificate::digest) else { return };
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if paths.len() < MAX_PATHS && paths.iter().all(|(known, _)| *known != digest) {
            paths.push((digest, path.clone()));
            self.more.notify_one();
        }
    }

    /// What was said lately.
    pub fn known(&self) -> Arc<Material> {
        self.known.load_full()
    }

    /// Asks about all of them, once. Says whether everything was answered.
    pub async fn round(&self) -> bool {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut all = Material::default();
        for (_, path) in paths {
            let (material, faults) = self.revocation.collect(&path, self.clock.now()).await;
            all.merge(&material);
            for fault in faults {
                match fault {
                    RevocationFault::Revoked { .. } => tracing::error!(%fault, "own certificate"),
                    RevocationFault::Unknown { .. } => tracing::warn!(%fault, "own certificate"),
                }
            }
        }
        let whole = all.unknown.is_empty();
        self.known.store(Arc::new(all));
        whole
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

/// A silent authority is asked again after this long.
const AGAIN: Duration = Duration::from_secs(60);
/// A seal, its successor, a few units of a time-stamp service.
const MAX_PATHS: usize = 32;

#[cfg(test)]
mod tests;
