//! The commands of a client, parsed. Mailbox names stay octets: what they mean depends on what the
//! session has enabled, and a bad name is a `NO`, not a `BAD`.

use secrecy::SecretString;

use super::{Flags, MessageSet, ModSeq, SearchKey, SequenceSet};
use crate::wire::Timestamp;
use crate::wire::mime::Section;

/// A command with its tag.
#[derive(Debug)]
pub struct Tagged {
    pub tag: String,
    pub command: Command,
}

#[derive(Debug)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    StartTls,
    /// `initial` is base64 still, `=` for an empty one (RFC 4959).
    Authenticate {
        mechanism: String,
        initial: Option<SecretString>,
    },
    Login {
        user: String,
        password: SecretString,
    },
    Enable(Vec<String>),
    Id(Vec<(String, Option<String>)>),
    Namespace,
    Unauthenticate,
    /// The algorithm's name, in capital letters (RFC 4978).
    Compress(String),
    Select(Select),
    Create {
        name: MailboxArg,
        /// With a special use (RFC 6154 §3), known or not.
        with_use: bool,
    },
    Delete(MailboxArg),
    Rename {
        from: MailboxArg,
        to: MailboxArg,
    },
    Subscribe {
        name: MailboxArg,
        on: bool,
    },
    List(List),
    Lsub {
        reference: Vec<u8>,
        pattern: Vec<u8>,
    },
    Status {
        name: MailboxArg,
        items: Vec<StatusItem>,
    },
    /// Up to the literal; the message itself streams behind it.
    Append(Append),
    Idle,
    Check,
    Close,
    Unselect,
    /// With UIDs it is UID EXPUNGE (RFC 4315).
    Expunge(Option<Messages>),
    Search(Search),
    Fetch(Fetch),
    Store(Store),
    Copy {
        uid: bool,
        set: Messages,
        to: MailboxArg,
    },
    Move {
        uid: bool,
        set: Messages,
        to: MailboxArg,
    },
}

/// A mailbox name as sent.
pub type MailboxArg = Vec<u8>;

/// Which messages FETCH, STORE, COPY and MOVE are about; `MessageSet::Uid` in the UID forms.
pub type Messages = MessageSet;

#[derive(Debug, Default)]
pub struct Select {
    pub name: MailboxArg,
    pub examine: bool,
    pub condstore: bool,
    pub qresync: Option<Qresync>,
}

/// RFC 7162 §3.2.5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Qresync {
    pub uid_validity: u32,
    pub modseq: ModSeq,
    pub known_uids: Option<SequenceSet>,
    /// Known sequence numbers with their UIDs; a hint only.
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

/// LIST with RFC 5258's options, which an old client leaves out.
#[derive(Debug, Default)]
pub struct List {
    pub select: ListSelect,
    pub reference: Vec<u8>,
    pub patterns: Vec<Vec<u8>>,
    pub returns: ListReturn,
    /// Any extended syntax was used.
    pub extended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListSelect {
    pub subscribed: bool,
    pub remote: bool,
    pub recursive_match: bool,
    pub special_use: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListReturn {
    pub subscribed: bool,
    pub children: bool,
    pub special_use: bool,
    pub status: Option<Vec<StatusItem>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModSeq,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    pub name: MailboxArg,
    pub flags: Flags,
    pub date: Option<Timestamp>,
    /// The literal stands in `UTF8 (…)` (RFC 6855 §4).
    pub utf8: bool,
    pub literal: Literal,
}

/// `{12}`, `{12+}`, `~{12}` at the end of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Literal {
    pub size: u64,
    /// The client waits for `+` before it sends.
    pub sync: bool,
    /// RFC 3516: may hold NUL.
    pub binary: bool,
}

#[derive(Debug)]
pub struct Search {
    pub uid: bool,
    /// `None` without RETURN: the old response.
    pub returns: Option<SearchReturn>,
    /// It names its charset.
    pub charset: bool,
    pub key: SearchKey<MessageSet>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchReturn {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
}

#[derive(Debug)]
pub struct Fetch {
    pub uid: bool,
    pub set: Messages,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<ModSeq>,
    /// RFC 7162 §3.2.6: name what vanished since, too.
    pub vanished: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    Body,
    BodyStructure,
    ModSeq,
    /// `name` is what the response calls it.
    Section {
        section: Section,
        peek: bool,
        partial: Option<(u64, u64)>,
        name: String,
    },
    Binary {
        part: Vec<u32>,
        peek: bool,
        partial: Option<(u64, u64)>,
    },
    BinarySize {
        part: Vec<u32>,
    },
}

#[derive(Debug)]
pub struct Store {
    pub uid: bool,
    pub set: Messages,
    pub unchanged_since: Option<ModSeq>,
    pub change: StoreKind,
    pub silent: bool,
    pub flags: Flags,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    Replace,
    Add,
    Remove,
}
