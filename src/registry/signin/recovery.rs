//! A forgotten password: a new one by electronic signature, or by a link that goes out by mail and a code
//! that goes out by SMS. Who asks learns nothing of whether there is such an account.

use super::challenge::{self, Details, Kind};
use super::desk::{Answer, Client, SignIn, acting};
use super::signature::Purpose;
use crate::registry::accounts::{self, Account};
use crate::registry::credentials::passwords::{self, PasswordFault};
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{CredentialError, Owner, Rules};
use crate::registry::messages_out::{self, Message};
use crate::store::{Lane, Tx, accounts as account_rows};
use crate::trust::one_time;
use crate::wire::Timestamp;
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
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

impl SignIn {
    /// Sends a link and a code, if there is such an account and it has told where.
    pub async fn forgot(&self, user: &str, now: Timestamp) -> Result<(), CredentialError> {
        let Some(address) = self.address(user) else { return Ok(()) };
        let (token, code) = (one_time::token(), one_time::digits());
        let blobs = Arc::clone(&self.store.blobs);
        let work = move |tx: &mut Tx<'_>| {
            let rules = Rules { tries: SENT, ..Rules::at(tx, now)? };
            let counted = Counted::Reset(address.clone());
            if let Gate::Locked(_) = tries::begin(tx, &counted, &rules, now)? {
                return Ok(());
            }
            let row = account_rows::by_address(tx, address.as_str())?;
            let account = row.as_ref().map(accounts::account).transpose()?;
            let account = account.filter(|account| !account.access(now).is_over());
            let owner = account.map(|account| Owner::holder(account.id));
            let vault = blobs.vault();
            let kept = one_time::keyed(vault, "reset", &code)?;
            let details =
                Details { left: TRIES, code: Some(HEXLOWER.encode(&kept)), ..Details::default() };
            // One of nobody waits as well: both take as long.
            challenge::put(tx, Kind::Reset, owner, &details, &token, now, None)?;
            if let Some(owner) = owner {
                let link = [("token", token.expose_secret())];
                messages_out::queue(tx, vault, owner, Message::ResetLink, &link, now)?;
                let code = [("code", code.expose_secret())];
                messages_out::queue(tx, vault, owner, Message::ResetCode, &code, now)?;
            }
            Ok::<_, CredentialError>(())
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
        let right = one_time::same(&kept, &given);
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
            Ok([one]) => self.renew(Owner::holder(one.id), password, client, now).await,
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
        let account = self.account(owner).await?;
        if account.access(now).is_over() {
            return Ok(Reset::Wrong);
        }
        let by = acting(owner, &account, client.channel, now);
        let accepted =
            passwords::accept(&self.store, &account.address, &account.name, password, now).await;
        let verifier = match accepted {
            Ok(verifier) => verifier,
            Err(CredentialError::Password(fault)) => return Ok(Reset::Password(fault)),
            Err(error) => return Err(error),
        };
        let blobs = Arc::clone(&self.store.blobs);
        let work = move |tx: &mut Tx<'_>| {
            tries::right(tx, &Counted::Password(account.address.clone()))?;
            passwords::put(tx, blobs.vault(), owner, &verifier, None, &by)
        };
        self.store.write(Lane::Client, work).await?;
        Ok(Reset::Done)
    }

    async fn account(&self, owner: Owner) -> Result<Account, CredentialError> {
        let id = owner.account;
        let row = self.store.read(move |tx| account_rows::by_id(tx, id)).await?;
        Ok(accounts::account(&row)?)
    }
}

/// Links that are sent for one address before it waits.
const SENT: i64 = 3;
/// Wrong codes that a link bears.
const TRIES: u8 = 5;
