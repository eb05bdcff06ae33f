//! What the session needs to know or have done, and the answers. One ask is out at a time and each
//! stands alone: lists come in batches the session cuts itself (it asks for these UIDs, then for
//! those), so that neither side holds 100,000 messages. Of any ask the answer may be `Refused`.
//! The account is the answering side's to keep: mailbox ids of others are refused there again.

use std::collections::BTreeMap;
use std::ops::Range;

use secrecy::SecretString;

use crate::wire::imap::command::{SortCriterion, Threading};
use crate::wire::imap::metadata::{Depth, EntryName};
use crate::wire::imap::{
    Flags, Keywords, MailboxName, MessageUrl, ModSeq, Rights, SearchKey, SpecialUse, SystemFlags,
    Uid, UidSet,
};
use crate::wire::{AccountId, ContentId, MailboxId, ThreadId, Timestamp};

#[derive(Debug)]
pub enum Ask {
    /// → `LoggedIn`. Delays after failures are the answering side's.
    Login(Login),
    /// What a SCRAM exchange for this name begins with → `Salt`, whether there is such a name or not.
    Salt { user: String },
    /// → `Mailboxes`: all of the account, in any order.
    Mailboxes(ListWant),
    /// What is recent then is so to this session alone, if not to examine. → `Selected`
    Select { name: MailboxName, examine: bool },
    /// As `Select` to examine, while what is selected stays so. → `Selected`
    Open { name: MailboxName },
    /// What happened after `since` in a mailbox → `Changes`.
    Changes { mailbox: MailboxId, since: ModSeq },
    /// As `Changes`; what came is told now, and no longer recent to others. → `Changes`
    News { mailbox: MailboxId, since: ModSeq },
    /// All mailboxes of the account, as they stand. → `Overview`
    Overview,
    /// → `Status`
    Status { name: MailboxName, want: StatusWant },
    /// Superiors come into being too; for a use that no other mailbox has. → `Created`
    Create { name: MailboxName, special: Option<SpecialUse> },
    /// → `Done`
    Delete { name: MailboxName },
    /// With what lies under it; renaming INBOX moves its messages (RFC 9051 §6.3.6). → `Done`
    Rename { from: MailboxName, to: MailboxName },
    /// → `Done`; also for a name that is no mailbox any more (or not yet).
    Subscribe { name: MailboxName, on: bool },
    /// → `Rows`, ascending by UID; what is gone is left out. Never more than `BATCH` UIDs. With
    /// structures or headers the answer may end early, after one row at least: the session asks
    /// again for what is behind its last row.
    Rows { mailbox: MailboxId, uids: UidSet, want: RowWant },
    /// Flags and mod-sequences alone → `Flags`, ascending by UID; what is gone is left out. Never more
    /// than `FLAGS_BATCH` UIDs. With many keywords the answer may end early, as that of `Rows` may.
    Flags { mailbox: MailboxId, uids: UidSet },
    /// Never more than `BATCH` pieces. → `Content`: the octets of the first pieces, one behind the
    /// other, as many as an answer holds; one at least, or it is the first piece that is refused.
    /// The session asks again for what is missing.
    Content(Content),
    /// → `Stored`
    Store(Store),
    /// All or none (RFC 9051 §6.4.7). → `Copied`
    Copy { mailbox: MailboxId, uids: UidSet, to: MailboxName },
    /// As `Copy`, but each by itself, and taken from here. Into `Açılacaklar` it opens. → `Moved`
    Move { mailbox: MailboxId, uids: UidSet, to: MailboxName },
    /// Removes those of `uids` (of all, when `None`) that have `\Deleted`. → `Expunged`
    Expunge { mailbox: MailboxId, uids: Option<UidSet> },
    /// A message begins, before any of its bytes is read. → `Done`. A second one before the
    /// commit belongs to the same append (RFC 3502): all are kept or none.
    AppendBegin(AppendBegin),
    /// The next bytes of it. → `Done`; after a refusal no more chunks come and nothing is kept.
    AppendChunk(Vec<u8>),
    /// So many octets more belong to the message begun (RFC 4469 TEXT), and come next. → `Done`
    AppendText { size: u64 },
    /// A part of another message belongs to it; an unopened dispatch's content opens. → `Done`
    AppendUrl(AppendUrl),
    /// As `AppendCommit`, and that message of the mailbox goes, or nothing happens. → `Appended`
    Replace { mailbox: MailboxId, uid: Uid },
    /// All bytes were given; durable before the answer. → `Appended`
    AppendCommit,
    /// Forget what was given; the end of the session means the same. → `Done`
    AppendAbort,
    /// → `Found`
    Search(Search),
    /// The first words of messages (RFC 8970), which may be asked for in batches as rows are; lazy:
    /// only what is at hand. → `Previews`
    Previews { mailbox: MailboxId, uids: UidSet, lazy: bool },
    /// Annotations (RFC 5464). → `Metadata`; when there is more, the session asks again for what is
    /// behind the last name.
    Metadata(MetadataWant),
    /// What the account uses (RFC 9208). → `Quota`; a mailbox that is named must be there.
    Quota { mailbox: Option<MailboxName> },
    /// What its holder may do with a mailbox (RFC 4314). → `Rights`
    Rights { name: MailboxName },
    /// Which annotations changed after a step of the account; without one, at which it is. →
    /// `Annotations`
    Annotations { since: Option<u64> },
    /// All or none; `None` takes an entry away. → `Annotated`
    SetMetadata { mailbox: Option<MailboxName>, entries: Vec<(EntryName, Option<Vec<u8>>)> },
    /// → `Sorted`: what is gone is left out.
    Sort { mailbox: MailboxId, uids: UidSet, exact: UidSet, by: Vec<SortCriterion> },
    /// → `Threads`: what is gone is left out.
    Thread { mailbox: MailboxId, uids: UidSet, by: Threading },
}

