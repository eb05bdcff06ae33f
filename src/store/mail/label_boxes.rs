//! Mailboxes for labels, `Etiketler/…`: for accounts that want them, one for each label. They are
//! gathered, like the other virtual ones; here is only how they come and go.

use super::view::{Mailbox, mailboxes};
use super::{Role, change, tree};
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::{Keyword, MailboxName, Uid, UidSet};
use crate::wire::{AccountId, Timestamp};

/// Whether the account wants them.
pub fn wanted(tx: &mut Tx<'_>, account: AccountId) -> Result<bool, RowsError> {
    let sql = "SELECT label_mailboxes FROM account WHERE id = $1";
    Ok(tx.one("account", sql, &[account.0.into()])?.int(0)? != 0)
}

pub fn want(tx: &mut Tx<'_>, account: AccountId, on: bool) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account SET label_mailboxes = $1 WHERE id = $2",
        &[on.into(), account.0.into()],
    )?;
    Ok(())
}

/// Makes the account's mailboxes for labels be these: makes, renames, and takes away. The account
/// must be locked.
pub fn be(
    tx: &mut Tx<'_>,
    account: AccountId,
    wanted: &[(Keyword, MailboxName)],
    now: Timestamp,
) -> Result<(), RowsError> {
    let there = mailboxes(tx, account)?.into_iter().filter(|mailbox| mailbox.role == Role::Label);
    let there: Vec<_> = there.collect();
    let of = |mailbox: &Mailbox| wanted.iter().find(|(key, _)| Some(key) == mailbox.label.as_ref());
    for gone in there.iter().filter(|mailbox| of(mailbox).is_none()) {
        remove(tx, gone)?;
    }
    for mailbox in &there {
        match of(mailbox) {
            Some((_, name)) if name.as_str() != mailbox.name => {
                tree::rename_one(tx, mailbox, name.as_str())?;
            }
            _ => {}
        }
    }
    let has = |key: &Keyword| there.iter().any(|mailbox| mailbox.label.as_ref() == Some(key));
    for (key, name) in wanted.iter().filter(|(key, _)| !has(key)) {
        tree::make_one(tx, account, name.as_str(), Role::Label, now)?;
        tx.execute(
            "UPDATE mailbox SET label = $1, subscribed = 1
             WHERE account = $2 AND name = $3 AND role = 'label'",
            &[(&key.as_str().to_ascii_lowercase()).into(), account.0.into(), name.as_str().into()],
        )?;
    }
    tx.wakes.account(account);
    Ok(())
}

/// What it shows stays where it is.
fn remove(tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<(), RowsError> {
    let id = [mailbox.id.0.into()];
    // Their contents are their sources'.
    change::take(tx, mailbox, &UidSet::range(1, Uid::MAX))?;
    tx.execute("DELETE FROM gathered WHERE mailbox = $1", &id)?;
    tx.execute("DELETE FROM vanished WHERE mailbox = $1", &id)?;
    tx.execute("DELETE FROM mailbox WHERE id = $1", &id)?;
    crate::store::metadata::forget(tx, mailbox.account, mailbox.id)?;
    tree::leave_former(tx, mailbox, false)?;
    tx.wakes.mailbox(mailbox.id);
    Ok(())
}

/// The level under which they stand; no mailbox itself.
pub const ABOVE: &str = "Etiketler";
