//! Mailboxes are made, renamed and removed by the rules of IMAP (RFC 9051 §6.3.4 to §6.3.6).

use super::{Mailbox, MailboxName, Row, find, shown};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Json, NoWords};
use crate::portal::api::filing;
use crate::portal::api::kinds::MailboxKey;
use crate::portal::api::problem::Problem;
use crate::registry::operators::Act;
use crate::registry::operators::deeds::{Deed, Filing};
use crate::store::Tx;
use crate::store::mail::tree::{self, TreeError};
use crate::store::mail::view;
use crate::wire::AccountId;
use crate::wire::imap;

pub fn create(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<MailboxName>,
) -> Answered<Created<Mailbox>> {
    call.may_add_in(tx)?;
    let (account, name) = (call.account_id()?, parsed(&new.0.name.0)?);
    tree::make(tx, account, &name, call.now)?;
    let made = named(tx, account, &name)?;
    filing::done(tx, call, &filing::mailbox(Filing::File, "create", &made.name))?;
    Ok(Created { value: shown(tx, &made)?, at: format!("/mailboxes/{}", made.id.0) })
}

/// What is of that key has another name; says which mailbox it was, and which has the name now.
pub fn rename(
    tx: &mut Tx<'_>,
    call: &Call,
    key: MailboxKey,
    name: &imap::MailboxName,
) -> Answered<(Row, Row)> {
    call.may_add_in(tx)?;
    let account = call.account_id()?;
    let row = find(tx, account, key)?;
    let from = imap::MailboxName::parse(&row.name).ok_or(Problem::MailboxKept)?;
    let filed = match into_trash(tx, account, name)? {
        true => Filing::Delete,
        false => Filing::File,
    };
    if filed == Filing::Delete {
        call.on_duty(Act::Delete)?;
    }
    tree::rename(tx, account, &from, name, call.now)?;
    let now = named(tx, account, name)?;
    let to = Some(now.name.clone());
    filing::done(tx, call, &Deed { to, ..filing::mailbox(filed, "rename", &row.name) })?;
    Ok((row, now))
}

/// Removes a part of what is in it, and at last the mailbox; whether it is gone. It is recorded with the first part.
pub fn delete(
    tx: &mut Tx<'_>,
    call: &Call,
    key: MailboxKey,
    most: usize,
    first: bool,
) -> Answered<bool> {
    call.may_add_in(tx)?;
    let account = call.account_id()?;
    let row = find(tx, account, key)?;
    let name = imap::MailboxName::parse(&row.name).ok_or(Problem::MailboxKept)?;
    call.on_duty(Act::Delete)?;
    let gone = tree::delete(tx, account, &name, most, call.now)?;
    if first {
        filing::done(tx, call, &filing::mailbox(Filing::Delete, "delete", &row.name))?;
    }
    Ok(gone)
}

/// What is under the trash is in it.
fn into_trash(tx: &mut Tx<'_>, account: AccountId, name: &imap::MailboxName) -> Answered<bool> {
    let first = name.as_str().split('/').next().unwrap_or_default();
    Ok(view::named(tx, account, first)?.is_some_and(|above| above.is_trash()))
}

pub fn parsed(name: &str) -> Answered<imap::MailboxName> {
    imap::MailboxName::parse(name).ok_or(Problem::MailboxBadName)
}

pub fn named(tx: &mut Tx<'_>, account: AccountId, name: &imap::MailboxName) -> Answered<Row> {
    view::named(tx, account, name.as_str())?.ok_or(Problem::MailboxUnknown)
}

impl From<TreeError> for Problem {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Exists => Self::MailboxExists,
            TreeError::NoSuch => Self::MailboxUnknown,
            TreeError::HasChildren => Self::MailboxHasChildren,
            TreeError::Cannot => Self::MailboxKept,
            TreeError::Unopened => Self::MailboxUnopened,
            TreeError::Limit => Self::MailboxesMany,
            TreeError::Rows(error) => error.into(),
        }
    }
}
