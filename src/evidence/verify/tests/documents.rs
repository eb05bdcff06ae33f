//! Evidence XML: whole, and with each of its protections broken on its own.

use super::world::{issue, token};
use super::*;
use crate::trust::pki::{CertificateAuthority, KeyKind, Profile};
use crate::trust::tsa::Authority;
use crate::trust::{Signer, testing};
use crate::wire::rem::Dialect;
use std::sync::Arc;

#[test]
fn whole_evidence_is_valid_with_each_kind_of_key_and_in_both_dialects() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let world = World::of(kind, testing::NOW);
        for dialect in [Dialect::Ts102640, Dialect::En319522] {
            for event in [Event::SubmissionAcceptance, Event::Delivery, Event::Retrieval] {
                let evidence = world.evidence(event, &world.original());
                let xml = world.stamped_in(&evidence, dialect);
                let report = world.judge().judge(&xml, Some(&world.original()), world.now());
                assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
                assert_eq!(named(&report, State::Unknown), [""; 0]);
                let facts = report.evidence.unwrap();
                assert_eq!((facts.event, facts.sender.as_str()), (event.name(), ALI));
                assert_eq!(facts.stamped_at, Some(world.at.iso8601()));
            }
        }
    }
}

#[test]
fn valid_evidence_shows_each_check_by_name() {
    let world = World::new();
    let report = world.judge().judge(&world.delivered(), Some(&world.original()), world.now());
    let good = [
        "form",
        "signature-form",
        "algorithms",
        "reference-document",
        "reference-signed-properties",
        "signing-certificate",
        "signature-value",
        "time-stamp-imprint",
        "time-stamp-signature",
        "time-stamp-certificate",
        "seal-certificate",
        "times",
        "issuer",
        "original-digest",
    ];
    assert_eq!(named(&report, State::Good), good);
    assert_eq!(named(&report, State::Note), ["revocation"]);
}

#[test]
fn what_was_changed_afterwards_is_named() {
    let world = World::new();
    let whole = world.delivered();
    let cases: [(&str, &str, &[&str]); 6] = [
        (AYSE, "ayse.yilmiz@hs05.kep.tr", &["reference-document"]),
        ("<xades:SigningTime>2", "<xades:SigningTime>1", &["reference-signed-properties"]),
        ("<ds:Reference Id=", "<ds:Reference  Id=", &[]),
        (
            "<ds:Reference Id=\"kep-document\"",
            "<ds:Reference Id=\"kep-dokument\"",
            &["signature-value"],
        ),
        ("</rem:EventTime>", "</rem:EventTime><!-- seen -->", &[]),
        ("</rem:EventTime>", "</rem:EventTime><?seen?>", &["reference-document"]),
    ];
    for (from, to, expected) in cases {
        let report = world.judged(&replaced(&whole, from, to));
        assert_eq!(bad(&report), expected, "{from} → {to}: {:#?}", report.checks);
        let valid = report.verdict == Verdict::Valid;
        assert_eq!(valid, expected.is_empty(), "{from} → {to}");
    }
}

#[test]
fn the_digests_of_a_changed_document_are_said() {
    let world = World::new();
    let report = world.judged(&replaced(&world.delivered(), AYSE, "ayse.yilmiz@hs05.kep.tr"));
    let said = details(&report, Name::ReferenceDocument);
    assert!(said.contains("belge imzadan sonra değişmiş"), "{said}");
    assert!(said.contains("stated ") && said.contains("computed "), "{said}");
}

#[test]
fn another_value_of_the_signature_breaks_it_and_its_stamp() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = evidence.write(Dialect::Ts102640).unwrap();
    let (one, other) = (world.signed(&world.seal, &xml), world.signed(&world.seal, &xml));
    let stamped = one.stamped(&world.token(&other.to_stamp()));
    assert_eq!(bad(&world.judged(stamped.as_bytes())), ["time-stamp-imprint"]);
    let value = |signed: &str| {
        let from = signed.find("kep-value\">").unwrap() + 11;
        signed[from..from + 40].to_owned()
    };
    let (one, stamped) = (one.unstamped(), one.stamped(&world.token(&one.to_stamp())));
    let forged = world.signed(&world.user, &xml).unstamped();
    let mixed = replaced(stamped.as_bytes(), &value(&one), &value(&forged));
    assert_eq!(bad(&world.judged(&mixed)), ["signature-value", "time-stamp-imprint"]);
}

