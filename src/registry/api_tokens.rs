//! Tokens of the JSON API: each is named, may do what its scopes say, ends, and can be taken away. The
//! first group of a token is the name of its row; the seven behind it are 175 random bits, of which
//! only the digest is kept.

mod scope;

pub use scope::{Scope, Scopes};

use super::accounts::{self, Account, RegistryError};
use super::audit::{self, Actor, By};
use super::credentials::{self, Owner};
use super::operators::{self, Operator};
use crate::store::api_tokens::{self as rows, TokenRow};
use crate::store::{
    Lane, RowsError, Store, StoreError, Tx, accounts as account_rows, staff as staff_rows,
};
use crate::trust::{random, secret};
use crate::wire::{AccountId, KepAddress, OperatorCode, Timestamp, sha256};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// Whose a token is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    Account(AccountId),
    Staff(String),
}

/// A token, as far as it is known after it was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiToken {
    /// Its first group.
    pub id: String,
    pub holder: Holder,
    /// Who of the account made it and acts by it, where that is not its holder: it may what he may, and goes
    /// with him.
    pub operator: Option<OperatorCode>,
    /// What its owner calls it.
    pub name: String,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To within an hour.
    pub used_at: Option<Timestamp>,
}

#[derive(Debug, Error)]
pub enum TokenError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the name of a token is one line of 1 to {NAME} characters")]
    Name,
    #[error("a token of the staff is made by whose it is: {0}")]
    Another(String),
    #[error("a token has one scope at least")]
    NoScope,
    #[error("{0} is no scope of such a token")]
    Scope(&'static str),
    #[error("a token ends after 1 to {DAYS} days")]
    Days,
    #[error("there are {MOST} tokens already; remove one that is not used")]
    Many,
}

/// Why a token lets nobody in.
#[derive(Debug, Error)]
pub enum Unfit {
    /// Unknown, taken away, or none at all: the caller does not learn which.
    #[error("no such token")]
    Unknown,
    #[error("the token has expired")]
    Expired,
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// A token to be made.
pub struct NewToken<'a> {
    pub name: &'a str,
    pub scopes: Scopes,
    pub days: u16,
}

/// Makes a token of an account: of its holder, or of an operator. It is shown this once; nobody can say it
/// again. Whose it is hears of it, whoever made it.
pub async fn add(
    store: &Store,
    by: &By,
    address: &KepAddress,
    operator: Option<OperatorCode>,
    new: NewToken<'_>,
) -> Result<(ApiToken, SecretString), TokenError> {
    let account = accounts::get(store, address).await?.id;
    make(store, by, (Holder::Account(account), operator), address.as_str(), new).await
}

/// The same for a member of the staff, by himself alone: with a token in another's name one would be two.
pub async fn add_staff(
    store: &Store,
    by: &By,
    staff: &str,
    new: NewToken<'_>,
) -> Result<(ApiToken, SecretString), TokenError> {
    if !matches!(&by.actor, Actor::Staff(name) if name == staff) {
        return Err(TokenError::Another(staff.to_owned()));
    }
    make(store, by, (Holder::Staff(staff.to_owned()), None), staff, new).await
}

async fn make(
    store: &Store,
    by: &By,
    (holder, operator): (Holder, Option<OperatorCode>),
    subject: &str,
    NewToken { name, scopes, days }: NewToken<'_>,
) -> Result<(ApiToken, SecretString), TokenError> {
    let (name, now) = (named(name)?, by.at);
    if !(1..=DAYS).contains(&days) {
        return Err(TokenError::Days);
    }
    scopes.fit(&holder)?;
    let secret = SecretString::from(random::password(GROUPS));
    let id = secret.expose_secret().get(..GROUP).unwrap_or_default().to_owned();
    let expires_at = now.plus_secs(i64::from(days) * 24 * 3600);
    let created_at = now;
    let token =
        ApiToken { id, holder, operator, name, scopes, created_at, expires_at, used_at: None };
    let row = to_row(&token, &secret);
    let (by, subject) = (by.clone(), subject.to_owned());
    let insert = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        if let Some(account) = row.account {
            account_rows::lock(tx, account)?;
        }
        let room = rows::of(tx, row.account)?.len() < MOST;
        if room {
            rows::add(tx, &row)?;
            if let Some(account) = row.account {
                credentials::tell_changed(tx, Owner { account, operator: row.operator }, by.at)?;
            }
            audit::record(tx, &by, "token.add", &subject, details(&row))?;
        }
        Ok(room)
    };
    match store.write(Lane::Client, insert).await.map_err(RegistryError::from)? {
        true => Ok((token, secret)),
        false => Err(TokenError::Many),
    }
}

