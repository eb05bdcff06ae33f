//! Revocation, offline: what lists and answers at hand change in a verdict.

use super::world::token;
use super::*;
use crate::trust::pki::{CertificateAuthority, Revoked};
use crate::trust::{Certificate, Signer};
use crate::wire::Timestamp;
use crate::wire::ocsp::{CertId, OcspRequest};

/// A list of an authority that has taken one certificate back.
fn list(by: &CertificateAuthority, serial: &str, since: Timestamp, made: Timestamp) -> Vec<u8> {
    let revoked = [Revoked { serial: serial.into(), at: since, reason: None }];
    by.crl(&revoked, made, made.plus_secs(86_400)).unwrap()
}

fn judged(world: &World, lists: Vec<Vec<u8>>, octets: &[u8]) -> Report {
    let mut believed = world.believed();
    lists.into_iter().for_each(|list| believed.lists.add_crl(list).unwrap());
    let judge = Judge::new(believed).unwrap();
    judge.judge(octets, None, world.at.plus_secs(7 * 86_400))
}

fn serial(signer: &dyn Signer) -> String {
    signer.certificate().serial().to_owned()
}

const HOUR: i64 = 3_600;

#[test]
fn without_material_this_is_said_and_changes_nothing() {
    let world = World::new();
    let report = judged(&world, Vec::new(), &world.delivered());
    assert_eq!(report.verdict, Verdict::Valid);
    let said = details(&report, Name::Revocation);
    assert_eq!(said.matches("revocation not checked").count(), 2, "{said}");
    assert!(report.check(Name::Revocation).unwrap().hint.unwrap().contains("--trust"));
}

#[test]
fn a_seal_taken_back_before_its_stamp_is_void_and_one_taken_back_later_is_not() {
    let world = World::new();
    let made = world.at.plus_secs(24 * HOUR);
    for (since, verdict) in [
        (world.at.plus_secs(-HOUR), Verdict::Invalid),
        (world.at, Verdict::Invalid),
        (world.at.plus_secs(HOUR), Verdict::Valid),
    ] {
        let crl = list(&world.seal_root, &serial(&world.seal), since, made);
        for octets in [world.delivered(), world.dispatch(&world.original())] {
            let report = judged(&world, vec![crl.clone()], &octets);
            assert_eq!(report.verdict, verdict, "{since}: {report:#?}");
            let said = details(&report, Name::Revocation);
            assert!(said.contains(&format!("revoked at {since}")), "{said}");
            if verdict == Verdict::Invalid {
                assert_eq!(bad(&report), ["revocation"]);
            }
        }
    }
}

#[test]
fn a_seal_that_no_list_names_is_good_by_a_list_of_that_time_or_later() {
    let world = World::new();
    let other = "1234567890";
    let good = |made: i64| {
        let crl = list(&world.seal_root, other, world.at, world.at.plus_secs(made));
        let report = judged(&world, vec![crl], &world.delivered());
        assert_eq!(report.verdict, Verdict::Valid);
        details(&report, Name::Revocation).contains("not revoked at")
    };
    assert!(good(-HOUR), "it held at that time");
    assert!(good(48 * HOUR), "a later one would show it");
    assert!(!good(-48 * HOUR), "it had ended");
    assert!(!good(5 * 365 * 24 * HOUR), "the certificate may have been taken off");
}

#[test]
fn lists_of_others_are_not_believed() {
    let world = World::new();
    let forger = CertificateAuthority::create("İşlem Kök", world.kind, world.at).unwrap();
    let since = world.at.plus_secs(-HOUR);
    let forged = list(&forger, &serial(&world.seal), since, world.at);
    let of_users = list(&world.user_root, &serial(&world.seal), since, world.at);
    let report = judged(&world, vec![forged, of_users], &world.delivered());
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(details(&report, Name::Revocation).contains("revocation not checked"));
}

#[test]
fn without_a_proven_time_a_seal_taken_back_since_proves_nothing() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let text = evidence.write(crate::wire::rem::Dialect::Ts102640).unwrap();
    let bare = world.signed(&world.seal, &text).unstamped();
    let with = |since: i64| {
        let since = world.at.plus_secs(since);
        let crl = list(&world.seal_root, &serial(&world.seal), since, since);
        judged(&world, vec![crl], bare.as_bytes())
    };
    let later = with(HOUR);
    assert_eq!(named(&later, State::Unknown), ["time-stamp", "revocation"], "{later:#?}");
    assert_eq!(with(-HOUR).verdict, Verdict::Invalid, "by its own word it came too late");
}

