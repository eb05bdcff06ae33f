//! From a certificate up to an anchor: chain, validity, strength, and use by role.
//! Each role has its own anchors, so that a user's key can't seal and a seal key can't stamp.

use super::error::read_file;
use super::{Certificate, TrustError};
use crate::wire::Timestamp;
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::stack::Stack;
use openssl::x509::X509StoreContext;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use std::path::{Path as FilePath, PathBuf};

/// What a certificate is used for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    Seal,
    TimeStamp,
    User,
    Tls,
}

/// The certificates that a role trusts without further proof.
pub struct Anchors {
    certificates: Vec<Certificate>,
    store: X509Store,
}

/// A chain that holds between two instants: the certificate first, its anchor last.
#[derive(Clone, Debug)]
pub struct Path {
    certificates: Vec<Certificate>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathFault {
    #[error("{subject}: no trusted authority stands behind it ({why})")]
    Untrusted { subject: String, why: String },
    #[error("{subject}: expired at {at}")]
    Expired { subject: String, at: Timestamp },
    #[error("{subject}: not valid before {at}")]
    NotYetValid { subject: String, at: Timestamp },
    #[error("{subject}: signed with a weak or unknown digest")]
    WeakDigest { subject: String },
    #[error("{subject}: a key of {bits} bits is too short")]
    WeakKey { subject: String, bits: u32 },
    #[error("{subject}: its key usage does not allow this")]
    KeyUsage { subject: String },
    #[error("{subject}: its purpose (extended key usage) does not allow this")]
    Purpose { subject: String },
}

impl Anchors {
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, TrustError> {
        let mut store = X509StoreBuilder::new()?;
        // An anchor need not be a root. Time is checked here, against the moment that matters.
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
        for certificate in &certificates {
            store.add_cert(certificate.x509().clone())?;
        }
        Ok(Self { certificates, store: store.build() })
    }

    /// A PEM file, or a folder of `.pem` and `.crt` files; at least one certificate.
    pub fn load(path: &FilePath) -> Result<Self, TrustError> {
        let mut certificates = Vec::new();
        for file in files(path)? {
            let found = Certificate::from_pem(&read_file(&file)?);
            certificates.extend(found.map_err(|e| TrustError::content(&file, e))?);
        }
        if certificates.is_empty() {
            return Err(TrustError::content(path, "no certificate in it"));
        }
        Self::new(certificates)
    }

    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The path of `certificate` for a role, through `others` as they are needed; without time.
    pub fn path(
        &self,
        certificate: &Certificate,
        others: &[Certificate],
        role: Role,
    ) -> Result<Path, PathFault> {
        let chain = self.chain(certificate, others)?;
        let path = Path { certificates: chain };
        path.check_strength()?;
        check_use(certificate, role)?;
        Ok(path)
    }

    fn chain(
        &self,
        certificate: &Certificate,
        others: &[Certificate],
    ) -> Result<Vec<Certificate>, PathFault> {
        let untrusted = |why: String| PathFault::Untrusted { subject: subject(certificate), why };
        let build = || {
            let mut pool = Stack::new()?;
            for other in others {
                pool.push(other.x509().clone())?;
            }
            let mut context = X509StoreContext::new()?;
            context.init(&self.store, certificate.x509(), &pool, |context| {
                let verified = context.verify_cert()?;
                let chain: Vec<_> =
                    context.chain().iter().flat_map(|c| c.iter()).map(|c| c.to_owned()).collect();
                Ok((verified, context.error(), chain))
            })
        };
        let (verified, error, chain) = build().map_err(|e| untrusted(e.to_string()))?;
        if !verified {
            return Err(untrusted(error.error_string().to_owned()));
        }
        let chain = chain.into_iter().map(Certificate::from_x509).collect::<Result<Vec<_>, _>>();
        chain.map_err(|e| untrusted(e.to_string()))
    }
}

impl Path {
    /// The certificate first, the anchor last.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// The certificate of who issued the first one; an anchor that is itself the first has none.
    pub fn issuer(&self) -> Option<&Certificate> {
        self.certificates.get(1)
    }

    /// When the first of them ends.
    pub fn ends(&self) -> Option<Timestamp> {
        self.certificates.iter().map(Certificate::not_after).min()
    }

    /// Each certificate is valid at that moment.
    pub fn check_at(&self, at: Timestamp) -> Result<(), PathFault> {
        for certificate in &self.certificates {
            if at < certificate.not_before() {
                let (subject, at) = (subject(certificate), certificate.not_before());
                return Err(PathFault::NotYetValid { subject, at });
            }
            if certificate.not_after() < at {
                let (subject, at) = (subject(certificate), certificate.not_after());
                return Err(PathFault::Expired { subject, at });
            }
        }
        Ok(())
    }

    /// The digest under an anchor does not matter: it is trusted as it stands.
    fn check_strength(&self) -> Result<(), PathFault> {
        let below_anchor = self.certificates.len().saturating_sub(1);
        for (at, certificate) in self.certificates.iter().enumerate() {
            let subject = || subject(certificate);
            if at < below_anchor && certificate.signature_digest().is_none() {
                return Err(PathFault::WeakDigest { subject: subject() });
            }
            let bits = certificate.key().bits();
            let least = if certificate.is_rsa() { RSA_LEAST } else { CURVE_LEAST };
            if bits < least {
                return Err(PathFault::WeakKey { subject: subject(), bits });
            }
        }
        Ok(())
    }
}

fn check_use(certificate: &Certificate, role: Role) -> Result<(), PathFault> {
    let usage = certificate.key_usage();
    let signs = usage.is_none_or(|u| u.digital_signature || u.non_repudiation);
    if !signs || certificate.is_authority() {
        return Err(PathFault::KeyUsage { subject: subject(certificate) });
    }
    let purposes = certificate.extended_key_usage();
    let named = |wanted: &[Oid]| {
        purposes.as_ref().is_none_or(|(_, all)| all.iter().any(|one| wanted.contains(one)))
    };
    let fits = match role {
        Role::Seal => named(&[EMAIL_PROTECTION, DOCUMENT_SIGNING, ANY_PURPOSE]),
        // RFC 3161 §2.3: only this one, and critical.
        Role::TimeStamp => purposes
            .as_ref()
            .is_some_and(|(critical, all)| *critical && all.as_slice() == [TIME_STAMPING]),
        // Qualified certificates carry other purposes or none; what counts is who issued them.
        Role::User => true,
        Role::Tls => named(&[SERVER_AUTH, ANY_PURPOSE]),
    };
    fits.then_some(()).ok_or_else(|| PathFault::Purpose { subject: subject(certificate) })
}

fn subject(certificate: &Certificate) -> String {
    certificate.subject().to_owned()
}

fn files(path: &FilePath) -> Result<Vec<PathBuf>, TrustError> {
    let wrap = |source| TrustError::File { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(wrap)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(wrap)? {
        let file = entry.map_err(wrap)?.path();
        if file.extension().is_some_and(|e| e == "pem" || e == "crt") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

const EMAIL_PROTECTION: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.4");
const TIME_STAMPING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.8");
const SERVER_AUTH: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.1");
/// RFC 9336.
const DOCUMENT_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.36");
const ANY_PURPOSE: Oid = Oid::new_unwrap("2.5.29.37.0");

/// ETSI TS 119 312: shorter ones are out of use.
const RSA_LEAST: u32 = 2048;
const CURVE_LEAST: u32 = 256;

#[cfg(test)]
mod tests;
