//! Applications for accounts (başvuru): taken, checked, approved by two others, activated, refused or withdrawn.

mod activation;
mod form;
mod run;

use super::duty::{APPROVES, REGISTERS, SEES_FILES, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Tagged, Verb, params};
use crate::portal::api::kinds::{ApplicationStage, Limit, Number, Reason};
use crate::portal::api::problem::{Both, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::applications::{self as registry, Application as Row, Hand, State, Step};
use crate::store::Tx;
use crate::wire::{ApplicationId, Timestamp};
use form::{Contact, Holder, Paper, PaperForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let mut all = looking();
    all.extend(steps());
    all.push(activation::operation());
    all
}

fn looking() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/staff/applications", "listApplications", Tag::Staff)
            .says("Başvuruları yeniden eskiye listeler.", "Lists applications, the newest first.")
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some())])
            .reads(list),
        Endpoint::new(Verb::Post, "/staff/applications", "fileApplication", Tag::Staff)
            .says(
                "Başvuru alır; adres ona ayrılır.",
                "Takes an application; its address is kept for it.",
            )
            .needs(Scope::StaffAccounts)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::FormUnfit(some()),
                Problem::AddressNotGiven(Both::any()),
            ])
            .runs(run::file),
        Endpoint::new(
            Verb::Get,
            "/staff/applications/{application}",
            "showApplication",
            Tag::Staff,
        )
        .says("Bir başvuruyu gösterir.", "Shows an application.")
        .needs(Scope::StaffAccounts)
        .may_say([Problem::NotStaff, Problem::StaffRole(some()), Problem::ApplicationUnknown])
        .reads(show),
    ]
}

fn steps() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let step = |path, id| {
        Endpoint::new(Verb::Post, path, id, Tag::Staff)
            .needs(Scope::StaffAccounts)
            .named()
            .guarded()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::ApplicationUnknown,
                Problem::ApplicationMistimed(some()),
                Problem::SecondPersonNeeded,
                Problem::PapersMissing(some()),
                Problem::FormUnfit(some()),
            ])
    };
    vec![
        step("/staff/applications/{application}/check", "checkApplication")
            .says(
                "Belgeleri denetlenmiş sayar; sonradan gelen belgeler eklenir.",
                "The papers were looked at; those that came since are added.",
            )
            .writes(check),
        step("/staff/applications/{application}/approve", "approveApplication")
            .says(
                "Onaylar; iki onay iki ayrı kişinindir, hiçbiri denetleyenin değildir.",
                "Approves; the two approvals are two people's, and neither is who checked.",
            )
            .writes(approve),
        step("/staff/applications/{application}/refuse", "refuseApplication")
            .says("Gerekçesiyle reddeder.", "Refuses it, with a reason.")
            .writes(refuse),
        step("/staff/applications/{application}/withdraw", "withdrawApplication")
            .says("Başvuran vazgeçti.", "Its applicant takes it back.")
            .writes(withdraw),
    ]
}

params! {
    OneApplication {
        path application: Number = 17, "The application's number.";
    }
}

