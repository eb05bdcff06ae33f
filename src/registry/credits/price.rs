//! What a message costs: by the size of the original, as it is handed in, and by each recipient's
//! address. The original, because its sender can count it before he signs; what is sealed around it depends
//! on evidence and dialect. Pure.

use crate::registry::declared::Kind;
use crate::registry::policy::Octets;
use crate::store::credits::Charge;

/// Credits of a recipient by the size of the original: `5 MiB = 1, 10 MiB = 2, more = 3`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bands {
    /// Up to so many octets, so many credits; growing.
    bands: Vec<(u64, u32)>,
    /// What is larger.
    more: u32,
}

/// Numbers of the evidence that gives the price of a recipient back: `21, 31, 41`, or `none`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GiveBack(Vec<u8>);

/// How many recipients a message has, by who has their mailboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recipients {
    pub here: usize,
    pub elsewhere: usize,
}

impl Bands {
    /// Credits of one recipient.
    pub fn price(&self, octets: u64) -> i64 {
        let band = self.bands.iter().find(|(up_to, _)| octets <= *up_to);
        i64::from(band.map_or(self.more, |(_, credits)| *credits))
    }
}

impl GiveBack {
    pub fn numbers(&self) -> &[u8] {
        &self.0
    }
}

/// The price of a message. `free_here`: recipients with this provider cost nothing.
pub fn price(
    bands: &Bands,
    back: &GiveBack,
    free_here: bool,
    octets: u64,
    to: Recipients,
) -> Charge {
    let elsewhere = bands.price(octets);
    let here = if free_here { 0 } else { elsewhere };
    let of =
        |count: usize, price: i64| i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(price);
    let total = of(to.here, here).saturating_add(of(to.elsewhere, elsewhere));
    Charge { total, elsewhere, here, back: back.0.clone(), low: 0 }
}

impl Default for Bands {
    fn default() -> Self {
        Self { bands: vec![(5 << 20, 1), (10 << 20, 2)], more: 3 }
    }
}

impl Kind for Bands {
    const FORM: &'static str =
        "sizes, growing, and the credits of a recipient: 5 MiB = 1, 10 MiB = 2, more = 3";

    fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<_> = text.split(',').collect();
        let more = band(parts.pop()?)?;
        let more = (more.0 == "more").then_some(more.1)?;
        let mut bands = Vec::<(u64, u32)>::with_capacity(parts.len());
        for part in parts {
            let (size, credits) = band(part)?;
            let Octets(up_to) = Octets::parse(size)?;
            if up_to <= bands.last().map_or(0, |(up_to, _)| *up_to) {
                return None;
            }
            bands.push((up_to, credits));
        }
        Some(Self { bands, more })
    }

    fn write(&self) -> String {
        let band =
            |(up_to, credits): &(u64, u32)| format!("{} = {credits}, ", Octets(*up_to).write());
        let bands: String = self.bands.iter().map(band).collect();
        format!("{bands}more = {}", self.more)
    }
}

impl Default for GiveBack {
    fn default() -> Self {
        Self(GIVING.to_vec())
    }
}

impl Kind for GiveBack {
    const FORM: &'static str = "numbers of evidence: 21, 31, 41; or none";

    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "none" {
            return Some(Self(Vec::new()));
        }
        let number = |part: &str| GIVING.into_iter().find(|one| one.to_string() == part.trim());
        let mut numbers = text.split(',').map(number).collect::<Option<Vec<_>>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Some(Self(numbers))
    }

    fn write(&self) -> String {
        let numbers: Vec<_> = self.0.iter().map(u8::to_string).collect();
        if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
    }
}

/// `5 MiB = 1` in its two halves.
fn band(text: &str) -> Option<(&str, u32)> {
    let (size, credits) = text.split_once('=')?;
    let credits = credits.trim().parse().ok().filter(|credits| *credits <= MOST)?;
    Some((size.trim(), credits))
}

/// Rejection (11) gives everything back always: of what was not accepted nothing is taken (invariant 6).
const GIVING: [u8; 3] = [21, 31, 41];
/// So that no sum over recipients leaves the numbers.
const MOST: u32 = 1_000_000;

#[cfg(test)]
mod tests;
