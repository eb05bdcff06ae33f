//! A provider of the world: the shipped desks and steps over a real store, which may lose its power and
//! is opened again from what was durable.

mod new;

pub use new::{build, folder};

use crate::carrier::{Eavesdropper, Lines, domain};
use crate::disk::SimDisk;
use crate::keys::{KEYS, Stamps, anchors};
use crate::net::{End, Net};
use crate::task::now;
use kep::accept::check::Limits;
use kep::accept::run::Desk;
use kep::accept::serve::{After, Behind, Manners, Service, Talk};
use kep::accept::session::Session;
use kep::accept::{Rejections, ask, relay};
use kep::certify::Sealing;
use kep::deliver::dial::Patience;
use kep::deliver::incoming::Consigning;
use kep::deliver::{Relay, Rules, Taken as Mailbag, Who};
use kep::evidence::{Facts, Issuer};
use kep::registry::budget::Budget;
use kep::registry::crowd::Crowd;
use kep::registry::holidays::{Calendar, SHIPPED};
use kep::registry::login::{Logins, Pauses};
use kep::registry::mta_sts::{Policies, PolicySettings};
use kep::registry::places::Places;
use kep::registry::read_policy::PolicyTable;
use kep::registry::route::Routes;
use kep::registry::{Provider, Texts};
use kep::spool::{self, Step, Taken, Takers};
use kep::store::{Blobs, RowsAt, Store};
use kep::trust::dns::{Dns, DnsSettings};
use kep::trust::password::Passwords;
use kep::trust::tsa::Authority;
use kep::trust::vault::Vault;
use kep::trust::{
    Clock, Readiness, Role, StampSettings, StampSource, Stamper, TokenVerifier, UserTrust,
};
use kep::wire::{KepAddress, KepDomain};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::watch;

pub const ACCOUNTS: [&str; 2] = ["ali", "ayse"];
pub const PASSWORD: &str = "gizli";
pub const STEPS: [Step; 4] = [Step::Certify, Step::Consign, Step::Evidence, Step::Expire];

/// What all houses of a world share.
#[derive(Clone)]
pub struct Town {
    pub net: Net,
    pub seen: Eavesdropper,
    pub tsa_down: Arc<AtomicBool>,
    pub tsa_clock: Clock,
}

/// A house that is up.
pub struct House {
    pub number: usize,
    pub store: Store,
    pub clock: Clock,
    pub disk: Arc<SimDisk>,
    pub relay: Arc<Relay>,
    pub issuer: Arc<Issuer>,
    pub readiness: Arc<Readiness>,
    sealing: Arc<Sealing>,
    consigning: Arc<Consigning>,
    facts: Arc<Facts>,
    takers: Vec<Takers>,
    submission: Arc<Service>,
    relaying: Arc<Service>,
    town: Town,
    /// Never says stop; kept so that nobody thinks it did.
    stop: watch::Sender<bool>,
}

pub fn address(house: usize, account: usize) -> String {
    format!("{}@{}", ACCOUNTS[account], domain(house))
}

pub fn kep_domain(house: usize) -> KepDomain {
    KepDomain::parse(&domain(house)).unwrap()
}

impl House {
    /// Opens what is in the folder. `seal`: the one that ends soon, or the other.
    pub fn open(number: usize, folder: &Path, clock: Clock, seal: usize, town: &Town) -> Self {
        let disk = Arc::new(SimDisk::new());
        let vault = Arc::new(Vault::open(&folder.join("master.key")).unwrap());
        let blobs = Blobs::on(&folder.join("blobs"), vault, disk.clone()).unwrap();
        let rows = RowsAt::File(folder.join("rows.db"));
        let store = now(Store::with(&rows, blobs)).unwrap();
        Self::around(number, store, disk, clock, seal, town)
    }

