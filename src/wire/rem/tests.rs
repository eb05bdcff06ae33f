use super::*;
use crate::wire::judges::{judge, reference};
use crate::wire::{EvidenceId, MessageId, Timestamp, sha256};
use proptest::prelude::*;
use std::ffi::OsStr;
use std::path::Path;

mod crosswalk;
mod mails;

fn bare_evidence(event: Event) -> Evidence {
    let message = MessageId::parse("5f2c@hs05.kep.tr").unwrap();
    Evidence {
        id: EvidenceId::derive(&message, event.name(), ""),
        event,
        reasons: Vec::new(),
        policies: Vec::new(),
        issuer: Issuer {
            name: "Örnek KEPHS A.Ş.".into(),
            address: "kepservisi@hs05.kep.tr".into(),
            ..Issuer::default()
        },
        event_time: Timestamp::from_millis(1_795_422_564_123),
        submission_time: None,
        due_time: None,
        issue_time: None,
        sender: Party { address: "ali.veli@hs05.kep.tr".into(), name: None },
        sender_authentication: None,
        recipient_authentication: None,
        recipients: vec![Party { address: "ayse@hs06.kep.tr".into(), name: None }],
        refers_to: None,
        external: None,
        message: MessageDetails {
            message_id: message.as_str().into(),
            ..MessageDetails::default()
        },
        opening: None,
    }
}

fn full_evidence(event: Event) -> Evidence {
    let at = |secs: i64| Some(Timestamp::from_secs(1_795_422_500 + secs));
    let authentication = |method: &str| {
        Some(Authentication { time: Timestamp::from_secs(1_795_422_000), method: method.into() })
    };
    let timed_out = matches!(
        event,
        Event::RelayFailure | Event::DeliveryExpiration | Event::RetrievalExpiration
    );
    let reason = match event {
        Event::DeliveryExpiration => Reason::NoDeliveryInfo,
        Event::RetrievalExpiration => Reason::RetentionPeriodExpired,
        _ => Reason::PolicyViolation,
    };
    Evidence {
        reasons: vec![
            Why { reason, details: None },
            Why { reason: Reason::MalwareFound, details: Some("EICAR <&> ek.zip".into()) },
        ],
        policies: vec!["urn:oid:2.16.792.1.0.0".into()],
        issuer: Issuer {
            postal: Some(PostalAddress {
                street: "Atatürk Bulvarı 1".into(),
                locality: "Ankara".into(),
                postal_code: "06000".into(),
                country: "TR".into(),
            }),
            certificate: Some(b"\x30\x03\x02\x01\x05".to_vec()),
            ..bare_evidence(event).issuer
        },
        submission_time: at(0),
        due_time: at(100).filter(|_| timed_out),
        issue_time: at(200).filter(|_| timed_out),
        sender: Party {
            address: "ali.veli@hs05.kep.tr".into(),
            name: Some("Ali \"Ağa\" Veli".into()),
        },
        sender_authentication: authentication("urn:x-kep:authentication:password"),
        recipient_authentication: authentication("urn:x-kep:authentication:otp"),
        recipients: vec![
            Party { address: "mert@hs05.kep.tr".into(), name: None },
            Party { address: "ayse@hs06.kep.tr".into(), name: Some("Ayşe Işık".into()) },
        ],
        refers_to: Some(2),
        external: Some("Karşı KEPHS A.Ş.".into()),
        message: MessageDetails {
            subject: "Sözleşme <taslağı> & ekleri".into(),
            ua_message_id: Some("ua-1@example.org".into()),
            digest: Some(ContentDigest::Sha256(sha256(b"x"))),
            ..bare_evidence(event).message
        },
        opening: Some(Opening { channel: "imap".into(), person: "Ayşe Işık".into() }),
        ..bare_evidence(event)
    }
}

/// Every event of a dialect, without and with the optional parts.
fn written(dialect: Dialect) -> Vec<(String, Evidence, String)> {
    let both = |event: Event| [("bare", bare_evidence(event)), ("full", full_evidence(event))];
    let named = Event::all().flat_map(|event| {
        both(event).map(|(kind, evidence)| (format!("{}-{kind}", event.name()), evidence))
    });
    named
        .filter_map(|(name, evidence)| {
            let text = evidence.write(dialect).ok()?;
            Some((name, evidence, text))
        })
        .collect()
}

