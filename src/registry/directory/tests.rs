//! Questions: what they need, whom they fit, and what is asked next.

use super::query::{Key, Query, QueryForm};
use super::record::{Kind, Record};
use super::*;
use crate::store::directory::Keys;
use crate::wire::KepAddress;

fn form(kind: &str, keys: &[(&str, &str)]) -> QueryForm {
    let mut map: serde_json::Map<String, serde_json::Value> =
        keys.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    map.insert("kind".into(), kind.into());
    serde_json::from_value(map.into()).unwrap()
}

fn refused(kind: &str, keys: &[(&str, &str)]) -> &'static str {
    Query::parse(&form(kind, keys)).err().map_or("", |error| error.word())
}

#[test]
fn nobody_is_found_by_a_part_of_what_he_is_called() {
    for (kind, keys, word) in [
        ("person", &[][..], "few-keys"),
        ("person", &[("given", "Ayşe")], "few-keys"),
        ("person", &[("family", "Yılmaz"), ("province", "Ankara")], "few-keys"),
        ("person", &[("identity", "10000000146")], "few-keys"),
        ("person", &[("given", " "), ("family", "Yılmaz")], "few-keys"),
        ("person", &[("phone", "532")], "malformed-key"),
        (
            "person",
            &[("given", "Ayşe"), ("family", "Yılmaz"), ("mersis", "0123456789012345")],
            "foreign-key",
        ),
        ("person", &[("given", "Ayşe"), ("family", "Yılmaz"), ("street", "ab")], "malformed-key"),
        ("company", &[("province", "Ankara")], "few-keys"),
        ("company", &[("title", "A.Ş")], "malformed-key"),
        ("company", &[("mersis", "123")], "malformed-key"),
        ("company", &[("identity", "10000000146")], "foreign-key"),
        ("public", &[("title", "ab")], "malformed-key"),
        ("public", &[("detsis", "1234567")], "malformed-key"),
        ("address", &[("address", "a@example.com")], ""),
        ("address", &[("address", "a")], "malformed-key"),
        ("address", &[], "few-keys"),
        ("dog", &[("title", "abc")], "kind"),
        ("person", &[("given", "Ay\u{7}şe"), ("family", "Y")], "malformed-key"),
    ] {
        assert_eq!(refused(kind, keys), word, "{kind} {keys:?}");
    }
    let long = "x".repeat(201);
    assert_eq!(refused("company", &[("title", &long)]), "malformed-key");
    assert!(serde_json::from_str::<QueryForm>(r#"{"kind":"person","sql":"1"}"#).is_err());
}

#[test]
fn what_is_not_told_fits_nothing() {
    let address = KepAddress::parse("ayse@hs05.kep.tr").unwrap();
    let whole = Record {
        given: Some("Ayşe Nur".into()),
        family: Some("Yılmaz".into()),
        province: Some("İzmir".into()),
        service: Some(Service::Receive),
        street: Some("Atatürk Bulvarı No: 1".into()),
        phone: Some("+90 532 000 11 22".into()),
        ..Record::bare(&address, Kind::Person)
    };
    let fits = |record: &Record, keys: &[(&str, &str)]| {
        Query::parse(&form("person", keys)).unwrap().fits(record, &Keys::default())
    };
    let name = [("given", "AYŞE NUR"), ("family", "yilmaz")];
    let more = |key, text| [name[0], name[1], (key, text)];
    assert!(fits(&whole, &name));
    assert!(!fits(&whole, &[("given", "Ayşe"), ("family", "Yılmaz")]), "names are whole");
    for (key, text) in [
        ("province", "IZMIR"),
        ("service", "receive"),
        ("street", "bulvari no"),
        ("phone", "05320001122"),
    ] {
        assert!(fits(&whole, &more(key, text)), "{key}");
        let mut less = whole.clone();
        (less.province, less.service, less.street, less.phone) = (None, None, None, None);
        assert!(!fits(&less, &more(key, text)), "{key} is not told");
    }
    assert!(!fits(&whole, &more("province", "İzmi")));
    assert!(!fits(&whole, &more("service", "both")));
    let unnamed = Record { family: None, ..whole };
    assert!(!fits(&unnamed, &name));
}

#[test]
fn a_company_is_found_by_the_beginnings_of_words() {
    let address = KepAddress::parse("ornek@ornek.hs05.kep.tr").unwrap();
    let record = Record {
        title: Some("ÖRNEK Gıda Sanayi ve Ticaret A.Ş.".into()),
        mersis: Some("0123456789012345".into()),
        province: Some("Ankara".into()),
        ..Record::bare(&address, Kind::Company)
    };
    let keys = Keys { tax_number: Some("1234567890".into()), ..Keys::default() };
    let fits =
        |given: &[(&str, &str)]| Query::parse(&form("tüzel", given)).unwrap().fits(&record, &keys);
    assert!(fits(&[("title", "gida örn")]));
    assert!(!fits(&[("title", "rnek")]), "in the middle of a word");
    assert!(!fits(&[("title", "örnek yapı")]));
    assert!(fits(&[("mersis", "0123 4567 8901 2345"), ("tax_number", "1234567890")]));
    assert!(!fits(&[("mersis", "0123456789012345"), ("tax_number", "1234567891")]));
    assert!(!fits(&[("title", "örnek"), ("province", "İzmir")]));
}

#[test]
fn the_identity_number_is_asked_for_last() {
    let ask = |keys: &[(&str, &str)]| Query::parse(&form("person", keys)).unwrap().to_ask();
    let name = [("given", "Ayşe"), ("family", "Yılmaz")];
    let first = ask(&name);
    assert_eq!(first[0], Key::Province);
    assert!(!first.contains(&Key::Identity));
    let mut all = name.to_vec();
    for (key, text) in [
        ("province", "İzmir"),
        ("district", "Konak"),
        ("service", "both"),
        ("street", "Bulvar"),
        ("phone", "5320001122"),
    ] {
        assert!(!ask(&all).contains(&Key::Identity), "{all:?}");
        all.push((key, text));
    }
    assert_eq!(ask(&all), [Key::Identity]);
    all.push(("identity", "10000000146"));
    assert_eq!(ask(&all), []);
}
