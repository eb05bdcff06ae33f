//! Passkeys, changed.

use super::{NewPasskey, OnePasskey, PasskeyName, Passkeys, Shown};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Json, NoWords};
use crate::portal::api::login::PasskeyAsked;
use crate::portal::api::{Portal, Problem};
use crate::registry::credentials::passkeys;
use crate::trust::passkey::Relying;
use secrecy::ExposeSecret;
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<Passkeys>> {
    let all = passkeys::list(&portal.store, call.session()?.session.owner).await?;
    Ok(Json(Passkeys { passkeys: all.iter().map(Shown::of).collect() }))
}

pub async fn options(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<PasskeyAsked>> {
    call.may_add()?;
    let (owner, provider) = (call.session()?.session.owner, &portal.people.provider);
    let relying = relying(&portal)?;
    let asked = passkeys::begin(&portal.store, relying, provider, owner, call.now).await?;
    let token = asked.token.expose_secret().to_owned();
    Ok(Json(PasskeyAsked { token, options: asked.options }))
}

pub async fn add(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(new): Json<NewPasskey>,
) -> Answered<Created<Shown>> {
    call.may_add()?;
    let (owner, by, relying) = (call.session()?.session.owner, call.by()?, relying(&portal)?);
    let (token, answer, name) = (&new.token.0, &new.answer.0, &new.name.0);
    let made = passkeys::finish(&portal.store, relying, owner, token, answer, name, &by).await?;
    Ok(Created { at: format!("/passkeys/{}", made.id), value: Shown::of(&made) })
}

pub async fn rename(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OnePasskey,
    Json(new): Json<PasskeyName>,
) -> Answered<Done> {
    call.may_add()?;
    let (owner, by) = (call.session()?.session.owner, call.by()?);
    found(passkeys::rename(&portal.store, owner, &asked.passkey.0, &new.name.0, &by).await?)
}

pub async fn remove(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OnePasskey,
    (): (),
) -> Answered<Done> {
    call.may_add()?;
    let (owner, by) = (call.session()?.session.owner, call.by()?);
    found(passkeys::remove(&portal.store, owner, &asked.passkey.0, &by).await?)
}

fn relying(portal: &Portal) -> Answered<&Relying> {
    portal.people.sign_in.relying.as_ref().ok_or(Problem::PasskeysOff)
}

fn found(there: bool) -> Answered<Done> {
    if there { Ok(Done) } else { Err(Problem::CredentialUnknown) }
}
