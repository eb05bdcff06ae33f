//! One mail is carried out: loaded, sent, and what became of it laid down.

use super::super::super::dial::OWN;
use super::super::super::fate::{self, Fate, Verdict};
use super::super::super::settle::{self, Moment};
use super::super::super::{outgoing, retry};
use super::super::{Carrier, Load, Relay, Unsent};
use super::{CEASED, NOTHING_KNOWN, Task, failed};
use crate::registry::peers::{Peer, PeerState};
use crate::registry::route::Way;
use crate::spool;
use crate::store::relay::{self as queue, Kind, Queued, Trouble};
use crate::store::submissions;
use crate::store::{Lane, RowsError, StoreError, Tx};
use crate::wire::KepAddress;
use tokio::sync::watch;

impl Relay {
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
    pub(in crate::deliver::run) async fn load(&self, queued: &Queued) -> Result<Task, StoreError> {
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

    /// The server answered. False only at a stop.
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

    pub(in crate::deliver::run) async fn later(
        &self,
        queued: &Queued,
        heard: &str,
        stop: &mut watch::Receiver<bool>,
    ) {
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
    pub(in crate::deliver::run) async fn surely(
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

    /// The dice fall otherwise for each mail, time and host that sends.
    fn moment(&self, queued: &Queued) -> Moment {
        let now = self.clock.now();
        Moment { now, dice: retry::dice(&self.who.host, queued.id, now) }
    }
}
