//! The share, as the registry tells it.

use super::StorageShare;
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords};
use crate::registry::{policy, shares};
use crate::store::{RowsError, Tx};
use std::sync::Arc;

pub async fn show(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<StorageShare>> {
    let (account, now, configured) = (call.account_id()?, call.now, portal.limits.storage);
    let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        Ok((shares::of(tx, account, configured, now)?, policy::at(tx, now)?.storage_warn.0))
    };
    let (share, warn) = portal.store.read(work).await?;
    Ok(Json(StorageShare::of(&share, warn)))
}
