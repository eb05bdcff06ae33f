use super::*;
use crate::evidence::verify::tests::world::{ALI, AYSE, World};
use crate::trust::Signer;
use crate::trust::pki::Profile;
use crate::wire::rem::{Dialect, MessageDetails, Party};

fn judged(world: &World, mail: &[u8]) -> Result<Sound, Fault> {
    by(world, mail, &[world.seal.certificate().clone()], "hs05.kep.tr")
}

fn by(world: &World, mail: &[u8], seals: &[Certificate], domain: &str) -> Result<Sound, Fault> {
    let (domain, stamps) =
        (KepDomain::parse(domain).unwrap(), [world.stamp_root.certificate().clone()]);
    let known = Known::new(stamps.to_vec());
    let handed = Handed::open(mail, seals.to_vec(), &known)?;
    let believe = Believe { domain: &domain, domains: &[], seals, known: &known };
    handed.judge(&believe, world.now())
}

fn fault(judged: Result<Sound, Fault>) -> Fault {
    match judged {
        Ok(_) => panic!("taken for sound"),
        Err(fault) => fault,
    }
}

/// With another acceptance evidence, all else being right.
fn accepted(world: &World, change: impl FnOnce(&mut Evidence)) -> Vec<u8> {
    let original = world.original();
    let mut evidence = world.evidence(Event::SubmissionAcceptance, &original);
    change(&mut evidence);
    let xml = world.stamped(&evidence);
    world.dispatch_with(&world.seal, &evidence, &xml, &original)
}

#[test]
fn a_dispatch_of_another_provider_is_opened() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    let Ok(Sound::Dispatch(found)) = judged(&world, &mail) else { panic!("no dispatch") };
    assert_eq!((found.id.as_str(), found.sender.as_str()), ("5f2c@hs05.kep.tr", ALI));
    assert_eq!(found.original.octets(&mail), world.original());
    assert_eq!(found.acceptance.evidence.recipients[0].address, AYSE);
    assert_eq!(found.acceptance.stamped_at, world.at);
}

#[test]
fn evidence_of_another_provider_is_opened() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let mail = world.evidence_mail(&evidence, &world.delivered());
    let Ok(Sound::Evidence(found)) = judged(&world, &mail) else { panic!("no evidence") };
    assert_eq!(found.told.len(), 1);
    assert_eq!(found.told[0].evidence.event, Event::Delivery);
    // The certificate is registered: the seal need not bring it.
    let bare = world.bare_evidence_mail(&evidence, &world.delivered());
    assert!(bare.len() < mail.len());
    assert!(matches!(judged(&world, &bare), Ok(Sound::Evidence(_))));
}

/// Each thing that may be wrong, and what is said of it.
#[test]
fn what_another_provider_seals_is_judged_before_it_is_believed() {
    let world = World::new();
    let original = world.original();
    let sound = world.dispatch(&original);

    let report = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
                   --b\r\n\r\nundelivered\r\n--b--\r\n";
    assert!(matches!(fault(judged(&world, report)), Fault::NotRem(_)));
    assert!(matches!(fault(judged(&world, b"")), Fault::NotRem(_)));
    assert!(matches!(fault(judged(&world, &original)), Fault::NotRem(_)), "a user's signed mail");

    // An octet of the original is another one.
    let text = String::from_utf8(sound.clone()).unwrap();
    let touched = text.replacen("Merhaba.", "Merhabo.", 1);
    assert!(matches!(fault(judged(&world, touched.as_bytes())), Fault::Seal(_)));
    // A header field is under no seal; it must say what the evidence says.
    let other =
        text.replacen("X-REM-Message-Identifier: <5f2c@", "X-REM-Message-Identifier: <5f2d@", 1);
    assert_ne!(other, text);
    assert!(matches!(fault(judged(&world, other.as_bytes())), Fault::Evidence(_)));
    // The digest of another message.
    let digest = accepted(&world, |evidence| {
        evidence.message.digest = world.evidence(Event::Delivery, b"other").message.digest;
    });
    assert!(matches!(fault(judged(&world, &digest)), Fault::Original(_)));
    let none = accepted(&world, |evidence| evidence.message.digest = None);
    assert!(matches!(fault(judged(&world, &none)), Fault::Original(_)));
    // Somebody else's sender, or identifier.
    let sender = accepted(&world, |evidence| {
        evidence.sender = Party { address: "ali@hs06.kep.tr".into(), name: None };
    });
    assert!(matches!(fault(judged(&world, &sender)), Fault::Sender(_)));
    let id = accepted(&world, |evidence| {
        evidence.message =
            MessageDetails { message_id: "5f2c@hs06.kep.tr".into(), ..evidence.message.clone() };
    });
    assert!(matches!(fault(judged(&world, &id)), Fault::MessageId(_)));
    // Whom nobody can have meant: evidence and headers would repeat it.
    for address in ["ali", "ali@example.com", "x@hs06.kep.tr\r\nSubject: baska", "x@y\r\nSubject:"]
    {
        let nobody = accepted(&world, |evidence| {
            evidence.recipients.push(Party { address: address.into(), name: None });
        });
        assert!(judged(&world, &nobody).is_err(), "{address:?}");
    }
    // More than anybody may write to: each evidence would name them all.
    let many = accepted(&world, |evidence| {
        let all = 0..1_001;
        let party = |n| Party { address: format!("a{n}@hs06.kep.tr"), name: None };
        evidence.recipients = all.map(party).collect();
    });
    assert!(matches!(fault(judged(&world, &many)), Fault::Evidence(_)));
    // Not of the acceptance; not signed; not stamped.
    let delivered = world.evidence(Event::Delivery, &original);
    let wrong = world.dispatch_with(&world.seal, &delivered, &world.delivered(), &original);
    assert!(matches!(fault(judged(&world, &wrong)), Fault::Evidence(_)));
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let plain = evidence.write(Dialect::Ts102640).unwrap();
    let unsigned = world.dispatch_with(&world.seal, &evidence, plain.as_bytes(), &original);
    assert!(matches!(fault(judged(&world, &unsigned)), Fault::Evidence(_)));
    let xml = world.signed(&world.seal, &plain).unstamped().into_bytes();
    let unstamped = world.dispatch_with(&world.seal, &evidence, &xml, &original);
    assert!(matches!(fault(judged(&world, &unstamped)), Fault::Evidence(_)));
}