const DIALECTS: [(Dialect, &str); 2] =
    [(Dialect::Ts102640, "ts102640"), (Dialect::En319522, "en319522")];

#[test]
fn every_event_reads_back_as_it_was_written() {
    for (dialect, _) in DIALECTS {
        let all = written(dialect);
        assert!(all.len() >= 34, "{}", all.len());
        for (name, evidence, text) in all {
            let read = Evidence::read(text.as_bytes()).unwrap();
            let mut expected = evidence.clone();
            if dialect == Dialect::En319522
                && !evidence.event.is_success()
                && name.ends_with("bare")
            {
                let reason = Reason::implied(evidence.event);
                expected.reasons = vec![Why { reason, details: None }];
            }
            assert_eq!(read.evidence, expected, "{name}\n{text}");
            assert_eq!(read.dialect, dialect);
            let digest = evidence.message.digest.is_some();
            assert_eq!(read.oddities.is_empty(), digest, "{name}: {:?}", read.oddities);
        }
    }
}

#[test]
fn every_evidence_is_valid_against_the_schema() {
    let schemas = [
        "xsd/rem-v2-ecodex/TS102640_v2.xsd",
        "xsd/erds-reconstructed/EVIDENCE19352v117-202201.xsd",
    ];
    for ((dialect, _), schema) in DIALECTS.into_iter().zip(schemas) {
        let Some(schema) = reference(schema) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = written(dialect)
            .iter()
            .map(|(name, _, text)| {
                let file = folder.path().join(format!("{name}.xml"));
                std::fs::write(&file, text).unwrap();
                file
            })
            .collect();
        let mut arguments: Vec<&OsStr> =
            ["--nonet", "--noout", "--schema"].iter().map(OsStr::new).collect();
        arguments.push(schema.as_os_str());
        arguments.extend(files.iter().map(|f| f.as_os_str()));
        let Some((good, said)) = judge("xmllint", &arguments) else { return };
        assert!(good, "{said}");
    }
}

/// The bundle of TS 102 640 has the XAdES schema of 2010, which knows no SigningCertificateV2: in a
/// temporary copy the one of EN 319 132-1 takes its place.
fn schema_of_signed_evidence(folder: &Path) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(reference("xsd/rem-v2-ecodex")?).unwrap() {
        let path = entry.unwrap().path();
        let octets = std::fs::read(&path).unwrap();
        std::fs::write(folder.join(path.file_name().unwrap()), octets).unwrap();
    }
    let newer = reference("xsd/xades-dss/XAdES01903v132-202407.xsd")?;
    let newer = std::fs::read_to_string(newer).unwrap().replace(
        "http://www.w3.org/TR/2008/REC-xmldsig-core-20080610/xmldsig-core-schema.xsd",
        "xmldsig-core-schema.xsd",
    );
    std::fs::write(folder.join("XAdES132.xsd"), newer).unwrap();
    Some(folder.join("TS102640_v2.xsd"))
}

#[test]
fn signed_evidence_is_valid_and_verifies_outside() {
    use crate::wire::SignatureAlgorithm;
    use crate::wire::xades::{tests::Key, tests::xmlsec1};
    let folder = tempfile::tempdir().unwrap();
    let schemas = [
        schema_of_signed_evidence(folder.path()),
        reference("xsd/erds-reconstructed/EVIDENCE19352v117-202201.xsd"),
    ];
    let algorithms = [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::EcdsaSha256];
    for ((dialect, _), schema) in DIALECTS.into_iter().zip(&schemas) {
        for algorithm in algorithms {
            let key = Key::new(algorithm);
            let evidence = full_evidence(Event::Retrieval);
            let text = key.sign(&evidence.write(dialect).unwrap());
            assert_eq!(Evidence::read(text.as_bytes()).unwrap().evidence, evidence);
            if let Some((good, said)) = xmlsec1(&key, &text) {
                assert!(good, "{said}");
            }
            let Some(schema) = schema else { continue };
            let file = folder.path().join("signed.xml");
            std::fs::write(&file, &text).unwrap();
            let flags = ["--nonet", "--noout", "--schema"].map(OsStr::new);
            let arguments = [&flags[..], &[schema.as_os_str(), file.as_os_str()]].concat();
            if let Some((good, said)) = judge("xmllint", &arguments) {
                assert!(good, "{said}");
            }
        }
    }
}