/// Those of an account, or of the staff.
pub async fn list(store: &Store, of: Option<&KepAddress>) -> Result<Vec<ApiToken>, RegistryError> {
    let account = match of {
        Some(address) => Some(accounts::get(store, address).await?.id),
        None => None,
    };
    let all = store.read(move |tx| rows::of(tx, account)).await?;
    Ok(all.iter().map(known).collect::<Result<_, _>>()?)
}

/// Takes a token of an account, or of the staff, away; the next request with it is refused. Whether
/// there was one.
pub async fn remove(
    store: &Store,
    by: &By,
    of: Option<&KepAddress>,
    id: &str,
) -> Result<bool, RegistryError> {
    let account = match of {
        Some(address) => Some(accounts::get(store, address).await?.id),
        None => None,
    };
    let (by, id) = (by.clone(), id.to_ascii_lowercase());
    Ok(store.write(Lane::Client, move |tx| remove_in(tx, &by, account, &id)).await?)
}

/// Within a transaction: what `list` says.
pub fn all(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<ApiToken>, RowsError> {
    rows::of(tx, Some(account))?.iter().map(known).collect()
}

/// Within a transaction: what `remove` does.
pub fn remove_in(
    tx: &mut Tx<'_>,
    by: &By,
    account: Option<AccountId>,
    id: &str,
) -> Result<bool, RowsError> {
    let found = rows::find(tx, id)?.filter(|row| row.account == account);
    let Some(row) = found else { return Ok(false) };
    let removed = rows::remove(tx, &row.id)?;
    if removed {
        let subject = match row.account {
            Some(account) => account_rows::by_id(tx, account)?.address,
            None => row.staff.clone().unwrap_or_default(),
        };
        audit::record(tx, by, "token.remove", &subject, details(&row))?;
    }
    Ok(removed)
}

fn details(row: &TokenRow) -> serde_json::Value {
    let mut details = serde_json::json!({ "id": row.id, "name": row.name, "scopes": row.scopes });
    if row.operator != 0 {
        details["operator"] = row.operator.into();
    }
    details
}

/// A token that was shown, and who acts by it.
pub struct Admitted {
    pub token: ApiToken,
    pub account: Option<Account>,
    pub operator: Option<Operator>,
}

/// Whose a token is: in a few look-ups, and by a comparison that takes as long for any wrong one.
pub async fn admit(store: &Store, shown: &SecretString, now: Timestamp) -> Result<Admitted, Unfit> {
    let text = shown.expose_secret();
    let id = text.get(..GROUP).filter(|_| text.len() == LETTERS).ok_or(Unfit::Unknown)?.to_owned();
    let find = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let Some((row, operator)) = standing(tx, &id)? else { return Ok(None) };
        let account = row.account.map(|account| account_rows::by_id(tx, account)).transpose()?;
        Ok(Some((row, account, operator)))
    };
    let found = store.look_up(find).await.map_err(RegistryError::from)?;
    let (row, account, operator) = found.ok_or(Unfit::Unknown)?;
    if !secret::is_same(&row.digest, &sha256(text.as_bytes()).0) {
        return Err(Unfit::Unknown);
    }
    if row.expires_at <= now {
        return Err(Unfit::Expired);
    }
    let token = known(&row).map_err(RegistryError::from)?;
    let account = account.as_ref().map(accounts::account).transpose();
    let account = account.map_err(RegistryError::from)?;
    used(store, &token, now).await;
    Ok(Admitted { token, account, operator })
}

/// The same in the transaction that acts for it: nothing, if it is there no more; else who acts by it, where
/// that is an operator.
pub fn admit_again(
    tx: &mut Tx<'_>,
    token: &ApiToken,
) -> Result<Option<Option<Operator>>, RowsError> {
    Ok(standing(tx, &token.id)?.map(|(_, operator)| operator))
}

