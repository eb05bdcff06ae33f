//! Windows are looked at when one may end.

use super::super::super::{outgoing, settle};
use super::super::{Crew, IDLE, Relay, Taken};
use super::BATCH;
use crate::store::relay::{self as queue, Kind};
use crate::store::{Lane, StoreError, Tx};
use crate::wire::Timestamp;
use tokio::sync::watch;

impl Relay {
    /// As `windows`, no more often than needed: each mail that is laid in asks.
    pub(in crate::deliver::run) async fn next_window(
        &self,
        crew: &mut Crew,
        stop: &watch::Receiver<bool>,
    ) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        match crew.windows {
            Some((looked, next)) if looked <= now && now < next => Ok(next),
            _ => {
                let next = self.windows(stop).await?;
                crew.windows = Some((now, next));
                Ok(next)
            }
        }
    }

    /// Ends what has waited too long. Says when the next one has.
    pub async fn windows(&self, stop: &watch::Receiver<bool>) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        let mut next = now.plus_millis(IDLE.as_millis() as i64);
        for (kind, held, window) in [
            (Kind::Dispatch, false, self.rules.window),
            // Who holds a dispatch back does not stop its sender's clock.
            (Kind::Dispatch, true, self.rules.window),
            (Kind::Evidence, false, self.rules.evidence),
        ] {
            let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
            let until = now.plus_millis(-window);
            let (over, more) = self.overdue((kind, held), until, now).await?;
            if !over.is_empty() {
                self.end(&over, stop).await;
            }
            // What is over and under way ends with its worker, or is looked at by and by.
            let oldest =
                self.store.look_up(move |tx| queue::oldest(tx, (kind, held), until)).await?;
            next = oldest.map_or(next, |oldest| oldest.plus_millis(window).min(next));
            next = if more { now } else { next };
        }
        Ok(next)
    }

    /// Some that have waited since before `until` and that nobody has; whether there may be more.
    async fn overdue(
        &self,
        which: (Kind, bool),
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<Taken>, bool), StoreError> {
        let limit = BATCH + self.leases.held();
        let work = move |tx: &mut Tx<'_>| queue::since(tx, which, until, now, limit);
        let mut found = self.store.look_up(work).await?;
        if self.store.shared() && !found.is_empty() {
            let work = move |tx: &mut Tx<'_>| queue::lease_since(tx, which, until, now, limit);
            found = self.store.write(Lane::Background, work).await?;
        }
        let more = found.len() == limit;
        Ok((self.leased(found), more))
    }

    async fn end(&self, over: &[Taken], stop: &watch::Receiver<bool>) {
        let all: Vec<_> = over.iter().map(|taken| taken.queued.clone()).collect();
        for queued in &all {
            let mail = outgoing::name(queued);
            tracing::warn!(provider = %queued.provider, mail, "not relayed in time");
        }
        let (rules, now) = (self.rules.clone(), self.clock.now());
        let work = move |tx: &mut Tx<'_>| {
            for queued in &all {
                match queued.kind {
                    Kind::Dispatch => settle::window_ended(tx, queued, &rules, now)?,
                    Kind::Evidence => settle::evidence_waited(tx, queued)?,
                }
            }
            Ok(())
        };
        self.surely(&mut stop.clone(), work).await;
    }
}
