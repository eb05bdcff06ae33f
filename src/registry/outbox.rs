//! What is to be said to people outside KEP: laid down in the transaction of its cause, said later by
//! the room `notify`. The same cause is said once at each place.
//!
//! Never content, and no subject either: an SMS and ordinary mail lie open on their way,
//! and telling is not reading (invariant 3). Who wrote and when is all they tell.

pub mod trouble;

use super::audit::{self, By};
use super::policy;
use crate::spool;
use crate::store::outbox::{self as rows, NewRow, OutgoingRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::trust::vault::{Vault, VaultError};
use crate::wire::{AccountId, MailAddress, Mobile, Reach, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// Something to be said at one place.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Whom it is about; his credits pay for it.
    pub account: AccountId,
    pub to: Reach,
    pub language: Language,
    pub kind: Kind,
    pub fields: Fields,
    /// What it is said of, as `mail/MESSAGE`: of one account at one place once, for ever.
    pub cause: String,
    /// Not before.
    pub due: Timestamp,
    /// Not after: who was told by then has nothing of it any more.
    pub expires: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    Turkish,
    English,
}

/// What it is. The texts stand in `notify/texts`; each names the fields that it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A message came. Fields: `account`, `sender`, `time`.
    Mail,
    /// What became of a message that the account sent. Fields: `account`, `event`, `event_en`, `time`.
    Evidence,
    /// A message is unread, and its time to read ends. Fields: `account`, `sender`, `time`, `due`.
    Unread,
    /// Credits run low. Fields: `account`, `balance`, `unit`, `unit_en`.
    Credit,
    /// The mailboxes are nearly full. Fields: `account`, `used`, `limit`.
    Storage,
    /// A certificate ends. Fields: `account`, `day`.
    Certificate,
    /// A contract ends. Fields: `account`, `day`, `term`.
    Contract,
    /// What was to be signed came back unsigned. Fields: `account`, `outcome`, `outcome_en`, `time`.
    Handover,
    /// Somebody logged in from where nobody did before. Fields: `account`, `time`, `channel`, `place`.
    Login,
    /// Passwords or other credentials changed. Fields: `account`, `time`.
    Credentials,
    /// Proves that a place is the account's: secret. Fields: `account`, `code`.
    Verify,
    /// A second factor, secret. Fields: `account`, `code`.
    LoginCode,
    /// The first half of a forgotten password, secret. Fields: `account`, `link`.
    ResetLink,
    /// The second half of it, secret. Fields: `account`, `code`.
    ResetCode,
}

/// What a text is made of. Debug shows names alone: values may be secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Fields {
    Plain(Vec<u8>),
    /// Under the vault's key, so that no copy of the rows gives a code away.
    Sealed(Vec<u8>),
}

/// Names and values.
pub type Values = BTreeMap<String, String>;

impl Fields {
    pub fn plain(values: &[(&str, &str)]) -> Self {
        Self::Plain(written(values).to_vec())
    }

    pub fn secret(vault: &Vault, values: &[(&str, &str)]) -> Result<Self, VaultError> {
        vault.seal(OWNER, &written(values)).map(Self::Sealed)
    }

    /// The values of a row.
    pub fn values(&self, vault: &Vault) -> Result<Values, RowsError> {
        let plain = match self {
            Self::Plain(octets) => Zeroizing::new(octets.clone()),
            Self::Sealed(octets) => vault
                .unseal(OWNER, octets)
                .map_err(|_| RowsError::Stored("what only the vault's key opens"))?,
        };
        serde_json::from_slice(&plain).map_err(|_| RowsError::Stored("fields of a notice"))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Sealed(_) => "Sealed(..)",
        })
    }
}

/// Lays it down, to be said when it is due. `None` when that was done before.
pub fn queue(tx: &mut Tx<'_>, outgoing: &Outgoing) -> Result<Option<i64>, RowsError> {
    let (fields, sealed) = match &outgoing.fields {
        Fields::Plain(octets) => (octets, false),
        Fields::Sealed(octets) => (octets, true),
    };
    let new = NewRow {
        account: outgoing.account,
        cause: &outgoing.cause,
        channel: outgoing.to.channel(),
        target: outgoing.to.as_str(),
        language: outgoing.language.word(),
        kind: outgoing.kind.word(),
        fields,
        sealed,
        due_at: outgoing.due,
        expires_at: outgoing.expires,
    };
    let added = rows::add(tx, &new)?;
    if let Some(id) = added {
        spool::notify(tx, id, outgoing.due)?;
    }
    Ok(added)
}

/// What became of the wish to say one again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retried {
    Now,
    /// A gateway is asked just now, or its answer is awaited.
    UnderWay,
    /// It was settled, and what it said is gone.
    Gone,
}

