//! DANE (RFC 6698, 7671; for SMTP RFC 7672): whether what a server shows is what its signed zone says.
//! Where the records come from, and that they are signed, is the caller's to know.

use super::provider;
use crate::trust::Certificate;
use crate::wire::tlsa::{Association, Matching, Selector, Tlsa, Usage, associations};
use crate::wire::{Timestamp, sha256};
use openssl::sha::sha512;
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

/// What is known of a server by its records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dane {
    pub records: Vec<Tlsa>,
    /// Of which its certificate must bear one, when it is known by an issuer (RFC 7672 §3.2.2): the name
    /// at which the records are, the domain whose mail it is.
    pub names: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DaneFault {
    #[error("no TLSA record is of use")]
    Unusable,
    #[error("no TLSA record is of what the server shows")]
    Other,
    #[error("its issuer is the one of the TLSA record, and its certificate does not name {0}")]
    Name(String),
    #[error("its issuer is the one of the TLSA record, and its certificate is not good: {0}")]
    Path(String),
}

impl Dane {
    /// Whether anything can be done with one of the records.
    pub fn usable(&self) -> bool {
        !associations(&self.records).is_empty()
    }

    /// Whether a server that shows these certificates is the one. For its own certificate or key neither
    /// its name nor its dates count (RFC 7671 §5.1); under an issuer both do.
    pub fn check(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), DaneFault> {
        let known = associations(&self.records);
        if known.is_empty() {
            return Err(DaneFault::Unusable);
        }
        let mut own = known.iter().filter(|one| one.usage == Usage::EndEntity);
        if own.any(|one| is_of(one, leaf)) {
            return Ok(());
        }
        let issuers = issuers(&known, others, now);
        match issuers.is_empty() {
            true => Err(DaneFault::Other),
            false => self.under(issuers, leaf, others, now),
        }
    }

    fn under(
        &self,
        issuers: Vec<CertificateDer<'_>>,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), DaneFault> {
        let wrong = |error: rustls::Error| DaneFault::Path(error.to_string());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(issuers.into_iter().map(CertificateDer::into_owned));
        let parsed = ParsedCertificate::try_from(leaf).map_err(wrong)?;
        let algorithms = provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, others, now, algorithms)
            .map_err(wrong)?;
        let names = |name: &String| {
            let name = ServerName::try_from(name.as_str());
            name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
        };
        match self.names.iter().any(names) {
            true => Ok(()),
            false => Err(DaneFault::Name(self.names.join(" or "))),
        }
    }
}

/// The record for a server with this certificate: `3 1 1`, which holds as long as it keeps its key (RFC
/// 7672 §3.1.1).
pub fn record_of(certificate: &Certificate) -> Option<Tlsa> {
    let der = CertificateDer::from(certificate.der());
    let key = ParsedCertificate::try_from(&der).ok()?.subject_public_key_info();
    Some(Tlsa { usage: 3, selector: 1, matching: 1, data: sha256(&key).0.to_vec() })
}

/// Whether a record is of one of the certificates that it can be of. It says nothing of names and dates.
pub fn is_shown(record: &Tlsa, chain: &[Vec<u8>]) -> bool {
    let Ok(one) = record.association() else { return false };
    let mut of = chain.iter().enumerate().filter(|(n, _)| match one.usage {
        Usage::EndEntity => *n == 0,
        Usage::TrustAnchor => *n > 0,
    });
    of.any(|(_, der)| is_of(&one, &CertificateDer::from(der.as_slice())))
}

/// The issuers that records speak of: those the server shows behind its own certificate, and one that
/// stands whole in a record and need not be shown (RFC 7671 §5.2.1). They must be good now.
fn issuers<'a>(
    known: &[Association<'a>],
    shown: &[CertificateDer<'a>],
    now: UnixTime,
) -> Vec<CertificateDer<'a>> {
    let anchors = || known.iter().filter(|one| one.usage == Usage::TrustAnchor);
    let whole = anchors()
        .filter(|one| (one.selector, one.matching) == (Selector::Certificate, Matching::Full));
    let whole = whole.map(|one| CertificateDer::from(one.data));
    let shown = shown.iter().filter(|der| anchors().any(|one| is_of(one, der))).cloned();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let good = |der: &CertificateDer<'_>| {
        Certificate::from_der(der)
            .is_ok_and(|issuer| issuer.is_authority() && issuer.valid_at(Timestamp::from_secs(now)))
    };
    whole.chain(shown).filter(good).collect()
}

fn is_of(one: &Association<'_>, certificate: &CertificateDer<'_>) -> bool {
    let digested = |octets: &[u8]| match one.matching {
        Matching::Full => octets == one.data,
        Matching::Sha256 => sha256(octets).0 == one.data,
        Matching::Sha512 => sha512(octets) == one.data,
    };
    match one.selector {
        Selector::Certificate => digested(certificate),
        Selector::Key => ParsedCertificate::try_from(certificate)
            .is_ok_and(|parsed| digested(&parsed.subject_public_key_info())),
    }
}

#[cfg(test)]
mod tests;
