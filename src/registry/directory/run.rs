//! Keeps the central directory current: what has changed is told at once and until it is taken, in
//! its newest revision alone. Now and then all entries are made anew, for what changed unseen, and
//! questions older than they are kept are forgotten.

use super::ask::forget;
use super::dial::{CentralDirectory, CentralError, Told};
use super::entry;
use super::fault::DirectoryError;
use crate::registry::audit::{self, By};
use crate::store::directory as rows;
use crate::store::directory::push::{self, PushRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::trust::Clock;
use crate::wire::{AccountId, Timestamp};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Who tells whom.
pub struct Push {
    pub store: Store,
    pub clock: Clock,
    /// Without one, changes wait for the day there is.
    pub central: Option<Arc<CentralDirectory>>,
}

impl Push {
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut sweep = tokio::time::interval(SWEEP);
        while !*stop.borrow() {
            let pause = tokio::select! {
                pause = self.round() => pause,
                _ = stop.changed() => return,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.store.job_for(push::BELL) => {}
                _ = sweep.tick() => tokio::select! {
                    () = self.housekeeping() => {}
                    _ = stop.changed() => return,
                },
                _ = stop.changed() => return,
            }
        }
    }

    /// Tells what is due. Says how long there is nothing to do, as far as this process hears of it: a
    /// command that changes a consent is another one.
    async fn round(&self) -> Duration {
        let Some(central) = &self.central else { return SWEEP };
        let next = match self.due().await {
            Ok(due) if due.is_some_and(|due| due <= self.clock.now()) => {
                self.tell_all(central).await
            }
            other => other,
        };
        match next {
            Ok(Some(due)) => {
                let millis = due.millis().saturating_sub(self.clock.now().millis());
                Duration::from_millis(u64::try_from(millis).unwrap_or(0)).clamp(LEAST, LOOK)
            }
            Ok(None) => LOOK,
            Err(error) => {
                tracing::error!(%error, "what the central directory has to hear can't be read");
                FIRST
            }
        }
    }

    async fn due(&self) -> Result<Option<Timestamp>, DirectoryError> {
        Ok(self.store.look_up(push::next_due).await?)
    }

    /// Tells all that is due; says when the next is.
    pub async fn tell_all(
        &self,
        central: &CentralDirectory,
    ) -> Result<Option<Timestamp>, DirectoryError> {
        loop {
            let now = self.clock.now();
            let until = now.plus_millis(millis(LEASE));
            let take = move |tx: &mut Tx<'_>| push::take(tx, now, until, AT_ONCE);
            let due: Vec<PushRow> = self.store.write(Lane::Background, take).await?;
            if due.is_empty() {
                return self.due().await;
            }
            for row in due {
                self.tell(central, row).await?;
            }
        }
    }

    async fn tell(&self, central: &CentralDirectory, row: PushRow) -> Result<(), DirectoryError> {
        let account = row.account;
        let known = self.store.read(move |tx| rows::entry(tx, account)).await?;
        let Some(known) = known else { return self.settle(row, Ok(())).await };
        let row = PushRow { revision: known.revision, ..row };
        let told = match entry::read(&known)? {
            Some(record) => {
                let (findable, identity) = (known.findable, known.keys.identity.clone());
                let told = Told { revision: known.revision, findable, identity, record };
                central.tell(&known.address, &told).await
            }
            None => central.withdraw(&known.address, known.revision).await,
        };
        self.settle(row, told).await
    }

    async fn settle(
        &self,
        row: PushRow,
        told: Result<(), CentralError>,
    ) -> Result<(), DirectoryError> {
        let outcome = match &told {
            Ok(()) => "told",
            Err(error) if error.is_refusal() => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("kep_directory_pushes_total", "outcome" => outcome).increment(1);
        let Err(error) = told else {
            let done = move |tx: &mut Tx<'_>| push::done(tx, row.account, row.revision);
            return Ok(self.store.write(Lane::Background, done).await?);
        };
        tracing::warn!(account = row.account.0, revision = row.revision, attempts = row.attempts,
            %error, "the central directory was not told");
        let refused = error.is_refusal();
        let pause = if refused { REFUSED } else { backoff(row.attempts) };
        let failed = PushRow {
            due_at: self.clock.now().plus_millis(millis(pause)),
            attempts: row.attempts.saturating_add(1),
            refused,
            heard: error.to_string().chars().take(HEARD_MAX).collect(),
            ..row
        };
        let note = move |tx: &mut Tx<'_>| push::failed(tx, &failed);
        Ok(self.store.write(Lane::Background, note).await?)
    }

    /// Now and then: entries are made what they should be, old questions are forgotten.
    pub async fn housekeeping(&self) {
        match self.sweep().await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "entries of the directory were made anew"),
            Err(error) => tracing::error!(%error, "the directory can't be looked through"),
        }
        match forget(&self.store, self.clock.now()).await {
            Ok(0) => {}
            Ok(queries) => tracing::info!(queries, "questions to the directory are forgotten"),
            Err(error) => tracing::error!(%error, "questions to the directory can't be forgotten"),
        }
    }

    /// Makes all entries what they should be; says how many were not. Each that looks as if it were not is
    /// made anew under its account's lock: who takes his consent back meanwhile comes before or after that.
    pub async fn sweep(&self) -> Result<usize, RowsError> {
        let (mut after, mut changed, now) = (0, 0, self.clock.now());
        loop {
            let look = move |tx: &mut Tx<'_>| -> Result<(Option<i64>, Vec<AccountId>), RowsError> {
                let accounts = rows::accounts(tx, after, PAGE)?;
                let last = accounts.last().map(|account| account.0);
                let mut stale = Vec::new();
                for account in accounts {
                    if entry::is_stale(tx, account, now)? {
                        stale.push(account);
                    }
                }
                Ok((last, stale))
            };
            let (last, stale) = self.store.read(look).await?;
            for account in stale {
                let refresh = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
                    accounts::lock(tx, account)?;
                    entry::refresh(tx, account, now)
                };
                changed += usize::from(self.store.write(Lane::Background, refresh).await?);
            }
            match last {
                Some(last) => after = last,
                None => return Ok(changed),
            }
        }
    }
}

/// All that waits is told now; says how much it is.
pub async fn hurry(store: &Store, by: &By) -> Result<u64, RowsError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<u64, RowsError> {
        let entries = push::hurry(tx, by.at)?;
        audit::record(tx, &by, "directory.push.retry", "", json!({ "entries": entries }))?;
        Ok(entries)
    };
    store.write(Lane::Client, work).await
}

/// Half a minute, then twice as long each time, up to an hour.
fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 7)).unwrap_or(7);
    FIRST.saturating_mul(1 << doublings).min(HOUR)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

const FIRST: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
const SWEEP: Duration = HOUR;
const LOOK: Duration = Duration::from_secs(5);
const LEAST: Duration = Duration::from_millis(100);
/// Longer than any answer may take: a crashed process's rows are due again.
const LEASE: Duration = Duration::from_secs(600);
/// What would not be had is shown to an operator; once a day it is tried all the same.
const REFUSED: Duration = Duration::from_secs(24 * 3600);
/// One after the other, and each may take as long as `directory.timeout`, a minute at most.
const AT_ONCE: i64 = 8;
const PAGE: i64 = 200;
const HEARD_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour() {
        assert_eq!(backoff(0), FIRST);
        assert_eq!(backoff(1), FIRST * 2);
        assert_eq!(backoff(7), HOUR);
        assert_eq!(backoff(i64::MAX), HOUR);
    }
}
