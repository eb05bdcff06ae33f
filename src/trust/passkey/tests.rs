use super::*;
use authenticator::{Authenticator, Kind};

#[path = "../../../tests/passkeys/mod.rs"]
mod authenticator;

const PORTAL: &str = "https://kep.example/posta";

fn relying() -> Relying {
    Relying::of_portal(PORTAL).unwrap()
}

fn created(json: &str) -> Registration {
    Registration::parse(json).unwrap()
}

fn got(json: &str) -> Assertion {
    Assertion::parse(json).unwrap()
}

#[test]
fn the_portals_address_says_who_asks() {
    let of = |url: &str| Relying::of_portal(url).map(|r| (r.id, r.origin));
    let pair = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
    assert_eq!(of(PORTAL), pair("kep.example", "https://kep.example"));
    assert_eq!(of("https://KEP.example:443/"), pair("kep.example", "https://kep.example"));
    assert_eq!(of("https://kep.example:8443"), pair("kep.example", "https://kep.example:8443"));
    assert_eq!(of("http://localhost:42505/"), pair("localhost", "http://localhost:42505"));
    for bad in ["http://kep.example/", "https://192.0.2.1/", "https://[::1]/", "kep.example", ""] {
        assert_eq!(of(bad), None, "{bad}");
    }
}

#[test]
fn a_passkey_of_each_kind_is_registered_and_proves() {
    for kind in [Kind::Es256, Kind::Rs256, Kind::Ed25519] {
        let relying = relying();
        let mut key = Authenticator::new(kind, relying.origin(), relying.id());
        let asked = challenge();
        let made = relying.register(&asked, &created(&key.create(&asked))).unwrap();
        let asked = challenge();
        let given = got(&key.get(&asked));
        let counted = relying.prove(&asked, &made.key, made.sign_count, &given).unwrap();
        assert!(counted > made.sign_count);
        // The same again: it counts no further.
        let again = relying.prove(&asked, &made.key, counted, &given);
        assert_eq!(again, Err(PasskeyFault::Cloned), "{kind:?}");
        let other = got(&Authenticator::new(kind, relying.origin(), relying.id()).get(&asked));
        let wrong = relying.prove(&asked, &made.key, counted, &other);
        assert_eq!(wrong, Err(PasskeyFault::Signature), "{kind:?}");
    }
}

#[test]
fn one_that_does_not_count_says_nothing_always() {
    let relying = relying();
    let mut key = Authenticator::new(Kind::Es256, relying.origin(), relying.id());
    key.counts = false;
    let asked = challenge();
    let made = relying.register(&asked, &created(&key.create(&asked))).unwrap();
    for _ in 0..2 {
        let asked = challenge();
        assert_eq!(
            relying.prove(&asked, &made.key, made.sign_count, &got(&key.get(&asked))),
            Ok(0)
        );
    }
    let asked = challenge();
    let copied = relying.prove(&asked, &made.key, 3, &got(&key.get(&asked)));
    assert_eq!(copied, Err(PasskeyFault::Cloned));
}

#[test]
fn what_answers_another_site_challenge_or_act_proves_nothing() {
    let relying = relying();
    let asked = challenge();
    let made = |origin: &str, id: &str, verified: bool| {
        let mut key = Authenticator::new(Kind::Es256, origin, id);
        key.verified = verified;
        relying.register(&asked, &created(&key.create(&asked))).map(|_| ())
    };
    let (origin, id) = (relying.origin(), relying.id());
    assert_eq!(made(origin, id, true), Ok(()));
    assert_eq!(made("https://kep.example.attacker.example", id, true), Err(PasskeyFault::Origin));
    assert_eq!(made("http://kep.example", id, true), Err(PasskeyFault::Origin));
    assert_eq!(made(origin, "example", true), Err(PasskeyFault::Origin));
    assert_eq!(made(origin, id, false), Err(PasskeyFault::Unverified));

    let mut key = Authenticator::new(Kind::Es256, origin, id);
    let known = relying.register(&asked, &created(&key.create(&asked))).unwrap();
    let given = got(&key.get(&asked));
    let prove = |challenge: &[u8], given: &Assertion| {
        relying.prove(challenge, &known.key, known.sign_count, given)
    };
    assert_eq!(prove(&challenge(), &given), Err(PasskeyFault::Challenge));
    assert_eq!(prove(&[], &given), Err(PasskeyFault::Challenge));
    let new = created(&key.create(&asked));
    let act = Assertion { client_data: new.client_data, ..given.clone() };
    assert_eq!(prove(&asked, &act), Err(PasskeyFault::Challenge), "of a registration");
    let mut touched = given.clone();
    touched.authenticator_data[33] ^= 1;
    assert_eq!(prove(&asked, &touched), Err(PasskeyFault::Signature));
    let cut = Assertion { authenticator_data: Vec::new(), ..given };
    assert_eq!(prove(&asked, &cut), Err(PasskeyFault::Malformed));
}

#[test]
fn a_key_that_vouches_for_itself_must_be_right_and_one_of_others_is_not_taken() {
    let relying = relying();
    let asked = challenge();
    let mut key = Authenticator::new(Kind::Es256, relying.origin(), relying.id());
    assert!(relying.register(&asked, &created(&key.create_packed(&asked, true))).is_ok());
    let wrong = relying.register(&asked, &created(&key.create_packed(&asked, false)));
    assert_eq!(wrong, Err(PasskeyFault::Signature));
    let mut other = created(&key.create(&asked));
    other.id.push(0);
    assert_eq!(relying.register(&asked, &other), Err(PasskeyFault::Malformed));
}

#[test]
fn weak_and_broken_keys_are_not_taken() {
    let point = CoseKey::Es256 { x: [1; 32], y: [1; 32] };
    assert!(public(&point).is_none(), "not on the curve");
    let small = CoseKey::Rs256 { n: vec![255; 128], e: vec![1, 0, 1] };
    assert!(public(&small).is_none());
    let endless = CoseKey::Rs256 { n: vec![255; 4096], e: vec![1, 0, 1] };
    assert!(public(&endless).is_none());
}
