//! What the account was to be told outside KEP, and what became of it: that it failed is seen. What it says is not
//! shown, nor the whole place: an operator's codes go to a telephone of his own.

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, Tag, Verb, params};
use super::kinds::{Limit, NoticeStateWord, Number};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::operators::Act;
use crate::registry::outbox::{self, trouble::Trouble};
use crate::store::outbox::{self as rows, OutgoingRow, Which};
use crate::store::{RowsError, Tx};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/notices", "listNotices", Tag::Notices)
            .says(
                "Hesaba KEP dışında bildirilenleri ve sonuçlarını yeniden eskiye listeler.",
                "Lists what the account was to be told outside KEP, and what became of it, the newest first.",
            )
            .needs(Scope::AccountAudit)
            .acts(Act::Manage)
            .may_say([Problem::OperatorMayNot])
            .reads(list),
    ]
}

params! {
    NoticeListing {
        query state: NoticeStateWord = "failed", "Those that are so only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// Something that was to be said at a place.
#[derive(Serialize, ToSchema)]
struct Notice {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    /// What it is: `mail`, `evidence`, `unread`, `credit`, `storage`, `certificate`, `contract`, `handover`,
    /// `login`, `credentials`, `verify`, `login-code`, `reset-link`, or `reset-code`.
    #[schema(example = "mail")]
    kind: String,
    /// `sms` or `mail`.
    #[schema(example = "sms")]
    channel: String,
    /// Where to, in part.
    #[schema(example = "+90532*****67")]
    place: String,
    /// `waiting`; `sending`: a gateway was asked; `sent`: it took it; `joined`: told together with another;
    /// `failed`; or `withdrawn`: its place was taken away, or what it says is no longer so.
    #[schema(example = "failed")]
    state: String,
    /// Why it is not said: `delayed`: not yet, it is tried again; `refused`: there is no such place, or who
    /// carries it refuses it; `given-up`: its time was over; `no-credits`: no credits for SMS were left.
    #[schema(example = "refused")]
    trouble: Option<String>,
    /// How often a gateway was asked.
    #[schema(minimum = 0, example = 2)]
    tries: u32,
    /// Of how many it tells.
    #[schema(minimum = 1, example = 1)]
    tells: u32,
    /// When it is, or was, to be said.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    due: String,
    /// When that was over.
    #[schema(format = DateTime, example = "2026-11-29T09:00:05.000Z")]
    settled: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Notices {
    notices: Vec<Notice>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &NoticeListing) -> Answered<Json<Notices>> {
    let which = ask.state.map_or(Which::All, |state| Which::One(state.0));
    let (own, before) = (call.account_id()?, ask.before.map(|number| number.0));
    let found = rows::page(tx, which, Some(own), before, Limit::of(ask.limit))?;
    let notices: Result<_, RowsError> = found.iter().map(Notice::of).collect();
    Ok(Json(Notices { notices: notices? }))
}

impl Notice {
    fn of(row: &OutgoingRow) -> Result<Self, RowsError> {
        Ok(Self {
            number: row.id,
            kind: row.kind.clone(),
            channel: row.channel.clone(),
            place: outbox::place(row)?.masked(),
            state: row.state.word().to_owned(),
            trouble: Trouble::of(row).map(|trouble| trouble.word().to_owned()),
            tries: row.attempts,
            tells: row.tells,
            due: row.due_at.iso8601(),
            settled: row.settled_at.map(|at| at.iso8601()),
        })
    }
}
