//! Administration, for the staff: applications, accounts, credits, holds, authorities' requests, policies and
//! the audit. Nothing here reads anybody's mail.

mod accounts;
mod addresses;
mod applications;
mod authority;
mod credits;
mod directory;
mod duty;
mod holder;
mod holds;
mod notices;
mod proposals;
mod run;
mod terms;

use super::call::{Answered, Call, Caller};
use super::endpoint::{Endpoint, Json, Tag, Verb, params};
use super::kinds::{Limit, Moment, MomentText, Name, Number, Phrase, PolicyText, Reason};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::audit::Entry;
use crate::registry::audit::seal::Verdict;
use crate::registry::policy::{self, DECLARED, Decision, PolicyError};
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let lists = [
        own(),
        applications::operations(),
        accounts::operations(),
        terms::operations(),
        holder::operations(),
        addresses::operations(),
        credits::operations(),
        directory::operations(),
        holds::operations(),
        notices::operations(),
        authority::operations(),
        proposals::operations(),
    ];
    lists.into_iter().flatten().collect()
}

fn own() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/staff/policies", "listPolicies", Tag::Staff)
            .says(
                "Şimdi ya da verilen anda yürürlükte olan politikaları listeler.",
                "Lists the policies that are in force, now or then.",
            )
            .needs(Scope::StaffPolicies)
            .may_say([Problem::NotStaff])
            .reads(policies),
        Endpoint::new(Verb::Get, "/staff/policies/{policy}/decisions", "listDecisions", Tag::Staff)
            .says(
                "Bir politikanın bütün kararlarını, gerekçeleriyle listeler.",
                "Lists all decisions about a policy, with their reasons.",
            )
            .needs(Scope::StaffPolicies)
            .may_say([Problem::NotStaff, Problem::PolicyUnknown])
            .runs(run::decisions),
        Endpoint::new(Verb::Post, "/staff/policies/{policy}/decisions", "decidePolicy", Tag::Staff)
            .says(
                "Bir politika için şimdiden ya da ileri bir andan geçerli yeni bir karar verir.",
                "Decides a policy anew, from now or a later time on.",
            )
            .needs(Scope::StaffPolicies)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole("{}".into()),
                Problem::PolicyUnknown,
                Problem::PolicyValue("{}".into()),
                Problem::PolicyPast,
            ])
            .runs(run::decide),
        Endpoint::new(Verb::Post, "/staff/policies/{policy}/cancel", "cancelPolicy", Tag::Staff)
            .says(
                "Bir politikanın henüz yürürlüğe girmemiş kararlarını geri alır.",
                "Takes back what is decided about a policy and has not begun.",
            )
            .needs(Scope::StaffPolicies)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole("{}".into()),
                Problem::PolicyUnknown,
                Problem::PolicyNothingLater,
            ])
            .writes(cancel),
        Endpoint::new(Verb::Get, "/staff/audit", "listAudit", Tag::Staff)
            .says("Denetim kaydını yeniden eskiye listeler.", "Lists the audit, the newest first.")
            .needs(Scope::StaffAudit)
            .may_say([Problem::NotStaff, Problem::StaffRole("{}".into())])
            .runs(run::audit),
        Endpoint::new(Verb::Get, "/staff/audit/verdict", "verifyAudit", Tag::Staff)
            .says(
                "Denetim zincirini, mühürlerini ve kopyalarını doğrular.",
                "Verifies the chain of the audit, its seals and their copies.",
            )
            .needs(Scope::StaffAudit)
            .may_say([Problem::NotStaff, Problem::StaffRole("{}".into())])
            .runs(run::verify),
    ]
}

params! {
    OnePolicy {
        path policy: Name = "read.standart", "The policy's key.";
    }
}

params! {
    PolicyListing {
        query at: Moment = "2027-01-01T00:00:00+03:00", "What is in force then; now when nothing is said.";
    }
}

params! {
    AuditListing {
        query act: Phrase = "policy", "Of this act only, or of all whose first word it is.";
        query subject: Phrase = "ali.veli@hs05.kep.tr", "About this one only.";
        query actor: Phrase = "staff:selin", "By this one only, as it is written in `actor`.";
        query since: Moment = "2026-11-29T00:00:00+03:00", "Since this time only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
struct Policy {
    #[schema(example = "read.standart")]
    key: String,
    /// As it is written; none where the configuration decides.
    #[schema(example = "24h")]
    value: Option<String>,
    /// How values are written.
    #[schema(example = "24h, next-business-day, fifth-day, or -")]
    form: String,
    #[schema(example = "Standart iletinin okunmuş sayılacağı süre")]
    turkish: String,
    #[schema(example = "When a standard message counts as read")]
    english: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PolicyList)]
struct Policies {
    policies: Vec<Policy>,
}

/// A decision about a policy.
#[derive(Serialize, ToSchema)]
struct Decided {
    #[schema(example = "read.standart")]
    key: String,
    #[schema(example = "24h")]
    value: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    from: String,
    #[schema(example = "Yönetmelik değişikliği")]
    reason: String,
    #[schema(example = "staff:selin")]
    by: String,
}

#[derive(Serialize, ToSchema)]
struct Decisions {
    decisions: Vec<Decided>,
}

/// What is decided, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDecision {
    #[schema(inline)]
    value: PolicyText,
    #[schema(inline)]
    reason: Reason,
    /// When it begins; now when nothing is said.
    #[schema(inline)]
    from: Option<MomentText>,
}