    fn around(
        number: usize,
        store: Store,
        disk: Arc<SimDisk>,
        clock: Clock,
        seal: usize,
        town: &Town,
    ) -> Self {
        let seal = Arc::clone(&KEYS.seals[number][seal]);
        let stamper = Arc::new(stamper(&clock, town));
        let path = anchors(&KEYS.seal_root).path(seal.certificate(), &[], Role::Seal).unwrap();
        let readiness = Readiness::new(path, Arc::clone(&stamper), None, clock.clone());
        let readiness = Arc::new(readiness);
        let provider = provider(number);
        let issuer = Arc::new(Issuer {
            provider: provider.clone(),
            seal,
            stamper,
            readiness: Arc::clone(&readiness),
            clock: clock.clone(),
        });
        let facts = Facts {
            store: store.clone(),
            issuer: Arc::clone(&issuer),
            policies: Arc::new(PolicyTable::default()),
            calendar: Arc::new(Calendar::parse(SHIPPED).unwrap()),
        };
        let stamps = anchors(&KEYS.stamp_root).certificates().to_vec();
        let incoming = relay::Desk::new(
            store.clone(),
            provider.clone(),
            Arc::clone(&readiness),
            clock.clone(),
            stamps,
            Budget::BODIES,
        );
        let desk = desk(&store, provider, &readiness, &clock);
        let pauses = Arc::new(Pauses::new(Duration::ZERO));
        let places = Arc::new(Places::new(store.clone()));
        let submission = Behind::Submission { desk: Arc::new(desk), pauses, places };
        let config = ask::Config::new(domain(number), SIZE);
        let relaying = Behind::Relay(Arc::new(incoming));
        Self {
            number,
            relay: Arc::new(relay(number, &store, &clock)),
            readiness,
            sealing: Arc::new(Sealing {
                store: store.clone(),
                issuer: Arc::clone(&issuer),
                storage: None,
            }),
            consigning: Arc::new(Consigning {
                store: store.clone(),
                issuer: Arc::clone(&issuer),
                storage: None,
            }),
            facts: Arc::new(facts),
            takers: STEPS.iter().map(|step| Takers::new(&store, *step)).collect(),
            submission: service(submission, config),
            relaying: service(relaying, ask::Config::relay(kep_domain(number), SIZE)),
            town: town.clone(),
            stop: watch::Sender::new(false),
            issuer,
            store,
            clock,
            disk,
        }
    }

    /// Serves a connection: a client's, or another house's.
    pub fn serve(&self, mut end: End, relay: bool) -> impl Future<Output = ()> + use<> {
        let service = Arc::clone(if relay { &self.relaying } else { &self.submission });
        let stop = self.stop.subscribe();
        async move {
            let mut session = Session::new(Arc::clone(&service.config.borrow()), !relay);
            let mut talk = Talk::new(&service, SocketAddr::from((Ipv4Addr::LOCALHOST, 4)), stop);
            if let Ok(After::StartTls) = talk.run(&mut session, &mut end).await {
                session.tls_started();
                // Who hangs up is no failure of ours.
                let _ = talk.run(&mut session, &mut end).await;
            }
        }
    }

    /// A job of a step that is due, leased.
    pub fn take(&self, step: usize) -> Option<Taken> {
        now(self.takers[step].take(self.clock.now(), 1)).ok()?.pop()
    }

    pub fn carry_out(&self, step: usize, taken: Taken) -> impl Future<Output = ()> + use<> {
        let (store, clock, stop) = (self.store.clone(), self.clock.clone(), self.stop.subscribe());
        let (sealing, consigning) = (Arc::clone(&self.sealing), Arc::clone(&self.consigning));
        let facts = Arc::clone(&self.facts);
        async move {
            let Taken { job, lease } = taken;
            let work = async {
                match STEPS[step] {
                    Step::Certify => sealing.carry_out(&job).await,
                    Step::Consign => consigning.carry_out(&job).await,
                    Step::Evidence => facts.carry_out(&job).await,
                    Step::Expire => Ok(facts.expire(&job).await?),
                    Step::Notify => unreachable!("a world tells nobody outside KEP: not in STEPS"),
                    Step::Scan => unreachable!("a world has no virus scanner: not in STEPS"),
                }
            };
            let named = (STEPS[step].word(), &job);
            spool::carried(&store, &clock, named, Box::pin(work), stop).await;
            drop(lease);
        }
    }

