//! Hand-overs, as the registry keeps them.

use super::{Handover, HandoverListing, HandoverReturn, Handovers, NewHandover, OneHandover};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords};
use crate::portal::api::kinds::Limit;
use crate::portal::api::{Portal, Problem};
use crate::registry::handovers;
use crate::registry::operators::Act;
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
) -> Answered<Json<Handover>> {
    call.may_add()?;
    let (store, by, address) = (&portal.store, call.by()?, &call.account()?.address);
    let own = call.operator().map(|operator| operator.code);
    let made = handovers::hand_over(store, &by, address, own, &new.message.0, new.to.0).await?;
    Ok(Json(Handover::of(&made)))
}

pub async fn give_back(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneHandover,
    Json(said): Json<HandoverReturn>,
) -> Answered<Json<Handover>> {
    call.may_add()?;
    let (store, by, address) = (&portal.store, call.by()?, &call.account()?.address);
    let (own, id) = (call.operator().map(|operator| operator.code), ask.handover.0);
    let made = handovers::give_back(store, &by, address, own, id, &said.reason.0).await?;
    Ok(Json(Handover::of(&made)))
}
