//! Hours in which nobody is woken, by the wall clock of Turkey. Pure.

use crate::registry::policy::Span;
use crate::wire::Timestamp;
use chrono::Timelike;
use std::fmt;
use std::str::FromStr;

/// From a minute of the day to another one, which may be of the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quiet {
    from: u16,
    until: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("quiet hours are written as 22:00-08:00")]
pub struct QuietError;

impl Quiet {
    /// Minutes of the day, which differ.
    pub fn new(from: i64, until: i64) -> Option<Self> {
        let minute = |minutes: i64| u16::try_from(minutes).ok().filter(|minute| *minute < DAY);
        let (from, until) = (minute(from)?, minute(until)?);
        (from != until).then_some(Self { from, until })
    }

    pub fn minutes(self) -> (i64, i64) {
        (i64::from(self.from), i64::from(self.until))
    }

    /// When this quiet time began and when it ends, if it is quiet then.
    fn around(self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let local = at.istanbul();
        let now = i64::from(local.hour() * 60 + local.minute());
        let within = i64::from(local.second()) * 1000 + i64::from(local.nanosecond() / 1_000_000);
        let minute = at.plus_millis(-within.min(60_000));
        let (from, until) = self.minutes();
        let length = (until - from).rem_euclid(i64::from(DAY));
        let since = (now - from).rem_euclid(i64::from(DAY));
        let begin = minute.plus_secs(-60 * since);
        (since < length).then(|| (begin, begin.plus_secs(60 * length)))
    }

    /// The first moment from then on at which somebody may be told.
    pub fn after(self, at: Timestamp) -> Timestamp {
        self.around(at).map_or(at, |(_, end)| end)
    }
}

/// When somebody is told that a message is still unread, whose time to read ends at `due`: so long
/// before. Where that is a quiet hour, at its end; where too little time would be left then, before it
/// begins; and where that is past, all the same: a night's rest is less than what is lost.
pub fn reminder(due: Timestamp, before: Span, quiet: Option<Quiet>, now: Timestamp) -> Timestamp {
    let wanted = due.plus_millis(before.millis().saturating_neg()).max(now);
    let Some((begin, end)) = quiet.and_then(|quiet| quiet.around(wanted)) else { return wanted };
    if end.plus_secs(LEFT_SECS) <= due {
        return end;
    }
    begin.plus_secs(-60).max(now)
}

impl FromStr for Quiet {
    type Err = QuietError;

    fn from_str(text: &str) -> Result<Self, QuietError> {
        let minute = |text: &str| -> Option<i64> {
            let (hour, minute) = text.trim().split_once(':')?;
            let number = |text: &str, below: i64| {
                let plain =
                    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                text.parse::<i64>().ok().filter(|number| plain && *number < below)
            };
            Some(number(hour, 24)? * 60 + number(minute, 60)?)
        };
        let (from, until) = text.split_once('-').ok_or(QuietError)?;
        let both = minute(from).zip(minute(until)).ok_or(QuietError)?;
        Self::new(both.0, both.1).ok_or(QuietError)
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

/// Minutes.
const DAY: u16 = 24 * 60;
/// Who is told must have this long to open it.
const LEFT_SECS: i64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIX: Span = Span::hours(6);

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(&format!("2026-11-{text}+03:00")).unwrap()
    }

    #[test]
    fn a_night_is_quiet_until_the_morning() {
        let night: Quiet = "22:00-08:00".parse().unwrap();
        for (when, then) in [
            ("10T21:59:59", "10T21:59:59"),
            ("10T22:00:00", "11T08:00:00"),
            ("11T03:20:10.500", "11T08:00:00"),
            ("11T07:59:59", "11T08:00:00"),
            ("11T08:00:00", "11T08:00:00"),
            ("11T12:00:00", "11T12:00:00"),
        ] {
            assert_eq!(night.after(at(when)), at(then), "{when}");
        }
        let noon: Quiet = "12:30-13:30".parse().unwrap();
        assert_eq!(noon.after(at("11T13:00:00")), at("11T13:30:00"));
        assert_eq!(noon.after(at("11T22:00:00")), at("11T22:00:00"));
        assert_eq!(noon.to_string(), "12:30-13:30");
        for wrong in
            ["", "22:00", "22-08", "24:00-08:00", "22:60-08:00", "08:00-08:00", "+2:00-3:00"]
        {
            assert_eq!(wrong.parse::<Quiet>(), Err(QuietError), "{wrong}");
        }
    }

    #[test]
    fn a_reminder_comes_in_time_and_if_it_can_by_day() {
        let night = Some("22:00-08:00".parse().unwrap());
        let now = at("10T09:00:00");
        for (due, then) in [
            ("11T20:00:00", "11T14:00:00"),
            // Six hours before is 05:00; three hours are left at the end of the night.
            ("11T11:00:00", "11T08:00:00"),
            // At its end half an hour would be left: told before the night.
            ("11T08:30:00", "10T21:59:00"),
            ("11T04:00:00", "10T21:59:00"),
        ] {
            assert_eq!(reminder(at(due), SIX, night, now), at(then), "{due}");
        }
        let late = at("11T02:00:00");
        assert_eq!(reminder(at("11T04:00:00"), SIX, night, late), late, "no time is left to wait");
        assert_eq!(reminder(at("11T04:00:00"), SIX, None, now), at("10T22:00:00"));
    }

    proptest! {
        #[test]
        fn whatever_the_hours_nobody_is_told_in_them_nor_a_day_later(
            from in 0_i64..1440, until in 0_i64..1440, millis in 0_i64..4_000_000_000_000
        ) {
            let now = Timestamp::from_millis(millis);
            if let Some(quiet) = Quiet::new(from, until) {
                let then = quiet.after(now);
                prop_assert!(then >= now && then <= now.plus_secs(24 * 3600));
                prop_assert_eq!(quiet.after(then), then);
                prop_assert_eq!(quiet.to_string().parse(), Ok(quiet));
                let due = now.plus_secs(24 * 3600);
                let told = reminder(due, SIX, Some(quiet), now);
                prop_assert!(told >= now && told <= due);
            }
        }
    }
}
