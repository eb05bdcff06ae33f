//! Credits, as the registry counts them.

use super::{CreditEntries, CreditEntry, Credits, Listing, MessageQuote, QuotedMessage};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords};
use crate::portal::api::kinds::Limit;
use crate::portal::api::{Portal, Problem};
use crate::registry::credits;
use crate::wire::KepAddress;
use std::collections::BTreeSet;
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

pub async fn quote(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    asked: Json<QuotedMessage>,
) -> Answered<Json<MessageQuote>> {
    let QuotedMessage { size, recipients } = asked.0;
    if size > SIZE {
        return Err(Problem::BadBody("size".to_owned()));
    }
    let mut to = BTreeSet::new();
    for text in recipients.0 {
        let address = KepAddress::registered(text.trim());
        to.insert(address.map_err(|_| Problem::AddressUnfit(text))?);
    }
    let to: Vec<_> = to.into_iter().collect();
    let (store, ours) = (&portal.store, &portal.directory.ours);
    let quote = credits::quote(store, ours, size, &to, call.now).await?;
    let said = credits::statement(store, &call.account()?.address, 1).await?;
    let credits::Quote { enforced, total, elsewhere, here } = quote;
    let available = said.balance.available;
    let enough = !enforced || available >= total;
    Ok(Json(MessageQuote { enforced, total, elsewhere, here, available, enough }))
}

/// As far as programs that read JSON count.
const SIZE: u64 = 9_007_199_254_740_991;
