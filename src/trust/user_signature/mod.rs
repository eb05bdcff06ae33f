//! A user's S/MIME signature over the octets as they came: who signed, and is the person's
//! certificate good now. Each way to fail has its name.

use super::Certificate;
use super::cache::Cache;
use super::path::{Anchors, Path, PathFault, Role};
use super::revocation::{Material, Revocation, RevocationFault, Unknown};
use super::signed_data::{self, Form, Pool, SignerFault};
use crate::wire::cms::{SignedData, oid};
use crate::wire::{Digest, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Whom users' signatures are believed from.
pub struct UserTrust {
    anchors: Anchors,
    /// Authorities between anchors and users that mails may leave out.
    others: Vec<Certificate>,
    revocation: Option<Revocation>,
    pool: Pool,
    judged: Cache<Digest, Judged>,
}

type Judged = Result<(Arc<Path>, Arc<Material>), SignatureFault>;

/// A signature that verifies and is believed.
#[derive(Clone, Debug)]
pub struct UserSigned {
    pub signer: Certificate,
    pub path: Arc<Path>,
    /// What the signer's program claims.
    pub signing_time: Option<Timestamp>,
    pub material: Arc<Material>,
}

/// A signature that verifies; whether its certificate is good is not asked yet.
#[derive(Clone, Debug)]
pub struct Checked {
    signer: Certificate,
    others: Vec<Certificate>,
    signing_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureFault {
    #[error("{0}")]
    Signer(#[from] SignerFault),
    #[error("{0}")]
    Path(#[from] PathFault),
    #[error("{0}")]
    Revocation(#[from] RevocationFault),
    #[error("the signature holds no content of its own")]
    NoContent,
}

/// The same in one word, to choose the text that people read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FaultReason {
    Malformed,
    NoSigner,
    SeveralSigners,
    NoCertificate,
    WeakDigest,
    DigestMismatch,
    Broken,
    Untrusted,
    Expired,
    NotYetValid,
    WeakKey,
    KeyUsage,
    Revoked,
    /// The certificate names nobody who could be asked; it will be no better tomorrow.
    RevocationNowhere,
    /// Temporary: asked again later, it may be answered.
    RevocationUnknown,
}

impl UserTrust {
    /// Without `revocation`, none is asked: for tests and closed development only.
    pub fn new(anchors: Anchors, others: Vec<Certificate>, revocation: Option<Revocation>) -> Self {
        Self { anchors, others, revocation, pool: Pool::new(), judged: Cache::new(SIGNERS) }
    }

    /// A detached signature over `octets` (the MIME entity, as it came).
    pub async fn verify(
        &self,
        octets: &[u8],
        p7s: &[u8],
        now: Timestamp,
    ) -> Result<UserSigned, SignatureFault> {
        let checked = self.check(octets, p7s)?;
        self.judge(checked, now).await
    }

    /// An opaque signature (`signed-data`): gives the content that was signed, too.
    pub async fn verify_opaque(
        &self,
        p7m: &[u8],
        now: Timestamp,
    ) -> Result<(UserSigned, Vec<u8>), SignatureFault> {
        let (checked, content) = self.check_opaque(p7m)?;
        Ok((self.judge(checked, now).await?, content))
    }

    /// The first half, all computation: digest and signature.
    pub fn check(&self, octets: &[u8], p7s: &[u8]) -> Result<Checked, SignatureFault> {
        self.check_signed(&parse(p7s)?, octets)
    }

    /// The same of an opaque signature, with the content.
    pub fn check_opaque(&self, p7m: &[u8]) -> Result<(Checked, Vec<u8>), SignatureFault> {
        let signed = parse(p7m)?;
        let content = signed.content.clone().ok_or(SignatureFault::NoContent)?;
        let checked = self.check_signed(&signed, &content)?;
        Ok((checked, content.into_owned()))
    }

    fn check_signed(
        &self,
        signed: &SignedData<'_>,
        octets: &[u8],
    ) -> Result<Checked, SignatureFault> {
        if signed.content_type != oid::DATA {
            return Err(SignerFault::ContentType.into());
        }
        let signer = signed_data::only_signer(signed)?;
        let mut candidates = self.pool.parse(signed.certificates.iter().copied());
        candidates.extend_from_slice(&self.others);
        let certificate = signed_data::check(signed, signer, octets, &candidates, Form::Smime)?;
        let signing_time = signer.signing_time().map_err(SignerFault::from)?;
        Ok(Checked { signer: certificate, others: candidates, signing_time })
    }

    /// The second half: chain, validity, use, revocation. Users sign again and again, so that the
    /// judgement of a certificate is kept for a short time.
    pub async fn judge(
        &self,
        checked: Checked,
        now: Timestamp,
    ) -> Result<UserSigned, SignatureFault> {
        let Checked { signer, others, signing_time } = checked;
        let (path, material) = match self.judged.get(&signer.digest(), now) {
            Some(judged) => judged?,
            None => {
                let judged = self.judge_anew(&signer, &others, now).await;
                if is_lasting(&judged) {
                    let until = now.plus_millis(self.judged_millis());
                    self.judged.put(signer.digest(), judged.clone(), until);
                }
                judged?
            }
        };
        path.check_at(now)?;
        Ok(UserSigned { signer, path, signing_time, material })
    }

    /// A certificate alone, whose key was proven to be at hand: the second half for it.
    pub async fn judge_certificate(
        &self,
        certificate: Certificate,
        others: Vec<Certificate>,
        now: Timestamp,
    ) -> Result<UserSigned, SignatureFault> {
        self.judge(Checked { signer: certificate, others, signing_time: None }, now).await
    }

    async fn judge_anew(
        &self,
        signer: &Certificate,
        others: &[Certificate],
        now: Timestamp,
    ) -> Judged {
        let path = self.anchors.path(signer, others, Role::User)?;
        path.check_at(now)?;
        let material = match &self.revocation {
            Some(revocation) => revocation.check(&path, now, now).await?,
            None => Material {
                certificates: path.certificates().iter().map(|c| c.der().to_vec()).collect(),
                ..Material::default()
            },
        };
        Ok((Arc::new(path), Arc::new(material)))
    }

    fn judged_millis(&self) -> i64 {
        let refresh = self.revocation.as_ref().map_or(JUDGED, Revocation::refresh);
        i64::try_from(refresh.min(JUDGED).as_millis()).unwrap_or(0)
    }

    /// Forgets judgements and answers, as after a certificate was reported stolen.
    pub fn forget(&self) {
        self.judged.clear();
        if let Some(revocation) = &self.revocation {
            revocation.forget();
        }
    }
}

impl SignatureFault {
    /// Worth another try later.
    pub fn is_temporary(&self) -> bool {
        self.reason() == FaultReason::RevocationUnknown
    }

    pub fn reason(&self) -> FaultReason {
        match self {
            Self::Signer(fault) => signer_reason(fault),
            Self::Path(fault) => match fault {
                PathFault::Untrusted { .. } => FaultReason::Untrusted,
                PathFault::Expired { .. } => FaultReason::Expired,
                PathFault::NotYetValid { .. } => FaultReason::NotYetValid,
                PathFault::WeakDigest { .. } => FaultReason::WeakDigest,
                PathFault::WeakKey { .. } => FaultReason::WeakKey,
                PathFault::KeyUsage { .. } | PathFault::Purpose { .. } => FaultReason::KeyUsage,
            },
            Self::Revocation(RevocationFault::Revoked { .. }) => FaultReason::Revoked,
            Self::Revocation(RevocationFault::Unknown { why, .. }) => match why {
                Unknown::NoSource => FaultReason::RevocationNowhere,
                _ => FaultReason::RevocationUnknown,
            },
            Self::NoContent => FaultReason::Malformed,
        }
    }
}

fn signer_reason(fault: &SignerFault) -> FaultReason {
    match fault {
        SignerFault::NoSigner => FaultReason::NoSigner,
        SignerFault::SeveralSigners => FaultReason::SeveralSigners,
        SignerFault::NoCertificate => FaultReason::NoCertificate,
        SignerFault::WeakDigest(_) => FaultReason::WeakDigest,
        SignerFault::DigestMismatch => FaultReason::DigestMismatch,
        SignerFault::Broken | SignerFault::BoundCertificate => FaultReason::Broken,
        SignerFault::Malformed(_)
        | SignerFault::UnknownAlgorithm(_)
        | SignerFault::MissingAttribute(_)
        | SignerFault::ContentType => FaultReason::Malformed,
    }
}

/// A failure may lie in what the mail left out: kept, it would be held against the next mail.
fn is_lasting(judged: &Judged) -> bool {
    match judged {
        Ok(_) => true,
        Err(SignatureFault::Revocation(RevocationFault::Revoked { .. })) => true,
        Err(_) => false,
    }
}

fn parse(octets: &[u8]) -> Result<SignedData<'_>, SignatureFault> {
    Ok(SignedData::parse(octets).map_err(SignerFault::from)?)
}

/// A revocation takes effect here at the latest after this long.
const JUDGED: Duration = Duration::from_secs(60);
/// Users that sign within a minute.
const SIGNERS: usize = 16_384;

#[cfg(test)]
mod tests;
