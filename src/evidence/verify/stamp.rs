//! Time-stamp tokens over signatures (RFC 3161), and certificates at the time that they prove.

use super::report::Checks;
use super::{Judge, Name, revocation};
use crate::trust::{Certificate, PathFault, SignerFault, Token, TokenFault};
use crate::wire::Timestamp;
use crate::wire::tsp::TstInfo;

/// When a signature existed.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct When {
    /// genTime of a token that holds, by a trusted authority.
    pub proven: Option<Timestamp>,
    /// What token or signer say, unproven.
    pub claimed: Option<Timestamp>,
}

impl When {
    /// genTime of the token, trusted or not.
    pub(super) fn stamped(&self) -> Option<Timestamp> {
        self.proven.or(self.claimed)
    }
}

/// Judges one token over `octets`; gives its time when imprint and signature hold.
pub(super) fn token(
    judge: &Judge,
    der: &[u8],
    octets: &[u8],
    now: Timestamp,
    checks: &mut Checks,
) -> When {
    let fault = match judge.seals.tokens().verify(der, octets) {
        Ok(token) => {
            let at = token.gen_time;
            holds(checks);
            let name = token.certificate().map_or_else(String::new, |c| c.subject().to_owned());
            let detail = format!("{name}: trusted, valid at {at}");
            checks.good(Name::TimeStampCertificate, detail);
            ended(&token, now, checks);
            return match revocation::of_token(judge, &token, checks) {
                true => When { proven: Some(at), claimed: None },
                false => When { proven: None, claimed: Some(at) },
            };
        }
        Err(fault) => fault,
    };
    match fault {
        TokenFault::Malformed(why) => checks.bad(Name::TimeStamp, why.to_string()),
        TokenFault::Imprint => {
            checks.bad(Name::TimeStampImprint, "the token is over something else");
        }
        TokenFault::ImprintAlgorithm => {
            checks.bad(Name::TimeStampImprint, "its digest algorithm is weak or unknown");
            checks.hint(WEAK);
        }
        TokenFault::Signer(SignerFault::NoCertificate) => {
            checks.good(Name::TimeStampImprint, IMPRINT);
            let text = "the token does not hold the authority's certificate";
            checks.unknown(Name::TimeStampSignature, text);
        }
        TokenFault::Signer(why) => {
            checks.good(Name::TimeStampImprint, IMPRINT);
            checks.bad(Name::TimeStampSignature, why.to_string());
        }
        TokenFault::Path(PathFault::Untrusted { subject, .. }) if !judge.has_time_stamp => {
            holds(checks);
            let detail = format!("{subject}: no time-stamp anchors are at hand");
            checks.unknown(Name::TimeStampCertificate, detail);
            checks.hint("--trust DIR with tsa-ca.pem in it");
            return claimed(der);
        }
        TokenFault::Path(why) => {
            holds(checks);
            checks.bad(Name::TimeStampCertificate, why.to_string());
        }
        TokenFault::Authority => {
            checks.good(Name::TimeStampImprint, IMPRINT);
            checks.bad(Name::TimeStampCertificate, TokenFault::Authority.to_string());
        }
        other @ (TokenFault::Nonce | TokenFault::Policy(_) | TokenFault::OtherAlgorithm) => {
            checks.bad(Name::TimeStamp, other.to_string());
        }
    }
    When::default()
}

/// A token proves its time as long as nobody can forge it; whether it was renewed in time is not
/// seen here.
fn ended(token: &Token, now: Timestamp, checks: &mut Checks) {
    let ends = token.certificate().map(Certificate::not_after).filter(|ends| *ends < now);
    if let Some(ends) = ends {
        let text =
            format!("the authority's certificate ended at {ends}; no later stamp is seen here");
        checks.note(Name::TimeStampCertificate, text);
    }
}

fn holds(checks: &mut Checks) {
    checks.good(Name::TimeStampImprint, IMPRINT);
    checks.good(Name::TimeStampSignature, "verifies with the authority's certificate");
}

fn claimed(der: &[u8]) -> When {
    let at = TstInfo::of_token(der).ok().map(|info| info.gen_time);
    When { proven: None, claimed: at }
}

/// The seal certificate: a trusted authority behind it, its use, and validity at the proven time.
/// Without a proven time it must be valid now (EN 319 102-1 §5.2.6: an expired one proves nothing
/// without a time stamp, and disproves nothing).
pub(super) fn seal_certificate(
    judge: &Judge,
    signer: &Certificate,
    others: &[Certificate],
    when: When,
    now: Timestamp,
    checks: &mut Checks,
) {
    let name = Name::SealCertificate;
    let subject = signer.subject();
    let path = match judge.seals.path(signer, others) {
        Ok(path) => path,
        Err(PathFault::Untrusted { .. }) if !judge.has_seal => {
            checks.unknown(name, format!("{subject}: no seal anchors are at hand"));
            checks.hint("--trust DIR with seal-ca.pem in it");
            return;
        }
        Err(fault) => {
            checks.bad(name, fault.to_string());
            if matches!(fault, PathFault::WeakDigest { .. } | PathFault::WeakKey { .. }) {
                checks.hint(WEAK);
            }
            return;
        }
    };
    match (when.proven, path.check_at(when.proven.unwrap_or(now))) {
        (Some(at), Ok(())) => checks.good(name, format!("{subject}: trusted, valid at {at}")),
        (None, Ok(())) => checks.good(name, format!("{subject}: trusted, valid now")),
        (Some(_), Err(fault)) => checks.bad(name, fault.to_string()),
        (None, Err(fault)) => {
            let then = when.claimed.is_some_and(|at| path.check_at(at).is_ok());
            if then {
                checks.unknown(name, format!("{fault}; no trusted time stamp says when it signed"));
            } else {
                checks.bad(name, fault.to_string());
            }
        }
    }
    revocation::of_seal(judge, &path, when, now, checks);
}

const IMPRINT: &str = "the token is over this signature";
pub(super) const WEAK: &str =
    "weak algorithms prove nothing any more; ask the provider for evidence with SHA-256 or better";
