//! Who logs in to the portal and the API, as the settings have it.

use super::{House, provider, rule};
use crate::failure::{Failure, Outcome};
use kep::portal::api::People;
use kep::registry::signin::SignIn;
use kep::trust::passkey::Relying;
use kep::trust::password::Passwords;
use std::sync::Arc;

pub fn people(house: &House) -> Outcome<People> {
    let provider = provider(&house.settings)?;
    let parallel = std::thread::available_parallelism().map_or(2, usize::from);
    let passwords = Passwords::new(parallel).map_err(|e| Failure::software(e.to_string()))?;
    let sign_in = SignIn {
        store: house.store.clone(),
        passwords: Arc::new(passwords),
        users: Arc::clone(&house.users),
        relying: provider.portal_url.as_deref().and_then(Relying::of_portal),
        domain: provider.domain,
    };
    Ok(People {
        sign_in,
        logins: Arc::clone(&house.logins),
        pauses: Arc::clone(&house.pauses),
        places: Arc::clone(&house.places),
        provider: provider.name,
        signature: rule(house.settings.accept.signature),
    })
}
