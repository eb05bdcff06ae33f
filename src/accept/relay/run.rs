//! The desk behind the session of other providers. When it says `Accepted`, what was handed over is
//! durable (invariant 1); the same again hears the same, and changes nothing (invariant 2).

use super::{incoming, refusals, reporting, returning};
use crate::accept::ask::{EVIDENCE_MAX, Envelope, PeerAnswer, SubmitAnswer};
use crate::accept::body::Body;
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::scan::{ScanTrouble, Scanner};
use crate::certify::foreign::{Believe, Fault, Handed, Known, Sound, Told};
use crate::evidence::material;
use crate::registry::Provider;
use crate::registry::budget::Budget;
use crate::registry::crowd::network;
use crate::registry::peers::{self as registry, Peer, PeerState};
use crate::store::evidence::Material;
use crate::store::submissions::{self, Recipient, Submission};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::{Certificate, Clock, Readiness, Unready};
use crate::wire::rem::DeliveryReport;
use crate::wire::{AccountId, KepDomain, MessageId, sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// What judging the mail of other providers needs.
pub struct Desk {
    pub store: Store,
    pub provider: Provider,
    /// Of what can't be sealed no evidence can be given back.
    pub readiness: Arc<Readiness>,
    pub clock: Clock,
    known: Known,
    budget: Arc<Budget>,
    /// What connections may take of memory that show no certificate of a provider.
    strangers: Arc<Budget>,
    scan: Option<Arc<Scanner>>,
}

/// Why something is not taken now.
pub(super) enum Trouble {
    Refused(Refusal),
    Store(StoreError),
    Unready(Unready),
    Judge(String),
}

/// What was laid down, and the name to answer with.
pub(super) type Taken = Result<SubmitAnswer, Trouble>;

impl Desk {
    pub fn new(
        store: Store,
        provider: Provider,
        readiness: Arc<Readiness>,
        clock: Clock,
        stamps: Vec<Certificate>,
        budget: usize,
    ) -> Self {
        // A whole message fits into a share of either.
        let strangers = Arc::new(Budget::fitting(budget / 2, Budget::of_one(budget)));
        let budget = Arc::new(Budget::new(budget));
        let known = Known::new(stamps);
        Self { store, provider, readiness, clock, known, budget, strangers, scan: None }
    }

    /// The same, with somebody who looks for viruses.
    pub fn scanned_by(self, scan: Option<Arc<Scanner>>) -> Self {
        Self { scan, ..self }
    }

    /// What must not come into a mailbox, and why.
    pub(super) async fn scanned(&self, mail: &[u8]) -> Result<Option<Refusal>, Trouble> {
        match &self.scan {
            Some(scanner) => Ok(scanner.judge(&self.store, mail, self.clock.now()).await?),
            None => Ok(None),
        }
    }

    /// Room for a body; connections of one machine share theirs. Whoever shows no registered
    /// certificate never takes the room of those who do.
    pub(in crate::accept) async fn body(&self, from: IpAddr, client: Option<&[u8]>) -> Body {
        let budget = match self.is_shown(client).await {
            true => &self.budget,
            false => &self.strangers,
        };
        Body::new(budget.open(machine(from)))
    }

    async fn is_shown(&self, client: Option<&[u8]>) -> bool {
        if client.is_none() {
            return false;
        }
        let peers = self.store.look_up(Peer::all).await.unwrap_or_else(|error| {
            tracing::error!(%error, "relay in");
            Vec::new()
        });
        peers.iter().any(|peer| peer.shows(client))
    }

    /// MAIL: may this provider hand over here, on a connection that shows this certificate?
    pub async fn meet(&self, domain: &KepDomain, client: Option<&[u8]>) -> PeerAnswer {
        let wanted = domain.clone();
        let found = self.store.look_up(move |tx| Peer::answering(tx, &wanted)).await;
        let peer = found.map_err(Trouble::from).and_then(|peer| known(peer, domain, client));
        // One that has closed may still tell what became of what it had: the mail will show.
        match peer {
            Ok(_) => PeerAnswer::Known,
            Err(Trouble::Refused(refusal)) => {
                self.refused(domain, &refusal);
                PeerAnswer::Refused(refusal)
            }
            Err(trouble) => {
                said(&trouble);
                PeerAnswer::Temporary
            }
        }
    }

    pub async fn hand_over(
        &self,
        envelope: Envelope<Option<KepDomain>>,
        body: Body,
        client: Option<&[u8]>,
    ) -> SubmitAnswer {
        let Some(body) = body.whole() else { return SubmitAnswer::Temporary };
        match self.take(&envelope, &body.octets, client).await {
            Ok(answer) => answer,
            Err(Trouble::Refused(refusal)) => {
                self.refused(&path(envelope.from.as_ref()), &refusal);
                SubmitAnswer::Refused(refusal)
            }
            Err(Trouble::Store(error)) if error.is_full() => {
                said(&Trouble::Store(error));
                SubmitAnswer::Refused(Refusal::StorageFull)
            }
            Err(trouble) => {
                said(&trouble);
                SubmitAnswer::Temporary
            }
        }
    }

    /// Something was refused: it leaves a line and a figure, and no evidence (docs/evidence.md).
    pub(in crate::accept) fn refused(&self, from: &dyn std::fmt::Display, refusal: &Refusal) {
        metrics::counter!("kep_relay_in_refused_total", "why" => refusal.name()).increment(1);
        tracing::warn!(%from, %refusal, "refused from another provider");
    }

    async fn take(
        &self,
        envelope: &Envelope<Option<KepDomain>>,
        mail: &[u8],
        client: Option<&[u8]>,
    ) -> Taken {
        // Only the null path reports (RFC 3464 §2).
        if envelope.from.is_none() && DeliveryReport::is(mail) {
            return reporting::lay_in(self, mail, client).await;
        }
        let registered = self.store.look_up(Peer::all).await?;
        let now = self.clock.now();
        let certificates = registered.iter().flat_map(|peer| &peer.seals);
        let certificates = certificates.map(|seal| seal.certificate.clone()).collect();
        let handed = heavy(mail.len(), || Handed::open(mail, certificates, &self.known));
        let handed = handed.map_err(fault)?;
        let owner = |peer: &&Peer| peer.seals.iter().any(|s| s.certificate == handed.signer);
        let Some(peer) = registered.iter().find(owner) else {
            return Err(Refusal::SealUnknown(handed.signer.subject().to_owned()).into());
        };
        let peer = known(Some(peer.clone()), &peer.domain, client)?;
        let domains = registry::domains(&self.store, &peer.domain).await;
        let domains = domains.map_err(|error| Trouble::Judge(error.to_string()))?;
        let own = |from: &KepDomain| {
            *from == peer.domain || domains.iter().any(|domain| domain == from.as_str())
        };
        if envelope.from.as_ref().is_some_and(|from| !own(from)) {
            return Err(Refusal::SealOfAnother(peer.domain.to_string()).into());
        }
        let kept: Vec<Material> = handed.certificates.iter().map(material::certificate).collect();
        let seals: Vec<_> = peer.seals.iter().map(|seal| seal.certificate.clone()).collect();
        let signer = handed.signer.clone();
        let (domain, known) = (&peer.domain, &self.known);
        let believe = Believe { domain, domains: &domains, seals: &seals, known };
        let sound = heavy(mail.len(), || handed.judge(&believe, now)).map_err(fault)?;
        in_force(&peer, &signer, &sound)?;
        match sound {
            Sound::Dispatch(_) if matches!(peer.state, PeerState::Closed { .. }) => {
                Err(Refusal::PeerEnded(peer.domain.to_string()).into())
            }
            Sound::Dispatch(dispatch) => {
                self.readiness.check()?;
                incoming::lay_in(self, envelope, mail, *dispatch, &peer.domain, kept).await
            }
            Sound::Evidence(_) if mail.len() as u64 > EVIDENCE_MAX => {
                Err(Refusal::TooLarge(EVIDENCE_MAX.to_string()).into())
            }
            Sound::Evidence(told) => match self.scanned(mail).await? {
                Some(refusal) => Err(refusal.into()),
                None => returning::lay_in(self, mail, told, &peer, kept).await,
            },
        }
    }

    /// What others tell of: a message that is here, and whom it was for.
    pub(super) async fn message(
        &self,
        id: &MessageId,
    ) -> Result<(Submission, Vec<Recipient>), Trouble> {
        let wanted = id.clone();
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            Ok((submissions::find(tx, &wanted)?, submissions::recipients(tx, &wanted)?))
        };
        match self.store.look_up(work).await? {
            (Some(submission), recipients) => Ok((submission, recipients)),
            (None, _) => Err(Refusal::EvidenceOfNothing(id.to_string()).into()),
        }
    }

    /// Somebody waits for it.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.store.write(Lane::Client, work).await
    }
}

