//! The commands of a client, parsed. Mailbox names stay octets: what they mean depends on what the
//! session has enabled, and a bad name is a `NO`, not a `BAD`.

use secrecy::SecretString;

use super::{Flags, MessageSet, ModSeq, SearchKey, SequenceSet, UidSet};
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
    /// SEARCH, SORT or THREAD.
    Search(Search),
    /// Over many mailboxes (RFC 7377).
    MultiSearch(MultiSearch),
    /// Tags of searches (RFC 5267).
    CancelUpdate(Vec<String>),
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
    pub order: Order,
}

/// How what was found is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    Mailbox,
    /// SORT (RFC 5256).
    Sort(Vec<SortCriterion>),
    /// THREAD (RFC 5256).
    Thread(Threading),
}

/// One key of SORT; those before it go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortCriterion {
    pub key: SortKey,
    pub reverse: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SortKey {
    Arrival,
    Cc,
    Date,
    From,
    Size,
    Subject,
    To,
    /// RFC 5957.
    DisplayFrom,
    DisplayTo,
    /// The best first (RFC 6203 §5).
    Relevancy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threading {
    OrderedSubject,
    References,
}

#[derive(Debug)]
pub struct MultiSearch {
    /// Empty without IN: the selected mailbox.
    pub sources: Vec<Source>,
    pub search: Search,
}

/// RFC 7377 `filter-mailboxes`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    Selected,
    Inboxes,
    Personal,
    Subscribed,
    Subtree(Vec<MailboxArg>),
    /// The mailbox and those right under it.
    SubtreeOne(Vec<MailboxArg>),
    Mailboxes(Vec<MailboxArg>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchReturn {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
    pub partial: Option<Partial>,
    /// What comes and goes is told from now on (RFC 5267).
    pub update: bool,
    /// How well each matches (RFC 6203 §4).
    pub relevancy: bool,
}

/// Some of a result by their places in it, from 1 (RFC 9394 `partial-range`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partial {
    /// Not greater than `last`.
    pub first: u32,
    pub last: u32,
    /// Counted from the end.
    pub from_end: bool,
}

#[derive(Debug)]
pub struct Fetch {
    pub uid: bool,
    pub set: Messages,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<ModSeq>,
    /// RFC 7162 §3.2.6: name what vanished since, too.
    pub vanished: bool,
    /// Only some of the set (RFC 9394 §3.2).
    pub partial: Option<Partial>,
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

impl Partial {
    /// The places meant in a result of that many, from 0.
    pub fn of(self, count: usize) -> std::ops::Range<usize> {
        let (first, last) = (self.first as usize, self.last as usize);
        match self.from_end {
            false => (first - 1).min(count)..last.min(count),
            true => count.saturating_sub(last)..(count + 1).saturating_sub(first),
        }
    }

    pub fn of_set(self, set: &UidSet) -> UidSet {
        let range = self.of(set.len());
        let mut rest = set.clone();
        rest.take_first(range.start);
        rest.take_first(range.len())
    }
}

/// `1:500`, `-1:-100`
impl std::fmt::Display for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minus = if self.from_end { "-" } else { "" };
        write!(f, "{minus}{}:{minus}{}", self.first, self.last)
    }
}
