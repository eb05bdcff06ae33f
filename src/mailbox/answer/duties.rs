//! What an operator's session may do, by the one table of roles (`registry::operators::TABLE`). Looked at
//! anew with each ask that changes something, so that other roles count at once; what he does is recorded with
//! his name in the transaction that does it, and what he is given to read before that.

use super::{Answered, Who};
use crate::mailbox::ask::{self, Ask, FlagChange, Placed, Refusal};
use crate::registry::audit::{Actor, By, Channel};
use crate::registry::operators::deeds::{self, Filing, Of};
use crate::registry::operators::reading::{self, Given, Reader};
use crate::registry::operators::{self, Act, Roles};
use crate::store::mail::{Role, view};
use crate::store::{RowsError, Tx, accounts};
use crate::wire::imap::{MailboxName, Rights, SystemFlags, UidSet, label};
use crate::wire::{MailboxId, OperatorCode};

/// Which operator of the account a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
    pub code: OperatorCode,
    /// As they were at the login: what is said of rights goes by them, what is done by those of now.
    pub roles: Roles,
}

/// An ask that changes something, as far as it tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Deed {
    goes: Goes,
    what: &'static str,
    place: Place,
    uids: Option<UidSet>,
}

/// What becomes of what it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Goes {
    Filed,
    Deleted,
    /// Messages of the account are put there.
    Into(MailboxName),
    /// Something new is put there.
    Appended(MailboxName),
    /// The same, in the place of what was there.
    Replaced(MailboxName),
    /// A mailbox gets that name.
    Renamed(MailboxName),
}

/// Of which mailbox it is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Nowhere,
    Number(MailboxId),
    Named(MailboxName),
}

/// A deed that may be done, and is to be recorded.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    duty: Duty,
    filing: Filing,
    deed: Deed,
    /// With a part of it that was done before.
    pub recorded: bool,
}

/// What a part of a deed has done.
pub(super) enum Did<'a> {
    /// All of it stands for the whole deed, which is recorded with the first part.
    Part,
    /// It is of these messages; of none, it did nothing.
    Of(&'a UidSet),
    Nothing,
}

impl Entry {
    /// Of these messages.
    pub fn of(&self, uids: &UidSet) -> Self {
        let deed = Deed { uids: Some(uids.clone()), ..self.deed.clone() };
        Self { deed, ..self.clone() }
    }

    /// The same, unless it is of some already.
    pub fn or_of(&self, uids: &UidSet) -> Self {
        self.of(self.deed.uids.as_ref().unwrap_or(uids))
    }
}

