//! The step: what is for other providers goes to them. Each has a queue and workers of its own, so that
//! nobody waits for another's slow server; a server that is not well is asked by one mail at a time.
//!
//! A connection that is lost after a mail was sent, or a crash before its answer was laid down, sends the
//! same mail again, with the same Message-ID: the other provider knows it, and answers as it did. The
//! same dispatch may come again for further recipients, too, when it had answered `4xx` for them.

mod carry;
mod lines;
mod windows;

pub use lines::{Carrier, Heard, Load, Unsent};

use super::dial::{OWN, Patience};
use super::outgoing;
use super::parked::Parked;
use crate::registry::peers::{Peer, PeerState};
use crate::registry::route::Routes;
use crate::spool;
use crate::store::jobs::{Lease, Leases};
use crate::store::relay::{self as queue, Queued};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::Clock;
use crate::wire::{KepAddress, KepDomain, Timestamp};
use lines::{Lines, Open};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

/// Takes mail to the other providers.
pub struct Relay {
    store: Store,
    clock: Clock,
    who: Who,
    routes: Routes,
    rules: Rules,
    patience: Patience,
    leases: Leases,
    parked: Parked<Open>,
}

/// As whom we speak.
#[derive(Clone, Debug)]
pub struct Who {
    /// The name we greet with.
    pub host: String,
    /// The address that our mails come from.
    pub service: KepAddress,
    /// Files of the certificate that we show where one is asked for, and of its key.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// How long what may take, and how much goes at once.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Within it a dispatch reaches its provider, or its sender gets evidence of the failure.
    pub window: Duration,
    /// Within it something is heard of what reached its provider.
    pub silence: Duration,
    /// So long an evidence mail is tried.
    pub evidence: Duration,
    /// Connections to one provider.
    pub connections: usize,
}

/// A mail and its lease; dropping it gives the mail back.
pub struct Taken {
    pub queued: Queued,
    pub lease: Lease,
}

/// Who is at work for whom.
#[derive(Default)]
struct Crew {
    workers: JoinSet<()>,
    at: HashMap<Id, KepDomain>,
    /// When the windows were looked at, and when they are to be again.
    windows: Option<(Timestamp, Timestamp)>,
}

impl Relay {
    pub fn new(
        store: Store,
        clock: Clock,
        who: Who,
        routes: Routes,
        rules: Rules,
        patience: Patience,
    ) -> Self {
        let (leases, parked) = (Leases::default(), Parked::default());
        Self { store, clock, who, routes, rules, patience, leases, parked }
    }

    /// Relays until `stop`; mails under way are given a moment.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut crew, mut failures) = (Crew::default(), 0_u32);
        while !*stop.borrow() {
            let next = match self.turn(&mut crew, &stop).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the relay queue can't be read");
                    if !spool::rest(&mut stop, spool::pause(failures)).await {
                        break;
                    }
                    failures += 1;
                    continue;
                }
            };
            failures = 0;
            let wait = (next.millis() - self.clock.now().millis()).max(0) as u64;
            let wait = self
                .close_tired(&mut crew, self.patience.linger)
                .min(Duration::from_millis(wait))
                .clamp(BREATH, IDLE);
            tokio::select! {
                () = self.store.job_for(queue::BELL) => {}
                () = tokio::time::sleep(wait) => {}
                () = crew.one_ends() => {}
                // A sender that is gone means the same as a stop.
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        let ended = async {
            crew.all_end().await;
            self.close_tired(&mut crew, Duration::ZERO);
            crew.all_end().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            crew.workers.shutdown().await;
        }
    }

    /// Closes what nobody has used for so long. Says how soon there is more of it.
    fn close_tired(&self, crew: &mut Crew, linger: Duration) -> Duration {
        let now = Instant::now();
        let (tired, next) = self.parked.tired(linger, now);
        tired.into_iter().for_each(|open| drop(crew.workers.spawn(open.close())));
        next.map_or(IDLE, |next| next.saturating_duration_since(now))
    }

    /// Ends what has waited too long, and sets workers on what is due. Says when to look again.
    async fn turn(
        self: &Arc<Self>,
        crew: &mut Crew,
        stop: &watch::Receiver<bool>,
    ) -> Result<Timestamp, StoreError> {
        crew.gather();
        let mut next = self.next_window(crew, stop).await?;
        for domain in self.store.look_up(queue::providers).await? {
            let busy = crew.busy(&domain);
            // They find what is due by themselves.
            if busy >= self.rules.connections {
                continue;
            }
            match self.look(&domain, busy).await {
                Ok((taken, soon)) => {
                    next = soon.map_or(next, |soon| soon.min(next));
                    for taken in taken {
                        let work = Arc::clone(self).work(domain.clone(), taken, stop.clone());
                        crew.set_on(domain.clone(), work);
                    }
                }
                // What is wrong with one is no reason to leave the others waiting.
                Err(error) => {
                    tracing::error!(provider = %domain, %error, "its queue can't be read")
                }
            }
        }
        Ok(next)
    }

    /// The mails of a provider that workers may be set on now, and when more fall due. Of one that has
    /// closed nothing stays held, whoever closed it and whenever it was held.
    pub async fn look(
        &self,
        domain: &KepDomain,
        busy: usize,
    ) -> Result<(Vec<Taken>, Option<Timestamp>), StoreError> {
        let (found, soon, kept_back) = self.due(domain, busy).await?;
        if !kept_back {
            return Ok((found, soon));
        }
        let (closed, now) = (domain.clone(), self.clock.now());
        let let_go = move |tx: &mut Tx<'_>| queue::release(tx, Err(&closed), now);
        let mails: u64 = self.store.write(Lane::Background, let_go).await?;
        tracing::warn!(provider = %domain, mails, "ceased to serve: what was held comes to its end");
        match found.is_empty() {
            true => self.due(domain, busy).await.map(|(found, soon, _)| (found, soon)),
            // The workers that are set on these find the others.
            false => Ok((found, soon)),
        }
    }

    /// The same of what nobody holds; and whether something is held that may not be.
    async fn due(
        &self,
        domain: &KepDomain,
        busy: usize,
    ) -> Result<(Vec<Taken>, Option<Timestamp>, bool), StoreError> {
        let (now, most) = (self.clock.now(), self.rules.connections);
        let (wanted, leases) = (domain.clone(), self.leases.clone());
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let Room { workers, soon, closed } = room(tx, &wanted, now, most)?;
            let kept_back = closed && queue::holds(tx, &wanted)?;
            let free = workers.saturating_sub(busy);
            if free == 0 {
                return Ok((Vec::new(), soon, kept_back));
            }
            let soon = queue::next_due(tx, &wanted, now)?;
            Ok((queue::take(tx, &wanted, now, free, &leases)?, soon, kept_back))
        };
        let (found, soon, kept_back) = match self.store.shared() {
            true => self.store.write(Lane::Background, work).await?,
            false => self.store.look_up(work).await?,
        };
        Ok((self.leased(found), soon, kept_back))
    }

    fn leased(&self, found: Vec<Queued>) -> Vec<Taken> {
        let leased = found.into_iter().filter_map(|queued| {
            let lease = self.leases.take(queued.id)?;
            Some(Taken { queued, lease })
        });
        leased.collect()
    }

    /// Sends one mail after the other, as long as there are some and the server is well.
    async fn work(
        self: Arc<Self>,
        domain: KepDomain,
        first: Taken,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut lines = Lines { relay: &self, open: self.parked.take(&domain) };
        let (mut next, mut well) = (Some(first), true);
        while let Some(Taken { queued, lease }) = next.take() {
            // Put off, or it would be tried again at once, and again.
            let carried = spool::caught(self.carry(&queued, &mut lines, &mut stop)).await;
            well = match carried {
                Some(well) => well,
                None => {
                    let mail = outgoing::name(&queued);
                    tracing::error!(provider = %domain, mail, "a mail could not be carried out");
                    self.later(&queued, OWN, &mut stop).await;
                    // What it has heard and said is not known.
                    lines.open = None;
                    false
                }
            };
            drop(lease);
            if !well || *stop.borrow() {
                break;
            }
            // This worker has its own place among those of the provider.
            match self.look(&domain, self.rules.connections.saturating_sub(1)).await {
                Ok((mut taken, _)) => next = taken.pop(),
                Err(error) => {
                    tracing::error!(provider = %domain, %error, "its queue can't be read")
                }
            }
        }
        match lines.open {
            Some(open) if well && !*stop.borrow() && !self.patience.linger.is_zero() => {
                self.parked.park(&domain, open, Instant::now());
            }
            Some(open) => open.close().await,
            None => {}
        }
    }
}

