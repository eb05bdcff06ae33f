//! The first step of a login, and what it comes to.

use super::challenge::{self, Details, Kind};
use super::flow::{Event, State};
use super::second::{self, Second};
use crate::registry::accounts::{self, Account};
use crate::registry::audit::{Actor, By, Channel};
use crate::registry::credentials::passkeys::{self, Asked};
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{CredentialError, Owner, Rules, asks_two, record};
use crate::registry::messages_out::{self, Message};
use crate::registry::sessions::{self, Factor, Session};
use crate::store::{Lane, Store, Tx, accounts as account_rows};
use crate::trust::passkey::{self, Relying};
use crate::trust::password::Passwords;
use crate::trust::vault::Vault;
use crate::trust::{UserTrust, one_time};
use crate::wire::webauthn::{Assertion, Request};
use crate::wire::{KepAddress, KepDomain, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

/// Judges logins of people.
pub struct SignIn {
    pub store: Store,
    pub passwords: Arc<Passwords>,
    /// Whose signatures are believed.
    pub users: Arc<UserTrust>,
    /// Without the portal's address there are no passkeys.
    pub relying: Option<Relying>,
    pub domain: KepDomain,
}

/// From where somebody logs in.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: IpAddr,
    /// The program, as it calls itself.
    pub agent: String,
    pub channel: Channel,
}

#[derive(Debug)]
pub enum Answer {
    In(Box<Entered>),
    /// A second factor is asked for.
    Second(Second),
    /// The signer has several accounts: `SignIn::which` takes the one that is meant.
    Which {
        token: SecretString,
        accounts: Vec<KepAddress>,
    },
    /// In a session that was there, something was proven anew.
    Stepped,
    /// Unknown or wrong: nobody learns which.
    Wrong,
    /// Too many were wrong, whether there is such a name or not.
    Locked(Timestamp),
    /// Asked too long ago, or answered already.
    Expired,
    /// It was right, but the account is over.
    Closed(KepAddress),
    /// Somebody else must be asked first, and does not answer now.
    Later,
}

#[derive(Debug)]
pub struct Entered {
    /// Shown this once.
    pub token: SecretString,
    pub session: Session,
    pub account: Account,
}

impl SignIn {
    /// By password. `user` is the address; its local part alone means the provider's own domain.
    pub async fn password(
        &self,
        user: &str,
        secret: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let Some(address) = self.address(user) else {
            self.passwords.verify(None, secret, now).await;
            return Ok(Answer::Wrong);
        };
        let counted = Counted::Password(address.clone());
        if let Gate::Locked(until) = self.begin_try(counted.clone(), now).await? {
            return Ok(Answer::Locked(until));
        }
        let found = accounts::with_verifier(&self.store, &address).await?;
        let verifier = found.as_ref().map(|(_, verifier)| verifier.as_str());
        let right = self.passwords.verify(verifier, secret, now).await;
        let (Some((account, verifier)), true) = (found, right) else {
            tracing::info!(client = %client.address, user = %address, "login failed");
            return Ok(Answer::Wrong);
        };
        let (blobs, client) = (Arc::clone(&self.store.blobs), client.clone());
        let token = one_time::token();
        let work = move |tx: &mut Tx<'_>| {
            account_rows::lock(tx, account.id)?;
            // It may have been changed while it was looked at.
            if account_rows::by_id(tx, account.id)?.password != verifier {
                return Ok(Answer::Wrong);
            }
            tries::right(tx, &counted)?;
            let owner = Owner::holder(account.id);
            let rules = Rules::at(tx, now)?;
            let two = asks_two(tx, owner, &rules)?;
            match State::Begin.next(Event::Right(Factor::Password), two, now) {
                State::In(factors) => {
                    enter(tx, blobs.vault(), owner, &factors, &client, &token, now)
                }
                State::Second(pending) => {
                    let details = second::details(&pending, None);
                    second::lay(tx, owner, &details, pending.ends_at, &token, now)
                        .map(Answer::Second)
                }
                State::Begin | State::Over(_) => Ok(Answer::Wrong),
            }
        };
        self.store.write(Lane::Client, work).await
    }

    /// What the browser is asked for a login by passkey: whichever it knows.
    pub async fn ask_passkey(&self, now: Timestamp) -> Result<Asked, CredentialError> {
        let relying = self.relying.as_ref().ok_or(CredentialError::NoPortal)?;
        let asked = passkey::challenge();
        let options = Request { rp_id: relying.id(), challenge: &asked, allow: &[] }.json();
        let details =
            Details { passkey: Some(BASE64URL_NOPAD.encode(&asked)), ..Details::default() };
        let token = challenge::lay(&self.store, Kind::Passkey, None, details, now).await?;
        Ok(Asked { token, options })
    }

    /// By passkey: what the browser answered.
    pub async fn passkey(
        &self,
        token: &SecretString,
        answer: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let relying = self.relying.clone().ok_or(CredentialError::NoPortal)?;
        let taken = challenge::take(&self.store, Kind::Passkey, token, now).await?;
        let Some(asked) = taken.and_then(|taken| taken.details.passkey()) else {
            return Ok(Answer::Expired);
        };
        let Some(given) = Assertion::parse(answer) else { return Ok(Answer::Wrong) };
        let (blobs, client) = (Arc::clone(&self.store.blobs), client.clone());
        let token = one_time::token();
        let work = move |tx: &mut Tx<'_>| match passkeys::prove(
            tx, &relying, &asked, &given, None, now,
        )? {
            Some(owner) => {
                enter(tx, blobs.vault(), owner, &[Factor::Passkey], &client, &token, now)
            }
            None => Ok(Answer::Wrong),
        };
        self.store.write(Lane::Client, work).await
    }

    pub(super) async fn begin_try(
        &self,
        counted: Counted,
        now: Timestamp,
    ) -> Result<Gate, CredentialError> {
        let work = move |tx: &mut Tx<'_>| {
            let rules = Rules::at(tx, now)?;
            tries::begin(tx, &counted, &rules, now)
        };
        Ok(self.store.write(Lane::Client, work).await?)
    }

    pub(super) fn address(&self, user: &str) -> Option<KepAddress> {
        match user.contains('@') {
            true => KepAddress::parse(user).ok(),
            false => KepAddress::parse(&format!("{user}@{}", self.domain)).ok(),
        }
    }
}

/// Begins the session of who has shown enough.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    factors: &[Factor],
    client: &Client,
    token: &SecretString,
    now: Timestamp,
) -> Result<Answer, CredentialError> {
    let account = accounts::account(&account_rows::by_id(tx, owner.account)?)?;
    if account.access(now).is_over() {
        return Ok(Answer::Closed(account.address));
    }
    let address = client.address.to_string();
    let session = sessions::begin(tx, owner, factors, (&address, &client.agent), token, now)?;
    let by = acting(owner, &account, client.channel, now);
    let words: Vec<_> = factors.iter().map(|factor| factor.word()).collect();
    let details = json!({ "session": session.id, "factors": words, "address": address });
    let place = [("place", address.as_str()), ("agent", session.agent.as_str())];
    messages_out::queue(tx, vault, owner, Message::Login, &place, now)?;
    record(tx, &by, "login", owner, details)?;
    Ok(Answer::In(Box::new(Entered { token: token.clone(), session, account })))
}

/// The person himself.
pub(super) fn acting(owner: Owner, account: &Account, channel: Channel, at: Timestamp) -> By {
    let name = match owner.operator {
        0 => account.address.to_string(),
        operator => format!("{}/{operator}", account.address),
    };
    By { actor: Actor::Person { account: owner.account, name }, channel, at }
}
