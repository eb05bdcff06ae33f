//! The answers to what a mail program's session asks, for one account. Functions over a transaction
//! that neither wait nor look at the clock; `serve.rs` runs them on the store.

mod append;
mod arrange;
mod catenate;
mod content;
mod duties;
mod folders;
mod gathered;
mod labelling;
mod messages;
mod metadata;
mod preview;
mod progress;
mod quota;
mod reads;
mod recent;
mod rights;
mod room;
mod search;
pub mod serve;
mod threads;
mod views;
mod words;

pub use duties::Duty;
pub use serve::{Admitted, Desk, Door, Gate, Judging, Limits, Office, Peer};

use super::ask::Refusal;
use crate::registry::operators;
use crate::registry::standing::{self, Act};
use crate::registry::{OpeningMode, RegistryError};
use crate::store::mail::tree::TreeError;
use crate::store::mail::view::{self, Mailbox};
use crate::store::{RowsError, StoreError, Tx, accounts, app_passwords, mail};
use crate::wire::imap::MailboxName;
use crate::wire::{AccountId, MailboxId, Timestamp};
use thiserror::Error;

/// For whom, and when.
#[derive(Clone, Debug)]
struct Who {
    account: AccountId,
    /// The address that authenticated: it is named in the read fact.
    person: String,
    /// Whether anything may be added to the account.
    adds: bool,
    /// The generated password of the session.
    password: Option<String>,
    /// Which of the account's operators it is, where that is not its holder.
    duty: Option<Duty>,
    /// When the account's own password began the session.
    own_password: Option<Timestamp>,
    /// Octets that an account may hold, if it has no limit of its own.
    storage: Option<u64>,
    /// How this session opens, where it is not as the mailbox has it.
    opening: Option<OpeningMode>,
    now: Timestamp,
}

/// An ask that is not answered as the client would like.
#[derive(Debug, Error)]
enum Failure {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Registry(RegistryError),
}

type Answered<T> = Result<T, Failure>;

/// The account's mailbox of that number; one of another account is no mailbox at all.
fn owned(tx: &mut Tx<'_>, who: &Who, id: MailboxId) -> Answered<Mailbox> {
    view::owned(tx, who.account, id)?.ok_or(Failure::Refused(Refusal::NoSuchMailbox))
}

/// The same, to change it: until the transaction ends nobody else changes what is in it, so that
/// two moves of one message don't make two of it, nor two flags one.
fn changing(tx: &mut Tx<'_>, who: &Who, id: MailboxId) -> Answered<Mailbox> {
    if !standing::may(tx, who.account, Act::Flag, who.now)? {
        return Err(Refusal::ReadOnlyAccount.into());
    }
    // Always in this order: who waits for the one doesn't hold the other.
    accounts::lock(tx, who.account)?;
    let mailbox = owned(tx, who, id)?;
    if !tx.shared() {
        return Ok(mailbox);
    }
    mail::lock(tx, mailbox.id)?;
    // What it was before the wait may be old.
    owned(tx, who, id)
}

fn named(tx: &mut Tx<'_>, who: &Who, name: &MailboxName) -> Answered<Mailbox> {
    view::named(tx, who.account, name.as_str())?.ok_or(Failure::Refused(Refusal::NoSuchMailbox))
}

/// Where something is to be put: it could be made.
fn target(tx: &mut Tx<'_>, who: &Who, name: &MailboxName) -> Answered<Mailbox> {
    view::named(tx, who.account, name.as_str())?.ok_or(Failure::Refused(Refusal::NoSuchTarget))
}

/// A session ends with its access: three months after the account was closed, with the generated
/// password that let it in, with a new password of the account where the old one did, or when its
/// operator may not read any more.
fn may_stay(tx: &mut Tx<'_>, who: &Who) -> Answered<()> {
    let over = !standing::may(tx, who.account, Act::Read, who.now)?;
    let taken_away = match &who.password {
        Some(id) => app_passwords::find(tx, who.account, id)?.is_none(),
        None => false,
    };
    let off_duty = match &who.duty {
        Some(duty) => !duty.may(tx, who, operators::Act::Read)?,
        None => false,
    };
    let changed = match who.own_password {
        Some(since) => accounts::password_at(tx, who.account)? > since,
        None => false,
    };
    match over || taken_away || changed || off_duty {
        true => Err(Refusal::AccountClosed.into()),
        false => Ok(()),
    }
}

/// Whether anything may be added to the account; it may have been closed since the login.
fn may_add(tx: &mut Tx<'_>, who: &Who) -> Answered<()> {
    match who.adds && standing::may(tx, who.account, Act::Append, who.now)? {
        true => Ok(()),
        false => Err(Refusal::ReadOnlyAccount.into()),
    }
}

impl Failure {
    fn said(text: &str) -> Self {
        Self::Refused(Refusal::Said(text.to_owned()))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RowsError> for Failure {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        Self::Refused(match error {
            TreeError::Exists => Refusal::MailboxExists,
            TreeError::NoSuch => Refusal::NoSuchMailbox,
            TreeError::HasChildren => Refusal::HasChildren,
            TreeError::Cannot => Refusal::Cannot,
            TreeError::Unopened => Refusal::Said(words::OPEN_BEFORE_DELETE.to_owned()),
            TreeError::Limit => Refusal::Limit,
            TreeError::Rows(error) => return error.into(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
