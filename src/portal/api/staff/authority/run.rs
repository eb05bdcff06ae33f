//! Hands out what was approved. Whether it can be sealed and encrypted now, and who takes it, is known and recorded
//! before the first octet leaves; that it was handed out, before the last one does.

use super::{OneRequest, REGISTERS, name, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::SealedFile;
use crate::portal::api::pipe::{Pipe, run::pour};
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::authority::{self as registry, AuthorityError};
use crate::store::Tx;
use crate::trust::detached::Word;
use crate::trust::envelope;
use std::sync::Arc;

pub async fn export(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneRequest,
    (): (),
) -> Answered<SealedFile> {
    let (id, asking) = (ask.request.0, Arc::clone(&call));
    let look = move |tx: &mut Tx<'_>| -> Answered<_> {
        let by = on_duty(tx, &asking, REGISTERS)?;
        Ok(registry::fits(tx, &by, id)?)
    };
    let request = portal.store.read(look).await?;
    let suits = envelope::suits(&request.certificate, call.now);
    suits.map_err(|error| Problem::CertificateUnfit(error.to_string()))?;
    let word = ready(&portal)?;
    let seat = portal.archives.take_for(id)?;
    let (by, store) = (call.by()?, portal.store.clone());
    let begin = move |tx: &mut Tx<'_>, call: &Call| {
        let by = on_duty(tx, call, REGISTERS)?;
        Ok(registry::begin(tx, &by, id)?)
    };
    let request = acting(&portal, &call, begin).await?;
    let write = move |pipe: Pipe| async move {
        let pipe = registry::send(&store, &word, &by, &request, pipe).await?;
        Ok::<_, AuthorityError>(pipe.finish()?)
    };
    let taken = |()| std::future::ready(Ok(()));
    Ok(SealedFile { name: name(id), flow: pour(seat, write, taken) })
}

fn ready(portal: &Portal) -> Answered<Word> {
    let word = portal.word.clone().ok_or(Problem::Unavailable)?;
    word.readiness.check().map_err(|error| {
        tracing::error!(%error, "an authority's export can't be sealed now");
        Problem::Unavailable
    })?;
    Ok(word)
}