/// Who has left the staff, or acts for an account no more, leaves his tokens.
fn standing(tx: &mut Tx<'_>, id: &str) -> Result<Option<(TokenRow, Option<Operator>)>, RowsError> {
    let Some(row) = rows::find(tx, id)? else { return Ok(None) };
    let staff = row.staff.as_deref().map(|name| staff_rows::find(tx, name)).transpose()?;
    if staff.is_some_and(|member| member.is_none_or(|row| row.ended_at.is_some())) {
        return Ok(None);
    }
    let Some((account, code)) = row.account.zip(OperatorCode::of_number(row.operator)) else {
        return Ok(Some((row, None)));
    };
    Ok(operators::acting(tx, account, code)?.map(|operator| (row, Some(operator))))
}

/// Notes that it was used; now and then is enough.
async fn used(store: &Store, token: &ApiToken, now: Timestamp) {
    if token.used_at.is_some_and(|at| now.millis() - at.millis() < NOTED_SECS * 1000) {
        return;
    }
    let id = token.id.clone();
    let work = move |tx: &mut Tx<'_>| rows::used(tx, &id, now);
    if let Err(error) = store.write(Lane::Background, work).await {
        tracing::warn!(%error, "the use of a token could not be noted");
    }
}

fn to_row(token: &ApiToken, secret: &SecretString) -> TokenRow {
    let (account, staff) = match &token.holder {
        Holder::Account(account) => (Some(*account), None),
        Holder::Staff(name) => (None, Some(name.clone())),
    };
    TokenRow {
        id: token.id.clone(),
        account,
        operator: token.operator.map_or(0, |code| code.number()),
        staff,
        name: token.name.clone(),
        scopes: token.scopes.words().join(" "),
        digest: sha256(secret.expose_secret().as_bytes()).0.to_vec(),
        created_at: token.created_at,
        expires_at: token.expires_at,
        used_at: None,
    }
}

fn known(row: &TokenRow) -> Result<ApiToken, RowsError> {
    let scopes = row.scopes.split(' ').filter(|word| !word.is_empty());
    let scopes: Option<Vec<_>> = scopes.map(Scope::parse).collect();
    let staff = || row.staff.clone().map(Holder::Staff);
    let holder = row.account.map(Holder::Account).or_else(staff);
    Ok(ApiToken {
        id: row.id.clone(),
        holder: holder.ok_or(RowsError::Stored("whose a token is"))?,
        operator: OperatorCode::of_number(row.operator),
        name: row.name.clone(),
        scopes: Scopes::of(scopes.ok_or(RowsError::Stored("scopes"))?),
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
    })
}

fn named(name: &str) -> Result<String, TokenError> {
    let name = name.trim();
    let good = !name.is_empty() && name.chars().count() <= NAME;
    match good && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(TokenError::Name),
    }
}

const GROUPS: usize = 8;
const GROUP: usize = 5;
const LETTERS: usize = GROUPS * (GROUP + 1) - 1;
/// Of an account, or of the staff.
pub const MOST: usize = 64;
/// Characters of a name.
const NAME: usize = 64;
/// Five years: as long as a certificate lasts, at most.
const DAYS: u16 = 1826;
const NOTED_SECS: i64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_has_a_word_of_its_own() {
        for (scope, word, turkish, english) in Scope::ALL {
            assert_eq!(Scope::parse(word), Some(scope));
            assert_eq!(scope.word(), word);
            assert!(!turkish.is_empty() && !english.is_empty());
        }
        assert_eq!(Scope::parse("mail"), None);
        let words: std::collections::BTreeSet<_> = Scope::ALL.iter().map(|row| row.1).collect();
        assert_eq!(words.len(), Scope::ALL.len());
    }

    #[test]
    fn staff_reads_no_mail_and_nobody_else_administers() {
        let staff = Holder::Staff("selin".into());
        let account = Holder::Account(AccountId(1));
        assert!(Scopes::full(true).fit(&staff).is_ok());
        assert!(Scopes::full(false).fit(&account).is_ok());
        for scope in [Scope::MailRead, Scope::MailOpen, Scope::EvidenceRead] {
            assert!(matches!(Scopes::of([scope]).fit(&staff), Err(TokenError::Scope(_))));
        }
        let wrong = Scopes::of([Scope::MailRead, Scope::StaffAudit]);
        assert!(matches!(wrong.fit(&account), Err(TokenError::Scope("staff:audit"))));
        assert!(matches!(Scopes::default().fit(&account), Err(TokenError::NoScope)));
    }

    #[test]
    fn a_token_is_as_long_as_it_is_taken_to_be() {
        assert_eq!(random::password(GROUPS).len(), LETTERS);
    }
}
