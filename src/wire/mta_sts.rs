//! MTA-STS (RFC 8461): the record that names a policy, the policy, and which hosts it allows. Pure and
//! bounded; what it can't read is no policy.

/// What a domain asks of those who send to it (§3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    pub mode: Mode,
    /// In lower case; `*.` at the beginning stands for one label.
    pub mx: Vec<String>,
    /// Seconds.
    pub max_age: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Enforce,
    /// Failures are to be reported, and nothing is enforced.
    Testing,
    None,
}

/// Why a text is no policy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyFault {
    #[error("it is no text")]
    NoText,
    #[error("it is larger than {LARGEST} octets")]
    TooLarge,
    #[error("its version is not STSv1")]
    Version,
    #[error("it has no mode that is known")]
    Mode,
    #[error("it has no max_age of 0 to {LONGEST} seconds")]
    MaxAge,
    #[error("it names no host, or one that can't be")]
    Mx,
}

impl Mode {
    pub fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Enforce, Self::Testing, Self::None].into_iter().find(|mode| mode.word() == word)
    }
}

/// The id in the records at `_mta-sts.` of a domain (§3.1). Records of something else don't count; with
/// two of ours, or one that is wrong, there is none.
pub fn record(texts: &[Vec<u8>]) -> Option<String> {
    let mut ours = texts.iter().filter_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let rest = text.strip_prefix("v=STSv1")?;
        rest.trim_start_matches([' ', '\t']).strip_prefix(';')
    });
    let fields = ours.next()?;
    if ours.next().is_some() {
        return None;
    }
    let mut fields =
        fields.split(';').filter_map(|field| field.trim_matches([' ', '\t']).split_once('='));
    let (_, id) = fields.find(|(key, _)| *key == "id")?;
    let good = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    good.then(|| id.to_owned())
}

impl Policy {
    /// Reads a policy as it comes over HTTPS. Of a key that is there twice the first counts, but `mx`;
    /// keys of others are passed over.
    pub fn parse(octets: &[u8]) -> Result<Self, PolicyFault> {
        if octets.len() > LARGEST {
            return Err(PolicyFault::TooLarge);
        }
        let text = std::str::from_utf8(octets).map_err(|_| PolicyFault::NoText)?;
        let pairs: Vec<_> = text.lines().filter_map(pair).collect();
        let first =
            |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        if first("version") != Some("STSv1") {
            return Err(PolicyFault::Version);
        }
        let mode = first("mode").and_then(Mode::parse).ok_or(PolicyFault::Mode)?;
        let digits = |text: &&str| text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
        let max_age = first("max_age").filter(digits).and_then(|text| text.parse().ok());
        let max_age = max_age.filter(|age| *age <= LONGEST).ok_or(PolicyFault::MaxAge)?;
        let mx = pairs.iter().filter(|(key, _)| *key == "mx").map(|(_, value)| pattern(value));
        let mx = mx.take(HOSTS + 1).collect::<Option<Vec<_>>>().ok_or(PolicyFault::Mx)?;
        if mx.len() > HOSTS || (mx.is_empty() && mode != Mode::None) {
            return Err(PolicyFault::Mx);
        }
        Ok(Self { mode, mx, max_age })
    }

    /// Whether mail may go to a host (§4.1).
    pub fn allows(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(domain) => host
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == domain),
            None => host == *pattern,
        })
    }
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    Some((key.trim_matches([' ', '\t']), value.trim_matches([' ', '\t'])))
}

