//! Dispatches and evidence mails: seal, header, original and evidence, each broken on its own.

use super::*;
use crate::trust::testing;
use crate::wire::rem::Dialect;

#[test]
fn whole_mails_are_valid() {
    let world = World::new();
    let original = world.original();
    let report = world.judged(&world.dispatch(&original));
    assert_eq!((report.kind, report.verdict), (Kind::Dispatch, Verdict::Valid), "{report:#?}");
    let good = [
        "form",
        "seal",
        "time-stamp-imprint",
        "time-stamp-signature",
        "time-stamp-certificate",
        "seal-certificate",
        "seal-from",
        "header",
        "header-digest",
        "user-signature",
        "user-certificate",
    ];
    assert_eq!(named(&report, State::Good), good);
    assert_eq!(report.enclosed.len(), 1);
    assert!(named(&report.enclosed[0], State::Good).contains(&"original-digest"));

    let evidence = world.evidence(Event::Delivery, &original);
    let mail = world.evidence_mail(&evidence, &world.stamped(&evidence));
    let report = world.judge().judge(&mail, Some(&original), world.now());
    assert_eq!((report.kind, report.verdict), (Kind::EvidenceMail, Verdict::Valid), "{report:#?}");
    let file = report.enclosed[0].name.as_deref();
    assert_eq!(file, Some("DeliveryNonDeliveryToRecipient.xml"));
}

#[test]
fn a_mail_saved_with_unix_line_ends_is_the_same_mail() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    let unix: Vec<u8> = mail.into_iter().filter(|octet| *octet != b'\r').collect();
    let report = world.judged(&unix);
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(details(&report, Name::Oddity).contains("LF alone"));
}

#[test]
fn an_altered_original_breaks_the_seal_and_leaves_the_evidence_good() {
    let world = World::new();
    let mail = replaced(&world.dispatch(&world.original()), "Merhaba", "Elveda!");
    let report = world.judged(&mail);
    assert_eq!(report.verdict, Verdict::Invalid);
    let expected = ["seal", "original-digest", "header-digest", "user-signature"];
    assert_eq!(bad(&report), expected, "{report:#?}");
    let said = details(&report, Name::EnclosedOriginal);
    assert!(said.contains("not taken for the original"), "{said}");
    // What the provider said is still what it said.
    assert_eq!(report.enclosed[0].verdict, Verdict::Valid, "{report:#?}");
    // With the true original at hand, that one is what the evidence is compared with.
    let report = world.judge().judge(&mail, Some(&world.original()), world.now());
    assert!(bad(&report).contains(&"enclosed-original"), "{report:#?}");
    assert!(named(&report.enclosed[0], State::Good).contains(&"original-digest"));
}

#[test]
fn a_sound_seal_over_unsound_evidence_is_invalid() {
    let world = World::new();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let xml = replaced(&world.stamped(&evidence), AYSE, "ayse.yilmiz@hs05.kep.tr");
    let report = world.judged(&world.dispatch_with(&world.seal, &evidence, &xml, &original));
    assert_eq!((report.verdict, bad(&report)), (Verdict::Invalid, vec![]), "{report:#?}");
    assert!(named(&report, State::Good).contains(&"seal"));
    assert_eq!(bad(&report.enclosed[0]), ["reference-document"]);
}

#[test]
fn sound_evidence_under_an_unsound_seal_is_invalid_as_a_mail_alone() {
    let world = World::new();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let xml = world.stamped(&evidence);
    let stranger = World::new();
    let report = world.judged(&world.dispatch_with(&stranger.seal, &evidence, &xml, &original));
    assert_eq!((report.verdict, bad(&report)), (Verdict::Invalid, vec!["seal-certificate"]));
    assert_eq!(report.enclosed[0].verdict, Verdict::Valid, "{report:#?}");
    assert!(named(&report, State::Good).contains(&"original-digest"), "{report:#?}");
}

#[test]
fn invariant_08_a_mail_sealed_with_a_users_key_is_invalid() {
    let world = World::new();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let xml = world.stamped(&evidence);
    let report = world.judged(&world.dispatch_with(&world.user, &evidence, &xml, &original));
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(bad(&report).contains(&"seal-certificate"), "{report:#?}");
}

#[test]
fn a_sound_seal_over_another_original_than_the_evidence_names_is_invalid() {
    let world = World::new();
    let evidence = world.evidence(Event::SubmissionAcceptance, &world.original());
    let xml = world.stamped(&evidence);
    let other = world.another("Başka bir konu", b"Elveda.\r\n");
    let report = world.judged(&world.dispatch_with(&world.seal, &evidence, &xml, &other));
    assert_eq!((report.verdict, bad(&report)), (Verdict::Invalid, vec!["header-digest"]));
    let enclosed = &report.enclosed[0];
    assert_eq!(bad(enclosed), ["original-digest", "original-field"], "{enclosed:#?}");
    assert!(details(enclosed, Name::OriginalField).contains("Başka bir konu"));
}

#[test]
fn the_senders_own_signature_is_judged_too() {
    let world = World::new();
    let dispatch = |original: &[u8]| world.judged(&world.dispatch(original));
    let altered = replaced(&world.original(), "Merhaba", "Elveda!");
    assert_eq!(bad(&dispatch(&altered)), ["user-signature"]);
    let stranger = World::new();
    assert_eq!(bad(&dispatch(&stranger.original())), ["user-certificate"]);
    let malformed =
        replaced(&world.original(), "application/pkcs7-signature; name", "text/plain; name");
    assert_eq!(bad(&dispatch(&malformed)), ["user-signature"]);
    let plain =
        format!("From: {ALI}\r\nTo: {AYSE}\r\nMessage-ID: <ua-1@example.org>\r\n\r\nMerhaba\r\n");
    let report = dispatch(plain.as_bytes());
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(details(&report, Name::UserSignature).contains("not signed by its sender"));
}

