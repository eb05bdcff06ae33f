//! One octet after the other is changed: what a signature covers is never believed when it was
//! touched, and what it does not cover changes nothing of what the judgement says.

use super::*;
use crate::trust::pki::KeyKind;
use crate::wire::cms::SignedData;
use crate::wire::rem::{Dialect, Opened};
use proptest::prelude::*;
use std::ops::Range;
use std::sync::LazyLock;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The positions at which a changed bit leaves the document valid; each says the same as before.
fn unnoticed(octets: &[u8], places: impl Iterator<Item = usize>) -> Vec<usize> {
    unnoticed_in(&WORLD, octets, places)
}

fn unnoticed_in(world: &World, octets: &[u8], places: impl Iterator<Item = usize>) -> Vec<usize> {
    let (judge, now) = (world.judge(), world.now());
    let whole = judge.judge(octets, None, now);
    assert_eq!(whole.verdict, Verdict::Valid, "{whole:#?}");
    let mut touched = octets.to_vec();
    let mut found = Vec::new();
    for at in places {
        touched[at] ^= bit(at);
        let report = judge.judge(&touched, None, now);
        touched[at] = octets[at];
        if report.verdict == Verdict::Valid {
            assert_eq!(facts(&report), facts(&whole), "octet {at}");
            found.push(at);
        }
    }
    found
}

/// Which one is changed; the eighth would leave ASCII everywhere.
fn bit(at: usize) -> u8 {
    1 << (at % 7)
}

/// Whether the value is a SHA-256 in base64 when the octet was changed.
fn is_digest(mail: &[u8], value: Range<usize>, at: usize) -> bool {
    let mut touched = mail[value.clone()].to_vec();
    touched[at - value.start] ^= bit(at);
    data_encoding::BASE64.decode(&touched).is_ok_and(|digest| digest.len() == 32)
}

fn facts(report: &Report) -> Vec<Facts> {
    let enclosed = report.enclosed.iter().filter_map(|one| one.evidence.clone());
    report.evidence.iter().cloned().chain(enclosed).collect()
}

/// Where a text stands, once.
fn place(octets: &[u8], text: &[u8]) -> Range<usize> {
    let at = octets.windows(text.len()).position(|window| window == text).unwrap();
    at..at + text.len()
}

