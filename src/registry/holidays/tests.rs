use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn shipped() -> Calendar {
    Calendar::parse(SHIPPED).unwrap()
}

/// A file with one year, in which `from` is replaced.
fn changed(from: &str, to: &str) -> String {
    let text = r#"
[feasts]
ramazan = { name = "R", days = 3 }
kurban = { name = "K", days = 4 }
[[fixed]]
day = "01-01"
name = "Y"
[[year]]
year = 2026
basis = "held"
ramazan = [2026-03-20]
kurban = [2026-05-27]
"#;
    assert!(text.contains(from), "{from} is not in the file");
    text.replacen(from, to, 1)
}

fn refusal(from: &str, to: &str) -> String {
    Calendar::parse(&changed(from, to)).unwrap_err().to_string()
}

#[test]
fn shipped_years_are_2015_to_2035() {
    let calendar = shipped();
    assert!(calendar.missing(2015..=2035).is_empty());
    assert_eq!(calendar.missing(2014..=2036), [Unlisted(2014), Unlisted(2036)]);
    assert_eq!(calendar.basis(2015), Some(Basis::Held));
    assert_eq!(calendar.basis(2035), Some(Basis::Computed));
    assert_eq!(calendar.basis(2036), None);
}

#[test]
fn feasts_have_their_days_and_their_eve() {
    let calendar = shipped();
    let name = |text| calendar.holiday(day(text)).map(|h| (h.name, h.length));
    let whole = |name: &str| Some((name.to_owned(), Length::Whole));
    let half = |name: &str| Some((name.to_owned(), Length::Half));
    for (text, expected) in [
        ("2016-07-04", half("Ramazan Bayramı arifesi")),
        ("2016-07-05", whole("Ramazan Bayramı 1. gün")),
        ("2016-07-07", whole("Ramazan Bayramı 3. gün")),
        ("2016-07-08", None),
        ("2026-05-26", half("Kurban Bayramı arifesi")),
        ("2026-05-30", whole("Kurban Bayramı 4. gün")),
        ("2026-05-31", None),
        // Two in one year, the first of them with its eve on New Year's Day.
        ("2033-01-01", whole("Yılbaşı")),
        ("2033-01-02", whole("Ramazan Bayramı 1. gün")),
        ("2033-12-25", whole("Ramazan Bayramı 3. gün")),
        ("2025-10-28", half("Cumhuriyet Bayramı arifesi")),
        ("2025-10-29", whole("Cumhuriyet Bayramı")),
    ] {
        assert_eq!(name(text), expected, "{text}");
    }
}

#[test]
fn fifteenth_of_july_is_a_holiday_since_2017() {
    let calendar = shipped();
    assert_eq!(calendar.is_business_day(day("2016-07-15")), Ok(true));
    assert_eq!(calendar.is_business_day(day("2019-07-15")), Ok(false));
}

#[test]
fn consecutive_feasts_are_a_lunar_year_apart() {
    let calendar = shipped();
    for kind in ["Ramazan Bayramı 1. gün", "Kurban Bayramı 1. gün"] {
        let firsts: Vec<NaiveDate> =
            calendar.feasts.iter().filter(|(_, h)| h.name == kind).map(|(d, _)| *d).collect();
        assert!(firsts.len() >= 21, "{kind}");
        for pair in firsts.windows(2) {
            let days = (pair[1] - pair[0]).num_days();
            assert!((353..=356).contains(&days), "{kind}: {pair:?} are {days} days apart");
        }
    }
}

#[test]
fn kurban_follows_ramazan_by_two_lunar_months_and_nine_days() {
    let calendar = shipped();
    let days = |kind: &str| {
        let of_kind = calendar.feasts.iter().filter(|(_, h)| h.name.starts_with(kind));
        of_kind.filter(|(_, h)| h.name.ends_with(" 1. gün")).map(|(d, _)| *d).collect::<Vec<_>>()
    };
    for (ramazan, kurban) in days("Ramazan").iter().zip(days("Kurban")) {
        let apart = (kurban - *ramazan).num_days();
        assert!((67..=70).contains(&apart), "{ramazan} {kurban}: {apart} days");
    }
}

#[test]
fn half_days_and_weekends_are_no_business_days() {
    let calendar = shipped();
    for (text, business) in [
        ("2025-10-27", true),
        ("2025-10-28", false),
        ("2026-11-21", false),
        ("2026-11-22", false),
        ("2026-11-23", true),
        ("2028-02-29", true),
    ] {
        assert_eq!(calendar.is_business_day(day(text)), Ok(business), "{text}");
    }
}

#[test]
fn a_year_that_is_not_listed_is_named() {
    let calendar = shipped();
    assert_eq!(calendar.is_business_day(day("2036-01-02")), Err(Unlisted(2036)));
    assert_eq!(Unlisted(2036).to_string(), "the holiday file says nothing about 2036");
    // Fixed days and weekends are known all the same.
    assert!(!calendar.looks_like_business_day(day("2036-01-01")));
    assert!(!calendar.looks_like_business_day(day("2036-01-05")));
    assert!(calendar.looks_like_business_day(day("2036-01-02")));
}

#[test]
fn files_that_cant_be_right_are_refused_by_name() {
    for (from, to, says) in [
        ("day = \"01-01\"", "day = \"02-29\"", "fixed day \"02-29\""),
        ("day = \"01-01\"", "day = \"1-1\"", "fixed day \"1-1\""),
        ("days = 3", "days = 0", "feast \"ramazan\" lasts 0 days"),
        ("days = 4", "days = 11", "feast \"kurban\" lasts 11 days"),
        ("year = 2026", "year = 1900", "year 1900: out of 1981–2199"),
        ("[2026-03-20]", "[2025-03-20]", "year 2026: ramazan on 2025-03-20"),
        ("[2026-03-20]", "[2026-03-20T10:00:00]", "year 2026: ramazan on 2026-03-20T10:00:00"),
        ("[2026-03-20]", "[]", "year 2026: ramazan begins 0 times"),
        ("basis = \"held\"", "basis = \"sure\"", "unknown variant `sure`"),
        ("basis = \"held\"", "bases = \"held\"", "unknown field `bases`"),
        ("[2026-03-20]", "[2026-02-30]", "line 11"),
    ] {
        let said = refusal(from, to);
        assert!(said.contains(says), "{from} → {to}: {said}");
    }
    let text = changed("[[fixed]]", "[[fixed]]");
    let twice = format!("{text}\n{}", &text[text.find("[[year]]").unwrap()..]);
    assert!(matches!(Calendar::parse(&twice), Err(HolidayError::YearTwice(2026))));
    let none = &text[..text.find("[[year]]").unwrap()];
    assert!(
        Calendar::parse(&format!("year = []\n{none}"))
            .is_err_and(|e| matches!(e, HolidayError::NoYear))
    );
    let large = "#".repeat(MAX_BYTES + 1);
    assert!(matches!(Calendar::parse(&large), Err(HolidayError::TooLarge(_))));
}
