//! Credits, as the registry counts them.

use super::{CreditEntries, CreditEntry, Credits, Listing};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords};
use crate::portal::api::kinds::Limit;
use crate::registry::credits;
use std::sync::Arc;

pub async fn balance(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<Credits>> {
    let said = credits::statement(&portal.store, &call.account()?.address, 1).await?;
    Ok(Json(Credits::of(&said.balance)))
}

pub async fn entries(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: Listing,
    (): (),
) -> Answered<Json<CreditEntries>> {
    let (address, before) = (&call.account()?.address, ask.before.map(|number| number.0));
    let all = credits::history(&portal.store, address, before, Limit::of(ask.limit)).await?;
    Ok(Json(CreditEntries { entries: all.iter().map(CreditEntry::of).collect() }))
}
