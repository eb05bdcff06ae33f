//! What is said to clamd (clamd(8)): commands and replies end in NUL, and a stream comes in chunks of a
//! length (four octets, big-endian) and as many octets, the last one empty.

use super::Timestamp;
use chrono::NaiveDateTime;

pub const INSTREAM: &[u8] = b"zINSTREAM\0";
pub const PING: &[u8] = b"zPING\0";
pub const VERSION: &[u8] = b"zVERSION\0";
/// The empty chunk.
pub const END: [u8; 4] = [0; 4];
/// Octets of a chunk at most.
pub const CHUNK: usize = 64 << 10;
/// No reply is longer.
pub const REPLY_MAX: usize = 4 << 10;

/// What stands before a chunk.
pub fn head(chunk: &[u8]) -> [u8; 4] {
    // Of at most `CHUNK` octets.
    (chunk.len() as u32).to_be_bytes()
}

/// What became of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    Clean,
    /// By its name in the signatures.
    Found(String),
    /// It is longer than clamd's StreamMaxLength.
    TooLarge,
    Failed(String),
}

impl Reply {
    /// A whole reply, without its NUL.
    pub fn parse(reply: &[u8]) -> Self {
        let text = plain(reply);
        if text == "INSTREAM size limit exceeded. ERROR" {
            return Self::TooLarge;
        }
        match text.strip_prefix("stream: ") {
            Some("OK") => Self::Clean,
            Some(said) => match said.strip_suffix(" FOUND").filter(|name| !name.is_empty()) {
                Some(name) => Self::Found(name.to_owned()),
                None => Self::Failed(text),
            },
            None => Self::Failed(text),
        }
    }
}

/// What a name says that is none of a virus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Virus,
    /// Nobody can look into it (AlertEncrypted).
    Encrypted,
    /// It goes beyond what clamd looks at (AlertExceedsMax).
    BeyondLimits,
}

impl Kind {
    pub fn of(name: &str) -> Self {
        match name.strip_prefix("Heuristics.") {
            Some(rest) if rest.starts_with("Encrypted") => Self::Encrypted,
            Some(rest) if rest.starts_with("Limits.Exceeded") => Self::BeyondLimits,
            _ => Self::Virus,
        }
    }
}

/// Who answers: `ClamAV 1.4.3/27810/Sat Nov 28 09:25:41 2026`; without a database of its makers the
/// first part alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub engine: String,
    /// When its daily signatures were made.
    pub signatures: Option<Timestamp>,
}

impl Version {
    pub fn parse(reply: &[u8]) -> Option<Self> {
        let text = plain(reply);
        let mut parts = text.splitn(3, '/');
        let engine = parts.next().filter(|engine| engine.starts_with("ClamAV"))?.to_owned();
        let made = parts.nth(1).and_then(|made| {
            let made = NaiveDateTime::parse_from_str(made.trim(), "%a %b %e %H:%M:%S %Y").ok()?;
            Some(Timestamp::from_utc(made.and_utc()))
        });
        Some(Self { engine, signatures: made })
    }
}

fn plain(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply);
    text.trim_end_matches(['\0', '\n', '\r']).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replies_say_what_was_found_or_why_nothing_was() {
        let parse = |text: &str| Reply::parse(text.as_bytes());
        assert_eq!(parse("stream: OK\0"), Reply::Clean);
        let eicar = "Eicar-Test-Signature";
        assert_eq!(parse(&format!("stream: {eicar} FOUND\0")), Reply::Found(eicar.to_owned()));
        assert_eq!(parse("INSTREAM size limit exceeded. ERROR\0"), Reply::TooLarge);
        for bad in ["", "OK", "stream: ", "stream:  FOUND", "stream: Can't allocate memory ERROR"] {
            assert!(matches!(parse(bad), Reply::Failed(_)), "{bad}");
        }
    }

    #[test]
    fn names_of_what_could_not_be_looked_into_are_no_viruses() {
        assert_eq!(Kind::of("Heuristics.Encrypted.Zip"), Kind::Encrypted);
        assert_eq!(Kind::of("Heuristics.Limits.Exceeded.MaxFileSize"), Kind::BeyondLimits);
        assert_eq!(Kind::of("Heuristics.Phishing.Email"), Kind::Virus);
        assert_eq!(Kind::of("Eicar-Test-Signature"), Kind::Virus);
    }

    #[test]
    fn a_version_may_lack_signatures() {
        let whole = Version::parse(b"ClamAV 1.4.3/27810/Sat Nov 28 09:25:41 2026\0").unwrap();
        assert_eq!(whole.engine, "ClamAV 1.4.3");
        assert_eq!(whole.signatures.unwrap().iso8601_secs(), "2026-11-28T09:25:41Z");
        assert_eq!(Version::parse(b"ClamAV 1.4.3\0").unwrap().signatures, None);
        let early = Version::parse(b"ClamAV 1.4.3/1/Wed Jan  3 09:25:41 2024\0").unwrap();
        assert_eq!(early.signatures.unwrap().iso8601_secs(), "2024-01-03T09:25:41Z");
        assert_eq!(Version::parse(b"HTTP/1.1 400"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_answered_is_clean_only_by_its_own_words(reply in prop::collection::vec(any::<u8>(), 0..200)) {
            let clean = Reply::parse(&reply) == Reply::Clean;
            prop_assert!(!clean || reply.starts_with(b"stream: OK"));
            let _ = Version::parse(&reply);
        }
    }
}
