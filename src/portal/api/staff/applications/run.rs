//! Takes an application, whose address is one of the provider's, and opens the account of one: its password is
//! judged and hashed between two transactions, each of which asks who may.

use super::activation::{ActivatedApplication, ApplicationActivation, activated};
use super::form::NewApplication;
use super::{Application, OneApplication, REGISTERS, on_duty, tag};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Json, NoWords, Once, Tagged};
use crate::portal::api::problem::Problem;
use crate::portal::api::run::acting;
use crate::registry::applications::{self, Application as Row};
use crate::store::Tx;
use crate::wire::ApplicationId;
use std::sync::Arc;

pub async fn file(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    new: Json<NewApplication>,
) -> Answered<Once<Created<Application>>> {
    let (wish, domain) = (new.0.wish(&call), portal.people.sign_in.domain.clone());
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        let by = on_duty(tx, call, REGISTERS)?;
        let made = applications::add_in(tx, &domain, wish.clone()?, &by)?;
        let at = format!("/staff/applications/{}", made.id.0);
        call.once(tx, Created { value: Application::of(&made), at })
    };
    acting(&portal, &call, work).await
}

pub async fn activate(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneApplication,
    new: Json<ApplicationActivation>,
) -> Answered<Once<Tagged<ActivatedApplication>>> {
    let (store, id) = (&portal.store, ApplicationId(ask.application.0));
    let asking = Arc::clone(&call);
    let by = store.read(move |tx: &mut Tx<'_>| on_duty(tx, &asking, REGISTERS)).await?;
    let (secret, configured) = (&new.0.password.0, portal.people.signature);
    let beginning = applications::begin(store, id, secret, configured, &by).await;
    let beginning = beginning.map_err(|error| call.unfit(error))?;
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        on_duty(tx, call, REGISTERS)?;
        let fits = |row: &Row| call.matches(&tag(row));
        let done = applications::activate_in::<Problem>(tx, id, &beginning, &by, fits)?;
        call.once(tx, activated(&done.0, &done.1))
    };
    acting(&portal, &call, work).await
}
