//! KEP addresses: `local@[sub.]hsNN.kep.tr`, ASCII, case-insensitive (BTK address rules). Providers of
//! registered mail elsewhere have any mail domain (EN 319 532-4): what they and their users are called is
//! parsed apart, and nowhere where an account of ours or its correspondents are meant.

use std::fmt;

/// RFC 5321 §4.5.3.1.1.
const LOCAL_MAX: usize = 64;
/// RFC 1035 §2.3.4.
const LABEL_MAX: usize = 63;
/// RFC 5321 §4.5.3.1.2, as it can be looked up.
const DOMAIN_MAX: usize = 253;
const CIRCUIT: &str = ".kep.tr";

/// A provider's domain, with or without an institution's sub-domain, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KepDomain(String);

/// An address of the closed circuit, or of a registered provider elsewhere; in lower case.
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

    /// A domain that the registry may have of a provider: of the circuit, or any other mail domain.
    pub fn registered(text: &str) -> Result<Self, AddressError> {
        Self::parse(text).or_else(|error| match is_elsewhere(text) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(error),
        })
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

    /// Whether it is of the circuit.
    pub fn is_kep(&self) -> bool {
        self.0.ends_with(CIRCUIT)
    }

    /// `hs05.kep.tr` for `kurum.hs05.kep.tr` too. A provider elsewhere has its domain for itself.
    pub fn provider(&self) -> Self {
        let code = self.0.strip_suffix(CIRCUIT).map(|rest| rest.rsplit('.').next().unwrap_or(rest));
        code.map_or_else(|| self.clone(), |code| Self(format!("{code}{CIRCUIT}")))
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

    /// An address of a user of any registered provider: of the circuit, or `dot-atom@domain` elsewhere
    /// (RFC 5321 §4.1.2, without quoted strings).
    pub fn registered(text: &str) -> Result<Self, AddressError> {
        Self::parse(text).or_else(|error| {
            let (local, domain) = text.rsplit_once('@').ok_or(error)?;
            match local.len() <= LOCAL_MAX && is_dot_atom(local) && is_elsewhere(domain) {
                true => Ok(Self { text: text.to_ascii_lowercase(), at: local.len() }),
                false => Err(error),
            }
        })
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

/// What people take for the same address: marks between letters left out, `0` as `o`, `1` as `l`, `rn` as
/// `m`, `vv` as `w`. Migration 20 does the same in SQL.
pub fn lookalike(address: &str) -> String {
    LOOK_ALIKE.iter().fold(address.to_ascii_lowercase(), |text, (from, to)| text.replace(from, to))
}

const LOOK_ALIKE: [(&str, &str); 7] =
    [(".", ""), ("-", ""), ("_", ""), ("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w")];

fn is_provider_code(label: &str) -> bool {
    matches!(label.as_bytes(), [b'h', b's', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// A name of the DNS, or an IPv4 address.
pub fn is_host(text: &str) -> bool {
    text.len() <= DOMAIN_MAX && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A mail domain outside the circuit: two labels or more, and no number at the end.
pub(super) fn is_elsewhere(domain: &str) -> bool {
    let lower = domain.to_ascii_lowercase();
    let last = domain.rsplit('.').next().unwrap_or_default();
    lower != CIRCUIT[1..]
        && !lower.ends_with(CIRCUIT)
        && domain.contains('.')
        && is_host(domain)
        && !last.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
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
    fn providers_elsewhere_have_any_domain_but_the_circuits() {
        let domain = |text: &str| KepDomain::registered(text).map(|domain| domain.to_string());
        assert_eq!(domain("REM.example.it").unwrap(), "rem.example.it");
        assert_eq!(domain("kurum.hs05.kep.tr").unwrap(), "kurum.hs05.kep.tr");
        assert!(!KepDomain::registered("rem.example.it").unwrap().is_kep());
        assert_eq!(KepDomain::registered("a.it").unwrap().provider().as_str(), "a.it");
        let long = format!("{}it", "a.".repeat(130));
        for wrong in
            ["", "it", "hs5.kep.tr", "x.kep.tr", "kep.tr", "a..it", "a b.it", "1.2.3.4", &long]
        {
            assert!(domain(wrong).is_err(), "{wrong}");
        }
        let address = KepAddress::registered("Rec+C@REM.example.it").unwrap();
        assert_eq!((address.local(), address.domain().as_str()), ("rec+c", "rem.example.it"));
        for wrong in
            ["a@it", "a@b@c.it", "\"a\"@c.it", "a..b@c.it", "a@x.kep.tr", "ç@c.it", "a\r@c.it"]
        {
            assert!(KepAddress::registered(wrong).is_err(), "{wrong}");
        }
        assert!(KepAddress::parse("a@rem.example.it").is_err(), "nobody of ours");
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
