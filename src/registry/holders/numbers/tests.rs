use super::*;
use proptest::prelude::*;

/// The two check digits of nine others.
fn completed(nine: [u32; 9]) -> String {
    let odd: u32 = nine.iter().step_by(2).sum();
    let even: u32 = nine.iter().skip(1).step_by(2).sum();
    let tenth = (odd * 7 + 90 - even) % 10;
    let last = (odd + even + tenth) % 10;
    nine.iter().chain([&tenth, &last]).map(u32::to_string).collect()
}

#[test]
fn identity_numbers_check_out_or_are_none() {
    for good in ["10000000146", "100 000 001 46", " 10000000214 ", "12345678950", "11111111110"] {
        assert!(CitizenNumber::parse(good).is_ok(), "{good}");
        assert!(ForeignerNumber::parse(good).is_err(), "{good}");
    }
    for good in ["99000000042", &completed([9, 9, 1, 2, 3, 4, 5, 6, 7])] {
        assert!(ForeignerNumber::parse(good).is_ok(), "{good}");
        assert!(CitizenNumber::parse(good).is_err(), "{good}");
    }
    for bad in [
        "",
        "0",
        "10000000145",
        "10000000156",
        "01000000046",
        "1000000014",
        "100000001466",
        "1000000014a",
        "00000000000",
        "１００００００0146",
        &"1".repeat(100_000),
    ] {
        assert!(CitizenNumber::parse(bad).is_err(), "{:.20}", bad);
        assert!(ForeignerNumber::parse(bad).is_err(), "{:.20}", bad);
    }
}

#[test]
fn tax_numbers_check_out_or_are_none() {
    for good in ["1234567890", "876 005 2205", "3880718497", "0010000009"] {
        let wrong_end = |last: char| {
            let bare = good.replace(' ', "");
            format!("{}{last}", &bare[..9])
        };
        let fits: Vec<char> = ('0'..='9').filter(|d| Vkn::parse(&wrong_end(*d)).is_ok()).collect();
        assert_eq!(fits.len(), 1, "one check digit of {good}");
    }
    for good in ["1234567890", "8760052205", "3880718497"] {
        assert!(Vkn::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "0000000000", "123456789", "12345678900", "1234567891", "123456789x"] {
        assert!(Vkn::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn mersis_numbers_begin_with_whose_they_are() {
    for (good, vkn) in [
        ("0876-0052-2050-0014", Some("8760052205")),
        ("0388071849700019", Some("3880718497")),
        ("1000000014600001", None),
    ] {
        let mersis = Mersis::parse(good).unwrap();
        assert_eq!(mersis.vkn().as_ref().map(Vkn::as_str), vkn, "{good}");
    }
    for bad in ["", "0876005220500", "0876005220600014", "08760052205000145", "1000000014700001"] {
        assert!(Mersis::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_other_numbers_have_their_form() {
    for good in ["24308110", "2430 8110"] {
        assert!(Detsis::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "00000000", "2430811", "243081100", "2430811a"] {
        assert!(Detsis::parse(bad).is_err(), "{bad}");
    }
    for good in ["U12345678", "u12345678", "A1234567", "123456789"] {
        assert!(PassportNumber::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "ABCDE", "A123", "A123456789", "A12345ş7", "A12/4567"] {
        assert!(PassportNumber::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(TradeRegistryNumber::parse("123456-0").unwrap().as_str(), "1234560");
    for bad in ["", "12a", &"1".repeat(16)] {
        assert!(TradeRegistryNumber::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_number_is_not_in_logs() {
    let number = CitizenNumber::parse("10000000146").unwrap();
    assert_eq!(format!("{number:?}"), "CitizenNumber(…46)");
}

proptest! {
    #[test]
    fn nine_digits_have_one_end(nine in proptest::array::uniform9(0_u32..10)) {
        let whole = completed(nine);
        let sound = CitizenNumber::parse(&whole).is_ok() || ForeignerNumber::parse(&whole).is_ok();
        prop_assert_eq!(sound, nine[0] != 0);
    }

    /// Each digit that is mistyped is found.
    #[test]
    fn one_wrong_digit_is_found(
        nine in proptest::array::uniform9(0_u32..10), place in 0_usize..11, other in 0_u32..10
    ) {
        let whole = completed(nine);
        let mut typed: Vec<char> = whole.chars().collect();
        typed[place] = char::from_digit(other, 10).unwrap();
        let typed: String = typed.into_iter().collect();
        prop_assume!(typed != whole);
        prop_assert!(!checks_out(&typed));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = (CitizenNumber::parse(&text), Vkn::parse(&text), Mersis::parse(&text));
        let _ = (PassportNumber::parse(&text), Detsis::parse(&text), ForeignerNumber::parse(&text));
    }
}