impl Ask {
    /// Whose messages it is about: of that mailbox a refusal as `NoSuchMailbox` speaks.
    pub fn mailbox(&self) -> Option<MailboxId> {
        match self {
            Self::Changes { mailbox, .. }
            | Self::News { mailbox, .. }
            | Self::Rows { mailbox, .. }
            | Self::Flags { mailbox, .. }
            | Self::Content(Content { mailbox, .. })
            | Self::Store(Store { mailbox, .. })
            | Self::Copy { mailbox, .. }
            | Self::Move { mailbox, .. }
            | Self::Expunge { mailbox, .. }
            | Self::Search(Search { mailbox, .. })
            | Self::Previews { mailbox, .. }
            | Self::Sort { mailbox, .. }
            | Self::Thread { mailbox, .. }
            | Self::Replace { mailbox, .. } => Some(*mailbox),
            // All named, so that who adds one decides.
            Self::Login(_)
            | Self::Salt { .. }
            | Self::Mailboxes(_)
            | Self::Select { .. }
            | Self::Open { .. }
            | Self::Overview
            | Self::Status { .. }
            | Self::Create { .. }
            | Self::Delete { .. }
            | Self::Rename { .. }
            | Self::Subscribe { .. }
            | Self::AppendBegin(_)
            | Self::AppendChunk(_)
            | Self::AppendText { .. }
            | Self::AppendUrl(_)
            | Self::AppendCommit
            | Self::AppendAbort
            | Self::Metadata(_)
            | Self::Quota { .. }
            | Self::Rights { .. }
            | Self::Annotations { .. }
            | Self::SetMetadata { .. } => None,
        }
    }

    /// Whether it may take as long as there are messages, between responses and not within one.
    pub fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Search(_)
                | Self::Sort { .. }
                | Self::Thread { .. }
                | Self::Copy { .. }
                | Self::Move { .. }
                | Self::Expunge { .. }
                | Self::Delete { .. }
                | Self::Rename { .. }
        )
    }
}

#[derive(Debug)]
pub enum Answer {
    LoggedIn(LoggedIn),
    Salt(Salt),
    Mailboxes(Vec<MailboxEntry>),
    Selected(Selected),
    Changes(Changes),
    Overview(Vec<Standing>),
    Status(Status),
    Done,
    /// The mailbox that was made.
    Created(MailboxId),
    Rows(Vec<Row>),
    Flags(Vec<FlagRow>),
    /// Of those that have one; never of an unopened dispatch.
    Previews(BTreeMap<Uid, String>),
    Content(Vec<u8>),
    Stored(Stored),
    Copied(Option<Placed>),
    Moved(Moved),
    Expunged(UidSet),
    Appended(Appended),
    Found(Found),
    Metadata(Metadata),
    /// The step at which they changed.
    Annotated(u64),
    Annotations(Annotations),
    Quota(Quota),
    Rights(OwnRights),
    Sorted(Vec<Uid>),
    Threads(Vec<ThreadToken>),
    Refused(Refusal),
}

