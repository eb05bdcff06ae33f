//! A time-stamp authority of our own (RFC 3161): for development and tests.

use super::{SignError, Signer, random};
use crate::wire::cms::{Identity, Prepared, oid};
use crate::wire::tsp::{Accuracy, Failure, Imprint, Reply, Request, TspError, TstInfo};
use crate::wire::{DigestAlgorithm, Timestamp, sha256};
use ::der::asn1::ObjectIdentifier as Oid;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Authority {
    signer: Arc<dyn Signer>,
    bare: Identity,
    policy: Oid,
    /// Random per start, so that serial numbers of two runs never meet (§2.4.2).
    prefix: [u8; 12],
    counter: AtomicU64,
}

impl Authority {
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        let bare = signer.identity().without_certificates();
        let mut prefix = random::bytes::<12>();
        prefix[0] = (prefix[0] & 0x7f) | 0x40; // positive, and always as long
        Self { signer, bare, policy: DEVELOPMENT_POLICY, prefix, counter: AtomicU64::new(1) }
    }

    /// The reply to a query: a token, or a rejection that says why.
    pub fn respond(&self, query: &[u8], now: Timestamp) -> Vec<u8> {
        self.answer(query, now).write()
    }

    fn answer(&self, query: &[u8], now: Timestamp) -> Reply {
        let request = match Request::parse(query) {
            Ok(request) => request,
            Err(TspError::Version) => {
                return Reply::rejected(Failure::BadRequest, "only version 1 is known");
            }
            Err(_) => return Reply::rejected(Failure::BadDataFormat, "not a TimeStampReq"),
        };
        if let Some((failure, text)) = self.objection(&request) {
            return Reply::rejected(failure, text);
        }
        match self.token(request, now) {
            Ok(token) => Reply::granted(token),
            Err(_) => Reply::rejected(Failure::SystemFailure, "the key does not answer"),
        }
    }

    fn objection(&self, request: &Request) -> Option<(Failure, &'static str)> {
        let Imprint { algorithm, digest } = &request.imprint;
        let length = match DigestAlgorithm::from_oid(*algorithm) {
            Some(DigestAlgorithm::Sha256) => 32,
            Some(DigestAlgorithm::Sha384) => 48,
            Some(DigestAlgorithm::Sha512) => 64,
            _ => return Some((Failure::BadAlgorithm, "SHA-256, SHA-384 or SHA-512 is wanted")),
        };
        if digest.len() != length {
            return Some((Failure::BadDataFormat, "the digest has another length"));
        }
        if request.policy.is_some_and(|policy| policy != self.policy) {
            return Some((Failure::UnacceptedPolicy, "another policy"));
        }
        if request.extended {
            return Some((Failure::UnacceptedExtension, "no extension is known"));
        }
        if request.nonce.as_ref().is_some_and(|nonce| nonce.len() > MAX_NONCE) {
            return Some((Failure::BadRequest, "the nonce is too long"));
        }
        None
    }

    fn token(&self, request: Request, now: Timestamp) -> Result<Vec<u8>, SignError> {
        let info = TstInfo {
            policy: self.policy,
            imprint: request.imprint,
            serial: self.serial(),
            gen_time: now,
            accuracy: Accuracy { millis: ACCURACY_MILLIS },
            nonce: request.nonce,
            tsa: None,
        };
        let info = info.write();
        let identity = if request.certificate_wanted { self.signer.identity() } else { &self.bare };
        let prepared = Prepared::new(identity, oid::TST_INFO, sha256(&info), Some(now));
        let signature = self.signer.sign(prepared.to_sign())?;
        Ok(prepared.signed(signature).attached(&info))
    }

    fn serial(&self) -> Vec<u8> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        [&self.prefix[..], &number.to_be_bytes()].concat()
    }
}

/// Under the enterprise number for documentation (RFC 5612): no real policy stands behind it.
const DEVELOPMENT_POLICY: Oid = Oid::new_unwrap("1.3.6.1.4.1.32473.1.1");
const ACCURACY_MILLIS: i64 = 1_000;
/// 160 bits are more than anybody needs.
const MAX_NONCE: usize = 40;

#[cfg(test)]
mod tests;
