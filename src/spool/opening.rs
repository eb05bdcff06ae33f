//! The one way to open a message: the recipient's state, the read fact, and what his mailbox shows
//! from then on, in one transaction. Content may leave only after it is durable (invariant 3).

use super::fact::{Channel, Fact};
use crate::store::mail::{self, Kind, Place, Role};
use crate::store::submissions::{self, RecipientState};
use crate::store::{RowsError, Tx};
use crate::wire::{AccountId, MessageId, Timestamp};

/// Who opens what, how and when.
#[derive(Clone, Debug)]
pub struct Opening {
    pub account: AccountId,
    pub message: MessageId,
    pub channel: Channel,
    /// The address that authenticated.
    pub person: String,
    pub at: Timestamp,
}

/// Records the opening, once, and shows the dispatch: a stub is replaced by the dispatch in INBOX
/// under a new UID, a sealed dispatch is unsealed where it stands. Says where it stands now.
///
/// After the time to read has ended the content is shown all the same; the outcome is `read by
/// time-out` (invariant 2), also when nobody has recorded that yet: what counts is when it was due
/// (invariant 9), not whether its job ran before this.
pub fn open(tx: &mut Tx<'_>, opening: &Opening) -> Result<Vec<Place>, RowsError> {
    crate::store::accounts::lock(tx, opening.account)?;
    for recipient in submissions::recipients(tx, &opening.message)? {
        if recipient.account != Some(opening.account) {
            continue;
        }
        match recipient.due_at.filter(|due| *due <= opening.at) {
            Some(due) => drop(expired(tx, &opening.message, recipient.n, due, opening.at)?),
            None => read(tx, opening, recipient.n)?,
        }
    }
    show(tx, opening.account, &opening.message, opening.at)
}

/// Records that a recipient's time to read ended at `due`, unless its outcome is there already, and
/// says whether this was the time. The message counts as read from then on: it takes the place of
/// its notice, and comes into INBOX when the notice was deleted.
pub fn expire(
    tx: &mut Tx<'_>,
    message: &MessageId,
    recipient: usize,
    due: Timestamp,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let recipients = submissions::recipients(tx, message)?;
    let account = recipients.iter().find(|r| r.n == recipient).and_then(|r| r.account);
    if let Some(account) = account {
        crate::store::accounts::lock(tx, account)?;
    }
    let first = expired(tx, message, recipient, due, now)?;
    if let Some(account) = account.filter(|_| first) {
        show(tx, account, message, now)?;
    }
    Ok(first)
}

fn expired(
    tx: &mut Tx<'_>,
    message: &MessageId,
    recipient: usize,
    due: Timestamp,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let first = submissions::opened(tx, message, recipient, RecipientState::Expired, due)?;
    if first.is_some() {
        let (message, at) = (message.to_string(), due.millis());
        super::fact(tx, &Fact::Expired { message, recipient, at }, now)?;
    }
    Ok(first.is_some())
}

/// What is read was delivered before: the fact waits in the spool until the delivery has its evidence,
/// so that their time stamps tell it in that order, too.
fn read(tx: &mut Tx<'_>, opening: &Opening, recipient: usize) -> Result<(), RowsError> {
    let (message, at) = (&opening.message, opening.at);
    let first = submissions::opened(tx, message, recipient, RecipientState::Read, at)?;
    let Some(opened) = first else { return Ok(()) };
    let fact = Fact::Read {
        message: message.to_string(),
        recipient,
        at: at.millis(),
        channel: opening.channel,
        person: opening.person.clone(),
    };
    match opened.due_at {
        Some(_) => super::fact(tx, &fact, at),
        None => super::held_fact(tx, &fact),
    }
}

/// A stub's place is INBOX; what is sealed is unsealed where it stands.
fn show(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    now: Timestamp,
) -> Result<Vec<Place>, RowsError> {
    let inbox = mail::of_role(tx, account, Role::Inbox)?;
    let hidden = mail::of_role(tx, account, Role::Hidden)?;
    for place in mail::places_of(tx, account, message, Kind::Sealed)? {
        if place.mailbox == hidden {
            let uid = mail::move_to(tx, place, inbox, now)?;
            let place = Place { mailbox: inbox, uid };
            mail::threads::decide_one(tx, account, place)?;
            mail::unseal(tx, place)?;
        } else {
            mail::unseal(tx, place)?;
        }
    }
    for stub in mail::places_of(tx, account, message, Kind::Stub)? {
        mail::remove(tx, stub)?;
    }
    mail::places_of(tx, account, message, Kind::Dispatch)
}
