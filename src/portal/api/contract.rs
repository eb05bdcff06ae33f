//! The account's contract: its terms, and its renewal by the holder when it ends soon.

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Tagged, Verb, params};
use super::kinds::{Limit, Number};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::contracts::{self, Contract as Row};
use crate::registry::legal::LegalAct;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/account/contract", "showContract", Tag::Affairs)
            .says(
                "Sözleşmenin dönemlerini, en yenisi başta olmak üzere gösterir.",
                "Shows the contract's terms, the newest first.",
            )
            .needs(Scope::AccountRead)
            .reads(show),
        Endpoint::new(Verb::Post, "/account/contract/renew", "renewContract", Tag::Affairs)
            .says(
                "Süresi dolan ya da dolmak üzere olan sözleşmeyi yeniler.",
                "Renews the contract when it ends soon, or is over.",
            )
            .legal(LegalAct::Contract)
            .acts(Act::Manage)
            .guarded()
            .may_say([
                Problem::ContractNone,
                Problem::ContractEarly(some()),
                Problem::AccountStanding(some()),
                Problem::OperatorMayNot,
                Problem::AccountReadOnly(some()),
            ])
            .named()
            .writes(renew),
    ]
}

params! {
    TermListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// A contract, term by term.
#[derive(Serialize, ToSchema)]
struct Contract {
    terms: Vec<Term>,
    /// From when on the holder may renew it; none: there is no contract.
    #[schema(format = DateTime, example = "2027-10-29T20:59:59.999Z")]
    renewable: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ContractTerm)]
pub struct Term {
    #[schema(minimum = 1, example = 1)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    starts: String,
    /// Its last moment, which ends a day in Turkey.
    #[schema(format = DateTime, example = "2027-11-28T20:59:59.999Z")]
    ends: String,
    /// When it was agreed.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    made: String,
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &TermListing) -> Answered<Tagged<Contract>> {
    let terms = contracts::terms(tx, call.account_id()?)?;
    let last = terms.first();
    let renewable = last.map(|last| contracts::renewable_from(tx, last, call.now)).transpose()?;
    let before = ask.before.map_or(i64::MAX, |number| number.0);
    let page = terms.iter().filter(|term| term.n < before).take(Limit::of(ask.limit));
    let value = Contract {
        terms: page.map(Term::of).collect(),
        renewable: renewable.map(|from| from.iso8601()),
    };
    Ok(Tagged(value, version(&terms)))
}

fn renew(tx: &mut Tx<'_>, call: &Call, _: &NoWords, _: &()) -> Answered<Json<Term>> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    call.matches(&version(&contracts::terms(tx, account.id)?))?;
    let term = contracts::renew_own(tx, account.id, &account.address, &call.by()?)?;
    Ok(Json(Term::of(&term)))
}

fn version(terms: &[Row]) -> String {
    terms.first().map_or(0, |last| last.n).to_string()
}

impl Term {
    pub fn of(row: &Row) -> Self {
        Self {
            number: row.n,
            starts: row.starts_at.iso8601(),
            ends: row.ends_at.iso8601(),
            made: row.made_at.iso8601(),
        }
    }
}
