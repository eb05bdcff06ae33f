//! Address books as files: what takes longer than a transaction.

use super::files::{ContactsImport, Exporting, Importing};
use super::groups;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{BookFile, ContactsFile, Json};
use crate::portal::api::flow::{Flow, Source, broken};
use crate::portal::api::kinds::{BookForm, SeparatorWord};
use crate::portal::api::{Portal, Problem};
use crate::registry::contacts::{self, ExportForm, Pages, Separator};
use crate::store::{Store, Tx};
use axum::body::Bytes;
use std::sync::Arc;

pub async fn import(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: Importing,
    file: ContactsFile,
) -> Answered<Json<ContactsImport>> {
    call.may_add()?;
    let dry = ask.dry.is_some_and(|dry| dry.0);
    let (account, by) = (call.account_id()?, call.by()?);
    let (form, octets) = (Some(file.form), &file.octets);
    let report = contacts::import(&portal.store, account, octets, form, dry, by).await?;
    Ok(Json(ContactsImport::of(&report)))
}

pub async fn export(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: Exporting,
    (): (),
) -> Answered<BookFile> {
    let account = call.account_id()?;
    let find = move |tx: &mut Tx<'_>| groups::known(tx, account, ask.group);
    let group = portal.store.read::<_, Problem, _>(find).await?;
    let form = ask.form.map_or(contacts::Form::Vcard, |BookForm(form)| form);
    let separator = ask.separator.map_or(Separator::Semicolon, |SeparatorWord(one)| one);
    let written = match form {
        contacts::Form::Vcard => ExportForm::Vcard,
        contacts::Form::Csv => ExportForm::Csv(separator),
    };
    let (source, flow) = Flow::new();
    tokio::spawn(pour(portal.store.clone(), Pages::new(account, group, written), source));
    Ok(BookFile { form, flow })
}

async fn pour(store: Store, mut pages: Pages, source: Source) {
    loop {
        let piece = match pages.next(&store).await {
            Ok(Some(page)) => Ok(Bytes::from(page)),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "an address book can't be written");
                Err(broken())
            }
        };
        let failed = piece.is_err();
        // Nobody reads any more.
        if source.send(piece).await.is_err() || failed {
            return;
        }
    }
}
