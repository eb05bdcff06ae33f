//! Sheets as people send them, and that what is exported is no formula and is read again.

use super::book::{Contact, kept};
use super::export::{Separator, sheet};
use super::import::Content;
use super::*;
use crate::wire::Timestamp;
use crate::wire::vcard::Card;
use proptest::prelude::*;

/// Fields and groups, or what is wrong; the line before it.
type Row = (usize, Result<(Fields, Vec<String>), &'static str>);

fn rows(octets: &[u8]) -> (Vec<Row>, Vec<String>) {
    let (all, ignored) = super::sheet::read(octets).unwrap();
    let told = all.into_iter().map(|candidate| {
        let content = match candidate.content {
            Ok(Content::Row { fields, groups, .. }) => Ok((*fields, groups)),
            Ok(_) => panic!("no row"),
            Err(fault) => Err(fault.word()),
        };
        (candidate.line, content)
    });
    (told.collect(), ignored)
}

#[test]
fn a_sheet_of_excel_in_turkey_is_read() {
    let text = "\u{feff}sep=;\r\nAdı;SOYADI;Ünvan;KEP Adresi;E-Posta;Cep Telefonu;İlçe;İL;Not;Doğum Yeri;Grup\r\n\
        Ayşe;Yılmaz;\"Örnek; A.Ş.\";AYSE@hs05.kep.tr;\"a@b.example, ayse@hs06.kep.tr\";'+90 532 000 00 00;Çankaya;\
        Ankara;\"bir\r\niki\";Sivas;Müşteri; \r\n;;;;;;;;;;\r\nAli;Veli;;ali@hs5.kep.tr;;;;;;;\r\nMert;;;;;;;;;;;fazla\r\n";
    let (all, ignored) = rows(text.as_bytes());
    assert_eq!(ignored, ["Doğum Yeri"]);
    let (line, first) = &all[0];
    let (fields, groups) = first.as_ref().unwrap();
    assert_eq!((*line, fields.shown().as_str()), (3, "Ayşe Yılmaz"));
    assert_eq!(fields.kep, ["ayse@hs05.kep.tr", "ayse@hs06.kep.tr"]);
    assert_eq!(fields.emails, ["a@b.example"]);
    assert_eq!(fields.phones, [Phone { number: "+90 532 000 00 00".into(), mobile: true }]);
    assert_eq!(fields.postal.as_ref().unwrap().district, "Çankaya");
    assert_eq!(
        (fields.note.as_str(), groups.as_slice()),
        ("bir\niki", &["Müşteri".to_owned()][..])
    );
    assert_eq!(all[1].1.as_ref().unwrap_err(), &"kep-address");
    assert_eq!(all[2].1.as_ref().unwrap_err(), &"row");
    assert_eq!(all.len(), 3);
}

#[test]
fn other_alphabets_and_separators_are_found_out() {
    for octets in [
        &b"Name,KEP\nAy\xfee,a@hs05.kep.tr\n"[..],
        "full name\tkep address\nAyşe\ta@hs05.kep.tr".as_bytes(),
        &[b"\xff\xfe".as_slice(), &utf16("Ad Soyad\tKEP\r\nAyşe\ta@hs05.kep.tr\r\n")].concat(),
    ] {
        let (all, _) = rows(octets);
        let (fields, _) = all[0].1.as_ref().unwrap();
        assert_eq!(
            (fields.name.as_str(), fields.kep.as_slice()),
            ("Ayşe", &["a@hs05.kep.tr".to_owned()][..])
        );
    }
    for none in ["", "\n", "x;y;z\n1;2;3\n", "\0\0\0"] {
        assert!(matches!(super::sheet::read(none.as_bytes()), Err(ContactError::Form)), "{none:?}");
    }
    let (all, _) = rows("ad\n\"never closed\nAli\n".as_bytes());
    assert_eq!(all.len(), 1);
    let many = format!("ad\n{}", "a\n".repeat(ENTRIES_MAX + 1));
    assert!(matches!(super::sheet::read(many.as_bytes()), Err(ContactError::FileTooLarge)));
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn contact(fields: &Fields, groups: Vec<String>) -> Contact {
    let mut card = Card::default();
    fields.apply(&mut card);
    let card = kept(&card, "urn:x", &fields.shown());
    Contact { uid: "urn:x".into(), revision: 1, changed_at: Timestamp::from_secs(0), groups, card }
}

#[test]
fn no_cell_that_goes_out_is_a_formula() {
    let evil = ["=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", "\t=1"];
    for text in evil {
        let fields = Fields { name: text.into(), note: text.into(), ..Fields::default() };
        let out = sheet(&[contact(&fields, vec![text.trim().into()])], Separator::Semicolon, true);
        let body = out.lines().nth(1).unwrap();
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .from_reader(body.as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[=+@-]{0,1}[A-Za-zçğıöşüÇĞİÖŞÜ0-9 ;,\"'&]{0,20}[A-Za-zşı0-9]")
        .unwrap()
        .prop_map(|text| text.trim().to_owned())
        // A quotation mark before a formula's sign is what we put there ourselves.
        .prop_filter("ours", |text| !text.starts_with('\''))
}

proptest! {
    #[test]
    fn what_is_exported_is_imported(
        name in word(), given in word(), family in word(), organisation in word(), note in word(),
        street in word(), province in word(), comma in any::<bool>(), local in "[a-z]{1,8}",
    ) {
        let fields = Fields {
            name, given, family, organisation, note,
            kep: vec![format!("{local}@hs05.kep.tr"), "b@hs06.kep.tr".into()],
            emails: vec![format!("{local}@example.com")],
            phones: vec![
                Phone { number: "+90 312 000".into(), mobile: false },
                Phone { number: "-5".into(), mobile: true },
            ],
            postal: Some(Postal { street, province, ..Postal::default() }),
            ..Fields::default()
        };
        let separator = if comma { Separator::Comma } else { Separator::Semicolon };
        let out = sheet(&[contact(&fields, vec!["Bir, iki".into(), "Üç".into()])], separator, true);
        let (all, ignored) = rows(out.as_bytes());
        prop_assert!(ignored.is_empty());
        let (again, groups) = all[0].1.clone().unwrap();
        prop_assert_eq!(again, fields);
        prop_assert_eq!(groups, ["Bir, iki", "Üç"]);
    }

    #[test]
    fn invariant_10_random_octets_are_no_sheet_and_no_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = super::sheet::read(&octets);
        let _ = super::sheet::read(&[b"ad;kep;telefon\n".as_slice(), &octets].concat());
    }
}
