use super::*;
use crate::registry::holidays::SHIPPED;
use proptest::prelude::*;

fn calendar() -> Calendar {
    Calendar::parse(SHIPPED).unwrap()
}

/// A wall-clock time in Turkey.
fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(&format!("{text}+03:00")).unwrap()
}

fn hours(number: u16) -> ReadPolicy {
    ReadPolicy::Hours(NonZeroU16::new(number).unwrap())
}

#[test]
fn next_business_day_ends_at_midnight_after_it() {
    let calendar = calendar();
    for (delivered, due, why) in [
        ("2026-11-23T09:00:00", "2026-11-25T00:00:00", "a Monday"),
        ("2026-11-20T23:59:59", "2026-11-24T00:00:00", "Friday night"),
        ("2026-11-21T00:00:00", "2026-11-24T00:00:00", "Saturday's first second"),
        ("2026-11-22T12:00:00", "2026-11-24T00:00:00", "Sunday"),
        ("2026-03-18T10:00:00", "2026-03-24T00:00:00", "the day before an eve"),
        ("2026-03-19T10:00:00", "2026-03-24T00:00:00", "the eve of Ramazan Bayramı"),
        ("2026-05-25T10:00:00", "2026-06-02T00:00:00", "before Kurban Bayramı"),
        ("2025-10-27T10:00:00", "2025-10-31T00:00:00", "before 28 October's half day"),
        ("2025-12-31T18:00:00", "2026-01-03T00:00:00", "the year's end"),
        ("2028-02-28T10:00:00", "2028-03-01T00:00:00", "the day before a leap day"),
        ("2028-02-29T10:00:00", "2028-03-02T00:00:00", "a leap day"),
        ("2033-12-30T10:00:00", "2034-01-03T00:00:00", "a Friday before a Sunday's new year"),
        ("2035-12-28T10:00:00", "2036-01-01T00:00:00", "the last business day listed"),
    ] {
        let answer = ReadPolicy::EndOfNextBusinessDay.due(at(delivered), &calendar);
        assert_eq!(answer, Ok(at(due)), "{why}: {delivered}");
    }
}

#[test]
fn a_year_without_feasts_is_named_and_weekdays_stand_in() {
    let due = ReadPolicy::EndOfNextBusinessDay.due(at("2035-12-31T10:00:00"), &calendar());
    let unknown = due.unwrap_err();
    assert_eq!(unknown, UnknownYear { year: 2036, due: at("2036-01-03T00:00:00") });
    assert_eq!(
        unknown.to_string(),
        "the holiday file says nothing about 2036; \
         by weekdays and fixed holidays it is 2036-01-02T21:00:00.000Z"
    );
    // The other rules count no business days, so they know every year.
    assert!(hours(24).due(at("2035-12-31T10:00:00"), &calendar()).is_ok());
    assert!(ReadPolicy::FifthDayEnd.due(at("2035-12-31T10:00:00"), &calendar()).is_ok());
}

