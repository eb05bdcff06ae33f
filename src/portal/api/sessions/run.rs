//! Sessions, from the inside.

use super::{ActingOperator, EndedSessions, OneSession, Sessions, WhoAmI};
use crate::portal::api::admit;
use crate::portal::api::call::{Answered, Call, Reply};
use crate::portal::api::endpoint::{Answer, Done, Gives, Json, NoWords};
use crate::portal::api::login::{SecondStep, SessionShown};
use crate::portal::api::{Portal, Problem};
use crate::registry::sessions::{self, StepUp};
use std::sync::Arc;

pub async fn show(_: Arc<Portal>, call: Arc<Call>, _: NoWords, (): ()) -> Answered<Json<WhoAmI>> {
    let there = call.session()?;
    let operator = there.operator.as_ref().map(|operator| ActingOperator {
        code: operator.code.to_string(),
        name: operator.person.name(),
        roles: operator.roles.list().iter().map(|role| role.word().to_owned()).collect(),
    });
    Ok(Json(WhoAmI {
        address: there.account.address.to_string(),
        name: there.account.name.clone(),
        operator,
        session: SessionShown::of(&there.session),
        legal: there.session.proves(StepUp::Legal, &there.rules, call.now),
    }))
}

/// The browser forgets it, too.
pub struct LoggedOut;

impl Answer for LoggedOut {
    fn gives() -> Gives {
        Done::gives()
    }

    fn reply(self) -> Answered<Reply> {
        Ok(Reply::nothing().with("Set-Cookie", admit::forget()))
    }
}

pub async fn log_out(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<LoggedOut> {
    let session = &call.session()?.session;
    sessions::end(&portal.store, session.owner, &session.id, &call.by()?).await?;
    Ok(LoggedOut)
}

pub async fn step_up(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<SecondStep>> {
    let session = &call.session()?.session;
    let second = portal.people.sign_in.step_up(session, call.now).await?;
    Ok(Json(SecondStep::of(&second)))
}

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<Sessions>> {
    let owner = call.session()?.session.owner;
    let all = sessions::list(&portal.store, owner.account, call.now).await?;
    let own = all.iter().filter(|session| session.owner == owner);
    Ok(Json(Sessions { sessions: own.map(SessionShown::of).collect() }))
}

pub async fn end_all(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<EndedSessions>> {
    let session = &call.session()?.session;
    let but = Some(session.id.as_str());
    let ended = sessions::end_all(&portal.store, session.owner, but, &call.by()?).await?;
    Ok(Json(EndedSessions { ended }))
}

/// Of the person himself: whose others are is none of his affair.
pub async fn end(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OneSession,
    (): (),
) -> Answered<Done> {
    let owner = call.session()?.session.owner;
    let all = sessions::list(&portal.store, owner.account, call.now).await?;
    let own = all.iter().find(|one| one.id == asked.session.0 && one.owner == owner);
    let own = own.ok_or(Problem::CredentialUnknown)?;
    match sessions::end(&portal.store, owner, &own.id, &call.by()?).await? {
        true => Ok(Done),
        false => Err(Problem::CredentialUnknown),
    }
}
