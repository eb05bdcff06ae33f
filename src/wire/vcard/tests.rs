//! The shapes of RFC 6350, RFC 2426 and of programs that write 2.1, and octets nobody should write.

use super::*;
use proptest::prelude::*;

fn one(octets: &[u8]) -> Card {
    let all: Vec<_> = read(octets).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap().card.unwrap()
}

fn bad(octets: &[u8]) -> Vec<Bad> {
    read(octets).filter_map(|entry| entry.card.err()).collect()
}

const FOUR: &str = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\r\n\
    FN;PID=1.1:Ayşe Yılmaz\r\nN:Yılmaz;Ayşe;;;\r\n\
    EMAIL;PID=4.1,5.1;PREF=1;TYPE=work:ayse@hs05.kep.tr\r\n\
    CLIENTPIDMAP:1;urn:uuid:53e374d9-337e-4727-8803-a1e9c14e0556\r\n\
    item1.ADR;LABEL=\"Atatürk Bulvarı, No: 1^n06420 Ankara\":;;Atatürk Bulvarı\\, No: 1;Çankaya;Ankara\r\n \
    ;06420;Türkiye\r\nNOTE:Bir\\nİki\\, üç\\; dört\\\\\r\nX-UNKNOWN;X-A=b,\"c;d\":kept as it is\r\nEND:VCARD\r\n";

#[test]
fn a_card_of_version_4_keeps_all_it_came_with() {
    let card = one(FOUR.as_bytes());
    assert_eq!(card.text("FN"), "Ayşe Yılmaz");
    assert_eq!(card.text("NOTE"), "Bir\nİki, üç; dört\\");
    let address = card.first("ADR").unwrap();
    assert_eq!(address.group.as_deref(), Some("item1"));
    assert_eq!(
        address.values("LABEL").collect::<Vec<_>>(),
        ["Atatürk Bulvarı, No: 1\n06420 Ankara"]
    );
    let parts = components(&address.value);
    assert_eq!(parts[2], ["Atatürk Bulvarı, No: 1"]);
    assert_eq!(parts[6], ["Türkiye"]);
    let unknown = card.first("X-UNKNOWN").unwrap();
    assert_eq!(unknown.values("X-A").collect::<Vec<_>>(), ["b", "c;d"]);
    let again = one(card.to_string().as_bytes());
    assert_eq!(again, card);
    assert!(card.to_string().split("\r\n").all(|line| line.len() <= 75));
}

#[test]
fn the_preferred_property_is_the_first() {
    let card = one(
        b"BEGIN:VCARD\nVERSION:4.0\nTEL;PREF=50:1\nTEL:2\nTEL;PREF=1;TYPE=home:3\nTEL;PREF=0:4\n\
        END:VCARD\n",
    );
    assert_eq!(card.text("TEL"), "3");
    assert_eq!(card.all("TEL").count(), 4);
}

#[test]
fn cards_of_version_3_and_2_become_4() {
    let three = "BEGIN:VCARD\nVERSION:3.0\nFN:Özgür Şen\nTEL;TYPE=CELL,PREF;TYPE=VOICE:+90 532 000 00 00\n\
        PHOTO;ENCODING=b;TYPE=JPEG:MIIC\n ajCC\nCATEGORIES:Müşteri,Avukat\\, hukuk\nEND:VCARD\n";
    let card = one(three.as_bytes());
    assert_eq!(card.text("PHOTO"), "data:image/jpeg;base64,MIICajCC");
    let telephone = card.first("TEL").unwrap();
    assert!(telephone.is_type("cell") && telephone.is_type("voice") && !telephone.is_type("pref"));
    assert_eq!(telephone.preference(), 1);
    assert_eq!(items(&card.first("CATEGORIES").unwrap().value), ["Müşteri", "Avukat, hukuk"]);
    assert_eq!(one(card.to_string().as_bytes()), card);

    let two = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C5=9Een;=C3=96zg=\r\n\
        =C3=BCr;;;\r\nTEL;CELL;PREF:0532\r\nFN;CHARSET=windows-1254:\xd6zg\xfcr \xdeen\r\n\
        NOTE;CHARSET=ISO-8859-9;QUOTED-PRINTABLE:bir=0D=0Aiki =DE\r\nEND:VCARD\r\n";
    let card = one(two);
    assert_eq!(components(&card.first("N").unwrap().value)[..2], [["Şen"], ["Özgür"]]);
    assert_eq!(card.text("FN"), "Özgür Şen");
    assert_eq!(card.text("NOTE"), "bir\niki Ş");
    assert!(card.first("TEL").unwrap().is_type("cell"));
    assert!(card.properties.iter().all(|one| one.values("CHARSET").next().is_none()));
}

#[test]
fn letters_that_a_fold_cuts_in_two_are_whole() {
    let octets = [&b"BEGIN:VCARD\r\nFN:A\xc5"[..], b"\r\n \x9fk\r\nEND:VCARD"].concat();
    assert_eq!(one(&octets).text("FN"), "Aşk");
    let bom = [b"\xef\xbb\xbf".as_slice(), b"begin:vcard\nfn:\xfe\nend:vcard"].concat();
    assert_eq!(one(&bom).text("FN"), "ş", "undeclared and no UTF-8: Turkey's habit");
}