/// Roles apart, and never a mere chain.
#[test]
fn invariant_08_only_a_registered_seal_seals() {
    let world = World::new();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let seals = [world.seal.certificate().clone()];
    // Of the same authority, and not registered.
    let profile =
        Profile::Seal { domain: "hs05.kep.tr".into(), email: "kepservisi@hs05.kep.tr".into() };
    let other = world.signer(&world.seal_root, profile);
    let mail = world.dispatch_with(&other, &evidence, &world.stamped(&evidence), &original);
    assert!(matches!(fault(by(&world, &mail, &seals, "hs05.kep.tr")), Fault::Seal(_)));
    // The authority itself is registered as if it were a seal: what it issued seals nothing.
    let root = [world.seal_root.certificate().clone()];
    assert!(matches!(fault(by(&world, &mail, &root, "hs05.kep.tr")), Fault::Seal(_)));
    // A user's key, registered or not.
    let user = world.signer(
        &world.user_root,
        Profile::User { name: "Ali".into(), email: "kepservisi@hs05.kep.tr".into() },
    );
    let mail = world.dispatch_with(&user, &evidence, &world.stamped(&evidence), &original);
    assert!(matches!(fault(by(&world, &mail, &seals, "hs05.kep.tr")), Fault::Seal(_)));
    // The evidence inside is signed by another than is registered.
    let inside = world.signed(&other, &evidence.write(Dialect::Ts102640).unwrap());
    let xml = inside.stamped(&world.token(&inside.to_stamp())).into_bytes();
    let mail = world.dispatch_with(&world.seal, &evidence, &xml, &original);
    assert!(matches!(fault(by(&world, &mail, &seals, "hs05.kep.tr")), Fault::Evidence(_)));
    // A stamp by an authority that nobody believes.
    let sound = world.dispatch(&original);
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    let known = Known::new(seals.to_vec());
    let believe = Believe { domain: &domain, domains: &[], seals: &seals, known: &known };
    let handed = Handed::open(&sound, seals.to_vec(), &known).unwrap();
    assert!(handed.judge(&believe, world.now()).is_err());
}

/// What was learnt of one mail is not believed of the next one for its own sake.
#[test]
fn what_is_known_ends_with_what_the_registry_says() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    let profile =
        Profile::Seal { domain: "hs05.kep.tr".into(), email: "kepservisi@hs05.kep.tr".into() };
    let other = world.signer(&world.seal_root, profile).certificate().clone();
    let known = Known::new(vec![world.stamp_root.certificate().clone()]);
    let own = world.seal.certificate().clone();
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    let by = |registered: &[Certificate], seals: &[Certificate]| {
        let handed = Handed::open(&mail, registered.to_vec(), &known)?;
        let believe = Believe { domain: &domain, domains: &[], seals, known: &known };
        handed.judge(&believe, world.now())
    };
    let both = [own.clone(), other.clone()];
    let (own, other) = ([own], [other]);
    for _ in 0..2 {
        assert!(by(&own, &own).is_ok());
    }
    assert!(by(&both, &other).is_err(), "it was taken back");
    assert!(by(&both, &own).is_ok());
}

#[test]
fn evidence_ahead_of_our_clock_may_come_again() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    let seals = [world.seal.certificate().clone()];
    let (domain, stamps) =
        (KepDomain::parse("hs05.kep.tr").unwrap(), [world.stamp_root.certificate().clone()]);
    let known = Known::new(stamps.to_vec());
    let believe = Believe { domain: &domain, domains: &[], seals: &seals, known: &known };
    let handed = Handed::open(&mail, seals.to_vec(), &known).unwrap();
    let before = handed.judge(&believe, world.at.plus_secs(-3600));
    assert!(matches!(fault(before), Fault::Ahead(_)));
}

#[test]
fn invariant_10_whatever_octets_are_handed_over_nothing_panics() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    for cut in (0..mail.len()).step_by(97) {
        assert!(judged(&world, &mail[..cut]).is_err());
        let mut other = mail.clone();
        other[cut] ^= 0x20;
        // A few octets are under no seal and say nothing: blanks, the introduction's headers.
        let _ = judged(&world, &other);
    }
}
