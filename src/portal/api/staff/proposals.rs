//! What two of the staff do: one proposes, another one approves.

use super::duty::{APPROVES, SEES_FILES, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Endpoint, Json, Tag, Verb, params};
use crate::portal::api::kinds::{Limit, Number, ProposalState, Reason};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::proposals::{self as registry, Proposal as Row, ProposalError, State};
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let decide = |path, id| {
        Endpoint::new(Verb::Post, path, id, Tag::Staff).needs(Scope::StaffAccounts).named().may_say(
            [
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::ProposalUnknown,
                Problem::ProposalOver(some()),
                Problem::ProposerGone,
                Problem::SecondPersonNeeded,
                Problem::AccountUnknown,
                Problem::HoldUnknown,
                Problem::SubmissionUnknown,
                Problem::ReferenceTaken,
                Problem::CreditsUnfit(some()),
                Problem::FormUnfit(some()),
            ],
        )
    };
    vec![
        Endpoint::new(Verb::Get, "/staff/proposals", "listProposals", Tag::Staff)
            .says("Önerileri yeniden eskiye listeler.", "Lists proposals, the newest first.")
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some())])
            .reads(list),
        Endpoint::new(Verb::Get, "/staff/proposals/{proposal}", "showProposal", Tag::Staff)
            .says("Bir öneriyi gösterir.", "Shows a proposal.")
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some()), Problem::ProposalUnknown])
            .reads(show),
        decide("/staff/proposals/{proposal}/approve", "approveProposal")
            .says(
                "Onaylar ve yapar; önerenden başkası.",
                "Approves and does it: another than who proposed it.",
            )
            .writes(approve),
        decide("/staff/proposals/{proposal}/refuse", "refuseProposal")
            .says(
                "Gerekçesiyle reddeder; öneren geri alır.",
                "Refuses it, with a reason; who proposed it takes it back.",
            )
            .writes(refuse),
    ]
}

params! {
    OneProposal {
        path proposal: Number = 5, "The proposal's number.";
    }
}

params! {
    ProposalListing {
        query state: ProposalState = "open", "Those that are so only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// What is proposed, and what became of it.
#[derive(Serialize, ToSchema)]
pub struct Proposal {
    #[schema(minimum = 1, example = 5)]
    number: i64,
    /// `place-hold`, `release-hold`, or `correct`.
    #[schema(example = "place-hold")]
    act: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    /// All that was said of it.
    #[schema(value_type = Object, example = json!({ "reason": "2026/17" }))]
    details: serde_json::Value,
    #[schema(example = "selin")]
    by: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// `open`, `done`, `refused`, or `withdrawn`.
    #[schema(example = "open")]
    state: String,
    #[schema(example = "can")]
    decided_by: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    decided: Option<String>,
    /// Why it was refused or taken back.
    #[schema(example = "Yanlış hesap")]
    reason: Option<String>,
    /// The number of the hold that came of it.
    #[schema(minimum = 1, example = 3)]
    made: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct Proposals {
    proposals: Vec<Proposal>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProposalRefusal {
    #[schema(inline)]
    reason: Reason,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &ProposalListing) -> Answered<Json<Proposals>> {
    on_duty(tx, call, SEES_FILES)?;
    let (state, before) = (ask.state.map(|one| one.0), ask.before.map(|number| number.0));
    let found = registry::page(tx, state, before, Limit::of(ask.limit))?;
    Ok(Json(Proposals { proposals: found.iter().map(Proposal::of).collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneProposal) -> Answered<Json<Proposal>> {
    on_duty(tx, call, SEES_FILES)?;
    Ok(Json(Proposal::of(&registry::find(tx, ask.proposal.0)?)))
}

fn approve(tx: &mut Tx<'_>, call: &Call, ask: &OneProposal, (): &()) -> Answered<Json<Proposal>> {
    let by = on_duty(tx, call, APPROVES)?;
    Ok(Json(Proposal::of(&registry::approve(tx, ask.proposal.0, &by)?)))
}

fn refuse(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneProposal,
    body: &Json<ProposalRefusal>,
) -> Answered<Json<Proposal>> {
    // Who proposed it may take it back, whatever he may else.
    let by = on_duty(tx, call, SEES_FILES)?;
    let own = registry::find(tx, ask.proposal.0)?.by == super::staff(call)?;
    if !own {
        on_duty(tx, call, APPROVES)?;
    }
    Ok(Json(Proposal::of(&registry::refuse(tx, ask.proposal.0, &body.0.reason.0, &by)?)))
}

impl Proposal {
    pub fn created(row: &Row) -> Created<Self> {
        Created { value: Self::of(row), at: format!("/staff/proposals/{}", row.id) }
    }

    fn of(row: &Row) -> Self {
        let mut details = serde_json::to_value(&row.act).unwrap_or_default();
        if let Some(details) = details.as_object_mut() {
            details.remove("act");
        }
        let (decided_by, decided, reason, made) = match &row.state {
            State::Open => (None, None, None, None),
            State::Done { by, at, made } => (Some(by.clone()), Some(at), None, *made),
            State::Refused { by, at, reason } => {
                (Some(by.clone()), Some(at), Some(reason.clone()), None)
            }
            State::Withdrawn { at, reason } => {
                (Some(row.by.clone()), Some(at), Some(reason.clone()), None)
            }
        };
        Self {
            number: row.id,
            act: row.act.word().to_owned(),
            address: row.subject.clone(),
            details,
            by: row.by.clone(),
            at: row.at.iso8601(),
            state: row.state.word().to_owned(),
            decided_by,
            decided: decided.map(|at| at.iso8601()),
            reason,
            made,
        }
    }
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Unknown(_) => Self::ProposalUnknown,
            ProposalError::Over(_, state) => Self::ProposalOver(state.to_owned()),
            ProposalError::SamePerson(_) => Self::SecondPersonNeeded,
            ProposalError::Gone(_) => Self::ProposerGone,
            ProposalError::OffDuty(off) => off.into(),
            ProposalError::NotStaff => Self::NotStaff,
            ProposalError::Hold(error) => error.into(),
            ProposalError::Credit(error) => error.into(),
            ProposalError::Registry(error) => error.into(),
        }
    }
}
