//! What waits for a signature: a held message, or a draft, for a named operator or whoever may sign. He
//! signs it (submits its signed form, of the same Message-ID), returns it with a reason, or lets it lapse;
//! exactly one of these happens. Nothing is lost: what came back stands in the drafts.

mod follow;
mod paper;
mod record;
mod state;

pub use follow::{Sent, awaiting, hold, lapse, released, reserved, signed};
pub use state::{Mistimed, State, Step};

use super::accounts::{self, RegistryError};
use super::audit::{self, By};
use super::operators::{self, Act, Operator, OperatorError};
use super::policy;
use super::tasks::{self, TaskKind};
use crate::store::handovers as rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts as account_rows};
use crate::wire::{AccountId, KepAddress, MessageId, OperatorCode};
use follow::{begin, came_back};
use record::{handover, keep};
use serde_json::json;
use thiserror::Error;

/// What is to be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paper {
    /// A message that was submitted unsigned and is held.
    Held(MessageId),
    /// A draft, by its Message-ID.
    Draft(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handover {
    pub id: i64,
    pub account: AccountId,
    pub paper: Paper,
    /// Who handed it over, as the audit names him.
    pub handed_by: String,
    pub state: State,
}

#[derive(Debug, Error)]
pub enum HandoverError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("{0} has no hand-over {1}")]
    Unknown(KepAddress, i64),
    #[error("there is no held message or draft {1} of {0}")]
    NoPaper(KepAddress, String),
    #[error("{} may not {}", .0, .1.word())]
    NotHis(String, Act),
    #[error("a reason is one line of 1 to {REASON} characters")]
    Reason,
    #[error(transparent)]
    Mistimed(#[from] Mistimed),
}

impl From<RegistryError> for HandoverError {
    fn from(error: RegistryError) -> Self {
        Self::Operator(error.into())
    }
}

impl From<StoreError> for HandoverError {
    fn from(error: StoreError) -> Self {
        Self::Operator(error.into())
    }
}

impl From<RowsError> for HandoverError {
    fn from(error: RowsError) -> Self {
        Self::Operator(error.into())
    }
}

impl Paper {
    /// By which it is known.
    pub fn subject(&self) -> &str {
        match self {
            Self::Held(id) => id.as_str(),
            Self::Draft(id) => id,
        }
    }
}

/// Hands a held message or a draft of an account to an operator who may sign. `by_operator`: who does so
/// for the account, where it is not its holder. What waited for another waits for this one now.
pub async fn hand_over(
    store: &Store,
    by: &By,
    address: &KepAddress,
    by_operator: Option<OperatorCode>,
    subject: &str,
    to: OperatorCode,
) -> Result<Handover, HandoverError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address, subject) = (by.clone(), address.clone(), subject.to_owned());
    let work = move |tx: &mut Tx<'_>| {
        hand_over_in(tx, (account, &address), by_operator, &subject, to, &by)
    };
    store.write(Lane::Client, work).await
}

/// The same in a transaction.
pub fn hand_over_in(
    tx: &mut Tx<'_>,
    (account, address): (AccountId, &KepAddress),
    by_operator: Option<OperatorCode>,
    subject: &str,
    to: OperatorCode,
    by: &By,
) -> Result<Handover, HandoverError> {
    account_rows::lock(tx, account)?;
    permitted(tx, account, address, by_operator, Act::HandOver)?;
    let named = permitted(tx, account, address, Some(to), Act::Sign)?;
    let due = by.at.plus_millis(policy::at(tx, by.at)?.hold_lapse.millis());
    let there = match rows::waiting(tx, account, subject)? {
        Some(row) => handover(row)?,
        None => {
            let draft = paper::draft(tx, account, subject)?;
            let none = || HandoverError::NoPaper(address.clone(), subject.to_owned());
            begin(tx, account, draft.ok_or_else(none)?, Some(subject), due, by)?
        }
    };
    let step = Step::HandOver { to, due };
    let handover = Handover {
        state: there.state.after(step, by.at)?,
        handed_by: by.actor.to_string(),
        ..there
    };
    keep(tx, &handover)?;
    tasks::hand_on(tx, account, TaskKind::Sign, subject, Some(to), due)?;
    tasks::done(tx, account, TaskKind::Returned, subject, by.at)?;
    let to = named.map(|named| named.label());
    let details = json!({ "message": subject, "to": to, "due": due.iso8601() });
    audit::record(tx, by, "handover.to", address.as_str(), details)?;
    Ok(handover)
}

/// Who was to sign won't: it stands in the drafts again, and whoever wrote it is told why.
pub async fn give_back(
    store: &Store,
    by: &By,
    address: &KepAddress,
    by_operator: Option<OperatorCode>,
    id: i64,
    reason: &str,
) -> Result<Handover, HandoverError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address, reason) = (by.clone(), address.clone(), reason.to_owned());
    let work =
        move |tx: &mut Tx<'_>| give_back_in(tx, (account, &address), by_operator, id, &reason, &by);
    store.write(Lane::Client, work).await
}

/// The same in a transaction.
pub fn give_back_in(
    tx: &mut Tx<'_>,
    (account, address): (AccountId, &KepAddress),
    by_operator: Option<OperatorCode>,
    id: i64,
    reason: &str,
    by: &By,
) -> Result<Handover, HandoverError> {
    let reason = reasoned(reason)?;
    account_rows::lock(tx, account)?;
    permitted(tx, account, address, by_operator, Act::Sign)?;
    let unknown = || HandoverError::Unknown(address.clone(), id);
    let there = handover(rows::find(tx, account, id)?.ok_or_else(unknown)?)?;
    // Somebody else's desk is not his to clear.
    if let (State::Waiting { to: Some(to), .. }, Some(who)) = (&there.state, by_operator)
        && *to != who
    {
        return Err(HandoverError::NotHis(who.to_string(), Act::Sign));
    }
    let step = Step::Return { by: by_operator, reason: reason.clone() };
    let handover = Handover { state: there.state.after(step, by.at)?, ..there };
    keep(tx, &handover)?;
    came_back(tx, &handover, &reason, by.at)?;
    tasks::done(tx, account, TaskKind::Sign, handover.paper.subject(), by.at)?;
    let details = json!({ "message": handover.paper.subject(), "reason": reason });
    audit::record(tx, by, "handover.return", address.as_str(), details)?;
    Ok(handover)
}

/// Of an account behind a number, the oldest first: what waits, or all.
pub async fn list(
    store: &Store,
    address: &KepAddress,
    all: bool,
    after: i64,
    most: usize,
) -> Result<Vec<Handover>, RegistryError> {
    let account = accounts::get(store, address).await?.id;
    let found =
        store.read(move |tx: &mut Tx<'_>| rows::list(tx, account, all, after, most)).await?;
    Ok(found.into_iter().map(handover).collect::<Result<_, _>>()?)
}

/// Who acts for an account must be allowed to; the holder may all.
fn permitted(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
    code: Option<OperatorCode>,
    act: Act,
) -> Result<Option<Operator>, HandoverError> {
    let Some(code) = code else { return Ok(None) };
    let operator = operators::active(tx, account, address, code)?;
    match operator.may(act) {
        true => Ok(Some(operator)),
        false => Err(HandoverError::NotHis(operator.label(), act)),
    }
}

fn reasoned(reason: &str) -> Result<String, HandoverError> {
    let reason = reason.trim();
    let length = reason.chars().count();
    let good = (1..=REASON).contains(&length) && !reason.chars().any(char::is_control);
    good.then(|| reason.to_owned()).ok_or(HandoverError::Reason)
}

/// Characters of a reason.
const REASON: usize = 500;
