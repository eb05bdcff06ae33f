//! What is shown of an account's credits, and what a message would cost.

use super::{Balance, Charge, Entry, Recipients};
use crate::registry::{RegistryError, accounts, policy};
use crate::store::{Store, StoreError, Tx, credits as rows};
use crate::wire::{KepAddress, KepDomain, Timestamp};

/// Balance and the latest entries, as they were at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    pub balance: Balance,
    /// The newest first.
    pub entries: Vec<Entry>,
}

/// What a message would cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Whether credits are asked for at all.
    pub enforced: bool,
    /// Credits, of all recipients together.
    pub total: i64,
    /// Of one with another provider, and of one with this.
    pub elsewhere: i64,
    pub here: i64,
}

pub async fn statement(
    store: &Store,
    address: &KepAddress,
    most: usize,
) -> Result<Statement, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let read = move |tx: &mut Tx<'_>| -> Result<Statement, StoreError> {
        let balance = rows::balance(tx, id)?;
        Ok(Statement { balance, entries: rows::entries(tx, id, None, most)? })
    };
    Ok(store.read(read).await?)
}

/// Entries before the one of this number, the newest first.
pub async fn history(
    store: &Store,
    address: &KepAddress,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<Entry>, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    Ok(store.read(move |tx| rows::entries(tx, id, before, most)).await?)
}

/// For people to see before they sign: `octets` of the message as it will be handed in, signature and all.
pub async fn quote(
    store: &Store,
    provider: &KepDomain,
    octets: u64,
    recipients: &[KepAddress],
    at: Timestamp,
) -> Result<Quote, RegistryError> {
    let terms = store.look_up(move |tx| policy::at(tx, at)).await?;
    let own = |to: &&KepAddress| to.domain().provider() == provider.provider();
    let here = recipients.iter().filter(own).count();
    let to = Recipients { here, elsewhere: recipients.len() - here };
    let enforced = terms.credit_enforced;
    let Charge { total, elsewhere, here, .. } = super::of(&terms, octets, to);
    Ok(Quote { enforced, total, elsewhere, here })
}
