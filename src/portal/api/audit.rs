//! What was done about the account and by whom, as its holder and the operators who audit (*denetler*) read it.

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, Tag, Verb, params};
use super::kinds::{Limit, Number};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::audit::own::{self, OwnActor, OwnEntry};
use crate::store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/account/audit", "listAccountAudit", Tag::Account)
            .says(
                "Hesapla ilgili işlem kaydını yeniden eskiye listeler.",
                "Lists what was done about the account and by whom, the newest first.",
            )
            .needs(Scope::AccountAudit)
            .may_say([Problem::OperatorMayNot])
            .reads(list),
    ]
}

params! {
    AccountAuditListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// An act about the account.
#[derive(Serialize, ToSchema)]
struct AccountAct {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// `person`: the holder, an operator, a program with a token; `staff`: one of the provider's people; or
    /// `system`.
    #[schema(example = "person")]
    by: String,
    /// Of a person: his name.
    #[schema(example = "ali.veli@hs05.kep.tr / 001 Can Ak")]
    name: Option<String>,
    /// `api`, `portal`, `smtp`, `imap`, `command-line`, or `system`.
    #[schema(example = "portal")]
    channel: String,
    #[schema(example = "account.contact")]
    act: String,
    /// What is known of it, by names; never content.
    #[schema(value_type = Object, example = json!({ "fields": ["phone"] }))]
    details: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize, ToSchema)]
struct AccountActs {
    entries: Vec<AccountAct>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &AccountAuditListing) -> Answered<Json<AccountActs>> {
    let before = ask.before.map(|number| number.0);
    let found = own::page(tx, &call.account()?.address, before, Limit::of(ask.limit))?;
    Ok(Json(AccountActs { entries: found.into_iter().map(AccountAct::of).collect() }))
}

impl AccountAct {
    fn of(entry: OwnEntry) -> Self {
        let OwnEntry { n: number, at, actor, channel, act, details } = entry;
        let (by, name) = match actor {
            OwnActor::Staff => ("staff", None),
            OwnActor::System => ("system", None),
            OwnActor::Person(name) => ("person", Some(name)),
        };
        Self { number, at: at.iso8601(), by: by.to_owned(), name, channel, act, details }
    }
}
