//! What lists and answers at hand say about a path at a moment in the past; nothing is asked. Who
//! looks back may also use what was published later: a revocation names its own date.

use super::crl::Crl;
use super::{Unknown, answer, check_window};
use crate::trust::{Certificate, Path};
use crate::wire::Timestamp;
use std::sync::Arc;

/// Lists, answers and certificates from anywhere: each is believed only as far as the authority of
/// the certificate in question signed it.
#[derive(Default)]
pub struct Lists {
    crls: Vec<Crl>,
    answers: Vec<Arc<[u8]>>,
    certificates: Vec<Certificate>,
}

/// What is known of one certificate of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    pub subject: String,
    pub status: Status,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// In force at the moment that was asked about.
    Good,
    /// At any time. `retired`: for a reason that leaves its earlier signatures good (RFC 3161 §4).
    Revoked { at: Timestamp, retired: bool },
    /// Why what is at hand does not tell; `None` when nothing speaks of it.
    Unknown(Option<Unknown>),
}

/// What one list or answer says of one certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Statement {
    pub revoked: Option<Entry>,
    pub this: Timestamp,
    pub next: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub at: Timestamp,
    /// CRLReason (RFC 5280 §5.3.1).
    pub reason: Option<u8>,
}

impl Lists {
    /// A CRL, in DER or PEM.
    pub fn add_crl(&mut self, octets: Vec<u8>) -> Result<(), Unknown> {
        self.crls.push(Crl::parse(octets)?);
        Ok(())
    }

    /// A whole OCSPResponse; what can't be read says nothing.
    pub fn add_answer(&mut self, octets: &[u8]) {
        self.answers.push(octets.into());
    }

    pub fn add_certificate(&mut self, certificate: Certificate) {
        self.certificates.push(certificate);
    }

    /// Certificates that signatures may leave out.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Each certificate of the path below its anchor.
    pub fn about(&self, path: &Path, at: Timestamp) -> Vec<Past> {
        let pairs = path.certificates().windows(2);
        let each = pairs.filter_map(|pair| {
            let [certificate, issuer] = pair else { return None };
            let subject = certificate.subject().to_owned();
            Some(Past { subject, status: self.status(certificate, issuer, at) })
        });
        each.collect()
    }

    /// The earliest revocation that anybody states counts; absence counts only where it would show.
    fn status(&self, certificate: &Certificate, issuer: &Certificate, at: Timestamp) -> Status {
        let lists = self.crls.iter().map(|crl| crl.statement(certificate, issuer));
        let answers = self.answers.iter().map(|a| answer::statement(a, certificate, issuer));
        let (mut revoked, mut good, mut why): (Option<Entry>, _, _) = (None, false, None);
        for statement in lists.chain(answers).flatten() {
            match statement.revoked {
                Some(entry) if revoked.is_none_or(|known| entry.at < known.at) => {
                    revoked = Some(entry);
                }
                Some(_) => {}
                None => match covers(&statement, certificate, at) {
                    Ok(()) => good = true,
                    Err(reason) => why = Some(reason),
                },
            }
        }
        match revoked {
            Some(Entry { at, reason }) => {
                let retired = reason.is_some_and(|reason| RETIRED.contains(&reason));
                Status::Revoked { at, retired }
            }
            None if good => Status::Good,
            None => Status::Unknown(why),
        }
    }
}

/// A later list tells as well, as long as it was made while expired entries were still on it
/// (RFC 5280 §3.3: they stay until one list after the certificate's end).
fn covers(statement: &Statement, certificate: &Certificate, at: Timestamp) -> Result<(), Unknown> {
    if at < statement.this {
        let ended = certificate.not_after() < statement.this;
        return if ended { Err(Unknown::TooLate(statement.this)) } else { Ok(()) };
    }
    check_window(statement.this, statement.next, at)
}

/// unspecified, affiliationChanged, superseded, cessationOfOperation: the key itself was not lost.
const RETIRED: [u8; 4] = [0, 3, 4, 5];