/// How many workers a provider may have now; when it may have more.
struct Room {
    workers: usize,
    soon: Option<Timestamp>,
    /// It has ceased to serve.
    closed: bool,
}

fn room(
    tx: &mut Tx<'_>,
    domain: &KepDomain,
    now: Timestamp,
    most: usize,
) -> Result<Room, RowsError> {
    let health = queue::health(tx, domain)?;
    let peer = Peer::find(tx, domain)?;
    let state = peer.map(|peer| peer.state);
    let closed = matches!(state, Some(PeerState::Closed { .. }));
    let (workers, soon) = match state {
        // An operator's hold does not keep what has come to its end.
        Some(PeerState::Closed { .. }) => (most, None),
        None | Some(PeerState::Suspended { .. }) => (0, None),
        Some(PeerState::Active) if health.held => (0, None),
        Some(PeerState::Active) if health.is_down() => match health.probe_at > now {
            true => (0, Some(health.probe_at)),
            false => (1, None),
        },
        Some(PeerState::Active) => (most, None),
    };
    Ok(Room { workers, soon, closed })
}

impl Crew {
    fn set_on(&mut self, domain: KepDomain, work: impl Future<Output = ()> + Send + 'static) {
        let worker = self.workers.spawn(work);
        self.at.insert(worker.id(), domain);
    }

    fn busy(&self, domain: &KepDomain) -> usize {
        self.at.values().filter(|at| *at == domain).count()
    }

    /// Takes off the list who has ended.
    fn gather(&mut self) {
        while let Some(ended) = self.workers.try_join_next_with_id() {
            self.off(&ended);
        }
    }

    /// Waits until one ends; for ever, when nobody is at work.
    async fn one_ends(&mut self) {
        match self.workers.join_next_with_id().await {
            Some(ended) => self.off(&ended),
            None => std::future::pending().await,
        }
    }

    async fn all_end(&mut self) {
        while let Some(ended) = self.workers.join_next_with_id().await {
            self.off(&ended);
        }
    }

    fn off(&mut self, ended: &Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => {
                tracing::error!(%error, "a worker of the relay failed");
                error.id()
            }
        };
        self.at.remove(&id);
    }
}

/// Looks at the rows at least so often: another process may have changed them, or the clock moved.
const IDLE: Duration = Duration::from_secs(10);
/// What is due and under way already is no reason to spin.
const BREATH: Duration = Duration::from_millis(50);
/// At the end a mail under way has so long to be answered; else it is sent again.
const GRACE: Duration = Duration::from_secs(20);
#[cfg(test)]
mod tests;