#[test]
fn a_certificate_that_was_not_bound_is_not_believed() {
    let world = World::new();
    let other = world.signer(&world.seal_root, testing::seal_profile());
    let base64 = |signer: &dyn Signer| data_encoding::BASE64.encode(signer.certificate().der());
    // IssuerDetails names the certificate too; the one in KeyInfo is the last.
    let text = String::from_utf8(world.delivered()).unwrap();
    let at = text.rfind(&base64(&world.seal)).unwrap();
    let swapped =
        format!("{}{}", &text[..at], text[at..].replacen(&base64(&world.seal), &base64(&other), 1));
    let report = world.judged(swapped.as_bytes());
    assert_eq!(bad(&report), ["signing-certificate", "signature-value"]);
    let without = text.replacen("<ds:X509Certificate>", "<ds:X509Serial>", 1);
    let without = without.replacen("</ds:X509Certificate>", "</ds:X509Serial>", 1);
    assert_ne!(world.judged(without.as_bytes()).verdict, Verdict::Valid);
}

#[test]
fn weak_algorithms_are_refused_by_name() {
    let world = World::of(KeyKind::Rsa2048, testing::NOW);
    let text = String::from_utf8(world.delivered()).unwrap();
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let start = text.find("<ds:SignedInfo>").unwrap();
    let (before, info) = text.split_at(start);
    let weak = info.replace(sha256, "http://www.w3.org/2000/09/xmldsig#sha1");
    let weak = weak.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1");
    let report = world.judged(format!("{before}{weak}").as_bytes());
    assert!(bad(&report).contains(&"algorithms"), "{:?}", bad(&report));
    assert!(report.check(Name::Algorithms).unwrap().hint.is_some());
}

#[test]
fn evidence_without_a_time_stamp_is_open_and_one_without_a_signature_is_not_evidence() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = evidence.write(Dialect::Ts102640).unwrap();
    let report = world.judged(world.signed(&world.seal, &xml).unstamped().as_bytes());
    assert_eq!(report.verdict, Verdict::CantTell);
    assert_eq!(named(&report, State::Unknown), ["time-stamp"]);
    assert_eq!(bad(&world.judged(xml.as_bytes())), ["signature-form"]);
}

#[test]
fn tokens_that_prove_nothing_are_named() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let signed = world.signed(&world.seal, &evidence.write(Dialect::Ts102640).unwrap());
    let octets = signed.to_stamp();
    let by = |signer| token(&Authority::new(Arc::new(signer)), &octets, world.at);
    let stamp = || Profile::TimeStamp { name: "Başka ZDS".into() };
    let stranger = CertificateAuthority::create("Yabancı", KeyKind::P256, world.at).unwrap();
    let ended = world.at.plus_secs(-4 * 365 * 86_400);
    let mut broken = world.token(&octets);
    *broken.last_mut().unwrap() ^= 1;
    let cases = [
        (by(issue(&stranger, stamp(), KeyKind::P256, world.at)), "time-stamp-certificate"),
        (by(world.signer(&world.stamp_root, testing::seal_profile())), "time-stamp-certificate"),
        (by(issue(&world.stamp_root, stamp(), KeyKind::P256, ended)), "time-stamp-certificate"),
        (world.token(b"something else"), "time-stamp-imprint"),
        (broken, "time-stamp-signature"),
        (b"no token".to_vec(), "time-stamp"),
    ];
    for (n, (token, expected)) in cases.into_iter().enumerate() {
        let report = world.judged(signed.stamped(&token).as_bytes());
        assert_eq!(bad(&report), [expected], "case {n}: {:#?}", report.checks);
    }
}

