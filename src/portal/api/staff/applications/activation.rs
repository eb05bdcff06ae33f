//! An approved application becomes an account, with its contract and its first password.

use super::{Application, run, tag};
use crate::portal::api::contract::Term;
use crate::portal::api::endpoint::{Endpoint, Tag, Tagged, Verb};
use crate::portal::api::kinds::SecretText;
use crate::portal::api::problem::{Both, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::applications::Application as Row;
use crate::registry::contracts::Contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operation() -> Endpoint {
    let path = "/staff/applications/{application}/activate";
    Endpoint::new(Verb::Post, path, "activateApplication", Tag::Staff)
        .says(
            "Onaylanmış başvurunun hesabını ve sözleşmesini, ilk parolasıyla açar.",
            "Opens the account of an approved application and its contract, with a first password.",
        )
        .needs(Scope::StaffAccounts)
        .named()
        .guarded()
        .may_say([
            Problem::NotStaff,
            Problem::StaffRole("{}".into()),
            Problem::ApplicationUnknown,
            Problem::ApplicationMistimed("{}".into()),
            Problem::AddressNotGiven(Both::any()),
            Problem::AccountStanding("{}".into()),
            Problem::NotTheHolder,
            Problem::PasswordUnfit("{}".into()),
        ])
        .runs(run::activate)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationActivation {
    /// The account's first one, by the rules of all.
    #[schema(inline)]
    pub password: SecretText,
}

/// What came of an application.
#[derive(Serialize, ToSchema)]
pub struct ActivatedApplication {
    application: Application,
    contract: Term,
}

pub fn activated(row: &Row, contract: &Contract) -> Tagged<ActivatedApplication> {
    let (application, contract) = (Application::of(row), Term::of(contract));
    Tagged(ActivatedApplication { application, contract }, tag(row))
}
