//! Passwords of mail programs, made and taken away.

use super::{AppPasswords, MadeAppPassword, NewAppPassword, OnePassword, Shown};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Json, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::registry::RegistryError;
use crate::registry::app_passwords::{self, AppPassword, NewPassword, Scopes};
use crate::registry::operators::{self, OperatorError};
use secrecy::ExposeSecret;
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<AppPasswords>> {
    let all = own(&portal, &call).await?;
    Ok(Json(AppPasswords { passwords: all.iter().map(Shown::of).collect() }))
}

pub async fn create(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(asked): Json<NewAppPassword>,
) -> Answered<Created<MadeAppPassword>> {
    call.may_add()?;
    let there = call.session()?;
    let scopes = match &asked.doors {
        None => Some(Scopes::mail()),
        Some(doors) => Scopes::new(doors.iter().map(|door| door.scope())),
    };
    let scopes = scopes.ok_or_else(|| Problem::CredentialUnfit("doors".to_owned()))?;
    let opening = asked.opening.map(super::Opening::mode);
    let new = NewPassword { name: asked.name.0, opening, scopes };
    let (store, address, by) = (&portal.store, &there.account.address, call.by()?);
    let made = match &there.operator {
        None => app_passwords::add(store, address, new, &by).await.map_err(unfit)?,
        Some(operator) => {
            let made = operators::give_password(store, &by, address, operator.code, new).await;
            made.map_err(|error| match error {
                OperatorError::Registry(error) => unfit(error),
                other => {
                    tracing::info!(error = %other, "api");
                    Problem::OperatorMayNot
                }
            })?
        }
    };
    let at = format!("/app-passwords/{}", made.0.id);
    let password = made.1.expose_secret().to_owned();
    Ok(Created { value: MadeAppPassword { password, made: Shown::of(&made.0) }, at })
}

pub async fn revoke(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OnePassword,
    (): (),
) -> Answered<Done> {
    let id = asked.password.0.to_ascii_lowercase();
    let all = own(&portal, &call).await?;
    let known = all.iter().find(|one| one.id == id).ok_or(Problem::CredentialUnknown)?;
    let address = &call.account()?.address;
    match app_passwords::remove(&portal.store, address, &known.id, &call.by()?).await? {
        true => Ok(Done),
        false => Err(Problem::CredentialUnknown),
    }
}

/// Those of the person himself.
async fn own(portal: &Portal, call: &Call) -> Answered<Vec<AppPassword>> {
    let there = call.session()?;
    Ok(app_passwords::of(&portal.store, there.session.owner).await?)
}

fn unfit(error: RegistryError) -> Problem {
    match error {
        RegistryError::ManyPasswords(_, most) => Problem::CredentialsMany(most.to_string()),
        error @ RegistryError::PasswordName(_) => Problem::CredentialUnfit(error.to_string()),
        other => other.into(),
    }
}