/// Whose path a mail came by, for the log.
pub(in crate::accept) fn path(domain: Option<&KepDomain>) -> String {
    domain.map_or("<>", KepDomain::as_str).to_owned()
}

/// A registered provider that is not suspended, and is the one that the connection shows where the
/// registry asks for that.
pub(super) fn known(
    peer: Option<Peer>,
    domain: &KepDomain,
    client: Option<&[u8]>,
) -> Result<Peer, Trouble> {
    let name = domain.to_string();
    let peer = peer.ok_or_else(|| Refusal::PeerUnknown(name.clone()))?;
    match peer.state {
        PeerState::Active | PeerState::Closed { .. } => {}
        PeerState::Suspended { .. } => return Err(Refusal::PeerSuspended(name).into()),
    }
    match peer.client_pins.is_empty() || peer.shows(client) {
        true => Ok(peer),
        false => Err(Refusal::PeerNotShown(name).into()),
    }
}

/// Of one that has closed is taken what it says of recipients whom it had before.
pub(super) fn before_it_closed(
    peer: &Peer,
    recipients: &[Recipient],
    about: &[usize],
) -> Result<(), Trouble> {
    let PeerState::Closed { since } = peer.state else { return Ok(()) };
    let had = |one: &Recipient| one.relayed_at.is_some_and(|at| at <= since);
    match recipients.iter().filter(|one| about.contains(&one.n)).all(had) {
        true => Ok(()),
        false => Err(Refusal::PeerEnded(peer.domain.to_string()).into()),
    }
}

