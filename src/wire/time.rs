//! Instants and how mail, evidence and people write them.

use chrono::{DateTime, Datelike, FixedOffset, TimeZone, Utc};

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_millis(secs.saturating_mul(1000))
    }

    pub fn from_utc(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }

    /// Before year 1 it is its first instant, after year 9999 its last: such a value never comes from
    /// us, and no form below has room for it.
    pub fn utc(self) -> DateTime<Utc> {
        let within = self.0.clamp(FIRST, LAST);
        Utc.timestamp_millis_opt(within).single().unwrap_or_default()
    }

    /// The wall clock of Turkey, UTC+03:00 all year since 2016-09-08; evidence is never older.
    pub fn istanbul(self) -> DateTime<FixedOffset> {
        self.utc().with_timezone(&turkey())
    }

    /// RFC 5322 date-time in Turkish time: `Mon, 23 Nov 2026 11:29:24 +0300`.
    pub fn rfc5322(self) -> String {
        self.istanbul().format("%a, %d %b %Y %H:%M:%S %z").to_string()
    }

    /// ISO 8601 in UTC with milliseconds, as evidence carries it: `2026-11-23T08:29:24.123Z`.
    pub fn iso8601(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// ISO 8601 in UTC, whole seconds: `2026-11-23T08:29:24Z`.
    pub fn iso8601_secs(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// For people in Turkey: `23.11.2026 11:29:24`.
    pub fn turkish(self) -> String {
        self.istanbul().format("%d.%m.%Y %H:%M:%S").to_string()
    }

    /// The day alone: `23.11.2026`.
    pub fn turkish_day(self) -> String {
        self.istanbul().format("%d.%m.%Y").to_string()
    }

    /// RFC 3501 date-time: `23-Nov-2026 11:29:24 +0300`.
    pub fn internaldate(self) -> String {
        self.istanbul().format("%d-%b-%Y %H:%M:%S %z").to_string()
    }

    /// An `xs:dateTime` of the years 1 to 9999 (in UTC); without a zone it is read as UTC.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let text = text.trim();
        let time = match DateTime::parse_from_rfc3339(text) {
            Ok(zoned) => zoned.to_utc(),
            Err(_) => {
                chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc()
            }
        };
        (1..=9999).contains(&time.year()).then(|| Self::from_utc(time))
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.iso8601())
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.iso8601())
    }
}

fn turkey() -> FixedOffset {
    FixedOffset::east_opt(3 * 3600).expect("three hours are less than a day")
}

/// 0001-01-01T00:00:00Z
const FIRST: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z
const LAST: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn years_out_of_four_digits_are_no_times() {
        for text in [
            "0000-12-31T23:59:59Z",
            "0001-01-01T02:59:59+03:00",
            "9999-12-31T23:59:59-03:00",
            "+10000-01-01T00:00:00",
            "-0001-01-01T00:00:00",
            "+262142-12-31T23:59:59",
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), None, "{text}");
        }
        for (text, millis) in [("0001-01-01T00:00:00Z", FIRST), ("9999-12-31T23:59:59.999", LAST)] {
            assert_eq!(Timestamp::parse_iso8601(text), Some(Timestamp(millis)), "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_are_said_without_panic() {
        for (millis, year) in [(i64::MIN, 1), (i64::MIN / 999, 1), (i64::MAX, 9999)] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.utc().year(), year);
            let _ = (time.istanbul().date_naive(), time.rfc5322(), time.turkish());
            assert_eq!(time.iso8601().len(), 24);
        }
        let _ = Timestamp::from_secs(i64::MAX).istanbul().date_naive();
    }

    proptest! {
        #[test]
        fn what_is_said_is_read(millis in FIRST..=LAST) {
            let time = Timestamp(millis);
            prop_assert_eq!(Timestamp::parse_iso8601(&time.iso8601()), Some(time));
        }

        #[test]
        fn no_instant_panics(millis in any::<i64>()) {
            let time = Timestamp(millis);
            let _ = (time.istanbul().date_naive(), time.internaldate(), time.iso8601_secs());
        }
    }
}
