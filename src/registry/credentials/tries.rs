//! How often somebody was wrong: counted in rows, so that a restart forgets nothing, by factor and name,
//! so that one factor's lock leaves the others open. A name that nobody has is counted like any other:
//! its lock says nothing.

use super::{CredentialError, Owner, Rules, record};
use crate::registry::audit::By;
use crate::store::credentials::tries::{self as rows, TryRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{KepAddress, Timestamp};
use serde_json::json;
use std::net::IpAddr;

/// What is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Counted {
    /// Passwords, for a name: of the holder (0), or of an operator by his code.
    Password(KepAddress, i64),
    /// All that is guessed from one network, whatever it is.
    Network(IpAddr),
    /// Codes of the app.
    Totp(Owner),
    /// Codes on paper.
    Backup(Owner),
    /// Codes by SMS that were typed.
    Sms(Owner),
    /// Codes by SMS that were sent: each costs money and a person's patience.
    SmsSent(Owner),
    /// Links to set a new password that were sent.
    Reset(KepAddress, i64),
}

impl Counted {
    fn who(&self) -> String {
        match self {
            Self::Password(address, code) => format!("password/{address}/{code}"),
            Self::Network(network) => format!("network/{network}"),
            Self::Totp(owner) => format!("totp/{owner}"),
            Self::Backup(owner) => format!("backup/{owner}"),
            Self::Sms(owner) => format!("sms/{owner}"),
            Self::SmsSent(owner) => format!("sms-sent/{owner}"),
            Self::Reset(address, code) => format!("reset/{address}/{code}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    Open,
    Locked(Timestamp),
}

/// One more try, which counts as failed until `right` says otherwise: many at the same time are no more
/// than one after the other.
pub fn begin(
    tx: &mut Tx<'_>,
    counted: &Counted,
    rules: &Rules,
    now: Timestamp,
) -> Result<Gate, RowsError> {
    let who = counted.who();
    let laid = rows::lock(tx, &who, now)?;
    let before = rows::get(tx, &who)?;
    if laid || before.is_none() {
        rows::sweep(tx, now.plus_secs(-rules.lock_secs), now)?;
    }
    let (gate, after) = count(before, rules, now);
    rows::put(tx, &who, after)?;
    Ok(gate)
}

/// Whether a try would be heard; none is counted.
pub fn gate(tx: &mut Tx<'_>, counted: &Counted, now: Timestamp) -> Result<Gate, RowsError> {
    let row = rows::get(tx, &counted.who())?;
    let locked = row.map(|row| row.locked_until).filter(|until| now < *until);
    Ok(locked.map_or(Gate::Open, Gate::Locked))
}

/// It was right.
pub fn right(tx: &mut Tx<'_>, counted: &Counted) -> Result<(), RowsError> {
    rows::clear(tx, &counted.who()).map(drop)
}

/// It was right, and what others from there got wrong still counts.
pub fn took_back(
    tx: &mut Tx<'_>,
    counted: &Counted,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), RowsError> {
    let who = counted.who();
    rows::lock(tx, &who, now)?;
    let Some(row) = rows::get(tx, &who)? else { return Ok(()) };
    let failures = match now < row.locked_until {
        // It was the last one that was borne.
        true => rules.tries.max(1) - 1,
        false => row.failures.saturating_sub(1).max(0),
    };
    rows::put(tx, &who, TryRow { failures, locked_until: Timestamp::from_millis(0), ..row })
}

/// The last try that is borne is heard; what comes after it is not, until the lock ends.
fn count(before: Option<TryRow>, rules: &Rules, now: Timestamp) -> (Gate, TryRow) {
    let fresh = TryRow { failures: 0, last_at: now, locked_until: Timestamp::from_millis(0) };
    let before = before.unwrap_or(fresh);
    if now < before.locked_until {
        return (Gate::Locked(before.locked_until), before);
    }
    let old = now.millis() - before.last_at.millis() >= rules.lock_secs.saturating_mul(1000);
    let failures = if old { 1 } else { before.failures.saturating_add(1) };
    let after = match failures >= rules.tries.max(1) {
        true => TryRow { failures: 0, last_at: now, locked_until: now.plus_secs(rules.lock_secs) },
        false => TryRow { failures, ..fresh },
    };
    (Gate::Open, after)
}

/// Staff open a person's factors again before their time.
pub async fn unlock(
    store: &Store,
    owner: Owner,
    address: &KepAddress,
    by: &By,
) -> Result<bool, CredentialError> {
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| {
        let mut any = false;
        for counted in [
            Counted::Password(address.clone(), owner.operator),
            Counted::Reset(address.clone(), owner.operator),
            Counted::Totp(owner),
            Counted::Backup(owner),
            Counted::Sms(owner),
            Counted::SmsSent(owner),
        ] {
            any |= rows::clear(tx, &counted.who())?;
        }
        if any {
            record(tx, &by, "login.unlock", owner, json!({}))?;
        }
        Ok::<_, CredentialError>(any)
    };
    store.write(Lane::Client, work).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        password_least: 8,
        two_factors: false,
        idle_secs: 900,
        session_secs: 28_800,
        step_up_secs: 600,
        tries: 3,
        lock_secs: 900,
    };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_795_000_000 + secs)
    }

    /// Tries at these seconds: which were heard.
    fn heard(tries: &[i64]) -> Vec<bool> {
        let mut row = None;
        let one = |secs: &i64| {
            let (gate, after) = count(row, &RULES, at(*secs));
            row = Some(after);
            gate == Gate::Open
        };
        tries.iter().map(one).collect()
    }

    #[test]
    fn so_many_are_heard_and_then_none_until_the_lock_ends() {
        assert_eq!(
            heard(&[0, 1, 2, 3, 4, 901, 902]),
            [true, true, true, false, false, false, true]
        );
        assert_eq!(heard(&[0, 1, 901, 902, 903, 904]), [true, true, true, true, true, false]);
    }

    proptest! {
        /// However tries fall, no span as long as a lock has more heard than are borne, and whoever waits
        /// a lock is heard again.
        #[test]
        fn guessing_is_bounded_and_no_lock_is_for_good(gaps in prop::collection::vec(0_i64..400, 1..80)) {
            let times: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let heard = heard(&times);
            for (start, first) in times.iter().enumerate() {
                let span = times.iter().zip(&heard).skip(start);
                let within = span.take_while(|(at, _)| **at - first < RULES.lock_secs);
                let count = within.filter(|(_, heard)| **heard).count() as i64;
                prop_assert!(count <= RULES.tries, "{count}");
            }
            let later = times.last().unwrap() + RULES.lock_secs;
            let mut more = times.clone();
            more.push(later);
            let again = super::tests::heard(&more);
            prop_assert_eq!(again.last(), Some(&true));
        }
    }
}
