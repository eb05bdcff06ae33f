use super::text::{Long, Sms, Turkish, sms};
use super::*;
use proptest::prelude::*;

const TURKISH: &str = "Şu iletiniz okunmadı: ığdır, çağrı, ÖĞÜN";

fn back(sms: &Sms) -> String {
    let octets = sms.parts.iter().flat_map(|(octets, udh)| match udh {
        true => octets[usize::from(octets[0]) + 1..].to_vec(),
        false => octets.clone(),
    });
    let octets: Vec<_> = octets.collect();
    let shift = match sms.parts[0].0.get(1) {
        Some(0x24) if sms.parts[0].1 => gsm::Shift::Turkish,
        _ => gsm::Shift::Default,
    };
    if sms.data_coding == 8 {
        let units = octets.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        return String::from_utf16(&units.collect::<Vec<_>>()).unwrap();
    }
    let mut rest = octets.as_slice();
    let mut text = String::new();
    let letters: Vec<_> = (' '..='\u{20ac}').chain(['\n']).collect();
    while !rest.is_empty() {
        let found = letters.iter().find_map(|letter| {
            let septets = gsm::septets(*letter, shift)?.octets();
            rest.starts_with(&septets).then_some((*letter, septets.len()))
        });
        let (letter, length) = found.unwrap();
        text.push(letter);
        rest = &rest[length..];
    }
    text
}

#[test]
fn a_text_is_sent_in_the_narrowest_way_that_carries_it() {
    let of = |text: &str, turkish| sms(text, turkish, Long::Parts, 7);
    let plain = of("Merhaba", Turkish::Ucs2);
    assert_eq!(
        (plain.data_coding, plain.parts.as_slice()),
        (0, &[(b"Merhaba".to_vec(), false)][..])
    );
    let wide = of(TURKISH, Turkish::Ucs2);
    assert_eq!((wide.data_coding, wide.parts.len()), (8, 1));
    assert_eq!(back(&wide), TURKISH);
    let shifted = of(TURKISH, Turkish::Shift);
    assert_eq!((shifted.data_coding, &shifted.parts[0].0[..4]), (0, &[3, 0x24, 1, 1][..]));
    assert_eq!(back(&shifted), TURKISH);
    assert_eq!(back(&of(TURKISH, Turkish::Plain)), "Su iletiniz okunmadi: igdir, cagri, ÖGÜN");
    assert_eq!(of("日本", Turkish::Shift).data_coding, 8, "the table lacks it");
}

#[test]
fn a_long_text_is_cut_between_letters_and_numbered() {
    for (text, turkish, most, parts) in [
        ("a".repeat(160), Turkish::Ucs2, 160, 1),
        ("a".repeat(161), Turkish::Ucs2, 160, 2),
        ("€".repeat(80), Turkish::Ucs2, 160, 1),
        ("€".repeat(153), Turkish::Ucs2, 160, 3),
        ("ş".repeat(70), Turkish::Ucs2, 140, 1),
        ("ş".repeat(71), Turkish::Ucs2, 140, 2),
        ("😀".repeat(36), Turkish::Ucs2, 140, 2),
        ("a".repeat(154) + "ı", Turkish::Shift, 164, 2),
        ("a".repeat(153) + "ı", Turkish::Shift, 164, 1),
    ] {
        let cut = sms(&text, turkish, Long::Parts, 9);
        assert_eq!(cut.parts.len(), parts, "{text}");
        assert_eq!(back(&cut), text);
        for (n, (octets, udh)) in cut.parts.iter().enumerate() {
            assert!(octets.len() <= most, "{} octets", octets.len());
            assert_eq!(*udh, parts > 1 || turkish == Turkish::Shift);
            if parts > 1 {
                let length = usize::from(octets[0]);
                assert_eq!(octets[length - 4..=length], [0, 3, 9, parts as u8, n as u8 + 1]);
            }
        }
        let payload = sms(&text, turkish, Long::Payload, 9);
        assert_eq!((payload.parts.len(), payload.payload), (1, parts > 1));
        assert_eq!(back(&payload), text);
    }
}

#[test]
fn a_receipt_is_read_from_parameters_or_from_its_text() {
    let text = "id:0123456789 sub:001 dlvrd:001 submit date:2611290100 done date:2611290101 \
                stat:UNDELIV err:011 text:x";
    let mut message = Message {
        esm_class: Message::RECEIPT,
        octets: text.as_bytes().to_vec(),
        ..Message::default()
    };
    let said = Receipt::of(&message).unwrap();
    assert_eq!((said.id.as_str(), said.fate.word()), ("0123456789", "undeliverable"));
    message.receipted = Some("ab12".into());
    message.state = Some(2);
    let said = Receipt::of(&message).unwrap();
    assert_eq!((said.id.as_str(), said.fate), ("ab12", Fate::Delivered));
    message.esm_class = 0;
    assert_eq!(Receipt::of(&message), None, "a phone wrote it");
    let nothing = Message { esm_class: Message::RECEIPT, ..Message::default() };
    assert_eq!(Receipt::of(&nothing), None);
}

