//! What holders, operators and staff do with places: add, prove, change, take away.

use super::{Absence, Event, Quiet, Target, Whose, row, target};
use crate::registry::accounts::{self, RegistryError};
use crate::registry::audit::{self, By};
use crate::registry::outbox::{self, Fields, Kind, Language, Outgoing};
use crate::store::notices as rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::random;
use crate::trust::vault::{Purpose, Vault, VaultError};
use crate::wire::{AccountId, KepAddress, Reach, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeSet;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum NoticeError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{0} is told at {1} already")]
    Exists(KepAddress, Reach),
    #[error("{0} is not told at {1}")]
    Unknown(KepAddress, Reach),
    #[error("{0} has {MOST} places already")]
    Many(KepAddress),
    #[error(
        "a deputy's name is one line of 1 to {NAME} characters, and his time ends after it begins"
    )]
    Deputy,
    #[error("the last code was sent less than {PAUSE_SECS} seconds ago")]
    Soon,
    #[error("{0} had {CODES} codes sent within a day")]
    ManyCodes(KepAddress),
    #[error("that is not the code that was sent last")]
    Wrong,
    #[error("no code is good any more: it is older than {} minutes, or was tried {TRIES} times", CODE_SECS / 60)]
    Over,
}

impl From<RowsError> for NoticeError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// What a place is to be like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub language: Language,
    pub events: BTreeSet<Event>,
    pub quiet: Option<Quiet>,
    pub whose: Whose,
}

/// Adds a place and sends a code to it; nothing else is sent there before that came back.
pub async fn add(
    store: &Store,
    by: &By,
    address: &KepAddress,
    reach: Reach,
    change: Change,
) -> Result<Target, NoticeError> {
    sound(&change)?;
    let account = accounts::get(store, address).await?.id;
    let new = Target {
        id: 0,
        account,
        reach,
        language: change.language,
        events: change.events,
        quiet: change.quiet,
        whose: change.whose,
        proven_at: None,
    };
    let code = Code::new(store.blobs.vault(), address)?;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Target, NoticeError> {
        crate::store::accounts::lock(tx, account)?;
        if rows::of_account(tx, account)?.len() >= MOST {
            return Err(NoticeError::Many(address.clone()));
        }
        let Some(id) = rows::add(tx, &row(&new, by.at))? else {
            return Err(NoticeError::Exists(address.clone(), new.reach.clone()));
        };
        let added = Target { id, ..new.clone() };
        code.send(tx, &added, by.at)?;
        note(tx, &by, "account.notice.add", &address, &added)?;
        Ok(added)
    };
    store.write(Lane::Client, work).await
}

pub async fn list(store: &Store, address: &KepAddress) -> Result<Vec<Target>, NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let rows =
        store.read(move |tx| rows::of_account(tx, account)).await.map_err(StoreError::from)?;
    Ok(rows.iter().map(target).collect::<Result<_, _>>()?)
}

/// Sends a new code; the one before is good no more.
pub async fn send_code(
    store: &Store,
    by: &By,
    address: &KepAddress,
    reach: Reach,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let code = Code::new(store.blobs.vault(), address)?;
    let (address, at) = (address.clone(), by.at);
    let work = move |tx: &mut Tx<'_>| -> Result<(), NoticeError> {
        let found = find(tx, account, &address, &reach)?;
        let last = rows::code(tx, found.id)?.map(|code| code.sent_at);
        if last.is_some_and(|last| at < last.plus_secs(PAUSE_SECS)) {
            return Err(NoticeError::Soon);
        }
        code.send(tx, &found, at)
    };
    store.write(Lane::Client, work).await
}

/// The code came back: the place is proven. A wrong one counts, and is counted durably.
pub async fn verify(
    store: &Store,
    by: &By,
    address: &KepAddress,
    reach: Reach,
    code: &SecretString,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let (vault_of, code, address, by) =
        (store.blobs.clone(), code.clone(), address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), NoticeError>, NoticeError> {
        let found = find(tx, account, &address, &reach)?;
        let Some(sent) = rows::code(tx, found.id)? else { return Ok(Err(NoticeError::Over)) };
        if sent.tries >= TRIES || by.at > sent.sent_at.plus_secs(CODE_SECS) {
            return Ok(Err(NoticeError::Over));
        }
        let input = proof(&address, code.expose_secret().trim());
        if !vault_of.vault().proves(Purpose::NoticeCode, &input, &sent.digest)? {
            rows::tried(tx, found.id)?;
            return Ok(Err(NoticeError::Wrong));
        }
        rows::verified(tx, found.id, by.at)?;
        note(tx, &by, "account.notice.verify", &address, &found)?;
        Ok(Ok(()))
    };
    store.write(Lane::Client, work).await?
}

