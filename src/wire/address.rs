//! KEP addresses: `local@[sub.]hsNN.kep.tr`, ASCII, case-insensitive (BTK address rules).

use std::fmt;

/// RFC 5321 §4.5.3.1.1.
const LOCAL_MAX: usize = 64;
/// RFC 1035 §2.3.4.
const LABEL_MAX: usize = 63;

/// A provider's domain, with or without an institution's sub-domain, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KepDomain(String);

/// An address of the closed circuit, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KepAddress {
    text: String,
    at: usize,
}

/// Why a text is not a KEP address; the caller words it for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    Empty,
    NoAt,
    NotAscii,
    BadLocal,
    LocalTooLong,
    /// A well-formed address of ordinary mail: outside the closed circuit.
    NotKepDomain,
}

impl KepDomain {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.to_ascii_lowercase();
        let mut labels = text.split('.').rev();
        let circuit = labels.next() == Some("tr") && labels.next() == Some("kep");
        let provider = labels.next().is_some_and(is_provider_code);
        let sub = labels.next();
        let ends = labels.next().is_none();
        let good = circuit && provider && ends && sub.is_none_or(is_label);
        good.then_some(Self(text)).ok_or(AddressError::NotKepDomain)
    }

    /// The provider whose domain a host is in: `hs05.kep.tr` for `relay.dc2.hs05.kep.tr`.
    pub fn of_host(host: &str) -> Option<Self> {
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let from = labels.len().checked_sub(3)?;
        Self::parse(&labels.get(from..)?.join(".")).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `hs05.kep.tr` for `kurum.hs05.kep.tr` too.
    pub fn provider(&self) -> Self {
        let start = self.0.len() - "hs00.kep.tr".len();
        Self(self.0[start..].to_owned())
    }
}

impl KepAddress {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.len() > LOCAL_MAX {
            return Err(AddressError::LocalTooLong);
        }
        let domain = KepDomain::parse(domain)?;
        if !is_local(local) {
            return Err(AddressError::BadLocal);
        }
        Ok(Self { text: format!("{}@{domain}", local.to_ascii_lowercase()), at: local.len() })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    pub fn domain(&self) -> KepDomain {
        KepDomain(self.text[self.at + 1..].to_owned())
    }
}

fn is_provider_code(label: &str) -> bool {
    matches!(label.as_bytes(), [b'h', b's', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

impl fmt::Display for KepDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KepAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_split() {
        let address = KepAddress::parse("Ali.Veli@Kurum.HS05.kep.tr").unwrap();
        assert_eq!(address.as_str(), "ali.veli@kurum.hs05.kep.tr");
        assert_eq!(address.local(), "ali.veli");
        assert_eq!(address.domain().provider().as_str(), "hs05.kep.tr");
    }

    #[test]
    fn a_host_is_in_its_providers_domain() {
        let of = |host| KepDomain::of_host(host).map(|domain| domain.to_string());
        assert_eq!(of("relay.dc2.HS05.kep.tr."), Some("hs05.kep.tr".to_owned()));
        assert_eq!(of("hs05.kep.tr"), Some("hs05.kep.tr".to_owned()));
        for other in ["", "kep.tr", "hs05.kep.tr.example", "mx.example", "xhs05.kep.tr"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_outside_the_circuit_is_named() {
        let parse = |text| KepAddress::parse(text).unwrap_err();
        assert_eq!(parse("a@example.com"), AddressError::NotKepDomain);
        assert_eq!(parse("a@a.b.hs05.kep.tr"), AddressError::NotKepDomain);
        assert_eq!(parse("a@hs5.kep.tr"), AddressError::NotKepDomain);
        assert_eq!(parse("a..b@hs05.kep.tr"), AddressError::BadLocal);
        assert_eq!(parse("\"a b\"@hs05.kep.tr"), AddressError::BadLocal);
        assert_eq!(parse("çağrı@hs05.kep.tr"), AddressError::NotAscii);
        assert_eq!(parse(""), AddressError::Empty);
        assert_eq!(parse("ali"), AddressError::NoAt);
        assert_eq!(parse(&format!("{}@hs05.kep.tr", "a".repeat(65))), AddressError::LocalTooLong);
    }
}
