//! What the provider's people put into an account, or set right.

use super::{Balance, Kind, Ledger, Row, warn};
use crate::registry::audit::{self, Actor, By};
use crate::registry::staff::{self, StaffError, StaffRole};
use crate::registry::{RegistryError, accounts, policy};
use crate::store::credits::{self as rows, Entry, Posted};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::{AccountId, KepAddress};
use serde_json::json;
use thiserror::Error;

/// What there are two kinds of credits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Messages.
    Credit,
    /// Notices by SMS.
    Sms,
}

/// What is put into an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addition {
    pub unit: Unit,
    /// Less than nothing takes away; only to correct.
    pub amount: i64,
    /// One line.
    pub reason: String,
    /// The payment, the ticket: its name elsewhere. The same again changes nothing.
    pub reference: String,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    Now(Balance),
    /// It was done before, by the same reference.
    Before(Balance),
}

#[derive(Debug, Error)]
pub enum CreditError {
    #[error("an amount is 1 to {MOST}")]
    Amount,
    #[error("a reason is one line of 1 to {REASON} characters")]
    Reason,
    #[error("a reference is one line of 1 to {REFERENCE} characters")]
    Reference,
    #[error("{0} stands for another entry already")]
    Taken(String),
    #[error("the account has {0} only")]
    Short(i64),
    #[error("only the provider's own people do that")]
    NotStaff,
    #[error("a correction is approved by another member of staff than who asks for it")]
    SamePerson,
    #[error("{0} approves nothing: no member of staff who may")]
    NoApprover(String),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Staff(#[from] StaffError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for CreditError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl Unit {
    pub fn word(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Sms => "sms",
        }
    }

    fn own(self) -> Ledger {
        match self {
            Self::Credit => Ledger::Available,
            Self::Sms => Ledger::Sms,
        }
    }
}

impl Done {
    pub fn balance(self) -> Balance {
        let (Self::Now(balance) | Self::Before(balance)) = self;
        balance
    }
}

/// Credits that were bought.
pub async fn top_up(
    store: &Store,
    by: &By,
    address: &KepAddress,
    what: &Addition,
) -> Result<Done, CreditError> {
    let (by, address, what) = (by.clone(), address.clone(), what.clone());
    store.write(Lane::Client, move |tx: &mut Tx<'_>| top_up_in(tx, &by, &address, &what)).await
}

/// The same within somebody's transaction.
pub fn top_up_in(
    tx: &mut Tx<'_>,
    by: &By,
    address: &KepAddress,
    what: &Addition,
) -> Result<Done, CreditError> {
    if matches!(by.actor, Actor::Person { .. }) {
        return Err(CreditError::NotStaff);
    }
    if what.amount < 1 {
        return Err(CreditError::Amount);
    }
    let from = match what.unit {
        Unit::Credit => Ledger::TopUp,
        Unit::Sms => Ledger::SmsTopUp,
    };
    let put = Put { kind: Kind::TopUp, provider: from, act: "credit.top-up", approved_by: None };
    lay_in(tx, by, address, what, &put)
}

/// Sets an account right, by more or by less: one asks for it, and another one approves.
pub async fn correct(
    store: &Store,
    by: &By,
    approved_by: &str,
    address: &KepAddress,
    what: &Addition,
) -> Result<Done, CreditError> {
    let (by, address, what) = (by.clone(), address.clone(), what.clone());
    let second = approved_by.to_owned();
    let work = move |tx: &mut Tx<'_>| correct_in(tx, &by, &second, &address, &what);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn correct_in(
    tx: &mut Tx<'_>,
    by: &By,
    approved_by: &str,
    address: &KepAddress,
    what: &Addition,
) -> Result<Done, CreditError> {
    let Actor::Staff(first) = &by.actor else { return Err(CreditError::NotStaff) };
    let second = approved_by.trim().to_ascii_lowercase();
    if first.trim().eq_ignore_ascii_case(&second) {
        return Err(CreditError::SamePerson);
    }
    if !staff::has_one_of(tx, &second, &[StaffRole::Approver])? {
        return Err(CreditError::NoApprover(second));
    }
    let provider = match what.unit {
        Unit::Credit => Ledger::Correction,
        Unit::Sms => Ledger::SmsCorrection,
    };
    let (kind, act, approved_by) = (Kind::Correct, "credit.correct", Some(second));
    lay_in(tx, by, address, what, &Put { kind, provider, act, approved_by })
}

/// Whether an entry could be made of it: amount, reason and reference have their forms.
pub fn sound(what: &Addition) -> Result<Addition, CreditError> {
    if !(1..=MOST).contains(&what.amount.unsigned_abs()) {
        return Err(CreditError::Amount);
    }
    let reason = line(&what.reason, REASON).ok_or(CreditError::Reason)?;
    let reference = line(&what.reference, REFERENCE).ok_or(CreditError::Reference)?;
    Ok(Addition { reason, reference, ..what.clone() })
}

/// How it is laid in.
struct Put {
    kind: Kind,
    provider: Ledger,
    act: &'static str,
    approved_by: Option<String>,
}

fn lay_in(
    tx: &mut Tx<'_>,
    by: &By,
    address: &KepAddress,
    what: &Addition,
    put: &Put,
) -> Result<Done, CreditError> {
    let what = sound(what)?;
    let account = accounts::get_in(tx, address)?.id;
    post(tx, by, account, address.as_str(), &what, put)
}

fn post(
    tx: &mut Tx<'_>,
    by: &By,
    account: AccountId,
    address: &str,
    what: &Addition,
    put: &Put,
) -> Result<Done, CreditError> {
    let own = what.unit.own();
    let (from, to) = if what.amount < 0 { (own, put.provider) } else { (put.provider, own) };
    let id = format!("{}/{}", put.kind.word(), what.reference);
    let mut details = json!({
        "reason": what.reason, "reference": what.reference, "by": by.actor.to_string(),
    });
    if let Some(second) = &put.approved_by {
        details["approved_by"] = second.as_str().into();
    }
    let (kind, amount, at) = (put.kind, what.amount.abs(), by.at);
    let said = details.to_string();
    let (message, recipient) = (None, None);
    let new =
        Row { id: &id, account, kind, from, to, amount, at, message, recipient, details: &said };
    rows::open(tx, account)?;
    match rows::post(tx, &new)? {
        Posted::Now(balance) => {
            if what.amount < 0 {
                let terms = policy::at(tx, at)?;
                let threshold = match what.unit {
                    Unit::Credit => terms.credit_low,
                    Unit::Sms => terms.credit_sms_low,
                };
                warn(tx, account, own, balance, amount, threshold.into(), at)?;
            }
            details["amount"] = what.amount.into();
            details["unit"] = what.unit.word().into();
            audit::record(tx, by, put.act, address, details)?;
            Ok(Done::Now(balance))
        }
        Posted::Before => match rows::entry(tx, &id)?.filter(|there| is_same(there, &new)) {
            Some(_) => Ok(Done::Before(rows::balance(tx, account)?)),
            None => Err(CreditError::Taken(what.reference.clone())),
        },
        Posted::Short => Err(CreditError::Short(rows::balance(tx, account)?.of(own))),
    }
}

fn is_same(there: &Entry, new: &Row<'_>) -> bool {
    there.account == new.account
        && (there.from, there.to, there.amount) == (new.from, new.to, new.amount)
}

fn line(text: &str, most: usize) -> Option<String> {
    let text = text.trim();
    let good = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

/// At once: so that no balance leaves the numbers.
const MOST: u64 = 1_000_000_000;
/// Characters.
const REASON: usize = 500;
const REFERENCE: usize = 100;
