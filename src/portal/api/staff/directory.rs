//! Who asked the directory what kind of question, by which keys, and how much was told; not what was asked.

use super::accounts::named;
use super::duty::{AUDITS, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Verb, params};
use crate::portal::api::kinds::{Limit, Name, Number};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::directory::{self, Asked as Row};
use crate::store::{RowsError, Tx, accounts};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/staff/directory-log", "listDirectoryLog", Tag::Staff)
            .says(
                "Rehber sorgularının kaydını yeniden eskiye listeler.",
                "Lists who asked the directory, the newest first.",
            )
            .needs(Scope::StaffAudit)
            .may_say([Problem::NotStaff, Problem::StaffRole("{}".into()), Problem::AccountUnknown])
            .reads(list),
    ]
}

params! {
    DirectoryLogListing {
        query account: Name = "ali.veli@hs05.kep.tr", "Of this account only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// A question to the directory.
#[derive(Serialize, ToSchema)]
struct StaffDirectoryQuery {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    account: String,
    #[schema(example = "person:7:ali.veli@hs05.kep.tr")]
    actor: String,
    #[schema(example = "api")]
    channel: String,
    #[schema(example = "person")]
    kind: String,
    /// Which keys were given, and not their values.
    #[schema(example = json!(["given", "family"]))]
    keys: Vec<String>,
    /// How many entries were told; none when it was not answered.
    #[schema(minimum = 0, example = 3)]
    results: Option<i64>,
    #[schema(example = "answered")]
    central: String,
}

#[derive(Serialize, ToSchema)]
struct StaffDirectoryLog {
    queries: Vec<StaffDirectoryQuery>,
}

fn list(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &DirectoryLogListing,
) -> Answered<Json<StaffDirectoryLog>> {
    on_duty(tx, call, AUDITS)?;
    let account = ask.account.as_ref().map(|address| named(tx, address)).transpose()?;
    let (account, before) = (account.map(|one| one.id), ask.before.map(|number| number.0));
    let found = directory::log_page(tx, account, before, Limit::of(ask.limit))?;
    let queries: Result<_, RowsError> =
        found.iter().map(|row| StaffDirectoryQuery::of(tx, row)).collect();
    Ok(Json(StaffDirectoryLog { queries: queries? }))
}

impl StaffDirectoryQuery {
    fn of(tx: &mut Tx<'_>, row: &Row) -> Result<Self, RowsError> {
        Ok(Self {
            number: row.id,
            at: row.asked_at.iso8601(),
            account: accounts::by_id(tx, row.account)?.address,
            actor: row.actor.clone(),
            channel: row.channel.clone(),
            kind: row.kind.clone(),
            keys: row.keys.split_whitespace().map(str::to_owned).collect(),
            results: row.results,
            central: row.central.clone(),
        })
    }
}
