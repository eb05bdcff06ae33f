//! The step: what is for other providers goes to them. Each has a queue and workers of its own, so that
//! nobody waits for another's slow server; a server that is not well is asked by one mail at a time.
//!
//! A connection that is lost after a mail was sent, or a crash before its answer was laid down, sends the
//! same mail again, with the same Message-ID: the other provider knows it, and answers as it did. The
//! same dispatch may come again for further recipients, too, when it had answered `4xx` for them.

use super::dial::{self, Line, OWN, Patience, Reached};
use super::dialogue::{Dialogue, Failure, Mail, Outcome, Report};
use super::fate::{self, Fate, Verdict};
use super::parked::Parked;
use super::settle::{self, Moment};
use super::{outgoing, retry};
use crate::registry::peers::{Peer, PeerState};
use crate::registry::route::{NoWay, Routes, Way};
use crate::spool::{self, relay::Why};
use crate::store::jobs::{Lease, Leases};
use crate::store::relay::{self as queue, Kind, Queued, Trouble};
use crate::store::submissions;
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::Clock;
use crate::wire::rem::Reason;
use crate::wire::{KepAddress, KepDomain, Timestamp};
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

/// A mail with all that it takes to send it.
pub struct Load {
    pub mail: Mail,
    pub octets: Vec<u8>,
    pub way: Way,
}

/// What a server said of a mail, and whether that was under way at the end; or why nothing was said.
pub type Heard = Result<(Report, bool), Unsent>;

/// Brings a mail to its server.
pub trait Carrier: Send {
    fn send(&mut self, load: &Load) -> impl Future<Output = Heard> + Send;
}

/// What there is to do with a mail.
enum Task {
    Send(Box<Load>),
    /// Nobody waits for it any more.
    Idle,
    /// Its provider has ceased to serve.
    Ended(Vec<KepAddress>),
    /// Not now.
    Wait,
    /// There is nothing by which the server could be known.
    Unknown,
}

/// Why a mail could not be sent.
#[derive(Debug)]
pub enum Unsent {
    Server(Trouble, String),
    /// Its provider's domain takes none: for good.
    Never(String),
}

/// A connection that may serve another mail, while the registry says the same of its server.
struct Open {
    way: Way,
    line: Line,
    dialogue: Dialogue,
    /// Mails it has carried.
    carried: usize,
    /// What the name service said of it may have ended meanwhile.
    since: Instant,
}

