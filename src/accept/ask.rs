//! What a session asks of the world, and what the world answers.
//!
//! The shell's loop: `session.next()`, do as it says, then `feed`, `answer` or `tls_started`.

use super::refusal::Refusal;
use crate::registry::audit::Channel;
use crate::wire::smtp::{Body, Notify, Orcpt, Ret};
use crate::wire::{AccountId, KepAddress, KepDomain, MessageId, OperatorCode, Timestamp};
use secrecy::SecretString;

/// What the shell does next.
#[derive(Debug)]
pub enum Next {
    /// Read from the peer, then `feed`. At the end of the stream the session is simply dropped,
    /// and a body being spooled with it.
    Read,
    /// Write these octets.
    Send(Vec<u8>),
    /// A login as this name failed: wait before going on, longer each time.
    Pause(String),
    /// Start TLS, then `tls_started`. Octets read before the handshake are thrown away.
    StartTls,
    /// Lay this piece of a body down; no answer is awaited. A failure here is answered at
    /// `Ask::Submit` with `SubmitAnswer::Temporary`.
    Spool(Piece),
    /// Find this out, then `answer`.
    Ask(Ask),
    /// For the log and the figures; no answer is awaited.
    Noted(Noted),
    /// Close the connection.
    Close,
}

/// A message's octets on their way to the spool: one `Begin`, any number of `Chunk`s, then either
/// `Ask::Submit` or `Abort`. `Refused` may stand among the chunks, once.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Whose message it will be.
    Begin(Origin),
    /// Dot-unstuffed; every line ends in CRLF.
    Chunk(Vec<u8>),
    /// The body is refused, and read on to its end: its header and its digest are all that counts.
    Refused,
    /// Forget the body. With a refusal: it was refused after DATA, which may deserve evidence.
    Abort(Option<Aborted>),
}

/// What else happened in a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// A command of another provider, or of who would like to be one.
    Refused(Refusal),
    BrokenOff(BrokenOff),
}

/// Why a session ended by our will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenOff {
    /// Nothing came, or too slowly.
    Silence,
    /// Too many commands that make no sense.
    Errors,
    /// Too many recipients that are not taken.
    Recipients,
    /// Too many wrong passwords.
    Logins,
    /// CR or LF that is no line end.
    LineEnds,
    /// It speaks HTTP, or the like.
    OtherProtocol,
    /// A body without end, or one that nobody asked for.
    Endless,
    /// TLS did not come about.
    Handshake,
    /// It lasted longer than a connection may.
    Lasting,
}

impl BrokenOff {
    pub fn word(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Errors => "errors",
            Self::Recipients => "recipients",
            Self::Logins => "logins",
            Self::LineEnds => "line-ends",
            Self::OtherProtocol => "other-protocol",
            Self::Endless => "endless",
            Self::Handshake => "handshake",
            Self::Lasting => "lasting",
        }
    }
}

/// A message refused while it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aborted {
    pub envelope: Envelope<Origin>,
    pub refusal: Refusal,
    /// Its last octet was read; else nobody knows what the whole would have been.
    pub whole: bool,
}

#[derive(Debug)]
pub enum Ask {
    /// Whose secret is this? Answer: `Answer::Login`.
    Authenticate { user: String, secret: SecretString },
    /// May this address receive so many octets of that account? Answer: `Answer::Recipient`.
    Recipient { address: KepAddress, sender: AccountId, octets: u64 },
    /// The body is complete: check, store, and say what became of it. Answer: `Answer::Submitted`.
    Submit { envelope: Envelope, octets: u64 },
    /// May a provider of this domain hand mail over on this connection? Answer: `Answer::Peer`.
    Peer { domain: KepDomain },
    /// A provider's mail is complete: open, check, store. Answer: `Answer::Submitted`.
    HandOver { envelope: Envelope<Option<KepDomain>>, octets: u64 },
}

