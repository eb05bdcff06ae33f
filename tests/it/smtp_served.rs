//! What only sockets show of submission: how many there may be, how long they may take, and how long
//! the answer to a wrong password takes.
#![allow(clippy::disallowed_methods, reason = "measures with the machine's own clock")]

use crate::imap_served::{Keys, store};
use crate::wire::Wire;
use data_encoding::BASE64;
use kep::accept::Rejections;
use kep::accept::ask::Config;
use kep::accept::check::Limits;
use kep::accept::run::Desk;
use kep::accept::serve::{Begin, Behind, Manners, Service, serve};
use kep::registry::Provider;
use kep::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
use kep::registry::app_passwords::{self, NewPassword, Scope, Scopes};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::crowd::Crowd;
use kep::registry::login::{Logins, Pauses};
use kep::registry::places::Places;
use kep::registry::terms::{self, Terms};
use kep::store::{Store, submissions};
use kep::trust::password::{self, Passwords};
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::tsa::Authority;
use kep::trust::{
    Anchors, Clock, Readiness, Role, StampSettings, StampSource, Stamper, TokenVerifier, UserTrust,
};
use kep::wire::{KepAddress, KepDomain, MessageId};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

const ALI: &str = "ali@hs05.kep.tr";
const PASSWORD: &str = "gizli bir soz";

