//! Mails: composing, cutting apart, headers, encodings.

use super::super::encode::{from_quoted_printable, quoted_printable, words};
use super::*;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::X509;

fn envelope(kind: MessageKind) -> Envelope {
    let evidence = full_evidence(Event::Delivery);
    Envelope {
        from: Mailbox {
            name: Some("ali.veli@hs05.kep.tr adına".into()),
            address: "kepservisi@hs05.kep.tr".into(),
        },
        reply_to: Some(Mailbox { name: None, address: "ali.veli@hs05.kep.tr".into() }),
        to: vec![
            Mailbox { name: None, address: "ayse@hs06.kep.tr".into() },
            Mailbox { name: Some("Mert \"M\" K".into()), address: "mert@hs05.kep.tr".into() },
        ],
        cc: Vec::new(),
        subject: message_subject("Çok uzun bir konu: ışığın gölgesinde öğütülmüş şeyler üzerine"),
        date: Timestamp::from_secs(1_795_422_564),
        message_id: "5f2c@hs05.kep.tr".into(),
        in_reply_to: Some("ua-1@example.org".into()),
        references: vec!["a@b".into(), "not\u{131}ascii@b".into(), "ua-1@example.org".into()],
        rem: RemHeaders::of(&evidence, kind),
        extra: vec![("X-Test", "1".into())],
        random: [7; 16],
        micalg: "sha-256",
    }
}

fn introduction() -> Introduction {
    Template::dispatch().render(&[
        ("subject", "Konu <b>kalın</b> & {sender}"),
        ("sender", "ali.veli@hs05.kep.tr"),
        ("time", "23.11.2026 11:29:24"),
    ])
}

fn compose(original: Option<&[u8]>) -> Composed {
    let kind = if original.is_some() { MessageKind::Dispatch } else { MessageKind::Evidence };
    let xml = full_evidence(Event::Delivery).write(Dialect::Ts102640).unwrap();
    let file =
        EvidenceFile { name: "DeliveryNonDeliveryToRecipient.xml".into(), xml: xml.as_bytes() };
    Composed::new(&envelope(kind), &introduction(), original, &[file]).unwrap()
}

fn whole(composed: &Composed, original: &[u8], signature: &[u8]) -> Vec<u8> {
    [composed.head().as_slice(), original, &composed.tail(signature)].concat()
}

const ORIGINAL: &[u8] =
    b"From: a@hs05.kep.tr\r\nMessage-ID: <ua-1@example.org>\r\nSubject: x\r\n\r\nmerhaba\r\n";

#[test]
fn bytes_in_are_bytes_out() {
    let long = [b"From: a\r\n\r\n".as_slice(), &[b'x'; 2000]].concat();
    let originals: [&[u8]; 7] = [
        ORIGINAL,
        b"",
        b"\r\n",
        b"no end",
        b"Subject: \xfe\xff\r\n\r\n\xe7\r\n\r\n",
        b"a\nb\rc\0\r\n--=_kep_m_x\r\n--",
        &long,
    ];
    for original in originals {
        let composed = compose(Some(original));
        let mail = whole(&composed, original, b"signature");
        let opened = Opened::read(&mail).unwrap();
        let found = opened.original.as_ref().unwrap();
        assert!(matches!(found, Original::At(_)));
        assert_eq!(found.octets(&mail), original);
        let signed = [composed.before_original(), original, composed.after_original()].concat();
        assert_eq!(&mail[opened.signed.clone().unwrap()], signed);
        assert_eq!(opened.signature_der.as_deref(), Some(b"signature".as_slice()));
        assert!(opened.introduction.is_some());
        let evidence = Evidence::read(&opened.evidence[0].xml).unwrap().evidence;
        assert_eq!(evidence, full_evidence(Event::Delivery));
        assert_eq!(
            opened.evidence[0].file_name.as_deref(),
            Some("DeliveryNonDeliveryToRecipient.xml")
        );
        assert_eq!(opened.headers, RemHeaders::of(&evidence, MessageKind::Dispatch));
        assert!(opened.oddities.is_empty(), "{:?}", opened.oddities);
    }
}

