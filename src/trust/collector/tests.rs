use super::*;
use crate::trust::pki::{KeyKind, Links, Profile};
use crate::trust::testing::{self, NOW};
use crate::trust::{Anchors, Lists, OnUnknown, RevocationSettings, Role, Status};

fn revocation() -> Revocation {
    let settings =
        RevocationSettings { on_unknown: OnUnknown::Accept, ..RevocationSettings::default() };
    Revocation::new(settings).unwrap()
}

fn path(authority: &crate::trust::pki::CertificateAuthority, links: &Links) -> Path {
    let profile = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
    let issued = authority.issue(&profile, KeyKind::P256, links, NOW).unwrap();
    let anchors = Anchors::new(vec![authority.certificate().clone()]).unwrap();
    anchors.path(issued.certificate(), &[], Role::User).unwrap()
}

#[tokio::test]
async fn what_was_said_is_at_hand_without_asking_and_tells_of_a_revocation_too() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let register = &development.registers[0];
    let links = Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None };
    let path = path(&register.authority, &links);
    for since in [None, Some(NOW.plus_secs(-60))] {
        if let Some(since) = since {
            register.revoke(path.certificates()[0].serial(), since).unwrap();
        }
        let collector = Collector::new(revocation(), Clock::Fixed(NOW));
        assert!(collector.round().await, "nobody to ask about");
        collector.watch(&path);
        collector.watch(&path);
        assert_eq!(collector.known().crls().count(), 0);
        assert!(collector.round().await);
        let known = collector.known();
        assert_eq!((known.crls().count(), known.certificates.len()), (1, 2));
        assert_eq!(known.check(&path, NOW).is_err(), since.is_some());
        assert!(known.check(&path, NOW.plus_secs(-3_600)).is_ok(), "not taken back then");
        let mut lists = Lists::default();
        lists.add_crl(known.crls().next().unwrap().to_vec()).unwrap();
        let expected = match since {
            None => Status::Good,
            Some(at) => Status::Revoked { at, retired: false },
        };
        assert_eq!(lists.about(&path, NOW)[0].status, expected);
    }
}

#[tokio::test]
async fn a_silent_authority_holds_nothing_up() {
    let dead = Links { crl: Some("http://127.0.0.1:1/crl".into()), ocsp: None };
    let path = path(&testing::authority("Kök"), &dead);
    let collector = Collector::new(revocation(), Clock::Fixed(NOW));
    collector.watch(&path);
    assert!(!collector.round().await);
    assert_eq!(collector.known().crls().count() + collector.known().answers().count(), 0);
}

#[tokio::test]
async fn it_asks_as_soon_as_there_is_more_to_ask_and_ends_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let links = Links { crl: None, ocsp: Some(format!("{url}/ocsp/user")) };
    let path = path(&development.registers[0].authority, &links);
    let collector = Arc::new(Collector::new(revocation(), Clock::Fixed(NOW)));
    let (tell, stop) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&collector).run(stop));
    collector.watch(&path);
    while collector.known().answers().next().is_none() {
        tokio::task::yield_now().await;
    }
    tell.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn an_outage_takes_nothing_away_of_what_was_said_before() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let register = &development.registers[0];
    let links = Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None };
    let path = path(&register.authority, &links);
    register.revoke(path.certificates()[0].serial(), NOW).unwrap();
    let collector = Collector::new(revocation(), Clock::Fixed(NOW));
    assert!(collector.watch(&path) && !collector.watch(&path));
    assert!(collector.round().await);
    // The register's list holds for an hour and is of a fixed day: a week later none is good.
    let collector = Collector { clock: Clock::Fixed(NOW.plus_secs(7 * 86_400)), ..collector };
    collector.revocation.forget();
    assert!(!collector.round().await);
    assert_eq!(collector.known().crls().count(), 1);
    assert!(collector.known().check(&path, NOW.plus_secs(7 * 86_400)).is_err());
}
