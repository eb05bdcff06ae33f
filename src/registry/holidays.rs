//! Public holidays as data: which days are business days. Legal clocks that count business days ask
//! here, and a year the file doesn't know is said by name instead of being guessed silently.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// Turkey's holidays 2015–2035, with their sources (`conf/holidays-tr.toml`).
pub const SHIPPED: &str = include_str!("../../conf/holidays-tr.toml");

/// Holidays of the years a file names.
#[derive(Clone, Debug)]
pub struct Calendar {
    years: BTreeMap<i32, Basis>,
    fixed: Vec<Fixed>,
    feasts: BTreeMap<NaiveDate, Holiday>,
}

/// A day off, or the afternoon of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    pub name: String,
    pub length: Length,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    Whole,
    /// From 13.00 on (law 2429, articles 1 and 2).
    Half,
}

/// How sure the feasts of a year are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The year is over, the feast was held on that day.
    Held,
    /// The authority has announced the day.
    Published,
    /// Calculated; compare with the authority's list when it comes out.
    Computed,
}

/// The calendar has no feasts for this year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the holiday file says nothing about {0}")]
pub struct Unlisted(pub i32);

/// Why a holiday file is refused.
#[derive(Debug, thiserror::Error)]
pub enum HolidayError {
    #[error("the holiday file has {0} bytes; at most {MAX_BYTES} are read")]
    TooLarge(usize),
    #[error("the holiday file is not as it should be: {0}")]
    Form(#[from] toml::de::Error),
    #[error("fixed day {0:?}: write a day of every year as \"MM-DD\"")]
    FixedDay(String),
    #[error("{0} fixed days; at most {MAX_FIXED} make sense")]
    TooManyFixed(usize),
    #[error("feast {0:?} lasts {1} days; 1 to {MAX_FEAST_DAYS} make sense")]
    FeastDays(&'static str, u8),
    #[error("the holiday file names no year")]
    NoYear,
    #[error("year {0}: out of {MIN_YEAR}–{MAX_YEAR}")]
    YearRange(i32),
    #[error("year {0} stands twice")]
    YearTwice(i32),
    #[error("year {year}: {feast} on {written}: write a day of {year}, without a time")]
    FeastDay { year: i32, feast: &'static str, written: String },
    #[error("year {year}: {feast} begins {count} times; a year has one or two")]
    FeastCount { year: i32, feast: &'static str, count: usize },
}

impl Calendar {
    /// Reads a holiday file; `SHIPPED` shows its form.
    pub fn parse(text: &str) -> Result<Self, HolidayError> {
        if text.len() > MAX_BYTES {
            return Err(HolidayError::TooLarge(text.len()));
        }
        let file: File = toml::from_str(text)?;
        let mut calendar = Self {
            years: BTreeMap::new(),
            fixed: fixed_days(file.fixed)?,
            feasts: BTreeMap::new(),
        };
        for (key, feast) in [("ramazan", &file.feasts.ramazan), ("kurban", &file.feasts.kurban)] {
            if !(1..=MAX_FEAST_DAYS).contains(&feast.days) {
                return Err(HolidayError::FeastDays(key, feast.days));
            }
        }
        for year in &file.year {
            calendar.add_year(year, &file.feasts)?;
        }
        if calendar.years.is_empty() {
            return Err(HolidayError::NoYear);
        }
        Ok(calendar)
    }

    /// What the day is a holiday of. Fixed days hold in every year, listed or not.
    pub fn holiday(&self, day: NaiveDate) -> Option<Holiday> {
        let fixed = self.fixed.iter().find(|f| f.falls_on(day)).map(|f| &f.holiday);
        match (self.feasts.get(&day), fixed) {
            (Some(feast), Some(fixed)) if feast.length == Length::Half => Some(fixed.clone()),
            (Some(feast), _) => Some(feast.clone()),
            (None, fixed) => fixed.cloned(),
        }
    }

    /// A whole day of work: neither weekend nor holiday, nor half a holiday, because a rule that
    /// takes a message as read should not end on a day when offices close at 13.00.
    pub fn is_business_day(&self, day: NaiveDate) -> Result<bool, Unlisted> {
        if !self.knows(day.year()) {
            return Err(Unlisted(day.year()));
        }
        Ok(self.looks_like_business_day(day))
    }

    /// The same for a year without feasts in the file: weekends and fixed days only.
    pub fn looks_like_business_day(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && self.holiday(day).is_none()
    }

    pub fn knows(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// How sure a listed year is.
    pub fn basis(&self, year: i32) -> Option<Basis> {
        self.years.get(&year).copied()
    }

    /// The years of a span that the file doesn't list, for `kep check` to warn of.
    pub fn missing(&self, years: std::ops::RangeInclusive<i32>) -> Vec<Unlisted> {
        years.filter(|year| !self.knows(*year)).map(Unlisted).collect()
    }

    fn add_year(&mut self, year: &Year, feasts: &Feasts) -> Result<(), HolidayError> {
        if !(MIN_YEAR..=MAX_YEAR).contains(&year.year) {
            return Err(HolidayError::YearRange(year.year));
        }
        if self.years.insert(year.year, year.basis).is_some() {
            return Err(HolidayError::YearTwice(year.year));
        }
        self.add_feast(year.year, "ramazan", &year.ramazan, &feasts.ramazan)?;
        self.add_feast(year.year, "kurban", &year.kurban, &feasts.kurban)
    }

    fn add_feast(
        &mut self,
        year: i32,
        key: &'static str,
        firsts: &[toml::value::Datetime],
        feast: &Feast,
    ) -> Result<(), HolidayError> {
        // A lunar year has 354 or 355 days, so every civil year sees a feast once or twice.
        if !(1..=2).contains(&firsts.len()) {
            return Err(HolidayError::FeastCount { year, feast: key, count: firsts.len() });
        }
        for written in firsts {
            let first = plain_date(written).filter(|day| day.year() == year).ok_or_else(|| {
                HolidayError::FeastDay { year, feast: key, written: written.to_string() }
            })?;
            let days = std::iter::successors(Some(first), NaiveDate::succ_opt);
            for (number, day) in (1..=feast.days).zip(days) {
                let name = format!("{} {number}. gün", feast.name);
                self.feasts.insert(day, Holiday { name, length: Length::Whole });
            }
            if let Some(eve) = first.pred_opt() {
                let name = format!("{} arifesi", feast.name);
                self.feasts.insert(eve, Holiday { name, length: Length::Half });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Published => "published",
            Self::Computed => "computed",
        })
    }
}

#[derive(Clone, Debug)]
struct Fixed {
    month: u32,
    day: u32,
    since: i32,
    holiday: Holiday,
}

impl Fixed {
    fn falls_on(&self, day: NaiveDate) -> bool {
        (day.month(), day.day()) == (self.month, self.day) && day.year() >= self.since
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    feasts: Feasts,
    fixed: Vec<FixedLine>,
    year: Vec<Year>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feasts {
    ramazan: Feast,
    kurban: Feast,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feast {
    name: String,
    days: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixedLine {
    day: String,
    name: String,
    #[serde(default)]
    half: bool,
    #[serde(default)]
    since: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: i32,
    basis: Basis,
    ramazan: Vec<toml::value::Datetime>,
    kurban: Vec<toml::value::Datetime>,
}

fn fixed_days(lines: Vec<FixedLine>) -> Result<Vec<Fixed>, HolidayError> {
    if lines.len() > MAX_FIXED {
        return Err(HolidayError::TooManyFixed(lines.len()));
    }
    lines.into_iter().map(fixed_day).collect()
}

fn fixed_day(line: FixedLine) -> Result<Fixed, HolidayError> {
    // 2015 is no leap year: 29 February, which most years lack, is refused with the rest.
    let day = NaiveDate::parse_from_str(&format!("2015-{}", line.day), "%Y-%m-%d")
        .ok()
        .filter(|_| line.day.len() == "MM-DD".len())
        .ok_or_else(|| HolidayError::FixedDay(line.day.clone()))?;
    let length = if line.half { Length::Half } else { Length::Whole };
    let holiday = Holiday { name: line.name, length };
    Ok(Fixed { month: day.month(), day: day.day(), since: line.since, holiday })
}

fn plain_date(written: &toml::value::Datetime) -> Option<NaiveDate> {
    let date = written.date.filter(|_| written.time.is_none() && written.offset.is_none())?;
    NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
}

/// The shipped file has 4 KiB; a century of years would stay below this.
const MAX_BYTES: usize = 64 * 1024;
/// Leaves most of every year for work, so that the search for a business day ends.
const MAX_FIXED: usize = 40;
const MAX_FEAST_DAYS: u8 = 10;
const MIN_YEAR: i32 = 1981; // law 2429 is of 1981
const MAX_YEAR: i32 = 2199;

#[cfg(test)]
mod tests;
