//! Was it taken back? OCSP first, then the CRL; answers are cached and kept as evidence.
//! What can't be found out is an outcome of its own, and the policy says what it means.

mod answer;
mod crl;
mod past;

pub use past::{Lists, Past, Status};

use super::cache::Cache;
use super::dial::{Dial, DialError};
use super::path::Path;
use super::{Certificate, TrustError};
use crate::wire::cms::{self, CmsError};
use crate::wire::ocsp::OcspError;
use crate::wire::{Digest, Timestamp, sha256};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct RevocationSettings {
    pub timeout: Duration,
    /// An answer is asked for anew after this long, even when it says that it holds longer.
    pub refresh: Duration,
    pub on_unknown: OnUnknown,
}

/// What it means when nobody can say whether a certificate was taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnUnknown {
    /// Hard fail: the signature is not accepted now.
    Refuse,
    /// Soft fail: accepted, and noted in the material.
    Accept,
}

pub struct Revocation {
    dial: Dial,
    settings: RevocationSettings,
    known: Cache<Source, Known>,
}

/// What was collected to prove a path later: kept with the evidence, it can't be had again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Material {
    /// DER, the signer's first, the anchor last.
    pub certificates: Vec<Vec<u8>>,
    pub crls: Vec<Piece>,
    /// Whole OCSPResponses.
    pub ocsp: Vec<Piece>,
    /// Who could not be asked about, and why.
    pub unknown: Vec<(String, Unknown)>,
}

/// A list or an answer with its digest: it is kept with many evidences, and hashed once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    octets: Arc<[u8]>,
    digest: Digest,
}

/// Why nothing is known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unknown {
    #[error("the certificate names no OCSP responder and no CRL")]
    NoSource,
    #[error("{0}")]
    Unreachable(#[from] DialError),
    #[error("the CRL is malformed or of a kind that is not read")]
    MalformedCrl,
    #[error("the OCSP answer: {0}")]
    MalformedAnswer(#[from] OcspError),
    #[error("the CRL or answer is not signed by the certificate's authority")]
    NotAuthorised,
    #[error("the responder does not know the certificate")]
    NotKnownThere,
    #[error("the CRL is of other certificates of its authority")]
    OtherScope,
    #[error("the CRL or answer ended at {0}")]
    Stale(Timestamp),
    #[error("the CRL or answer is of the future: {0}")]
    Early(Timestamp),
    #[error("the CRL or answer of {0} was made after the certificate had ended")]
    TooLate(Timestamp),
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RevocationFault {
    #[error("{subject}: revoked at {at}")]
    Revoked { subject: String, at: Timestamp },
    #[error("{subject}: revocation can't be checked: {why}")]
    Unknown { subject: String, why: Unknown },
}

/// What one source said about one certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Good,
    Revoked(Timestamp),
}

/// What was said of one certificate, and by what.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    said: Said,
    proof: Proof,
}

#[derive(Clone, Debug)]
pub(super) enum Proof {
    List(Piece),
    Answer(Piece),
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Source {
    Crl(String),
    Ocsp(String, Digest),
}

/// What a source gave; an outage is remembered for a short time, so that it costs one wait.
#[derive(Clone)]
enum Known {
    Crl(Arc<crl::Crl>),
    Answer(Piece),
    Nothing(Unknown),
}

impl Default for RevocationSettings {
    fn default() -> Self {
        let (timeout, refresh) = (Duration::from_secs(5), Duration::from_secs(3_600));
        Self { timeout, refresh, on_unknown: OnUnknown::Refuse }
    }
}

impl Revocation {
    pub fn new(settings: RevocationSettings) -> Result<Self, TrustError> {
        Ok(Self { dial: Dial::new(settings.timeout)?, settings, known: Cache::new(SOURCES) })
    }

