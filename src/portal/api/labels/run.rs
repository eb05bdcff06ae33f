//! Taking a label off all messages: in units, for others may write in between.

use super::{OneLabel, known};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::Done;
use crate::portal::api::filing::{self, Told};
use crate::portal::api::{Portal, Problem};
use crate::registry::labels;
use crate::store::Tx;
use std::sync::Arc;

pub async fn delete(portal: Arc<Portal>, call: Arc<Call>, ask: OneLabel, (): ()) -> Answered<Done> {
    call.may_add()?;
    let (account, now) = (call.account_id()?, call.now);
    let looked = Arc::clone(&call);
    let find = move |tx: &mut Tx<'_>| known(tx, &looked, &ask.label);
    let label: Result<_, Problem> = portal.store.read(find).await;
    let (label, told) = (label?, Told::of(&call)?);
    let deed = filing::label("delete", label.key.as_str());
    let record = move |tx: &mut Tx<'_>| match &told {
        Some(told) => told.record(tx, &deed),
        None => Ok(()),
    };
    labels::take_away_and(&portal.store, account, label, now, record).await?;
    Ok(Done)
}
