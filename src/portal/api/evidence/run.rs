//! The document of an evidence, from where it rests.

use super::{OneEvidence, find};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::XmlFile;
use std::sync::Arc;

pub async fn document(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneEvidence,
    (): (),
) -> Answered<XmlFile> {
    let row = portal.store.read(move |tx| find(tx, &call, &ask)).await?;
    let octets = portal.store.blob(row.xml).await?;
    Ok(XmlFile { name: format!("{}{}.xml", row.event, row.document_id()), octets })
}
