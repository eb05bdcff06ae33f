//! Who an operator is: what is asked of whoever is registered to act for an account (kep-domain R-61).

use crate::wire::{MailAddress, Mobile, ReachError};
use std::fmt;
use thiserror::Error;

/// What was said of a person, checked once.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub given_name: String,
    pub surname: String,
    /// What he is there (Müdür): the directory shows it beside his name.
    pub title: Option<String>,
    /// T.C. kimlik no, or the number of that form which foreigners have: by it his certificate is known.
    pub identity_number: String,
    pub phone: Option<Mobile>,
    pub email: Option<MailAddress>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PersonFault {
    #[error("a name is one line of 1 to {NAME} characters")]
    Name,
    #[error("no T.C. kimlik no: 11 digits, of which the last two check the others")]
    IdentityNumber,
    #[error("the phone is {0}")]
    Phone(ReachError),
    #[error("the e-mail address is {0}")]
    Email(ReachError),
}

impl Person {
    pub fn new(
        given_name: &str,
        surname: &str,
        identity_number: &str,
        phone: Option<&str>,
        email: Option<&str>,
    ) -> Result<Self, PersonFault> {
        let number = identity_number.trim();
        if !is_identity_number(number) {
            return Err(PersonFault::IdentityNumber);
        }
        Ok(Self {
            given_name: named(given_name)?,
            surname: named(surname)?,
            title: None,
            identity_number: number.to_owned(),
            phone: phone.map(Mobile::parse).transpose().map_err(PersonFault::Phone)?,
            email: email.map(MailAddress::parse).transpose().map_err(PersonFault::Email)?,
        })
    }

    /// An empty title is none.
    pub fn titled(self, title: &str) -> Result<Self, PersonFault> {
        Ok(Self { title: self::titled(title)?, ..self })
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.surname)
    }
}

/// Logs don't say whose number it is.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("name", &self.name()).finish_non_exhaustive()
    }
}

pub(super) fn titled(title: &str) -> Result<Option<String>, PersonFault> {
    match title.trim() {
        "" => Ok(None),
        title => named(title).map(Some),
    }
}

/// Names stand in evidence: XML has no control characters.
fn named(name: &str) -> Result<String, PersonFault> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let sound = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let good = !name.is_empty() && name.chars().count() <= NAME && name.chars().all(sound);
    good.then_some(name).ok_or(PersonFault::Name)
}

/// The tenth digit follows from the odd and the even ones before it, the eleventh from all.
fn is_identity_number(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    let Some(Ok([a, b, c, d, e, f, g, h, i, tenth, last])) = digits.map(<[u32; 11]>::try_from)
    else {
        return false;
    };
    let (odd, even) = (a + c + e + g + i, b + d + f + h);
    // 10 × 9 keeps the difference above zero and changes no remainder.
    a != 0 && (odd * 7 + 90 - even) % 10 == tenth && (odd + even + tenth) % 10 == last
}

/// Characters of a name.
const NAME: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "10000000146";

    #[test]
    fn a_number_is_one_whose_check_digits_hold() {
        assert!(is_identity_number(NUMBER));
        for place in 0..11 {
            let mut other = NUMBER.as_bytes().to_vec();
            other[place] = b'0' + (other[place] - b'0' + 1) % 10;
            assert!(!is_identity_number(std::str::from_utf8(&other).unwrap()), "{other:?}");
        }
        for bad in ["", "1", "00000000000", "1000000014", "100000001460", "1000000014x", "١٠"] {
            assert!(!is_identity_number(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_said_of_a_person_is_checked_once() {
        let person = Person::new(" Ayşe  Nur ", "Yılmaz", NUMBER, None, None).unwrap();
        assert_eq!(person.name(), "Ayşe Nur Yılmaz");
        assert!(!format!("{person:?}").contains(NUMBER));
        let fault = |name, number, phone| Person::new(name, "Y", number, phone, None).unwrap_err();
        assert_eq!(fault("", NUMBER, None), PersonFault::Name);
        assert_eq!(fault("a\0b", NUMBER, None), PersonFault::Name);
        assert_eq!(fault("A", "10000000147", None), PersonFault::IdentityNumber);
        assert!(matches!(fault("A", NUMBER, Some("12")), PersonFault::Phone(_)));
        let long = "ş".repeat(NAME + 1);
        assert_eq!(fault(&long, NUMBER, None), PersonFault::Name);
    }
}
