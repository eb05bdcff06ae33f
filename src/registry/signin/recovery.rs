//! A forgotten password: a new one by electronic signature, or by a link that goes out by mail and a code
//! that goes out by SMS. Who asks learns nothing of whether there is such an account.

use super::challenge::{self, Details, Kind};
use super::desk::{self, Answer, Client, Named, SignIn, acting};
use super::signature::Purpose;
use crate::registry::accounts::{self, Account, RegistryError};
use crate::registry::audit::{self, By};
use crate::registry::credentials::passwords::{self, PasswordFault};
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{CredentialError, Owner, Rules, send_reset};
use crate::registry::operators::Operator;
use crate::store::{Lane, Tx, accounts as account_rows};
use crate::trust::{one_time, secret};
use crate::wire::{KepAddress, Timestamp};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;

/// What became of a new password.
#[derive(Debug)]
pub enum Reset {
    /// It holds; every session has ended.
    Done,
    /// Wrong, or nobody's.
    Wrong,
    /// Asked too long ago, or answered already.
    Expired,
    /// The password is none that is taken; the same link takes another one.
    Password(PasswordFault),
    /// The signer has several accounts: he must name one.
    Several,
    Later,
}

/// What became of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invited {
    /// To where he is reached, as far as that is known.
    Sent,
    /// There is nobody of that name who acts now.
    Nobody,
    /// Too many were sent; again after that.
    Locked(Timestamp),
}

impl SignIn {
    /// Sends a link and a code, if there is such an account and it has told where.
    pub async fn forgot(&self, user: &str, now: Timestamp) -> Result<(), CredentialError> {
        let Some(who) = self.named(user) else { return Ok(()) };
        self.send(who, None, now).await.map(|_| ())
    }