#[test]
fn invariant_08_evidence_signed_in_another_role_is_invalid() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = evidence.write(Dialect::Ts102640).unwrap();
    let stranger = CertificateAuthority::create("İşlem Kök", KeyKind::P256, world.at).unwrap();
    let tls = Profile::TlsServer { names: vec!["hs05.kep.tr".into()], addresses: Vec::new() };
    let ended = world.at.plus_secs(-4 * 365 * 86_400);
    let seal = testing::seal_profile;
    let signers = [
        ("a user's key", issue(&world.user_root, seal(), KeyKind::P256, world.at)),
        ("a stamping key", issue(&world.stamp_root, seal(), KeyKind::P256, world.at)),
        ("a TLS certificate", world.signer(&world.seal_root, tls)),
        ("an authority of the same name", issue(&stranger, seal(), KeyKind::P256, world.at)),
        ("an ended certificate", issue(&world.seal_root, seal(), KeyKind::P256, ended)),
    ];
    for (what, signer) in signers {
        let signed = world.signed(&signer, &xml);
        let report = world.judged(signed.stamped(&world.token(&signed.to_stamp())).as_bytes());
        assert_eq!(report.verdict, Verdict::Invalid, "{what}");
        assert!(bad(&report).contains(&"seal-certificate"), "{what}: {:?}", bad(&report));
    }
}

#[test]
fn a_trusted_provider_can_not_speak_for_another() {
    let world = World::new();
    let other =
        Profile::Seal { domain: "hs06.kep.tr".into(), email: "kepservisi@hs06.kep.tr".into() };
    let other = world.signer(&world.seal_root, other);
    let evidence = world.evidence(Event::Delivery, &world.original());
    let signed = world.signed(&other, &evidence.write(Dialect::Ts102640).unwrap());
    let report = world.judged(signed.stamped(&world.token(&signed.to_stamp())).as_bytes());
    assert_eq!(bad(&report), ["issuer"], "{:#?}", report.checks);
    let said = details(&report, Name::Issuer);
    assert!(said.contains("hs05") && said.contains("hs06"), "{said}");
}

#[test]
fn an_expired_seal_certificate_is_good_at_the_proven_time_and_open_without_one() {
    let world = World::new();
    let later = world.at.plus_secs(5 * 365 * 86_400);
    let report = world.judge().judge(&world.delivered(), None, later);
    assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
    let said = details(&report, Name::TimeStampCertificate);
    assert!(said.contains("certificate ended at"), "{said}");
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = evidence.write(Dialect::Ts102640).unwrap();
    let bare = world.signed(&world.seal, &xml).unstamped();
    let report = world.judge().judge(bare.as_bytes(), None, later);
    assert_eq!(named(&report, State::Unknown), ["time-stamp", "seal-certificate"]);
}

#[test]
fn times_that_contradict_each_other_are_named() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let later = crate::wire::rem::Evidence { event_time: world.at.plus_secs(3_600), ..evidence };
    assert_eq!(bad(&world.judged(&world.stamped(&later))), ["times"]);
    let early = world.judge().judge(&world.delivered(), None, world.at.plus_secs(-86_400));
    assert_eq!(named(&early, State::Unknown), ["times"]);
    let hint = early.check(Name::Times).unwrap().hint.unwrap();
    assert!(hint.contains("clock"), "{hint}");
}

#[test]
fn without_anchors_nothing_is_bad_and_nothing_is_proven() {
    let world = World::new();
    let judge = Judge::new(Believed::default()).unwrap();
    let report = judge.judge(&world.delivered(), None, world.now());
    assert_eq!(report.verdict, Verdict::CantTell);
    assert_eq!(named(&report, State::Unknown), ["time-stamp-certificate", "seal-certificate"]);
    assert!(report.checks.iter().filter(|c| c.state == State::Unknown).all(|c| c.hint.is_some()));
    let dispatch = judge.judge(&world.dispatch(&world.original()), None, world.now());
    assert_eq!(dispatch.verdict, Verdict::CantTell, "{:#?}", dispatch.checks);
}

