//! The development hierarchy: authorities for seal, time stamps, users and TLS, and what they issue.
//! Real providers buy these certificates; here they are made so that everything can be tried.

mod authority;
mod profile;
mod status;

pub use authority::{CertificateAuthority, Issued};
pub use profile::{Links, Profile};
pub use status::Revoked;

use super::TrustError;
use crate::wire::Timestamp;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

#[cfg(test)]
mod tests;

/// The kinds of key that are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyKind {
    #[default]
    P256,
    Rsa2048,
    Rsa3072,
}

/// The four roots of a development provider: each role its own.
pub struct Hierarchy {
    pub seal: CertificateAuthority,
    pub tsa: CertificateAuthority,
    pub user: CertificateAuthority,
    pub tls: CertificateAuthority,
}

impl Hierarchy {
    pub fn create(kind: KeyKind, now: Timestamp) -> Result<Self, TrustError> {
        let root = |of: &str| {
            CertificateAuthority::create(&format!("KEP Geliştirme {of} Kökü"), kind, now)
        };
        Ok(Self {
            seal: root("İşlem")?,
            tsa: root("Zaman Damgası")?,
            user: root("Kullanıcı")?,
            tls: root("TLS")?,
        })
    }
}

impl KeyKind {
    /// As the command line names it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "p256" => Some(Self::P256),
            "rsa2048" => Some(Self::Rsa2048),
            "rsa3072" => Some(Self::Rsa3072),
            _ => None,
        }
    }

    pub(super) fn generate(self) -> Result<PKey<Private>, TrustError> {
        Ok(match self {
            Self::P256 => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                PKey::from_ec_key(EcKey::generate(&group)?)?
            }
            Self::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?)?,
            Self::Rsa3072 => PKey::from_rsa(Rsa::generate(3072)?)?,
        })
    }
}
