//! The contract of an account: terms that follow each other. Days are Turkey's; a term ends with the last
//! moment of its last day.

use super::accounts::{self, RegistryError};
use super::audit::{self, By};
use super::policy;
use super::standing::{AccountState, Mistimed, Stage};
use super::tasks::{self, TaskKind};
use crate::store::accounts as account_rows;
use crate::store::contracts::{self as rows, ContractRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{AccountId, KepAddress, Timestamp};
use chrono::Months;
use serde_json::json;

/// One term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contract {
    /// From 1.
    pub n: i64,
    pub starts_at: Timestamp,
    /// The last moment.
    pub ends_at: Timestamp,
    pub made_at: Timestamp,
}

/// The terms of an account, the newest first.
pub async fn of(store: &Store, address: &KepAddress) -> Result<Vec<Contract>, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    Ok(store.read(move |tx: &mut Tx<'_>| terms(tx, id)).await?)
}

/// The same within somebody's transaction.
pub fn terms(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Contract>, RowsError> {
    Ok(rows::of_account(tx, account)?.iter().map(known).collect())
}

/// Renews by so many months, or as the policy has it: from the end of the term in force, or from today
/// when that is over.
pub async fn renew(
    store: &Store,
    address: &KepAddress,
    months: Option<u32>,
    by: &By,
) -> Result<Contract, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Contract, RegistryError> {
        account_rows::lock(tx, id)?;
        renew_in(tx, id, &address, months, &by)
    };
    store.write(Lane::Client, work).await
}

/// Its holder renews it as the policy has it: when it is a task of his, or is over, so that twice is once. To
/// be called under the account's lock.
pub fn renew_own(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    by: &By,
) -> Result<Contract, RegistryError> {
    let last = terms(tx, id)?.first().copied();
    let last = last.ok_or_else(|| RegistryError::NoContract(address.clone()))?;
    let from = renewable_from(tx, &last, by.at)?;
    if by.at < from {
        return Err(RegistryError::EarlyRenewal(address.clone(), from));
    }
    renew_in(tx, id, address, None, by)
}

/// From when on its holder may renew it.
pub fn renewable_from(
    tx: &mut Tx<'_>,
    last: &Contract,
    now: Timestamp,
) -> Result<Timestamp, RowsError> {
    Ok(last.ends_at.plus_millis(-policy::at(tx, now)?.task_contract.millis()))
}

/// Renews within somebody's transaction, under the account's lock.
pub fn renew_in(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    months: Option<u32>,
    by: &By,
) -> Result<Contract, RegistryError> {
    let state = AccountState::of(&account_rows::standing(tx, id)?)?;
    let stage = state.stage_at(by.at);
    if matches!(stage, Stage::Closed | Stage::Ended) {
        let mistimed = Mistimed { stage, done: "renewed" };
        return Err(RegistryError::Standing(address.clone(), mistimed));
    }
    let contract = begin(tx, id, months, by.at)?;
    let (n, until) = (contract.n, contract.ends_at.iso8601());
    let details = json!({ "term": n, "until": until });
    audit::record(tx, by, "contract.renew", address.as_str(), details)?;
    Ok(contract)
}

/// Whether the last term is not over.
pub(super) fn goes_on(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Timestamp,
) -> Result<bool, RowsError> {
    Ok(rows::of_account(tx, account)?.first().is_some_and(|last| last.ends_at >= now))
}

/// The first term of an account that is opened, or the next.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    account: AccountId,
    months: Option<u32>,
    now: Timestamp,
) -> Result<Contract, RegistryError> {
    let last = rows::of_account(tx, account)?.first().map(known);
    let contract = term(tx, months, last, now)?;
    rows::add(tx, &row(account, &contract))?;
    if let Some(last) = last {
        renewed(tx, account, last.n, now)?;
    }
    Ok(contract)
}

/// Its account is closed: nobody is asked to renew it.
pub(super) fn leave(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), RowsError> {
    match rows::of_account(tx, account)?.first() {
        Some(last) => renewed(tx, account, last.n, now),
        None => Ok(()),
    }
}

/// Whoever was to renew that term has done so.
fn renewed(
    tx: &mut Tx<'_>,
    account: AccountId,
    term: i64,
    now: Timestamp,
) -> Result<(), RowsError> {
    tasks::done(tx, account, TaskKind::ContractEnding, &term.to_string(), now).map(|_| ())
}

fn term(
    tx: &mut Tx<'_>,
    months: Option<u32>,
    last: Option<Contract>,
    now: Timestamp,
) -> Result<Contract, RegistryError> {
    let months = match months {
        Some(months) => months,
        None => policy::at(tx, now)?.contract_months,
    };
    if !(1..=MOST_MONTHS).contains(&months) {
        return Err(RegistryError::Months(MOST_MONTHS));
    }
    let goes_on = last.filter(|last| last.ends_at >= now);
    let starts_at = goes_on.map_or(now, |last| last.ends_at.plus_millis(1));
    let ends_at = end_of(starts_at, months);
    Ok(Contract { n: last.map_or(1, |last| last.n + 1), starts_at, ends_at, made_at: now })
}

/// The last moment of the day before the same day so many months later; a month that has no such day ends
/// with its last.
fn end_of(starts_at: Timestamp, months: u32) -> Timestamp {
    let local = starts_at.istanbul();
    let day = local.date_naive().checked_add_months(Months::new(months));
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    let end = midnight.and_then(|time| time.and_local_timezone(*local.offset()).single());
    end.map_or(starts_at, |end| Timestamp::from_utc(end.to_utc()).plus_millis(-1))
}

fn known(row: &ContractRow) -> Contract {
    let ContractRow { n, starts_at, ends_at, made_at, .. } = *row;
    Contract { n, starts_at, ends_at, made_at }
}

fn row(account: AccountId, contract: &Contract) -> ContractRow {
    let Contract { n, starts_at, ends_at, made_at } = *contract;
    ContractRow { account, n, starts_at, ends_at, made_at }
}

/// Ten years.
const MOST_MONTHS: u32 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_with_a_day_in_turkey() {
        let at = |text: &str| Timestamp::parse_iso8601(text).unwrap();
        for (start, months, end) in [
            // Already the first of December in Turkey.
            ("2026-11-30T21:30:00Z", 12, "2027-11-30T20:59:59.999Z"),
            ("2026-11-30T09:00:00Z", 12, "2027-11-29T20:59:59.999Z"),
            ("2027-02-28T21:00:00.000Z", 12, "2028-02-29T20:59:59.999Z"),
            ("2024-02-29T09:00:00Z", 12, "2025-02-27T20:59:59.999Z"),
        ] {
            assert_eq!(end_of(at(start), months), at(end), "{start}");
        }
    }
}
