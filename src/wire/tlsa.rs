//! TLSA records (RFC 6698 §2, RFC 7671): what a name says of the certificate of its server. Pure.

use data_encoding::HEXLOWER;
use std::fmt;

/// A record as it stands in the zone; whether anything can be done with it is another question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tlsa {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    /// A certificate or key in DER, or the digest of one.
    pub data: Vec<u8>,
}

/// A record that mail between servers can rest on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Association<'a> {
    pub usage: Usage,
    pub selector: Selector,
    pub matching: Matching,
    pub data: &'a [u8],
}

/// What is said to be whose. Only these two are for SMTP (RFC 7672 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// 2, DANE-TA: an issuer of the server's certificate.
    TrustAnchor,
    /// 3, DANE-EE: the server's own.
    EndEntity,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    /// 0
    Certificate,
    /// 1: its SubjectPublicKeyInfo.
    Key,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matching {
    /// 0: the whole of it.
    Full,
    /// 1
    Sha256,
    /// 2
    Sha512,
}

/// Why nothing can be done with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unusable {
    /// RFC 7672 §3.1.3: no mail server knows which public authorities another one believes.
    #[error("usage {0} is not for mail")]
    PublicAuthority(u8),
    #[error("usage {0} is unknown")]
    Usage(u8),
    #[error("selector {0} is unknown")]
    Selector(u8),
    #[error("matching type {0} is unknown")]
    Matching(u8),
    #[error("{0} octets are no such data")]
    Length(usize),
}

impl Tlsa {
    pub fn association(&self) -> Result<Association<'_>, Unusable> {
        let usage = match self.usage {
            2 => Usage::TrustAnchor,
            3 => Usage::EndEntity,
            other @ 0..=1 => return Err(Unusable::PublicAuthority(other)),
            other => return Err(Unusable::Usage(other)),
        };
        let selector = match self.selector {
            0 => Selector::Certificate,
            1 => Selector::Key,
            other => return Err(Unusable::Selector(other)),
        };
        let (matching, length) = match self.matching {
            0 => (Matching::Full, 1..=usize::MAX),
            1 => (Matching::Sha256, 32..=32),
            2 => (Matching::Sha512, 64..=64),
            other => return Err(Unusable::Matching(other)),
        };
        match length.contains(&self.data.len()) {
            true => Ok(Association { usage, selector, matching, data: &self.data }),
            false => Err(Unusable::Length(self.data.len())),
        }
    }
}

/// Those that count: of several digests of the same kind of thing the strongest alone, so that nobody
/// who breaks a weak one gains by it (RFC 7671 §9).
pub fn associations(records: &[Tlsa]) -> Vec<Association<'_>> {
    let usable: Vec<_> = records.iter().filter_map(|record| record.association().ok()).collect();
    let outdone = |one: &Association<'_>| {
        let same = |other: &&Association<'_>| {
            (other.usage, other.selector) == (one.usage, one.selector)
                && other.matching == Matching::Sha512
        };
        one.matching == Matching::Sha256 && usable.iter().any(|other| same(&other))
    };
    usable.iter().filter(|one| !outdone(one)).copied().collect()
}

/// As zone files have it.
impl fmt::Display for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { usage, selector, matching, data } = self;
        write!(f, "{usage} {selector} {matching} {}", HEXLOWER.encode(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(usage: u8, selector: u8, matching: u8, octets: usize) -> Tlsa {
        Tlsa { usage, selector, matching, data: vec![7; octets] }
    }

    #[test]
    fn what_mail_can_rest_on_is_told_from_the_rest_by_name() {
        for (of, says) in [
            (record(3, 1, 1, 32), ""),
            (record(2, 0, 2, 64), ""),
            (record(3, 0, 0, 1), ""),
            (record(0, 0, 1, 32), "usage 0 is not for mail"),
            (record(1, 1, 1, 32), "usage 1 is not for mail"),
            (record(4, 1, 1, 32), "usage 4 is unknown"),
            (record(255, 1, 1, 32), "usage 255 is unknown"),
            (record(3, 2, 1, 32), "selector 2 is unknown"),
            (record(3, 1, 3, 32), "matching type 3 is unknown"),
            (record(3, 1, 1, 31), "31 octets are no such data"),
            (record(3, 1, 1, 64), "64 octets are no such data"),
            (record(3, 1, 2, 32), "32 octets are no such data"),
            (record(3, 1, 0, 0), "0 octets are no such data"),
        ] {
            let fault = of.association().err().map(|fault| fault.to_string());
            assert_eq!(fault.unwrap_or_default(), says, "{of}");
        }
    }

    #[test]
    fn of_several_digests_the_strongest_counts() {
        let said = |records: &[Tlsa]| -> Vec<(Usage, Matching)> {
            associations(records).iter().map(|one| (one.usage, one.matching)).collect()
        };
        let (weak, strong) = (record(3, 1, 1, 32), record(3, 1, 2, 64));
        let own = Usage::EndEntity;
        assert_eq!(said(&[weak.clone(), strong.clone()]), [(own, Matching::Sha512)]);
        assert_eq!(said(std::slice::from_ref(&weak)), [(own, Matching::Sha256)]);
        let full = record(3, 1, 0, 9);
        assert_eq!(said(&[full, strong]).len(), 2, "the whole of it is no digest");
        let other = record(3, 0, 2, 64);
        assert_eq!(said(&[weak.clone(), other]).len(), 2, "the certificate is not the key");
        // One that can't be used outdoes none.
        assert_eq!(said(&[weak, record(3, 1, 2, 63)]), [(own, Matching::Sha256)]);
    }

    #[test]
    fn a_record_is_written_as_in_a_zone() {
        let record = Tlsa { usage: 3, selector: 1, matching: 1, data: vec![0xab, 0x01] };
        assert_eq!(record.to_string(), "3 1 1 ab01");
    }
}
