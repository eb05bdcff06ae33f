//! What waits for a signature: handed to an operator, and returned by him. It is signed by its signed form,
//! which is submitted as any mail; it is released where no signature is asked for any more.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Limit, Number, OperatorWord, PaperWord, Reason, Yes};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::handovers::{Handover as Row, HandoverError, Mistimed, Paper, State};
use crate::registry::operators::{Act, OperatorError};
use crate::wire::OperatorCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/handovers", "listHandovers", Tag::Submissions)
            .says(
                "İmza bekleyenleri listeler.",
                "Lists what waits for a signature, the oldest first.",
            )
            .needs(Scope::AccountRead)
            .may_say([Problem::OperatorMayNot])
            .runs(run::list),
        Endpoint::new(Verb::Post, "/handovers", "handOver", Tag::Submissions)
            .says(
                "İmza bekleyen iletiyi ya da taslağı bir işlem yetkilisine gönderir.",
                "Hands a held message or a draft to an operator, who signs it.",
            )
            .needs(Scope::MailWrite)
            .acts(Act::HandOver)
            .named()
            .may_say([
                Problem::PaperUnknown,
                Problem::OperatorUnknown,
                Problem::OperatorMayNot,
                Problem::OperatorEnded,
                Problem::OperatorSuspended,
                Problem::HandoverOver,
                Problem::AccountReadOnly(some()),
            ])
            .runs(run::hand_over),
        Endpoint::new(
            Verb::Post,
            "/handovers/{handover}/return",
            "returnHandover",
            Tag::Submissions,
        )
        .says("İmzalamadan, gerekçesiyle geri gönderir.", "Returns it unsigned, with a reason.")
        .needs(Scope::MailWrite)
        .acts(Act::Sign)
        .named()
        .may_say([
            Problem::HandoverUnknown,
            Problem::OperatorUnknown,
            Problem::OperatorMayNot,
            Problem::OperatorEnded,
            Problem::OperatorSuspended,
            Problem::HandoverOver,
            Problem::AccountReadOnly(some()),
        ])
        .runs(run::give_back),
    ]
}

params! {
    OneHandover {
        path handover: Number = 3, "The hand-over's number.";
    }
}

params! {
    HandoverListing {
        query all: Yes = false, "Those that wait no more, too.";
        query after: Number = 3, "Those behind this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHandover {
    /// The held message's id, or the draft's Message-ID.
    #[schema(inline)]
    message: PaperWord,
    /// The operator's code.
    #[schema(inline)]
    to: OperatorWord,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandoverReturn {
    #[schema(inline)]
    reason: Reason,
}

/// Something that waits for a signature, and what became of it.
#[derive(Serialize, ToSchema)]
struct Handover {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    /// `held`: a message that was submitted unsigned; or `draft`.
    #[schema(example = "draft")]
    paper: String,
    /// The held message's id, or the draft's Message-ID.
    #[schema(example = "taslak-1@example.org")]
    message: String,
    /// Who handed it over.
    #[schema(example = "person:1:ali.veli@hs05.kep.tr")]
    handed_by: String,
    /// `waiting`, `signed`, `returned`, `lapsed`, or `released`.
    #[schema(example = "waiting")]
    state: String,
    /// For whom it waits, or who signed or returned it; none: whoever may, or the holder.
    #[schema(example = "001")]
    operator: Option<String>,
    /// Until when it waits.
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    due: Option<String>,
    /// Since when it is so.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// Why it was returned.
    #[schema(example = "Eki eksik")]
    reason: Option<String>,
    /// Its signed form, as it was sent.
    #[schema(example = "20261129090000.1@hs05.kep.tr")]
    signed: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Handovers {
    handovers: Vec<Handover>,
}

impl Handover {
    fn of(row: &Row) -> Self {
        let code = |code: &Option<OperatorCode>| code.map(|code| code.to_string());
        let (mut due, mut reason, mut signed) = (None, None, None);
        let (operator, at) = match &row.state {
            State::Waiting { to, since, due: until } => {
                due = Some(until.iso8601());
                (code(to), since)
            }
            State::Signed { by, at, message } => {
                signed = Some(message.to_string());
                (code(by), at)
            }
            State::Returned { by, at, reason: why } => {
                reason = Some(why.clone());
                (code(by), at)
            }
            State::Lapsed { at } | State::Released { at } => (None, at),
        };
        let paper = match row.paper {
            Paper::Held(_) => "held",
            Paper::Draft(_) => "draft",
        };
        Self {
            number: row.id,
            paper: paper.to_owned(),
            message: row.paper.subject().to_owned(),
            handed_by: row.handed_by.clone(),
            state: row.state.word().to_owned(),
            operator,
            due,
            at: at.iso8601(),
            reason,
            signed,
        }
    }
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Registry(error) => error.into(),
            OperatorError::Unknown(..) => Self::OperatorUnknown,
            OperatorError::Ended(..) => Self::OperatorEnded,
            OperatorError::Suspended(..) => Self::OperatorSuspended,
            OperatorError::NotSuspended(..) => Self::OperatorNotSuspended,
            OperatorError::Personal(_) => Self::OperatorsNotForPersons,
            OperatorError::Exists(_) => Self::OperatorThere,
            OperatorError::Full(_) => Self::OperatorsFull,
            OperatorError::Person(fault) => Self::FormUnfit(fault.to_string()),
            unfit => Self::OperatorUnfit(unfit.to_string()),
        }
    }
}

impl From<HandoverError> for Problem {
    fn from(error: HandoverError) -> Self {
        match error {
            HandoverError::Operator(error) => error.into(),
            HandoverError::Unknown(..) => Self::HandoverUnknown,
            HandoverError::NoPaper(..) => Self::PaperUnknown,
            HandoverError::NotHis(..) => Self::OperatorMayNot,
            HandoverError::Mistimed(Mistimed::Over | Mistimed::Early) => Self::HandoverOver,
            HandoverError::Reason => Self::BadBody(error.to_string()),
        }
    }
}