#[test]
fn no_octet_of_evidence_changes_unnoticed_but_those_outside_all_signatures() {
    let xml = WORLD.delivered();
    let text = std::str::from_utf8(&xml).unwrap();
    let (open, close) = ("<xades:EncapsulatedTimeStamp>", "</xades:EncapsulatedTimeStamp>");
    let from = text.find(open).unwrap() + open.len();
    let token = from..text.find(close).unwrap();
    let loose = [
        // The document node's canonical form has no XML declaration and no space around the root.
        place(&xml, b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
        // The enveloped transform takes the signature out; these are in none of its own references.
        place(&xml, b"Id=\"kep-signature\""),
        // Its prefix is declared at the root already.
        place(&xml, b"<ds:Signature xmlns:ds="),
        place(&xml, b"Target=\"#kep-signature\""),
        place(&xml, b"Id=\"kep-stamp\""),
    ];
    for at in unnoticed(&xml, 0..xml.len()) {
        if token.contains(&at) {
            unsigned_in_token(&xml[token.clone()], at - token.start);
        } else {
            let named = loose.iter().any(|range| range.contains(&at));
            assert!(
                named,
                "octet {at} of …{}…",
                &text[at.saturating_sub(40)..(at + 40).min(text.len())]
            );
        }
    }
}

#[test]
fn the_other_dialect_and_rsa_are_covered_alike() {
    let world = World::of(KeyKind::Rsa2048, crate::trust::testing::NOW);
    let evidence = world.evidence(Event::Retrieval, &world.original());
    let xml = world.stamped_in(&evidence, Dialect::En319522);
    let signature = place(&xml, b"<ds:Signature ").start;
    let start = place(&xml, b"?>").end;
    // Before the signature there is only what it covers, but for prefixes that are declared and not
    // used: exclusive canonicalization leaves them out.
    let unused = [
        place(&xml, b" xmlns:elp=\"http://eidas.europa.eu/attributes/legalperson\""),
        place(&xml, b" xmlns:enp=\"http://eidas.europa.eu/attributes/naturalperson\""),
    ];
    for at in unnoticed_in(&world, &xml, (start + 1..signature).step_by(2)) {
        assert!(unused.iter().any(|range| range.contains(&at)), "octet {at}");
    }
    let mail = world.evidence_mail(&evidence, &xml);
    let signed = Opened::read(&mail).unwrap().signed.unwrap();
    assert_eq!(unnoticed_in(&world, &mail, signed.step_by(11)), [0; 0]);
}

/// A character of the token's base64 that may change: not of the signed content, the signed
/// attributes, the signature or a certificate, but of what CMS writes around them.
fn unsigned_in_token(base64: &[u8], at: usize) {
    let der = data_encoding::BASE64.decode(base64).unwrap();
    let signed = SignedData::parse(&der).unwrap();
    let attributes = signed.signers[0].signed_octets().unwrap();
    let content = signed.content.clone().unwrap();
    // In the signature the SET's tag stands as [0].
    let mut covered = vec![place(&der, &content), place(&der, &attributes[1..])];
    covered.push(place(&der, &signed.signers[0].signature));
    covered.extend(signed.certificates.iter().map(|certificate| place(&der, certificate)));
    // A character holds six bits.
    let octets = at * 6 / 8..=(at * 6 + 5) / 8;
    let inner = covered.iter().any(|range| octets.clone().all(|octet| range.contains(&octet)));
    assert!(!inner, "octets {octets:?} of the token");
}

#[test]
fn no_octet_under_a_dispatchs_seal_changes_unnoticed() {
    let mail = WORLD.dispatch(&WORLD.original());
    let signed = Opened::read(&mail).unwrap().signed.unwrap();
    // Each octet in the long lane, else every third, from the first.
    let step = if std::env::var_os("KEP_LONG").is_some() { 1 } else { 3 };
    assert_eq!(unnoticed(&mail, signed.step_by(step)), [0; 0]);
}

#[test]
fn the_header_around_a_dispatch_is_under_no_seal() {
    let mail = WORLD.dispatch(&WORLD.original());
    let signed = Opened::read(&mail).unwrap().signed.unwrap();
    let unnoticed = unnoticed(&mail, 0..signed.start);
    let header = std::str::from_utf8(&mail[..signed.start]).unwrap();
    assert!(header.starts_with("From: "));
    // To, Subject, Date and the like change unnoticed (so the judgement never shows them); what the
    // evidence says again does not.
    let value = |name: &str| {
        let from = header.find(name).unwrap_or_else(|| panic!("{name}")) + name.len();
        from..from + header[from..].find("\r\n").unwrap()
    };
    assert!(value("\r\nSubject: ").any(|at| unnoticed.contains(&at)));
    for name in [
        "From: ",
        "\r\nX-REM-Message-Identifier: ",
        "\r\nREM-Evidence-ID: ",
        "\r\nREM-DigestValue: ",
    ] {
        let found: Vec<_> = value(name).filter(|at| unnoticed.contains(at)).collect();
        // Addresses are the same in capitals, brackets and spaces are no part of a value, and what
        // is no digest any more says nothing.
        let loose = |at: &usize| {
            let case = mail[*at].is_ascii_alphabetic() && bit(*at) == 0x20;
            let mute = name.contains("Digest") && !is_digest(&mail, value(name), *at);
            case || mute || b"<> ".contains(&mail[*at])
        };
        assert!(found.iter().all(loose), "{name}: {found:?}");
    }
}

#[test]
fn touched_seals_of_a_dispatch_never_change_what_is_said() {
    let mail = WORLD.dispatch(&WORLD.original());
    let signed = Opened::read(&mail).unwrap().signed.unwrap();
    let unnoticed = unnoticed(&mail, signed.end..mail.len());
    // The signature part's own header and what CMS writes around the signed attributes.
    assert!(unnoticed.len() < (mail.len() - signed.end) / 4, "{}", unnoticed.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn documents_cut_and_mixed_never_panic_and_never_lie(
        which in 0..2_usize,
        from in 0..12_000_usize,
        length in 0..600_usize,
        to in 0..12_000_usize,
    ) {
        static GOOD: LazyLock<[Vec<u8>; 2]> =
            LazyLock::new(|| [WORLD.delivered(), WORLD.dispatch(&WORLD.original())]);
        let good = &GOOD[which];
        let (from, to) = (from % good.len(), to % good.len());
        let piece = good[from..(from + length).min(good.len())].to_vec();
        let mut mixed = good.clone();
        mixed.splice(to..(to + length).min(good.len()), piece);
        let judge = WORLD.judge();
        let report = judge.judge(&mixed, None, WORLD.now());
        if report.verdict == Verdict::Valid {
            let whole = judge.judge(good, None, WORLD.now());
            prop_assert_eq!(facts(&report), facts(&whole));
        }
    }
}