/// Why it is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyCancelling {
    #[schema(inline)]
    reason: Reason,
}

#[derive(Serialize, ToSchema)]
struct PolicyCancelled {
    /// How many decisions were taken back.
    #[schema(minimum = 1, example = 1)]
    decisions: u64,
}

/// An entry of the audit.
#[derive(Serialize, ToSchema)]
struct Act {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// `staff:NAME`, `person:ACCOUNT:NAME`, or `system:PART`.
    #[schema(example = "staff:selin")]
    actor: String,
    #[schema(example = "api")]
    channel: String,
    #[schema(example = "policy.set")]
    act: String,
    #[schema(example = "read.standart")]
    subject: String,
    /// What is known of it, by names; never content.
    #[schema(value_type = Object, example = json!({ "value": "24h" }))]
    details: serde_json::Value,
    /// What binds it to all entries before: SHA-256, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    link: String,
}

#[derive(Serialize, ToSchema)]
struct Acts {
    entries: Vec<Act>,
}

/// What became of the audit, as `kep audit verify` says it.
#[derive(Serialize, ToSchema)]
struct AuditVerdict {
    valid: bool,
    #[schema(minimum = 0, example = 1042)]
    entries: i64,
    /// How many seals hold.
    #[schema(minimum = 0, example = 7)]
    seals: usize,
    /// Up to which entry the last of them reaches; 0: none.
    #[schema(minimum = 0, example = 1000)]
    sealed_up_to: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    sealed_at: Option<String>,
    /// What is wrong, in English; the first hundred.
    #[schema(example = json!([]))]
    faults: Vec<String>,
}

impl AuditVerdict {
    fn of(found: &Verdict) -> Self {
        Self {
            valid: found.faults.is_empty(),
            entries: found.entries,
            seals: found.seals,
            sealed_up_to: found.sealed_up_to,
            sealed_at: found.sealed_at.map(|at| at.iso8601()),
            faults: found.faults.iter().take(FAULTS).map(ToString::to_string).collect(),
        }
    }
}

/// Of a chain that is broken everywhere.
const FAULTS: usize = 100;

/// The member of staff that asks.
fn staff(call: &Call) -> Answered<&str> {
    match &call.caller {
        Caller::Staff { name, .. } => Ok(name),
        Caller::Anybody | Caller::Account { .. } | Caller::Person(_) => Err(Problem::NotStaff),
    }
}

fn policies(tx: &mut Tx<'_>, call: &Call, ask: &PolicyListing) -> Answered<Json<Policies>> {
    staff(call)?;
    let in_force = policy::at(tx, ask.at.map_or(call.now, |at| at.0))?;
    let policies = DECLARED.iter().map(|declared| Policy {
        key: declared.key.to_owned(),
        value: in_force.written(declared.key),
        form: declared.form.to_owned(),
        turkish: declared.turkish.to_owned(),
        english: declared.english.to_owned(),
    });
    Ok(Json(Policies { policies: policies.collect() }))
}

fn cancel(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OnePolicy,
    new: &Json<PolicyCancelling>,
) -> Answered<Json<PolicyCancelled>> {
    let by = duty::on_duty(tx, call, duty::MANAGES)?;
    match policy::cancel_in(tx, &by, &ask.policy.0, &new.0.reason.0)? {
        0 => Err(Problem::PolicyNothingLater),
        decisions => Ok(Json(PolicyCancelled { decisions })),
    }
}

impl Decided {
    fn of(row: &Decision) -> Self {
        Self {
            key: row.key.clone(),
            value: row.value.clone(),
            from: row.valid_from.iso8601(),
            reason: row.reason.clone(),
            by: row.set_by.clone(),
        }
    }
}

impl Act {
    fn of(entry: &Entry) -> Self {
        Self {
            number: entry.n,
            at: entry.at.iso8601(),
            actor: entry.actor.clone(),
            channel: entry.channel.clone(),
            act: entry.act.clone(),
            subject: entry.subject.clone(),
            details: entry.details.clone(),
            link: entry.link.hex(),
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Unknown(_) => Self::PolicyUnknown,
            PolicyError::Value { form, .. } => Self::PolicyValue(form.to_owned()),
            PolicyError::Past(_) => Self::PolicyPast,
            // A reason has the right form here.
            PolicyError::Reason => Self::Internal,
            PolicyError::Store(error) => error.into(),
        }
    }
}
