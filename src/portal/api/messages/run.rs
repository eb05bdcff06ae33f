//! What of messages waits: virtual mailboxes are gathered before they are listed, contents are read from
//! files.

use super::content::{self, Parts, Text};
use super::shown::Message;
use super::{Listing, OneMessage, OnePart, find};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, MailFile, PlainFile};
use crate::portal::api::kinds::{Cursor, Limit, MailboxKey, MessageKey, Yes};
use crate::portal::api::mailboxes;
use crate::portal::api::reading::gives;
use crate::portal::api::{Portal, Problem};
use crate::registry::operators::reading::Given;
use crate::store::mail::gather::{self, fresh::freshen};
use crate::store::mail::page::{self, Wanted};
use crate::store::mail::view::{Mailbox, MessageRow};
use crate::store::mail::{Kind, Role};
use crate::store::{RowsError, StoreError, Tx};
use crate::wire::imap::{SystemFlags, UidSet};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub struct Messages {
    messages: Vec<Message>,
    /// The cursor of the next page; none at the end.
    #[schema(example = "0000000000000011")]
    next: Option<String>,
}

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: Listing,
    (): (),
) -> Answered<Json<Messages>> {
    let account = call.account_id()?;
    let key = mailbox(&ask);
    let wanted = wanted(&ask)?;
    let found = portal.store.read(move |tx| mailboxes::find(tx, account, key)).await?;
    if found.role.is_gathered() {
        freshen(&portal.store, account, found.id).await?;
    }
    let (limit, cursor) = (Limit::of(ask.limit), ask.cursor);
    let look = move |tx: &mut Tx<'_>| page_of(tx, &found, &wanted, cursor.as_ref(), limit);
    portal.store.read(look).await.map(Json)
}

fn mailbox(ask: &Listing) -> MailboxKey {
    let starred = ask.starred == Some(Yes(true));
    match (ask.mailbox, ask.label.is_some(), starred) {
        (Some(mailbox), ..) => mailbox,
        (None, _, true) => MailboxKey::Role(Role::Flagged),
        (None, true, false) => MailboxKey::Role(Role::All),
        (None, false, false) => MailboxKey::Role(Role::Inbox),
    }
}

fn wanted(ask: &Listing) -> Answered<Wanted> {
    let mut wanted = Wanted::default();
    if let Some(key) = &ask.label {
        wanted.label = Some(key.keyword().ok_or(Problem::LabelUnknown)?);
    }
    match ask.starred {
        Some(Yes(true)) => wanted.with = wanted.with | SystemFlags::FLAGGED,
        Some(Yes(false)) => wanted.without = wanted.without | SystemFlags::FLAGGED,
        None => {}
    }
    match ask.unseen {
        Some(Yes(true)) => wanted.without = wanted.without | SystemFlags::SEEN,
        Some(Yes(false)) => wanted.with = wanted.with | SystemFlags::SEEN,
        None => {}
    }
    Ok(wanted)
}

fn page_of(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    wanted: &Wanted,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Answered<Messages> {
    let before = cursor.map_or(u64::MAX, |cursor| u64::try_from(cursor.number).unwrap_or(0));
    let uids = page::before(tx, of, before, wanted, limit + 1)?;
    let wanted = uids.get(..limit).unwrap_or(&uids);
    let (rows, looked_at) = page::shown_within(tx, of, wanted, HEADERS)?;
    let more = uids.len() > looked_at;
    let last = wanted.get(..looked_at).and_then(<[_]>::last).filter(|_| more);
    let next = last.map(|uid| Cursor::new(i64::from(*uid), "").write());
    let messages = match of.role.is_gathered() {
        false => rows.iter().map(|row| Message::of(row, row.place(of))).collect(),
        true => gathered(tx, of, &rows)?,
    };
    Ok(Messages { messages, next })
}

/// Each by the key that it has where it stands.
fn gathered(tx: &mut Tx<'_>, of: &Mailbox, rows: &[MessageRow]) -> Answered<Vec<Message>> {
    let uids: UidSet = rows.iter().map(|row| row.uid).collect();
    let members = gather::members(tx, of, &uids)?;
    let source = |row: &MessageRow| {
        let member = members.iter().find(|member| member.uid == row.uid)?;
        Some(Message::of(row, member.source))
    };
    Ok(rows.iter().filter_map(source).collect())
}

/// What is made of the octets of a message that is open. Of an operator it is recorded that he is given it.
async fn reading<T: Send + 'static>(
    portal: &Portal,
    call: &Arc<Call>,
    key: MessageKey,
    make: impl FnOnce(Kind, Vec<u8>) -> Answered<T> + Send + 'static,
) -> Answered<T> {
    let looked = Arc::clone(call);
    let look = move |tx: &mut Tx<'_>| find(tx, &looked, key);
    let (mailbox, row) = portal.store.read(look.clone()).await?;
    content::check_open(&row)?;
    let octets = match portal.store.content(row.content).await {
        Err(StoreError::Rows(RowsError::Missing(_))) => {
            // Its owner was faster with the trash; else it is lost.
            portal.store.read(look).await?;
            return Err(Problem::Internal);
        }
        read => read?,
    };
    let made = aside(move || make(row.kind, octets)).await?;
    let place = Some((mailbox.name, row.uid));
    let given = Given { content: row.content, place, message: row.message_id };
    gives(portal, call, vec![given]).await?;
    Ok(made)
}

/// Reads of octets what takes its time aside from the runtime's own threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Problem::Internal))
}

pub async fn content(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMessage,
    (): (),
) -> Answered<MailFile> {
    let name = file_name(ask.message);
    let make = move |_, octets| Ok(MailFile { name, octets });
    reading(&portal, &call, ask.message, make).await
}

pub async fn original(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMessage,
    (): (),
) -> Answered<MailFile> {
    let name = format!("original-{}", file_name(ask.message));
    let make = move |kind, octets: Vec<u8>| match kind {
        Kind::Dispatch => Ok(MailFile { name, octets: content::original(&octets)? }),
        _ => Err(Problem::NoDispatch),
    };
    reading(&portal, &call, ask.message, make).await
}

pub async fn parts(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMessage,
    (): (),
) -> Answered<Json<Parts>> {
    let make = |kind, octets| Ok(Json(content::parts(&content::written(kind, octets))));
    reading(&portal, &call, ask.message, make).await
}

pub async fn part(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OnePart,
    (): (),
) -> Answered<PlainFile> {
    let make = move |kind, octets| {
        let (name, octets) = content::part(&content::written(kind, octets), &ask.part)?;
        Ok(PlainFile { name, octets })
    };
    reading(&portal, &call, ask.message, make).await
}

pub async fn text(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMessage,
    (): (),
) -> Answered<Json<Text>> {
    let make = |kind, octets| Ok(Json(content::text(&content::written(kind, octets))));
    reading(&portal, &call, ask.message, make).await
}

fn file_name(key: MessageKey) -> String {
    key.0.map_or_else(|| "message.eml".to_owned(), |at| format!("{}.eml", MessageKey::write(at)))
}

/// Octets of headers of one page; with more it ends early, and the next one goes on.
const HEADERS: usize = 1 << 20;
