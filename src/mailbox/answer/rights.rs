//! What the holder of an account may do with its mailboxes (RFC 4314), as the other answers hold it.

use super::{Answered, Who, named};
use crate::mailbox::ask::OwnRights;
use crate::store::Tx;
use crate::store::mail::Role;
use crate::wire::imap::{MailboxName, Rights};

pub fn of_named(tx: &mut Tx<'_>, who: &Who, name: &MailboxName) -> Answered<OwnRights> {
    let mailbox = named(tx, who, name)?;
    Ok(OwnRights { identifier: who.person.clone(), rights: of(who, mailbox.role) })
}

pub fn of(who: &Who, role: Role) -> Rights {
    let missing = match role {
        Role::Plain => Rights::NONE,
        // The program's own stay where they are.
        Role::Inbox
        | Role::Sent
        | Role::Drafts
        | Role::Trash
        | Role::Archive
        | Role::ArchiveIn
        | Role::ArchiveOut
        | Role::Opening => Rights::DELETE_MAILBOX,
        // Only the server puts messages there.
        Role::Evidence | Role::Held => Rights::DELETE_MAILBOX | Rights::INSERT,
        // Gathered from others: nothing can be put there, or made under it.
        Role::All | Role::Flagged => Rights::DELETE_MAILBOX | Rights::INSERT | Rights::CREATE,
        Role::Label => Rights::DELETE_MAILBOX | Rights::CREATE,
        Role::Hidden => Rights::ALL,
    };
    let duty = who.duty.map_or(Rights::NONE, |duty| duty.lacks(role));
    let rights = Rights::ALL.without(missing).without(duty);
    // A closed account takes nothing in, but what it has can be opened.
    match who.adds || role == Role::Opening {
        true => rights,
        false => rights.without(Rights::INSERT),
    }
}