/// What is told there, in which language, when and whom.
pub async fn set(
    store: &Store,
    by: &By,
    address: &KepAddress,
    reach: Reach,
    change: Change,
) -> Result<(), NoticeError> {
    sound(&change)?;
    let account = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), NoticeError> {
        let found = find(tx, account, &address, &reach)?;
        let changed = Target {
            language: change.language,
            events: change.events.clone(),
            quiet: change.quiet,
            whose: change.whose.clone(),
            ..found
        };
        rows::change(tx, &row(&changed, by.at))?;
        note(tx, &by, "account.notice.set", &address, &changed)
    };
    store.write(Lane::Client, work).await
}

/// Takes a place away; what waits for it is not said there any more.
pub async fn remove(
    store: &Store,
    by: &By,
    address: &KepAddress,
    reach: Reach,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), NoticeError> {
        let found = find(tx, account, &address, &reach)?;
        rows::remove(tx, found.id)?;
        let place = (reach.channel(), reach.as_str());
        crate::store::outbox::withdraw(tx, account, place, by.at)?;
        note(tx, &by, "account.notice.remove", &address, &found)
    };
    store.write(Lane::Client, work).await
}

/// A code, and what is kept of it.
struct Code {
    address: KepAddress,
    digest: [u8; 32],
    fields: Fields,
    /// Each one is sent, though the last one was for the same place.
    cause: String,
}

impl Code {
    fn new(vault: &Vault, address: &KepAddress) -> Result<Self, NoticeError> {
        let code = format!("{:06}", random::below(1_000_000));
        let values = [("code", code.as_str()), ("account", address.as_str())];
        Ok(Self {
            address: address.clone(),
            digest: vault.derive(Purpose::NoticeCode, &proof(address, &code))?,
            fields: Fields::secret(vault, &values)?,
            cause: format!("verify/{}", data_encoding::HEXLOWER.encode(&random::bytes::<8>())),
        })
    }

    fn send(&self, tx: &mut Tx<'_>, to: &Target, at: Timestamp) -> Result<(), NoticeError> {
        // Codes go to who has not said that he wants them: nobody is to be plagued by them.
        let day = at.plus_secs(-86_400);
        if crate::store::outbox::since(tx, to.account, Kind::Verify.word(), day)? >= CODES {
            return Err(NoticeError::ManyCodes(self.address.clone()));
        }
        rows::set_code(tx, to.id, &self.digest, at)?;
        let outgoing = Outgoing {
            account: to.account,
            to: to.reach.clone(),
            language: to.language,
            kind: Kind::Verify,
            fields: self.fields.clone(),
            cause: self.cause.clone(),
            due: at,
            expires: at.plus_secs(CODE_SECS),
        };
        outbox::queue(tx, &outgoing)?;
        Ok(())
    }
}

/// A code is good for its own account alone.
fn proof(address: &KepAddress, code: &str) -> Vec<u8> {
    [address.as_str().as_bytes(), &[0], code.as_bytes()].concat()
}

fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
    reach: &Reach,
) -> Result<Target, NoticeError> {
    crate::store::accounts::lock(tx, account)?;
    for row in rows::of_account(tx, account)? {
        let known = target(&row)?;
        if known.reach == *reach {
            return Ok(known);
        }
    }
    Err(NoticeError::Unknown(address.clone(), reach.clone()))
}

fn sound(change: &Change) -> Result<(), NoticeError> {
    let Whose::Deputy(Absence { deputy, from, until }) = &change.whose else { return Ok(()) };
    let named = !deputy.trim().is_empty() && deputy.chars().count() <= NAME;
    match named && !deputy.chars().any(char::is_control) && from < until {
        true => Ok(()),
        false => Err(NoticeError::Deputy),
    }
}

/// The log names the place in part: it is read by more people than may know it.
fn note(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    address: &KepAddress,
    target: &Target,
) -> Result<(), NoticeError> {
    let details = json!({
        "place": target.reach.masked(),
        "events": target.events.iter().map(|event| event.word()).collect::<Vec<_>>(),
        "deputy": matches!(target.whose, Whose::Deputy(_)),
    });
    audit::record(tx, by, act, address.as_str(), details)?;
    Ok(())
}

/// Places of an account.
const MOST: usize = 10;
/// Characters of a name.
const NAME: usize = 64;
const CODE_SECS: i64 = 600;
const PAUSE_SECS: i64 = 60;
/// Of an account in a day.
const CODES: u64 = 20;
/// Of a million codes.
const TRIES: i64 = 5;
