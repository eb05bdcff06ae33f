//! The kinds of values that a policy can have: how each is written and read.

use super::super::accounts::SignatureRule;
use super::super::budget::Budget;
use super::super::declared::Kind;
use super::super::read_policy::ReadPolicy;
use std::fmt::{self, Display};
use std::str::FromStr;

/// A length of time in milliseconds, written with its unit: `15m`, `24h`, `30d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span(pub i64);

/// Times before an end, the longest first, written one after the other: `24h 6h 2h`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Steps(pub Vec<Span>);

/// Hundredths, up to a hundred.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Percent(pub u32);

/// A number of octets, written with its unit: `25 MiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Octets(pub u64);

/// How large a dispatch may be, in octets: 2 MiB at least, which leaves room for what is around the
/// original, however many get it; no more than has room in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DispatchSize(pub u64);

/// What is done with a message that can't be scanned for viruses now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unscanned {
    /// It is refused for now; the sender tries again.
    Refuse,
    /// It is taken, and waits for the scanner.
    Hold,
}

/// What becomes of a message that waits for a virus scanner when none is set any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abandoned {
    Wait,
    /// It goes on unscanned.
    Accept,
}

/// What becomes of what the virus scanner can't look into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// For good: the sender can mend it.
    Refuse,
    Accept,
}

impl Span {
    pub const fn minutes(count: i64) -> Self {
        Self(count * 60_000)
    }

    pub const fn hours(count: i64) -> Self {
        Self::minutes(count * 60)
    }

    pub const fn days(count: i64) -> Self {
        Self::hours(count * 24)
    }

    pub fn millis(self) -> i64 {
        self.0
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, millis)| self.0 % millis == 0);
        let (unit, millis) = unit.unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.0 / millis)
    }
}

impl Kind for Span {
    const FORM: &'static str = "a time with its unit: 90s, 15m, 24h, 30d";

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
        digits.parse::<i64>().ok()?.checked_mul(*millis).filter(|all| *all <= CENTURY).map(Self)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Kind for Steps {
    const FORM: &'static str =
        "one to five times of a minute at least, the longest first: 24h 6h 2h";

    fn parse(text: &str) -> Option<Self> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        let steps: Vec<_> = words.map(Span::parse).collect::<Option<_>>()?;
        let falling = steps.windows(2).all(|two| two.first() > two.last());
        // At the end itself there is nothing to remind of.
        let before = steps.last().is_some_and(|last| *last >= Span::minutes(1));
        (falling && before && steps.len() <= STEPS).then_some(Self(steps))
    }

    fn write(&self) -> String {
        self.0.iter().map(Span::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl Kind for Percent {
    const FORM: &'static str = "hundredths, 0 to 100";

    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok().filter(|percent| *percent <= 100).map(Self)
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}

impl Kind for Octets {
    const FORM: &'static str = "a size with its unit: 64 KiB, 25 MiB, 1 GiB";

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let (_, octets) = SIZES.iter().find(|(name, _)| *name == unit.trim())?;
        digits.parse::<u64>().ok()?.checked_mul(*octets).filter(|all| *all <= 1 << 50).map(Self)
    }

    fn write(&self) -> String {
        let unit = SIZES.iter().find(|(_, octets)| self.0.is_multiple_of(*octets));
        let (unit, octets) = unit.unwrap_or(&("B", 1));
        format!("{} {unit}", self.0 / octets)
    }
}

impl Kind for DispatchSize {
    const FORM: &'static str = "a size from 2 MiB to 128 MiB";

    fn parse(text: &str) -> Option<Self> {
        let Octets(octets) = Octets::parse(text)?;
        (2 << 20..=LARGEST).contains(&octets).then_some(Self(octets))
    }

    fn write(&self) -> String {
        Octets(self.0).write()
    }
}

impl Kind for u32 {
    const FORM: &'static str = "a whole number";

    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Kind for ReadPolicy {
    const FORM: &'static str = "24h (1h to 8784h), next-business-day or fifth-day";

    fn parse(text: &str) -> Option<Self> {
        Self::from_str(text.trim()).ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Kind for SignatureRule {
    const FORM: &'static str = "required, hold or optional";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text.trim())
    }

    fn write(&self) -> String {
        self.word().to_owned()
    }
}

impl Kind for Unscanned {
    const FORM: &'static str = "refuse or hold";

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "refuse" => Some(Self::Refuse),
            "hold" => Some(Self::Hold),
            _ => None,
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Refuse => "refuse",
            Self::Hold => "hold",
        }
        .to_owned()
    }
}

impl Kind for Passage {
    const FORM: &'static str = "refuse or accept";

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "refuse" => Some(Self::Refuse),
            "accept" => Some(Self::Accept),
            _ => None,
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Refuse => "refuse",
            Self::Accept => "accept",
        }
        .to_owned()
    }
}

impl Kind for Abandoned {
    const FORM: &'static str = "wait or accept";

    fn parse(text: &str) -> Option<Self> {
        [Self::Wait, Self::Accept].into_iter().find(|one| one.write() == text.trim())
    }

    fn write(&self) -> String {
        match self {
            Self::Wait => "wait",
            Self::Accept => "accept",
        }
        .to_owned()
    }
}

/// Nothing decided: what the configuration says, or nothing at all.
impl<T: Kind> Kind for Option<T> {
    const FORM: &'static str = T::FORM;

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "-" => Some(None),
            text => T::parse(text).map(Some),
        }
    }

    fn write(&self) -> String {
        self.as_ref().map_or_else(|| "-".to_owned(), T::write)
    }
}

/// The longest first: a time is written in the largest that it is whole in.
const UNITS: &[(&str, i64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SIZES: &[(&str, u64)] =
    &[("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const STEPS: usize = 5;
const CENTURY: i64 = 100 * 366 * 86_400_000;
/// What one account's messages may take in memory: a larger one would hear a temporary error for ever.
const LARGEST: u64 = Budget::of_one(Budget::BODIES) as u64;
