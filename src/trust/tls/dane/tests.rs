use super::*;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::Duration;

const NAME: &str = "posta.hs06.kep.tr";
/// 2026-11-28.
const NOW: i64 = 1_795_824_000;

struct World {
    leaf: Vec<u8>,
    issuer: Vec<u8>,
    other: Vec<u8>,
    /// Of the same issuer, ended long ago.
    ended: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let now = Timestamp::from_secs(NOW);
    let authority = CertificateAuthority::create("TLS Kök", KeyKind::P256, now).unwrap();
    let other = CertificateAuthority::create("Başka", KeyKind::P256, now).unwrap();
    let issued = |at: Timestamp| {
        let profile = Profile::TlsServer { names: vec![NAME.into()], addresses: Vec::new() };
        let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), at).unwrap();
        issued.certificate().der().to_vec()
    };
    World {
        leaf: issued(now),
        issuer: authority.certificate().der().to_vec(),
        other: other.certificate().der().to_vec(),
        ended: issued(Timestamp::from_secs(NOW - 20 * 365 * 86_400)),
    }
});

fn key(der: &[u8]) -> Vec<u8> {
    let der = CertificateDer::from(der);
    ParsedCertificate::try_from(&der).unwrap().subject_public_key_info().to_vec()
}

/// `3 1 1` and the like, of a certificate.
fn record(form: &str, of: &[u8]) -> Tlsa {
    let digits: Vec<u8> = form.split(' ').map(|digit| digit.parse().unwrap()).collect();
    let selected = if digits[1] == 0 { of.to_vec() } else { key(of) };
    let data = match digits[2] {
        1 => sha256(&selected).0.to_vec(),
        2 => sha512(&selected).to_vec(),
        _ => selected,
    };
    Tlsa { usage: digits[0], selector: digits[1], matching: digits[2], data }
}

fn check(records: Vec<Tlsa>, chain: &[&[u8]], name: &str) -> Result<(), DaneFault> {
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    Dane { records, names: vec![name.to_owned()] }.check(&chain[0], &chain[1..], now)
}

#[test]
fn each_usage_selector_and_matching_type_is_told_right_from_wrong() {
    let world = &*WORLD;
    let chain = [&world.leaf[..], &world.issuer];
    for selector in 0..=1 {
        for matching in 0..=2 {
            let own = format!("3 {selector} {matching}");
            assert_eq!(check(vec![record(&own, &world.leaf)], &chain, NAME), Ok(()), "{own}");
            let wrong = check(vec![record(&own, &world.other)], &chain, NAME);
            assert_eq!(wrong, Err(DaneFault::Other), "{own}");
            let of_issuer = check(vec![record(&own, &world.issuer)], &chain, NAME);
            assert_eq!(of_issuer, Err(DaneFault::Other), "{own} is of the server alone");
            let anchor = format!("2 {selector} {matching}");
            assert_eq!(
                check(vec![record(&anchor, &world.issuer)], &chain, NAME),
                Ok(()),
                "{anchor}"
            );
            let wrong = check(vec![record(&anchor, &world.other)], &chain, NAME);
            assert!(wrong.is_err(), "{anchor}");
            let of_leaf = check(vec![record(&anchor, &world.leaf)], &chain, NAME);
            assert_eq!(of_leaf, Err(DaneFault::Other), "{anchor} is of an issuer");
        }
    }
}

#[test]
fn a_servers_own_certificate_may_be_ended_and_bear_another_name() {
    let world = &*WORLD;
    let ended = [&world.ended[..], &world.issuer];
    assert_eq!(check(vec![record("3 1 1", &world.ended)], &ended, "evil.example"), Ok(()));
    let under = check(vec![record("2 0 1", &world.issuer)], &ended, NAME);
    assert!(matches!(under, Err(DaneFault::Path(_))), "{under:?}");
    let good = [&world.leaf[..], &world.issuer];
    let under = check(vec![record("2 0 1", &world.issuer)], &good, "evil.example");
    assert_eq!(under, Err(DaneFault::Name("evil.example".into())));
}

#[test]
fn an_issuer_need_not_be_shown_when_the_record_holds_it() {
    let world = &*WORLD;
    let bare = [&world.leaf[..]];
    assert_eq!(check(vec![record("2 0 0", &world.issuer)], &bare, NAME), Ok(()));
    let digest = check(vec![record("2 0 1", &world.issuer)], &bare, NAME);
    assert_eq!(digest, Err(DaneFault::Other));
    // An issuer that is shown without having issued it proves nothing.
    let beside = [&world.leaf[..], &world.other];
    let wrong = check(vec![record("2 0 1", &world.other)], &beside, NAME);
    assert!(matches!(wrong, Err(DaneFault::Path(_))), "{wrong:?}");
}

#[test]
fn one_good_record_is_enough_and_useless_ones_are_none() {
    let world = &*WORLD;
    let chain = [&world.leaf[..], &world.issuer];
    let good = record("3 1 1", &world.leaf);
    let roll = vec![record("3 1 1", &world.other), good.clone()];
    assert_eq!(check(roll, &chain, NAME), Ok(()), "the next key is there before it is used");
    let mut public = record("3 1 1", &world.leaf);
    public.usage = 1;
    assert_eq!(check(vec![public.clone()], &chain, NAME), Err(DaneFault::Unusable));
    assert_eq!(check(Vec::new(), &chain, NAME), Err(DaneFault::Unusable));
    assert_eq!(check(vec![public, good], &chain, NAME), Ok(()));
    // A weak digest that fits does not help where a strong one does not.
    let outdone = vec![record("3 1 1", &world.leaf), record("3 1 2", &world.other)];
    assert_eq!(check(outdone, &chain, NAME), Err(DaneFault::Other));
}

#[test]
fn our_own_record_is_one_that_finds_us() {
    let world = &*WORLD;
    let certificate = Certificate::from_der(&world.leaf).unwrap();
    let own = record_of(&certificate).unwrap();
    assert_eq!(own, record("3 1 1", &world.leaf));
    // The pin that people make of a key is the same digest.
    assert_eq!(own.data, certificate.key_digest().unwrap().0);
    assert_eq!(check(vec![own], &[&world.leaf], "x"), Ok(()));
}

#[test]
fn what_is_shown_is_told_record_by_record() {
    let world = &*WORLD;
    let chain = [world.leaf.clone(), world.issuer.clone()];
    for (record, shown) in [
        (record("3 1 1", &world.leaf), true),
        (record("3 1 1", &world.issuer), false),
        (record("2 1 1", &world.issuer), true),
        (record("2 1 1", &world.leaf), false),
        (record("1 1 1", &world.leaf), false),
    ] {
        assert_eq!(is_shown(&record, &chain), shown, "{record}");
    }
    assert!(!is_shown(&record("3 1 1", &world.leaf), &[]));
}

proptest! {
    #[test]
    fn invariant_10_no_record_and_no_certificate_is_believed_by_chance(
        usage: u8, selector in 0_u8..3, matching in 0_u8..4, data in prop::collection::vec(any::<u8>(), 0..80),
        shown in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let world = &*WORLD;
        let wrong = Tlsa { usage, selector, matching, data };
        prop_assert!(check(vec![wrong.clone()], &[&world.leaf, &world.issuer], NAME).is_err());
        // What is no certificate matches at most as octets.
        let whole = wrong.matching == 0 && wrong.data == shown;
        prop_assert!(check(vec![wrong], &[&shown], NAME).is_err() || whole);
        prop_assert!(check(vec![record("3 1 1", &world.leaf)], &[&shown], NAME).is_err());
    }
}
