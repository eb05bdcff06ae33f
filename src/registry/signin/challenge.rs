//! What was asked and waits for its answer. Its token is random and kept as a digest; whoever answers
//! takes it away.

use crate::registry::credentials::{CredentialError, Owner};
use crate::registry::sessions::Factor;
use crate::store::credentials::OwnerKey;
use crate::store::credentials::challenges::{self as rows, ChallengeRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::trust::one_time;
use crate::wire::{AccountId, Timestamp};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A second factor, or the first again in a session that is there.
    Second,
    /// A login by passkey.
    Passkey,
    /// A login by signature, or a new password by one.
    Signature,
    /// Which of several accounts is meant.
    Which,
    /// A new passkey.
    NewPasskey,
    /// A new password by link and code.
    Reset,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Passkey => "passkey",
            Self::Signature => "signature",
            Self::Which => "which",
            Self::NewPasskey => "new-passkey",
            Self::Reset => "reset",
        }
    }

    /// Seconds.
    pub fn lasts(self) -> i64 {
        match self {
            Self::Reset => 900,
            _ => 300,
        }
    }
}

/// What is needed to judge the answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// Words of factors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// Tries.
    pub left: u8,
    /// The session in which something is to be proven anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The challenge of a passkey, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passkey: Option<String>,
    /// The text to be signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is kept of a code that was sent, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Accounts to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<i64>,
}

impl Details {
    pub fn passkey(&self) -> Option<Vec<u8>> {
        BASE64URL_NOPAD.decode(self.passkey.as_ref()?.as_bytes()).ok()
    }

    pub fn code(&self) -> Option<Vec<u8>> {
        HEXLOWER.decode(self.code.as_ref()?.as_bytes()).ok()
    }

    pub fn factors(&self) -> Vec<Factor> {
        self.shown.iter().filter_map(|word| Factor::parse(word)).collect()
    }
}

/// One that was taken by its answer.
#[derive(Clone, Debug)]
pub struct Taken {
    pub owner: Option<Owner>,
    pub details: Details,
    pub ends_at: Timestamp,
}

/// Lays one in; gives its token.
pub async fn lay(
    store: &Store,
    kind: Kind,
    owner: Option<Owner>,
    details: Details,
    now: Timestamp,
) -> Result<SecretString, CredentialError> {
    let token = one_time::token();
    let kept = token.clone();
    let work = move |tx: &mut Tx<'_>| {
        rows::sweep(tx, now)?;
        put(tx, kind, owner, &details, &kept, now, None)
    };
    store.write(Lane::Client, work).await?;
    Ok(token)
}

/// The same within a transaction. `ends_at`: when it is no later than another one that it follows.
pub fn put(
    tx: &mut Tx<'_>,
    kind: Kind,
    owner: Option<Owner>,
    details: &Details,
    token: &SecretString,
    now: Timestamp,
    ends_at: Option<Timestamp>,
) -> Result<(), CredentialError> {
    let owner = owner.map_or(NOBODY, Owner::key);
    let details = serde_json::to_string(details)
        .map_err(|_| RowsError::Stored("what was asked at a login"))?;
    let row = ChallengeRow {
        kind: kind.word().to_owned(),
        owner,
        details,
        made_at: now,
        ends_at: ends_at.unwrap_or(now.plus_secs(kind.lasts())),
    };
    Ok(rows::add(tx, &row, &one_time::digest(token))?)
}

/// What waits under this token, once.
pub async fn take(
    store: &Store,
    kind: Kind,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<Taken>, CredentialError> {
    let token = token.clone();
    store.write(Lane::Client, move |tx: &mut Tx<'_>| take_in(tx, kind, &token, now)).await
}

/// The same within a transaction: what fails in it leaves it waiting.
pub fn take_in(
    tx: &mut Tx<'_>,
    kind: Kind,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<Taken>, CredentialError> {
    let Some(row) = rows::take(tx, kind.word(), &one_time::digest(token), now)? else {
        return Ok(None);
    };
    let details = serde_json::from_str(&row.details)
        .map_err(|_| RowsError::Stored("what was asked at a login"))?;
    let owner = (row.owner != NOBODY).then(|| row.owner.into());
    Ok(Some(Taken { owner, details, ends_at: row.ends_at }))
}

const NOBODY: OwnerKey = OwnerKey { account: AccountId(0), operator: 0 };
