//! What may be many messages goes in parts: other clients' work stands in between.

use super::{Mailbox, MailboxName, OneMailbox, change, shown};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Json};
use crate::portal::api::kinds::MailboxKey;
use crate::portal::api::run::acting;
use crate::store::mail::{Role, tree};
use crate::store::{Lane, Tx};
use std::sync::Arc;

pub async fn rename(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMailbox,
    new: Json<MailboxName>,
) -> Answered<Json<Mailbox>> {
    let (key, name) = (ask.mailbox, change::parsed(&new.0.name.0)?);
    let account = call.account_id()?;
    let to = name.clone();
    let begin = move |tx: &mut Tx<'_>, call: &Call| change::rename(tx, call, key, &to);
    let (was, made) = acting(&portal, &call, begin).await?;
    // The inbox stays, and what is in it follows.
    let mut moved = usize::from(was.role == Role::Inbox);
    while moved > 0 {
        let (to, now) = (name.clone(), call.now);
        let work = move |tx: &mut Tx<'_>| -> Answered<usize> {
            Ok(tree::empty_inbox(tx, account, &to, PART, now)?)
        };
        moved = portal.store.write(Lane::Client, work).await?;
    }
    let show = move |tx: &mut Tx<'_>| -> Answered<Mailbox> {
        let key = MailboxKey::Number(made.id);
        let row = super::find(tx, account, key)?;
        shown(tx, &row)
    };
    Ok(Json(portal.store.read(show).await?))
}

pub async fn delete(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneMailbox,
    (): (),
) -> Answered<Done> {
    let (key, mut first) = (ask.mailbox, true);
    loop {
        let work = move |tx: &mut Tx<'_>, call: &Call| change::delete(tx, call, key, PART, first);
        if acting(&portal, &call, work).await? {
            return Ok(Done);
        }
        first = false;
    }
}

/// Messages of one transaction.
const PART: usize = 512;
