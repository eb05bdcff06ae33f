//! Legal holds: listed, and placed and released by two of the staff.

use super::accounts::named;
use super::duty::{SEES_FILES, on_duty};
use super::proposals::Proposal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Endpoint, Json, NoWords, Tag, Verb, params};
use crate::portal::api::kinds::{AddressText, Limit, MessageText, Name, Number, Reason};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::holds::{BY, Hold as Row, HoldError};
use crate::registry::proposals::{self, Act};
use crate::store::{Tx, holds as rows};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/staff/holds", "listHolds", Tag::Staff)
            .says(
                "Saklama kararlarını yeniden eskiye listeler.",
                "Lists legal holds, the newest first.",
            )
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some()), Problem::AccountUnknown])
            .reads(list),
        Endpoint::new(Verb::Post, "/staff/holds", "proposeHold", Tag::Staff)
            .says(
                "Bir hesabın ya da bir iletinin saklanmasını önerir; başka bir personel onaylar.",
                "Proposes to hold an account, or a message of it; another member of staff approves.",
            )
            .needs(Scope::StaffAccounts)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::AccountUnknown,
                Problem::SubmissionUnknown,
                Problem::FormUnfit(some()),
            ])
            .writes(place),
        Endpoint::new(Verb::Post, "/staff/holds/{hold}/release", "proposeRelease", Tag::Staff)
            .says(
                "Saklamanın bitmesini önerir; başka bir personel onaylar.",
                "Proposes to end a hold; another member of staff approves.",
            )
            .needs(Scope::StaffAccounts)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::HoldUnknown,
                Problem::FormUnfit(some()),
            ])
            .writes(release),
    ]
}

params! {
    OneHold {
        path hold: Number = 3, "The hold's number.";
    }
}

params! {
    HoldListing {
        query account: Name = "ali.veli@hs05.kep.tr", "Those of this account only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// What is not erased, whoever removes it.
#[derive(Serialize, ToSchema)]
struct Hold {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    /// None: all that the account has.
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: Option<String>,
    #[schema(example = "2026/17")]
    reason: String,
    placed: SignedByTwo,
    /// None: it is in force.
    released: Option<SignedByTwo>,
    /// Why it was released.
    #[schema(example = "2026/18")]
    release_reason: Option<String>,
    /// How many messages of the account are kept that its holder removed.
    #[schema(minimum = 0, example = 0)]
    kept_back: u64,
}

#[derive(Serialize, ToSchema)]
struct SignedByTwo {
    #[schema(example = "selin")]
    by: String,
    #[schema(example = "can")]
    second: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
}

#[derive(Serialize, ToSchema)]
struct Holds {
    holds: Vec<Hold>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHold {
    #[schema(inline)]
    address: AddressText,
    /// One that the account has; all it has when nothing is said.
    #[schema(inline)]
    message_id: Option<MessageText>,
    #[schema(inline)]
    reason: Reason,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldRelease {
    #[schema(inline)]
    reason: Reason,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &HoldListing) -> Answered<Json<Holds>> {
    on_duty(tx, call, SEES_FILES)?;
    let account = ask.account.as_ref().map(|address| named(tx, address)).transpose()?;
    let (account, before) = (account.map(|one| one.id), ask.before.map(|number| number.0));
    let mut holds = Vec::new();
    for row in rows::page(tx, account, before, Limit::of(ask.limit))? {
        let kept_back = rows::kept_back(tx, row.account)?;
        holds.push(Hold::of(&row, kept_back));
    }
    Ok(Json(Holds { holds }))
}

fn place(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    body: &Json<NewHold>,
) -> Answered<Created<Proposal>> {
    let by = on_duty(tx, call, BY)?;
    let NewHold { address, message_id, reason } = &body.0;
    let act = Act::PlaceHold {
        address: named(tx, &Name(address.0.clone()))?.address.to_string(),
        message: message_id.as_ref().map(|id| id.0.clone()),
        reason: reason.0.clone(),
    };
    Ok(Proposal::created(&proposals::propose(tx, &act, &by)?))
}

fn release(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneHold,
    body: &Json<HoldRelease>,
) -> Answered<Created<Proposal>> {
    let by = on_duty(tx, call, BY)?;
    let act = Act::ReleaseHold { hold: ask.hold.0, reason: body.0.reason.0.clone() };
    Ok(Proposal::created(&proposals::propose(tx, &act, &by)?))
}

impl Hold {
    fn of(row: &Row, kept_back: u64) -> Self {
        let two = |signed: &rows::Signed| SignedByTwo {
            by: signed.by.clone(),
            second: signed.second.clone(),
            at: signed.at.iso8601(),
        };
        Self {
            number: row.id,
            address: row.address.clone(),
            message_id: row.message.as_ref().map(ToString::to_string),
            reason: row.reason.clone(),
            placed: two(&row.placed),
            released: row.released.as_ref().map(|(signed, _)| two(signed)),
            release_reason: row.released.as_ref().map(|(_, reason)| reason.clone()),
            kept_back,
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::OnePerson(_) => Self::SecondPersonNeeded,
            HoldError::NotStaff => Self::NotStaff,
            HoldError::OffDuty(off) => off.into(),
            HoldError::Reason => Self::FormUnfit(error.to_string()),
            HoldError::UnknownAccount(_) => Self::AccountUnknown,
            HoldError::UnknownMessage(_) | HoldError::NoMessage(_) => Self::SubmissionUnknown,
            HoldError::Unknown(_) => Self::HoldUnknown,
            HoldError::Store(error) => error.into(),
        }
    }
}
