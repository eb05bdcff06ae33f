//! Another master key: all that the older ones sealed is sealed anew, while the server serves. Steps are
//! small and each is whole; how far it came is told by the rows themselves, so that after a crash it goes
//! on. An older key goes only when nothing needs it any more.
//!
//! Of a blob the data key is wrapped anew, its octets stay: they can be erased by erasing that key, and
//! copying them all would take the time that copying a store takes. Small secrets are sealed anew whole.

use super::audit::{self, By};
use super::{app_passwords, credentials, outbox};
use crate::store::sealed::{self as rows, Column, Key, Sealed};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::vault::{Vault, VaultError};
use crate::wire::AccountId;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// What a round did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize)]
pub struct Round {
    pub looked: u64,
    pub resealed: u64,
    /// Sealed by a key that is not in the file, or altered: they stay as they are.
    pub unreadable: u64,
}

#[derive(Debug, Error)]
pub enum ResealError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{count} rows ({what}) are still sealed by generation {generation}")]
    Needed { generation: u8, what: &'static str, count: u64 },
}

impl From<RowsError> for ResealError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// What each generation seals, by column.
pub type Counts = Vec<(Column, BTreeMap<u8, u64>)>;

pub async fn counts(store: &Store) -> Result<Counts, ResealError> {
    let work = |tx: &mut Tx<'_>| -> Result<Counts, RowsError> {
        Column::ALL.into_iter().map(|column| Ok((column, rows::counts(tx, column)?))).collect()
    };
    Ok(store.read(work).await?)
}

/// Looks at everything once, and seals anew what an older key sealed. `tell` hears how far it is, and
/// says whether to go on.
pub async fn round(
    store: &Store,
    tell: &mut (dyn FnMut(&Round) -> bool + Send),
) -> Result<Round, ResealError> {
    store.blobs.vault().refresh()?;
    let newest = store.blobs.vault().generation();
    let mut round = Round::default();
    for column in Column::ALL {
        let mut after = column.start();
        loop {
            let behind = after.clone();
            let page = store.read(move |tx| rows::page(tx, &behind, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.key.clone();
            round.looked += page.len() as u64;
            step(store, newest, page, &mut round).await?;
            if !tell(&round) {
                return Ok(round);
            }
        }
    }
    // What was written meanwhile by who knew the old key alone is found by the next round.
    if round.resealed == 0 && round.unreadable == 0 {
        let settle = move |tx: &mut Tx<'_>| rows::settle(tx, newest);
        store.write(Lane::Background, settle).await?;
    }
    Ok(round)
}

async fn step(
    store: &Store,
    newest: u8,
    page: Vec<Sealed>,
    round: &mut Round,
) -> Result<(), ResealError> {
    let mut changed = Vec::new();
    for old in page.into_iter().filter(|one| Vault::generation_of(&one.octets) != Some(newest)) {
        match anew(store.blobs.vault(), &old) {
            Ok(new) => changed.push((old, new)),
            Err(error) => {
                tracing::error!(key = ?old.key, %error, "it can't be sealed anew");
                round.unreadable += 1;
            }
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let work = move |tx: &mut Tx<'_>| -> Result<u64, RowsError> {
        let mut done = 0;
        for (old, new) in &changed {
            done += u64::from(rows::replace(tx, old, new)?);
        }
        Ok(done)
    };
    round.resealed += store.write(Lane::Background, work).await?;
    Ok(())
}

fn anew(vault: &Vault, old: &Sealed) -> Result<Vec<u8>, VaultError> {
    let owner = match &old.key {
        Key::Blob(id) => {
            let key = vault.unwrap(&old.octets, id)?;
            return vault.wrap(&key, id);
        }
        Key::Totp { account, operator } => {
            let account = AccountId(*account);
            credentials::totp::sealed_for(credentials::Owner { account, operator: *operator })
        }
        Key::AppPassword { account, id } => app_passwords::owner(AccountId(*account), id),
        Key::Outgoing(_) => outbox::OWNER.to_vec(),
    };
    let secret = vault.unseal(&owner, &old.octets)?;
    vault.seal(&owner, &secret)
}

/// Rounds until one finds nothing to do; what can't be read is told once and left.
pub async fn all(
    store: &Store,
    tell: &mut (dyn FnMut(&Round) -> bool + Send),
) -> Result<Round, ResealError> {
    let mut sum = Round::default();
    loop {
        let done = round(store, tell).await?;
        sum.looked = done.looked;
        sum.resealed += done.resealed;
        sum.unreadable = done.unreadable;
        if done.resealed == 0 {
            return Ok(sum);
        }
    }
}

/// In a server: takes a new key soon after it is in the file, and seals all anew under it.
pub async fn run(store: Store, mut stop: watch::Receiver<bool>) {
    let mut tried = None;
    loop {
        if let Err(error) = store.blobs.vault().refresh() {
            tracing::error!(%error, "the master key's file");
        }
        let newest = store.blobs.vault().generation();
        if tried != Some(newest) {
            tokio::select! {
                done = unless_settled(&store, newest) => match done {
                    Ok(round) => {
                        tried = Some(newest);
                        if round.resealed > 0 || round.unreadable > 0 {
                            tracing::info!(generation = newest, ?round, "sealed anew");
                        }
                    }
                    Err(error) => tracing::warn!(%error, "sealing anew goes on later"),
                },
                _ = stop.changed() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn unless_settled(store: &Store, newest: u8) -> Result<Round, ResealError> {
    match store.read(rows::settled).await? == newest {
        true => Ok(Round::default()),
        false => all(store, &mut |_| true).await,
    }
}

/// Adds a key to the file, which seals what is new from then on; its generation.
pub async fn rotate(store: &Store, by: &By, file: &Path) -> Result<u8, ResealError> {
    let path = file.to_owned();
    let next = aside(move || Vault::next(&path)).await?;
    // It is told of before it is there, whatever comes between.
    note(store, by, "vault.rotate", next).await?;
    let path = file.to_owned();
    aside(move || Vault::rotate_to(&path, next)).await?;
    Ok(next)
}

/// Takes an older key out of the file, when nothing is sealed by it. Nobody else may have the store open
/// to write meanwhile.
pub async fn retire(
    store: &Store,
    by: &By,
    file: &Path,
    generation: u8,
) -> Result<(), ResealError> {
    for (column, counts) in counts(store).await? {
        if let Some(&count) = counts.get(&generation).filter(|count| **count > 0) {
            return Err(ResealError::Needed { generation, what: column.word(), count });
        }
    }
    let vault = store.blobs.vault();
    vault.refresh()?;
    if vault.generation() == generation {
        return Err(VaultError::Newest(generation).into());
    }
    if !vault.generations().contains(&generation) {
        return Err(VaultError::NoGeneration(generation).into());
    }
    // A key that is gone is told of, whatever comes between.
    note(store, by, "vault.retire", generation).await?;
    let path = file.to_owned();
    aside(move || Vault::retire(&path, generation)).await.map(drop)
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, ResealError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(StoreError::from(RowsError::from(std::io::Error::other(error))).into()),
    }
}

/// Writes down what is done with a key.
async fn note(
    store: &Store,
    by: &By,
    act: &'static str,
    generation: u8,
) -> Result<(), ResealError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<i64, RowsError> {
        audit::record(tx, &by, act, "master key", json!({ "generation": generation }))
    };
    store.write(Lane::Client, work).await?;
    Ok(())
}

/// Rows looked at in one step, and changed in one transaction.
const PAGE: i64 = 256;
/// A new key is in use that soon.
const LOOK: Duration = Duration::from_secs(5);
