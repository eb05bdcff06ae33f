//! An operator acts no more, for good or for a time.

use super::{OperatorError, active, present, record, rows};
use crate::registry::accounts;
use crate::registry::audit::By;
use crate::registry::credentials::{self, Owner};
use crate::registry::directory;
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows, handovers, tasks};
use crate::wire::{AccountId, KepAddress, OperatorCode, Timestamp};
use serde_json::json;

/// He acts no more from now on: all that he logs in by goes, his certificates count for nobody, who is connected by it is out, and
/// what was handed to him waits for whoever may sign.
pub async fn end(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        let one = present(tx, account, &address, code)?;
        rows::end(tx, account, code.number(), by.at, &by.actor.to_string())?;
        leave(tx, account, code, by.at)?;
        Ok(record(tx, &by, "operator.end", &address, &one, json!({}))?)
    };
    store.write(Lane::Client, work).await
}

/// He may nothing until he is resumed: sessions, passwords and second factors go, so that he gets new ones
/// then; certificates stay registered and don't count.
pub async fn suspend(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        let one = active(tx, account, &address, code)?;
        rows::suspend(tx, account, code.number(), by.at, &by.actor.to_string())?;
        leave(tx, account, code, by.at)?;
        Ok(record(tx, &by, "operator.suspend", &address, &one, json!({}))?)
    };
    store.write(Lane::Client, work).await
}

pub async fn resume(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        let one = present(tx, account, &address, code)?;
        if !rows::resume(tx, account, code.number())? {
            return Err(OperatorError::NotSuspended(address.clone(), code));
        }
        directory::entry::refresh(tx, account, by.at)?;
        Ok(record(tx, &by, "operator.resume", &address, &one, json!({}))?)
    };
    store.write(Lane::Client, work).await
}

/// What follows when he acts no more, for good or for a time.
fn leave(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: OperatorCode,
    at: Timestamp,
) -> Result<(), RowsError> {
    credentials::forget(tx, Owner { account, operator: code.number() })?;
    handovers::release(tx, account, code.number())?;
    tasks::release(tx, account, code.number())?;
    directory::entry::refresh(tx, account, at)?;
    Ok(())
}
