//! The holder's wish to close the account, our word for it, and its withdrawal.

use super::call::{Answered, Call};
use super::endpoint::{Created, Endpoint, Json, NoWords, PlainFile, Tag, Verb, params};
use super::kinds::{FormText, Limit, Number};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::closings::{self, Closing as Row, Outcome, Receipt};
use crate::registry::legal::LegalAct;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let at = |verb, path, id| Endpoint::new(verb, path, id, Tag::Affairs);
    let one = "/account/closings/{closing}";
    let some = || String::from("{}");
    let decides = || {
        [
            Problem::AccountStanding(some()),
            Problem::OperatorMayNot,
            Problem::AccountReadOnly(some()),
        ]
    };
    let receipt = || [Problem::ClosingUnknown, Problem::ReceiptUnsigned];
    vec![
        at(Verb::Get, "/account/closings", "listClosings")
            .says(
                "Hesabı kapatma taleplerini, en yenisi başta olmak üzere listeler.",
                "Lists the requests to close the account, the newest first.",
            )
            .needs(Scope::AccountRead)
            .reads(list),
        at(Verb::Post, "/account/closings", "requestClosing")
            .says(
                "Hesabın kapatılmasını ister; tamamlanmadan geri alınabilir.",
                "Asks for the account to be closed; until that is done it can be withdrawn.",
            )
            .legal(LegalAct::Closing)
            .acts(Act::Manage)
            .may_say(decides().into_iter().chain([Problem::FormUnfit(some())]))
            .named()
            .writes(request),
        at(Verb::Get, one, "showClosing")
            .says("Bir kapatma talebini gösterir.", "Shows a request to close the account.")
            .needs(Scope::AccountRead)
            .may_say([Problem::ClosingUnknown])
            .reads(show),
        at(Verb::Post, "/account/closings/{closing}/withdraw", "withdrawClosing")
            .says("Kapatma talebini geri alır.", "Withdraws a request to close the account.")
            .legal(LegalAct::Closing)
            .acts(Act::Manage)
            .may_say(decides().into_iter().chain([Problem::ClosingUnknown]))
            .named()
            .writes(withdraw),
        at(Verb::Get, "/account/closings/{closing}/receipt", "downloadReceipt")
            .says(
                "Talebin alındısını, imzalanan metin olarak indirir.",
                "Downloads our receipt for a request: the text that is signed.",
            )
            .needs(Scope::AccountRead)
            .may_say(receipt())
            .reads(text),
        at(Verb::Get, "/account/closings/{closing}/receipt/signature", "downloadReceiptSignature")
            .says(
                "Alındının zaman damgalı imzasını (CAdES) indirir.",
                "Downloads the receipt's signature with its time stamp: detached CAdES, in DER.",
            )
            .needs(Scope::AccountRead)
            .may_say(receipt())
            .reads(signature),
    ]
}

params! {
    OneClosing {
        path closing: Number = 3, "The request's number.";
    }
}

params! {
    ClosingListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClosingRequest {
    #[schema(inline)]
    reason: Option<FormText>,
}

/// A wish to close the account, and what became of it.
#[derive(Serialize, ToSchema)]
struct Closing {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    requested: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    by: String,
    #[schema(example = "Şirket kapanıyor")]
    reason: String,
    /// When it completes by itself; none: the provider completes it.
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    completes: Option<String>,
    /// `open`, `withdrawn`, or `completed`.
    #[schema(example = "open")]
    state: String,
    /// When that was decided.
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    decided: Option<String>,
    /// The time stamp of its receipt; none: it is not signed yet.
    #[schema(format = DateTime, example = "2026-11-29T09:00:01.000Z")]
    stamped: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Closings {
    closings: Vec<Closing>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &ClosingListing) -> Answered<Json<Closings>> {
    let before = ask.before.map(|number| number.0);
    let page = closings::page(tx, call.account_id()?, before, Limit::of(ask.limit))?;
    Ok(Json(Closings { closings: page.iter().map(Closing::of).collect() }))
}

fn request(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<ClosingRequest>,
) -> Answered<Created<Closing>> {
    call.may_add_in(tx)?;
    let (account, reason) = (call.account()?, new.0.reason.as_ref());
    let reason = reason.map(|reason| reason.0.as_str()).unwrap_or_default();
    let made = closings::request_in(tx, account.id, &account.address, reason, &call.by()?)?;
    Ok(Created { value: Closing::of(&made), at: format!("/account/closings/{}", made.id) })
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing) -> Answered<Json<Closing>> {
    Ok(Json(Closing::of(&known(tx, call, ask)?)))
}

fn withdraw(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing, _: &()) -> Answered<Json<Closing>> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    let there = known(tx, call, ask)?;
    if there.outcome != Outcome::Open {
        let state = account.state_at(call.now).word().to_owned();
        return Err(Problem::AccountStanding(state));
    }
    closings::withdraw_in(tx, account.id, &account.address, &call.by()?)?;
    Ok(Json(Closing::of(&known(tx, call, ask)?)))
}

fn text(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing) -> Answered<PlainFile> {
    let Receipt { text, .. } = receipt(tx, call, ask)?;
    Ok(PlainFile { name: file(ask, "txt"), octets: text })
}

fn signature(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing) -> Answered<PlainFile> {
    let Receipt { signature, .. } = receipt(tx, call, ask)?;
    Ok(PlainFile { name: file(ask, "txt.p7s"), octets: signature })
}

fn receipt(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing) -> Answered<Receipt> {
    known(tx, call, ask)?.receipt.ok_or(Problem::ReceiptUnsigned)
}

/// As the command line names it.
fn file(ask: &OneClosing, end: &str) -> String {
    format!("closing-{}.{end}", ask.closing.0)
}

fn known(tx: &mut Tx<'_>, call: &Call, ask: &OneClosing) -> Answered<Row> {
    closings::find(tx, call.account_id()?, ask.closing.0)?.ok_or(Problem::ClosingUnknown)
}

impl Closing {
    fn of(row: &Row) -> Self {
        let decided = match row.outcome {
            Outcome::Open => None,
            Outcome::Withdrawn(at) | Outcome::Completed(at) => Some(at.iso8601()),
        };
        Self {
            number: row.id,
            requested: row.requested_at.iso8601(),
            by: row.requested_by.clone(),
            reason: row.reason.clone(),
            completes: row.completes_at.map(|at| at.iso8601()),
            state: row.outcome.word().to_owned(),
            decided,
            stamped: row.receipt.as_ref().map(|receipt| receipt.stamped_at.iso8601()),
        }
    }
}
