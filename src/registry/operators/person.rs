//! Who an operator is: what is asked of whoever is registered to act for an account.

use crate::registry::holders::{CitizenNumber, ForeignerNumber};
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

impl PersonFault {
    pub fn turkish(self) -> String {
        match self {
            Self::Name => format!("ad, soyad ve unvan birer satırdır, en çok {NAME} karakterdir"),
            Self::IdentityNumber => {
                "T.C. kimlik numarası 11 hanelidir ve denetim basamakları tutmalıdır".to_owned()
            }
            Self::Phone(_) => "cep telefonu numarası +905321234567 gibi yazılır".to_owned(),
            Self::Email(ReachError::Kep) => "e-posta adresi KEP adresi olamaz".to_owned(),
            Self::Email(_) => "e-posta adresi ad@alan.com gibidir".to_owned(),
        }
    }
}

impl Person {
    pub fn new(
        given_name: &str,
        surname: &str,
        identity_number: &str,
        phone: Option<&str>,
        email: Option<&str>,
    ) -> Result<Self, PersonFault> {
        Ok(Self {
            given_name: named(given_name)?,
            surname: named(surname)?,
            title: None,
            identity_number: numbered(identity_number)?,
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

/// A citizen's number, or a foreigner's of the same form.
fn numbered(text: &str) -> Result<String, PersonFault> {
    let citizen = CitizenNumber::parse(text).map(String::from);
    let number = citizen.or_else(|_| ForeignerNumber::parse(text).map(String::from));
    number.map_err(|_| PersonFault::IdentityNumber)
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

/// Characters of a name.
const NAME: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "10000000146";

    #[test]
    fn what_is_said_of_a_person_is_checked_once() {
        let person = Person::new(" Ayşe  Nur ", "Yılmaz", NUMBER, None, None).unwrap();
        assert_eq!(person.name(), "Ayşe Nur Yılmaz");
        assert!(!format!("{person:?}").contains(NUMBER));
        let fault = |name, number, phone| Person::new(name, "Y", number, phone, None).unwrap_err();
        assert_eq!(fault("", NUMBER, None), PersonFault::Name);
        assert_eq!(fault("a\0b", NUMBER, None), PersonFault::Name);
        for bad in ["10000000147", "", "00000000000", "1000000014", "1000000014x"] {
            assert_eq!(fault("A", bad, None), PersonFault::IdentityNumber, "{bad}");
        }
        let spaced = Person::new("A", "Y", "100 000 001 46", None, None).unwrap();
        assert_eq!(spaced.identity_number, NUMBER);
        assert!(matches!(fault("A", NUMBER, Some("12")), PersonFault::Phone(_)));
        let long = "ş".repeat(NAME + 1);
        assert_eq!(fault(&long, NUMBER, None), PersonFault::Name);
    }
}
