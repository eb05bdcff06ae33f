//! The codes of the circuit's providers as data: who is hsNN, authorised since when, and until when.
//! For people; nothing is trusted by it.

use crate::wire::KepDomain;
use serde::Deserialize;
use std::fmt;

/// The file that is shipped (`conf/kep-providers.toml`).
pub const SHIPPED: &str = include_str!("../../conf/kep-providers.toml");

/// Who has which code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Codes {
    /// The month of the source, `2026-10`.
    pub as_of: String,
    pub all: Vec<Code>,
}

/// One provider. Years are what the source has.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    pub code: String,
    pub name: String,
    pub formerly: Option<String>,
    /// The year of its authorisation.
    pub since: u16,
    /// The year when it ended.
    pub until: Option<u16>,
}

/// Why a file of codes is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodesError {
    #[error("{0}")]
    Form(String),
    #[error("{0:?} is no code")]
    Code(String),
    #[error("{0} stands twice")]
    Twice(String),
    #[error("{0} ended before it began")]
    Years(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    as_of: String,
    provider: Vec<Code>,
}

impl Codes {
    pub fn parse(text: &str) -> Result<Self, CodesError> {
        let file: File = toml::from_str(text).map_err(|e| CodesError::Form(e.to_string()))?;
        let mut all: Vec<Code> = Vec::with_capacity(file.provider.len());
        for code in file.provider {
            let domain = KepDomain::parse(&code.domain());
            if domain.map_or(true, |domain| domain.as_str() != code.domain()) {
                return Err(CodesError::Code(code.code));
            }
            if all.iter().any(|known| known.code == code.code) {
                return Err(CodesError::Twice(code.code));
            }
            if code.until.is_some_and(|until| until < code.since) {
                return Err(CodesError::Years(code.code));
            }
            all.push(code);
        }
        Ok(Self { as_of: file.as_of, all })
    }

    /// Who has the code of this domain, or of the provider above it.
    pub fn of(&self, domain: &KepDomain) -> Option<&Code> {
        let provider = domain.provider();
        self.all.iter().find(|code| code.domain() == provider.as_str())
    }
}

impl Code {
    pub fn domain(&self) -> String {
        format!("{}.kep.tr", self.code)
    }
}

impl fmt::Display for Code {
    /// `Mikro, 2016 to 2022`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(formerly) = &self.formerly {
            write!(f, " (formerly {formerly})")?;
        }
        match self.until {
            None => write!(f, ", since {}", self.since),
            Some(until) => write!(f, ", {} to {until}", self.since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_codes_are_read_and_say_who_ended() {
        let codes = Codes::parse(SHIPPED).unwrap();
        let said = |domain: &str| codes.of(&KepDomain::parse(domain).unwrap()).map(Code::to_string);
        assert_eq!(said("hs06.kep.tr").as_deref(), Some("KEPKUR, since 2015"));
        assert_eq!(said("banka.hs08.kep.tr").as_deref(), Some("Mikro, 2016 to 2022"));
        let renamed = "QNB eSolutions (formerly QNB eFinans), since 2015";
        assert_eq!(said("hs05.kep.tr").as_deref(), Some(renamed));
        assert_eq!(said("hs42.kep.tr"), None);
        let order: Vec<_> = codes.all.iter().map(|code| code.code.clone()).collect();
        assert_eq!(order, (1..=order.len()).map(|n| format!("hs{n:02}")).collect::<Vec<_>>());
    }

    #[test]
    fn codes_that_are_none_are_refused() {
        let one = |code: &str, years: &str| {
            format!("as_of = \"2026-10\"\n[[provider]]\ncode = \"{code}\"\nname = \"x\"\n{years}\n")
        };
        let fault = |text: &str| Codes::parse(text).unwrap_err();
        assert_eq!(fault(&one("hs1", "since = 2012")), CodesError::Code("hs1".to_owned()));
        assert_eq!(fault(&one("HS01", "since = 2012")), CodesError::Code("HS01".to_owned()));
        let years = one("hs01", "since = 2012\nuntil = 2011");
        assert_eq!(fault(&years), CodesError::Years("hs01".to_owned()));
        assert!(matches!(fault(&one("hs01", "")), CodesError::Form(_)));
        let twice = one("hs01", "since = 2012")
            + "[[provider]]\ncode = \"hs01\"\nname = \"y\"\nsince = 2013\n";
        assert_eq!(fault(&twice), CodesError::Twice("hs01".to_owned()));
    }
}
