//! Certificates that are read from the same octets again and again: a provider's in the registry, and the
//! one that it shows on its connections. Parsing one costs more than verifying with it.

use super::Certificate;
use crate::trust::TrustError;
use crate::trust::cache::{Cache, FOREVER};
use crate::wire::{Digest, Timestamp, sha256};
use std::sync::LazyLock;

impl Certificate {
    /// As `from_der`, of octets that may come again.
    pub fn from_der_kept(octets: &[u8]) -> Result<Self, TrustError> {
        let one = |octets: &[u8]| Self::from_der(octets).map(|one| vec![one]);
        let found = kept(Form::Der, octets, one)?.into_iter().next();
        found.ok_or_else(|| TrustError::Certificate("none".to_owned()))
    }

    /// As `from_pem`, of octets that may come again.
    pub fn from_pem_kept(octets: &[u8]) -> Result<Vec<Self>, TrustError> {
        kept(Form::Pem, octets, Self::from_pem)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Der,
    Pem,
}

fn kept(
    form: Form,
    octets: &[u8],
    parse: impl FnOnce(&[u8]) -> Result<Vec<Certificate>, TrustError>,
) -> Result<Vec<Certificate>, TrustError> {
    static KEPT: LazyLock<Cache<(Form, Digest), Vec<Certificate>>> =
        LazyLock::new(|| Cache::new(CAPACITY));
    if octets.len() > LARGEST {
        return parse(octets);
    }
    let name = (form, sha256(octets));
    if let Some(known) = KEPT.get(&name, NEVER) {
        return Ok(known);
    }
    let parsed = parse(octets)?;
    KEPT.put(name, parsed.clone(), FOREVER);
    Ok(parsed)
}

/// A few for each provider of the country, and whatever strangers show.
const CAPACITY: usize = 256;
const LARGEST: usize = 16 << 10;
/// What was parsed once holds.
const NEVER: Timestamp = Timestamp::from_millis(0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pki::{CertificateAuthority, KeyKind};

    #[test]
    fn what_is_kept_is_what_was_read() {
        let now = Timestamp::from_secs(1_795_000_000);
        let authority = CertificateAuthority::create("x", KeyKind::P256, now).unwrap();
        let certificate = authority.certificate();
        for _ in 0..2 {
            let pem = Certificate::from_pem_kept(certificate.pem().as_bytes()).unwrap();
            assert_eq!((pem.len(), &pem[0]), (1, certificate));
            assert_eq!(Certificate::from_der_kept(certificate.der()).unwrap(), *certificate);
            assert!(Certificate::from_der_kept(b"").is_err());
            assert!(Certificate::from_der_kept(certificate.pem().as_bytes()).is_err());
        }
    }
}
