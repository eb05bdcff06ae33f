//! Credits of an account: what became of them, what was bought, and what is set right by two of the staff.

use super::accounts::{OneAccount, named};
use super::duty::{COUNTS, SEES_FILES, on_duty};
use super::proposals::Proposal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::credits::Credits;
use crate::portal::api::endpoint::{Created, Endpoint, Json, Tag, Verb, params};
use crate::portal::api::kinds::{Limit, Name, Number, Reason, Reference, UnitWord, whole};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::credits::{self, Addition, CreditError, Done, Entry as Row, Unit};
use crate::registry::proposals::{self, Act};
use crate::store::{Tx, credits as rows};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let get = |path, id| {
        Endpoint::new(Verb::Get, path, id, Tag::Staff).needs(Scope::StaffAccounts).may_say([
            Problem::NotStaff,
            Problem::StaffRole(some()),
            Problem::AccountUnknown,
        ])
    };
    let post = |path, id| {
        Endpoint::new(Verb::Post, path, id, Tag::Staff).needs(Scope::StaffAccounts).named().may_say(
            [
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::AccountUnknown,
                Problem::ReferenceTaken,
                Problem::CreditsUnfit(some()),
                Problem::FormUnfit(some()),
            ],
        )
    };
    vec![
        get("/staff/accounts/{address}/credits", "showStaffCredits")
            .says("Hesabın kontörünü gösterir.", "Shows what credits an account has.")
            .reads(balance),
        get("/staff/accounts/{address}/credits/entries", "listLedger")
            .says(
                "Hesabın kontör hareketlerini yeniden eskiye listeler.",
                "Lists the entries of an account's ledger, the newest first.",
            )
            .reads(ledger),
        post("/staff/accounts/{address}/credits/top-ups", "topUpCredits")
            .says(
                "Satın alınan kontörü yükler; aynı başvuru numarası bir kez sayılır.",
                "Puts credits in that were bought; the same reference counts once.",
            )
            .writes(top_up),
        post("/staff/accounts/{address}/credits/corrections", "proposeCorrection")
            .says(
                "Kontör düzeltmesi önerir; başka bir personel onaylayınca yapılır.",
                "Proposes to set credits right: done when another member of staff approves.",
            )
            .writes(correct),
    ]
}

params! {
    Ledger {
        path address: Name = "ali.veli@hs05.kep.tr", "The account's address.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// An entry of the ledger, with who made it.
#[derive(Serialize, ToSchema)]
struct LedgerEntry {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// `reserve`, `spend`, `release`, `give-back`, `sms`, `top-up`, or `correct`.
    #[schema(example = "top-up")]
    kind: String,
    #[schema(example = "top-up")]
    from: String,
    #[schema(example = "available")]
    to: String,
    #[schema(example = 100)]
    amount: i64,
    /// What was left after it.
    #[schema(example = 118)]
    rest: i64,
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: Option<String>,
    #[schema(example = "Satış")]
    reason: Option<String>,
    #[schema(example = "Dekont 2026/117")]
    reference: Option<String>,
    #[schema(example = "staff:selin")]
    by: Option<String>,
    #[schema(example = "can")]
    approved_by: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct LedgerEntries {
    entries: Vec<LedgerEntry>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreditTopUp {
    #[schema(inline)]
    unit: UnitWord,
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 100)]
    #[serde(deserialize_with = "whole")]
    amount: i64,
    #[schema(inline)]
    reason: Reason,
    #[schema(inline)]
    reference: Reference,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreditCorrection {
    #[schema(inline)]
    unit: UnitWord,
    /// Less than nothing takes away.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, example = -5)]
    #[serde(deserialize_with = "whole")]
    amount: i64,
    #[schema(inline)]
    reason: Reason,
    #[schema(inline)]
    reference: Reference,
}

/// What the account has now.
#[derive(Serialize, ToSchema)]
struct ToppedUp {
    /// It was done before, by the same reference: nothing changed now.
    before: bool,
    credits: Credits,
}

fn balance(tx: &mut Tx<'_>, call: &Call, ask: &OneAccount) -> Answered<Json<Credits>> {
    on_duty(tx, call, SEES_FILES)?;
    let account = named(tx, &ask.address)?;
    Ok(Json(Credits::of(&rows::balance(tx, account.id)?)))
}

fn ledger(tx: &mut Tx<'_>, call: &Call, ask: &Ledger) -> Answered<Json<LedgerEntries>> {
    on_duty(tx, call, SEES_FILES)?;
    let account = named(tx, &ask.address)?;
    let before = ask.before.map(|number| number.0);
    let found = rows::entries(tx, account.id, before, Limit::of(ask.limit))?;
    Ok(Json(LedgerEntries { entries: found.iter().map(LedgerEntry::of).collect() }))
}

fn top_up(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    body: &Json<CreditTopUp>,
) -> Answered<Json<ToppedUp>> {
    let by = on_duty(tx, call, COUNTS)?;
    let address = named(tx, &ask.address)?.address;
    let CreditTopUp { unit, amount, reason, reference } = &body.0;
    let (reason, reference) = (reason.0.clone(), reference.0.clone());
    let what = Addition { unit: unit.0, amount: *amount, reason, reference };
    let done = credits::top_up_in(tx, &by, &address, &what)?;
    let before = matches!(done, Done::Before(_));
    Ok(Json(ToppedUp { before, credits: Credits::of(&done.balance()) }))
}

fn correct(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    body: &Json<CreditCorrection>,
) -> Answered<Created<Proposal>> {
    let by = on_duty(tx, call, COUNTS)?;
    let CreditCorrection { unit, amount, reason, reference } = &body.0;
    let act = Act::Correct {
        address: named(tx, &ask.address)?.address.to_string(),
        sms: unit.0 == Unit::Sms,
        amount: *amount,
        reason: reason.0.clone(),
        reference: reference.0.clone(),
    };
    Ok(Proposal::created(&proposals::propose(tx, &act, &by)?))
}

impl LedgerEntry {
    fn of(row: &Row) -> Self {
        let details: serde_json::Value = serde_json::from_str(&row.details).unwrap_or_default();
        let text = |key: &str| details[key].as_str().map(str::to_owned);
        Self {
            number: row.seq,
            at: row.at.iso8601(),
            kind: row.kind.word().to_owned(),
            from: row.from.word().to_owned(),
            to: row.to.word().to_owned(),
            amount: row.amount,
            rest: row.rest,
            message_id: row.message.clone(),
            reason: text("reason"),
            reference: text("reference"),
            by: text("by"),
            approved_by: text("approved_by"),
        }
    }
}

impl From<CreditError> for Problem {
    fn from(error: CreditError) -> Self {
        match error {
            CreditError::Registry(error) => error.into(),
            CreditError::Store(error) => error.into(),
            CreditError::Taken(_) => Self::ReferenceTaken,
            CreditError::SamePerson => Self::SecondPersonNeeded,
            CreditError::NotStaff => Self::NotStaff,
            CreditError::NoApprover(_) => Self::StaffRole("approver".to_owned()),
            CreditError::Reason => Self::FormUnfit(error.to_string()),
            unfit @ (CreditError::Amount | CreditError::Reference | CreditError::Short(_)) => {
                Self::CreditsUnfit(unfit.to_string())
            }
            CreditError::Staff(error) => {
                tracing::error!(%error, "api");
                Self::Unavailable
            }
        }
    }
}
