use super::*;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links};
use crate::trust::serve::{Development, Register};
use crate::trust::testing::{self, NOW};
use crate::trust::tsa::Authority;
use crate::trust::{
    Anchors, OnUnknown, Revocation, RevocationSettings, Role, StampSettings, StampSource,
    TokenVerifier,
};
use crate::wire::Timestamp;

/// A seal and an authority of time stamps, both in registers that can take certificates back.
struct World {
    development: Arc<Development>,
    stamps: Arc<Authority>,
    seal: Path,
    stamper_serial: String,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let register = |name: &str| Register {
            name: name.to_owned(),
            authority: testing::authority(name),
            file: dir.path().join(name),
        };
        let registers = vec![register("seal"), register("tsa")];
        let unused = testing::stamper(&registers[1].authority).signer().unwrap();
        let (stamps, clock) = (Authority::new(Arc::new(unused)), Clock::Fixed(NOW));
        let development = Arc::new(Development { stamps, registers, clock });
        let url = testing::serve(Arc::clone(&development)).await;
        let issue = |at: usize, profile| {
            let register = &development.registers[at];
            let crl = Some(format!("{url}/crl/{}.crl", register.name));
            let links = Links { crl, ocsp: None };
            register.authority.issue(&profile, KeyKind::P256, &links, NOW).unwrap()
        };
        let stamper = issue(1, crate::trust::pki::Profile::TimeStamp { name: "ZDS".into() });
        let seal = issue(0, testing::seal_profile());
        let anchors = anchors(&development.registers[0].authority);
        Self {
            seal: anchors.path(seal.certificate(), &[], Role::Seal).unwrap(),
            stamps: Arc::new(Authority::new(Arc::new(stamper.signer().unwrap()))),
            stamper_serial: stamper.certificate().serial().to_owned(),
            development,
            _dir: dir,
        }
    }

    /// As a server that starts at that time, whose authority of time stamps is as late as `apart`.
    async fn ready(&self, now: Timestamp) -> (Readiness, Arc<Stamper>) {
        let settings =
            RevocationSettings { on_unknown: OnUnknown::Accept, ..RevocationSettings::default() };
        let (revocation, clock) = (Revocation::new(settings).unwrap(), Clock::Fixed(now));
        let collector = Arc::new(Collector::new(revocation, Clock::Fixed(NOW)));
        let verifier =
            TokenVerifier::new(anchors(&self.development.registers[1].authority), vec![]);
        let source = StampSource::Embedded(Arc::clone(&self.stamps), clock.clone());
        let settings = StampSettings::default();
        let stamper = Stamper::new(source, verifier, clock.clone(), &settings).unwrap();
        let stamper = Arc::new(stamper);
        let (path, stamps) = (self.seal.clone(), Arc::clone(&stamper));
        let readiness = Readiness::new(path, stamps, Some(Arc::clone(&collector)), clock);
        collector.round().await;
        (readiness, stamper)
    }

    fn revoke(&self, register: usize, serial: &str) {
        self.development.registers[register].revoke(serial, NOW.plus_secs(-60)).unwrap();
    }
}

fn anchors(authority: &CertificateAuthority) -> Anchors {
    Anchors::new(vec![authority.certificate().clone()]).unwrap()
}

#[tokio::test]
async fn a_seal_in_force_is_ready_and_an_expired_one_is_not() {
    let world = World::new().await;
    assert_eq!(world.ready(NOW).await.0.check(), Ok(()));
    let end = world.seal.certificate().unwrap().not_after();
    assert_eq!(world.ready(end).await.0.check(), Ok(()));
    let after = world.ready(end.plus_secs(1)).await.0.check();
    assert!(matches!(after, Err(Unready::Seal(PathFault::Expired { .. }))), "{after:?}");
}

#[tokio::test]
async fn a_seal_that_was_taken_back_seals_nothing() {
    let world = World::new().await;
    world.revoke(0, world.seal.certificate().unwrap().serial());
    let unready = world.ready(NOW).await.0.check();
    assert!(matches!(unready, Err(Unready::Revoked(RevocationFault::Revoked { .. }))));
}

#[tokio::test]
async fn the_first_token_brings_what_is_known_of_its_authority() {
    let world = World::new().await;
    let (readiness, stamper) = world.ready(NOW).await;
    let token = stamper.stamp(b"content").await.unwrap();
    let known = readiness.accept(&token).await.unwrap();
    // The lists of both registers, two certificates and their roots.
    assert_eq!((known.crls().count(), known.certificates.len()), (2, 4));
}

#[tokio::test]
async fn tokens_of_an_authority_that_was_taken_back_are_not_accepted() {
    let world = World::new().await;
    world.revoke(1, &world.stamper_serial);
    let (readiness, stamper) = world.ready(NOW).await;
    let token = stamper.stamp(b"content").await.unwrap();
    let refused = readiness.accept(&token).await;
    assert!(matches!(refused, Err(Unready::Revoked(RevocationFault::Revoked { .. }))));
}

/// Asks over HTTP an authority whose clock stands at NOW.
async fn over_http(world: &World, clock: &Clock) -> Readiness {
    let (anchored, _) = world.ready(NOW).await;
    let url = testing::serve(Arc::clone(&world.development)).await;
    let verifier = TokenVerifier::new(anchors(&world.development.registers[1].authority), vec![]);
    let source = StampSource::Http { url };
    let stamper = Stamper::new(source, verifier, clock.clone(), &StampSettings::default()).unwrap();
    let (seal, collector) = (world.seal.clone(), anchored.collector.clone());
    Readiness::new(seal, Arc::new(stamper), collector, Clock::Fixed(NOW))
}

#[tokio::test]
async fn a_probe_sees_that_the_clocks_are_apart_and_that_they_agree_again() {
    let (world, clock) = (World::new().await, Clock::moved(0));
    let readiness = over_http(&world, &clock).await;
    readiness.probe().await;
    assert!(matches!(readiness.check(), Err(Unready::Clock { millis }) if millis > 60_000));
    assert!(clock.advance(NOW.millis() - clock.now().millis()));
    readiness.probe().await;
    assert_eq!(readiness.check(), Ok(()));
}

#[tokio::test]
async fn it_looks_by_itself_and_again_until_the_clock_is_right() {
    let (world, clock) = (World::new().await, Clock::moved(0));
    let readiness = Arc::new(over_http(&world, &clock).await);
    let (tell, stop) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&readiness).run(Duration::from_millis(1), stop));
    let until = async |ready: bool| {
        while readiness.check().is_ok() != ready {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, until(false)).await.expect("sees that it is wrong");
    // Put back, as a wrong clock is.
    assert!(clock.advance(NOW.millis() - clock.now().millis()));
    tokio::time::timeout(patience, until(true)).await.expect("sees that it is right");
    tell.send(true).unwrap();
    running.await.unwrap();
}
