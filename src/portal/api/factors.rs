//! Second factors of the person who asks: an authenticator app, its codes on paper, and whether two factors
//! are asked of him.

mod run;

use super::endpoint::{Endpoint, Tag, Verb};
use super::kinds::Code;
use super::problem::Problem;
use crate::registry::legal::LegalAct;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/factors", "showFactors", Tag::Credentials)
            .says("İkinci etkenleri gösterir.", "Shows the second factors.")
            .personal()
            .runs(run::show),
        Endpoint::new(Verb::Put, "/factors", "chooseFactors", Tag::Credentials)
            .says("İki etken istenip istenmeyeceğini seçer.", "Chooses whether two factors are asked.")
            .legal(LegalAct::Factors)
            .may_say([Problem::NoFactor])
            .runs(run::choose),
        Endpoint::new(Verb::Post, "/factors/app", "enrolApp", Tag::Credentials)
            .says(
                "Doğrulama uygulaması için yeni bir gizli anahtar verir; ilk koda kadar geçerli olmaz.",
                "Gives a new secret for an authenticator app; it proves nothing before its first code.",
            )
            .legal(LegalAct::Factors)
            .may_say([Problem::FactorThere])
            .runs(run::enrol),
        Endpoint::new(Verb::Post, "/factors/app/confirm", "confirmApp", Tag::Credentials)
            .says(
                "Uygulamayı ilk koduyla onaylar; yedek kodları verir.",
                "Confirms the app by its first code; gives the codes on paper.",
            )
            .legal(LegalAct::Factors)
            .may_say([
                Problem::CodeWrong,
                Problem::NoFactor,
                Problem::FactorThere,
                Problem::LoginLocked(String::from("{}")),
            ])
            .runs(run::confirm),
        Endpoint::new(Verb::Delete, "/factors/app", "removeApp", Tag::Credentials)
            .says("Doğrulama uygulamasını kaldırır.", "Takes the app away, with its codes on paper.")
            .legal(LegalAct::Factors)
            .may_say([Problem::NoFactor, Problem::LastFactor])
            .runs(run::remove),
        Endpoint::new(Verb::Post, "/factors/backup-codes", "renewBackupCodes", Tag::Credentials)
            .says("Yeni yedek kodlar verir; eskileri geçersiz olur.", "Gives new codes on paper; the old ones are void.")
            .legal(LegalAct::Factors)
            .may_say([Problem::NoFactor])
            .runs(run::renew),
    ]
}

/// Second factors, as far as they are known.
#[derive(Serialize, ToSchema)]
struct Factors {
    /// Whether two are asked: by the provider's policy, or by choice.
    #[schema(example = false)]
    asked: bool,
    /// Whether the person has chosen so.
    #[schema(example = false)]
    chosen: bool,
    app: Option<AuthenticatorApp>,
    #[schema(minimum = 0, example = 1)]
    passkeys: usize,
}

#[derive(Serialize, ToSchema)]
struct AuthenticatorApp {
    /// None: its first code was not shown yet.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    confirmed: Option<String>,
    /// Codes on paper that are left.
    #[schema(minimum = 0, example = 10)]
    backup_codes: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorChoice {
    /// Whether two factors are asked.
    #[schema(example = true)]
    asked: bool,
}

/// What the app is to learn, once.
#[derive(Serialize, ToSchema)]
struct AppSecret {
    /// For a picture.
    #[schema(example = "otpauth://totp/…")]
    uri: String,
    /// For who types it: base 32.
    #[schema(example = "JBSWY3DPEHPK3PXP")]
    secret: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstCode {
    #[schema(inline)]
    code: Code,
}

/// Codes on paper; each serves once.
#[derive(Serialize, ToSchema)]
struct BackupCodes {
    #[schema(example = json!(["abcde-fghij"]))]
    codes: Vec<String>,
}
