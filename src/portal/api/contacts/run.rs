//! The address book, as the registry keeps it.

use super::{Contact, ContactChange, Contacts, Listing, NewContact, OneContact};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Json, Once};
use crate::portal::api::kinds::{Cursor, Limit};
use crate::registry::contacts::{self, Fields};
use crate::store::{Lane, Tx};
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: Listing,
    (): (),
) -> Answered<Json<Contacts>> {
    let (account, limit) = (call.account_id()?, Limit::of(ask.limit));
    let search = ask.search.map(|search| search.0).unwrap_or_default();
    let after = ask.cursor.as_ref().map(|cursor| cursor.text.as_str());
    let found = contacts::list(&portal.store, account, &search, None, after, limit + 1).await?;
    let more = found.len() > limit;
    let found = found.get(..limit).unwrap_or(&found);
    let next = found.last().filter(|_| more).map(|last| Cursor::new(0, last.uid.as_str()).write());
    Ok(Json(Contacts { contacts: found.iter().map(Contact::of).collect(), next }))
}

pub async fn show(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneContact,
    (): (),
) -> Answered<Json<Contact>> {
    let found = contacts::get(&portal.store, call.account_id()?, &ask.contact.0).await?;
    Ok(Json(Contact::of(&found)))
}

pub async fn create(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: crate::portal::api::endpoint::NoWords,
    new: Json<NewContact>,
) -> Answered<Once<Created<Contact>>> {
    call.may_add()?;
    let mut fields = Fields::default();
    ContactChange::of(new.0).apply(&mut fields);
    let (account, by) = (call.account_id()?, call.by()?);
    let new = contacts::New::of(fields, Vec::new())?;
    let work = move |tx: &mut Tx<'_>| -> Answered<_> {
        call.may_add_in(tx)?;
        let made = contacts::add_in(tx, account, &new, &by)?;
        let at = format!("/contacts/{}", made.uid);
        call.once(tx, Created { value: Contact::of(&made), at })
    };
    portal.store.write(Lane::Client, work).await
}

pub async fn change(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneContact,
    new: Json<ContactChange>,
) -> Answered<Json<Contact>> {
    let (account, by) = (call.account_id()?, call.by()?);
    let known = contacts::get(&portal.store, account, &ask.contact.0).await?;
    let mut fields = Fields::of(&known.card);
    new.0.apply(&mut fields);
    let made = contacts::put(&portal.store, account, &known.uid, fields, by).await?;
    Ok(Json(Contact::of(&made)))
}

pub async fn delete(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneContact,
    (): (),
) -> Answered<Done> {
    let (account, by) = (call.account_id()?, call.by()?);
    contacts::remove(&portal.store, account, &ask.contact.0, by).await?;
    Ok(Done)
}
