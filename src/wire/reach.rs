//! How somebody is reached outside the closed circuit: a mobile number (ITU-T E.164) or an address of
//! ordinary mail. Nothing that belongs to KEP is such an address.

use super::address::{is_dot_atom, is_elsewhere};
use std::fmt;

/// A mobile number in the form `+905321234567`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Mobile(String);

/// An address of ordinary mail, its domain in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MailAddress(String);

/// Where a notice goes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reach {
    Sms(Mobile),
    Mail(MailAddress),
}

/// Why a text is no such place; the caller words it for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReachError {
    #[error("no mobile number; write it with its country, +905321234567")]
    Number,
    #[error("no mail address")]
    Address,
    #[error("a KEP address; notices go to an ordinary mailbox")]
    Kep,
}

impl Mobile {
    /// Blanks, hyphens, dots and brackets are left out; `00` stands for `+`, and a number of ten digits
    /// that begins with 5, with or without a leading 0, is Turkish.
    pub fn parse(text: &str) -> Result<Self, ReachError> {
        let bare: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
        let national = bare.strip_prefix('0').unwrap_or(&bare);
        let number = match (bare.strip_prefix('+'), bare.strip_prefix("00")) {
            (Some(rest), _) | (None, Some(rest)) => rest.to_owned(),
            _ if national.len() == NATIONAL && national.starts_with('5') => format!("90{national}"),
            _ => return Err(ReachError::Number),
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        // What is Turkish must be a mobile number.
        let turkish = number.strip_prefix("90");
        let sound = turkish.is_none_or(|rest| rest.len() == NATIONAL && rest.starts_with('5'));
        match plain && sound && (LEAST..=MOST).contains(&number.len()) {
            true => Ok(Self(format!("+{number}"))),
            false => Err(ReachError::Number),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone, as an SMSC takes an international number.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }
}

impl MailAddress {
    /// `dot-atom@domain` (RFC 5321 §4.1.2, without quoted strings and literals).
    pub fn parse(text: &str) -> Result<Self, ReachError> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(ReachError::Address)?;
        let domain = domain.to_ascii_lowercase();
        if domain == "kep.tr" || domain.ends_with(".kep.tr") {
            return Err(ReachError::Kep);
        }
        let good = local.len() <= LOCAL && is_dot_atom(local) && is_elsewhere(&domain);
        good.then(|| Self(format!("{local}@{domain}"))).ok_or(ReachError::Address)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reach {
    /// By its form: what has an `@` is an address.
    pub fn parse(text: &str) -> Result<Self, ReachError> {
        match text.contains('@') {
            true => MailAddress::parse(text).map(Self::Mail),
            false => Mobile::parse(text).map(Self::Sms),
        }
    }

    /// `sms` or `mail`.
    pub fn channel(&self) -> &'static str {
        match self {
            Self::Sms(_) => "sms",
            Self::Mail(_) => "mail",
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Sms(mobile) => mobile.as_str(),
            Self::Mail(address) => address.as_str(),
        }
    }

    /// As much of it as tells its owner which one is meant: `+90532*****67`, `a*****@example.com`.
    pub fn masked(&self) -> String {
        match self {
            Self::Sms(Mobile(text)) => {
                let (head, tail) = (text.get(..6), text.get(text.len().saturating_sub(2)..));
                format!("{}*****{}", head.unwrap_or_default(), tail.unwrap_or_default())
            }
            Self::Mail(MailAddress(text)) => {
                let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
                format!("{}*****@{domain}", local.get(..1).unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Digits of a Turkish number without its country.
const NATIONAL: usize = 10;
/// E.164 §6.2.1; shorter ones are short codes.
const LEAST: usize = 8;
const MOST: usize = 15;
/// RFC 5321 §4.5.3.1.1.
const LOCAL: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for text in [
            "+905321234567",
            "0532 123 45 67",
            "532-123-45-67",
            "00905321234567",
            "+90 (532) 123.45.67",
        ] {
            assert_eq!(Mobile::parse(text).unwrap().as_str(), "+905321234567", "{text}");
        }
        assert_eq!(Mobile::parse("+4915112345678").unwrap().digits(), "4915112345678");
        for wrong in [
            "",
            "+",
            "112",
            "02121234567",
            "+902121234567",
            "+90532123456",
            "+9053212345678",
            "+0532123456789",
            "+1234567890123456",
            "+90532123456x",
            "+٩٠٥٣٢١٢٣٤٥٦٧",
            "905321234567",
        ] {
            assert_eq!(Mobile::parse(wrong), Err(ReachError::Number), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_of_ordinary_mail() {
        let parse = |text| MailAddress::parse(text).map(|address| address.as_str().to_owned());
        assert_eq!(parse(" Ali.Veli+kep@Example.COM "), Ok("Ali.Veli+kep@example.com".to_owned()));
        for (wrong, error) in [
            ("", ReachError::Address),
            ("ali", ReachError::Address),
            ("@example.com", ReachError::Address),
            ("ali@example", ReachError::Address),
            ("a\r\nBcc: x@example.com", ReachError::Address),
            ("a b@example.com", ReachError::Address),
            ("çağrı@example.com", ReachError::Address),
            ("ali@[192.0.2.1]", ReachError::Address),
            ("ali@HS05.kep.tr", ReachError::Kep),
            ("ali@x.hs05.kep.tr", ReachError::Kep),
        ] {
            assert_eq!(parse(wrong), Err(error), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_shown_of_it_tells_only_its_owner() {
        let masked = |text| Reach::parse(text).unwrap().masked();
        assert_eq!(masked("05321234567"), "+90532*****67");
        assert_eq!(masked("ali.veli@example.com"), "a*****@example.com");
    }

    proptest! {
        #[test]
        fn whatever_it_is_nothing_panics_and_what_is_good_stays_itself(text in "\\PC{0,40}") {
            if let Ok(reach) = Reach::parse(&text) {
                prop_assert_eq!(Reach::parse(reach.as_str()), Ok(reach.clone()));
                let _ = reach.masked();
            }
        }
    }
}