#[test]
fn an_evidence_mail_has_no_original_and_is_seven_bit() {
    let composed = compose(None);
    let mail = whole(&composed, b"", b"signature");
    assert!(mail.is_ascii());
    let opened = Opened::read(&mail).unwrap();
    assert_eq!(opened.original, None);
    assert_eq!(opened.evidence.len(), 1);
    assert_eq!(opened.headers.kind, Some(MessageKind::Evidence));
    assert!(
        mail.split(|b| *b == b'\n').all(|line| line.len() <= 200 && line.last() != Some(&b' '))
    );
}

#[test]
fn the_transfer_encoding_tells_what_the_original_has() {
    let encoding = |original: &[u8]| {
        let before = compose(Some(original)).before_original().to_vec();
        let text = String::from_utf8(before).unwrap();
        let line = text.lines().rfind(|l| l.starts_with("Content-Transfer-Encoding")).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(encoding(ORIGINAL), "7bit");
    assert_eq!(encoding("ğ\r\n".as_bytes()), "8bit");
    assert_eq!(encoding(b"a\nb"), "binary");
    assert_eq!(encoding(b"a\0"), "binary");
    assert_eq!(encoding(&[b'x'; 999]), "binary");
}

#[test]
fn an_original_with_the_boundary_is_refused() {
    let text = format!("x\r\n--=_kep_m_{}\r\n", "07".repeat(16));
    let made = Composed::new(
        &envelope(MessageKind::Dispatch),
        &introduction(),
        Some(text.as_bytes()),
        &[],
    );
    assert_eq!(made, Err(ComposeFault::Boundary));
}

#[test]
fn header_injection_is_impossible() {
    let mut bad = envelope(MessageKind::Evidence);
    bad.extra = vec![("X-Test", "a\r\nBcc: x@y".into())];
    let made = Composed::new(&bad, &introduction(), None, &[]);
    assert_eq!(made, Err(ComposeFault::Field("X-Test".into())));
    bad.extra.clear();
    bad.subject = "a\r\n\r\nb\r\nBcc: x".into();
    bad.to[0].name = Some("x\r\nBcc: y".into());
    bad.rem.sender = Some("x>\r\nBcc: z".into());
    let made = Composed::new(&bad, &introduction(), None, &[]).unwrap();
    let text = String::from_utf8(made.outer_header().to_vec()).unwrap();
    assert!(!text.contains("\r\nBcc"), "{text}");
}

#[test]
fn another_mail_reader_sees_the_same() {
    let composed = compose(Some(ORIGINAL));
    let mail = whole(&composed, ORIGINAL, b"signature");
    let message = mail_parser::MessageParser::default().parse(&mail).unwrap();
    assert_eq!(message.subject(), Some(envelope(MessageKind::Dispatch).subject.as_str()));
    let from = message.from().unwrap().first().unwrap();
    assert_eq!(from.name(), Some("ali.veli@hs05.kep.tr adına"));
    assert_eq!(from.address(), Some("kepservisi@hs05.kep.tr"));
    assert_eq!(message.to().unwrap().last().unwrap().name(), Some("Mert \"M\" K"));
    let text = message.body_text(0).unwrap();
    assert!(text.contains("Konu: Konu <b>kalın</b> & {sender}"), "{text}");
    assert!(text.find("KEP iletisi").unwrap() < text.find("Registered e-mail").unwrap());
    let html = message.body_html(0).unwrap();
    assert!(html.contains("&lt;b&gt;kalın&lt;/b&gt; &amp; {sender}"), "{html}");
    assert!(!html.contains("<b>"));
    assert!(!text.contains("Alıcılar"), "a line without its value is left out");
}

#[test]
fn openssl_verifies_the_signed_octets() {
    let folder = tempfile::tempdir().unwrap();
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();
    let composed = compose(Some("Subject: ş\r\n\r\nğ\r\n".as_bytes()));
    let original = "Subject: ş\r\n\r\nğ\r\n".as_bytes();
    let octets = [composed.before_original(), original, composed.after_original()].concat();
    let flags = openssl::cms::CMSOptions::DETACHED | openssl::cms::CMSOptions::BINARY;
    let cms = openssl::cms::CmsContentInfo::sign(
        Some(&certificate),
        Some(&key),
        None,
        Some(&octets),
        flags,
    )
    .unwrap();
    let file = folder.path().join("mail.eml");
    std::fs::write(&file, whole(&composed, original, &cms.to_der().unwrap())).unwrap();
    let arguments = ["cms", "-verify", "-noverify", "-in"].map(OsStr::new);
    let mut arguments = arguments.to_vec();
    arguments.push(file.as_os_str());
    let Some((good, said)) = judge("openssl", &arguments) else { return };
    assert!(good, "{said}");
}

#[test]
fn mails_of_others_are_cut_apart() {
    let Some(folder) = reference("xsd/examples/rem-eml") else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let kinds = [
        ("REM_Dispatch.RA01.eml", MessageKind::Dispatch, Event::SubmissionAcceptance),
        ("REM_SubmissionAcceptance.RA01.eml", MessageKind::Evidence, Event::SubmissionAcceptance),
        ("REM_RelayAcceptance.RB01.eml", MessageKind::Evidence, Event::RelayAcceptance),
        ("REM_ContentConsignment1.RD01.eml", MessageKind::Evidence, Event::Delivery),
    ];
    for (name, kind, event) in kinds {
        let mail = read(name);
        let opened = Opened::read(&mail).unwrap();
        assert_eq!(
            (opened.headers.kind, opened.headers.event),
            (Some(kind), Some(event)),
            "{name}"
        );
        assert!(opened.oddities.is_empty(), "{name}: {:?}", opened.oddities);
        assert!(opened.introduction.is_some());
        let [found] = &opened.evidence[..] else { panic!("{name}") };
        let evidence = Evidence::read(&found.xml).unwrap();
        assert_eq!(evidence.evidence.event, event);
        assert!(evidence.oddities.is_empty(), "{name}: {:?}", evidence.oddities);
        assert_eq!(
            evidence.evidence.message.digest.clone(),
            opened.headers.digest.map(ContentDigest::Sha256)
        );
        assert_eq!(opened.headers.evidence_id.as_deref(), Some(evidence.evidence.id.as_str()));
        let xml = crate::wire::xml::Xml::parse(&found.xml).unwrap();
        let signature = crate::wire::xades::Signature::read(&xml).unwrap();
        assert!(signature.references.iter().all(|r| r.holds()), "{name}");
        if let Some(original) = &opened.original {
            let digest = sha256(original.octets(&mail));
            assert_eq!(Some(digest), opened.headers.digest);
            assert_eq!(original.octets(&mail), read("original_message.to_attach_to_dispatch.eml"));
        }
        assert_eq!(opened.original.is_some(), kind == MessageKind::Dispatch);
        let cms = openssl::cms::CmsContentInfo::from_der(opened.signature_der.as_ref().unwrap());
        let flags =
            openssl::cms::CMSOptions::NO_SIGNER_CERT_VERIFY | openssl::cms::CMSOptions::BINARY;
        let stack = openssl::x509::store::X509StoreBuilder::new().unwrap().build();
        let octets = &mail[opened.signed.clone().unwrap()];
        cms.unwrap().verify(None, Some(&stack), Some(octets), None, flags).unwrap();
    }
}

#[test]
fn a_mail_without_section_types_is_understood() {
    let mail = whole(&compose(Some(ORIGINAL)), ORIGINAL, b"s");
    let text = String::from_utf8(mail).unwrap().replace("REM-Section-Type", "Section");
    let opened = Opened::read(text.as_bytes()).unwrap();
    assert_eq!(opened.original.unwrap().octets(text.as_bytes()), ORIGINAL);
    assert_eq!(opened.evidence.len(), 1);
    assert!(opened.introduction.is_some());
}

#[test]
fn what_is_no_rem_mail_is_said_to_be_none() {
    assert_eq!(Opened::read(b"Subject: x\r\n\r\nhello\r\n").err(), Some(OpenFault::NotRem));
    assert_eq!(Opened::read(b"").err(), Some(OpenFault::NotRem));
    let mail = whole(&compose(Some(ORIGINAL)), ORIGINAL, b"s");
    let text = String::from_utf8(mail).unwrap();
    let no_signature = text.replace("application/pkcs7-signature; name", "text/plain; name");
    assert_eq!(Opened::read(no_signature.as_bytes()).err(), Some(OpenFault::Envelope));
    let two = text.replace("rem_message/xml_evidence", "rem_message/original");
    assert_eq!(Opened::read(two.as_bytes()).err(), Some(OpenFault::TwoOriginals));
}

#[test]
fn headers_are_written_in_both_families_and_read_from_either() {
    for event in Event::all().filter(|e| e.ts().is_some() && e.en().is_some()) {
        let mut headers = RemHeaders::of(&full_evidence(event), MessageKind::Evidence);
        headers.relay_time = Some(Timestamp::from_secs(1_795_422_564));
        let fields = headers.fields();
        let pairs = || fields.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(RemHeaders::read(pairs()), headers, "{event:?}");
        let elder = RemHeaders::read(pairs().filter(|(name, _)| name.starts_with("X-")));
        assert_eq!((elder.event, elder.kind), (Some(event), headers.kind));
        assert_eq!(elder.digest, headers.digest);
        let younger = RemHeaders::read(pairs().filter(|(name, _)| !name.starts_with("X-")));
        assert_eq!(younger.event.and_then(Event::en), event.en());
        assert_eq!(younger.evidence_id, headers.evidence_id);
    }
}

#[test]
fn an_introduction_tells_what_the_evidence_says() {
    let values = values_of(&full_evidence(Event::RetrievalExpiration));
    let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let made = Template::evidence().render(&values);
    for line in [
        "KEP delili: Zaman aşımından okundu",
        "İlgili alıcı: ayse@hs06.kep.tr",
        "Neden: Süre doldu, Zararlı yazılım bulundu",
        "Evidence: Retrieval expiration",
        "Reason: Period expired, Malware found",
        "End of the period: 23.11.2026 11:30:00",
    ] {
        assert!(made.text.contains(&format!("{line}\r\n")), "{line}\n{}", made.text);
    }
    assert!(made.html.contains("Sözleşme &lt;taslağı&gt; &amp; ekleri"));
}

#[test]
fn subjects_name_the_event() {
    assert_eq!(evidence_subject(Event::Delivery, "Konu"), "[KEP Delili: Teslim edildi] Konu");
    assert_eq!(words("[KEP] plain"), "[KEP] plain");
    assert!(words("İleti").starts_with("=?UTF-8?B?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn quoted_printable_reads_back(text in "[ -~çğıŞ=\t.]{0,200}(\r\n[ -~ş=.]{0,90}){0,3}") {
        let mut encoded = String::new();
        quoted_printable(&mut encoded, &text);
        prop_assert!(encoded.is_ascii());
        prop_assert!(encoded.split("\r\n").all(|line| line.len() <= 76));
        let mut expected: String = text.lines().map(|l| format!("{l}\r\n")).collect();
        if text.is_empty() { expected.clear(); }
        prop_assert_eq!(from_quoted_printable(encoded.as_bytes()), expected.into_bytes());
    }

    #[test]
    fn any_subject_survives(subject in "[ -~çğıİŞş\u{1F600}]{1,120}") {
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assume!(!subject.is_empty());
        let mail = format!("Subject: {}\r\n\r\n", words(&subject));
        prop_assert!(mail.is_ascii());
        prop_assert!(mail.split("\r\n").all(|line| line.len() <= 110));
        let message = mail_parser::MessageParser::default().parse(&mail).unwrap();
        prop_assert_eq!(message.subject().unwrap_or(""), subject);
    }

    #[test]
    fn any_original_comes_out_again(original in prop::collection::vec(any::<u8>(), 0..200)) {
        let mail = whole(&compose(Some(&original)), &original, b"s");
        let opened = Opened::read(&mail).unwrap();
        let found = opened.original.unwrap();
        prop_assert_eq!(found.octets(&mail), original.as_slice());
    }

    #[test]
    fn mail_like_octets_never_panic(
        text in "(Content-Type: (multipart/(signed|mixed)|message/rfc822|application/pkcs7-signature)(;boundary=\"?b\\\\?\"?)?\r\n|\r\n|--b(--)?\r?\n|[ -~\r\n=;]{0,9}){0,12}"
    ) {
        let _ = Opened::read(text.as_bytes());
    }

    #[test]
    fn a_cut_mail_never_panics(cut in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut mail = whole(&compose(Some(ORIGINAL)), ORIGINAL, b"s");
        let at = cut.index(mail.len());
        let _ = Opened::read(&mail[..at]);
        mail[at] = octet;
        let _ = Opened::read(&mail);
    }
}
