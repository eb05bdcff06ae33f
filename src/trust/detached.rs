//! The provider's own word: octets under its seal, CAdES with a time stamp, beside what they sign. Any
//! program that knows CMS verifies it.

use super::readiness::Unready;
use super::signer::{self, SignError, Signer};
use super::stamp::{StampError, Stamper};
use super::{Clock, Readiness};
use crate::wire::cms::{Prepared, oid};
use crate::wire::{Digest, Timestamp, sha256};
use std::sync::Arc;

/// Seal, stamps, and whether both are good now.
#[derive(Clone)]
pub struct Word {
    pub seal: Arc<dyn Signer>,
    pub stamper: Arc<Stamper>,
    pub readiness: Arc<Readiness>,
    pub clock: Clock,
}

/// A detached signature, and the time of its stamp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    pub signature: Vec<u8>,
    pub stamped_at: Timestamp,
}

/// Later it may work: nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum WordError {
    #[error("not sealed now: {0}")]
    Unready(#[from] Unready),
    #[error("seal: {0}")]
    Seal(#[from] SignError),
    #[error("time stamp: {0}")]
    Stamp(#[from] StampError),
}

impl Word {
    pub async fn give(&self, octets: &[u8]) -> Result<Given, WordError> {
        self.give_over(sha256(octets)).await
    }

    /// The same over octets of which the SHA-256 is known.
    pub async fn give_over(&self, digest: Digest) -> Result<Given, WordError> {
        self.readiness.check()?;
        let now = Some(self.clock.now());
        let prepared = Prepared::new(self.seal.identity(), oid::DATA, digest, now);
        let signature = signer::sign(&self.seal, prepared.to_sign().to_vec()).await?;
        let signed = prepared.signed(signature);
        let token = self.stamper.stamp(signed.to_stamp()).await?;
        self.readiness.accept(&token).await?;
        let signature = signed.detached(Some(&token.der));
        Ok(Given { signature, stamped_at: token.gen_time })
    }
}
