use super::*;

#[test]
fn every_row_is_a_failure_with_texts_in_both_languages() {
    for refusal in Refusal::all("x@hs05.kep.tr") {
        let row = refusal.row();
        assert!((400..600).contains(&row.code), "{refusal}");
        assert_eq!(row.enhanced.as_bytes()[0], b'0' + (row.code / 100) as u8, "{refusal}");
        assert!(row.turkish.ends_with('.') && row.english.ends_with('.'), "{refusal}");
        assert_eq!(row.hint_turkish.is_empty(), row.hint_english.is_empty(), "{refusal}");
        let has_detail = !refusal.detail().is_empty();
        assert_eq!(row.turkish.contains("{}"), has_detail, "{refusal}");
        assert_eq!(row.english.contains("{}"), has_detail, "{refusal}");
    }
}

#[test]
fn every_reply_is_ascii_and_fits_the_line() {
    for refusal in Refusal::all(&"ş".repeat(400)) {
        let wire = refusal.reply().encode();
        assert!(wire.is_ascii());
        assert!(wire.split(|b| *b == b'\n').all(|line| line.len() <= 512), "{refusal}");
    }
}

#[test]
fn an_address_in_a_reply_cannot_end_its_line() {
    let wire = Refusal::RecipientUnknown("a\r\n250 b".into()).reply().encode();
    assert!(!String::from_utf8_lossy(&wire).contains("\n250"));
}

#[test]
fn a_recipient_refusal_says_address_and_reason_twice() {
    let wire = Refusal::RecipientUnknown("yok@hs05.kep.tr".into()).reply().encode();
    assert_eq!(
        String::from_utf8_lossy(&wire),
        "550-5.1.1 yok@hs05.kep.tr adli bir KEP hesabi yok.\r\n\
         550 5.1.1 There is no KEP account yok@hs05.kep.tr.\r\n"
    );
}

#[test]
fn only_four_hundreds_are_temporary() {
    assert!(Refusal::TryLater.is_temporary());
    assert!(!Refusal::SignatureMissing.is_temporary());
}