#[test]
fn header_fields_that_say_something_else_are_named() {
    let world = World::new();
    let mail = world.dispatch(&world.original());
    let digest = data_encoding::BASE64.encode(&crate::wire::sha256(&world.original()).0);
    let other = data_encoding::BASE64.encode(&crate::wire::sha256(b"").0);
    let cases: [(&str, &str, &[&str], &str); 6] = [
        ("Identifier: <5f2c@hs05", "Identifier: <5f2d@hs05", &["header"], "ileti kimliği"),
        ("REM-MD08: <ali.veli", "REM-MD08: <veli.ali", &["header"], "gönderen"),
        (
            "UAMessageIdentifier: <ua-1",
            "UAMessageIdentifier: <ua-2",
            &["header"],
            "gönderenin ileti",
        ),
        ("REM-Evidence-ID: <", "REM-Evidence-ID: <x", &["header"], "delil kimliği"),
        (
            &format!("\r\nREM-DigestValue: {digest}"),
            &format!("\r\nREM-DigestValue: {other}"),
            &["header", "header-digest"],
            "özet",
        ),
        ("<kepservisi@hs05.kep.tr>", "<kepservisi@hs06.kep.tr>", &["seal-from"], "hs06"),
    ];
    for (from, to, expected, said) in cases {
        let report = world.judged(&replaced(&mail, from, to));
        assert_eq!(bad(&report), expected, "{from}: {report:#?}");
        let all = format!("{}{}", details(&report, Name::Header), details(&report, Name::SealFrom));
        assert!(all.contains(said), "{from}: {all}");
    }
}

#[test]
fn envelopes_that_leave_open_what_was_signed_are_refused() {
    let world = World::new();
    let mail = String::from_utf8(world.dispatch(&world.original())).unwrap();
    let outer = mail.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let inner = outer.replacen("_s_", "_m_", 1);
    let border = format!("--{outer}\r\n");
    let part = "Content-Type: text/plain\r\n\r\nread this instead\r\n";
    let third = mail.replacen(&border, &format!("{border}{part}{border}"), 1);
    assert_eq!(bad(&world.judged(third.as_bytes())), ["form"]);
    let unsigned = mail.replacen("multipart/signed;", "multipart/mixed;", 1);
    assert_eq!(world.judged(unsigned.as_bytes()).verdict, Verdict::Invalid);
    // A genuine dispatch inside a mail of somebody else is that somebody's mail.
    let forged = format!(
        "From: kepservisi@hs05.kep.tr\r\nContent-Type: multipart/mixed; boundary=\"dis\"\r\n\r\n\
         --dis\r\n{part}\r\n--dis\r\n{mail}\r\n--dis--\r\n"
    );
    let report = world.judged(forged.as_bytes());
    assert_eq!((report.kind, report.verdict), (Kind::Unknown, Verdict::Invalid));
    // A second original beside the first, under the seal or not.
    let border = format!("--{inner}\r\n");
    let second = format!("{border}Content-Type: message/rfc822\r\n\r\nFrom: x\r\n\r\n{border}");
    let twice = mail.replacen(&border, &second, 1);
    assert_eq!(bad(&world.judged(twice.as_bytes())), ["form"]);
}

#[test]
fn evidence_that_nobody_sealed_is_good_and_its_mail_is_not() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = world::lines(&world.stamped(&evidence));
    let mail = format!(
        "From: kepservisi@hs05.kep.tr\r\nContent-Type: application/xml\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{xml}"
    );
    let report = world.judged(mail.as_bytes());
    assert_eq!((report.verdict, bad(&report)), (Verdict::Invalid, vec!["seal"]));
    assert_eq!(report.enclosed[0].verdict, Verdict::Valid, "{report:#?}");
    assert!(details(&report, Name::Header).contains("no REM header fields"));
}

#[test]
fn an_ordinary_mail_is_no_evidence() {
    let world = World::new();
    let report = world.judged(&world.original());
    assert_eq!((report.kind, bad(&report)), (Kind::Unknown, vec!["form"]));
    let hint = report.check(Name::Form).unwrap().hint.unwrap();
    assert!(hint.contains("--original"), "{hint}");
}

#[test]
fn the_other_dialect_travels_in_mails_too() {
    let world = World::new();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let xml = world.stamped_in(&evidence, Dialect::En319522);
    let report = world.judged(&world.dispatch_with(&world.seal, &evidence, &xml, &original));
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert_eq!(report.enclosed[0].evidence.as_ref().unwrap().dialect, "en319522");
}

#[test]
fn a_seal_whose_certificate_ended_is_good_by_its_stamp_and_open_without() {
    let world = World::new();
    let later = world.at.plus_secs(5 * 365 * 86_400);
    let dispatch = world.judge().judge(&world.dispatch(&world.original()), None, later);
    assert_eq!(dispatch.verdict, Verdict::Valid, "{dispatch:#?}");
    let evidence = world.evidence(Event::Delivery, &world.original());
    let mail = world.evidence_mail(&evidence, &world.stamped(&evidence));
    let mail = world.judge().judge(&mail, None, later);
    assert_eq!(named(&mail, State::Unknown), ["seal-certificate"], "{mail:#?}");
    assert_eq!(mail.enclosed[0].verdict, Verdict::Valid);
    assert_eq!(testing::NOW, world.at);
}
