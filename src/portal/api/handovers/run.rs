//! Hand-overs, as the registry keeps them.

use super::{Handover, HandoverListing, HandoverReturn, Handovers, NewHandover, OneHandover};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords, Once};
use crate::portal::api::kinds::Limit;
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::audit::By;
use crate::registry::operators::Act;
use crate::registry::{Account, handovers};
use crate::store::Tx;
use crate::wire::OperatorCode;
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: HandoverListing,
    (): (),
) -> Answered<Json<Handovers>> {
    let sees = [Act::HandOver, Act::Sign, Act::Audit];
    if call.operator().is_some_and(|operator| !sees.iter().any(|act| operator.may(*act))) {
        return Err(Problem::OperatorMayNot);
    }
    let (all, after) = (ask.all.is_some_and(|all| all.0), ask.after.map_or(0, |number| number.0));
    let (address, most) = (&call.account()?.address, Limit::of(ask.limit));
    let found = handovers::list(&portal.store, address, all, after, most).await?;
    Ok(Json(Handovers { handovers: found.iter().map(Handover::of).collect() }))
}

pub async fn hand_over(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(new): Json<NewHandover>,
) -> Answered<Once<Json<Handover>>> {
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        call.may_add_in(tx)?;
        let (by, account, own) = whose(call)?;
        let (message, to) = (&new.message.0, new.to.0);
        let made =
            handovers::hand_over_in(tx, (account.id, &account.address), own, message, to, &by)?;
        call.once(tx, Json(Handover::of(&made)))
    };
    acting(&portal, &call, work).await
}

pub async fn give_back(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneHandover,
    Json(said): Json<HandoverReturn>,
) -> Answered<Once<Json<Handover>>> {
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        call.may_add_in(tx)?;
        let (by, account, own) = whose(call)?;
        let (id, reason) = (ask.handover.0, &said.reason.0);
        let made =
            handovers::give_back_in(tx, (account.id, &account.address), own, id, reason, &by)?;
        call.once(tx, Json(Handover::of(&made)))
    };
    acting(&portal, &call, work).await
}

/// Whose doing it is, and who acts for the account where it is not its holder.
fn whose(call: &Call) -> Answered<(By, &Account, Option<OperatorCode>)> {
    Ok((call.by()?, call.account()?, call.operator().map(|operator| operator.code)))
}
