//! The commands of a client, parsed. Mailbox names stay octets: what they mean depends on what the
//! session has enabled, and a bad name is a `NO`, not a `BAD`.

use secrecy::SecretString;

use super::metadata::{Depth, EntryName};
use super::notify::Notify;
use super::{Flags, MessageSet, ModSeq, SearchKey, SequenceSet, SpecialUse, UidSet};
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
    Notify(Notify),
    UidBatches(UidBatches),
    Unauthenticate,
    /// The algorithm's name, in capital letters (RFC 4978).
    Compress(String),
    Select(Select),
    Create {
        name: MailboxArg,
        /// RFC 6154 §3; `None` stands for one we don't know.
        uses: Vec<Option<SpecialUse>>,
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
    GetMetadata(GetMetadata),
    SetMetadata {
        name: MailboxArg,
        /// `None` takes an entry away.
        entries: Vec<(EntryName, Option<Vec<u8>>)>,
    },
    GetQuota(Vec<u8>),
    GetQuotaRoot(MailboxArg),
    SetQuota,
    Acl {
        name: MailboxArg,
        acl: Acl,
    },
    /// Up to its first octets that stream in. REPLACE is this too.
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

/// RFC 5464 §4.2; an empty name is the server.
#[derive(Debug, Default)]
pub struct GetMetadata {
    pub name: MailboxArg,
    pub entries: Vec<EntryName>,
    /// Octets of the largest value wanted.
    pub max_size: Option<u64>,
    pub depth: Depth,
}

/// RFC 4314 §3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acl {
    Mine,
    Get,
    List {
        identifier: String,
    },
    /// SETACL or DELETEACL, whatever of whom.
    Set,
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

/// RFC 10022 §3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UidBatches {
    /// Messages in each.
    pub size: u32,
    /// Which of them, the newest being 1.
    pub range: Option<(u32, u32)>,
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
    /// RFC 8440.
    pub my_rights: bool,
    /// RFC 9590: annotations, where any are asked for.
    pub metadata: Vec<EntryName>,
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
    /// RFC 8474.
    MailboxId,
    /// RFC 7889.
    AppendLimit,
    DeletedStorage,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// REPLACE (RFC 8508): what goes from the selected mailbox as the new message comes.
    pub replaces: Option<Messages>,
    pub name: MailboxArg,
    /// Up to the first octets that stream in, or to the end.
    pub steps: Vec<AppendStep>,
    /// How it goes on behind those octets.
    pub form: AppendForm,
}

/// What an APPEND is made of, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AppendStep {
    /// A message begins (RFC 3502: one of several).
    Message { flags: Flags, date: Option<Timestamp> },
    /// All its octets, which stream in next.
    Octets(Literal),
    /// A part of it that streams in next (RFC 4469 TEXT).
    Text(Literal),
    /// A part of it that is a part of another message.
    Url(Vec<u8>),
    /// The command is over.
    End,
}

/// What the octets that stream in stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendForm {
    Plain,
    /// `UTF8 (…)` (RFC 6855 §4).
    Utf8,
    /// `CATENATE (…)` (RFC 4469).
    Catenate,
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
    /// RFC 8514.
    SaveDate,
    /// RFC 8474.
    EmailId,
    ThreadId,
    /// RFC 8970; lazy: only if it is at hand.
    Preview {
        lazy: bool,
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
