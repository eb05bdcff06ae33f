//! A draft's octets rest in a blob before a row points to them; the row comes, and the old one goes, in
//! one transaction.

use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Mail, NoWords, Once, Tagged};
use crate::portal::api::filing;
use crate::portal::api::kinds::MessageKey;
use crate::portal::api::mailboxes;
use crate::portal::api::messages::{Message, OneMessage, changing, find};
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::operators::Act;
use crate::registry::operators::deeds::{Deed, Filing};
use crate::registry::shares;
use crate::store::mail::view::{Mailbox, MessageRow};
use crate::store::mail::{self, Kind, NewMessage, Place, Role, change};
use crate::store::{Put, StoreError, Tx, contents};
use crate::wire::Timestamp;
use crate::wire::imap::{SystemFlags, UidSet};
use crate::wire::mime::fields::{field, unfold};
use crate::wire::mime::unbinary;
use axum::body::Bytes;
use std::sync::Arc;

pub async fn create(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    mail: Mail,
) -> Answered<Once<Created<Message>>> {
    let ready = ready(&portal, &call, mail.0).await?;
    let blobs = portal.store.clone();
    let storage = portal.limits.storage;
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        let account = call.account_id()?;
        call.may_add_in(tx)?;
        has_room(tx, call, ready.put.size, storage)?;
        let drafts = mailboxes::of_role(tx, account, Role::Drafts)?;
        let place = ready.lay_in(tx, &blobs.blobs, &drafts)?;
        let (_, row) = find(tx, call, MessageKey(Some(place)))?;
        let value = Message::of(&row, place);
        let at = format!("/messages/{}", value.key);
        let laid_in = filing::message(Filing::Draft, "append", &drafts, &row);
        filing::done(tx, call, &Deed { mailbox: None, to: laid_in.mailbox.clone(), ..laid_in })?;
        call.once(tx, Created { value, at })
    };
    acting(&portal, &call, work).await
}

pub async fn replace(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMessage,
    mail: Mail,
) -> Answered<Tagged<Message>> {
    let ready = ready(&portal, &call, mail.0).await?;
    let blobs = portal.store.clone();
    let storage = portal.limits.storage;
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        let (drafts, row) = draft(tx, call, ask.message)?;
        call.matches(&row.mod_seq.to_string())?;
        call.may_add_in(tx)?;
        has_room(tx, call, ready.put.size.saturating_sub(row.size), storage)?;
        let place = ready.lay_in(tx, &blobs.blobs, &drafts)?;
        change::remove_all(tx, &drafts, &UidSet::one(row.uid))?;
        filing::done(tx, call, &filing::message(Filing::Draft, "replace", &drafts, &row))?;
        let (_, row) = find(tx, call, MessageKey(Some(place)))?;
        Ok(Tagged(Message::of(&row, place), row.mod_seq.to_string()))
    };
    acting(&portal, &call, work).await
}

pub fn discard(tx: &mut Tx<'_>, call: &Call, ask: &OneMessage, (): &()) -> Answered<Done> {
    let (drafts, row) = draft(tx, call, ask.message)?;
    call.on_duty(Act::Delete)?;
    change::remove_all(tx, &drafts, &UidSet::one(row.uid))?;
    filing::done(tx, call, &filing::message(Filing::Delete, "expunge", &drafts, &row))?;
    Ok(Done)
}

/// A message in `Taslaklar`, to change it.
fn draft(tx: &mut Tx<'_>, call: &Call, key: MessageKey) -> Answered<(Mailbox, MessageRow)> {
    let (mailbox, row) = changing(tx, call, key)?;
    match mailbox.role == Role::Drafts && row.kind == Kind::Plain {
        true => Ok((mailbox, row)),
        false => Err(Problem::NotADraft),
    }
}

fn has_room(tx: &mut Tx<'_>, call: &Call, octets: u64, storage: Option<u64>) -> Answered<()> {
    match shares::room(tx, call.account_id()?, storage, call.now)? {
        Some(room) if octets > room => Err(Problem::OverQuota),
        _ => Ok(()),
    }
}

/// A mail whose octets rest in a blob, to which no row points yet.
struct Ready {
    put: Put,
    new: NewMessage,
}

impl Ready {
    fn lay_in(
        &self,
        tx: &mut Tx<'_>,
        blobs: &crate::store::Blobs,
        to: &Mailbox,
    ) -> Answered<Place> {
        let content = contents::create_from(tx, blobs, &[&self.put])?;
        let uid = mail::lay_in(tx, to.id, content, &self.new)?;
        Ok(Place { mailbox: to.id, uid })
    }
}

async fn ready(portal: &Portal, call: &Call, octets: Bytes) -> Answered<Ready> {
    call.may_add()?;
    let (blobs, now) = (Arc::clone(&portal.store.blobs), call.now);
    let made = tokio::task::spawn_blocking(move || -> Answered<Ready> {
        let octets = keepable(&octets)?;
        let new = new_message(&octets, now);
        let put = blobs.put(octets).map_err(StoreError::from)?;
        Ok(Ready { put, new })
    });
    made.await.unwrap_or(Err(Problem::Internal))
}

/// Mailboxes keep lines; binary parts are kept in base64, as by IMAP.
fn keepable(octets: &[u8]) -> Answered<Vec<u8>> {
    if octets.is_empty() {
        return Err(Problem::BadBody("empty".to_owned()));
    }
    if memchr::memchr(0, octets).is_none() {
        return Ok(octets.to_vec());
    }
    unbinary::encode(octets).ok_or_else(|| Problem::NotKeepable("NUL".to_owned()))
}

fn new_message(octets: &[u8], now: Timestamp) -> NewMessage {
    let mut new = NewMessage::of(octets, Kind::Plain, now);
    new.flags = SystemFlags::DRAFT.bits() | SystemFlags::SEEN.bits();
    new.ua_message_id = field(&new.header, "Message-ID").and_then(|id| {
        let text = String::from_utf8_lossy(&unfold(id.value)).into_owned();
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        let fits = !bare.is_empty() && bare.len() <= MESSAGE_ID && !bare.contains('\0');
        fits.then(|| bare.to_owned())
    });
    new
}

/// RFC 5322 lines are no longer.
const MESSAGE_ID: usize = 998;