/// Why something isn't done, named by what the client can do about it. The session words it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Wrong name or password: the same answer for both.
    BadCredentials,
    /// The same of SCRAM, which few passwords are for.
    BadProof,
    /// Right password, but no access any more.
    AccountClosed,
    /// The account can be read but nothing added (closed, three months).
    ReadOnlyAccount,
    /// The certificate of the handshake is not good (any more).
    BadCertificate,
    /// An operator of the account who may not read.
    MayNotRead,
    /// Right, but made for other doors.
    PasswordScope,
    /// The account's own password, where two factors are asked.
    PasswordAlone,
    NoSuchMailbox,
    /// The target does not exist, but could be made (`TRYCREATE`).
    NoSuchTarget,
    MailboxExists,
    /// Never possible here: deleting INBOX, APPEND into a virtual mailbox and the like.
    Cannot,
    /// A use that no further mailbox can have (RFC 6154 §3).
    UseAttr,
    /// The mailbox has mailboxes under it and can't go.
    HasChildren,
    ReadOnlyMailbox,
    /// A URL that names nothing of this account (RFC 4469 §3).
    BadUrl,
    /// Octets a mailbox can't keep, or in a transfer encoding nobody knows (RFC 3516 §4.3).
    UnknownCte,
    OverQuota,
    TooBig,
    /// Too many mailboxes, keywords, …
    Limit,
    /// An annotation's value is longer than so many octets (RFC 5464 §4.3).
    ValueTooLong(u32),
    /// The account has as many annotations as it may.
    TooManyEntries,
    /// Others may, this user may not.
    NotPermitted,
    /// The message went away meanwhile.
    Gone,
    /// Temporary trouble on our side.
    Unavailable,
    /// With its own words, Turkish / English in one line of text without control characters.
    Said(String),
}

/// Which annotations are wanted (RFC 5464 §4.2).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetadataWant {
    /// `None` is the server, as the account sees it.
    pub mailbox: Option<MailboxName>,
    pub entries: Vec<EntryName>,
    /// Octets of the largest value wanted.
    pub max_size: Option<u64>,
    pub depth: Depth,
    /// Only names behind this one.
    pub after: Option<EntryName>,
}

/// In the order of names; first those that were asked for and are not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    pub values: Vec<(EntryName, Option<Vec<u8>>)>,
    /// Octets of the largest value that was left out for its size.
    pub longest: Option<u64>,
    /// There is more behind the last name.
    pub more: bool,
}

/// What changed, by mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Annotations {
    /// The step up to which this tells.
    pub step: u64,
    pub changed: Vec<Annotated>,
}

/// Entries that changed, or went, and at which step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotated {
    /// `None` is the server, as the account sees it.
    pub mailbox: Option<Standing>,
    pub entries: Vec<(EntryName, u64)>,
}

impl MetadataWant {
    pub fn asks(&self, name: &EntryName) -> bool {
        self.entries.iter().any(|entry| name.is_within(entry, self.depth))
    }
}

/// What an account uses of what it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Octets of its messages, if there is a limit.
    pub storage: Option<Resource>,
    pub mailboxes: Resource,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource {
    pub used: u64,
    pub limit: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnRights {
    /// How ACLs name the user: the address that authenticated.
    pub identifier: String,
    pub rights: Rights,
}

#[derive(Debug)]
pub struct Login {
    /// May be empty with a certificate: then it tells whose login it is.
    pub user: String,
    pub proof: Proof,
    /// The mechanism's name, or the command's, `LOGIN-COMMAND`; for the log.
    pub mechanism: &'static str,
}

/// By what a login is proven.
#[derive(Debug)]
pub enum Proof {
    Password(SecretString),
    /// RFC 5802 §3: `AuthMessage` and `ClientProof`.
    Scram {
        message: Vec<u8>,
        proof: Vec<u8>,
    },
    /// The certificate of the TLS handshake, which the answering side knows.
    Certificate,
}

#[derive(Debug)]
pub struct LoggedIn {
    pub account: AccountId,
    /// What proves us to a client that logged in by SCRAM (`ServerSignature`).
    pub signature: Option<Vec<u8>>,
    pub notice: Option<Notice>,
}

/// What people must know of their account: programs show it (RFC 9051 §7.1, ALERT).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// It is asked to be closed, and closes by itself then.
    Closes(Timestamp),
    /// It is closed, and can be read to the end of that day.
    Readable(Timestamp),
}

