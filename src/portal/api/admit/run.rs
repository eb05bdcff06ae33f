//! Looks up who asks.

use super::{bearer, cookie};
use crate::portal::api::call::{Answered, Caller, Origin, Present};
use crate::portal::api::endpoint::Endpoint;
use crate::portal::api::{Portal, Problem};
use crate::registry::api_tokens::{self, Unfit};
use crate::registry::sessions;
use axum::http::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

/// `safe`: the method changes nothing.
pub async fn caller(
    portal: &Portal,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    origin: &Origin,
    safe: bool,
) -> Answered<Caller> {
    if endpoint.is_open() {
        return Ok(Caller::Anybody);
    }
    let caller = match (bearer(headers), cookie(headers)) {
        (Some(shown), _) if sessions::has_form(shown.expose_secret()) => {
            present(portal, &shown, false).await?
        }
        (Some(shown), _) => by_token(portal, &shown, origin).await?,
        (None, Some(kept)) => {
            let present = present(portal, &kept, true).await?;
            if !safe && !origin.proven {
                return Err(Problem::RequestUnproven);
            }
            present
        }
        (None, None) => return Err(Problem::NoToken),
    };
    match &caller {
        Caller::Person(present) => {
            let legal = endpoint.legal.map(|act| present.proves(act, portal.clock.now()));
            legal.transpose()?;
        }
        _ if endpoint.personal => return Err(Problem::SessionNeeded),
        _ => {}
    }
    Ok(caller)
}

async fn by_token(portal: &Portal, shown: &SecretString, origin: &Origin) -> Answered<Caller> {
    let now = portal.clock.now();
    let caller = match api_tokens::admit(&portal.store, shown, now).await {
        Ok((token, account)) => Caller::of(token, account, now)?,
        Err(Unfit::Unknown) => return Err(Problem::TokenUnknown),
        Err(Unfit::Expired) => return Err(Problem::TokenExpired),
        Err(Unfit::Registry(error)) => return Err(error.into()),
    };
    if let Caller::Account { account, .. } = &caller {
        portal.people.places.came(account.id, origin.address, "API", now).await;
    }
    Ok(caller)
}

async fn present(portal: &Portal, shown: &SecretString, by_cookie: bool) -> Answered<Caller> {
    let found = sessions::admit(&portal.store, shown, portal.clock.now()).await?;
    let admitted = found.ok_or(Problem::TokenUnknown)?;
    Ok(Caller::Person(Box::new(Present { admitted, by_cookie })))
}