/// Brings mails over the network, one after the other.
struct Lines<'r> {
    relay: &'r Relay,
    open: Option<Open>,
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
                    spool::rest(&mut stop, spool::pause(failures)).await;
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

    /// The mails of a provider that workers may be set on now, and when more fall due.
    pub async fn look(
        &self,
        domain: &KepDomain,
        busy: usize,
    ) -> Result<(Vec<Taken>, Option<Timestamp>), StoreError> {
        let (now, most) = (self.clock.now(), self.rules.connections);
        let (wanted, leases) = (domain.clone(), self.leases.clone());
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let (room, soon) = room(tx, &wanted, now, most)?;
            let free = room.saturating_sub(busy);
            if free == 0 {
                return Ok((Vec::new(), soon));
            }
            let soon = queue::next_due(tx, &wanted, now)?;
            Ok((queue::take(tx, &wanted, now, free, &leases)?, soon))
        };
        let (found, soon) = match self.store.shared() {
            true => self.store.write(Lane::Background, work).await?,
            false => self.store.look_up(work).await?,
        };
        Ok((self.leased(found), soon))
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

    /// Carries one mail out. Says whether the server may be asked at once for another.
    pub async fn carry(
        &self,
        queued: &Queued,
        carrier: &mut impl Carrier,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        let task = match self.load(queued).await {
            Ok(task) => task,
            Err(error) => {
                let mail = outgoing::name(queued);
                tracing::error!(provider = %queued.provider, mail, %error, "can't be loaded");
                self.later(queued, OWN, stop).await;
                return false;
            }
        };
        match task {
            Task::Wait => {
                self.give_back(queued, stop).await;
                false
            }
            Task::Idle => {
                let queued = queued.clone();
                self.surely(stop, move |tx| settle::idle(tx, &queued)).await
            }
            Task::Ended(to) => self.settled(queued, failed(to, CEASED), false, stop).await,
            Task::Unknown => {
                self.unwell(queued, Trouble::NotIdentified, NOTHING_KNOWN, stop).await;
                false
            }
            Task::Send(load) => match carrier.send(&load).await {
                Ok((report, begun)) => self.judged(queued, fate::judge(&report, begun), stop).await,
                Err(Unsent::Server(trouble, heard)) => {
                    self.unwell(queued, trouble, &fate::plain(&heard), stop).await;
                    false
                }
                Err(Unsent::Never(heard)) => {
                    let to = load.mail.recipients.into_iter().map(|to| to.address).collect();
                    self.settled(queued, failed(to, &heard), false, stop).await
                }
            },
        }
    }

    async fn judged(
        &self,
        queued: &Queued,
        verdict: Verdict,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        match verdict {
            Verdict::Server { trouble, heard } => {
                self.unwell(queued, trouble, &heard, stop).await;
                false
            }
            Verdict::Mail { fates, broken: None, crowded } => {
                self.settled(queued, fates, crowded, stop).await && self.well(queued, stop).await
            }
            Verdict::Mail { fates, broken: Some(heard), .. } => {
                self.settled(queued, fates, false, stop).await;
                self.unwell(queued, Trouble::Unreachable, &heard, stop).await;
                false
            }
        }
    }

    /// Reads a mail and whom it is for, as it is now.
    async fn load(&self, queued: &Queued) -> Result<Task, StoreError> {
        let wanted = queued.clone();
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let peer = Peer::find(tx, &wanted.provider)?;
            let submission = submissions::find(tx, &wanted.message)?;
            let recipients = submissions::recipients(tx, &wanted.message)?;
            Ok((queue::find(tx, wanted.id)?, peer, submission, recipients))
        };
        let (row, peer, submission, recipients) = self.store.look_up(work).await?;
        // Sent by another between our look into the queue and our lease: its content may be gone, too.
        if row.is_none() {
            return Ok(Task::Idle);
        }
        let Some(peer) = peer else { return Ok(Task::Wait) };
        let to = match queued.kind {
            Kind::Dispatch => outgoing::waiting(&recipients, &queued.provider),
            Kind::Evidence => Vec::new(),
        };
        if queued.kind == Kind::Dispatch && to.is_empty() {
            return Ok(Task::Idle);
        }
        let service = peer.service_address();
        match (peer.state, peer.tls) {
            (PeerState::Suspended { .. }, _) => Ok(Task::Wait),
            (PeerState::Closed { .. }, _) if queued.kind == Kind::Evidence => {
                let mail = outgoing::name(queued);
                tracing::warn!(provider = %queued.provider, mail, "ceased to serve: not sent");
                Ok(Task::Idle)
            }
            (PeerState::Closed { .. }, _) => {
                Ok(Task::Ended(to.into_iter().map(|(_, address)| address).collect()))
            }
            (PeerState::Active, None) => Ok(Task::Unknown),
            (PeerState::Active, Some(tls)) => {
                let octets = self.store.content(queued.content).await?;
                let mail = match queued.kind {
                    Kind::Dispatch => submission
                        .map(|of| outgoing::dispatch(queued, &of, &to, &self.who, &octets)),
                    Kind::Evidence => service
                        .map(|address| outgoing::evidence(queued, address, &self.who, &octets)),
                };
                let mail = mail.ok_or(RowsError::Missing("submission, or a service address"))?;
                let way = Way { domain: peer.domain, route: peer.route, tls };
                Ok(Task::Send(Box::new(Load { mail, octets, way })))
            }
        }
    }

    /// Over the connection that is open, or a new one; one that was open may have ended meanwhile.
    async fn send(&self, load: &Load, open: &mut Option<Open>) -> Heard {
        if let Some(other) = open.take_if(|open| !open.serves(load)) {
            other.close().await;
        }
        if let Some(Open { line, dialogue, carried, .. }) = open
            && dialogue.another(load.mail.clone())
        {
            *carried += 1;
            let report = line.converse(dialogue, &load.octets, &self.patience).await;
            if !is_stale(&report) {
                return Ok((report, dialogue.begun()));
            }
        }
        *open = None;
        let found = self.routes.find(&load.way, self.clock.now()).await;
        let found = found.map_err(|why| no_way(&load.way, &why))?;
        for (host, why) in &found.passed_over {
            tracing::warn!(provider = %load.way.domain, host, %why, "the host is passed over");
        }
        let own = self.who.tls.as_ref().map(|(certificate, key)| (&**certificate, &**key));
        let (mail, octets) = (&load.mail, &load.octets);
        let reached = dial::reach(&found.servers, own, mail, octets, &self.patience).await;
        let Reached { line, dialogue, report } = reached.map_err(|(trouble, heard)| {
            if trouble == Trouble::NotIdentified {
                self.routes.forget();
            }
            Unsent::Server(trouble, heard)
        })?;
        let begun = dialogue.begun();
        *open =
            Some(Open { way: load.way.clone(), line, dialogue, carried: 1, since: Instant::now() });
        Ok((report, begun))
    }

    async fn settled(
        &self,
        queued: &Queued,
        fates: Vec<(KepAddress, Fate)>,
        crowded: bool,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        for (address, fate) in &fates {
            let (word, heard) = match fate {
                Fate::Arrived => ("relayed", ""),
                Fate::Failed(why) => ("refused", why.detail.as_str()),
                Fate::Later(heard) => ("put off", heard.as_str()),
            };
            let (kind, mail) = (queued.kind.word(), outgoing::name(queued));
            tracing::info!(%address, kind, mail, heard, "{word}");
            let (provider, outcome) = (queued.provider.to_string(), word.replace(' ', "_"));
            metrics::counter!("kep_relay_total", "provider" => provider, "kind" => kind,
                              "outcome" => outcome)
            .increment(1);
        }
        let at = self.moment(queued);
        let (queued, rules) = (queued.clone(), self.rules.clone());
        let work = move |tx: &mut Tx<'_>| settle::fates(tx, &queued, &fates, crowded, &rules, at);
        self.surely(stop, work).await
    }

    async fn unwell(
        &self,
        queued: &Queued,
        trouble: Trouble,
        heard: &str,
        stop: &mut watch::Receiver<bool>,
    ) {
        let provider = &queued.provider;
        tracing::warn!(%provider, trouble = trouble.word(), heard, "the server is not well");
        metrics::counter!("kep_relay_server_failures_total", "provider" => provider.to_string())
            .increment(1);
        let (provider, id, heard) = (provider.clone(), queued.id, heard.to_owned());
        let at = self.moment(queued);
        let work = move |tx: &mut Tx<'_>| {
            queue::give_back(tx, id)?;
            settle::unwell(tx, &provider, (trouble, &heard), at)
        };
        self.surely(stop, work).await;
    }

    /// The server answered; always true.
    async fn well(&self, queued: &Queued, stop: &mut watch::Receiver<bool>) -> bool {
        let provider = queued.provider.clone();
        let looked = provider.clone();
        match self.store.look_up(move |tx| queue::health(tx, &looked)).await {
            Ok(health) if health.is_down() => {
                tracing::info!(%provider, "the server is well again");
                self.surely(stop, move |tx| settle::well(tx, &provider)).await
            }
            _ => true,
        }
    }

    async fn later(&self, queued: &Queued, heard: &str, stop: &mut watch::Receiver<bool>) {
        let (id, heard, at) = (queued.id, heard.to_owned(), self.moment(queued));
        let due = retry::next_try(queued.attempts, at.now, at.dice);
        self.surely(stop, move |tx| queue::put_off(tx, id, due, &heard)).await;
    }

    async fn give_back(&self, queued: &Queued, stop: &mut watch::Receiver<bool>) {
        let id = queued.id;
        if self.store.shared() {
            self.surely(stop, move |tx| queue::give_back(tx, id)).await;
        }
    }

    /// Lays down what happened, however often that fails, until `stop`: a server is not asked again
    /// because our own disk is full.
    async fn surely(
        &self,
        stop: &mut watch::Receiver<bool>,
        work: impl Fn(&mut Tx<'_>) -> Result<(), RowsError> + Clone + Send + 'static,
    ) -> bool {
        for failures in 0.. {
            match self.store.write(Lane::Background, work.clone()).await {
                Ok(()) => return true,
                Err(error) => tracing::error!(%error, "what was relayed can't be laid down"),
            }
            if !spool::rest(stop, spool::pause(failures)).await {
                break;
            }
        }
        false
    }

    /// As `windows`, no more often than needed: each mail that is laid in asks.
    async fn next_window(
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

    /// The dice fall otherwise for each mail, time and host that sends.
    fn moment(&self, queued: &Queued) -> Moment {
        let now = self.clock.now();
        Moment { now, dice: retry::dice(&self.who.host, queued.id, now) }
    }
}

/// How many workers a provider may have now; when it may have more.
fn room(
    tx: &mut Tx<'_>,
    domain: &KepDomain,
    now: Timestamp,
    most: usize,
) -> Result<(usize, Option<Timestamp>), RowsError> {
    let health = queue::health(tx, domain)?;
    let peer = Peer::find(tx, domain)?;
    Ok(match peer.map(|peer| peer.state) {
        // An operator's hold does not keep what has come to its end.
        Some(PeerState::Closed { .. }) => (most, None),
        None | Some(PeerState::Suspended { .. }) => (0, None),
        Some(PeerState::Active) if health.held => (0, None),
        Some(PeerState::Active) if health.is_down() => match health.probe_at > now {
            true => (0, Some(health.probe_at)),
            false => (1, None),
        },
        Some(PeerState::Active) => (most, None),
    })
}

fn no_way(way: &Way, why: &NoWay) -> Unsent {
    let provider = way.domain.to_string();
    metrics::counter!("kep_relay_no_way_total", "provider" => provider, "why" => why.word())
        .increment(1);
    match why {
        NoWay::NoMail(_, true) => Unsent::Never(why.to_string()),
        // The path of a file is nobody else's affair.
        NoWay::Own(_) => {
            tracing::error!(provider = %way.domain, %why, "no way is found");
            Unsent::Server(Trouble::Unreachable, OWN.to_owned())
        }
        // An answer that is not signed ends nothing: anybody may have written it.
        _ => Unsent::Server(why.trouble(), why.to_string()),
    }
}

fn failed(to: Vec<KepAddress>, why: &str) -> Vec<(KepAddress, Fate)> {
    let why = Why { reason: Reason::ProviderNotIdentified, detail: why.to_owned(), window: false };
    to.into_iter().map(|to| (to, Fate::Failed(why.clone()))).collect()
}

/// A connection that was used before has ended, maybe before it heard of this mail.
fn is_stale(report: &Report) -> bool {
    report.recipients.iter().all(|(_, outcome)| match outcome {
        Outcome::Failed(Failure::Lost | Failure::LostAfterBody) => true,
        Outcome::Refused(reply) => reply.code() == 421,
        _ => false,
    })
}

impl Carrier for Lines<'_> {
    async fn send(&mut self, load: &Load) -> Heard {
        self.relay.send(load, &mut self.open).await
    }
}

impl Open {
    fn serves(&self, load: &Load) -> bool {
        self.way == load.way && self.carried < MAILS && self.since.elapsed() < OLDEST
    }

    async fn close(mut self) {
        self.line.close(&mut self.dialogue).await;
    }
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
/// Mails over one connection: a server that counts them is not annoyed.
const MAILS: usize = 100;
/// No connection is used for longer.
const OLDEST: Duration = Duration::from_secs(300);
/// Mails whose window ends are laid down so many at a time.
const BATCH: usize = 64;
/// At the end a mail under way has so long to be answered; else it is sent again.
const GRACE: Duration = Duration::from_secs(20);
const CEASED: &str = "the provider has ceased to serve";
const NOTHING_KNOWN: &str = "the registry names no pin and no issuer of its server";

#[cfg(test)]
mod tests;