fn pattern(text: &str) -> Option<String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (name.len() <= 253 && name.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

/// §3.3: what is larger need not be read.
pub const LARGEST: usize = 64 << 10;
/// §3.2: a year and a day.
pub const LONGEST: u32 = 31_557_600;
/// Nobody has more servers for mail.
const HOSTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: posta.hs06.kep.tr\r\nmx: *.yedek.kep.tr\r\nmax_age: 604800\r\n";

    #[test]
    fn a_policy_is_read() {
        let policy = Policy::parse(GOOD.as_bytes()).unwrap();
        assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, 604_800));
        assert_eq!(policy.mx, ["posta.hs06.kep.tr", "*.yedek.kep.tr"]);
        let bare = GOOD.replace("\r\n", "\n").replace(": ", ":") + "later: x\nnonsense";
        assert_eq!(Policy::parse(bare.as_bytes()).unwrap(), policy);
        let none = Policy::parse(b"version: STSv1\nmode: none\nmax_age: 0\n").unwrap();
        assert_eq!((none.mode, none.mx.len()), (Mode::None, 0));
    }

    #[test]
    fn what_is_no_policy_says_why() {
        let without = |key: &str| -> String {
            GOOD.lines().filter(|line| !line.starts_with(key)).map(|l| format!("{l}\n")).collect()
        };
        let many = GOOD.to_owned() + &"mx: a.kep.tr\n".repeat(HOSTS);
        for (text, fault) in [
            (String::new(), PolicyFault::Version),
            (GOOD.replace("STSv1", "STSv2"), PolicyFault::Version),
            (without("version"), PolicyFault::Version),
            (without("mode"), PolicyFault::Mode),
            (GOOD.replace("enforce", "Enforce"), PolicyFault::Mode),
            (without("max_age"), PolicyFault::MaxAge),
            (GOOD.replace("604800", "31557601"), PolicyFault::MaxAge),
            (GOOD.replace("604800", "99999999999"), PolicyFault::MaxAge),
            (GOOD.replace("604800", "-1"), PolicyFault::MaxAge),
            (GOOD.replace("604800", "+1"), PolicyFault::MaxAge),
            (without("mx"), PolicyFault::Mx),
            (GOOD.replace("*.yedek", "**"), PolicyFault::Mx),
            (GOOD.replace("*.yedek", "a.*.yedek"), PolicyFault::Mx),
            (GOOD.replace("posta", "po sta"), PolicyFault::Mx),
            (many, PolicyFault::Mx),
            ("x".repeat(LARGEST + 1), PolicyFault::TooLarge),
        ] {
            assert_eq!(Policy::parse(text.as_bytes()), Err(fault), "{text}");
        }
        assert_eq!(Policy::parse(b"version: STSv1\xff"), Err(PolicyFault::NoText));
    }

    #[test]
    fn an_asterisk_stands_for_one_label() {
        let policy = Policy::parse(GOOD.as_bytes()).unwrap();
        for (host, allowed) in [
            ("posta.hs06.kep.tr", true),
            ("POSTA.hs06.kep.tr.", true),
            ("bir.yedek.kep.tr", true),
            ("yedek.kep.tr", false),
            (".yedek.kep.tr", false),
            ("a.b.yedek.kep.tr", false),
            ("hs06.kep.tr", false),
            ("posta.hs06.kep.tr.evil.example", false),
            ("", false),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
    }

    #[test]
    fn a_record_names_one_policy_or_none() {
        let of = |texts: &[&str]| {
            record(&texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["v=STSv1; id=20261128;"]).as_deref(), Some("20261128"));
        assert_eq!(of(&["v=STSv1;id=a1"]).as_deref(), Some("a1"));
        assert_eq!(of(&["v=STSv1 ; x=y; id=a1 ;"]).as_deref(), Some("a1"));
        assert_eq!(of(&["v=spf1 -all", "v=STSv1; id=a1;"]).as_deref(), Some("a1"));
        for wrong in [
            &[][..],
            &["v=STSv1; id=a1;", "v=STSv1; id=a2;"],
            &["v=STSv1; id=;"],
            &["v=STSv1; id=a-1;"],
            &["v=STSv1"],
            &["v=STSv10; id=a1"],
            &["id=a1; v=STSv1;"],
            &["v=STSv1; id=012345678901234567890123456789012"],
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn invariant_10_random_policies_never_panic(octets: Vec<u8>, text in "(version: STSv1\n|mode: [a-z]{0,8}\n|max_age: [0-9]{0,12}\n|mx: [*.a-z]{0,9}\n){0,9}") {
            let _ = Policy::parse(&octets);
            let _ = record(std::slice::from_ref(&octets));
            if let Ok(policy) = Policy::parse(text.as_bytes()) {
                prop_assert!(policy.max_age <= LONGEST);
                for pattern in policy.mx.clone() {
                    prop_assert!(policy.allows(&pattern.replace('*', "a")));
                }
            }
        }
    }
}
