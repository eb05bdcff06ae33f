//! What comes in is shown to clamd, whoever sends it: nothing passes that it did not look at, unless
//! policy says so, and then it is counted and logged.

mod dial;
mod pieces;
mod run;
#[cfg(test)]
mod tests;

pub use dial::Clamd;
pub use run::{ScanTrouble, Scanner, Scanning, waiting};

use super::refusal::Refusal;
use crate::wire::clamd::Kind;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// Where clamd listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// clamd gave no verdict: it is down, slow, full or broken.
#[derive(Debug, Error)]
pub enum ScanFault {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("no answer in time")]
    Slow,
    #[error("it says: {0}")]
    Says(String),
}

/// What clamd says of octets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Clean,
    /// By the name of the signature.
    Virus(String),
    /// It can't be looked into: an encrypted archive.
    Encrypted(String),
    /// It is more than clamd looks at.
    Beyond(String),
}

/// What passes though nobody could look into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leniency {
    /// Encrypted archives.
    pub encrypted: bool,
    /// What is larger or deeper than clamd looks at.
    pub beyond: bool,
}

impl Verdict {
    pub(super) fn of(name: String) -> Self {
        match Kind::of(&name) {
            Kind::Virus => Self::Virus(name),
            Kind::Encrypted => Self::Encrypted(name),
            Kind::BeyondLimits => Self::Beyond(name),
        }
    }

    /// Why a message may not come in.
    pub fn refusal(&self, leniency: Leniency) -> Option<Refusal> {
        match self {
            Self::Clean => None,
            Self::Virus(name) => Some(Refusal::Virus(name.clone())),
            Self::Encrypted(_) if leniency.encrypted => None,
            Self::Beyond(_) if leniency.beyond => None,
            Self::Encrypted(name) => Some(Refusal::EncryptedContent(name.clone())),
            Self::Beyond(name) => Some(Refusal::NotScanned(name.clone())),
        }
    }

    /// For the figures.
    fn word(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Virus(_) => "virus",
            Self::Encrypted(_) => "encrypted",
            Self::Beyond(_) => "beyond",
        }
    }
}
