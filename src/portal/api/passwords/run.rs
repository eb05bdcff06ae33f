//! New passwords.

use super::{ByLink, Forgotten, PasswordChange, ResetSigned};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Json, NoWords};
use crate::portal::api::login::SignatureAsked;
use crate::portal::api::login::tried::run::tried;
use crate::portal::api::login::tried::{Judged, client, locked};
use crate::portal::api::{Portal, Problem};
use crate::registry::credentials::tries::Gate;
use crate::registry::credentials::{CredentialError, passwords};
use crate::registry::signin::{Fits, Purpose, Reset};
use secrecy::ExposeSecret;
use std::sync::Arc;

pub async fn change(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<PasswordChange>,
) -> Answered<Done> {
    call.may_add()?;
    let session = call.session()?.session.clone();
    let by = call.by()?;
    let judge = async {
        match portal.people.sign_in.fits(session.owner, &asked.current.0, call.now).await? {
            Fits::Right => {}
            Fits::Wrong => return Err(Problem::LoginWrong),
            Fits::Locked(until) => return Ok(Judged::Not(locked(until))),
        }
        let but = Some(session.id.as_str());
        match passwords::set(&portal.store, session.owner, &asked.new.0, but, &by).await {
            Ok(()) => Ok(Judged::Right(Ok(Done))),
            Err(CredentialError::Password(fault)) => Ok(Judged::Right(Err(call.unfit(fault)))),
            Err(error) => Err(error.into()),
        }
    };
    tried(&portal, &call, call.account()?.address.as_str(), judge).await?
}

/// Who asks hears the same whether there is such an account or not; and is counted either way.
pub async fn forgotten(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<Forgotten>,
) -> Answered<Done> {
    let sign_in = &portal.people.sign_in;
    if let Gate::Locked(until) = sign_in.begin_from(call.origin.address, call.now).await? {
        return Err(locked(until));
    }
    sign_in.forgot(&asked.user.0, call.now).await?;
    Ok(Done)
}

pub async fn reset(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ByLink>,
) -> Answered<Done> {
    let client = client(&call, false);
    let judge = async {
        let (token, code) = (&asked.token.0, &asked.code.0);
        let sign_in = &portal.people.sign_in;
        let outcome = sign_in.reset(token, code, &asked.password.0, &client, call.now).await?;
        judged(&call, outcome)
    };
    tried(&portal, &call, "", judge).await?
}

pub async fn signature_text(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<SignatureAsked>> {
    let asked = portal.people.sign_in.ask_signature(Purpose::NewPassword, call.now).await?;
    Ok(Json(SignatureAsked { token: asked.0.expose_secret().to_owned(), text: asked.1 }))
}

pub async fn reset_signed(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ResetSigned>,
) -> Answered<Done> {
    let client = client(&call, false);
    let user = asked.user.as_ref().map(|user| user.0.as_str());
    let judge = async {
        let (token, cms, password) = (&asked.token.0, &asked.signature.0, &asked.password.0);
        let sign_in = &portal.people.sign_in;
        let outcome = sign_in.reset_signed(token, cms, user, password, &client, call.now).await?;
        judged(&call, outcome)
    };
    tried(&portal, &call, user.unwrap_or_default(), judge).await?
}

fn judged(call: &Call, outcome: Reset) -> Answered<Judged<Answered<Done>>> {
    match outcome {
        Reset::Done => Ok(Judged::Right(Ok(Done))),
        Reset::Password(fault) => Ok(Judged::Right(Err(call.unfit(fault)))),
        Reset::Several => Ok(Judged::Right(Err(Problem::SeveralAccounts))),
        Reset::Wrong => Err(Problem::LoginWrong),
        Reset::Expired => Ok(Judged::Not(Problem::LoginExpired)),
        Reset::Later => Ok(Judged::Not(Problem::Unavailable)),
    }
}