#[test]
fn a_time_stamp_authority_taken_back_makes_its_tokens_void() {
    let world = World::new();
    let xml = world.delivered();
    let certificate = stamping_certificate(&world);
    let made = world.at.plus_secs(2 * HOUR);
    for since in [-HOUR, HOUR] {
        let since = world.at.plus_secs(since);
        let crl = list(&world.stamp_root, certificate.serial(), since, made);
        let report = judged(&world, vec![crl], &xml);
        // The list gives no reason: the key may be in anybody's hands (RFC 3161 §4).
        assert_eq!(bad(&report), ["revocation"], "{report:#?}");
        assert!(!details(&report, Name::SealCertificate).contains("valid at"), "no proven time");
    }
    // Out of service since: what it stamped before stands.
    let since = world.at.plus_secs(HOUR);
    let serial = certificate.serial().to_owned();
    let revoked = [Revoked { serial, at: since, reason: Some(5) }];
    let crl = world.stamp_root.crl(&revoked, made, made.plus_secs(HOUR)).unwrap();
    let report = judged(&world, vec![crl], &xml);
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(details(&report, Name::Revocation).contains("after"), "{report:#?}");
}

fn stamping_certificate(world: &World) -> Certificate {
    let der = token(&world.stamps, b"", world.at);
    let signed = crate::wire::cms::SignedData::parse(&der).unwrap();
    Certificate::from_der(signed.certificates[0]).unwrap()
}

#[test]
fn an_answer_of_the_responder_counts_as_a_list_does() {
    let world = World::new();
    let certificate = world.seal.certificate();
    let request = request(&world, certificate);
    for (since, verdict) in [(-HOUR, Verdict::Invalid), (HOUR, Verdict::Valid)] {
        let since = world.at.plus_secs(since);
        let revoked = [Revoked { serial: serial(&world.seal), at: since, reason: None }];
        let answered = world.at.plus_secs(2 * HOUR);
        let answer = world.seal_root.ocsp(&request, &revoked, answered).unwrap();
        let mut believed = world.believed();
        believed.lists.add_answer(&answer);
        believed.lists.add_answer(b"garbage");
        let judge = Judge::new(believed).unwrap();
        let report = judge.judge(&world.delivered(), None, world.at.plus_secs(24 * HOUR));
        assert_eq!(report.verdict, verdict, "{report:#?}");
        assert!(details(&report, Name::Revocation).contains(&format!("revoked at {since}")));
    }
}

/// Made by the program that asks: `openssl ocsp`'s form, from names and keys.
fn request(world: &World, certificate: &Certificate) -> Vec<u8> {
    use crate::wire::der::{self, tag};
    let issuer = world.seal_root.certificate().der();
    let mut tbs = der::parse(issuer).unwrap().reader().expect(tag::SEQUENCE).unwrap().reader();
    tbs.optional(tag::context(0)).unwrap();
    let mut fields = Vec::new();
    while !tbs.is_empty() {
        fields.push(tbs.next().unwrap());
    }
    let (subject, key) = (fields[4].whole, fields[5]);
    let mut info = key.reader();
    info.expect(tag::SEQUENCE).unwrap();
    let key = info.next().unwrap().bits().unwrap();
    let serial = openssl_serial(certificate);
    let hashed = |octets: &[u8]| crate::wire::sha256(octets).0.to_vec();
    let algorithm = crate::wire::DigestAlgorithm::Sha256.oid();
    let id = CertId { algorithm, name_hash: hashed(subject), key_hash: hashed(key), serial };
    OcspRequest { ids: vec![id], nonce: None }.write()
}

/// Content octets of the serial number.
fn openssl_serial(certificate: &Certificate) -> Vec<u8> {
    use crate::wire::der::{self, tag};
    let whole = der::parse(certificate.der()).unwrap();
    let mut tbs = whole.reader().expect(tag::SEQUENCE).unwrap().reader();
    tbs.optional(tag::context(0)).unwrap();
    tbs.expect(tag::INTEGER).unwrap().content.to_vec()
}

#[test]
fn a_senders_certificate_taken_back_before_acceptance_is_named() {
    let world = World::new();
    let dispatch = world.dispatch(&world.original());
    let with = |since: i64| {
        let since = world.at.plus_secs(since);
        let crl = list(&world.user_root, &serial(&world.user), since, world.at.plus_secs(2 * HOUR));
        judged(&world, vec![crl], &dispatch)
    };
    assert_eq!(bad(&with(-HOUR)), ["revocation"]);
    assert_eq!(with(HOUR).verdict, Verdict::Valid);
}

#[test]
fn kept_certificates_fill_the_gap_that_a_signature_leaves() {
    let world = World::new();
    let middle = world.seal_root.issue_authority("Ara", world.kind, world.at).unwrap();
    let seal = world.signer(&middle, crate::trust::testing::seal_profile());
    let world = World { seal, ..world };
    let xml = world.delivered();
    assert_eq!(bad(&world.judged(&xml)), ["seal-certificate"]);
    let mut believed = world.believed();
    believed.lists.add_certificate(middle.certificate().clone());
    let report = Judge::new(believed).unwrap().judge(&xml, None, world.now());
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
}
