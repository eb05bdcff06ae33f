//! Takes an application: its address is one of the provider's, whom only the house knows.

use super::form::NewApplication;
use super::{Application, REGISTERS, on_duty};
use crate::portal::api::Portal;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Json, NoWords, Once};
use crate::registry::applications;
use crate::store::{Lane, Tx};
use std::sync::Arc;

pub async fn file(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    new: Json<NewApplication>,
) -> Answered<Once<Created<Application>>> {
    let (wish, domain) = (new.0.wish(call.now), portal.people.sign_in.domain.clone());
    let work = move |tx: &mut Tx<'_>| {
        let by = on_duty(tx, &call, REGISTERS)?;
        let made = applications::add_in(tx, &domain, wish.clone()?, &by)?;
        let at = format!("/staff/applications/{}", made.id.0);
        call.once(tx, Created { value: Application::of(&made), at })
    };
    portal.store.write(Lane::Client, work).await
}
