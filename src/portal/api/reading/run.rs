//! The waiting for the record.

use super::{reader, record};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::operators::reading::{self, Given};
use crate::store::Tx;
use std::sync::Arc;

/// To be waited for before any of it is given.
pub async fn gives(portal: &Portal, call: &Arc<Call>, given: Vec<Given>) -> Answered<()> {
    let Some(reader) = reader(call)? else { return Ok(()) };
    let look = move |tx: &mut Tx<'_>| -> Result<_, Problem> {
        Ok(reading::unrecorded(tx, reader, given.clone())?)
    };
    let new = portal.store.read(look).await?;
    if new.is_empty() {
        return Ok(());
    }
    acting(portal, call, move |tx: &mut Tx<'_>, call: &Call| record(tx, call, reader, &new)).await
}
