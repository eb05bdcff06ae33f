//! The step: takes what is due out of the outbox, says it, and writes down what became of it.

use super::claim::{self, Claimed, Turn};
use super::dial::Senders;
use super::fate::{self, Next, Said};
use super::smpp::Session;
use super::texts::{self, Sayer, Words};
use crate::registry::notices;
use crate::registry::outbox::{Outgoing, Values};
use crate::registry::policy;
use crate::spool::{self, Errand, Step, Takers};
use crate::store::jobs::{self, Job};
use crate::store::outbox::{self as rows, OutgoingRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::Clock;
use crate::wire::{MessageId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub struct Notify {
    pub store: Store,
    pub clock: Clock,
    pub senders: Senders,
    pub sayer: Sayer,
}

impl Notify {
    /// Runs until `stop`; `session` keeps the connection to an SMSC, where there is one.
    pub async fn run(self: Arc<Self>, session: Option<Session>, stop: watch::Receiver<bool>) {
        let takers = Takers::new(&self.store, Step::Notify);
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let notify = Arc::clone(&self);
        let saying = spool::run(takers, store, clock, PARALLEL, stop.clone(), move |job| {
            let notify = Arc::clone(&notify);
            async move { notify.carry_out(&job).await }
        });
        // The connection outlasts what is being said over it.
        let (tell, ended) = watch::channel(false);
        let keeping = async {
            if let Some(session) = session {
                session.run(ended).await;
            }
        };
        let saying = async {
            saying.await;
            // Who keeps it may have ended.
            let _ = tell.send(true);
        };
        tokio::join!(saying, keeping, self.tending(stop));
    }

    /// Carries one errand out.
    pub async fn carry_out(&self, job: &Job) -> Result<(), StoreError> {
        match Errand::parse(&job.payload)? {
            Errand::Say { outgoing } => self.say(job.id, outgoing).await,
            Errand::Low => {
                let (job, now) = (job.id, self.clock.now());
                let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                    notices::low_balances(tx, now)?;
                    jobs::finish(tx, job)?;
                    Ok(())
                };
                self.store.write(Lane::Background, work).await
            }
            Errand::Unread { message, recipient, due, since } => {
                let (job, now) = (job.id, self.clock.now());
                let [due, since] = [due, since].map(Timestamp::from_millis);
                let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                    if let Some(message) = MessageId::parse(&message) {
                        notices::look_unread(tx, (&message, recipient), due, since, now)?;
                    }
                    jobs::finish(tx, job)?;
                    Ok(())
                };
                self.store.write(Lane::Background, work).await
            }
        }
    }

    async fn say(&self, job: i64, id: i64) -> Result<(), StoreError> {
        let (vault, now) = (self.store.blobs.clone(), self.clock.now());
        let turn = Turn { job, id, now };
        let work = move |tx: &mut Tx<'_>| claim::claim(tx, turn, vault.vault());
        let Some(claimed) = self.store.write(Lane::Background, work).await? else { return Ok(()) };
        if claimed.in_doubt() {
            tracing::warn!(id, "an attempt before ended without an answer: it may be said twice");
            metrics::counter!("kep_notices_in_doubt_total").increment(1);
        }
        let Claimed { row, outgoing, values } = &claimed;
        let said = match self.words(row, outgoing, values) {
            Some(words) => self.senders.send(&outgoing.to, &words, (id, row.sealed), now).await,
            None => Said::Never("its text needs what is not there".to_owned()),
        };
        let next = fate::next(said, outgoing.kind, row.attempts, row.expires_at, self.clock.now());
        self.settle(job, claimed, next).await
    }

    fn words(&self, row: &OutgoingRow, outgoing: &Outgoing, values: &Values) -> Option<Words> {
        texts::words(&self.sayer, outgoing.kind, outgoing.language, row.tells, values)
    }

    async fn settle(&self, job: i64, claimed: Claimed, next: Next) -> Result<(), StoreError> {
        let Claimed { row, outgoing, .. } = claimed;
        let (id, channel, kind) = (row.id, outgoing.to.channel(), outgoing.kind.word());
        let outcome = match &next {
            Next::Sent(_) => {
                tracing::info!(id, channel, kind, "said");
                "sent"
            }
            Next::Again { at, why } => {
                tracing::info!(id, channel, kind, %why, again = %at, "not said");
                "again"
            }
            Next::Failed(why) => {
                tracing::warn!(id, channel, kind, %why, "could not be said");
                "failed"
            }
        };
        let turn = Turn { job, id, now: self.clock.now() };
        let work = move |tx: &mut Tx<'_>| claim::settle(tx, turn, &row, &next);
        self.store.write(Lane::Background, work).await?;
        metrics::counter!("kep_notices_total", "channel" => channel, "outcome" => outcome)
            .increment(1);
        Ok(())
    }

    async fn tending(&self, mut stop: watch::Receiver<bool>) {
        loop {
            self.tend().await;
            if !spool::rest(&mut stop, TENDED).await {
                return;
            }
        }
    }

    /// Now and then: what ends soon is told of, what was settled long ago is forgotten.
    pub async fn tend(&self) {
        let now = self.clock.now();
        match notices::tell_of_endings(&self.store, now).await {
            Ok(0) => {}
            Ok(notices) => tracing::info!(notices, "told of what ends soon"),
            Err(error) => tracing::warn!(%error, "what ends can't be looked through"),
        }
        let sweep = move |tx: &mut Tx<'_>| -> Result<u64, RowsError> {
            // What was told of an end is known until the end, so that it is told once.
            let rules = policy::at(tx, now)?;
            let keep = rules.notice_keep.millis().max(rules.notice_ending.millis());
            rows::sweep(tx, now.plus_millis(keep.saturating_neg()))
        };
        if let Err(error) = self.store.write(Lane::Background, sweep).await {
            tracing::warn!(%error, "the outbox can't be swept");
        }
    }
}

/// At once; one that waits for a gateway that is down holds no other up for long.
const PARALLEL: usize = 16;
const TENDED: Duration = Duration::from_hours(1);
