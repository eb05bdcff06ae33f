//! What operators of the provider do with mail on its way to others, for the audit: one mail, by its number,
//! or all that is for a provider.

use super::audit::{self, By};
use crate::store::{Lane, RowsError, Store, Tx, relay};
use crate::wire::KepDomain;
use serde_json::json;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Now, and no longer held.
    Retry,
    Hold,
    Release,
}

impl Change {
    fn act(self) -> &'static str {
        match self {
            Self::Retry => "queue.retry",
            Self::Hold => "queue.hold",
            Self::Release => "queue.release",
        }
    }
}

/// Says whether there is such a mail.
pub async fn of_mail(store: &Store, by: &By, id: i64, change: Change) -> Result<bool, RowsError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        let Some(queued) = relay::find(tx, id)? else { return Ok(false) };
        match change {
            Change::Hold => _ = relay::hold(tx, id)?,
            Change::Release => _ = relay::release(tx, Ok(id), by.at)?,
            // What is to be tried now is not held any more.
            Change::Retry => {
                relay::release(tx, Ok(id), by.at)?;
                relay::hurry(tx, Ok(id), by.at)?;
            }
        }
        let details = json!({ "mail": id, "name": queued.name });
        audit::record(tx, &by, change.act(), queued.provider.as_str(), details)?;
        Ok(true)
    };
    store.write(Lane::Client, work).await
}

/// Says of how many mails it was.
pub async fn of_provider(
    store: &Store,
    by: &By,
    provider: &KepDomain,
    change: Change,
) -> Result<u64, RowsError> {
    let (by, provider) = (by.clone(), provider.clone());
    let work = move |tx: &mut Tx<'_>| {
        let mails = match change {
            Change::Hold => relay::set_held(tx, &provider, true).map(|()| 0)?,
            Change::Release => {
                relay::set_held(tx, &provider, false)?;
                relay::release(tx, Err(&provider), by.at)?
            }
            Change::Retry => {
                relay::set_well(tx, &provider)?;
                relay::hurry(tx, Err(&provider), by.at)?
            }
        };
        let details = json!({ "mails": mails });
        audit::record(tx, &by, change.act(), provider.as_str(), details)?;
        Ok(mails)
    };
    store.write(Lane::Client, work).await
}
