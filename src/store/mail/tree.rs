//! An account's mailboxes as a tree of names: making, removing, renaming, subscribing.

use super::change::{self, move_all, remove_all};
use super::view::{Mailbox, mailboxes, named};
use super::{Role, create};
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::mailbox::composed;
use crate::wire::imap::{MailboxName, SpecialUse};
use crate::wire::{AccountId, Timestamp};
use thiserror::Error;

/// Why a mailbox can't be made, removed or renamed.
#[derive(Debug, Error)]
pub enum TreeError {
    #[error("there is a mailbox of that name")]
    Exists,
    #[error("there is no mailbox of that name")]
    NoSuch,
    #[error("there are mailboxes under it")]
    HasChildren,
    #[error("it is the program's own")]
    Cannot,
    #[error("there are unopened messages in it")]
    Unopened,
    #[error("an account may not have more mailboxes")]
    Limit,
    #[error(transparent)]
    Rows(#[from] RowsError),
}

/// Makes a mailbox, and its superiors (RFC 9051 §6.3.4).
pub fn make(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &MailboxName,
    now: Timestamp,
) -> Result<(), TreeError> {
    crate::store::accounts::lock(tx, account)?;
    if is_reserved(name) {
        return Err(TreeError::Cannot);
    }
    if named(tx, account, name.as_str())?.is_some() {
        return Err(TreeError::Exists);
    }
    let mut count = mailboxes(tx, account)?.len();
    let lineage = std::iter::successors(Some(name.clone()), MailboxName::parent);
    for level in lineage.collect::<Vec<_>>().into_iter().rev() {
        if named(tx, account, level.as_str())?.is_none() {
            count += 1;
            if count > MAILBOXES_MAX {
                return Err(TreeError::Limit);
            }
            make_one(tx, account, level.as_str(), Role::Plain, now)?;
        }
    }
    Ok(())
}

pub(super) fn make_one(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    role: Role,
    now: Timestamp,
) -> Result<(), RowsError> {
    let former = take_former(tx, account, name)?;
    let validity = former.map_or(0, |former| former.uid_validity.saturating_add(1));
    let clock = u32::try_from(now.millis() / 1000).unwrap_or(1);
    create(tx, account, name, role, validity.max(clock).max(1))?;
    tx.wakes.account(account);
    if !former.is_some_and(|former| former.subscribed) {
        set_subscribed(tx, account, name, false)?;
    }
    Ok(())
}

/// Gives a mailbox a use; that no other has it is the caller's to see.
pub fn use_for(tx: &mut Tx<'_>, mailbox: &Mailbox, special: SpecialUse) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE mailbox SET used_for = $1 WHERE id = $2",
        &[special.attribute().into(), mailbox.id.0.into()],
    )?;
    Ok(())
}

/// Removes up to `most` messages of a mailbox; when none is left, the mailbox itself. Says whether
/// it is gone. Its name stays subscribed (RFC 9051 §6.3.7). One with unopened messages stays whole: their time to
/// read runs, and whoever is to open them would see no more of them before its end, or nothing at all.
pub fn delete(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &MailboxName,
    most: usize,
    now: Timestamp,
) -> Result<bool, TreeError> {
    crate::store::accounts::lock(tx, account)?;
    let mailbox = named(tx, account, name.as_str())?.ok_or(TreeError::NoSuch)?;
    if mailbox.role != Role::Plain {
        return Err(TreeError::Cannot);
    }
    if mailboxes(tx, account)?.iter().any(|other| is_under(&other.name, &mailbox.name)) {
        return Err(TreeError::HasChildren);
    }
    if change::has_unopened(tx, &mailbox)? {
        return Err(TreeError::Unopened);
    }
    let batch = change::first(tx, &mailbox, most)?;
    remove_all(tx, &mailbox, &batch)?;
    if batch.len() == most {
        return Ok(false);
    }
    tx.execute("DELETE FROM vanished WHERE mailbox = $1", &[mailbox.id.0.into()])?;
    tx.execute("DELETE FROM mailbox WHERE id = $1", &[mailbox.id.0.into()])?;
    crate::store::metadata::forget(tx, account, mailbox.id)?;
    leave_former(tx, &mailbox, mailbox.subscribed)?;
    forget_former(tx, account, now)?;
    tx.wakes.mailbox(mailbox.id);
    tx.wakes.account(account);
    Ok(true)
}

/// Moves up to `most` messages from INBOX into another mailbox; says how many.
pub fn empty_inbox(
    tx: &mut Tx<'_>,
    account: AccountId,
    to: &MailboxName,
    most: usize,
    now: Timestamp,
) -> Result<usize, TreeError> {
    crate::store::accounts::lock(tx, account)?;
    let inbox = named(tx, account, "INBOX")?.ok_or(TreeError::NoSuch)?;
    let target = named(tx, account, to.as_str())?.ok_or(TreeError::NoSuch)?;
    let batch = change::first(tx, &inbox, most)?;
    Ok(move_all(tx, &inbox, &batch, &target, now)?.from.len())
}

/// Renames a mailbox with all under it. INBOX stays, its new name is made, and its messages follow
/// (RFC 9051 §6.3.6, `empty_inbox`).
pub fn rename(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: &MailboxName,
    to: &MailboxName,
    now: Timestamp,
) -> Result<(), TreeError> {
    crate::store::accounts::lock(tx, account)?;
    let mailbox = named(tx, account, from.as_str())?.ok_or(TreeError::NoSuch)?;
    if mailbox.role == Role::Inbox {
        return make(tx, account, to, now);
    }
    if mailbox.role != Role::Plain || to.is_under(from) {
        return Err(TreeError::Cannot);
    }
    if is_reserved(to) {
        return Err(TreeError::Cannot);
    }
    let all = mailboxes(tx, account)?;
    if all.iter().any(|other| under_or_same(&other.name, to.as_str())) {
        return Err(TreeError::Exists);
    }
    if let Some(parent) = to.parent()
        && named(tx, account, parent.as_str())?.is_none()
    {
        make(tx, account, &parent, now)?;
    }
    for moved in all.iter().filter(|other| under_or_same(&other.name, from.as_str())) {
        let rest = moved.name.get(from.as_str().len()..).unwrap_or_default();
        let name = MailboxName::parse(&format!("{to}{rest}")).ok_or(TreeError::Limit)?;
        rename_one(tx, moved, name.as_str())?;
    }
    // Into the trash or out of it.
    tx.wakes.account(account);
    Ok(())
}

