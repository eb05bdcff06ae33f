//! Asks a time-stamp authority (RFC 3161), and believes a reply only after every check.

use super::dial::{Dial, DialError};
use super::token::{Asked, Token, TokenFault, TokenVerifier};
use super::tsa::Authority;
use super::{Clock, TrustError, random};
use crate::wire::tsp::{Failure, Imprint, Reply, Request, Status, TspError};
use crate::wire::{Timestamp, sha256};
use ::der::asn1::ObjectIdentifier as Oid;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Where time stamps come from.
pub enum StampSource {
    Http {
        url: String,
    },
    /// In this process, without a socket, and the clock that it goes by: development and tests.
    Embedded(Arc<Authority>, Clock),
}

#[derive(Clone, Debug)]
pub struct StampSettings {
    pub timeout: Duration,
    /// Requests under way at once; more wait.
    pub parallel: usize,
    /// Farther than this our clock and the authority's may not be apart.
    pub drift: Duration,
    /// Dotted; tokens under another policy are refused.
    pub policy: Option<String>,
}

pub struct Stamper {
    source: StampSource,
    dial: Dial,
    verifier: TokenVerifier,
    clock: Clock,
    permits: Semaphore,
    drift_millis: i64,
    policy: Option<Oid>,
    drift: AtomicI64,
    too_far: AtomicBool,
    answered: AtomicI64,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StampError {
    /// Later it may work: evidence waits, nothing is lost.
    #[error("the time-stamp authority is not reachable: {0}")]
    Outage(#[from] DialError),
    #[error("the time-stamp authority rejects: {status:?} {failure:?} {text}")]
    Rejected { status: Status, failure: Option<Failure>, text: String },
    #[error("the time-stamp authority's reply is wrong: {0}")]
    WrongReply(#[from] TokenFault),
    #[error("our clock and the time-stamp authority's are {millis} ms apart")]
    ClockDrift { millis: i64 },
}

impl Default for StampSettings {
    fn default() -> Self {
        let (timeout, drift) = (Duration::from_secs(10), Duration::from_secs(60));
        Self { timeout, parallel: 32, drift, policy: None }
    }
}

impl Stamper {
    pub fn new(
        source: StampSource,
        verifier: TokenVerifier,
        clock: Clock,
        settings: &StampSettings,
    ) -> Result<Self, TrustError> {
        let policy = settings.policy.as_deref().map(|text| {
            Oid::new(text)
                .map_err(|_| TrustError::Setting(format!("{text} is no object identifier")))
        });
        Ok(Self {
            source,
            dial: Dial::new(settings.timeout)?,
            verifier,
            clock,
            permits: Semaphore::new(settings.parallel.max(1)),
            drift_millis: i64::try_from(settings.drift.as_millis()).unwrap_or(i64::MAX),
            policy: policy.transpose()?,
            drift: AtomicI64::new(0),
            too_far: AtomicBool::new(false),
            answered: AtomicI64::new(i64::MIN),
        })
    }

    /// How far our clock was from the authority's when it last answered, when that was too far.
    pub fn drifted(&self) -> Option<i64> {
        self.too_far.load(Ordering::Relaxed).then(|| self.drift_millis())
    }

    /// How long ago, by our clock, the authority's clock was last looked at; for ever, when ours was
    /// put back since.
    pub fn unseen(&self) -> Duration {
        let last = self.answered.load(Ordering::Relaxed);
        let millis = self.clock.now().millis().saturating_sub(last);
        u64::try_from(millis).map_or(Duration::MAX, Duration::from_millis)
    }

    /// How far our clock was from the authority's when it last answered (0: within the time that
    /// the answer took).
    pub fn drift_millis(&self) -> i64 {
        self.drift.load(Ordering::Relaxed)
    }

    pub fn verifier(&self) -> &TokenVerifier {
        &self.verifier
    }

    /// A verified token over the SHA-256 of `octets`.
    pub async fn stamp(&self, octets: &[u8]) -> Result<Token, StampError> {
        let nonce = nonce();
        let request = Request {
            imprint: Imprint::sha256(sha256(octets)),
            policy: self.policy,
            nonce: Some(nonce.clone()),
            certificate_wanted: true,
            extended: false,
        };
        let before = self.clock.now();
        let reply = self.ask(request.write()).await?;
        let token = granted(&reply)?;
        let algorithm = Some(request.imprint.algorithm);
        let asked = Asked { algorithm, nonce: Some(nonce), policy: self.policy };
        let token = self.verifier.verify_asked(&token, octets, &asked)?;
        self.check_clock(&token, before, self.clock.now())?;
        Ok(token)
    }

    async fn ask(&self, query: Vec<u8>) -> Result<Vec<u8>, StampError> {
        match &self.source {
            StampSource::Embedded(authority, clock) => Ok(authority.respond(&query, clock.now())),
            StampSource::Http { url } => {
                // the semaphore is never closed; without a permit the request would still be right
                let _permit = self.permits.acquire().await.ok();
                let kind = "application/timestamp-query";
                Ok(self.dial.post(url, kind, query, MAX_REPLY).await?)
            }
        }
    }

    /// genTime lies between asking and having the answer, give or take the bound.
    fn check_clock(
        &self,
        token: &Token,
        before: Timestamp,
        after: Timestamp,
    ) -> Result<(), StampError> {
        let early = before.millis() - token.gen_time.millis();
        let late = token.gen_time.millis() - after.millis();
        let millis = early.max(late);
        self.drift.store(millis.max(0), Ordering::Relaxed);
        let bound = self.drift_millis.saturating_add(token.accuracy_millis.min(MAX_ACCURACY));
        self.answered.store(after.millis(), Ordering::Relaxed);
        let too_far = millis > bound;
        self.too_far.store(too_far, Ordering::Relaxed);
        if too_far { Err(StampError::ClockDrift { millis }) } else { Ok(()) }
    }
}

fn granted(reply: &[u8]) -> Result<Vec<u8>, StampError> {
    let reply = Reply::parse(reply).map_err(TokenFault::from)?;
    match (reply.status, reply.token) {
        (Status::Granted | Status::GrantedWithMods, Some(token)) => Ok(token),
        (Status::Granted | Status::GrantedWithMods, None) => {
            Err(TokenFault::Malformed(TspError::NotTstInfo).into())
        }
        (status, _) => {
            let text = reply.text.unwrap_or_default();
            Err(StampError::Rejected { status, failure: reply.failure, text })
        }
    }
}

/// 127 random bits: the INTEGER is positive and needs no leading zero.
fn nonce() -> Vec<u8> {
    let mut nonce = random::bytes::<16>();
    nonce[0] = (nonce[0] & 0x7f) | 0x40;
    nonce.to_vec()
}

/// A token with a long chain is about 10 KiB.
const MAX_REPLY: usize = 256 * 1024;
/// An authority may not widen our bound by claiming to be inaccurate.
const MAX_ACCURACY: i64 = 10_000;

#[cfg(test)]
mod tests;
