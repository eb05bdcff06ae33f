//! Second factors, changed.

use super::{AppSecret, AuthenticatorApp, BackupCodes, FactorChoice, Factors, FirstCode};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Json, NoWords};
use crate::portal::api::login::tried::Judged;
use crate::portal::api::login::tried::run::tried;
use crate::registry::credentials::{self, passkeys, totp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

pub async fn show(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<Factors>> {
    let there = call.session()?;
    let (owner, store) = (there.session.owner, &portal.store);
    let chosen = credentials::chosen_two(store, owner).await?;
    let app = totp::known(store, owner).await?.map(|known| AuthenticatorApp {
        confirmed: known.confirmed_at.map(|at| at.iso8601()),
        backup_codes: known.backup_codes,
    });
    let passkeys = passkeys::list(store, owner).await?.len();
    Ok(Json(Factors { asked: chosen || there.rules.two_factors, chosen, app, passkeys }))
}

pub async fn choose(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<FactorChoice>,
) -> Answered<Done> {
    call.may_add()?;
    let owner = call.session()?.session.owner;
    credentials::choose_two(&portal.store, owner, asked.asked, &call.by()?).await?;
    Ok(Done)
}

pub async fn enrol(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<AppSecret>> {
    call.may_add()?;
    let (owner, issuer) = (call.session()?.session.owner, &portal.people.provider);
    let made = totp::enrol(&portal.store, owner, issuer, &call.by()?).await?;
    let shown = |secret: &SecretString| secret.expose_secret().to_owned();
    Ok(Json(AppSecret { uri: shown(&made.uri), secret: shown(&made.secret) }))
}

pub async fn confirm(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<FirstCode>,
) -> Answered<Json<BackupCodes>> {
    call.may_add()?;
    let (owner, by) = (call.session()?.session.owner, call.by()?);
    let judge = async {
        let codes = totp::confirm(&portal.store, owner, &asked.code.0, &by).await?;
        Ok(Judged::Right(paper(&codes)))
    };
    tried(&portal, &call, call.account()?.address.as_str(), judge).await
}

pub async fn remove(portal: Arc<Portal>, call: Arc<Call>, _: NoWords, (): ()) -> Answered<Done> {
    call.may_add()?;
    totp::remove(&portal.store, call.session()?.session.owner, &call.by()?).await?;
    Ok(Done)
}

pub async fn renew(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<BackupCodes>> {
    call.may_add()?;
    let owner = call.session()?.session.owner;
    Ok(paper(&totp::renew_codes(&portal.store, owner, &call.by()?).await?))
}

fn paper(codes: &[SecretString]) -> Json<BackupCodes> {
    let codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    Json(BackupCodes { codes })
}