#[test]
fn the_wording_of_evidence_stays() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/evidence");
    for (dialect, label) in DIALECTS {
        for (name, _, text) in written(dialect) {
            let file = folder.join(format!("{label}-{name}.xml"));
            if std::env::var_os("KEP_BLESS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&file, &text).unwrap();
            }
            let golden = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(text, golden, "{} (KEP_BLESS=1 accepts)", file.display());
        }
    }
}

#[test]
fn what_the_schema_would_refuse_is_not_written() {
    let write = |change: fn(&mut Evidence)| {
        let mut evidence = full_evidence(Event::Delivery);
        change(&mut evidence);
        evidence.write(Dialect::Ts102640).err()
    };
    assert_eq!(write(|e| e.recipients.clear()), Some(EvidenceFault::Recipient));
    assert_eq!(write(|e| e.refers_to = Some(3)), Some(EvidenceFault::Recipient));
    assert_eq!(write(|e| e.refers_to = Some(0)), Some(EvidenceFault::Recipient));
    let empty = |fault| matches!(fault, Some(EvidenceFault::Empty(_)));
    assert!(empty(write(|e| e.sender.address.clear())));
    assert!(empty(write(|e| e.issuer.name.clear())));
    assert!(empty(write(|e| e.message.message_id = " ".into())));
    assert_eq!(
        bare_evidence(Event::Download).write(Dialect::En319522).err(),
        Some(EvidenceFault::NotInDialect(Event::Download))
    );
}

#[test]
fn events_have_one_row_each_and_are_found_again() {
    assert_eq!(Event::all().count(), 22);
    for event in Event::all() {
        assert_eq!(Event::by_name(event.name()), Some(event));
        if let Some((root, _)) = event.ts() {
            let code = event.ts_uri().unwrap();
            assert_eq!(Event::by_ts(root, Some(&code)), Some(event));
            let slashed = code.replacen("http:", "http://", 1);
            assert_eq!(Event::by_ts(root, Some(&slashed)), Some(event));
        }
        let found = event.en_uri().map(|uri| Event::by_en(&uri).unwrap());
        assert_eq!(found.and_then(Event::en), event.en());
    }
    let numbers: Vec<_> = Event::all().take(10).filter_map(Event::number).collect();
    assert_eq!(numbers, [10, 11, 20, 21, 31, 40, 41, 41, 60, 61]);
    assert_eq!(Event::by_ts("RelayREMMDFailure", None), Some(Event::RelayFailure));
    assert_eq!(Event::by_ts("SubmissionAcceptanceRejection", None), None);
}

#[test]
fn reasons_cross_between_the_dialects() {
    for reason in Reason::all() {
        let elder = Reason::by_ts(&reason.ts_uri()).unwrap();
        assert!(elder == reason || elder == Reason::Other, "{reason:?}");
        for event in Event::all() {
            let younger = Reason::by_en(&reason.en(event).1).unwrap();
            assert!(younger == reason || younger == Reason::Other, "{reason:?}");
        }
    }
    let en = |reason: Reason, event| reason.en(event).0;
    assert_eq!(en(Reason::MalwareFound, Event::SubmissionRejection), "RA03");
    assert_eq!(en(Reason::MalwareFound, Event::RelayRejection), "RB03");
    assert_eq!(en(Reason::UnknownRecipient, Event::RelayRejection), "RB21");
    assert_eq!(en(Reason::UnknownRecipient, Event::NonDelivery), "RD21");
    assert_eq!(en(Reason::MailboxFull, Event::NonDelivery), "RD04");
    assert_eq!(en(Reason::Other, Event::NonDelivery), "RDXX");
    let typo = "http://uri.etsi.org/REM/EventReason#R_REMMD_NotIdenified";
    assert_eq!(Reason::by_ts(typo), Some(Reason::ProviderNotIdentified));
}

