//! A time-stamp token and every check that it must pass (RFC 3161 §2.4.2, RFC 5816).

use super::Certificate;
use super::cache::{Cache, FOREVER};
use super::message_digest;
use super::path::{Anchors, Path, PathFault, Role};
use super::signed_data::{self, Form, Pool, SignerFault};
use crate::wire::cms::SignedData;
use crate::wire::tsp::{TspError, TstInfo};
use crate::wire::{Digest, DigestAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::hash::hash;
use std::sync::Arc;

/// A token that was verified.
#[derive(Clone, Debug)]
pub struct Token {
    pub der: Vec<u8>,
    pub gen_time: Timestamp,
    /// How far the true time may lie from `gen_time`.
    pub accuracy_millis: i64,
    /// Hex.
    pub serial: String,
    pub policy: String,
    /// The authority's certificate and those behind it.
    pub path: Arc<Path>,
}

/// Which check a token fails.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenFault {
    #[error("malformed: {0}")]
    Malformed(#[from] TspError),
    #[error("the imprint is of something else")]
    Imprint,
    #[error("the imprint's digest algorithm is weak or unknown")]
    ImprintAlgorithm,
    #[error("the imprint is under another digest algorithm than was asked for")]
    OtherAlgorithm,
    #[error("the authority that the token names is not the certificate's")]
    Authority,
    #[error("the nonce is not the one that was asked with")]
    Nonce,
    #[error("the policy {0} is not the one that was asked for")]
    Policy(String),
    #[error("{0}")]
    Signer(#[from] SignerFault),
    #[error("{0}")]
    Path(#[from] PathFault),
}

/// Verifies tokens against the anchors of time-stamp authorities.
pub struct TokenVerifier {
    anchors: Anchors,
    /// Certificates that tokens may leave out.
    others: Vec<Certificate>,
    pool: Pool,
    paths: Cache<Digest, Arc<Path>>,
}

/// What was asked for, beside the imprint.
#[derive(Clone, Default)]
pub(super) struct Asked {
    /// The imprint's digest algorithm.
    pub algorithm: Option<Oid>,
    pub nonce: Option<Vec<u8>>,
    pub policy: Option<Oid>,
}

impl TokenVerifier {
    pub fn new(anchors: Anchors, others: Vec<Certificate>) -> Self {
        Self { anchors, others, pool: Pool::of(BROUGHT), paths: Cache::new(PATHS) }
    }

    pub fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The token is over `octets`, by a trusted authority whose chain was valid at genTime.
    pub fn verify(&self, token: &[u8], octets: &[u8]) -> Result<Token, TokenFault> {
        self.verify_asked(token, octets, &Asked::default())
    }

    pub(super) fn verify_asked(
        &self,
        token: &[u8],
        octets: &[u8],
        asked: &Asked,
    ) -> Result<Token, TokenFault> {
        let signed = SignedData::parse(token).map_err(TspError::from)?;
        let info = TstInfo::of_signed(&signed)?;
        check_imprint(&info, octets)?;
        if asked.algorithm.is_some_and(|algorithm| algorithm != info.imprint.algorithm) {
            return Err(TokenFault::OtherAlgorithm);
        }
        if asked.nonce.is_some() && info.nonce != asked.nonce {
            return Err(TokenFault::Nonce);
        }
        if asked.policy.is_some_and(|policy| policy != info.policy) {
            return Err(TokenFault::Policy(info.policy.to_string()));
        }
        let path = self.check_signer(&signed)?;
        path.check_at(info.gen_time)?;
        check_name(&info, &path)?;
        Ok(Token {
            der: token.to_vec(),
            gen_time: info.gen_time,
            accuracy_millis: info.accuracy.millis,
            serial: data_encoding::HEXLOWER.encode(&info.serial),
            policy: info.policy.to_string(),
            path,
        })
    }

    fn check_signer(&self, signed: &SignedData<'_>) -> Result<Arc<Path>, TokenFault> {
        let signer = signed_data::only_signer(signed)?;
        let mut candidates = self.pool.parse(signed.certificates.iter().copied());
        candidates.extend_from_slice(&self.others);
        let content = signed.content.as_deref().unwrap_or_default();
        let certificate = signed_data::check(signed, signer, content, &candidates, Form::Cades)?;
        self.path(&certificate, &candidates)
    }

    /// Chains are long work and always the same: one per certificate of an authority.
    fn path(
        &self,
        certificate: &Certificate,
        others: &[Certificate],
    ) -> Result<Arc<Path>, TokenFault> {
        let digest = certificate.digest();
        if let Some(known) = self.paths.get(&digest, Timestamp::from_millis(0)) {
            return Ok(known);
        }
        let path = Arc::new(self.anchors.path(certificate, others, Role::TimeStamp)?);
        self.paths.put(digest, path.clone(), FOREVER);
        Ok(path)
    }
}

impl Token {
    pub fn certificate(&self) -> Option<&Certificate> {
        self.path.certificate()
    }
}

fn check_imprint(info: &TstInfo, octets: &[u8]) -> Result<(), TokenFault> {
    let algorithm = DigestAlgorithm::from_oid(info.imprint.algorithm);
    let strong = algorithm.filter(|algorithm| !algorithm.is_weak());
    let strong = strong.ok_or(TokenFault::ImprintAlgorithm)?;
    let own = hash(message_digest(strong), octets).map_err(|_| TokenFault::ImprintAlgorithm)?;
    if own.as_ref() == info.imprint.digest { Ok(()) } else { Err(TokenFault::Imprint) }
}

/// §2.4.2: the name of the authority, when it is given, is one of the certificate's.
fn check_name(info: &TstInfo, path: &Path) -> Result<(), TokenFault> {
    let Some((name, certificate)) = info.tsa.as_ref().zip(path.certificate()) else {
        return Ok(());
    };
    if certificate.is_called(name) { Ok(()) } else { Err(TokenFault::Authority) }
}

/// Certificates that came along: those of a few authorities.
const BROUGHT: usize = 256;
/// A time-stamp service has a handful of certificates.
const PATHS: usize = 256;

#[cfg(test)]
mod tests;
