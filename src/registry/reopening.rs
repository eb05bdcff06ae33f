//! What of an account comes back with it. One that is closed is read by what its people have, and keeps all of
//! it; one that has ended begins anew: nothing by which anybody came in or acted for it in those days does
//! again.

use super::accounts::{Account, RegistryError};
use super::audit::{self, By};
use super::credentials::{self, Owner};
use super::operators::{self, Of, OperatorError};
use super::{api_tokens, sessions};
use crate::store::credentials as rows;
use crate::store::{RowsError, Tx, accounts as account_rows, holders, notices, outbox};
use crate::wire::{AccountId, OperatorCode};
use serde_json::json;

/// Of an account that had ended, within the transaction that opens it again and under its lock. What waits for
/// its places is not said any more. Who is reached still at a place that was proven then is told, once more:
/// it may be somebody else's by now.
pub(super) fn begin_anew(tx: &mut Tx<'_>, account: &Account, by: &By) -> Result<(), RegistryError> {
    let (id, address) = (account.id, account.address.as_str());
    for place in notices::of_account(tx, id)? {
        outbox::withdraw(tx, id, (&place.channel, &place.target), by.at)?;
    }
    credentials::tell_changed(tx, Owner::holder(id), by.at)?;
    let operators = end_operators(tx, account, by)?;
    for token in api_tokens::all(tx, id)? {
        api_tokens::remove_in(tx, by, Some(id), &token.id)?;
    }
    sessions::end_account(tx, id)?;
    account_rows::set_password(tx, id, NONE, by.at)?;
    let forgotten = rows::forget_account(tx, id)?;
    let places = notices::remove_all(tx, id)?;
    take_e_seal(tx, id, address, by)?;
    account_rows::wake(tx, id)?;
    let details = json!({
        "operators": operators,
        "app_passwords": forgotten.app_passwords,
        "certificates": forgotten.certificates,
        "places": places,
    });
    audit::record(tx, by, "account.begin-anew", address, details)?;
    Ok(())
}

/// How many acted for it.
fn end_operators(tx: &mut Tx<'_>, account: &Account, by: &By) -> Result<usize, RegistryError> {
    let of = Of { account: account.id, address: &account.address };
    let all = operators::page(tx, account.id, 0, usize::MAX)?;
    let acting = all.into_iter().filter(|one| !one.has_ended()).map(|one| one.code);
    let acting: Vec<OperatorCode> = acting.collect();
    for code in &acting {
        operators::end_in(tx, by, &of, *code).map_err(|error| match error {
            OperatorError::Registry(error) => error,
            _ => RowsError::Stored("an operator").into(),
        })?;
    }
    Ok(acting.len())
}

fn take_e_seal(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &str,
    by: &By,
) -> Result<(), RegistryError> {
    let (invoice, permitted) = holders::terms(tx, id)?;
    if permitted {
        holders::set_terms(tx, id, invoice.as_deref(), false)?;
        audit::record(tx, by, "account.e_seal", address, json!({ "permitted": false }))?;
    }
    Ok(())
}

/// A verifier of no password.
const NONE: &str = "-";
