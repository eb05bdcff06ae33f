//! What a person is to be told outside KEP about logging in: laid down in the transaction of its
//! cause, and handed to whoever sends SMS and mail. Where it goes is decided there.

use super::credentials::{CredentialError, Owner};
use crate::store::credentials::messages as rows;
use crate::store::{Lane, Store, Tx};
use crate::trust::vault::Vault;
use crate::wire::Timestamp;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// Somebody logged in: `time`, `place`, `channel`.
    Login,
    /// A password or another credential changed: `time`.
    Credentials,
    /// A second factor, by SMS: `code`.
    LoginCode,
    /// The first half of a forgotten password, by mail: `token`.
    ResetLink,
    /// The second half, by SMS: `code`.
    ResetCode,
}

impl Message {
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Credentials => "credentials",
            Self::LoginCode => "login-code",
            Self::ResetLink => "reset-link",
            Self::ResetCode => "reset-code",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Login, Self::Credentials, Self::LoginCode, Self::ResetLink, Self::ResetCode]
            .into_iter()
            .find(|known| known.word() == word)
    }
}

/// One that waits.
pub struct Waiting {
    pub id: i64,
    pub owner: Owner,
    pub message: Message,
    pub fields: BTreeMap<String, String>,
    pub made_at: Timestamp,
}

/// Debug shows no field: some are secret.
impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({} {:?} for {})", self.id, self.message, self.owner)
    }
}

pub(super) fn queue(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    message: Message,
    fields: &[(&str, &str)],
    now: Timestamp,
) -> Result<(), CredentialError> {
    let mut all: BTreeMap<&str, &str> = fields.iter().copied().collect();
    let time = now.turkish();
    all.insert("time", &time);
    let plain = Zeroizing::new(serde_json::to_vec(&all).unwrap_or_default());
    let sealed = vault.seal(SEALED_FOR, &plain)?;
    Ok(rows::add(tx, owner.key(), message.word(), &sealed, now)?)
}

/// Takes what waits, the oldest first. What is returned was taken for good: it is handed on within the
/// same transaction.
pub fn drain(tx: &mut Tx<'_>, vault: &Vault, most: u32) -> Result<Vec<Waiting>, CredentialError> {
    let mut taken = Vec::new();
    for row in rows::waiting(tx, i64::from(most))? {
        if !rows::taken(tx, row.id)? {
            continue;
        }
        // One that can't be read is not read better tomorrow, and holds up no other.
        let fields = vault.unseal(SEALED_FOR, &row.fields).ok();
        let fields = fields.and_then(|plain| serde_json::from_slice(&plain).ok());
        let (Some(fields), Some(message)) = (fields, Message::parse(&row.kind)) else {
            tracing::error!(id = row.id, kind = row.kind, "a message to an account can't be read");
            continue;
        };
        let owner = row.owner.into();
        taken.push(Waiting { id: row.id, owner, message, fields, made_at: row.made_at });
    }
    Ok(taken)
}

/// The same in a transaction of its own.
pub async fn take(store: &Store, most: u32) -> Result<Vec<Waiting>, CredentialError> {
    let blobs = std::sync::Arc::clone(&store.blobs);
    let work = move |tx: &mut Tx<'_>| drain(tx, blobs.vault(), most);
    store.write(Lane::Client, work).await
}

pub(super) const SEALED_FOR: &[u8] = b"account message";
