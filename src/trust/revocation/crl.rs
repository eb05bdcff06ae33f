//! A certificate revocation list (RFC 5280 §5).

use super::past::{Entry, Statement};
use super::{Piece, Said, Unknown, check_window};
use crate::trust::Certificate;
use crate::trust::certificate::point_names;
use crate::wire::der::{self, DerError, Node, tag};
use crate::wire::{SignatureAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::asn1::Asn1Time;
use openssl::x509::{CrlStatus, ReasonCode, X509Crl, X509RevokedRef};
use std::cmp::Ordering;

pub(super) struct Crl {
    piece: Piece,
    parsed: X509Crl,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    scope: Scope,
}

/// Whom the list speaks of (§5.2.5).
#[derive(Clone)]
struct Scope {
    users: bool,
    authorities: bool,
    /// Only certificates that name the list so; `None`: all.
    names: Option<Vec<Vec<u8>>>,
}

impl Crl {
    /// DER, or PEM as some servers send it.
    pub fn parse(octets: Vec<u8>) -> Result<Self, Unknown> {
        let malformed = |_| Unknown::MalformedCrl;
        let parsed = if octets.starts_with(b"-----BEGIN") {
            X509Crl::from_pem(&octets).map_err(malformed)?
        } else {
            X509Crl::from_der(&octets).map_err(malformed)?
        };
        let octets = parsed.to_der().map_err(malformed)?;
        let read = read(&octets).map_err(|_| Unknown::MalformedCrl)?;
        let (this_update, next_update, scope) = read;
        Ok(Self { piece: Piece::new(octets), parsed, this_update, next_update, scope })
    }

    pub fn piece(&self) -> Piece {
        self.piece.clone()
    }

    pub fn look_up(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: Timestamp,
    ) -> Result<Said, Unknown> {
        let statement = self.statement(certificate, issuer)?;
        check_window(self.this_update, self.next_update, at)?;
        Ok(statement.revoked.map_or(Said::Good, |entry| Said::Revoked(entry.at)))
    }

    /// What the list says, whenever that was.
    pub fn statement(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<Statement, Unknown> {
        self.check_issuer(issuer)?;
        if !self.scope.covers(certificate) {
            return Err(Unknown::OtherScope);
        }
        let revoked = match self.parsed.get_by_cert(certificate.x509()) {
            CrlStatus::NotRevoked | CrlStatus::RemoveFromCrl(_) => None,
            CrlStatus::Revoked(entry) => Some(read_entry(entry)?),
        };
        Ok(Statement { revoked, this: self.this_update, next: self.next_update })
    }

    fn check_issuer(&self, issuer: &Certificate) -> Result<(), Unknown> {
        let named = self.parsed.issuer_name().try_cmp(issuer.x509().subject_name());
        let named = named.is_ok_and(|order| order == Ordering::Equal);
        let may = issuer.key_usage().is_none_or(|usage| usage.crl_sign);
        let signed = || self.parsed.verify(issuer.key()).unwrap_or(false);
        if named && may && signed() { Ok(()) } else { Err(Unknown::NotAuthorised) }
    }
}

impl Scope {
    /// §6.3.3 (b) (2): of the certificate's kind, and under one of the names that it gives its lists.
    fn covers(&self, certificate: &Certificate) -> bool {
        let kind = if certificate.is_authority() { self.authorities } else { self.users };
        let named = || match &self.names {
            None => true,
            Some(names) => {
                let own = certificate.list_names();
                names.iter().any(|name| own.contains(&name.as_slice()))
            }
        };
        kind && named()
    }
}

/// thisUpdate and nextUpdate of a list that speaks of all certificates and is signed strongly.
fn read(octets: &[u8]) -> Result<(Timestamp, Option<Timestamp>, Scope), DerError> {
    let mut list = der::parse(octets)?.of(tag::SEQUENCE)?.reader();
    let mut tbs = list.expect(tag::SEQUENCE)?.reader();
    let algorithm = list.expect(tag::SEQUENCE)?.reader().next()?.oid()?;
    if SignatureAlgorithm::from_oid(algorithm).is_none() {
        return Err(DerError::Value);
    }
    tbs.optional(tag::INTEGER)?;
    tbs.expect(tag::SEQUENCE)?;
    tbs.expect(tag::SEQUENCE)?;
    let this = tbs.next()?.time()?;
    let next = match tbs.optional(tag::UTC_TIME)? {
        Some(time) => Some(time),
        None => tbs.optional(tag::GENERALIZED_TIME)?,
    };
    let next = next.map(|time| time.time()).transpose()?;
    tbs.optional(tag::SEQUENCE)?;
    let mut scope = Scope { users: true, authorities: true, names: None };
    if let Some(extensions) = tbs.optional(tag::context(0))? {
        for extension in extensions.reader().expect(tag::SEQUENCE)?.children()? {
            judge(extension, &mut scope)?;
        }
    }
    Ok((this, next, scope))
}

/// §5.2: a critical extension changes what the list means (deltas); of the issuing distribution point
/// all is understood but lists of other issuers, of some reasons and of attribute certificates.
fn judge(extension: Node<'_>, scope: &mut Scope) -> Result<(), DerError> {
    let mut reader = extension.reader();
    let kind = reader.next()?.oid()?;
    let critical = reader.optional(tag::BOOLEAN)?.map(|b| b.boolean()).transpose()?;
    if kind != ISSUING_DISTRIBUTION_POINT {
        return if critical == Some(true) { Err(DerError::Value) } else { Ok(()) };
    }
    let point = der::parse(reader.expect(tag::OCTET_STRING)?.content)?;
    for field in point.children()? {
        let set = field.content != [0];
        match field.tag {
            DISTRIBUTION_POINT => {
                let names = point_names(field)?;
                scope.names = Some(names.into_iter().map(<[u8]>::to_vec).collect());
            }
            ONLY_USERS => scope.authorities &= !set,
            ONLY_AUTHORITIES => scope.users &= !set,
            INDIRECT | ONLY_ATTRIBUTES if !set => {}
            _ => return Err(DerError::Value),
        }
    }
    Ok(())
}

fn read_entry(entry: &X509RevokedRef) -> Result<Entry, Unknown> {
    let malformed = |_| Unknown::MalformedCrl;
    let epoch = Asn1Time::from_unix(0).map_err(malformed)?;
    let since = epoch.diff(entry.revocation_date()).map_err(malformed)?;
    let secs = i64::from(since.days) * 86_400 + i64::from(since.secs);
    let reason = entry.extension::<ReasonCode>().ok().flatten();
    let reason = reason.and_then(|(_, reason)| u8::try_from(reason.get_i64().ok()?).ok());
    Ok(Entry { at: Timestamp::from_secs(secs), reason })
}

const DISTRIBUTION_POINT: u8 = tag::context(0);
const ONLY_USERS: u8 = tag::context_primitive(1);
const ONLY_AUTHORITIES: u8 = tag::context_primitive(2);
const INDIRECT: u8 = tag::context_primitive(4);
const ONLY_ATTRIBUTES: u8 = tag::context_primitive(5);

const ISSUING_DISTRIBUTION_POINT: Oid = Oid::new_unwrap("2.5.29.28");