#[test]
fn a_bad_card_is_told_with_its_line_and_the_next_is_read() {
    let file = b"hello\nworld\nBEGIN:VCARD\nVERSION:4.0\nno colon\nEND:VCARD\nBEGIN:VCARD\nFN:a\0b\nEND:VCARD\n\
        BEGIN:VCARD\nVERSION:5.0\nFN:x\nEND:VCARD\nBEGIN:VCARD\nBEGIN:VCARD\nFN:in\nEND:VCARD\nFN:out\nEND:VCARD\n\
        BEGIN:VCARD\nPHOTO;ENCODING=b:%%\nEND:VCARD\nBEGIN:VCARD\nFN:good\nEND:VCARD\nBEGIN:VCARD\nFN:cut";
    let all: Vec<_> = read(file).collect();
    let told: Vec<_> = all.iter().map(|entry| (entry.line, entry.card.clone().err())).collect();
    assert_eq!(
        told,
        [
            (1, Some(Bad::Outside)),
            (3, Some(Bad::Line)),
            (7, Some(Bad::Control)),
            (10, Some(Bad::Version)),
            (14, Some(Bad::Nested)),
            (20, Some(Bad::Encoding)),
            (23, None),
            (26, Some(Bad::Endless)),
        ]
    );
}

#[test]
fn what_is_too_much_is_refused_without_work() {
    let many = format!("BEGIN:VCARD\n{}END:VCARD\n", "TEL:1\n".repeat(100_000));
    assert_eq!(bad(many.as_bytes()), [Bad::TooLarge]);
    let long = format!("BEGIN:VCARD\nNOTE:{}\nEND:VCARD\n", "x".repeat(1 << 20));
    assert_eq!(bad(long.as_bytes()), [Bad::TooLarge]);
    let parameters = format!("BEGIN:VCARD\nTEL{}:1\nEND:VCARD\n", ";A=b".repeat(100_000));
    assert_eq!(bad(parameters.as_bytes()), [Bad::TooLarge]);
    let nested = "BEGIN:VCARD\n".repeat(50_000);
    assert_eq!(bad(nested.as_bytes()), [Bad::Nested]);
    assert_eq!(read(b"").count(), 0);
    assert_eq!(bad(b"\r\r\r\0\0"), [Bad::Outside]);
}

#[test]
fn setting_a_value_keeps_its_parameters() {
    let mut card = one(FOUR.as_bytes());
    card.set("FN", escape("Ayşe Demir"));
    assert_eq!(card.first("FN").unwrap().values("PID").next(), Some("1.1"));
    card.set("NOTE", String::new());
    card.set("TITLE", escape("Avukat; noter"));
    assert!(card.first("NOTE").is_none());
    assert_eq!(card.text("TITLE"), "Avukat; noter");
}

fn plain() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ -~çğıöşüÇĞİÖŞÜ😀\u{a0}]{0,120}").unwrap()
}

fn any_property() -> impl Strategy<Value = Property> {
    let name = proptest::string::string_regex("X-[A-Z0-9-]{1,12}|NOTE|FN|EMAIL").unwrap();
    let group = proptest::option::of(proptest::string::string_regex("[a-zA-Z0-9-]{1,8}").unwrap());
    let value = proptest::string::string_regex("[^\\p{Cc}\"]{0,20}").unwrap();
    let trimmed = value.prop_map(|text| text.trim().to_owned());
    let parameter = (
        proptest::string::string_regex("Y-[A-Z]{1,8}").unwrap(),
        proptest::collection::vec(trimmed, 1..4),
    );
    (group, name, proptest::collection::vec(parameter, 0..4), plain()).prop_map(
        |(group, name, parameters, value)| {
            let mut seen: Vec<Parameter> = Vec::new();
            for (name, values) in parameters {
                if seen.iter().all(|known| known.name != name) {
                    seen.push(Parameter { name, values });
                }
            }
            Property { group, name, parameters: seen, value: escape(&value) }
        },
    )
}

#[test]
fn a_card_at_the_bounds_is_read_as_it_was_written() {
    let parameter = |n: usize| Parameter { name: format!("X-P{n}"), values: vec!["1".into()] };
    let property = |n: usize| Property {
        parameters: (0..n % 33).map(parameter).collect(),
        ..Property::new(&format!("X-N{n}"), "a".into())
    };
    let card = Card { properties: (0..1000).map(property).collect() };
    assert_eq!(one(card.to_string().as_bytes()), card);
}

proptest! {
    #[test]
    fn what_is_written_is_read(properties in proptest::collection::vec(any_property(), 0..12)) {
        let card = Card { properties };
        prop_assert_eq!(one(card.to_string().as_bytes()), card);
    }

    #[test]
    fn a_text_survives_its_escapes(text in "[^\\p{Cc}]{0,80}", parts in proptest::collection::vec(plain(), 1..8)) {
        prop_assert_eq!(super::text(&escape(&text)), text);
        let borrowed: Vec<_> = parts.iter().map(String::as_str).collect();
        let whole: Vec<_> = components(&join(&borrowed)).into_iter().flatten().collect();
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn invariant_10_random_octets_are_no_card_and_no_panic(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&octets).count();
        let within = [&b"BEGIN:VCARD\n"[..], &octets, b"\nEND:VCARD"].concat();
        for entry in read(&within) {
            if let Ok(card) = entry.card {
                prop_assert_eq!(one(card.to_string().as_bytes()), card);
            }
        }
    }
}