/// Says it again now, if it waits or has failed and what it says is still there. `None` when there is no
/// such one.
pub async fn retry(store: &Store, by: &By, id: i64) -> Result<Option<Retried>, RowsError> {
    let by = by.clone();
    store.write(Lane::Client, move |tx: &mut Tx<'_>| retry_in(tx, &by, id)).await
}

/// The same within somebody's transaction.
pub fn retry_in(tx: &mut Tx<'_>, by: &By, id: i64) -> Result<Option<Retried>, RowsError> {
    let Some(row) = rows::find(tx, id)? else { return Ok(None) };
    let window = policy::at(tx, by.at)?.notice_window;
    // What waits keeps its end; what failed gets a new one.
    let expires = match row.state.is_open() {
        true => row.expires_at,
        false => by.at.plus_millis(window.millis()),
    };
    if !rows::revive(tx, id, by.at, expires)? {
        let under_way = row.state == rows::State::Sending;
        return Ok(Some(if under_way { Retried::UnderWay } else { Retried::Gone }));
    }
    spool::hurry_notice(tx, id, by.at)?;
    let address = accounts::by_id(tx, row.account)?.address;
    let details = json!({ "notice": id, "kind": row.kind });
    audit::record(tx, by, "notice.retry", &address, details)?;
    Ok(Some(Retried::Now))
}

/// What a row says, if it is still to be said.
pub fn outgoing(row: &OutgoingRow) -> Result<Outgoing, RowsError> {
    let octets = row.fields.clone().ok_or(RowsError::Missing("what a notice says"))?;
    Ok(Outgoing {
        account: row.account,
        to: place(row)?,
        language: Language::parse(&row.language).ok_or(RowsError::Stored("a language"))?,
        kind: Kind::parse(&row.kind).ok_or(RowsError::Stored("what a notice is"))?,
        fields: if row.sealed { Fields::Sealed(octets) } else { Fields::Plain(octets) },
        cause: row.cause.clone(),
        due: row.due_at,
        expires: row.expires_at,
    })
}

/// Where a row goes.
pub fn place(row: &OutgoingRow) -> Result<Reach, RowsError> {
    let place = match row.channel.as_str() {
        "sms" => Mobile::parse(&row.target).map(Reach::Sms),
        _ => MailAddress::parse(&row.target).map(Reach::Mail),
    };
    place.map_err(|_| RowsError::Stored("where a notice goes"))
}

impl Kind {
    /// Several of the same that wait for one place may be told of together.
    pub fn gathers(self) -> bool {
        matches!(self, Self::Mail | Self::Evidence)
    }

    /// It answers to what somebody does just now: it wakes nobody, and nobody pays for it.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Self::Verify | Self::LoginCode | Self::ResetLink | Self::ResetCode)
    }
}

fn written(values: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let values: BTreeMap<_, _> = values.iter().copied().collect();
    // Texts by texts always have a form in JSON.
    Zeroizing::new(serde_json::to_vec(&values).unwrap_or_default())
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Language { Turkish = "tr", English = "en" });
words!(Kind {
    Mail = "mail",
    Evidence = "evidence",
    Unread = "unread",
    Credit = "credit",
    Storage = "storage",
    Certificate = "certificate",
    Contract = "contract",
    Handover = "handover",
    Login = "login",
    Credentials = "credentials",
    Verify = "verify",
    LoginCode = "login-code",
    ResetLink = "reset-link",
    ResetCode = "reset-code",
});

/// What secret fields are sealed for.
pub(super) const OWNER: &[u8] = b"outgoing";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_shown_to_nobody_without_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let vault = |name: &str| {
            let path = dir.path().join(name);
            Vault::create(&path).unwrap();
            Vault::open(&path).unwrap()
        };
        let (ours, other) = (vault("ours"), vault("other"));
        let sealed = Fields::secret(&ours, &[("code", "428911")]).unwrap();
        let Fields::Sealed(octets) = &sealed else { panic!("it is open") };
        assert!(!octets.windows(6).any(|six| six == b"428911"));
        assert_eq!(format!("{sealed:?}"), "Sealed(..)");
        assert_eq!(sealed.values(&ours).unwrap()["code"], "428911");
        assert!(sealed.values(&other).is_err());
        let plain = Fields::plain(&[("sender", "ali@hs05.kep.tr"), ("time", "ğ\"\n")]);
        assert_eq!(plain.values(&other).unwrap()["time"], "ğ\"\n");
        assert_eq!(format!("{plain:?}"), "Plain(..)");
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.word()), Some(*kind));
        }
        assert_eq!(Kind::parse("content"), None);
        assert_eq!(Language::parse("en"), Some(Language::English));
    }
}
