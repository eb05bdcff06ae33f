//! Certificates of the person who asks: what he signs with (S/MIME), and what he logs in with (TLS).

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Base64, Fingerprint};
use super::problem::Problem;
use crate::registry::CertificateUse;
use crate::registry::credentials::certificates::Registered;
use crate::registry::legal::LegalAct;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/certificates", "listCertificates", Tag::Credentials)
            .says("Kayıtlı sertifikaları listeler.", "Lists the registered certificates.")
            .personal()
            .runs(run::list),
        Endpoint::new(Verb::Post, "/certificates", "addCertificate", Tag::Credentials)
            .says("Sertifika kaydeder.", "Registers a certificate.")
            .legal(LegalAct::Certificate)
            .may_say([Problem::CredentialUnfit(some()), Problem::CredentialsMany(some())])
            .runs(run::add),
        Endpoint::new(
            Verb::Delete,
            "/certificates/{fingerprint}",
            "removeCertificate",
            Tag::Credentials,
        )
        .says("Kayıtlı sertifikayı kaldırır.", "Takes a registered certificate away.")
        .legal(LegalAct::Certificate)
        .may_say([Problem::CredentialUnknown])
        .runs(run::remove),
    ]
}

params! {
    OneCertificate {
        path fingerprint: Fingerprint = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "SHA-256, in hex.";
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CertificateUseWord)]
enum Use {
    Sign,
    Login,
    Both,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    /// The certificate, in DER.
    #[schema(inline)]
    certificate: Base64,
    #[serde(rename = "use")]
    uses: Use,
}

/// A certificate that is registered.
#[derive(Serialize, ToSchema)]
#[schema(as = CertificateShown)]
struct Shown {
    #[schema(example = "CN=Ali Veli")]
    subject: String,
    #[schema(example = "CN=Örnek ESHS")]
    issuer: String,
    #[schema(example = "0a1b2c")]
    serial: String,
    /// SHA-256, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    fingerprint: String,
    #[serde(rename = "use")]
    uses: Use,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    added: String,
}

#[derive(Serialize, ToSchema)]
struct Certificates {
    certificates: Vec<Shown>,
}

impl Use {
    fn meant(self) -> CertificateUse {
        match self {
            Self::Sign => CertificateUse::Sign,
            Self::Login => CertificateUse::Login,
            Self::Both => CertificateUse::Both,
        }
    }
}

impl Shown {
    fn of(one: &Registered) -> Self {
        let certificate = &one.certificate;
        Self {
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            serial: certificate.serial().to_owned(),
            fingerprint: certificate.digest().hex(),
            uses: match one.uses {
                CertificateUse::Sign => Use::Sign,
                CertificateUse::Login => Use::Login,
                CertificateUse::Both => Use::Both,
            },
            added: one.added_at.iso8601(),
        }
    }
}
