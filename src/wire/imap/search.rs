//! What SEARCH looks for: a tree, generic over how messages are named. The parser makes one over
//! [`MessageSet`]; the session, which alone knows sequence numbers, turns it into one over `UidSet`.

use super::set::{ModSeq, SequenceSet};
use super::{Keyword, SystemFlags};
use crate::wire::{ContentId, ThreadId};
use chrono::NaiveDate;

/// RFC 9051 `search-key`, with RFC 7162 MODSEQ and RFC 5032 WITHIN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SearchKey<Set> {
    All,
    /// All of these; empty is `All`.
    And(Vec<SearchKey<Set>>),
    Or(Box<SearchKey<Set>>, Box<SearchKey<Set>>),
    Not(Box<SearchKey<Set>>),
    /// Texts match roughly (RFC 6203).
    Fuzzy(Box<SearchKey<Set>>),
    Messages(Set),
    /// Has this one system flag.
    Flag(SystemFlags),
    Keyword(Keyword),
    /// Internal date, as a day in Turkey.
    Before(NaiveDate),
    On(NaiveDate),
    Since(NaiveDate),
    /// The `Date:` field's day, in its own zone.
    SentBefore(NaiveDate),
    SentOn(NaiveDate),
    SentSince(NaiveDate),
    /// When it came into this mailbox (RFC 8514), as a day in Turkey.
    SavedBefore(NaiveDate),
    SavedOn(NaiveDate),
    SavedSince(NaiveDate),
    /// Has these octets (RFC 8474 EMAILID).
    Email(ContentId),
    /// Is part of this conversation (RFC 8474 THREADID).
    Thread(ThreadId),
    /// Seconds before now (RFC 5032).
    Older(u32),
    Younger(u32),
    Larger(u64),
    Smaller(u64),
    /// A header field contains the text; an empty text asks whether the field is there.
    /// BCC, CC, FROM, SUBJECT and TO come as this too, the name in lower case.
    Header {
        name: String,
        text: String,
    },
    /// Header or body contains it.
    Text(String),
    Body(String),
    /// Mod-sequence at least this.
    ModSeq(ModSeq),
}

/// How a client names messages inside SEARCH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MessageSet {
    Sequence(SequenceSet),
    Uid(SequenceSet),
    /// `$`: the saved result of the last SEARCH (RFC 5182).
    Saved,
    /// RECENT (RFC 3501 §6.4.4).
    Recent,
}

impl<Set> SearchKey<Set> {
    /// The same tree with its sets named otherwise. Depth is bounded by the parser.
    pub fn map<New>(self, name: &impl Fn(Set) -> New) -> SearchKey<New> {
        use SearchKey as Key;
        match self {
            Key::All => Key::All,
            Key::And(keys) => Key::And(keys.into_iter().map(|key| key.map(name)).collect()),
            Key::Or(a, b) => Key::Or(Box::new(a.map(name)), Box::new(b.map(name))),
            Key::Not(key) => Key::Not(Box::new(key.map(name))),
            Key::Fuzzy(key) => Key::Fuzzy(Box::new(key.map(name))),
            Key::Messages(set) => Key::Messages(name(set)),
            Key::Flag(flag) => Key::Flag(flag),
            Key::Keyword(word) => Key::Keyword(word),
            Key::Before(day) => Key::Before(day),
            Key::On(day) => Key::On(day),
            Key::Since(day) => Key::Since(day),
            Key::SentBefore(day) => Key::SentBefore(day),
            Key::SentOn(day) => Key::SentOn(day),
            Key::SentSince(day) => Key::SentSince(day),
            Key::SavedBefore(day) => Key::SavedBefore(day),
            Key::SavedOn(day) => Key::SavedOn(day),
            Key::SavedSince(day) => Key::SavedSince(day),
            Key::Email(content) => Key::Email(content),
            Key::Thread(thread) => Key::Thread(thread),
            Key::Older(secs) => Key::Older(secs),
            Key::Younger(secs) => Key::Younger(secs),
            Key::Larger(size) => Key::Larger(size),
            Key::Smaller(size) => Key::Smaller(size),
            Key::Header { name: field, text } => Key::Header { name: field, text },
            Key::Text(text) => Key::Text(text),
            Key::Body(text) => Key::Body(text),
            Key::ModSeq(value) => Key::ModSeq(value),
        }
    }

    /// Whether any key in the tree is one of those.
    pub fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::And(keys) => keys.iter().any(|key| key.any(is)),
                Self::Or(a, b) => a.any(is) || b.any(is),
                Self::Not(key) | Self::Fuzzy(key) => key.any(is),
                _ => false,
            }
    }
}
