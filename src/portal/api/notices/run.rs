//! Codes: made with the vault's key, and sent by the outbox.

use super::{NewNoticePlace, NoticeCode, NoticePlace, NoticeWishes, OnePlace};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Json, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::registry::notices::{self, Which};
use crate::wire::Reach;
use std::sync::Arc;

pub async fn add(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    new: Json<NewNoticePlace>,
) -> Answered<Created<NoticePlace>> {
    call.may_add()?;
    let NewNoticePlace { place, wishes } = new.0;
    let reach = Reach::parse(&place.0).map_err(|_| Problem::NoticePlaceUnfit(place.0))?;
    let change = wishes.unwrap_or_else(NoticeWishes::none).change()?;
    let (by, account) = (call.by()?, call.account()?);
    let added = notices::add(&portal.store, &by, &account.address, reach, change).await?;
    let at = format!("/notice-places/{}", added.id);
    Ok(Created { value: NoticePlace::of(&added), at })
}

pub async fn send_code(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OnePlace,
    (): (),
) -> Answered<Done> {
    call.may_add()?;
    let (by, account) = (call.by()?, call.account()?);
    let which = Which::Number(ask.place.0);
    notices::send_code(&portal.store, &by, &account.address, which).await?;
    Ok(Done)
}

pub async fn verify(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OnePlace,
    shown: Json<NoticeCode>,
) -> Answered<Done> {
    call.may_add()?;
    let (by, account) = (call.by()?, call.account()?);
    let (which, code) = (Which::Number(ask.place.0), &shown.0.code.0);
    notices::verify(&portal.store, &by, &account.address, which, code).await?;
    Ok(Done)
}
