//! Instants and how mail, evidence and people write them.

use chrono::{DateTime, FixedOffset, TimeZone, Utc};

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1000)
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

    /// Out of chrono's range (±262,000 years) this is the epoch: such a value never comes from us.
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
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

    /// RFC 3501 date-time: `23-Nov-2026 11:29:24 +0300`.
    pub fn internaldate(self) -> String {
        self.istanbul().format("%d-%b-%Y %H:%M:%S %z").to_string()
    }

    /// An `xs:dateTime`; without a zone it is read as UTC.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let text = text.trim();
        DateTime::parse_from_rfc3339(text)
            .map(|t| Self(t.timestamp_millis()))
            .or_else(|_| {
                chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
                    .map(|t| Self(t.and_utc().timestamp_millis()))
            })
            .ok()
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
