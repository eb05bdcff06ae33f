//! Passkeys of the person who asks.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Name, PasskeyAnswer, StepToken, TextLine};
use super::problem::Problem;
use crate::registry::credentials::passkeys::Passkey;
use crate::registry::legal::LegalAct;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/passkeys", "listPasskeys", Tag::Credentials)
            .says("Geçiş anahtarlarını listeler.", "Lists the passkeys.")
            .personal()
            .runs(run::list),
        Endpoint::new(Verb::Post, "/passkeys/options", "askForNewPasskey", Tag::Credentials)
            .says(
                "Yeni bir geçiş anahtarı için ne gerektiğini verir.",
                "Gives what a new passkey is asked by.",
            )
            .legal(LegalAct::Factors)
            .may_say([Problem::PasskeysOff])
            .runs(run::options),
        Endpoint::new(Verb::Post, "/passkeys", "addPasskey", Tag::Credentials)
            .says("Geçiş anahtarı kaydeder.", "Registers a passkey.")
            .legal(LegalAct::Factors)
            .may_say([
                Problem::LoginExpired,
                Problem::PasskeysOff,
                Problem::PasskeyUnfit(some()),
                Problem::CredentialThere,
                Problem::CredentialUnfit(some()),
                Problem::CredentialsMany(some()),
            ])
            .runs(run::add),
        Endpoint::new(Verb::Patch, "/passkeys/{passkey}", "renamePasskey", Tag::Credentials)
            .says("Geçiş anahtarına başka bir ad verir.", "Gives a passkey another name.")
            .personal()
            .may_say([Problem::CredentialUnknown, Problem::CredentialUnfit(some())])
            .runs(run::rename),
        Endpoint::new(Verb::Delete, "/passkeys/{passkey}", "removePasskey", Tag::Credentials)
            .says("Geçiş anahtarını kaldırır.", "Takes a passkey away.")
            .legal(LegalAct::Factors)
            .may_say([Problem::CredentialUnknown, Problem::LastFactor])
            .runs(run::remove),
    ]
}

params! {
    OnePasskey {
        path passkey: Name = "AbCdEf", "The passkey's id, as browsers write it.";
    }
}

/// A passkey, as far as it is known.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyShown)]
struct Shown {
    #[schema(example = "AbCdEf")]
    id: String,
    #[schema(example = "Telefon")]
    name: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    added: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    used: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Passkeys {
    passkeys: Vec<Shown>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPasskey {
    #[schema(inline)]
    token: StepToken,
    #[schema(inline)]
    answer: PasskeyAnswer,
    #[schema(inline)]
    name: TextLine,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasskeyName {
    #[schema(inline)]
    name: TextLine,
}

impl Shown {
    fn of(one: &Passkey) -> Self {
        Self {
            id: one.id.clone(),
            name: one.name.clone(),
            added: one.added_at.iso8601(),
            used: one.used_at.map(|at| at.iso8601()),
        }
    }
}
