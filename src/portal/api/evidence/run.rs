//! The document of an evidence, from where it rests.

use super::{OneEvidence, find};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::XmlFile;
use crate::portal::api::{Portal, Problem};
use crate::store::{StoreError, Tx, blobs};
use std::sync::Arc;

pub async fn document(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneEvidence,
    (): (),
) -> Answered<XmlFile> {
    let look = move |tx: &mut Tx<'_>| -> Answered<_> {
        let row = find(tx, &call, &ask)?;
        let put = blobs::find(tx, &row.xml)?;
        Ok((row, put))
    };
    let (row, put) = portal.store.read(look).await?;
    let blobs = Arc::clone(&portal.store.blobs);
    let read = tokio::task::spawn_blocking(move || blobs.read(&put).map(|octets| octets.to_vec()));
    let octets = read.await.map_err(|_| Problem::Internal)?;
    let octets = octets.map_err(StoreError::from)?;
    Ok(XmlFile { name: format!("{}{}.xml", row.event, row.document_id()), octets })
}