impl Deed {
    /// `coming`: where what is being appended goes.
    pub fn of(ask: &Ask, coming: Option<&MailboxName>) -> Option<Self> {
        let named = |name: &MailboxName| Place::Named(name.clone());
        Some(match ask {
            Ask::Store(store) => {
                let (goes, what) = marked(store);
                Self::on(store.mailbox, what, goes, Some(&store.uids))
            }
            Ask::Expunge { mailbox, uids } => {
                Self::on(*mailbox, "expunge", Goes::Deleted, uids.as_ref())
            }
            Ask::Copy { mailbox, uids, to } => {
                Self::on(*mailbox, "copy", Goes::Into(to.clone()), Some(uids))
            }
            Ask::Move { mailbox, uids, to } => {
                Self::on(*mailbox, "move", Goes::Into(to.clone()), Some(uids))
            }
            Ask::Replace { mailbox, uid } => {
                let goes = coming.map_or(Goes::Deleted, |to| Goes::Replaced(to.clone()));
                Self::on(*mailbox, "replace", goes, Some(&UidSet::one(*uid)))
            }
            Ask::AppendBegin(begin) => Self::appended(&begin.to),
            Ask::AppendCommit => Self::appended(coming?),
            Ask::Delete { name } => Self::about("delete", Goes::Deleted, named(name)),
            Ask::Rename { from, to } => {
                Self::about("rename", Goes::Renamed(to.clone()), named(from))
            }
            Ask::Create { name, .. } => Self::about("create", Goes::Filed, named(name)),
            Ask::Subscribe { name, .. } => Self::about("subscribe", Goes::Filed, named(name)),
            Ask::SetMetadata { mailbox, .. } => {
                let place = mailbox.as_ref().map_or(Place::Nowhere, named);
                Self::about("metadata", Goes::Filed, place)
            }
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

    fn about(what: &'static str, goes: Goes, place: Place) -> Self {
        Self { goes, what, place, uids: None }
    }

    fn on(mailbox: MailboxId, what: &'static str, goes: Goes, uids: Option<&UidSet>) -> Self {
        Self { uids: uids.cloned(), ..Self::about(what, goes, Place::Number(mailbox)) }
    }

    fn appended(to: &MailboxName) -> Self {
        Self::about("append", Goes::Appended(to.clone()), Place::Nowhere)
    }

    /// What must be allowed for it.
    fn acts(&self, tx: &mut Tx<'_>, who: &Who) -> Result<Vec<Act>, RowsError> {
        Ok(match &self.goes {
            Goes::Filed => vec![Act::File],
            Goes::Deleted | Goes::Replaced(_) => vec![Act::Delete],
            Goes::Into(to) => match goal(tx, who, to)? {
                Goal::Opening => vec![],
                Goal::Trash => vec![Act::File, Act::Delete],
                Goal::Drafts => vec![Act::File, Act::Draft],
                Goal::Other => vec![Act::File],
            },
            Goes::Appended(to) => match goal(tx, who, to)? {
                Goal::Opening => vec![],
                Goal::Drafts => vec![Act::Draft],
                Goal::Trash | Goal::Other => vec![Act::Keep],
            },
            Goes::Renamed(to) => match goal(tx, who, &first_part(to))? {
                Goal::Trash => vec![Act::File, Act::Delete],
                _ => vec![Act::File],
            },
        })
    }

    fn told(&self, tx: &mut Tx<'_>, who: &Who, filing: Filing) -> Result<deeds::Deed, RowsError> {
        let mailbox = match &self.place {
            Place::Nowhere => None,
            Place::Number(id) => view::owned(tx, who.account, *id)?.map(|mailbox| mailbox.name),
            Place::Named(name) => Some(name.as_str().to_owned()),
        };
        let to = match &self.goes {
            Goes::Into(to) | Goes::Appended(to) | Goes::Replaced(to) | Goes::Renamed(to) => {
                Some(to.as_str().to_owned())
            }
            Goes::Filed | Goes::Deleted => None,
        };
        let of = self.uids.clone().map_or(Of::Mailbox, Of::Uids);
        Ok(deeds::Deed { filing, what: self.what, mailbox, to, of })
    }
}

/// A mark of deletion takes away; labels alone are labels.
fn marked(store: &ask::Store) -> (Goes, &'static str) {
    let deletes = store.flags.system.has(SystemFlags::DELETED);
    let goes = match deletes && store.change != FlagChange::Remove {
        true => Goes::Deleted,
        false => Goes::Filed,
    };
    let (system, words) = (store.flags.system, &store.flags.keywords);
    let labels = !words.is_empty() && words.iter().all(label::is_label);
    let only = system == SystemFlags::default() && store.change != FlagChange::Replace;
    (goes, if labels && only { "label" } else { "flags" })
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

/// Whether an operator may do that now; if he may, what is to be recorded of it.
pub(super) fn weigh(
    tx: &mut Tx<'_>,
    who: &Who,
    duty: &Duty,
    deed: &Deed,
) -> Answered<Option<Entry>> {
    let acts = deed.acts(tx, who)?;
    for act in &acts {
        if !duty.may(tx, who, *act)? {
            return Err(Refusal::NotPermitted.into());
        }
    }
    let entry = |filing| Entry { duty: *duty, filing, deed: deed.clone(), recorded: false };
    Ok(Filing::of(&acts).map(entry))
}

/// What was copied; nothing where all of it was gone.
pub(super) fn placed(placed: &Option<Placed>) -> Did<'_> {
    placed.as_ref().map_or(Did::Nothing, |placed| Did::Of(&placed.from))
}

impl Entry {
    /// Whether he may do it still.
    pub fn weigh_again(&self, tx: &mut Tx<'_>, who: &Who) -> Answered<()> {
        weigh(tx, who, &self.duty, &self.deed).map(drop)
    }

    /// Last in the transaction that does a part of it.
    pub fn record(&self, tx: &mut Tx<'_>, who: &Who, did: &Did<'_>) -> Answered<()> {
        match did {
            Did::Part if self.recorded => Ok(()),
            Did::Part => record(tx, who, self),
            Did::Nothing => Ok(()),
            Did::Of(uids) if uids.is_empty() => Ok(()),
            Did::Of(uids) => record(tx, who, &self.of(uids)),
        }
    }
}

/// Last in the transaction that does it.
pub(super) fn record(tx: &mut Tx<'_>, who: &Who, entry: &Entry) -> Answered<()> {
    let address = accounts::by_id(tx, who.account)?.address;
    let deed = entry.deed.told(tx, who, entry.filing)?;
    Ok(deeds::record(tx, &by(who), &address, entry.duty.code, &deed)?)
}

/// That he is given these to read; content leaves when it is durable.
pub(super) fn gives(tx: &mut Tx<'_>, who: &Who, reader: Reader, given: &[Given]) -> Answered<()> {
    let address = accounts::by_id(tx, who.account)?.address;
    Ok(reading::record(tx, &by(who), &address, reader, given)?)
}

fn by(who: &Who) -> By {
    let actor = Actor::Person { account: who.account, name: who.person.clone() };
    By { actor, channel: Channel::Imap, at: who.now }
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