impl Notice {
    pub fn text(self) -> String {
        match self {
            Self::Closes(at) => {
                let at = at.turkish();
                format!(
                    "Kapatma talebiniz {at} tarihinde tamamlanacak / Your request to close this account \
                     completes at {at}"
                )
            }
            Self::Readable(until) => {
                let day = until.turkish_day();
                format!(
                    "Hesap kapalı; {day} sonuna kadar yalnızca okunabilir / The account is closed; it can \
                     be read until the end of {day}"
                )
            }
        }
    }
}

#[derive(Debug)]
pub struct Salt {
    pub salt: Vec<u8>,
    pub iterations: u32,
    /// The server's part of the nonce.
    pub nonce: String,
}

/// What a list of mailboxes must carry beside the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListWant {
    /// Names that are subscribed but no mailbox.
    pub missing: bool,
    /// LIST-STATUS (RFC 5819).
    pub status: Option<StatusWant>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailboxEntry {
    pub name: MailboxName,
    pub kind: MailboxKind,
    /// Its messages stand in other mailboxes.
    pub gathered: bool,
    pub subscribed: bool,
    pub rights: Rights,
    /// Asked for by `ListWant::status`, for what can be selected.
    pub status: Option<Status>,
}

/// A mailbox of an overview.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub id: MailboxId,
    pub name: MailboxName,
    pub special: Option<SpecialUse>,
    /// Mail is delivered into it.
    pub inbox: bool,
    pub subscribed: bool,
    pub uid_validity: u32,
    pub modseq: ModSeq,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailboxKind {
    Mailbox(Option<SpecialUse>),
    /// A level that only holds others.
    NoSelect,
    /// Subscribed, but there is none.
    Missing,
}

/// Which of the dear ones are to be counted; the others come for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatusWant {
    pub messages: bool,
    pub unseen: bool,
    pub deleted: bool,
    pub size: bool,
    pub deleted_storage: bool,
    pub recent: bool,
}

/// Counts that were not wanted are 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Status {
    pub messages: u32,
    pub unseen: u32,
    pub deleted: u32,
    pub size: u64,
    /// Octets of what is marked as deleted (RFC 9208 §4.1.4).
    pub deleted_storage: u64,
    pub uid_next: Uid,
    pub uid_validity: u32,
    pub highest_modseq: ModSeq,
    /// No session was told of these that may change the mailbox.
    pub recent: u32,
    /// Which one it is of (RFC 8474 MAILBOXID).
    pub mailbox: Option<MailboxId>,
    /// Octets of a message that can be appended here (RFC 7889).
    pub append_limit: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selected {
    pub mailbox: MailboxId,
    pub name: MailboxName,
    pub uid_validity: u32,
    pub uid_next: Uid,
    pub highest_modseq: ModSeq,
    /// All messages of it; flags are asked for when a client wants them.
    pub uids: UidSet,
    pub first_unseen: Option<Uid>,
    /// Keywords in use here and the account's labels.
    pub keywords: Keywords,
    /// EXAMINE, or a mailbox in which nothing may be changed.
    pub read_only: bool,
    /// Those of which this session is the first to be told (RFC 3501 §2.3.2).
    pub recent: UidSet,
}

/// May name what the session already knows or never saw: it sorts that out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// What the mailbox is called now; `None` where it has no name that can be told.
    pub name: Option<MailboxName>,
    /// Came after `since`.
    pub arrived: UidSet,
    /// Were there before and have other flags; their rows are asked for in batches.
    pub changed: UidSet,
    /// Went after `since`. When that is no longer known: every UID below `uid_next` not in use.
    pub vanished: UidSet,
    pub uid_next: Uid,
    pub highest_modseq: ModSeq,
    /// Those that arrived of which this session is the first to be told.
    pub recent: UidSet,
    /// The flags of those that came or changed, ascending: of all, or of none where these are many.
    pub flags: Vec<FlagRow>,
}

/// Which fields of a row are wanted; UID, flags and mod-sequence always come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowWant {
    /// What `wire::imap::Structure::compute` made.
    pub structure: bool,
    /// The outermost header, up to and with its empty line.
    pub header: bool,
    /// The conversation.
    pub thread: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub uid: Uid,
    pub modseq: ModSeq,
    pub flags: Flags,
    pub internal_date: Timestamp,
    /// When it came into this mailbox (RFC 8514).
    pub saved_at: Timestamp,
    /// The same for all copies (RFC 8474 EMAILID).
    pub content: ContentId,
    /// The same for all messages of a conversation (RFC 8474 THREADID); `None` unless wanted.
    pub thread: Option<ThreadId>,
    pub size: u64,
    pub opening: Opening,
    /// Empty unless wanted.
    pub structure: Vec<u8>,
    /// Empty unless wanted.
    pub header: Vec<u8>,
}

