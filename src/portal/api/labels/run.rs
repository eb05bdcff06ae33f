//! Taking a label off all messages: in units, for others may write in between.

use super::{OneLabel, known};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::Done;
use crate::portal::api::filing;
use crate::portal::api::run::acting;
use crate::registry::labels;
use crate::store::Tx;
use std::sync::Arc;

pub async fn delete(portal: Arc<Portal>, call: Arc<Call>, ask: OneLabel, (): ()) -> Answered<Done> {
    let (account, now) = (call.account_id()?, call.now);
    // It is recorded before it goes, since it does not go at once.
    let begin = move |tx: &mut Tx<'_>, call: &Call| {
        call.may_add_in(tx)?;
        let label = known(tx, call, &ask.label)?;
        filing::done(tx, call, &filing::label("delete", label.key.as_str()))?;
        Ok(label)
    };
    let label = acting(&portal, &call, begin).await?;
    labels::take_away(&portal.store, account, label, now).await?;
    Ok(Done)
}