#[derive(Debug)]
pub enum Answer {
    Login(LoginAnswer),
    Recipient(RecipientAnswer),
    Submitted(SubmitAnswer),
    Peer(PeerAnswer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAnswer {
    /// Registered, active, and whom the connection shows it to be.
    Known,
    Refused(Refusal),
    Temporary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    Accepted(Login),
    /// Unknown user or wrong secret: the peer is not told which.
    Rejected,
    /// Known and proven, but may not submit (closed, receive-only).
    Refused(Refusal),
    Temporary,
}

/// Who has proven himself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub account: AccountId,
    pub address: KepAddress,
    /// Which of the account's operators he is, where he is not its holder.
    pub operator: Option<OperatorCode>,
    /// When he did: evidence tells of it.
    pub at: Timestamp,
    /// By which door he came: the audit tells of it.
    pub channel: Channel,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientAnswer {
    /// A local account that receives; for how many octets it has room, where that is limited.
    Local {
        room: Option<u64>,
    },
    /// An address of another provider in force; the largest message that may be submitted for it, in
    /// octets, when that is known.
    Provider {
        size_limit: Option<u64>,
    },
    /// Our domain, no such account.
    Unknown,
    Closed,
    /// A provider code that is not in the registry.
    ProviderUnknown,
    /// A provider that is in the registry, and that nothing is sent to for a time.
    ProviderSuspended,
    /// A provider that is in the registry and has ended.
    ProviderEnded,
    /// Whoever he is: the sender hands nothing in any more.
    SenderBarred(Refusal),
    /// He may be written to, and it costs more credits than the account has.
    NoCredit {
        needed: i64,
        left: i64,
    },
    Temporary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitAnswer {
    /// Durable (invariant 1).
    Accepted {
        message_id: MessageId,
    },
    /// The same mail came before (invariant 2): the same 250, the same id.
    AlreadyAccepted {
        message_id: MessageId,
    },
    /// Durable, and waiting for its sender's signature.
    Held {
        message_id: MessageId,
    },
    Refused(Refusal),
    Temporary,
}

/// Whose message it is: an account's that has logged in, or a provider's. Of the latter the null
/// path names none; the seal will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Account(Login),
    Peer(Option<KepDomain>),
}

/// The SMTP envelope of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<From = Login> {
    pub from: From,
    /// In the order given, each address once.
    pub recipients: Vec<Recipient>,
    pub body: Body,
    pub smtputf8: bool,
    /// RFC 8689: relay only over verified TLS.
    pub requiretls: bool,
    pub announced_size: Option<u64>,
    pub ret: Option<Ret>,
    /// RFC 3461 ENVID, decoded.
    pub envid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub address: KepAddress,
    pub route: Route,
    pub notify: Notify,
    pub orcpt: Option<Orcpt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Local,
    Provider { size_limit: Option<u64> },
}

impl<From> Envelope<From> {
    /// The same, by somebody else's word.
    pub fn by<Other>(self, from: Other) -> Envelope<Other> {
        Envelope {
            from,
            recipients: self.recipients,
            body: self.body,
            smtputf8: self.smtputf8,
            requiretls: self.requiretls,
            announced_size: self.announced_size,
            ret: self.ret,
            envid: self.envid,
        }
    }
}

/// Which of the two sessions it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Accounts hand over what they wrote (RFC 6409).
    Submission,
    /// Other providers hand over what they sealed, for accounts of this provider (RFC 5321).
    Relay(KepDomain),
}

/// What a session must know of the house.
#[derive(Clone, Debug)]
pub struct Config {
    pub role: Role,
    /// The name in the greeting.
    pub host: String,
    /// What SIZE announces: the largest message a sender may submit, in octets.
    pub size_limit: u64,
    pub max_recipients: usize,
    /// Longest line of a message without CRLF.
    pub line_limit: usize,
    /// Commands that were nonsense or out of order before we hang up.
    pub max_bad_commands: u32,
    /// Recipients refused before we hang up: a list of addresses is being tried.
    pub max_refused_recipients: u32,
    /// Failed logins before we hang up.
    pub max_login_failures: u32,
}

impl Config {
    /// The defaults, for a host and the size a sender may submit.
    pub fn new(host: impl Into<String>, size_limit: u64) -> Self {
        Self {
            role: Role::Submission,
            host: host.into(),
            size_limit,
            max_recipients: MAX_RECIPIENTS,
            line_limit: LINE_LIMIT,
            max_bad_commands: MAX_BAD_COMMANDS,
            max_refused_recipients: MAX_REFUSED_RECIPIENTS,
            max_login_failures: MAX_LOGIN_FAILURES,
        }
    }

    /// For other providers: `size_limit` is of a sealed dispatch.
    pub fn relay(domain: KepDomain, size_limit: u64) -> Self {
        let host = domain.to_string();
        let max_recipients = MAX_RELAYED;
        Self { role: Role::Relay(domain), max_recipients, ..Self::new(host, size_limit) }
    }
}

/// Octets of an evidence mail: one of a thousand recipients is a fifth of it, and it goes into
/// somebody's mailbox.
pub const EVIDENCE_MAX: u64 = 4 << 20;
/// RFC 5321 §4.5.3.1.8 asks for at least 100. Each recipient has its own signed evidence and its
/// own credit, so a message to more is a job for several.
const MAX_RECIPIENTS: usize = 500;
/// As many as `accept.max_recipients` lets anybody write to at once.
const MAX_RELAYED: usize = 1_000;
/// RFC 5322 §2.1.1. Longer lines are legal to accept, but a relay on the way may break them, and
/// with them every signature; so they are refused where the sender can still be told.
const LINE_LIMIT: usize = 998;
const MAX_BAD_COMMANDS: u32 = 20;
const MAX_REFUSED_RECIPIENTS: u32 = 50;
const MAX_LOGIN_FAILURES: u32 = 5;
