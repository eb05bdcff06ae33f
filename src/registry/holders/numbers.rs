//! The numbers by which persons, companies and public bodies are told apart. Each is a type that is
//! parsed once; its checksum holds, or there is no value.

use super::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! numbers {
    ($( $(#[$doc:meta])* $name:ident, $check:ident ; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Spaces, dots and hyphens, with which people write it, are left out.
            pub fn parse(text: &str) -> Result<Self, Fault> {
                let bare = bare(text);
                match bare.len() <= LONGEST && $check(&bare) {
                    true => Ok(Self(bare)),
                    false => Err(Fault::$name),
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Fault;

            fn try_from(text: String) -> Result<Self, Fault> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// Logs don't say whose number it is.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let end = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
                write!(f, "{}(…{end})", stringify!($name))
            }
        }
    )* };
}

numbers! {
    /// T.C. kimlik no: 11 digits, the last two are check digits; those from 99 are foreigners'.
    CitizenNumber, is_citizen;
    /// Yabancı kimlik no: the same with 99 in front.
    ForeignerNumber, is_foreigner;
    /// A passport's number as ICAO Doc 9303 part 4 has it: 5 to 9 capital letters and digits.
    PassportNumber, is_passport;
    /// Vergi kimlik no of a company or body: 10 digits, the last is the check digit.
    Vkn, is_vkn;
    /// MERSİS no: 16 digits. Those published begin with 0 and the VKN, or, of a merchant who is a person,
    /// with his identity number; five of its own follow.
    Mersis, is_mersis;
    /// Devlet Teşkilatı no (DETSİS): 8 digits.
    Detsis, is_detsis;
    /// Ticaret sicil no: digits, with the suffix that some registries have (`123456-0`).
    TradeRegistryNumber, is_trade_registry;
}

impl Mersis {
    /// The VKN within it, of a company.
    pub fn vkn(&self) -> Option<Vkn> {
        let inner = self.0.strip_prefix('0')?.get(..10)?;
        Vkn::parse(inner).ok()
    }
}

fn bare(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '\u{a0}'));
    kept.take(LONGEST + 1).collect::<String>().to_ascii_uppercase()
}

/// The digits of a text that has so many and nothing else.
fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let found: Vec<u32> = text.chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    found.try_into().ok()
}

fn is_citizen(text: &str) -> bool {
    checks_out(text) && !text.starts_with(FOREIGN)
}

fn is_foreigner(text: &str) -> bool {
    checks_out(text) && text.starts_with(FOREIGN)
}

/// The tenth digit follows from the odd and the even ones before it, the eleventh from all.
fn checks_out(text: &str) -> bool {
    let Some([a, b, c, d, e, f, g, h, i, tenth, last]) = digits::<11>(text) else { return false };
    let (odd, even) = (a + c + e + g + i, b + d + f + h);
    // 10 × 9 keeps the difference above zero and changes no remainder.
    a != 0 && (odd * 7 + 90 - even) % 10 == tenth && (odd + even + tenth) % 10 == last
}

fn is_passport(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (5..=9).contains(&text.len()) && plain && text.bytes().any(|b| b.is_ascii_digit())
}

fn is_vkn(text: &str) -> bool {
    let Some(digits) = digits::<10>(text) else { return false };
    let weight = |(place, digit): (u32, u32)| match (digit + 9 - place) % 10 {
        9 => 9,
        shifted => (shifted << (9 - place)) % 9,
    };
    let sum: u32 = (0..9).zip(digits).map(weight).sum();
    digits.iter().any(|digit| *digit != 0) && digits.last() == Some(&((10 - sum % 10) % 10))
}

fn is_mersis(text: &str) -> bool {
    let Some(owner) = digits::<16>(text).and_then(|_| text.get(..11)) else { return false };
    match owner.strip_prefix('0') {
        Some(vkn) => is_vkn(vkn),
        None => checks_out(owner),
    }
}

fn is_detsis(text: &str) -> bool {
    digits::<8>(text).is_some_and(|digits| digits.iter().any(|digit| *digit != 0))
}

fn is_trade_registry(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Identity numbers of foreigners begin so.
const FOREIGN: &str = "99";
/// Longer than any of them.
const LONGEST: usize = 24;

#[cfg(test)]
mod tests;
