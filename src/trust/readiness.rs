//! Whether what we would seal now would prove anything: the seal's certificate in force and not taken
//! back, our clock near the time-stamp authority's, the authority's own certificate not taken back.
//! While it would not, evidence waits; without a seal in force or with a wrong clock nothing new is
//! accepted either.

use super::collector::{Collector, Known};
use super::revocation::RevocationFault;
use super::stamp::{StampError, Stamper};
use super::token::Token;
use super::{Clock, Path, PathFault};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub struct Readiness {
    /// From the seal's certificate up to its anchor.
    seal: Path,
    stamper: Arc<Stamper>,
    collector: Option<Arc<Collector>>,
    clock: Clock,
}

/// Why nothing is sealed now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unready {
    #[error("the seal's certificate: {0}")]
    Seal(#[from] PathFault),
    #[error("{0}")]
    Revoked(#[from] RevocationFault),
    #[error("our clock and the time-stamp authority's are {millis} ms apart")]
    Clock { millis: i64 },
}

impl Readiness {
    /// Without a collector nothing is known of revocation.
    pub fn new(
        seal: Path,
        stamper: Arc<Stamper>,
        collector: Option<Arc<Collector>>,
        clock: Clock,
    ) -> Self {
        if let Some(collector) = &collector {
            collector.watch(&seal);
        }
        Self { seal, stamper, collector, clock }
    }

    /// A seal made now would be good, as far as is known. Costs a few comparisons.
    pub fn check(&self) -> Result<(), Unready> {
        let now = self.clock.now();
        self.seal.check_at(now)?;
        if let Some(collector) = &self.collector {
            collector.known().check(&self.seal, now)?;
        }
        match self.stamper.drifted() {
            Some(millis) => Err(Unready::Clock { millis }),
            None => Ok(()),
        }
    }

    /// The token's authority was not taken back, as far as is known; what is known of all our
    /// certificates. The first token of an authority waits a moment for an answer about it.
    pub async fn accept(&self, token: &Token) -> Result<Arc<Known>, Unready> {
        let Some(collector) = &self.collector else { return Ok(Arc::default()) };
        if collector.watch(&token.path) {
            // Silence is a gap in the material, and no reason to wait longer.
            let _ = tokio::time::timeout(FIRST_ANSWER, collector.round()).await;
        }
        let (known, now) = (collector.known(), self.clock.now());
        known.check(&token.path, now)?;
        // It may have become known while the stamp was asked for.
        known.check(&self.seal, now)?;
        Ok(known)
    }

    /// What is said now of a path that something was signed by before; nothing where nobody answers.
    pub async fn ask(&self, path: &Path) -> Known {
        match &self.collector {
            Some(collector) => collector.about(path).await,
            None => Known::default(),
        }
    }

    /// Asks for a time stamp to see how far the clocks are apart, and who stamps.
    pub async fn probe(&self) {
        let probed = match self.stamper.stamp(PROBE).await {
            Ok(token) => self.accept(&token).await.map(drop).map_err(|unready| unready.to_string()),
            Err(StampError::ClockDrift { millis }) => Err(Unready::Clock { millis }.to_string()),
            // Evidence waits, and says so itself.
            Err(error) => return tracing::warn!(%error, "the time-stamp authority"),
        };
        if let Err(error) = probed.and_then(|()| self.check().map_err(|e| e.to_string())) {
            tracing::error!(error, "nothing is sealed");
        }
    }

    /// Looks at the clock whenever nothing was stamped for so long, until `stop`; sooner when it was
    /// wrong, since nothing else finds out that it is right again.
    pub async fn run(self: Arc<Self>, every: Duration, mut stop: watch::Receiver<bool>) {
        let again = AGAIN.min(every);
        loop {
            let every = if self.stamper.drifted().is_some() { again } else { every };
            let mut pause = every.saturating_sub(self.stamper.unseen());
            if pause.is_zero() {
                self.probe().await;
                pause = again;
            }
            tokio::select! {
                // Short, however long there is nothing to ask: a stamp may find the clock wrong.
                () = tokio::time::sleep(pause.min(again)) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

const PROBE: &[u8] = b"kep: what time is it?";
/// An authority that was silent, or a clock that was wrong, is looked at again after this long.
const AGAIN: Duration = Duration::from_secs(60);
/// An authority at hand answers in milliseconds.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
