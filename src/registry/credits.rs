//! Credits (kontör): what sending costs. Reserved in the transaction that lays a message in, spent in the
//! one that keeps its acceptance evidence, given back in the one that keeps evidence of a failure, for the
//! recipient it names. Each entry is named by its cause, so that a step that runs twice changes nothing.
//!
//! Whether any of that is done is the policy `credit.enforced`; while it is off nothing is written. What a
//! message costs, and which evidence gives back, is settled by the terms of the time when it was laid in,
//! and stands with the message.

mod account;
mod audit;
mod price;
mod till;
mod top_up;

pub use crate::store::credits::{Balance, Charge, Entry, Kind, Ledger, Low};
pub use account::{Quote, Statement, history, quote, statement};
pub use audit::{Audit, audit};
pub use price::{Bands, GiveBack, Recipients};
pub use till::{Held, Paid, Short, Till, pay, recipients};
pub use top_up::{
    Addition, CreditError, Done, Unit, correct, correct_in, sound, top_up, top_up_in,
};

use super::policy::{self, Policies};
use crate::spool;
use crate::store::credits::{self as rows, NewEntry as Row, Posted};
use crate::store::submissions::Recipient;
use crate::store::{RowsError, Tx};
use crate::wire::{AccountId, MessageId, Timestamp};

/// What a message costs now; nothing when credits are not asked for, or when it is free.
pub fn charge(terms: &Policies, octets: u64, to: Recipients) -> Option<Charge> {
    terms.credit_enforced.then(|| of(terms, octets, to)).filter(|charge| charge.total > 0)
}

fn of(terms: &Policies, octets: u64, to: Recipients) -> Charge {
    let (bands, back) = (&terms.credit_prices, &terms.credit_give_back);
    let charge = price::price(bands, back, terms.credit_free_here, octets, to);
    Charge { low: terms.credit_low.into(), ..charge }
}

/// Reserves what a message costs, whose identifier was just made. False when the account has not as much:
/// then nothing changed.
pub fn reserve(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    charge: &Charge,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let id = format!("reserve/{message}");
    let (from, to) = (Ledger::Available, Ledger::Reserved);
    let new = of_message(&id, account, Kind::Reserve, (from, to), charge.total, message, at);
    match rows::post_first(tx, &new)? {
        Posted::Now(balance) => {
            warn(tx, account, from, balance, charge.total, charge.low, at)?;
            Ok(true)
        }
        Posted::Before | Posted::Short => Ok(false),
    }
}

/// The message is accepted. How much was spent now.
pub fn spend(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    charge: &Charge,
    at: Timestamp,
) -> Result<i64, RowsError> {
    settle(tx, account, message, charge, (Kind::Spend, Ledger::Spent), at)
}

/// The message will not be accepted: its sender withdrew it, or let it lapse unsigned. How much is
/// available again.
pub fn release(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    charge: &Charge,
    at: Timestamp,
) -> Result<i64, RowsError> {
    settle(tx, account, message, charge, (Kind::Release, Ledger::Available), at)
}

/// A reservation ends once: what ends it has one name, whichever it is.
fn settle(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    charge: &Charge,
    (kind, to): (Kind, Ledger),
    at: Timestamp,
) -> Result<i64, RowsError> {
    let id = settled(message);
    let between = (Ledger::Reserved, to);
    posted(tx, &of_message(&id, account, kind, between, charge.total, message, at))
}

/// Evidence of this number (21, 31, 41) says that the message did not reach a recipient: his price comes
/// back, once, whatever follows. How much came back now.
pub fn give_back(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    charge: &Charge,
    recipient: &Recipient,
    evidence: u8,
    at: Timestamp,
) -> Result<i64, RowsError> {
    let price = if recipient.account.is_some() { charge.here } else { charge.elsewhere };
    if price == 0 || !charge.back.contains(&evidence) {
        return Ok(0);
    }
    let spent = rows::entry(tx, &settled(message))?;
    if spent.is_none_or(|entry| entry.kind != Kind::Spend) {
        return Ok(0);
    }
    let id = format!("back/{message}/{}", recipient.n);
    let details = serde_json::json!({ "evidence": evidence }).to_string();
    let between = (Ledger::Spent, Ledger::Available);
    let new = of_message(&id, account, Kind::GiveBack, between, price, message, at);
    posted(tx, &Row { recipient: Some(recipient.n), details: &details, ..new })
}