/// Whether content may be shown without further ado.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// Drafts, evidence, opened dispatches, stubs of `kapalı zarf`.
    Open,
    /// An unopened dispatch in `doğrudan` mode: content of the original opens it.
    Sealed,
}

/// The only way to messages' octets. The answering side may keep the content it opened last: the
/// session goes on with what is missing of the last piece that came.
///
/// Of a `Sealed` message the octets of the original, whatever section they were asked for as, are
/// given only when the read fact is durable; those that the provider made around it are no read. Only
/// the first piece is opened for: those behind it are asked for ahead of their turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    pub mailbox: MailboxId,
    /// Within the messages as sent, `0..size`; never empty.
    pub pieces: Vec<(Uid, Range<u64>)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    pub mailbox: MailboxId,
    pub uids: UidSet,
    pub change: FlagChange,
    /// Never holds `$Kep…` keywords; `Replace` leaves a message's own `$Kep…` in place.
    pub flags: Flags,
    /// RFC 7162 §3.1.3: leave alone, and name in `modified`, what changed after this.
    pub unchanged_since: Option<ModSeq>,
    /// Whether `Stored::rows` is wanted.
    pub echo: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagChange {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Those whose flags are other than before; `modseq` is theirs, one for all.
    pub changed: UidSet,
    pub modseq: ModSeq,
    /// The changed ones, by the mod-sequence that they had before.
    pub before: BTreeMap<ModSeq, UidSet>,
    /// Failed `unchanged_since`.
    pub modified: UidSet,
    /// Of all in `uids` that exist and did not fail, ascending; empty without `echo`.
    pub rows: Vec<FlagRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlagRow {
    pub uid: Uid,
    pub modseq: ModSeq,
    pub flags: Flags,
}

/// Where messages went; the sets pair up in ascending order (COPYUID, RFC 4315).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    pub uid_validity: u32,
    pub from: UidSet,
    pub to: UidSet,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// `None` when they did not land in the named mailbox (`Açılacaklar` opens and lays back).
    pub placed: Option<Placed>,
    /// Those that left this mailbox.
    pub gone: UidSet,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendBegin {
    pub to: MailboxName,
    pub flags: Flags,
    /// Now, when `None`.
    pub internal_date: Option<Timestamp>,
    /// As announced, and as will come; more with each `AppendText` and `AppendUrl`.
    pub size: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendUrl {
    /// The one the URL names, or the selected one.
    pub mailbox: MailboxName,
    pub url: MessageUrl,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    pub uid_validity: u32,
    /// In the order of the messages.
    pub uids: UidSet,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    pub mailbox: MailboxId,
    /// Sets are UIDs the session has in its view. Texts are UTF-8, to be folded the Turkish way.
    /// Of a `Sealed` message only the outer header may match.
    pub key: SearchKey<UidSet>,
    /// Whether `Found::highest_modseq` is wanted (RFC 7162 §3.1.5).
    pub modseq: bool,
    /// Octets that the same command read for mailboxes before this one, as `Found::read` told.
    pub read: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    pub uids: UidSet,
    /// Greatest mod-sequence among those found.
    pub highest_modseq: ModSeq,
    /// All messages that are there.
    pub there: UidSet,
    /// Of those found, what would be without `Fuzzy`, too.
    pub exact: UidSet,
    /// Octets of headers and contents that were read, with those that were read before.
    pub read: u64,
}

/// Threads as RFC 5256 writes them, piece by piece: `(2)(3 6 (4 23)(44 7 96))`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadToken {
    Open,
    Message(Uid),
    Close,
}

/// How well a message matches, from 1 to 100 (RFC 6203 §4): to the letter or roughly.
pub fn relevancy(exact: bool) -> u32 {
    if exact { 100 } else { 50 }
}

impl Row {
    pub fn is_seen(&self) -> bool {
        self.flags.system.has(SystemFlags::SEEN)
    }
}

/// UIDs in one `Ask::Rows`, pieces in one `Ask::Content`.
pub const BATCH: usize = 256;
/// UIDs in one `Ask::Flags`: 160 KiB in the answer, and few hand-overs.
pub const FLAGS_BATCH: usize = 4096;
/// Octets in one `Answer::Content`: what a connection holds of messages.
pub const OCTETS: u64 = 256 << 10;
/// UIDs in one `Ask::Rows` whose headers are wanted.
pub const HEADER_BATCH: usize = 64;
