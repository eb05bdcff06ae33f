//! The first step of a login, and what it comes to.

use super::challenge::{self, Details, Kind};
use super::flow::{Event, State};
use super::second::{self, Second};
use crate::registry::accounts::{self, Account};
use crate::registry::audit::{Actor, By, Channel};
use crate::registry::credentials::passkeys::{self, Asked};
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{CredentialError, Owner, Rules, asks_two, record};
use crate::registry::operators::{self, Operator};
use crate::registry::sessions::{self, Factor, Session};
use crate::store::credentials as credential_rows;
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows};
use crate::trust::passkey::{self, Relying};
use crate::trust::password::Passwords;
use crate::trust::{UserTrust, one_time};
use crate::wire::webauthn::{Assertion, Request};
use crate::wire::{KepAddress, KepDomain, OperatorCode, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde_json::json;
use std::fmt;
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
    /// Who acts for it; nobody but its holder.
    pub operator: Option<Operator>,
}

impl SignIn {
    /// By password. `user` is the address, `ADDRESS/CODE` of an operator; its local part alone means the
    /// provider's own domain.
    pub async fn password(
        &self,
        user: &str,
        secret: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let Some(who) = self.named(user) else {
            self.passwords.verify(None, secret, now).await;
            return Ok(Answer::Wrong);
        };
        let counted = Counted::Password(who.address.clone(), who.operator);
        if let Gate::Locked(until) = self.begin_try(counted.clone(), now).await? {
            return Ok(Answer::Locked(until));
        }
        let asked = who.clone();
        let find = move |tx: &mut Tx<'_>| {
            let Some(owner) = owner(tx, &asked)? else { return Ok(None) };
            Ok::<_, CredentialError>(verifier(tx, owner)?.map(|verifier| (owner, verifier)))
        };
        let found = self.store.read(find).await?;
        let kept = found.as_ref().map(|(_, verifier)| verifier.as_str());
        let right = self.passwords.verify(kept, secret, now).await;
        let (Some((owner, kept)), true) = (found, right) else {
            tracing::info!(client = %client.address, user = %who, "login failed");
            return Ok(Answer::Wrong);
        };
        let (client, token) = (client.clone(), one_time::token());
        let work = move |tx: &mut Tx<'_>| {
            account_rows::lock(tx, owner.account)?;
            // It may have been changed while it was looked at.
            if verifier(tx, owner)?.as_ref() != Some(&kept) {
                return Ok(Answer::Wrong);
            }
            tries::right(tx, &counted)?;
            begin(tx, owner, Factor::Password, &client, &token, now)
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
        let (client, token) = (client.clone(), one_time::token());
        let work = move |tx: &mut Tx<'_>| match passkeys::prove(
            tx, &relying, &asked, &given, None, now,
        )? {
            Some(owner) => enter(tx, owner, &[Factor::Passkey], &client, &token, now),
            None => Ok(Answer::Wrong),
        };
        self.store.write(Lane::Client, work).await
    }

    /// By a certificate that was shown in TLS. Whose it is, and that it is good, was judged before.
    pub async fn certificate(
        &self,
        owner: Owner,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let (client, token) = (client.clone(), one_time::token());
        let work =
            move |tx: &mut Tx<'_>| begin(tx, owner, Factor::Certificate, &client, &token, now);
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

    /// Whom a name means, whether there is such a one or not.
    pub(super) fn named(&self, user: &str) -> Option<Named> {
        let (user, operator) = match user.split_once('/') {
            Some((user, code)) => (user, OperatorCode::parse(code)?.number()),
            None => (user, 0),
        };
        let address = match user.contains('@') {
            true => KepAddress::parse(user).ok(),
            false => KepAddress::parse(&format!("{user}@{}", self.domain)).ok(),
        };
        Some(Named { address: address?, operator })
    }
}

/// Somebody by his name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Named {
    pub address: KepAddress,
    /// 0: the account's holder.
    pub operator: i64,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match OperatorCode::of_number(self.operator) {
            Some(code) => write!(f, "{}/{code}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// Who that is, if he is there and, as an operator, acts now.
pub(super) fn owner(tx: &mut Tx<'_>, who: &Named) -> Result<Option<Owner>, RowsError> {
    let Some(row) = account_rows::by_address(tx, who.address.as_str())? else { return Ok(None) };
    let owner = Owner { account: row.id, operator: who.operator };
    Ok(acts(tx, owner)?.is_some().then_some(owner))
}

/// Who acts; nobody once an operator has ended.
pub(super) fn acts(tx: &mut Tx<'_>, owner: Owner) -> Result<Option<Option<Operator>>, RowsError> {
    match OperatorCode::of_number(owner.operator) {
        None => Ok(Some(None)),
        Some(code) => Ok(operators::acting(tx, owner.account, code)?.map(Some)),
    }
}

/// What his password is proven against.
pub(super) fn verifier(tx: &mut Tx<'_>, owner: Owner) -> Result<Option<String>, RowsError> {
    match owner.operator {
        0 => Ok(Some(account_rows::by_id(tx, owner.account)?.password)),
        _ => credential_rows::operator_password(tx, owner.key()),
    }
}

/// What the first factor comes to.
fn begin(
    tx: &mut Tx<'_>,
    owner: Owner,
    factor: Factor,
    client: &Client,
    token: &SecretString,
    now: Timestamp,
) -> Result<Answer, CredentialError> {
    let rules = Rules::at(tx, now)?;
    let two = asks_two(tx, owner, &rules)?;
    match State::Begin.next(Event::Right(factor), two, now) {
        State::In(factors) => enter(tx, owner, &factors, client, token, now),
        State::Second(pending) => {
            let details = second::details(&pending, None);
            second::lay(tx, owner, &details, pending.ends_at, token, now).map(Answer::Second)
        }
        State::Begin | State::Over(_) => Ok(Answer::Wrong),
    }
}

/// Begins the session of who has shown enough.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    owner: Owner,
    factors: &[Factor],
    client: &Client,
    token: &SecretString,
    now: Timestamp,
) -> Result<Answer, CredentialError> {
    let account = accounts::account(&account_rows::by_id(tx, owner.account)?)?;
    let Some(operator) = acts(tx, owner)? else { return Ok(Answer::Wrong) };
    if account.access(now).is_over() {
        return Ok(Answer::Closed(account.address));
    }
    let address = client.address.to_string();
    let session = sessions::begin(tx, owner, factors, (&address, &client.agent), token, now)?;
    let by = acting(&account, operator.as_ref(), client.channel, now);
    let words: Vec<_> = factors.iter().map(|factor| factor.word()).collect();
    let details = json!({ "session": session.id, "factors": words, "address": address });
    record(tx, &by, "login", owner, details)?;
    Ok(Answer::In(Box::new(Entered { token: token.clone(), session, account, operator })))
}

/// The person himself.
pub(super) fn acting(
    account: &Account,
    operator: Option<&Operator>,
    channel: Channel,
    at: Timestamp,
) -> By {
    let name = match operator {
        None => account.address.to_string(),
        Some(operator) => format!("{} / {}", account.address, operator.label()),
    };
    By { actor: Actor::Person { account: account.id, name }, channel, at }
}
