//! Where what is to be signed stands: a copy of what is held in `İmza Bekleyenler`, and in the drafts what
//! came back. Who threw his copy away finds none.

use super::{Handover, Paper};
use crate::registry::credits;
use crate::store::mail::{self, Kind, NewMessage, Place, Role};
use crate::store::submissions::{self, NewSubmission, SubmissionState};
use crate::store::{RowsError, StoreError, Tx, contents};
use crate::wire::{AccountId, MessageId, Timestamp};

/// The draft of this Message-ID.
pub(super) fn draft(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<Option<Paper>, RowsError> {
    let drafts = mail::of_role(tx, account, Role::Drafts)?;
    let found = mail::unlinked_copy(tx, drafts, ua_message_id)?;
    Ok(found.map(|_| Paper::Draft(ua_message_id.to_owned())))
}

/// Lays the copy of what is held into `İmza Bekleyenler`.
pub(super) fn show(
    tx: &mut Tx<'_>,
    account: AccountId,
    new: &NewSubmission,
    copy: &NewMessage,
) -> Result<(), StoreError> {
    let waiting = mail::of_role(tx, account, Role::Held)?;
    let content = contents::create(tx, &[(new.original.id, new.original.size)])?;
    let copy = NewMessage {
        message_id: Some(new.message_id.clone()),
        ua_message_id: new.details.ua_message_id.clone(),
        ..copy.clone()
    };
    mail::lay_in(tx, waiting, content, &copy)?;
    Ok(())
}

/// The copy of what was held goes: nobody waits for a signature of it.
pub(super) fn hide(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
) -> Result<(), RowsError> {
    for place in copies(tx, account, message)? {
        mail::remove(tx, place)?;
    }
    Ok(())
}

/// Its signed form went: what was held goes no further, a draft into the trash.
pub(super) fn signed(
    tx: &mut Tx<'_>,
    handover: &Handover,
    now: Timestamp,
) -> Result<(), RowsError> {
    match &handover.paper {
        Paper::Held(id) => {
            leave(tx, handover.account, id, SubmissionState::Signed, now)?;
            hide(tx, handover.account, id)
        }
        Paper::Draft(id) => {
            let drafts = mail::of_role(tx, handover.account, Role::Drafts)?;
            if let Some(place) = mail::unlinked_copy(tx, drafts, id)? {
                let trash = mail::of_role(tx, handover.account, Role::Trash)?;
                mail::move_to(tx, place, trash, now)?;
            }
            Ok(())
        }
    }
}

/// Nobody signs it: what was held is a draft now. Says by what it is known there.
pub(super) fn to_drafts(
    tx: &mut Tx<'_>,
    handover: &Handover,
    now: Timestamp,
) -> Result<String, RowsError> {
    let id = match &handover.paper {
        Paper::Draft(id) => return Ok(id.clone()),
        Paper::Held(id) => id,
    };
    let known = leave(tx, handover.account, id, SubmissionState::Withdrawn, now)?;
    let drafts = mail::of_role(tx, handover.account, Role::Drafts)?;
    for place in copies(tx, handover.account, id)? {
        let uid = mail::move_to(tx, place, drafts, now)?;
        mail::unlink(tx, Place { mailbox: drafts, uid })?;
    }
    Ok(known.unwrap_or_else(|| id.to_string()))
}

/// What was held goes no further; what was reserved for it is there again. Gives its Message-ID.
fn leave(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &MessageId,
    state: SubmissionState,
    now: Timestamp,
) -> Result<Option<String>, RowsError> {
    let left = submissions::leave(tx, id, state)?;
    let Some(held) = submissions::find(tx, id)? else { return Ok(None) };
    if let Some(charge) = held.details.charge.as_ref().filter(|_| left) {
        credits::release(tx, account, id, charge, now)?;
    }
    Ok(held.details.ua_message_id)
}

/// Where the copies stand in `İmza Bekleyenler`; what was moved elsewhere is its owner's.
fn copies(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
) -> Result<Vec<Place>, RowsError> {
    let waiting = mail::of_role(tx, account, Role::Held)?;
    let mut places = mail::places_of(tx, account, message, Kind::Plain)?;
    places.retain(|place| place.mailbox == waiting);
    Ok(places)
}