#[test]
fn a_reason_of_the_younger_standard_survives_the_elder() {
    let mut evidence = full_evidence(Event::RelayFailure);
    evidence.reasons = vec![
        Why { reason: Reason::NoRelayInfo, details: None },
        Why { reason: Reason::NoRelayInfo, details: Some("24 saat".into()) },
    ];
    let text = evidence.write(Dialect::Ts102640).unwrap();
    assert_eq!(Evidence::read(text.as_bytes()).unwrap().evidence, evidence);
}

#[test]
fn evidence_of_others_is_read_with_its_oddities() {
    let Some(folder) = reference("xsd/examples") else { return };
    let read = |name: &str| Evidence::read(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let accepted = read("rem-v2-submission-acceptance.xml");
    assert_eq!(accepted.evidence.event, Event::SubmissionAcceptance);
    assert_eq!(accepted.evidence.issuer.address, "delil@hs01.kep.tr");
    assert_eq!(accepted.evidence.issuer.name, "Ornek KEPHS A.S.");
    let recipients: Vec<_> =
        accepted.evidence.recipients.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(recipients, ["b@hs02.kep.tr", "c@hs03.kep.tr"]);
    assert_eq!(accepted.evidence.message.message_id, "1.kep@hs01.kep.tr");
    assert_eq!(accepted.evidence.message.digest, Some(ContentDigest::Sha256(sha256(b""))));
    assert!(accepted.oddities.is_empty());
    let failed = read("rem-v2-delivery-failure.xml");
    assert_eq!(failed.evidence.event, Event::DeliveryExpiration);
    let why = Why { reason: Reason::MailboxFull, details: Some("quota".into()) };
    assert_eq!(failed.evidence.reasons, [why]);
    assert_eq!(failed.evidence.recipient().unwrap().address, "b@hs02.kep.tr");
    assert_eq!(failed.oddities, ["there is no digest of the message"]);
    let rejected = read("erds-samples/RelayRejection.RB04.xml");
    assert_eq!(rejected.evidence.event, Event::RelayRejection);
    assert_eq!(rejected.evidence.reasons[0].reason, Reason::InvalidUserSignature);
    assert_eq!(rejected.evidence.issuer.name, "R-REMS-2 provider");
    assert_eq!(rejected.evidence.external.as_deref(), Some("S-REMS-1 provider"));
    assert_eq!(rejected.evidence.recipients.len(), 2);
    assert_eq!((rejected.evidence.refers_to, rejected.oddities.len()), (None, 0));
    assert!(rejected.evidence.sender_authentication.is_some());
    let relayed = read("erds-samples/RelayFailure.RB21.xml");
    assert_eq!(relayed.evidence.event, Event::RelayFailure);
    assert_eq!(relayed.evidence.reasons[0].reason, Reason::UnknownRecipient);
    let consigned = read("erds-samples/ContentConsignmentt1.RD01.xml");
    assert_eq!(consigned.evidence.event, Event::Delivery);
    assert_eq!(consigned.evidence.refers_to, Some(1));
    assert!(consigned.evidence.reasons.is_empty());
    assert_eq!(read("erds-samples/RelayToNonERDS.RF01.xml").evidence.event, Event::RelayToNonRem);
    let received = read("erds-samples/ReceivedFromNonERDS.RF04.xml");
    assert_eq!(received.evidence.event, Event::ReceivedFromNonRem);
}

#[test]
fn strange_documents_are_named() {
    let fault = |text: &str| Evidence::read(text.as_bytes()).err().unwrap();
    assert_eq!(fault("<a/>"), EvidenceFault::Root("a".into()));
    let ts = "xmlns='http://uri.etsi.org/02640/v2#'";
    assert_eq!(fault(&format!("<Evil {ts}/>")), EvidenceFault::Root("Evil".into()));
    assert_eq!(
        fault(&format!("<SubmissionAcceptanceRejection {ts}/>")),
        EvidenceFault::Event("SubmissionAcceptanceRejection".into())
    );
    let text = full_evidence(Event::Delivery).write(Dialect::Ts102640).unwrap();
    let timeless = text.replace("EventTime>", "Time>");
    assert_eq!(fault(&timeless), EvidenceFault::Missing("EventTime"));
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-ZçğıöşüİŞ<>&\"'][ a-zA-Z0-9çğıöşüİŞ<>&\"'\t\r\n]{0,20}[a-z]"
}

fn address() -> impl Strategy<Value = String> {
    "[a-z]{1,8}(\\.[a-z]{1,4})?@hs[0-9]{2}\\.kep\\.tr"
}

fn party() -> impl Strategy<Value = Party> {
    (address(), prop::option::of(word())).prop_map(|(address, name)| Party { address, name })
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0i64..4_000_000_000_000).prop_map(Timestamp::from_millis)
}

