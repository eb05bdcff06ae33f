//! What a server offers in its EHLO reply.

use crate::wire::smtp::Reply;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub starttls: bool,
    pub pipelining: bool,
    pub chunking: bool,
    pub eight_bit: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    pub requiretls: bool,
    pub auth_plain: bool,
    pub size: bool,
    /// None: no limit said.
    pub size_limit: Option<u64>,
}

impl Capabilities {
    pub fn read(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines().iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("PIPELINING") => found.pipelining = true,
                Some("CHUNKING") => found.chunking = true,
                Some("8BITMIME") => found.eight_bit = true,
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("DSN") => found.dsn = true,
                Some("REQUIRETLS") => found.requiretls = true,
                Some("AUTH") => found.auth_plain |= words.any(|word| word == "PLAIN"),
                Some("SIZE") => {
                    found.size = true;
                    // RFC 1870 §4: zero or nothing means no fixed limit.
                    let limit = words.next().and_then(|word| word.parse().ok());
                    found.size_limit = limit.filter(|limit| *limit > 0);
                }
                _ => {}
            }
        }
        found
    }
}
