//! What holders, operators and staff do with places: add, prove, change, take away.

use super::code::{CODE_SECS, CODES, Code, proof};
use super::{Absence, Event, Quiet, Target, Whose, row, target};
use crate::registry::accounts::{self, RegistryError};
use crate::registry::audit::{self, By};
use crate::registry::outbox::Language;
use crate::store::notices as rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::vault::{Purpose, VaultError};
use crate::wire::{AccountId, KepAddress, Reach};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;
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
    Unknown(KepAddress, Which),
    #[error("{0} has {MOST} places already")]
    Many(KepAddress),
    #[error(
        "a deputy's name is one line of 1 to {NAME} characters, and his time ends after it begins; \
         only who hears of `escalation` alone needs no time"
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

/// A place of an account: by where it is, or by its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    At(Reach),
    Number(i64),
}

impl From<Reach> for Which {
    fn from(reach: Reach) -> Self {
        Self::At(reach)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(reach) => reach.fmt(f),
            Self::Number(id) => write!(f, "number {id}"),
        }
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
    store.read(move |tx: &mut Tx<'_>| list_in(tx, account)).await
}

/// The same in a transaction.
pub fn list_in(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Target>, NoticeError> {
    let rows = rows::of_account(tx, account)?;
    Ok(rows.iter().map(target).collect::<Result<_, _>>()?)
}

/// Sends a new code; the one before is good no more.
pub async fn send_code(
    store: &Store,
    by: &By,
    address: &KepAddress,
    which: impl Into<Which>,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let code = Code::new(store.blobs.vault(), address)?;
    let (address, which, at) = (address.clone(), which.into(), by.at);
    let work = move |tx: &mut Tx<'_>| -> Result<(), NoticeError> {
        let found = find(tx, account, &address, &which)?;
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
    which: impl Into<Which>,
    code: &SecretString,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let (vault_of, code, address, which, by) =
        (store.blobs.clone(), code.clone(), address.clone(), which.into(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), NoticeError>, NoticeError> {
        let found = find(tx, account, &address, &which)?;
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

/// What is told there, in which language, when and whom; the place as it is then.
pub async fn set(
    store: &Store,
    by: &By,
    address: &KepAddress,
    which: impl Into<Which>,
    change: Change,
) -> Result<Target, NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let (address, which, by) = (address.clone(), which.into(), by.clone());
    let work =
        move |tx: &mut Tx<'_>| set_in(tx, &by, (account, &address), &which, &change, |_| Ok(()));
    store.write(Lane::Client, work).await
}

/// The same in a transaction. `judge` sees the place as it stands there, and may refuse. A place that becomes
/// the holder's own gets his codes: what proved it was in another's hands, and proves nothing of him.
pub fn set_in<E: From<NoticeError>>(
    tx: &mut Tx<'_>,
    by: &By,
    (account, address): (AccountId, &KepAddress),
    which: &Which,
    change: &Change,
    judge: impl FnOnce(&Target) -> Result<(), E>,
) -> Result<Target, E> {
    sound(change)?;
    let found = find(tx, account, address, which)?;
    judge(&found)?;
    let becomes_his = change.whose == Whose::Holder && found.whose != Whose::Holder;
    if becomes_his {
        rows::void_code(tx, found.id).map_err(NoticeError::from)?;
    }
    let changed = Target {
        language: change.language,
        events: change.events.clone(),
        quiet: change.quiet,
        whose: change.whose.clone(),
        proven_at: found.proven_at.filter(|_| !becomes_his),
        ..found
    };
    rows::change(tx, &row(&changed, by.at)).map_err(NoticeError::from)?;
    note(tx, by, "account.notice.set", address, &changed)?;
    Ok(changed)
}

/// Takes a place away; what waits for it is not said there any more.
pub async fn remove(
    store: &Store,
    by: &By,
    address: &KepAddress,
    which: impl Into<Which>,
) -> Result<(), NoticeError> {
    let account = accounts::get(store, address).await?.id;
    let (address, which, by) = (address.clone(), which.into(), by.clone());
    let work = move |tx: &mut Tx<'_>| remove_in(tx, &by, (account, &address), &which, |_| Ok(()));
    store.write(Lane::Client, work).await
}

/// The same in a transaction. `judge` sees the place as it stands there, and may refuse.
pub fn remove_in<E: From<NoticeError>>(
    tx: &mut Tx<'_>,
    by: &By,
    (account, address): (AccountId, &KepAddress),
    which: &Which,
    judge: impl FnOnce(&Target) -> Result<(), E>,
) -> Result<(), E> {
    let found = find(tx, account, address, which)?;
    judge(&found)?;
    let mut take_away = || -> Result<(), NoticeError> {
        rows::remove(tx, found.id)?;
        let place = (found.reach.channel(), found.reach.as_str());
        crate::store::outbox::withdraw(tx, account, place, by.at)?;
        note(tx, by, "account.notice.remove", address, &found)
    };
    Ok(take_away()?)
}

/// The place, which nobody else changes until the transaction ends.
fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &KepAddress,
    which: &Which,
) -> Result<Target, NoticeError> {
    crate::store::accounts::lock(tx, account)?;
    for row in rows::of_account(tx, account)? {
        let known = target(&row)?;
        let same = match which {
            Which::At(reach) => known.reach == *reach,
            Which::Number(id) => known.id == *id,
        };
        if same {
            return Ok(known);
        }
    }
    Err(NoticeError::Unknown(address.clone(), which.clone()))
}

fn sound(change: &Change) -> Result<(), NoticeError> {
    let Whose::Deputy(absence) = &change.whose else { return Ok(()) };
    let Absence { deputy, from, until } = absence;
    let named = !deputy.trim().is_empty() && deputy.chars().count() <= NAME;
    // Without days he hears of the last reminder, and of nothing else.
    let hears = !absence.is_never() || change.events.iter().eq([&Event::Escalation]);
    match named && !deputy.chars().any(char::is_control) && from < until && hears {
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
const PAUSE_SECS: i64 = 60;
/// Of a million codes.
const TRIES: i64 = 5;
