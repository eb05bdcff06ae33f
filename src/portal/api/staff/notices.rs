//! What people were to be told outside KEP, and what became of it; what could not be said is said again. What it
//! says is not shown.

use super::accounts::named;
use super::duty::{REGISTERS, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Verb, params};
use crate::portal::api::kinds::{Limit, Name, NoticeStateWord, Number};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::outbox::{self, Retried};
use crate::store::outbox::{self as rows, OutgoingRow, Which};
use crate::store::{RowsError, Tx, accounts};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let one = |verb, path, id| {
        Endpoint::new(verb, path, id, Tag::Staff).needs(Scope::StaffAccounts).may_say([
            Problem::NotStaff,
            Problem::StaffRole(some()),
            Problem::NoticeUnknown,
        ])
    };
    let retries = [
        Problem::NotStaff,
        Problem::StaffRole(some()),
        Problem::NoticeUnknown,
        Problem::NoticeUnderWay,
        Problem::NoticeGone,
    ];
    vec![
        Endpoint::new(Verb::Get, "/staff/notices", "listStaffNotices", Tag::Staff)
            .says(
                "Bekleyen ve gönderilemeyen bildirimleri, istenirse başka durumdakileri listeler.",
                "Lists notices that wait or failed, or those in another state; the newest first.",
            )
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some()), Problem::AccountUnknown])
            .reads(list),
        one(Verb::Get, "/staff/notices/{notice}", "showStaffNotice")
            .says(
                "Bir bildirimi, parçalarının alındılarıyla gösterir.",
                "Shows a notice, with the receipts of its parts.",
            )
            .reads(show),
        one(Verb::Post, "/staff/notices/{notice}/retry", "retryNotice")
            .says(
                "Bekleyen ya da gönderilemeyen bildirimi şimdi yeniden dener.",
                "Tries one that waits, or that failed, again now.",
            )
            .named()
            .may_say(retries)
            .writes(retry),
    ]
}

params! {
    OneNotice {
        path notice: Number = 42, "The notice's number.";
    }
}

params! {
    StaffNoticeListing {
        query state: NoticeStateWord = "failed", "Those that are so only.";
        query account: Name = "ali.veli@hs05.kep.tr", "Those of this account only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// A notice, as the staff sees it.
#[derive(Serialize, ToSchema)]
struct StaffNotice {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    account: String,
    #[schema(example = "mail")]
    kind: String,
    #[schema(example = "+905321234567")]
    place: String,
    /// `waiting`, `sending`, `sent`, `joined`, `failed`, or `withdrawn`.
    #[schema(example = "failed")]
    state: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    due: String,
    #[schema(minimum = 0, example = 2)]
    tries: u32,
    /// Of how many it tells.
    #[schema(minimum = 1, example = 1)]
    tells: u32,
    /// The number of the one that tells of it.
    #[schema(minimum = 1, example = 43)]
    joined: Option<i64>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:05.000Z")]
    settled: Option<String>,
    /// What was heard the last time it could not be sent.
    #[schema(example = "550 5.1.1 no such user")]
    trouble: Option<String>,
    /// What it is said of.
    #[schema(example = "mail/0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    cause: String,
}

#[derive(Serialize, ToSchema)]
struct StaffNotices {
    notices: Vec<StaffNotice>,
}

#[derive(Serialize, ToSchema)]
struct StaffNoticeShown {
    notice: StaffNotice,
    /// Of an SMS: what became of its parts.
    parts: Vec<NoticePart>,
}

#[derive(Serialize, ToSchema)]
struct NoticePart {
    /// As the gateway calls it.
    #[schema(example = "7f3a")]
    reference: String,
    #[schema(example = "DELIVRD")]
    receipt: Option<String>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &StaffNoticeListing) -> Answered<Json<StaffNotices>> {
    on_duty(tx, call, REGISTERS)?;
    let account = ask.account.as_ref().map(|address| named(tx, address)).transpose()?;
    let which = ask.state.map_or(Which::Unsaid, |state| Which::One(state.0));
    let (account, before) = (account.map(|one| one.id), ask.before.map(|number| number.0));
    let found = rows::page(tx, which, account, before, Limit::of(ask.limit))?;
    let notices: Result<_, RowsError> = found.iter().map(|row| StaffNotice::of(tx, row)).collect();
    Ok(Json(StaffNotices { notices: notices? }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneNotice) -> Answered<Json<StaffNoticeShown>> {
    on_duty(tx, call, REGISTERS)?;
    shown(tx, ask)
}

fn retry(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneNotice,
    (): &(),
) -> Answered<Json<StaffNoticeShown>> {
    let by = on_duty(tx, call, REGISTERS)?;
    match outbox::retry_in(tx, &by, ask.notice.0)? {
        Some(Retried::Now) => shown(tx, ask),
        Some(Retried::UnderWay) => Err(Problem::NoticeUnderWay),
        Some(Retried::Gone) => Err(Problem::NoticeGone),
        None => Err(Problem::NoticeUnknown),
    }
}

fn shown(tx: &mut Tx<'_>, ask: &OneNotice) -> Answered<Json<StaffNoticeShown>> {
    let row = rows::find(tx, ask.notice.0)?.ok_or(Problem::NoticeUnknown)?;
    let parts = rows::parts(tx, row.id)?.into_iter();
    let parts = parts.map(|(reference, receipt)| NoticePart { reference, receipt }).collect();
    Ok(Json(StaffNoticeShown { notice: StaffNotice::of(tx, &row)?, parts }))
}

impl StaffNotice {
    fn of(tx: &mut Tx<'_>, row: &OutgoingRow) -> Result<Self, RowsError> {
        Ok(Self {
            number: row.id,
            account: accounts::by_id(tx, row.account)?.address,
            kind: row.kind.clone(),
            place: row.target.clone(),
            state: row.state.word().to_owned(),
            due: row.due_at.iso8601(),
            tries: row.attempts,
            tells: row.tells,
            joined: row.joined,
            settled: row.settled_at.map(|at| at.iso8601()),
            trouble: Some(row.trouble.clone()).filter(|trouble| !trouble.is_empty()),
            cause: row.cause.clone(),
        })
    }
}