    /// Asks, now, about each certificate of the path below its anchor: was it taken back at the
    /// moment `at` that matters? Only certificates of a path are asked about, so that addresses in
    /// certificates nobody trusts are never dialled.
    pub async fn check(
        &self,
        path: &Path,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Material, RevocationFault> {
        let certificates = path.certificates();
        let mut material = Material {
            certificates: certificates.iter().map(|one| one.der().to_vec()).collect(),
            ..Material::default()
        };
        for pair in certificates.windows(2) {
            let [certificate, issuer] = pair else { continue };
            let subject = || certificate.subject().to_owned();
            match self.ask(certificate, issuer, now).await {
                Ok(Heard { said: Said::Revoked(since), .. }) if since <= at => {
                    return Err(RevocationFault::Revoked { subject: subject(), at: since });
                }
                Ok(heard) => material.add(heard.proof),
                Err(why) if self.settings.on_unknown == OnUnknown::Refuse => {
                    return Err(RevocationFault::Unknown { subject: subject(), why });
                }
                Err(why) => material.unknown.push((subject(), why)),
            }
        }
        Ok(material)
    }

    /// Forgets every answer, so that the next question is asked anew.
    pub fn forget(&self) {
        self.known.clear();
    }

    /// Asks about one certificate of a path: the first source that knows; else why the last one did
    /// not.
    pub(super) async fn ask(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<Heard, Unknown> {
        let mut why = Unknown::NoSource;
        for url in certificate.ocsp_urls().into_iter().take(MAX_URLS) {
            match self.ask_responder(url, certificate, issuer, now).await {
                Ok((said, answer)) => return Ok(Heard { said, proof: Proof::Answer(answer) }),
                Err(reason) => why = reason,
            }
        }
        for url in certificate.crl_urls().into_iter().take(MAX_URLS) {
            match self.ask_list(url, certificate, issuer, now).await {
                Ok((said, list)) => return Ok(Heard { said, proof: Proof::List(list) }),
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    async fn ask_responder(
        &self,
        url: String,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<(Said, Piece), Unknown> {
        let source = Source::Ocsp(url.clone(), sha256(certificate.der()));
        match self.known.get(&source, now) {
            Some(Known::Nothing(why)) => return Err(why),
            Some(Known::Answer(piece)) => {
                if let Ok(said) = answer::read(&piece, certificate, issuer, now) {
                    return Ok((said, piece));
                }
            }
            _ => {}
        }
        let query = answer::request(certificate, issuer)?;
        let octets = self.dial.post(&url, "application/ocsp-request", query, MAX_ANSWER).await;
        let octets = octets.map_err(|e| self.nothing(&source, e.into(), now))?;
        let said = answer::read(&octets, certificate, issuer, now);
        let said = said.map_err(|why| self.nothing(&source, why, now))?;
        let piece = Piece::new(octets);
        self.known.put(source, Known::Answer(piece.clone()), self.until(now));
        Ok((said, piece))
    }

    async fn ask_list(
        &self,
        url: String,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<(Said, Piece), Unknown> {
        let source = Source::Crl(url.clone());
        match self.known.get(&source, now) {
            Some(Known::Nothing(why)) => return Err(why),
            Some(Known::Crl(crl)) => match crl.look_up(certificate, issuer, now) {
                Ok(said) => return Ok((said, crl.piece())),
                // Another certificate's trouble with it is no reason to ask for a good list again.
                Err(why @ (Unknown::OtherScope | Unknown::NotAuthorised)) => return Err(why),
                Err(_) => {}
            },
            _ => {}
        }
        let octets = self.dial.get(&url, MAX_CRL).await;
        let octets = octets.map_err(|e| self.nothing(&source, e.into(), now))?;
        let crl = crl::Crl::parse(octets).map_err(|e| self.nothing(&source, e, now))?;
        let (said, piece) = (crl.look_up(certificate, issuer, now), crl.piece());
        match said {
            Ok(_) | Err(Unknown::OtherScope | Unknown::NotAuthorised) => {
                self.known.put(source, Known::Crl(Arc::new(crl)), self.until(now));
            }
            Err(why) => return Err(self.nothing(&source, why, now)),
        }
        Ok((said?, piece))
    }

    /// How long an answer is believed without asking again.
    pub(super) fn refresh(&self) -> Duration {
        self.settings.refresh
    }

    fn nothing(&self, source: &Source, why: Unknown, now: Timestamp) -> Unknown {
        self.known.put(source.clone(), Known::Nothing(why.clone()), now.plus_secs(OUTAGE_SECS));
        why
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(i64::try_from(self.settings.refresh.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Material {
    fn add(&mut self, proof: Proof) {
        match proof {
            Proof::List(list) => self.crls.push(list),
            Proof::Answer(answer) => self.ocsp.push(answer),
        }
    }

    /// For keeping: a CMS without signers, as `openssl pkcs7` and `openssl cms` read it. Who could
    /// not be asked about is not in it.
    pub fn to_der(&self) -> Vec<u8> {
        cms::validation_data(
            self.certificates.iter().map(Vec::as_slice),
            self.crls.iter().map(|one| &**one),
            self.ocsp.iter().map(|one| &**one),
        )
    }

    /// Reads what was kept, or what a signature of level LT carries.
    pub fn from_der(der: &[u8]) -> Result<Self, CmsError> {
        let data = cms::SignedData::parse(der)?;
        Ok(Self {
            certificates: data.certificates.iter().map(|one| one.to_vec()).collect(),
            crls: data.crls.iter().map(|one| Piece::new(*one)).collect(),
            ocsp: data.ocsp.iter().map(|one| Piece::new(*one)).collect(),
            unknown: Vec::new(),
        })
    }
}

impl Piece {
    pub fn new(octets: impl Into<Arc<[u8]>>) -> Self {
        let octets = octets.into();
        Self { digest: sha256(&octets), octets }
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Shared, not copied.
    pub fn octets(&self) -> Arc<[u8]> {
        Arc::clone(&self.octets)
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets
    }
}

impl Heard {
    /// When it was taken back, if it was.
    pub(super) fn revoked(&self) -> Option<Timestamp> {
        match self.said {
            Said::Good => None,
            Said::Revoked(at) => Some(at),
        }
    }

    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// What kept material says about a path at a moment within its time; nothing is asked.
pub(super) fn judge(
    path: &Path,
    material: &Material,
    at: Timestamp,
) -> Result<(), RevocationFault> {
    for pair in path.certificates().windows(2) {
        let [certificate, issuer] = pair else { continue };
        let subject = || certificate.subject().to_owned();
        match said_by(material, certificate, issuer, at) {
            Ok(Said::Revoked(since)) if since <= at => {
                return Err(RevocationFault::Revoked { subject: subject(), at: since });
            }
            Ok(_) => {}
            Err(why) => return Err(RevocationFault::Unknown { subject: subject(), why }),
        }
    }
    Ok(())
}

fn said_by(
    material: &Material,
    certificate: &Certificate,
    issuer: &Certificate,
    at: Timestamp,
) -> Result<Said, Unknown> {
    let mut why = Unknown::NoSource;
    for octets in &material.ocsp {
        match answer::read(octets, certificate, issuer, at) {
            Ok(said) => return Ok(said),
            Err(reason) => why = reason,
        }
    }
    for octets in &material.crls {
        let crl = crl::Crl::parse(octets.to_vec());
        match crl.and_then(|crl| crl.look_up(certificate, issuer, at)) {
            Ok(said) => return Ok(said),
            Err(reason) => why = reason,
        }
    }
    Err(why)
}

/// RFC 5280 §5.1.2.5: both lists and answers say from when until when they hold.
fn check_window(this: Timestamp, next: Option<Timestamp>, at: Timestamp) -> Result<(), Unknown> {
    let next = next.unwrap_or(this.plus_secs(DAY));
    if at.plus_secs(SKEW_SECS) < this {
        return Err(Unknown::Early(this));
    }
    if next < at { Err(Unknown::Stale(next)) } else { Ok(()) }
}

const DAY: i64 = 86_400;
/// Clocks of responders run a little ahead.
const SKEW_SECS: i64 = 300;
/// A dead responder is asked again after this long.
const OUTAGE_SECS: i64 = 30;
const SOURCES: usize = 4_096;
const MAX_URLS: usize = 3;
const MAX_ANSWER: usize = 64 * 1024;
/// Lists of large authorities are a few MiB.
const MAX_CRL: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests;
