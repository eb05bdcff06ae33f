//! An operator acts no more, for good or for a time.

use super::{Of, OperatorError, active, present, record, rows};
use crate::registry::accounts;
use crate::registry::audit::By;
use crate::registry::credentials::{self, Owner};
use crate::registry::directory;
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows, handovers, tasks};
use crate::wire::{AccountId, KepAddress, OperatorCode, Timestamp};
use serde_json::json;

/// He acts no more from now on: all that he logs in by goes, his certificates count for nobody, who is
/// connected by it is out, and what was handed to him waits for whoever may sign.
pub async fn end(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    change(store, by, address, code, end_in).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn end_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let one = present(tx, of.account, of.address, code)?;
    rows::end(tx, of.account, code.number(), by.at, &by.actor.to_string())?;
    leave(tx, of.account, code, by.at)?;
    Ok(record(tx, by, "operator.end", of.address, &one, json!({}))?)
}

/// He may nothing until he is resumed: sessions, passwords and second factors go, so that he gets new ones
/// then; certificates stay registered and don't count.
pub async fn suspend(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    change(store, by, address, code, suspend_in).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn suspend_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let one = active(tx, of.account, of.address, code)?;
    rows::suspend(tx, of.account, code.number(), by.at, &by.actor.to_string())?;
    leave(tx, of.account, code, by.at)?;
    Ok(record(tx, by, "operator.suspend", of.address, &one, json!({}))?)
}

pub async fn resume(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    change(store, by, address, code, resume_in).await
}

/// The same within somebody's transaction, under the account's lock.
pub fn resume_in(
    tx: &mut Tx<'_>,
    by: &By,
    of: &Of<'_>,
    code: OperatorCode,
) -> Result<(), OperatorError> {
    let one = present(tx, of.account, of.address, code)?;
    if !rows::resume(tx, of.account, code.number())? {
        return Err(OperatorError::NotSuspended(of.address.clone(), code));
    }
    directory::entry::refresh(tx, of.account, by.at)?;
    Ok(record(tx, by, "operator.resume", of.address, &one, json!({}))?)
}

/// What becomes of an operator, within somebody's transaction.
type Change = fn(&mut Tx<'_>, &By, &Of<'_>, OperatorCode) -> Result<(), OperatorError>;

async fn change(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
    change: Change,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        change(tx, &by, &Of { account, address: &address }, code)
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