/// A submission server on a free port.
struct Served {
    port: u16,
    begin: Begin,
    store: Store,
    keys: Keys,
    _dir: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

impl Served {
    async fn open(begin: Begin, manners: Manners, first_pause: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (keys, store) = (Keys::make(), store(dir.path()).await);
        account(&store).await;
        let tls = Arc::clone(&keys.tls);
        let submission = Arc::new(Service {
            behind: Behind::Submission {
                desk: Arc::new(desk(store.clone())),
                pauses: Arc::new(Pauses::new(first_pause)),
                places: Arc::new(Places::new(store.clone())),
            },
            config: watch::channel(Arc::new(Config::new("hs05.kep.tr", 1 << 20))).1,
            crowd: Crowd::new(manners.connections, manners.per_address),
            manners,
            tls: Arc::new(move || tls.current(Duration::ZERO)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, begin, submission, stopped));
        Self { port, begin, store, keys, _dir: dir, _stop: stop }
    }

    fn wire(&self) -> Wire {
        Wire::open(self.port, self.begin == Begin::Tls, Arc::clone(&self.keys.trust))
    }

    /// A connection that was greeted and has said EHLO.
    fn greeted(&self) -> Wire {
        let mut wire = self.wire();
        assert_eq!(code(&mut wire), "220");
        wire.send(b"EHLO x\r\n");
        assert_eq!(code(&mut wire), "250");
        wire
    }
}

async fn account(store: &Store) {
    let new = NewAccount {
        address: KepAddress::parse(ALI).unwrap(),
        name: "Ali".into(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Optional,
        password: password::hash(&PASSWORD.to_owned().into()).unwrap(),
        certificates: Vec::new(),
        at: Clock::System.now(),
    };
    accounts::add(store, &domain(), new).await.unwrap();
}

fn domain() -> KepDomain {
    KepDomain::parse("hs05.kep.tr").unwrap()
}

fn desk(store: Store) -> Desk {
    let authority = CertificateAuthority::create("Users", KeyKind::P256, Clock::System.now());
    let anchors = Anchors::new(vec![authority.unwrap().certificate().clone()]).unwrap();
    let logins = Logins::new(store.clone(), Passwords::new(2).unwrap(), domain());
    let provider = Provider {
        domain: domain(),
        name: "Deneme".into(),
        street: None,
        postal_code: None,
        locality: "Ankara".into(),
        country: "TR".into(),
        policy_uris: Vec::new(),
        portal_url: None,
        texts: kep::registry::Texts::default(),
    };
    let users = Arc::new(UserTrust::new(anchors, Vec::new(), None));
    Desk::new(
        store,
        provider,
        Arc::new(logins),
        users,
        Arc::new(ready()),
        Clock::System,
        Limits::default(),
        100,
        Rejections::new(20),
        None,
        4 << 20,
    )
}

/// A seal and a time-stamp authority, both as good as new.
fn ready() -> Readiness {
    let now = Clock::System.now();
    let (kind, links) = (KeyKind::P256, Links::default());
    let root = CertificateAuthority::create("Root", kind, now).unwrap();
    let anchors = || Anchors::new(vec![root.certificate().clone()]).unwrap();
    let seal =
        Profile::Seal { domain: domain().to_string(), email: "kepservisi@hs05.kep.tr".into() };
    let seal = root.issue(&seal, kind, &links, now).unwrap();
    let path = anchors().path(seal.certificate(), &[], Role::Seal).unwrap();
    let stamps = root.issue(&Profile::TimeStamp { name: "ZD".into() }, kind, &links, now).unwrap();
    let stamps = Authority::new(Arc::new(stamps.signer().unwrap()));
    let source = StampSource::Embedded(Arc::new(stamps), Clock::System);
    let verifier = TokenVerifier::new(anchors(), Vec::new());
    let stamper = Stamper::new(source, verifier, Clock::System, &StampSettings::default());
    Readiness::new(path, Arc::new(stamper.unwrap()), None, Clock::System)
}

fn patient() -> Manners {
    let long = Duration::from_secs(60);
    Manners { command: long, data: long, session: long, connections: 8, per_address: 8 }
}

/// The code of the next reply, all of whose lines are read.
fn code(wire: &mut Wire) -> String {
    loop {
        let line = String::from_utf8(wire.line().unwrap().expect("it goes on")).unwrap();
        if line.as_bytes().get(3) == Some(&b' ') {
            return line[..3].to_owned();
        }
    }
}

fn log_in(wire: &mut Wire, secret: &str) -> (String, Duration) {
    let response = BASE64.encode(format!("\0{ALI}\0{secret}").as_bytes());
    let since = Instant::now();
    wire.send(format!("AUTH PLAIN {response}\r\n").as_bytes());
    (code(wire), since.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notify_and_orcpt_are_kept_for_the_relay() {
    let served = Served::open(Begin::Tls, patient(), Duration::ZERO).await;
    let id = tokio::task::block_in_place(|| {
        let mut wire = served.greeted();
        assert_eq!(log_in(&mut wire, PASSWORD).0, "235");
        wire.send(format!("MAIL FROM:<{ALI}> RET=HDRS\r\n").as_bytes());
        let rcpt = "NOTIFY=FAILURE,DELAY ORCPT=x400;/S+3Dali/";
        wire.send(format!("RCPT TO:<{ALI}> {rcpt}\r\nDATA\r\n").as_bytes());
        assert_eq!([code(&mut wire), code(&mut wire), code(&mut wire)], ["250", "250", "354"]);
        wire.send(format!("From: {ALI}\r\nTo: {ALI}\r\n\r\nx\r\n.\r\n").as_bytes());
        let line = String::from_utf8(wire.line().unwrap().unwrap()).unwrap();
        MessageId::parse(line.strip_prefix("250 2.0.0 ").unwrap()).unwrap()
    });
    let found = served.store.read(move |tx| submissions::find(tx, &id)).await.unwrap().unwrap();
    let said = &found.details.dsn[&1];
    assert_eq!(said.notify.as_deref(), Some("FAILURE,DELAY"));
    assert_eq!(said.orcpt.as_deref(), Some("x400;/S+3Dali/"));
    assert_eq!(found.details.ret.as_deref(), Some("HDRS"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_its_share_of_connections() {
    let manners = Manners { per_address: 2, ..patient() };
    let served = Served::open(Begin::Clear, manners, Duration::ZERO).await;
    tokio::task::block_in_place(|| {
        let (one, _two) = (served.greeted(), served.greeted());
        let mut third = served.wire();
        assert_eq!(code(&mut third), "421");
        assert_eq!(third.line(), Ok(None));
        drop(one);
        // The server has to notice that the first one is gone.
        let since = Instant::now();
        while code(&mut served.wire()) != "220" {
            assert!(since.elapsed() < Duration::from_secs(30), "its place is never free");
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_nothing_is_sent_away() {
    let silence = Duration::from_millis(300);
    let manners = Manners { command: silence, ..patient() };
    let served = Served::open(Begin::Clear, manners, Duration::ZERO).await;
    tokio::task::block_in_place(|| {
        let mut wire = served.wire();
        assert_eq!(code(&mut wire), "220");
        let since = Instant::now();
        assert_eq!(code(&mut wire), "421");
        assert!(since.elapsed() >= silence / 2, "{:?}", since.elapsed());
        assert_eq!(wire.line(), Ok(None));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_within_a_message_is_sent_away() {
    let manners = Manners { data: Duration::from_millis(300), ..patient() };
    let served = Served::open(Begin::Tls, manners, Duration::ZERO).await;
    tokio::task::block_in_place(|| {
        let mut wire = served.greeted();
        assert_eq!(log_in(&mut wire, PASSWORD).0, "235");
        wire.send(format!("MAIL FROM:<{ALI}>\r\nRCPT TO:<{ALI}>\r\nDATA\r\n").as_bytes());
        assert_eq!([code(&mut wire), code(&mut wire), code(&mut wire)], ["250", "250", "354"]);
        wire.send(b"From: a");
        assert_eq!(code(&mut wire), "421");
        assert_eq!(wire.line(), Ok(None));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_waits_longer_each_time_on_whatever_connection() {
    let first = Duration::from_millis(400);
    let served = Served::open(Begin::Tls, patient(), first).await;
    tokio::task::block_in_place(|| {
        for least in [first, first * 2, first * 4] {
            let (code, took) = log_in(&mut served.greeted(), "yanlis");
            assert_eq!(code, "535");
            assert!(took >= least, "{took:?} instead of {least:?}");
        }
        assert_eq!(log_in(&mut served.greeted(), PASSWORD).0, "235");
    });
}

fn by() -> By {
    let (channel, at) = (Channel::CommandLine, Clock::System.now());
    By { actor: Actor::Staff("ayse".into()), channel, at }
}

/// So many octets may his messages have.
async fn limit(store: &Store, octets: u64) {
    let new = Terms { storage: Some(Some(octets)), ..Terms::default() };
    terms::set(store, &KepAddress::parse(ALI).unwrap(), &new, &by()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_room_is_refused_at_rcpt_or_when_the_message_is_there() {
    let served = Served::open(Begin::Tls, patient(), Duration::ZERO).await;
    limit(&served.store, 100).await;
    let facts = "SELECT COUNT(*) FROM job WHERE name LIKE 'fact/%/refused'";
    tokio::task::block_in_place(|| {
        let mut wire = served.greeted();
        assert_eq!(log_in(&mut wire, PASSWORD).0, "235");
        // It says that it is too large, and nothing is left of it.
        wire.send(format!("MAIL FROM:<{ALI}> SIZE=101\r\nRCPT TO:<{ALI}>\r\n").as_bytes());
        assert_eq!([code(&mut wire), code(&mut wire)], ["250", "552"]);
        wire.send(b"RSET\r\n");
        assert_eq!(code(&mut wire), "250");
    });
    assert_eq!(count(&served.store, facts).await, 0);
    let submit = |size: &str, octets: usize| {
        let mut wire = served.greeted();
        assert_eq!(log_in(&mut wire, PASSWORD).0, "235");
        wire.send(format!("MAIL FROM:<{ALI}>{size}\r\nRCPT TO:<{ALI}>\r\nDATA\r\n").as_bytes());
        assert_eq!([code(&mut wire), code(&mut wire), code(&mut wire)], ["250", "250", "354"]);
        let head = format!("From: {ALI}\r\nTo: {ALI}\r\n\r\n");
        let text = "x".repeat(octets - head.len() - 2);
        wire.send(format!("{head}{text}\r\n.\r\n").as_bytes());
        code(&mut wire)
    };
    // It says nothing, or not the truth.
    tokio::task::block_in_place(|| {
        assert_eq!(submit("", 101), "552");
        assert_eq!(submit(" SIZE=10", 102), "552");
        assert_eq!(submit("", 100), "250");
    });
    assert_eq!(count(&served.store, facts).await, 2, "rejection evidence for both");
    assert_eq!(count(&served.store, "SELECT COUNT(*) FROM submission").await, 1);
    // Full by the first copy of it: the same mail again hears the same, and another one is refused.
    limit(&served.store, 0).await;
    tokio::task::block_in_place(|| {
        assert_eq!(submit("", 100), "250");
        assert_eq!(submit(" SIZE=100", 100), "250");
        assert_eq!(submit("", 103), "552");
    });
    assert_eq!(count(&served.store, facts).await, 3);
    assert_eq!(count(&served.store, "SELECT COUNT(*) FROM submission").await, 1);
    // After a day it is another mail.
    let aged = |tx: &mut kep::store::Tx<'_>| {
        tx.execute("UPDATE submission SET accepted_at = accepted_at - 86400001", &[])
    };
    let aged = served.store.write::<_, kep::store::RowsError, _>(kep::store::Lane::Client, aged);
    assert_eq!(aged.await.unwrap(), 1);
    tokio::task::block_in_place(|| {
        let mut wire = served.greeted();
        assert_eq!(log_in(&mut wire, PASSWORD).0, "235");
        wire.send(format!("MAIL FROM:<{ALI}>\r\nRCPT TO:<{ALI}>\r\n").as_bytes());
        assert_eq!([code(&mut wire), code(&mut wire)], ["250", "552"]);
    });
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    let work = move |tx: &mut kep::store::Tx<'_>| tx.one("count", sql, &[])?.int(0);
    store.read::<_, kep::store::RowsError, _>(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_for_reading_sends_nothing() {
    let served = Served::open(Begin::Tls, patient(), Duration::ZERO).await;
    let (ali, at) = (KepAddress::parse(ALI).unwrap(), Clock::System.now());
    let by = By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at };
    let mut secrets = Vec::new();
    for scope in [Scope::Imap, Scope::Smtp] {
        let scopes = Scopes::new([scope]).unwrap();
        let new = NewPassword { name: "P".into(), opening: None, scopes };
        secrets.push(app_passwords::add(&served.store, &ali, new, &by).await.unwrap().1);
    }
    tokio::task::block_in_place(|| {
        for (secret, expected) in secrets.iter().zip(["535", "235"]) {
            assert_eq!(log_in(&mut served.greeted(), secret.expose_secret()).0, expected);
        }
    });
}