/// The registry may end a seal before its certificate does.
fn in_force(peer: &Peer, signer: &Certificate, sound: &Sound) -> Result<(), Trouble> {
    let at = match sound {
        Sound::Dispatch(dispatch) => Some(dispatch.acceptance.last_stamp()),
        Sound::Evidence(mail) => mail.told.iter().map(Told::last_stamp).max(),
    };
    let good = at.is_some_and(|at| peer.seals_at(at).any(|seal| seal.certificate == *signer));
    let ended = || Refusal::SealEnded(signer.subject().to_owned());
    good.then_some(()).ok_or_else(|| ended().into())
}

/// Budgets are by account; machines have numbers that no account has.
fn machine(from: IpAddr) -> AccountId {
    let octets = match network(from) {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let digest = sha256(&octets).0;
    let [a, b, c, d, e, f, g, ..] = digest;
    AccountId(-1 - i64::from_be_bytes([0, a, b, c, d, e, f, g]))
}

fn said(trouble: &Trouble) {
    metrics::counter!("kep_relay_in_temporary_total").increment(1);
    match trouble {
        Trouble::Refused(refusal) => tracing::warn!(%refusal, "relay in"),
        Trouble::Store(error) => tracing::error!(%error, "relay in"),
        Trouble::Unready(error) => tracing::error!(%error, "relay in"),
        Trouble::Judge(error) => tracing::error!(error, "relay in"),
    }
}

fn fault(fault: Fault) -> Trouble {
    match refusals::of(&fault) {
        Some(refusal) => Trouble::Refused(refusal),
        None => Trouble::Judge(fault.to_string()),
    }
}

impl From<ScanTrouble> for Trouble {
    fn from(trouble: ScanTrouble) -> Self {
        match trouble {
            ScanTrouble::Unavailable | ScanTrouble::Nobody => {
                Self::Refused(Refusal::ScannerUnavailable)
            }
            ScanTrouble::Store(error) => Self::Store(error),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unready> for Trouble {
    fn from(unready: Unready) -> Self {
        Self::Unready(unready)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RowsError> for Trouble {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}
