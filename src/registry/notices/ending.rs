//! What ends: certificates are told of in time, once at each of three distances; the term of a contract
//! once.

use super::{Happened, tell};
use crate::registry::accounts::{self as registry, Access};
use crate::registry::outbox::{Kind, Outgoing, Values};
use crate::registry::policy::{self, Span};
use crate::registry::tasks;
use crate::store::tasks as task_rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts, contracts, notices as rows};
use crate::trust::Certificate;
use crate::wire::{AccountId, Digest, Timestamp};

/// Looks through the accounts that have a place; says how many notices were laid down.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let (mut after, mut laid) = (AccountId(0), 0);
    loop {
        let some = store.read(move |tx| rows::accounts(tx, after, ACCOUNTS)).await?;
        let Some(last) = some.last() else { return Ok(laid) };
        after = *last;
        for account in some {
            let work = move |tx: &mut Tx<'_>| of_account(tx, account, now);
            laid += store.write(Lane::Background, work).await?;
        }
    }
}

fn of_account(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<usize, RowsError> {
    // What is closed has nothing to renew.
    if registry::access(tx, account, now)? != Access::Whole {
        return Ok(0);
    }
    let first = policy::at(tx, now)?.notice_ending;
    let mut laid = contract(tx, account, first, now)?;
    // One that was registered just now is read as well.
    tasks::sweep::read_certificates(tx)?;
    // Those to log in by, and its operators', too: whoever they stop at the door asks the holder.
    for (der, _) in accounts::all_certificates(tx, account)? {
        // What can't be read signs nothing either.
        let Ok(certificate) = Certificate::from_der(&der) else { continue };
        let Some(distance) = distance(certificate.not_after(), first, now) else { continue };
        if task_rows::is_replaced(tx, account, certificate.digest())? {
            continue;
        }
        let digest = certificate.digest().hex();
        let day = certificate.not_after().turkish_day();
        let happened = Happened {
            account,
            kind: Kind::Certificate,
            cause: format!("certificate/{}/{distance}", digest.get(..16).unwrap_or(&digest)),
            values: &[("day", &day), ("certificate", &digest)],
            at: now,
        };
        laid += tell(tx, &happened)?;
    }
    Ok(laid)
}

/// The last term.
fn contract(
    tx: &mut Tx<'_>,
    account: AccountId,
    first: Span,
    now: Timestamp,
) -> Result<usize, RowsError> {
    let Some(last) = contracts::of_account(tx, account)?.into_iter().next() else { return Ok(0) };
    let left = last.ends_at.millis().saturating_sub(now.millis());
    if !(1..=first.millis()).contains(&left) {
        return Ok(0);
    }
    let (day, term) = (last.ends_at.turkish_day(), last.n.to_string());
    let happened = Happened {
        account,
        kind: Kind::Contract,
        cause: format!("contract/{term}"),
        values: &[("day", &day), ("term", &term)],
        at: now,
    };
    tell(tx, &happened)
}

/// Whether what a notice tells of ends still: the term is the last one, nothing replaces the certificate.
pub(super) fn is_so_still(
    tx: &mut Tx<'_>,
    outgoing: &Outgoing,
    values: &Values,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let account = outgoing.account;
    if registry::access(tx, account, now)? != Access::Whole {
        return Ok(false);
    }
    if let Some(term) = values.get("term") {
        let last = contracts::of_account(tx, account)?.into_iter().next();
        return Ok(last.is_some_and(|last| last.n.to_string() == *term));
    }
    let Some(digest) = values.get("certificate").and_then(|hex| Digest::from_hex(hex)) else {
        return Ok(true);
    };
    tasks::sweep::read_certificates(tx)?;
    Ok(!task_rows::is_replaced(tx, account, digest)?)
}

/// The nearest of the distances that is reached; none before the first and after the end.
fn distance(ends: Timestamp, first: Span, now: Timestamp) -> Option<Span> {
    let left = ends.millis().saturating_sub(now.millis());
    let reached = |distance: &Span| left <= distance.millis();
    [Span::days(1), Span::days(7), first].into_iter().filter(reached).min().filter(|_| left > 0)
}

/// Accounts looked up at once.
const ACCOUNTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_of_at_three_distances() {
        let now = Timestamp::from_secs(1_795_424_000);
        let days = Span::days;
        let at = |hours: i64| distance(now.plus_secs(3600 * hours), days(30), now);
        let told = [24 * 31, 24 * 30, 24 * 8, 24 * 7, 25, 24, 0, -5].map(at);
        let expected = [None, Some(30), Some(30), Some(7), Some(7), Some(1), None, None];
        assert_eq!(told, expected.map(|count: Option<i64>| count.map(days)));
        assert_eq!(distance(now.plus_secs(86_400 * 3), days(3), now), Some(days(3)));
    }
}
