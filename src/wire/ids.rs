//! Identifiers. Those of evidence are derived, so that a step that runs twice changes nothing.

use super::{KepDomain, digest::sha256_of};
use data_encoding::HEXLOWER;
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}#{}", stringify!($name), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number!(/// Row of an account.
    AccountId);
number!(/// Row of a holder of accounts: a person, a company, a public body.
    HolderId);
number!(/// Row of an application for an account.
    ApplicationId);
number!(/// Row of a mailbox.
    MailboxId);
number!(/// Row of a content: what one or several blobs make together.
    ContentId);
number!(/// A conversation within an account, named by the content that began it.
    ThreadId);

/// A blob's name: random, and sorted by the time it was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 16]);

impl BlobId {
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The provider's identifier of a message (REM `MessageIdentifierByREMMD`): `local@domain`,
/// without angle brackets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MessageId(String);

impl MessageId {
    /// A fresh one from 16 octets that nobody can guess.
    pub fn new(random: [u8; 16], domain: &KepDomain) -> Self {
        Self(format!("{}@{domain}", HEXLOWER.encode(&random)))
    }

    /// One that was stored or received before: printable ASCII with one `@`, at most 255 octets.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        let plain = bare.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
        (plain && bare.len() <= 255 && bare.split('@').count() == 2).then(|| Self(bare.to_owned()))
    }

    /// The Message-ID of the notice that stands for it, unopened.
    pub fn notice(&self) -> String {
        format!("{NOTICE}{self}")
    }

    /// The message that a notice of this Message-ID stands for.
    pub fn of_notice(message_id: &str) -> Option<Self> {
        Self::parse(message_id.strip_prefix(NOTICE)?)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifier of one evidence, derived from message, event and recipient (invariant 2).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EvidenceId(String);

impl EvidenceId {
    /// `event` is the event's stable name, `recipient` empty for evidence about the submission.
    pub fn derive(message: &MessageId, event: &str, recipient: &str) -> Self {
        let digest = sha256_of([
            message.as_str().as_bytes(),
            b"\0",
            event.as_bytes(),
            b"\0",
            recipient.as_bytes(),
        ]);
        Self(format!("_{}", HEXLOWER.encode(&digest.0[..16])))
    }

    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An `xs:ID` too: it starts with an underscore.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
/// Before the message's own, in the Message-ID of its notice.
const NOTICE: &str = "kapali-zarf.";