#[test]
fn a_changed_original_is_told_field_by_field() {
    let world = World::new();
    let (xml, original) = (world.delivered(), world.original());
    let encoded = data_encoding::BASE64.encode(world::SUBJECT.as_bytes());
    let differs = |from: &str, to: &str| {
        let changed = replaced(&original, from, to);
        let report = world.judge().judge(&xml, Some(&changed), world.now());
        assert!(bad(&report).contains(&"original-digest"), "{from}");
        details(&report, Name::OriginalField)
    };
    let said = differs(&encoded, &data_encoding::BASE64.encode(b"Kabul"));
    assert!(said.contains("(konu)") && said.contains("\"Kabul\""), "{said}");
    let said = differs(&format!("To: {AYSE}"), "To: mehmet@hs05.kep.tr");
    assert!(said.contains("(alıcılar)") && said.contains("mehmet@hs05.kep.tr"), "{said}");
    let said = differs(&format!("<{ALI}>"), "<veli.ali@hs05.kep.tr>");
    assert!(said.contains("(gönderen)") && said.contains("veli.ali"), "{said}");
    let said = differs("ua-1@example.org", "ua-2@example.org");
    assert!(said.contains("(gönderenin ileti kimliği)") && said.contains("ua-2"), "{said}");
    // The body differs: the digest tells, no field does.
    assert_eq!(differs("Merhaba", "Elveda"), "");
}

#[test]
fn an_original_that_lost_its_line_ends_is_the_same_message() {
    let world = World::new();
    let unix: Vec<u8> = world.original().into_iter().filter(|octet| *octet != b'\r').collect();
    let report = world.judge().judge(&world.delivered(), Some(&unix), world.now());
    assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
    assert!(details(&report, Name::OriginalDigest).contains("line ends"));
}

#[test]
fn documents_that_could_deceive_a_reader_are_not_read() {
    let world = World::new();
    let text = String::from_utf8(world.delivered()).unwrap();
    let root = text.find("?>").unwrap() + 2;
    let with = |insert: &str| format!("{}{insert}{}", &text[..root], &text[root..]);
    let cases = [
        ("a DTD", with("<!DOCTYPE a []>")),
        ("an entity", with("<!DOCTYPE a [<!ENTITY x \"y\">]>").replacen(ALI, "&x;", 1)),
        ("an entity of nowhere", text.replacen(ALI, "&x;", 1)),
        ("an identifier twice", text.replacen("Id=\"kep-stamp\"", "Id=\"kep-value\"", 1)),
        (
            "two identifiers by other names",
            text.replacen("Id=\"kep-stamp\"", "ID=\"kep-value\"", 1),
        ),
        ("half a document", text[..text.len() / 2].to_owned()),
    ];
    for (what, octets) in cases {
        let report = world.judged(octets.as_bytes());
        assert_eq!((report.verdict, bad(&report)), (Verdict::Invalid, vec!["form"]), "{what}");
    }
    // Read as what it says it is, it is not what was signed.
    let other = text.replacen("UTF-8", "ISO-8859-9", 1);
    assert_eq!(bad(&world.judged(other.as_bytes())), ["reference-document"]);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [b"\xff\xfe".as_slice(), &utf16].concat();
    assert_eq!(world.judged(&utf16).verdict, Verdict::Valid);
    let bom = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    assert_eq!(world.judged(&bom).verdict, Verdict::Valid);
}

#[test]
fn documents_of_another_kind_are_open_not_invalid() {
    let world = World::new();
    let signed = world.signed(&world.seal, "<liste xmlns=\"urn:x\">\n</liste>");
    let signed = signed.stamped(&world.token(&signed.to_stamp()));
    let report = world.judged(signed.as_bytes());
    assert_eq!((report.kind, report.verdict), (Kind::Unknown, Verdict::CantTell));
    assert_eq!(named(&report, State::Unknown), ["form"]);
}
