//! The judge is another room's; what he says is given on in the document's words.

use super::Judgement;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Document, Json, NoWords};
use crate::portal::api::{Portal, Problem};
use std::sync::Arc;

pub async fn verify(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    document: Document,
) -> Answered<Json<Judgement>> {
    let judged = portal.judge.verify(document.0, call.now).await.ok_or(Problem::Unavailable)?;
    let judgement = serde_json::from_value(judged).map_err(|error| {
        tracing::error!(%error, "a judgement");
        Problem::Internal
    })?;
    Ok(Json(judgement))
}