params! {
    ApplicationListing {
        query state: ApplicationStage = "created", "Those that are so far only.";
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// What is applied for, and how far it is.
#[derive(Serialize, ToSchema)]
struct Application {
    #[schema(minimum = 1, example = 17)]
    number: i64,
    /// `created`, `checked`, `seconded` (one of two approvals), `approved`, `activated`, `refused`, or
    /// `withdrawn`.
    #[schema(example = "checked")]
    state: String,
    /// `opening`, or `reopening` of the old holder's account.
    #[schema(example = "opening")]
    purpose: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    #[schema(example = "Ali Veli")]
    name: String,
    holder: Holder,
    contact: Contact,
    #[schema(example = "both")]
    service: String,
    #[schema(example = "sealed")]
    opening: String,
    /// None: as the provider has decided.
    #[schema(example = "required")]
    signature: Option<String>,
    /// Of the first term; none: as the policy has it.
    #[schema(example = 12)]
    months: Option<u32>,
    papers: Vec<Paper>,
    /// Papers that are needed and not there.
    #[schema(example = json!(["contract"]))]
    missing: Vec<String>,
    /// Who did what, in order.
    hands: Vec<StepDone>,
    /// Why it was refused or withdrawn.
    #[schema(example = "Belge eksik")]
    reason: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    changed: String,
}

#[derive(Serialize, ToSchema)]
struct StepDone {
    /// `created`, `checked`, `approved`, `activated`, `refused`, or `withdrawn`.
    #[schema(example = "checked")]
    what: String,
    #[schema(example = "selin")]
    by: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApplicationList)]
struct Applications {
    applications: Vec<Application>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationCheck {
    /// Such as came since it was taken.
    #[schema(max_items = 20)]
    papers: Option<Vec<PaperForm>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationRefusal {
    #[schema(inline)]
    reason: Reason,
    /// Nobody gets the address: it would be taken for somebody else's.
    block: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationWithdrawal {
    #[schema(inline)]
    reason: Option<Reason>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &ApplicationListing) -> Answered<Json<Applications>> {
    on_duty(tx, call, SEES_FILES)?;
    let (stage, before) = (ask.state.map(|one| one.0), ask.before.map(|n| ApplicationId(n.0)));
    let found = registry::list_in(tx, stage, before, Limit::of(ask.limit))?;
    Ok(Json(Applications { applications: found.iter().map(Application::of).collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneApplication) -> Answered<Tagged<Application>> {
    on_duty(tx, call, SEES_FILES)?;
    Ok(tagged(&registry::find_in(tx, ApplicationId(ask.application.0))?))
}

fn check(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneApplication,
    body: &Json<ApplicationCheck>,
) -> Answered<Tagged<Application>> {
    let papers = body.0.papers.as_deref().unwrap_or_default();
    if papers.len() > PAPERS {
        return Err(Problem::BadBody("papers".to_owned()));
    }
    let papers: Vec<_> = papers.iter().map(PaperForm::paper).collect();
    let by = on_duty(tx, call, REGISTERS)?;
    stepped(tx, call, ask, Step::Check, &papers, &by)
}

fn approve(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneApplication,
    (): &(),
) -> Answered<Tagged<Application>> {
    let by = on_duty(tx, call, APPROVES)?;
    stepped(tx, call, ask, Step::Approve, &[], &by)
}

fn refuse(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneApplication,
    body: &Json<ApplicationRefusal>,
) -> Answered<Tagged<Application>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let (reason, block) = (body.0.reason.0.clone(), body.0.block.unwrap_or(false));
    stepped(tx, call, ask, Step::Refuse { reason, block }, &[], &by)
}

fn withdraw(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneApplication,
    body: &Json<ApplicationWithdrawal>,
) -> Answered<Tagged<Application>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let reason = body.0.reason.as_ref().map(|reason| reason.0.clone()).unwrap_or_default();
    stepped(tx, call, ask, Step::Withdraw { reason }, &[], &by)
}

fn stepped(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneApplication,
    step: Step,
    papers: &[registry::Paper],
    by: &crate::registry::audit::By,
) -> Answered<Tagged<Application>> {
    let fits = |row: &Row| call.matches(&tag(row));
    let id = ApplicationId(ask.application.0);
    Ok(tagged(&registry::step_in::<Problem>(tx, id, step, papers, by, fits)?))
}

fn tag(row: &Row) -> String {
    format!("{}-{}", row.changed_at.millis(), row.state.word())
}

fn tagged(row: &Row) -> Tagged<Application> {
    Tagged(Application::of(row), tag(row))
}

impl Application {
    fn of(row: &Row) -> Self {
        let Row { id, wish, state, created_at, changed_at } = row;
        let reason = match state {
            State::Refused { reason, .. } | State::Withdrawn { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        let missing = registry::missing(wish.holder.kind(), &wish.papers);
        let purpose = match wish.purpose {
            registry::Purpose::Opening => "opening",
            registry::Purpose::Reopening => "reopening",
        };
        Self {
            number: id.0,
            state: state.word().to_owned(),
            purpose: purpose.to_owned(),
            address: wish.address.to_string(),
            name: wish.holder.name(),
            holder: Holder::of(&wish.holder.form()),
            contact: Contact::of(&wish.contact.form()),
            service: wish.service.word().to_owned(),
            opening: wish.opening.word().to_owned(),
            signature: wish.signature.map(|rule| rule.word().to_owned()),
            months: wish.months,
            papers: wish.papers.iter().map(Paper::of).collect(),
            missing: missing.iter().map(|kind| kind.word().to_owned()).collect(),
            hands: state.hands().into_iter().map(StepDone::of).collect(),
            reason: reason.filter(|reason| !reason.is_empty()),
            created: created_at.iso8601(),
            changed: changed_at.iso8601(),
        }
    }
}

impl StepDone {
    fn of((what, hand): (&'static str, &Hand)) -> Self {
        let at = Timestamp::from_millis(hand.at).iso8601();
        Self { what: what.to_owned(), by: hand.staff.clone(), at }
    }
}

/// Papers that come at once.
const PAPERS: usize = 20;

pub use form::{Contact as ContactShown, Holder as HolderShown, HolderFields};
