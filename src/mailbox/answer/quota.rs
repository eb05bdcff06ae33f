//! The quota of an account (RFC 9208): what it uses, and what may still come in.

use super::{Answered, Who, named};
use crate::mailbox::ask::{Quota, Refusal, Resource};
use crate::registry::shares;
use crate::store::mail::view::Mailbox;
use crate::store::mail::{Role, tree, usage};
use crate::store::{RowsError, Tx};
use crate::wire::imap::{MailboxName, UidSet};

/// Of the account; with a mailbox named, when it is there.
pub fn get(tx: &mut Tx<'_>, who: &Who, mailbox: Option<&MailboxName>) -> Answered<Quota> {
    if let Some(name) = mailbox {
        named(tx, who, name)?;
    }
    let share = shares::of(tx, who.account, who.storage, who.now)?;
    Ok(Quota {
        storage: share.limit.map(|limit| Resource { used: share.used, limit }),
        mailboxes: Resource { used: share.mailboxes, limit: tree::MAILBOXES_MAX as u64 },
    })
}

/// Whether so many octets more may come into the account.
pub fn has_room(tx: &mut Tx<'_>, who: &Who, octets: u64) -> Answered<()> {
    match shares::room(tx, who.account, who.storage, who.now)? {
        Some(room) if octets > room => Err(Refusal::OverQuota.into()),
        _ => Ok(()),
    }
}

/// Whether copies of these messages may. Copying to the trash is how programs without MOVE delete,
/// and nobody who has no room left may be kept from that.
pub fn has_room_for(
    tx: &mut Tx<'_>,
    who: &Who,
    from: &Mailbox,
    uids: &UidSet,
    to: &Mailbox,
) -> Answered<()> {
    if to.role == Role::Trash {
        return Ok(());
    }
    let octets = usage::of(tx, from, uids)?;
    has_room(tx, who, octets)
}

/// Octets that go when what is marked as deleted is expunged.
pub fn deleted(tx: &mut Tx<'_>, of: &Mailbox, deleted: &UidSet) -> Result<u64, RowsError> {
    usage::of(tx, of, deleted)
}
