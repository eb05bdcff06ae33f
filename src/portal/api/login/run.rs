//! The steps of a login.

use super::answer::{Entry, LoginAnswer, SecondStep, SessionShown};
use super::tried::run::tried;
use super::tried::{Judged, client, locked};
use super::{
    ByCertificate, ByPasskey, ByPassword, BySignature, ChosenAccount, OneStep, PasskeyAsked,
    SecondFactor, ShownFactor, SignatureAsked,
};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Json, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::registry::credentials::Owner;
use crate::registry::login::Outcome;
use crate::registry::signin::{Answer, Entered, Given, Purpose, Second};
use crate::trust::Certificate;
use crate::wire::{KepAddress, OperatorCode};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

type World = (Arc<Portal>, Arc<Call>);

pub async fn password(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ByPassword>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let world = (portal, call);
    let (name, client) = (asked.user.0, client(&world.1, asked.cookie));
    let judge = async {
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.password(&name, &asked.password.0, &client, world.1.now).await?;
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &world.1, &name, judge).await
}

pub async fn passkey_options(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<PasskeyAsked>> {
    let asked = portal.people.sign_in.ask_passkey(call.now).await?;
    let token = asked.token.expose_secret().to_owned();
    Ok(Json(PasskeyAsked { token, options: asked.options }))
}

pub async fn passkey(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ByPasskey>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let (world, client) = ((portal, Arc::clone(&call)), client(&call, asked.cookie));
    let judge = async {
        let (token, given) = (&asked.token.0, &asked.answer.0);
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.passkey(token, given, &client, call.now).await?;
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &call, "", judge).await
}

pub async fn signature_text(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<SignatureAsked>> {
    let asked = portal.people.sign_in.ask_signature(Purpose::Login, call.now).await?;
    Ok(Json(SignatureAsked { token: asked.0.expose_secret().to_owned(), text: asked.1 }))
}

pub async fn signature(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<BySignature>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let (world, client) = ((portal, Arc::clone(&call)), client(&call, asked.cookie));
    let user = asked.user.as_ref().map(|user| user.0.as_str());
    let judge = async {
        let (token, cms) = (&asked.token.0, &asked.signature.0);
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.signature(token, cms, user, &client, call.now).await?;
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &call, user.unwrap_or_default(), judge).await
}

pub async fn which(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ChosenAccount>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let (world, client) = ((portal, Arc::clone(&call)), client(&call, asked.cookie));
    let judge = async {
        let address = KepAddress::parse(&asked.address.0).map_err(|_| Problem::LoginWrong)?;
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.which(&asked.token.0, &address, &client, call.now).await?;
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &call, &asked.address.0, judge).await
}

pub async fn certificate(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<ByCertificate>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let (world, client) = ((portal, Arc::clone(&call)), client(&call, asked.cookie));
    let user = asked.user.as_ref().map_or("", |user| user.0.as_str());
    let judge = async {
        let Some(owner) = shown_in_tls(&world, user).await? else {
            return Err(Problem::LoginWrong);
        };
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.certificate(owner, &client, call.now).await?;
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &call, user, judge).await
}

/// Whose the certificate is that the connection shows: good now, and registered for logging in.
async fn shown_in_tls((portal, call): &World, user: &str) -> Answered<Option<Owner>> {
    let shown = call.origin.certificates.iter().take(CHAIN).map(|der| Certificate::from_der(der));
    let shown: Vec<_> = shown.collect::<Result<_, _>>().unwrap_or_default();
    let Some((first, others)) = shown.split_first() else { return Ok(None) };
    let people = &portal.people;
    let users = &people.sign_in.users;
    if let Err(fault) = users.judge_certificate(first.clone(), others.to_vec(), call.now).await {
        tracing::info!(peer = %call.origin.address, user, %fault, "a certificate was refused at login");
        return if fault.is_temporary() { Err(Problem::Unavailable) } else { Ok(None) };
    }
    let (user, code) = match user.split_once('/') {
        Some((user, code)) => (user, OperatorCode::parse(code)),
        None => (user, None),
    };
    let Outcome::Proven(found) = people.logins.certificate(user, first).await? else {
        return Ok(None);
    };
    let operator = found.operator.map_or(0, |operator| operator.code.number());
    // Who names an operator is that one.
    let meant = code.is_none_or(|code| code.number() == operator);
    Ok(meant.then_some(Owner { account: found.account.id, operator }))
}

pub async fn second(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<SecondFactor>,
) -> Answered<Entry> {
    proven(&call, asked.cookie)?;
    let (world, client) = ((portal, Arc::clone(&call)), client(&call, asked.cookie));
    let given = match asked.shown {
        ShownFactor::Totp(code) => Given::Totp(code.0),
        ShownFactor::BackupCode(code) => Given::BackupCode(code.0),
        ShownFactor::Sms(code) => Given::Sms(code.0),
        ShownFactor::Passkey(answer) => Given::Passkey(answer.0),
        ShownFactor::Signature(cms) => Given::Signature(cms.0),
        ShownFactor::Password(secret) => Given::Password(secret.0),
    };
    let judge = async {
        let sign_in = &world.0.people.sign_in;
        let answer = sign_in.second(&asked.token.0, given, &client, call.now).await?;
        // That it is asked for again says that it was wrong.
        if let Answer::Second(again) = &answer {
            return Ok(Judged::Wrong(second_asked(again)));
        }
        judged(&world, answer, asked.cookie).await
    };
    tried(&world.0, &call, "", judge).await
}

pub async fn second_passkey(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<OneStep>,
) -> Answered<Json<SecondStep>> {
    step(portal.people.sign_in.second_passkey(&asked.token.0, call.now).await?)
}

pub async fn second_signature(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<OneStep>,
) -> Answered<Json<SecondStep>> {
    step(portal.people.sign_in.second_signature(&asked.token.0, call.now).await?)
}

pub async fn second_sms(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<OneStep>,
) -> Answered<Json<SecondStep>> {
    step(portal.people.sign_in.second_sms(&asked.token.0, call.now).await?)
}

fn step(asked: Option<Second>) -> Answered<Json<SecondStep>> {
    asked.as_ref().map(SecondStep::of).map(Json).ok_or(Problem::LoginExpired)
}

/// A page of another site may not log a browser in, either.
fn proven(call: &Call, cookie: bool) -> Answered<()> {
    match cookie && !call.origin.proven {
        true => Err(Problem::RequestUnproven),
        false => Ok(()),
    }
}

async fn judged(world: &World, answer: Answer, cookie: bool) -> Answered<Judged<Entry>> {
    let plain = |answer| Entry { answer, cookie: None };
    Ok(match answer {
        Answer::In(entered) => Judged::Right(came(world, *entered, cookie).await),
        Answer::Second(second) => Judged::Right(second_asked(&second)),
        Answer::Which { token, accounts } => {
            let accounts = accounts.iter().map(ToString::to_string).collect();
            Judged::Right(plain(LoginAnswer {
                token: Some(token.expose_secret().to_owned()),
                accounts: Some(accounts),
                ..LoginAnswer::state("which")
            }))
        }
        Answer::Stepped => Judged::Right(plain(LoginAnswer::state("stepped"))),
        Answer::Wrong => return Err(Problem::LoginWrong),
        Answer::Locked(until) => Judged::Not(locked(until)),
        Answer::Expired => Judged::Not(Problem::LoginExpired),
        Answer::Closed(_) => Judged::Not(Problem::AccountOver),
        Answer::Later => Judged::Not(Problem::Unavailable),
    })
}

fn second_asked(second: &Second) -> Entry {
    let second = Some(SecondStep::of(second));
    Entry { answer: LoginAnswer { second, ..LoginAnswer::state("second") }, cookie: None }
}

async fn came((portal, call): &World, entered: Entered, cookie: bool) -> Entry {
    let Entered { token, session, account, .. } = entered;
    let door = if cookie { "Portal" } else { "API" };
    portal.people.places.came(account.id, call.origin.address, door, call.now).await;
    let shown = |token: &SecretString| token.expose_secret().to_owned();
    let answer = LoginAnswer {
        token: (!cookie).then(|| shown(&token)),
        session: Some(SessionShown::of(&session)),
        ..LoginAnswer::state("in")
    };
    Entry { answer, cookie: cookie.then_some(token) }
}

/// A user's certificate and those between it and an anchor.
const CHAIN: usize = 5;
