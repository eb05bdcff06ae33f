//! When an unopened message counts as read. Pure: the clock is the time stamp in the delivery
//! evidence (invariant 9), the answer is an instant, and whoever catches up after a stop gets the
//! same one.
//!
//! Days are those of `Timestamp::istanbul`, UTC+03:00 without summer time since 2016-09-08, before
//! which no evidence of ours exists. That one fixed offset is also what people are shown, so what
//! is computed and what is printed can't differ by the age of a time zone table; a new law on the
//! hour would be an effective-dated change anyway.

use super::holidays::Calendar;
use crate::wire::Timestamp;
use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime};
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// What a message is, as its `X-TR-REM-iletiTip` header says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum MessageType {
    Standart,
    /// e-Yazışma: official correspondence.
    EYazisma,
    /// e-Tebligat: service of documents.
    ETebligat,
}

/// After which time an unopened message counts as read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReadPolicy {
    /// So many hours after the delivery, to the millisecond.
    Hours(NonZeroU16),
    /// At 24.00 of the first business day after the day of delivery.
    EndOfNextBusinessDay,
    /// At 24.00 of the fifth day; the day of delivery is not counted, holidays are (law 7201, 7/a).
    FifthDayEnd,
}

/// Which rule holds for which message type since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyTable {
    /// Sorted by `from`; of equals the later entry wins.
    entries: Vec<PolicyEntry>,
}

/// From this instant on, messages of this type follow this rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyEntry {
    pub from: Timestamp,
    pub message_type: MessageType,
    pub rule: ReadPolicy,
}

/// The due time would need the feasts of a year the holiday file doesn't list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the holiday file says nothing about {year}; by weekdays and fixed holidays it is {due}")]
pub struct UnknownYear {
    pub year: i32,
    /// Due by weekends and fixed holidays alone: what to act on, with a warning.
    pub due: Timestamp,
}

/// A name that is none of ours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(
        "{0:?} is no rule: write \"24h\" (1h to {MAX_HOURS}h), \"next-business-day\" or \"fifth-day\""
    )]
    Rule(String),
    #[error("{0:?} is no message type: write \"standart\", \"eYazisma\" or \"eTebligat\"")]
    MessageType(String),
}

impl PolicyTable {
    pub fn new(mut entries: Vec<PolicyEntry>) -> Self {
        entries.sort_by_key(|entry| entry.from);
        Self { entries }
    }

    /// The rule in force for a message delivered then.
    pub fn rule(&self, delivered: Timestamp, message_type: MessageType) -> ReadPolicy {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.message_type == message_type && entry.from <= delivered)
            .map_or_else(|| ReadPolicy::of(message_type), |entry| entry.rule)
    }

    /// When a message counts as read; `delivered` is the time stamp of the delivery evidence.
    pub fn due(
        &self,
        delivered: Timestamp,
        message_type: MessageType,
        calendar: &Calendar,
    ) -> Result<Timestamp, UnknownYear> {
        self.rule(delivered, message_type).due(delivered, calendar)
    }

    pub fn entries(&self) -> &[PolicyEntry] {
        &self.entries
    }
}

impl Default for PolicyTable {
    /// Each message type's own rule, of old.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl ReadPolicy {
    /// The rule of a type for which no entry is in force.
    pub fn of(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Standart | MessageType::EYazisma => Self::Hours(DAY),
            MessageType::ETebligat => Self::FifthDayEnd,
        }
    }

    pub fn due(self, delivered: Timestamp, calendar: &Calendar) -> Result<Timestamp, UnknownYear> {
        let local = delivered.clamp(EARLIEST, LATEST).istanbul();
        match self {
            Self::Hours(hours) => Ok(delivered.plus_secs(i64::from(hours.get()) * 3600)),
            Self::EndOfNextBusinessDay => next_business_day_end(local, calendar),
            Self::FifthDayEnd => Ok(end_of(local.date_naive(), 5, local)),
        }
    }
}

fn next_business_day_end(
    delivered: DateTime<FixedOffset>,
    calendar: &Calendar,
) -> Result<Timestamp, UnknownYear> {
    let mut unlisted = None;
    for (ahead, day) in (1..=SEARCH_DAYS).zip(delivered.date_naive().iter_days().skip(1)) {
        let known = calendar.is_business_day(day);
        unlisted = unlisted.or(known.err());
        if known.unwrap_or_else(|_| calendar.looks_like_business_day(day)) {
            let due = end_of(delivered.date_naive(), ahead, delivered);
            return unlisted.map_or(Ok(due), |gap| Err(UnknownYear { year: gap.0, due }));
        }
    }
    // Only at the end of chrono's calendar: no day follows that could be judged.
    let day = delivered.date_naive();
    Err(UnknownYear { year: day.year(), due: end_of(day, 1, delivered) })
}

/// 24.00 of the day so many days later, that is 00.00 of the one after, on the same wall clock.
fn end_of(day: NaiveDate, ahead: u64, clock: DateTime<FixedOffset>) -> Timestamp {
    day.checked_add_days(Days::new(ahead + 1))
        .and_then(|next| next.and_time(NaiveTime::MIN).and_local_timezone(*clock.offset()).single())
        .map_or(Timestamp::from_millis(i64::MAX), |end| Timestamp::from_utc(end.to_utc()))
}

impl FromStr for ReadPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let hours = |text: &str| {
            let digits = text.strip_suffix('h')?;
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            plain
                .then(|| digits.parse().ok())?
                .filter(|hours: &NonZeroU16| hours.get() <= MAX_HOURS)
        };
        match text {
            "next-business-day" => Ok(Self::EndOfNextBusinessDay),
            "fifth-day" => Ok(Self::FifthDayEnd),
            _ => hours(text).map(Self::Hours).ok_or_else(|| PolicyError::Rule(text.to_owned())),
        }
    }
}

impl fmt::Display for ReadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) => write!(f, "{hours}h"),
            Self::EndOfNextBusinessDay => f.write_str("next-business-day"),
            Self::FifthDayEnd => f.write_str("fifth-day"),
        }
    }
}

impl FromStr for MessageType {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        [Self::Standart, Self::EYazisma, Self::ETebligat]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| PolicyError::MessageType(text.to_owned()))
    }
}

impl MessageType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standart => "standart",
            Self::EYazisma => "eYazisma",
            Self::ETebligat => "eTebligat",
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const DAY: NonZeroU16 = NonZeroU16::new(24).expect("24 is not zero");
/// The years 0001 and 9999, between which days can be counted; a token can't state others.
const EARLIEST: Timestamp = Timestamp::from_secs(-62_135_596_800);
const LATEST: Timestamp = Timestamp::from_secs(253_370_764_800);
/// A year; more would be a slip of the pen.
const MAX_HOURS: u16 = 8784;
/// Of 400 days 285 are weekdays, and a holiday file can name at most 40 fixed days and 44 of feasts a
/// year: the search ends.
const SEARCH_DAYS: u64 = 400;

#[cfg(test)]
mod tests;