pub(super) fn rename_one(tx: &mut Tx<'_>, mailbox: &Mailbox, to: &str) -> Result<(), RowsError> {
    // Subscriptions are of names (RFC 9051 §6.3.6), but people think of the mailbox: it stays
    // subscribed under its new one, and the old name is let go.
    let former = take_former(tx, mailbox.account, to)?;
    let least = former.map_or(0, |former| former.uid_validity.saturating_add(1));
    leave_former(tx, mailbox, false)?;
    tx.wakes.account(mailbox.account);
    tx.wakes.mailbox(mailbox.id);
    tx.execute(
        "UPDATE mailbox SET name = $1, uid_validity = $2 WHERE id = $3",
        &[to.into(), i64::from(mailbox.uid_validity.max(least)).into(), mailbox.id.0.into()],
    )?;
    Ok(())
}

/// Sets the subscription of a name, be it a mailbox or not.
pub fn subscribe(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &MailboxName,
    on: bool,
) -> Result<(), TreeError> {
    tx.wakes.account(account);
    if set_subscribed(tx, account, name.as_str(), on)? {
        return Ok(());
    }
    let row = tx.one(
        "count",
        "SELECT COUNT(*) FROM former_mailbox WHERE account = $1 AND subscribed = 1",
        &[account.0.into()],
    )?;
    if on && row.int(0)? >= MAILBOXES_MAX as i64 {
        return Err(TreeError::Limit);
    }
    let name = former_spelling(tx, account, name.as_str())?;
    tx.execute(
        "INSERT INTO former_mailbox (account, name, uid_validity, subscribed)
         VALUES ($1, $2, 0, $3)
         ON CONFLICT (account, name) DO UPDATE SET subscribed = excluded.subscribed",
        &[account.0.into(), (&name).into(), on.into()],
    )?;
    Ok(())
}

fn set_subscribed(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    on: bool,
) -> Result<bool, RowsError> {
    let Some(mailbox) = named(tx, account, name)? else { return Ok(false) };
    tx.execute(
        "UPDATE mailbox SET subscribed = $1 WHERE id = $2",
        &[on.into(), mailbox.id.0.into()],
    )?;
    Ok(true)
}

/// What is remembered of a name that was a mailbox.
#[derive(Clone, Copy)]
struct Former {
    uid_validity: u32,
    subscribed: bool,
}

fn take_former(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<Option<Former>, RowsError> {
    let name = former_spelling(tx, account, name)?;
    let row = tx.first(
        "DELETE FROM former_mailbox WHERE account = $1 AND name = $2
         RETURNING uid_validity, subscribed",
        &[account.0.into(), (&name).into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let uid_validity =
        u32::try_from(row.int(0)?).map_err(|_| RowsError::Stored("a UIDVALIDITY"))?;
    Ok(Some(Former { uid_validity, subscribed: row.int(1)? != 0 }))
}

/// How a name is stored: its letters may have their marks apart.
fn former_spelling(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<String, RowsError> {
    if name.is_ascii() {
        return Ok(name.to_owned());
    }
    let rows = tx.query(
        "SELECT name FROM former_mailbox WHERE account = $1 ORDER BY name LIMIT $2",
        &[account.0.into(), (FORMER_MAX as i64).into()],
    )?;
    let mut found = name.to_owned();
    for row in &rows {
        match row.text(0)? {
            same if same == name => return Ok(found),
            other if composed(other) == name => found = other.to_owned(),
            _ => {}
        }
    }
    Ok(found)
}

pub(super) fn leave_former(
    tx: &mut Tx<'_>,
    mailbox: &Mailbox,
    subscribed: bool,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO former_mailbox (account, name, uid_validity, subscribed)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, name) DO UPDATE
             SET uid_validity = excluded.uid_validity, subscribed = excluded.subscribed",
        &[
            mailbox.account.0.into(),
            (&mailbox.name).into(),
            i64::from(mailbox.uid_validity).into(),
            subscribed.into(),
        ],
    )?;
    Ok(())
}

/// A new mailbox takes its UIDVALIDITY from the clock: only names younger than that matter.
fn forget_former(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM former_mailbox WHERE account = $1 AND subscribed = 0 AND uid_validity < $2",
        &[account.0.into(), (now.millis() / 1000).into()],
    )?;
    Ok(())
}

fn is_under(name: &str, other: &str) -> bool {
    name.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

fn under_or_same(name: &str, other: &str) -> bool {
    name == other || is_under(name, other)
}

/// Whether it is the name of a mailbox that is gathered from others, or of one under it.
pub fn is_reserved(name: &MailboxName) -> bool {
    RESERVED.iter().any(|own| under_or_same(name.as_str(), own))
}

/// Names of mailboxes that are gathered from others.
const RESERVED: [&str; 3] = ["Önemli", "Tüm Postalar", "Etiketler"];
/// Former names that are looked through.
const FORMER_MAX: usize = 2 * MAILBOXES_MAX;
/// Of one account: more than people keep, few enough to list at once.
pub const MAILBOXES_MAX: usize = 2000;
