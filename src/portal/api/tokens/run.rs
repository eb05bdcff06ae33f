//! A token is made.

use super::{MadeToken, Token, TokenWanted};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Json, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::registry::api_tokens::{self, NewToken, Scopes, TokenError};
use secrecy::ExposeSecret;
use std::sync::Arc;

pub async fn create(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(new): Json<TokenWanted>,
) -> Answered<Created<MadeToken>> {
    call.may_add()?;
    let (address, by) = (&call.account()?.address, call.by()?);
    let (scopes, days) = (Scopes::of(new.scopes.0), new.days.unwrap_or(DAYS));
    let wanted = NewToken { name: &new.name.0, scopes, days };
    let own = call.operator().map(|operator| operator.code);
    let made = api_tokens::add(&portal.store, &by, address, own, wanted).await;
    let (token, secret) = made.map_err(|error| match error {
        TokenError::Registry(error) => error.into(),
        TokenError::Many => Problem::CredentialsMany(api_tokens::MOST.to_string()),
        unfit => Problem::CredentialUnfit(unfit.to_string()),
    })?;
    let at = format!("/tokens/{}", token.id);
    let value = MadeToken { token: secret.expose_secret().to_owned(), made: Token::of(&token, "") };
    Ok(Created { value, at })
}

const DAYS: u16 = 365;