    /// Mails that are due for another house, leased, while so many are on their way to it.
    pub fn mailbags(&self, to: usize, busy: usize) -> Vec<Mailbag> {
        now(self.relay.look(&kep_domain(to), busy)).map(|found| found.0).unwrap_or_default()
    }

    pub fn bring(&self, bag: Mailbag) -> impl Future<Output = ()> + use<> {
        let (relay, mut stop) = (Arc::clone(&self.relay), self.stop.subscribe());
        let (net, seen) = (self.town.net.clone(), Arc::clone(&self.town.seen));
        let mut lines = Lines { net, seen, from: self.number };
        async move {
            relay.carry(&bag.queued, &mut lines, &mut stop).await;
            drop(bag.lease);
        }
    }

    pub fn end_windows(&self) -> impl Future<Output = ()> + use<> {
        let (relay, stop) = (Arc::clone(&self.relay), self.stop.subscribe());
        async move {
            // A store without power is seen by the world.
            let _ = relay.windows(&stop).await;
        }
    }
}

fn stamper(clock: &Clock, town: &Town) -> Stamper {
    let authority = Authority::new(Arc::new(Stamps { down: Arc::clone(&town.tsa_down) }));
    let source = StampSource::Embedded(Arc::new(authority), town.tsa_clock.clone());
    let verifier = TokenVerifier::new(anchors(&KEYS.stamp_root), Vec::new());
    Stamper::new(source, verifier, clock.clone(), &StampSettings::default()).unwrap()
}

fn provider(number: usize) -> Provider {
    Provider {
        domain: kep_domain(number),
        name: format!("{}. KEP", number + 1),
        street: None,
        postal_code: None,
        locality: "Ankara".into(),
        country: "TR".into(),
        policy_uris: Vec::new(),
        portal_url: None,
        texts: Texts::default(),
    }
}

fn desk(store: &Store, provider: Provider, ready: &Arc<Readiness>, clock: &Clock) -> Desk {
    let passwords = Passwords::new(2).unwrap();
    let logins = Logins::new(store.clone(), passwords, provider.domain.clone());
    let users = UserTrust::new(anchors(&KEYS.seal_root), Vec::new(), None);
    Desk::new(
        store.clone(),
        provider,
        Arc::new(logins),
        Arc::new(users),
        Arc::clone(ready),
        clock.clone(),
        Limits::default(),
        100,
        Rejections::new(20),
        None,
        Budget::BODIES,
    )
}

fn relay(number: usize, store: &Store, clock: &Clock) -> Relay {
    let service = KepAddress::parse(&format!("kepservisi@{}", domain(number))).unwrap();
    let who = Who { host: domain(number), service, tls: None };
    let rules =
        Rules { window: DAY, silence: DAY, evidence: EVIDENCE_WINDOW, connections: CONNECTIONS };
    Relay::new(store.clone(), clock.clone(), who, routes(store), rules, Patience::default())
}

/// Each house is registered by its host: nobody asks the name service.
fn routes(store: &Store) -> Routes {
    let timeout = Duration::from_secs(1);
    let resolvers = vec![SocketAddr::from(([127, 0, 0, 1], 9))];
    let dns = Dns::open(&DnsSettings { resolvers, anchors: None, timeout, longest: timeout });
    let (dns, authorities) = (dns.unwrap(), PathBuf::new());
    let policies = PolicySettings { port: 443, timeout, authorities };
    Routes::new(dns.clone(), Policies::new(store.clone(), dns, policies), 25)
}

fn service(behind: Behind, config: ask::Config) -> Arc<Service> {
    let long = Duration::from_secs(3600);
    let manners =
        Manners { command: long, data: long, session: long, connections: 64, per_address: 64 };
    let tls = Arc::new(|| unreachable!("the world carries no TLS"));
    let crowd = Crowd::new(64, 64);
    let (_, config) = watch::channel(Arc::new(config));
    Arc::new(Service { behind, config, manners, tls, crowd })
}

const SIZE: u64 = 26_214_400;
const CONNECTIONS: usize = 4;
pub const DAY: Duration = Duration::from_secs(24 * 3600);
const EVIDENCE_WINDOW: Duration = Duration::from_secs(5 * 24 * 3600);