/// A notice by SMS is about to be sent: true when it may be, by a credit that this cause takes now or took
/// before, or because none are asked for. `cause` names the notice: the same cause pays once.
pub fn spend_sms(
    tx: &mut Tx<'_>,
    account: AccountId,
    cause: &str,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let terms = policy::at(tx, at)?;
    if !terms.credit_enforced {
        return Ok(true);
    }
    let id = format!("sms/{account}/{cause}");
    let (from, to) = (Ledger::Sms, Ledger::SmsSpent);
    let (kind, amount, details) = (Kind::Sms, 1, "{}");
    let (message, recipient) = (None, None);
    let new = Row { id: &id, account, kind, from, to, amount, at, message, recipient, details };
    match rows::post(tx, &new)? {
        Posted::Now(balance) => {
            warn(tx, account, from, balance, 1, terms.credit_sms_low.into(), at)?;
            Ok(true)
        }
        Posted::Before => Ok(true),
        Posted::Short => Ok(false),
    }
}

/// The notice of this cause could not be sent: what it took is there again, once.
pub fn give_back_sms(
    tx: &mut Tx<'_>,
    account: AccountId,
    cause: &str,
    at: Timestamp,
) -> Result<i64, RowsError> {
    if rows::entry(tx, &format!("sms/{account}/{cause}"))?.is_none() {
        return Ok(0);
    }
    let id = format!("sms-back/{account}/{cause}");
    let (from, to) = (Ledger::SmsSpent, Ledger::Sms);
    let (kind, amount, details) = (Kind::GiveBack, 1, "{}");
    let (message, recipient) = (None, None);
    posted(tx, &Row { id: &id, account, kind, from, to, amount, at, message, recipient, details })
}

/// For the figures, after the commit.
pub fn count_spent(credits: i64) {
    metrics::counter!("kep_credits_spent_total").increment(credits.unsigned_abs());
}

/// For the figures, after the commit.
pub fn count_given_back(credits: i64) {
    metrics::counter!("kep_credits_given_back_total").increment(credits.unsigned_abs());
}

/// A row that somebody is to be told of, at each crossing of the threshold downwards.
fn warn(
    tx: &mut Tx<'_>,
    account: AccountId,
    ledger: Ledger,
    balance: Balance,
    taken: i64,
    threshold: i64,
    at: Timestamp,
) -> Result<(), RowsError> {
    let rest = balance.of(ledger);
    if rest < threshold && rest.saturating_add(taken) >= threshold {
        rows::lay_in_low(tx, &Low { id: 0, account, ledger, rest, threshold, at })?;
        spool::low(tx, account, at)?;
    }
    Ok(())
}

fn posted(tx: &mut Tx<'_>, new: &Row<'_>) -> Result<i64, RowsError> {
    match rows::post(tx, new)? {
        Posted::Now(_) => Ok(new.amount),
        Posted::Before => Ok(0),
        // By no way of this program. Evidence is not held up by it; `audit` tells of it.
        Posted::Short => {
            tracing::error!(entry = new.id, "credits that should be there are not");
            Ok(0)
        }
    }
}

fn of_message<'a>(
    id: &'a str,
    account: AccountId,
    kind: Kind,
    (from, to): (Ledger, Ledger),
    amount: i64,
    message: &'a MessageId,
    at: Timestamp,
) -> Row<'a> {
    let (message, recipient, details) = (Some(message), None, "{}");
    Row { id, account, kind, from, to, amount, at, message, recipient, details }
}

fn settled(message: &MessageId) -> String {
    format!("settle/{message}")
}