#[test]
fn fifth_day_counts_holidays_and_not_the_day_of_delivery() {
    let calendar = calendar();
    for (delivered, due) in [
        ("2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ("2026-11-23T23:59:59.999", "2026-11-29T00:00:00"),
        ("2026-05-26T10:00:00", "2026-06-01T00:00:00"),
        ("2028-02-27T10:00:00", "2028-03-04T00:00:00"),
        ("2026-12-31T10:00:00", "2027-01-06T00:00:00"),
    ] {
        let answer = ReadPolicy::FifthDayEnd.due(at(delivered), &calendar);
        assert_eq!(answer, Ok(at(due)), "{delivered}");
    }
}

#[test]
fn hours_run_on_through_days_on_which_others_change_their_clocks() {
    let delivered = at("2026-03-28T12:00:00.250"); // summer time begins elsewhere that night
    assert_eq!(hours(24).due(delivered, &calendar()), Ok(at("2026-03-29T12:00:00.250")));
    let delivered = at("2026-10-24T12:00:00");
    assert_eq!(hours(24).due(delivered, &calendar()), Ok(at("2026-10-25T12:00:00")));
}

#[test]
fn days_are_turkish_days() {
    // 22.00 in UTC is one o'clock of the next day in Turkey.
    let delivered = Timestamp::parse_iso8601("2026-11-23T22:00:00Z").unwrap();
    let due = ReadPolicy::EndOfNextBusinessDay.due(delivered, &calendar());
    assert_eq!(due, Ok(at("2026-11-26T00:00:00")));
}

#[test]
fn an_entry_holds_from_its_instant_for_its_type() {
    let entry = |from, message_type, rule| PolicyEntry { from: at(from), message_type, rule };
    let table = PolicyTable::new(vec![
        entry("2027-01-01T00:00:00", MessageType::Standart, ReadPolicy::EndOfNextBusinessDay),
        entry("2026-01-01T00:00:00", MessageType::Standart, hours(48)),
    ]);
    let rule = |when, message_type| table.rule(at(when), message_type);
    assert_eq!(rule("2025-12-31T23:59:59.999", MessageType::Standart), hours(24));
    assert_eq!(rule("2026-01-01T00:00:00", MessageType::Standart), hours(48));
    assert_eq!(
        rule("2027-01-01T00:00:00", MessageType::Standart),
        ReadPolicy::EndOfNextBusinessDay
    );
    assert_eq!(rule("2027-01-01T00:00:00", MessageType::EYazisma), hours(24));
    assert_eq!(rule("2027-01-01T00:00:00", MessageType::ETebligat), ReadPolicy::FifthDayEnd);
}

#[test]
fn invariant_09_a_message_keeps_the_rule_of_its_delivery_however_late_the_job_runs() {
    let from = at("2027-01-01T00:00:00");
    let entry = PolicyEntry { from, message_type: MessageType::Standart, rule: hours(48) };
    let (old, new) = (PolicyTable::default(), PolicyTable::new(vec![entry]));
    // Delivered before the change, due after it: the table of the day the job runs changes nothing.
    let delivered = at("2026-12-31T23:00:00");
    for table in [old, new] {
        let due = table.due(delivered, MessageType::Standart, &calendar());
        assert_eq!(due, Ok(at("2027-01-01T23:00:00")));
    }
}

#[test]
fn rules_and_types_are_read_as_they_are_written() {
    for rule in [hours(1), hours(24), ReadPolicy::EndOfNextBusinessDay, ReadPolicy::FifthDayEnd] {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    for text in ["", "h", "0h", "+1h", "8785h", "24", "fifth day", "24H"] {
        assert_eq!(text.parse::<ReadPolicy>(), Err(PolicyError::Rule(text.into())));
    }
    for message_type in [MessageType::Standart, MessageType::EYazisma, MessageType::ETebligat] {
        assert_eq!(message_type.to_string().parse(), Ok(message_type));
    }
    assert!("Standart".parse::<MessageType>().is_err());
}

#[test]
fn ends_of_time_dont_panic() {
    for millis in [i64::MIN, i64::MAX, 8_210_266_876_799_999, -8_334_601_228_800_000] {
        for rule in [hours(24), ReadPolicy::EndOfNextBusinessDay, ReadPolicy::FifthDayEnd] {
            let _ = rule.due(Timestamp::from_millis(millis), &calendar());
        }
    }
}

fn any_rule() -> impl Strategy<Value = ReadPolicy> {
    prop_oneof![
        (1..=MAX_HOURS).prop_map(hours),
        Just(ReadPolicy::EndOfNextBusinessDay),
        Just(ReadPolicy::FifthDayEnd),
    ]
}

/// 2010 to 2045: more years than the file lists, on both sides.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (1_262_304_000_000..2_366_841_600_000_i64).prop_map(Timestamp::from_millis)
}

fn due(rule: ReadPolicy, delivered: Timestamp, calendar: &Calendar) -> Timestamp {
    rule.due(delivered, calendar).unwrap_or_else(|unknown| unknown.due)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn due_is_after_the_delivery_and_not_endless(rule in any_rule(), delivered in any_time()) {
        let due = due(rule, delivered, &calendar());
        prop_assert!(due > delivered);
        prop_assert!(due <= delivered.plus_secs(367 * 24 * 3600));
    }

    #[test]
    fn who_was_delivered_later_is_not_due_earlier(
        rule in any_rule(), first in any_time(), later in 0..90 * 86_400_000_i64,
    ) {
        let calendar = calendar();
        let second = first.plus_millis(later);
        prop_assert!(due(rule, first, &calendar) <= due(rule, second, &calendar));
    }

    #[test]
    fn day_rules_end_at_midnight_of_a_day_after_a_business_day(delivered in any_time()) {
        let calendar = calendar();
        let due = due(ReadPolicy::EndOfNextBusinessDay, delivered, &calendar).istanbul();
        prop_assert_eq!(due.time(), NaiveTime::MIN);
        let last = due.date_naive().pred_opt().unwrap();
        prop_assert!(calendar.looks_like_business_day(last));
        prop_assert!(last > delivered.istanbul().date_naive());
    }
}
