//! Sections, and the form a row keeps.

use super::super::parse;
use super::*;
use proptest::prelude::*;

const MAIL: &str = "Subject: s\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
--m\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n\
--i\r\n\r\none\r\n--i\r\nContent-Type: text/html\r\n\r\ntwo\r\n--i--\r\n\
--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\nthree\r\n\
--m\r\nContent-Type: application/xml\r\nContent-Transfer-Encoding: base64\r\n\r\nPHgvPg==\r\n--m--\r\n";

fn section(part: &[u32], text: SectionText) -> Section {
    Section { part: part.to_vec(), text }
}

#[test]
fn sections_are_found_by_their_numbers() {
    let layout = Layout::of(&parse(MAIL.as_bytes()));
    let found = |part: &[u32], text| {
        let range = layout.find(&section(part, text))?;
        Some(&MAIL[range.start as usize..range.end as usize])
    };
    use SectionText::{Header, Mime, Text, Whole};
    assert_eq!(found(&[], Whole), Some(MAIL));
    assert_eq!(found(&[1], Whole), Some("hello"));
    assert_eq!(found(&[1], Mime), Some("Content-Type: text/plain\r\n\r\n"));
    assert_eq!(found(&[2, 1], Whole), Some("one"));
    assert_eq!(found(&[2, 2], Whole), Some("two"));
    assert!(found(&[2], Header).is_some_and(|h| h.starts_with("Subject: in")));
    assert!(found(&[2], Text).is_some_and(|t| t.starts_with("--i")));
    assert_eq!(found(&[3, 1], Whole), Some("three"));
    assert_eq!(found(&[3], Text), Some("three"));
    assert_eq!(found(&[4], Whole), Some("PHgvPg=="));
    for none in [&[5][..], &[1, 1], &[2, 3], &[0], &[3, 2], &[4, 1]] {
        assert_eq!(found(none, Whole), None, "{none:?}");
    }
    assert_eq!(found(&[1], Header), None);
    assert_eq!(found(&[], Mime), None);
}

#[test]
fn a_layout_comes_back_from_its_bytes() {
    let layout = Layout::of(&parse(MAIL.as_bytes()));
    let mut bytes = Vec::new();
    layout.write(&mut bytes);
    assert!(bytes.len() < 64);
    assert_eq!(Layout::read(&bytes), Some(layout));
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..60), part in proptest::collection::vec(0u32..4, 0..5)) {
        if let Some(layout) = Layout::read(&bytes) {
            layout.find(&section(&part, SectionText::Whole));
            layout.find(&section(&part, SectionText::Mime));
        }
    }
}
