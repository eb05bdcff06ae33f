//! What an operator's session may do, by the one table of roles (`registry::operators::TABLE`). Looked at
//! anew with each ask that changes something, so that other roles count at once; what is taken away is
//! recorded with his name before it goes.

use super::{Answered, Who};
use crate::mailbox::ask::{Ask, FlagChange, Refusal};
use crate::registry::audit::{self, Actor, By, Channel};
use crate::registry::operators::{self, Act, Roles};
use crate::store::mail::{Role, view};
use crate::store::{RowsError, Tx, accounts};
use crate::wire::OperatorCode;
use crate::wire::imap::{MailboxName, Rights, SystemFlags};
use serde_json::json;

/// Which operator of the account a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
    pub code: OperatorCode,
    /// As they were at the login: what is said of rights goes by them, what is done by those of now.
    pub roles: Roles,
}

/// An ask that changes something, as far as its kind and target tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    File,
    Delete,
    /// Messages of the account are put there.
    Into(MailboxName),
    /// Something new is put there.
    Append(MailboxName),
    /// A mailbox gets that name.
    Rename(MailboxName),
}

impl Deed {
    pub fn of(ask: &Ask) -> Option<Self> {
        Some(match ask {
            Ask::Store(store) => {
                let marks = store.flags.system.has(SystemFlags::DELETED);
                match marks && store.change != FlagChange::Remove {
                    true => Self::Delete,
                    false => Self::File,
                }
            }
            Ask::Expunge { .. } | Ask::Delete { .. } | Ask::Replace { .. } => Self::Delete,
            Ask::Copy { to, .. } | Ask::Move { to, .. } => Self::Into(to.clone()),
            Ask::AppendBegin(begin) => Self::Append(begin.to.clone()),
            Ask::Rename { to, .. } => Self::Rename(to.clone()),
            Ask::Create { .. } | Ask::Subscribe { .. } | Ask::SetMetadata { .. } => Self::File,
            // All named, so that who adds one decides.
            Ask::Login(_)
            | Ask::Salt { .. }
            | Ask::Mailboxes(_)
            | Ask::Select { .. }
            | Ask::Open { .. }
            | Ask::Changes { .. }
            | Ask::News { .. }
            | Ask::Overview
            | Ask::Status { .. }
            | Ask::Rows { .. }
            | Ask::Flags { .. }
            | Ask::Content(_)
            | Ask::AppendChunk(_)
            | Ask::AppendText { .. }
            | Ask::AppendUrl(_)
            | Ask::AppendCommit
            | Ask::AppendAbort
            | Ask::Search(_)
            | Ask::Previews { .. }
            | Ask::Metadata(_)
            | Ask::Quota { .. }
            | Ask::Rights { .. }
            | Ask::Annotations { .. }
            | Ask::Sort { .. }
            | Ask::Thread { .. } => return None,
        })
    }

    /// What must be allowed for it.
    fn acts(&self, tx: &mut Tx<'_>, who: &Who) -> Result<Vec<Act>, RowsError> {
        Ok(match self {
            Self::File => vec![Act::File],
            Self::Delete => vec![Act::Delete],
            Self::Into(to) => match goal(tx, who, to)? {
                Goal::Opening => vec![],
                Goal::Trash => vec![Act::File, Act::Delete],
                Goal::Drafts => vec![Act::File, Act::Draft],
                Goal::Other => vec![Act::File],
            },
            Self::Append(to) => match goal(tx, who, to)? {
                Goal::Opening => vec![],
                Goal::Drafts => vec![Act::Draft],
                Goal::Trash | Goal::Other => vec![Act::Keep],
            },
            Self::Rename(to) => match goal(tx, who, &first_part(to))? {
                Goal::Trash => vec![Act::File, Act::Delete],
                _ => vec![Act::File],
            },
        })
    }
}

/// What a mailbox means to who puts something there.
enum Goal {
    Drafts,
    Trash,
    /// Who puts a notice there opens its message, which is reading.
    Opening,
    Other,
}

fn goal(tx: &mut Tx<'_>, who: &Who, name: &MailboxName) -> Result<Goal, RowsError> {
    Ok(match view::named(tx, who.account, name.as_str())? {
        Some(mailbox) if mailbox.is_trash() => Goal::Trash,
        Some(mailbox) if mailbox.role == Role::Drafts => Goal::Drafts,
        Some(mailbox) if mailbox.role == Role::Opening => Goal::Opening,
        _ => Goal::Other,
    })
}

fn first_part(name: &MailboxName) -> MailboxName {
    let first = name.as_str().split('/').next().unwrap_or_default();
    MailboxName::parse(first).unwrap_or_else(|| name.clone())
}

/// Whether an operator may do that now, and whether it is written down.
pub(super) fn weigh(tx: &mut Tx<'_>, who: &Who, duty: &Duty, deed: &Deed) -> Answered<bool> {
    let acts = deed.acts(tx, who)?;
    for act in &acts {
        if !duty.may(tx, who, *act)? {
            return Err(Refusal::NotPermitted.into());
        }
    }
    Ok(acts.contains(&Act::Delete))
}

pub(super) fn record(tx: &mut Tx<'_>, who: &Who, duty: &Duty, deed: &Deed) -> Answered<()> {
    let address = accounts::by_id(tx, who.account)?.address;
    let actor = Actor::Person { account: who.account, name: who.person.clone() };
    let by = By { actor, channel: Channel::Imap, at: who.now };
    let to = match deed {
        Deed::Into(to) | Deed::Rename(to) => Some(to.as_str()),
        Deed::File | Deed::Delete | Deed::Append(_) => None,
    };
    let details = json!({ "operator": duty.code.to_string(), "to": to });
    audit::record(tx, &by, "mail.delete", &address, details)?;
    Ok(())
}

impl Duty {
    pub(super) fn may(&self, tx: &mut Tx<'_>, who: &Who, act: Act) -> Result<bool, RowsError> {
        operators::may(tx, who.account, Some(self.code), act)
    }

    /// Rights (RFC 4314) that the holder has of a mailbox, and he has not.
    pub(super) fn lacks(self, role: Role) -> Rights {
        let put = match role {
            Role::Drafts => Act::Draft,
            Role::Opening => Act::Read,
            Role::Trash => Act::Delete,
            _ => Act::Keep,
        };
        [
            (Act::File, Rights::SEEN | Rights::WRITE | Rights::CREATE | Rights::DELETE_MAILBOX),
            (Act::Delete, Rights::DELETE | Rights::EXPUNGE | Rights::DELETE_MAILBOX),
            (put, Rights::INSERT),
        ]
        .into_iter()
        .filter(|(act, _)| !self.roles.may(*act))
        .fold(Rights::NONE, |all, (_, rights)| all | rights)
    }
}