    /// The same to an operator, by who manages those of the account; he sets his first password by it. To be
    /// done after a look at who he is and whether he can be reached.
    pub async fn invite(&self, one: &Operator, by: &By) -> Result<Invited, CredentialError> {
        let id = one.account;
        let find = move |tx: &mut Tx<'_>| -> Result<_, CredentialError> {
            Ok(account_rows::by_id(tx, id)?.address)
        };
        let address = self.store.read(find).await?;
        let address = KepAddress::parse(&address).map_err(RegistryError::Address)?;
        let who = Named { address, operator: one.code.number() };
        self.send(who, Some((by.clone(), one.label())), by.at).await
    }

    /// `by` whom it is sent, and to whom, where that is to be recorded.
    async fn send(
        &self,
        who: Named,
        by: Option<(By, String)>,
        now: Timestamp,
    ) -> Result<Invited, CredentialError> {
        let (token, code) = (one_time::token(), one_time::digits());
        let link = self.link(&token);
        let blobs = Arc::clone(&self.store.blobs);
        let work = move |tx: &mut Tx<'_>| {
            let rules = Rules { tries: SENT, ..Rules::at(tx, now)? };
            let counted = Counted::Reset(who.address.clone(), who.operator);
            if let Gate::Locked(until) = tries::begin(tx, &counted, &rules, now)? {
                return Ok(Invited::Locked(until));
            }
            let owner = match desk::owner(tx, &who)? {
                Some(owner) if accounts::access(tx, owner.account, now)?.is_over() => None,
                found => found,
            };
            let vault = blobs.vault();
            let kept = one_time::keyed(vault, "reset", &code)?;
            let details =
                Details { left: TRIES, code: Some(HEXLOWER.encode(&kept)), ..Details::default() };
            // One of nobody waits as well: both take as long.
            challenge::put(tx, Kind::Reset, owner, &details, &token, now, None)?;
            let Some(owner) = owner else { return Ok(Invited::Nobody) };
            let until = now.plus_secs(Kind::Reset.lasts());
            send_reset(tx, vault, owner, (&link, &code), (now, until))?;
            if let Some((by, label)) = &by {
                let details = json!({ "operator": label });
                audit::record(tx, by, "operator.password-link", who.address.as_str(), details)?;
            }
            Ok::<_, CredentialError>(Invited::Sent)
        };
        self.store.write(Lane::Client, work).await
    }

    /// By the link's token and the code of the SMS.
    pub async fn reset(
        &self,
        token: &SecretString,
        code: &SecretString,
        password: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<Reset, CredentialError> {
        let taken = challenge::take(&self.store, Kind::Reset, token, now).await?;
        let Some((taken, owner)) = taken.and_then(|taken| taken.owner.map(|owner| (taken, owner)))
        else {
            return Ok(Reset::Expired);
        };
        let kept = taken.details.code().unwrap_or_default();
        let given = one_time::keyed(self.store.blobs.vault(), "reset", code)?;
        let right = secret::is_same(&kept, &given);
        let outcome = match right {
            true => self.renew(owner, password, client, now).await?,
            false => Reset::Wrong,
        };
        let left = match &outcome {
            Reset::Password(_) => taken.details.left,
            Reset::Wrong => taken.details.left.saturating_sub(1),
            _ => 0,
        };
        if left > 0 {
            // The same link once more.
            let (details, token) = (Details { left, ..taken.details }, token.clone());
            let work = move |tx: &mut Tx<'_>| {
                let ends = Some(taken.ends_at);
                challenge::put(tx, Kind::Reset, Some(owner), &details, &token, now, ends)
            };
            self.store.write(Lane::Client, work).await?;
        }
        Ok(outcome)
    }

    /// By electronic signature over the text of `ask_signature(Purpose::NewPassword)`.
    pub async fn reset_signed(
        &self,
        token: &SecretString,
        cms: &[u8],
        user: Option<&str>,
        password: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<Reset, CredentialError> {
        let found = self.signed(token, cms, user, Purpose::NewPassword, now).await?;
        match found.as_deref() {
            Ok([(owner, _)]) => self.renew(*owner, password, client, now).await,
            Ok([]) | Err(Answer::Wrong) => Ok(Reset::Wrong),
            Ok(_) => Ok(Reset::Several),
            Err(Answer::Later) => Ok(Reset::Later),
            Err(_) => Ok(Reset::Expired),
        }
    }

    async fn renew(
        &self,
        owner: Owner,
        password: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<Reset, CredentialError> {
        let Some((account, operator)) = self.acts(owner).await? else { return Ok(Reset::Wrong) };
        if account.access(now).is_over() {
            return Ok(Reset::Wrong);
        }
        let by = acting(&account, operator.as_ref(), client.channel, now);
        let accepted =
            passwords::accept(&self.store, &account.address, &account.name, password, now).await;
        let verifier = match accepted {
            Ok(verifier) => verifier,
            Err(CredentialError::Password(fault)) => return Ok(Reset::Password(fault)),
            Err(error) => return Err(error),
        };
        let work = move |tx: &mut Tx<'_>| {
            tries::right(tx, &Counted::Password(account.address.clone(), owner.operator))?;
            passwords::put(tx, owner, &verifier, None, &by)
        };
        self.store.write(Lane::Client, work).await?;
        Ok(Reset::Done)
    }

    async fn acts(
        &self,
        owner: Owner,
    ) -> Result<Option<(Account, Option<Operator>)>, CredentialError> {
        let work = move |tx: &mut Tx<'_>| {
            let Some(operator) = desk::acts(tx, owner)? else { return Ok(None) };
            let account = accounts::account(&account_rows::by_id(tx, owner.account)?)?;
            Ok::<_, CredentialError>(Some((account, operator)))
        };
        self.store.read(work).await
    }

    /// Where the mail leads. What stands behind `#` reaches no server, and so no log; without a portal
    /// there is nothing but the token, for who asks by the API.
    fn link(&self, token: &SecretString) -> SecretString {
        match &self.relying {
            Some(relying) => {
                let token = token.expose_secret();
                SecretString::from(format!("{}/{RESET_PAGE}#{token}", relying.origin()))
            }
            None => token.clone(),
        }
    }
}

/// The portal's page for a new password.
const RESET_PAGE: &str = "parola";

/// Links that are sent for one address before it waits.
const SENT: i64 = 3;
/// Wrong codes that a link bears.
const TRIES: u8 = 5;
