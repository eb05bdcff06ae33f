//! Writes down, now and then, what time has made of accounts: closings complete, time to read ends; and
//! signs receipts that could not be signed when they were asked for. Doors don't wait for it: they
//! go by the clock themselves.

use super::accounts::{self, RegistryError};
use super::audit::{Actor, By, Channel};
use super::closings;
use super::standing::Stage;
use crate::store::closings as rows;
use crate::store::{RowsError, Store, Tx, accounts as account_rows};
use crate::trust::Clock;
use crate::trust::detached::Word;
use crate::wire::AccountId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub struct Caretaker {
    pub store: Store,
    pub clock: Clock,
    pub word: Word,
    /// The provider's name, in receipts.
    pub provider: String,
}

/// What a round wrote down.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Round {
    pub completed: usize,
    pub ended: usize,
    pub signed: usize,
}

impl Caretaker {
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                round = self.round() => match round {
                    Ok(round) if round == Round::default() => {}
                    Ok(round) => tracing::info!(?round, "accounts and time"),
                    Err(error) => tracing::warn!(%error, "accounts and time"),
                },
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Once over all accounts that time can have moved.
    pub async fn round(&self) -> Result<Round, RegistryError> {
        let mut round = Round::default();
        let mut after = AccountId(0);
        loop {
            let batch = self.batch(after).await?;
            let Some(last) = batch.last() else { break };
            after = *last;
            for account in batch {
                // One that can't be read holds up no other.
                if let Err(error) = self.one(account, &mut round).await {
                    tracing::warn!(%error, account = account.0, "it waits for the next round");
                }
            }
        }
        round.signed = self.receipts().await?;
        Ok(round)
    }

    async fn one(&self, id: AccountId, round: &mut Round) -> Result<(), RegistryError> {
        let find = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
            accounts::account(&account_rows::by_id(tx, id)?)
        };
        let (account, now) = (self.store.read(find).await?, self.clock.now());
        let due = account.state.at(now) != account.state
            || account.state.stage_at(now) != account.state.stage();
        if !due {
            return Ok(());
        }
        let was = account.state.stage();
        let by = By { actor: Actor::System("caretaker"), channel: Channel::System, at: now };
        let reached = closings::catch_up(&self.store, account, &by).await?.stage();
        round.completed += usize::from(was == Stage::Closing && reached != Stage::Closing);
        round.ended += usize::from(reached == Stage::Ended);
        Ok(())
    }

    async fn batch(&self, after: AccountId) -> Result<Vec<AccountId>, RegistryError> {
        let now = self.clock.now();
        let find =
            move |tx: &mut Tx<'_>| rows::due(tx, after, now, now.plus_secs(-READABLE), BATCH);
        Ok(self.store.read(find).await?)
    }

    /// One that can't be signed now holds up no other work; the rest waits for the next round.
    async fn receipts(&self) -> Result<usize, RegistryError> {
        let unsigned = self.store.read(|tx: &mut Tx<'_>| rows::unsigned(tx, 0, BATCH)).await?;
        let mut signed = 0;
        for row in unsigned {
            match closings::sign(&self.store, &self.word, &self.provider, row.id).await {
                Ok(_) => signed += 1,
                Err(error @ RegistryError::Unsigned(_)) => {
                    tracing::warn!(%error, request = row.id, "a receipt waits");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(signed)
    }
}

/// Three months are no shorter than this, in seconds; who was closed later is still read.
const READABLE: i64 = 88 * 86_400;
const BATCH: usize = 200;
/// Doors go by the clock; only records wait.
const PAUSE: Duration = Duration::from_secs(60);
