//! What of administration waits. A member of staff who has left, or has not the role, does nothing more,
//! whatever his token says.

use super::addresses::{FreeAddresses, NameGiven};
use super::duty::{MANAGES, on_duty};
use super::{
    Act, Acts, AuditListing, AuditVerdict, Decided, Decisions, NewDecision, OnePolicy, staff,
};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Json, NoWords, Once};
use crate::portal::api::kinds::Limit;
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::staff::{self as registry, StaffError, StaffRole};
use crate::registry::{addresses, audit, policy};
use crate::store::Tx;
use crate::store::audit::Wanted;
use std::sync::Arc;

/// Whether the member of staff that asks is one still, with that role.
async fn has(portal: &Portal, call: &Call, role: StaffRole) -> Answered<()> {
    let found = registry::find(&portal.store, staff(call)?).await.map_err(trouble)?;
    match found.is_some_and(|member| member.may(role)) {
        true => Ok(()),
        false => Err(Problem::StaffRole(role.word().to_owned())),
    }
}

fn trouble(error: StaffError) -> Problem {
    tracing::error!(%error, "api");
    Problem::Unavailable
}

pub async fn decisions(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OnePolicy,
    (): (),
) -> Answered<Json<Decisions>> {
    staff(&call)?;
    let all = policy::history(&portal.store, Some(&ask.policy.0)).await?;
    Ok(Json(Decisions { decisions: all.iter().map(Decided::of).collect() }))
}

pub async fn decide(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OnePolicy,
    new: Json<NewDecision>,
) -> Answered<Once<Created<Decided>>> {
    let (by, key) = (call.by()?, &ask.policy.0);
    let (value, reason) = (&new.0.value.0, &new.0.reason.0);
    let from = new.0.from.as_ref().map_or(by.at, |from| from.0.0);
    let made = policy::decided(&by, key, value, from, reason)?;
    let at = format!("/staff/policies/{key}/decisions");
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        on_duty(tx, call, MANAGES)?;
        policy::set_in(tx, &by, &made)?;
        call.once(tx, Created { value: Decided::of(&made), at: at.clone() })
    };
    acting(&portal, &call, work).await
}

pub async fn propose(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: NameGiven,
    (): (),
) -> Answered<Json<FreeAddresses>> {
    has(&portal, &call, StaffRole::Registrar).await?;
    let (domain, most) = (&portal.people.sign_in.domain, Limit::of(ask.limit));
    let free = addresses::propose(&portal.store, domain, &ask.called(), "", most).await?;
    Ok(Json(FreeAddresses { addresses: free.iter().map(ToString::to_string).collect() }))
}

pub async fn audit(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: AuditListing,
    (): (),
) -> Answered<Json<Acts>> {
    has(&portal, &call, StaffRole::Auditor).await?;
    let wanted = Wanted {
        subject: ask.subject.map(|subject| subject.0),
        actor: ask.actor.map(|actor| actor.0),
        act: ask.act.map(|act| act.0),
        since: ask.since.map(|since| since.0),
        before: ask.before.map(|number| number.0),
        most: u32::try_from(Limit::of(ask.limit)).unwrap_or(u32::MAX),
    };
    let entries = audit::list(&portal.store, wanted).await?;
    Ok(Json(Acts { entries: entries.iter().map(Act::of).collect() }))
}

pub async fn verify(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<AuditVerdict>> {
    has(&portal, &call, StaffRole::Auditor).await?;
    let found = portal.judge.audit(call.now).await.ok_or(Problem::Unavailable)?;
    Ok(Json(AuditVerdict::of(&found)))
}