#[test]
fn what_is_written_is_what_the_specification_shows() {
    // §2.8's layout by hand: header, then fields in order.
    let bind = Bind {
        system_id: "kep".into(),
        password: "secret08longer".into(),
        system_type: "SMPP3TEST".into(),
    };
    let octets = Pdu::request(1, Body::Bind(bind)).write();
    assert_eq!(
        octets,
        b"\0\0\0\x2b\0\0\0\x09\0\0\0\0\0\0\0\x01kep\0secret08\0SMPP3TEST\0\x34\0\0\0"
    );
    let link = Pdu::request(u32::MAX, Body::EnquireLink).write();
    assert_eq!(link, b"\0\0\0\x10\0\0\0\x15\0\0\0\0\xff\xff\xff\xff");
}

#[test]
fn lengths_that_cannot_be_are_no_pdus() {
    assert_eq!(frame(b"\0\0\0"), Ok(None));
    assert_eq!(frame(b"\0\0\0\x10\0"), Ok(None));
    assert_eq!(frame(b"\0\0\0\x0f"), Err(PduError::Length(15)));
    assert_eq!(frame(b"\xff\xff\xff\xff"), Err(PduError::Length(u32::MAX)));
    let taken = Pdu::parse(b"\0\0\0\x10\x80\0\0\x04\0\0\0\x58\0\0\0\x02").unwrap();
    assert_eq!(taken.body, Body::SubmitAnswer(String::new()));
    assert_eq!((taken.status, taken.status.verdict()), (Status::THROTTLED, Verdict::Slower));
    assert_eq!(taken.status.to_string(), "ESME_RTHROTTLED (0x58)");
}

fn texts(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(0x21_u8..0x7f, 0..=most)
        .prop_map(|octets| String::from_utf8(octets).unwrap())
}

fn messages() -> impl Strategy<Value = Message> {
    let address = || (any::<u8>(), any::<u8>(), texts(20));
    let address = || address().prop_map(|(ton, npi, text)| Address { ton, npi, text });
    let octets = proptest::collection::vec(any::<u8>(), 0..=254);
    let payload = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..2000));
    let whole = (address(), address(), any::<[u8; 3]>(), texts(16), octets, payload);
    let optional = (proptest::option::of(texts(64)), proptest::option::of(any::<u8>()));
    (whole, optional).prop_map(|((from, to, flags, validity, octets, payload), (id, state))| {
        Message {
            from,
            to,
            esm_class: flags[0],
            registered: flags[1],
            data_coding: flags[2],
            validity,
            octets: if payload.is_some() { Vec::new() } else { octets },
            payload,
            receipted: id,
            state,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in messages(), sequence in any::<u32>(), deliver in any::<bool>()) {
        let body = if deliver { Body::Deliver(message) } else { Body::Submit(message) };
        let pdu = Pdu::request(sequence, body);
        let octets = pdu.write();
        prop_assert_eq!(frame(&octets), Ok(Some(octets.as_slice())));
        prop_assert_eq!(Pdu::parse(&octets), Ok(pdu));
    }

    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = frame(&octets);
        let _ = Pdu::parse(&octets);
        // With a header that leads to each of the forms.
        for id in [4_u32, 5, 6, 9, 0x15, 0x8000_0004, 0x8000_0009] {
            let mut whole = vec![0; 4];
            whole.extend(id.to_be_bytes());
            whole.extend(&octets);
            if let Ok(Pdu { body: Body::Deliver(message) | Body::Submit(message), .. }) =
                Pdu::parse(&whole)
            {
                let _ = Receipt::of(&message);
            }
        }
    }

    #[test]
    fn whatever_the_text_it_comes_back_whole(text in "[ -~€şŞğĞıİçÇöÖüÜ\n]{0,400}", shift in any::<bool>()) {
        let turkish = if shift { Turkish::Shift } else { Turkish::Ucs2 };
        for long in [Long::Parts, Long::Payload] {
            let cut = sms(&text, turkish, long, 0);
            // The grave accent is in no alphabet of phones.
            prop_assert_eq!(&back(&cut), &text);
        }
    }
}
