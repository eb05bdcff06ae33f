use super::*;
use crate::registry::mta_sts::PolicySettings;
use crate::store::mta_sts::{self as rows, Kept};
use crate::store::{Lane, RowsAt, Store, Tx};
use crate::trust::dns::Mx;
use crate::trust::dns::table::{Table, signed, silent, unsigned};
use crate::trust::pki::{CertificateAuthority, KeyKind};
use crate::trust::vault::Vault;
use crate::wire::sha256;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const DOMAIN: &str = "hs06.kep.tr";
const POSTA: &str = "posta.hs06.kep.tr";
const YEDEK: &str = "yedek.example";
const NOW: i64 = 1_795_824_000;

struct World {
    names: Arc<Table>,
    routes: Routes,
    store: Store,
    place: TempDir,
}

impl World {
    async fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let key = place.path().join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let rows = RowsAt::File(place.path().join("rows.db"));
        let store = Store::open(&rows, &place.path().join("blobs"), vault).await.unwrap();
        let names = Arc::new(Table::default());
        names.change(|names| {
            let mx = |preference, host: &str| Mx { preference, host: host.into() };
            names.mx.insert(DOMAIN.into(), signed(DOMAIN, vec![mx(10, POSTA), mx(20, YEDEK)]));
            for host in [POSTA, YEDEK] {
                let address = vec!["192.0.2.6".parse().unwrap()];
                names.addresses.insert(host.into(), signed(host, address));
                names.tlsa.insert(at(host), signed(host, vec![tlsa(3)]));
            }
        });
        let dns = Dns::of_table(Arc::clone(&names));
        let authority = CertificateAuthority::create("Kamu", KeyKind::P256, now()).unwrap();
        let authorities = place.path().join("authorities.pem");
        std::fs::write(&authorities, authority.certificate().pem()).unwrap();
        let settings = PolicySettings { port: 443, timeout: Duration::from_secs(60), authorities };
        let policies = Policies::new(store.clone(), dns.clone(), settings);
        Self { routes: Routes::new(dns, policies, 25), names, store, place }
    }

    async fn find(&self, route: &str, tls: PeerTls) -> Result<Found, NoWay> {
        let (domain, route) = (KepDomain::parse(DOMAIN).unwrap(), Route::parse(route).unwrap());
        self.routes.find(&Way { domain, route, tls }, now()).await
    }

    /// The hosts that may be tried; else why not.
    async fn hosts(&self, route: &str, tls: PeerTls) -> Vec<String> {
        match self.find(route, tls).await {
            Ok(found) => found.servers.into_iter().map(|server| server.host).collect(),
            Err(why) => vec![why.to_string()],
        }
    }

    async fn keep(&self, mode: Mode, mx: &[&str]) {
        let mx = mx.iter().map(|host| (*host).to_owned()).collect();
        let policy = Policy { mode, mx, max_age: 604_800 };
        let kept = Kept { id: "a1".into(), policy, fetched_at: now() };
        let work = move |tx: &mut Tx<'_>| rows::put(tx, DOMAIN, &kept);
        self.store.write(Lane::Client, work).await.unwrap();
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn at(host: &str) -> String {
    format!("_25._tcp.{host}")
}

fn tlsa(usage: u8) -> Tlsa {
    Tlsa { usage, selector: 1, matching: 1, data: vec![7; 32] }
}

fn pins() -> PeerTls {
    PeerTls::Registered(PeerTrust::Pins(vec![sha256(b"")]))
}

fn issuers() -> PeerTls {
    PeerTls::Registered(PeerTrust::Issuers(Vec::new()))
}

#[tokio::test]
async fn exchangers_are_tried_by_preference_each_by_its_own_records() {
    let world = World::new().await;
    let found = world.find("mx", PeerTls::Dane).await.unwrap();
    assert_eq!((found.servers.len(), found.signed), (2, Some(true)));
    let first = &found.servers[0];
    assert_eq!((first.host.as_str(), first.port), (POSTA, 25));
    let PeerTrust::Dane(dane) = &first.trust else { panic!("{first:?}") };
    assert_eq!((dane.records.len(), dane.names.clone()), (1, vec![POSTA.into(), DOMAIN.into()]));
    // One that can't be proven gets nothing; the other one does.
    world.names.change(|names| _ = names.tlsa.remove(&at(POSTA)));
    let found = world.find("mx", PeerTls::Dane).await.unwrap();
    assert_eq!(found.servers[0].host, YEDEK);
    assert_eq!(found.passed_over, [(POSTA.into(), NoWay::NoTlsa(POSTA.into(), 25))]);
}

#[tokio::test]
async fn dane_without_a_secure_answer_is_no_way() {
    let world = World::new().await;
    let tried = async || world.hosts("posta.hs06.kep.tr", PeerTls::Dane).await;
    assert_eq!(tried().await, [POSTA]);
    world.names.change(|names| _ = names.tlsa.insert(at(POSTA), unsigned(POSTA, vec![tlsa(3)])));
    let why = "DANE: the TLSA records of posta.hs06.kep.tr are not signed (DNSSEC)";
    assert_eq!(tried().await, [why]);
    world.names.change(|names| _ = names.tlsa.insert(at(POSTA), signed(POSTA, vec![tlsa(1)])));
    let why = "DANE: no TLSA record at _25._tcp.posta.hs06.kep.tr is of use to mail";
    assert_eq!(tried().await, [why]);
    world.names.change(|names| _ = names.tlsa.insert(at(POSTA), silent(POSTA)));
    assert!(tried().await[0].contains("does not answer"));
    world.names.change(|names| {
        let bogus = Err(DnsFault::Bogus { name: POSTA.into() });
        names.tlsa.insert(at(POSTA), bogus);
    });
    assert!(tried().await[0].contains("not signed as its zone is"));
    world.names.change(|names| {
        names.tlsa.insert(at(POSTA), signed(POSTA, vec![tlsa(3)]));
        let address = vec!["192.0.2.6".parse().unwrap()];
        names.addresses.insert(POSTA.into(), unsigned(POSTA, address));
    });
    let why = "DANE: the addresses of posta.hs06.kep.tr are not signed (DNSSEC)";
    assert_eq!(tried().await, [why]);
    assert!(world.hosts("192.0.2.6:25", PeerTls::Dane).await[0].contains("is an address"));
    // Unsigned exchangers lead nowhere, however well their hosts are signed.
    world.names.change(|names| {
        let mx = vec![Mx { preference: 0, host: YEDEK.into() }];
        names.mx.insert(DOMAIN.into(), unsigned(DOMAIN, mx));
    });
    let why = "DANE: the MX of hs06.kep.tr are not signed (DNSSEC)";
    assert_eq!(world.hosts("mx", PeerTls::Dane).await, [why]);
}

#[tokio::test]
async fn records_are_looked_for_where_an_alias_leads_and_then_where_it_stands() {
    let world = World::new().await;
    world.names.change(|names| {
        let address = vec!["192.0.2.6".parse().unwrap()];
        names.addresses.insert(POSTA.into(), signed("ev.example", address));
        names.tlsa.insert(at("ev.example"), signed("ev.example", vec![tlsa(3)]));
    });
    assert_eq!(world.hosts("posta.hs06.kep.tr", PeerTls::Dane).await, ["ev.example"]);
    world.names.change(|names| _ = names.tlsa.remove(&at("ev.example")));
    assert_eq!(world.hosts("posta.hs06.kep.tr", PeerTls::Dane).await, [POSTA]);
}

#[tokio::test]
async fn a_domain_without_exchangers_is_one_itself_and_a_null_one_takes_no_mail() {
    let world = World::new().await;
    world.names.change(|names| {
        names.mx.insert(DOMAIN.into(), signed(DOMAIN, Vec::new()));
        let address = vec!["192.0.2.6".parse().unwrap()];
        names.addresses.insert(DOMAIN.into(), signed(DOMAIN, address));
    });
    assert_eq!(world.hosts("mx", pins()).await, [DOMAIN]);
    assert_eq!(world.hosts("mx", issuers()).await, [DOMAIN]);
    let null = || vec![Mx { preference: 0, host: String::new() }];
    world.names.change(|names| _ = names.mx.insert(DOMAIN.into(), signed(DOMAIN, null())));
    let why = world.find("mx", pins()).await.unwrap_err();
    assert_eq!(why, NoWay::NoMail(DOMAIN.into(), true));
    // Anybody may have said that.
    world.names.change(|names| _ = names.mx.insert(DOMAIN.into(), unsigned(DOMAIN, null())));
    let why = world.find("mx", PeerTls::Dane).await.unwrap_err();
    assert_eq!(why, NoWay::Unsigned(DOMAIN.into(), "MX"));
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_from_a_service_that_is_silent() {
    let world = World::new().await;
    world.names.change(|names| _ = names.mx.remove(DOMAIN));
    let why = world.find("mx", pins()).await.unwrap_err();
    assert_eq!((why.word(), why.trouble()), ("no-such-name", Trouble::NotIdentified));
    world.names.change(|names| _ = names.mx.insert(DOMAIN.into(), silent(DOMAIN)));
    let why = world.find("mx", pins()).await.unwrap_err();
    assert_eq!((why.word(), why.trouble()), ("dns-silent", Trouble::Unreachable));
}

#[tokio::test]
async fn who_forges_exchangers_leads_to_no_other_domain_under_the_same_issuer() {
    let world = World::new().await;
    assert_eq!(world.hosts("mx", issuers()).await, [POSTA, YEDEK], "they are signed");
    world.names.change(|names| {
        let mx = |preference, host: &str| Mx { preference, host: host.into() };
        let all = vec![mx(0, YEDEK), mx(10, POSTA), mx(20, "evilhs06.kep.tr")];
        names.mx.insert(DOMAIN.into(), unsigned(DOMAIN, all));
    });
    let found = world.find("mx", issuers()).await.unwrap();
    assert_eq!(found.servers.len(), 1);
    assert_eq!(found.servers[0].host, POSTA);
    assert_eq!(found.passed_over[0].1.word(), "mx-outside");
    assert_eq!(found.passed_over[1].1.word(), "mx-outside");
    assert_eq!(world.hosts("mx", pins()).await.len(), 2, "a key is known wherever it is");
}

#[tokio::test]
async fn a_policy_says_which_exchangers_may_be_tried_and_is_kept() {
    let world = World::new().await;
    let why = world.find("mx", PeerTls::MtaSts).await.unwrap_err();
    assert_eq!(why, NoWay::NoPolicy(DOMAIN.into()));
    // Its record is hidden from us, and it holds all the same.
    world.keep(Mode::Enforce, &["*.hs06.kep.tr"]).await;
    let found = world.find("mx", PeerTls::MtaSts).await.unwrap();
    assert_eq!(found.servers.len(), 1);
    assert_eq!(found.servers[0].host, POSTA);
    assert!(matches!(&found.servers[0].trust, PeerTrust::Issuers(all) if all.len() == 1));
    assert_eq!(found.passed_over[0].1.word(), "mta-sts-not-allowed");
    world.names.change(|names| {
        names.texts.insert(format!("_mta-sts.{DOMAIN}"), silent(DOMAIN));
    });
    assert_eq!(world.hosts("mx", PeerTls::MtaSts).await, [POSTA]);
    // A new one that can't be had leaves the old one in force.
    world.names.change(|names| {
        let text = vec![b"v=STSv1; id=b2;".to_vec()];
        names.texts.insert(format!("_mta-sts.{DOMAIN}"), unsigned(DOMAIN, text));
    });
    assert_eq!(world.hosts("mx", PeerTls::MtaSts).await, [POSTA]);
    for (mode, says) in [(Mode::Testing, "says testing"), (Mode::None, "says none")] {
        world.keep(mode, &["*.hs06.kep.tr"]).await;
        let why = world.hosts("mx", PeerTls::MtaSts).await;
        assert!(why[0].contains(says), "{why:?}");
    }
    world.keep(Mode::Enforce, &["baska.example"]).await;
    let why = world.find("mx", PeerTls::MtaSts).await.unwrap_err();
    assert_eq!(why.word(), "mta-sts-not-allowed");
    drop(world.place);
}