fn authentication() -> impl Strategy<Value = Option<Authentication>> {
    let inner = (time(), "urn:x:[a-z]{1,9}");
    prop::option::of(inner.prop_map(|(time, method)| Authentication { time, method }))
}

prop_compose! {
    fn any_evidence()(
        event in (0usize..10).prop_map(|n| Event::all().nth(n).unwrap()),
        reasons in prop::collection::vec((0usize..15, prop::option::of(word())), 1..3),
        (policy, name, subject, person) in (prop::option::of("urn:[a-z]{1,9}"), word(), word(), word()),
        times in prop::array::uniform3(prop::option::of(time())),
        event_time in time(),
        (sender, recipients) in (party(), prop::collection::vec(party(), 1..4)),
        (sender_authentication, recipient_authentication) in (authentication(), authentication()),
        (refers, open, other) in (any::<prop::sample::Index>(), any::<bool>(), any::<bool>()),
        digest in any::<[u8; 32]>(),
    ) -> Evidence {
        let mut reasons: Vec<Why> = reasons
            .into_iter()
            .map(|(n, details)| Why { reason: Reason::all().nth(n).unwrap(), details })
            .collect();
        let timed_out = |why: &Why| matches!(why.reason, Reason::NoDeliveryInfo | Reason::RetentionPeriodExpired);
        let [submission_time, mut due_time, issue_time] = times;
        match event {
            Event::DeliveryExpiration => reasons.push(Why { reason: Reason::NoDeliveryInfo, details: None }),
            Event::NonDelivery => {
                reasons.retain(|why| !timed_out(why));
                reasons.push(Why { reason: Reason::MailboxFull, details: None });
                due_time = None;
            }
            _ => {}
        }
        let digest = if other {
            ContentDigest::Other { algorithm: "urn:other".into(), value: digest[..20].to_vec() }
        } else {
            ContentDigest::Sha256(crate::wire::Digest(digest))
        };
        let full = full_evidence(event);
        Evidence {
            reasons,
            policies: policy.into_iter().collect(),
            issuer: Issuer { name, ..full.issuer },
            event_time,
            submission_time,
            due_time,
            issue_time,
            sender,
            sender_authentication,
            recipient_authentication,
            refers_to: Some(refers.index(recipients.len()) + 1),
            recipients,
            external: open.then(|| subject.clone()),
            message: MessageDetails { subject, digest: Some(digest), ..full.message },
            opening: open.then_some(Opening { channel: "portal".into(), person }),
            ..bare_evidence(event)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_evidence_reads_back(evidence in any_evidence()) {
        for (dialect, _) in DIALECTS {
            let text = evidence.write(dialect).unwrap();
            let read = Evidence::read(text.as_bytes()).unwrap();
            prop_assert_eq!(&read.evidence, &evidence);
            prop_assert!(read.oddities.is_empty());
        }
    }

    #[test]
    fn random_octets_are_never_evidence(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Evidence::read(&octets);
    }

    #[test]
    fn changed_evidence_never_panics(at in any::<prop::sample::Index>(), octet in any::<u8>(), dialect in 0usize..2) {
        let mut octets = full_evidence(Event::Delivery).write(DIALECTS[dialect].0).unwrap().into_bytes();
        let at = at.index(octets.len());
        octets[at] = octet;
        let _ = Evidence::read(&octets);
    }
}

#[test]
fn a_users_message_id_too_long_for_a_line_is_left_out_of_the_headers() {
    let field = |len: usize| {
        let mut evidence = bare_evidence(Event::SubmissionAcceptance);
        evidence.message.ua_message_id = Some("x".repeat(len));
        let fields = RemHeaders::of(&evidence, MessageKind::Evidence).fields();
        fields.into_iter().find(|(name, _)| *name == "REM-UAMessageIdentifier")
    };
    assert_eq!(field(250).unwrap().1.len(), 252);
    assert_eq!(field(251), None);
}
