//! Whether a message matches, by what is known of it so far: yes, no, or more must be known.

use super::fuzzy::is_like;
use crate::store::mail::view::{Glance, MessageRow};
use crate::wire::fold::fold;
use crate::wire::imap::{SearchKey as Key, SystemFlags, UidSet};
use crate::wire::mime::{self, Address, fields, text};
use crate::wire::{ThreadId, Timestamp};
use chrono::NaiveDate;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// What is searched for, its texts folded.
#[derive(Clone, Debug)]
pub struct Query {
    key: Key<UidSet>,
    /// The messages of the conversations that it names.
    threads: BTreeMap<ThreadId, UidSet>,
}

/// What is looked at before content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    Rows,
    Headers,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub row: &'a MessageRow,
    pub now: Timestamp,
    pub header: Option<&'a Header<'a>>,
    /// Folded texts; none at all of what must not be opened.
    pub body: Option<&'a [String]>,
    threads: &'a BTreeMap<ThreadId, UidSet>,
}

impl Query {
    pub fn new(key: Key<UidSet>, threads: BTreeMap<ThreadId, UidSet>) -> Self {
        Self { key: folded(key), threads }
    }

    pub fn known<'a>(
        &'a self,
        row: &'a MessageRow,
        now: Timestamp,
        header: Option<&'a Header<'a>>,
        body: Option<&'a [String]>,
    ) -> Known<'a> {
        Known { row, now, header, body, threads: &self.threads }
    }

    /// The only messages that can match, and whether all of them do.
    pub fn narrow(&self, glance: &Glance) -> (UidSet, bool) {
        narrow(&self.key, glance)
    }

    /// Whether something in it is told by these, so that looking at no more may be enough.
    pub fn told_by(&self, source: Source) -> bool {
        self.key.any(&|key| told_by(key) == Some(source))
    }

    pub fn judge(&self, known: &Known<'_>) -> Option<bool> {
        judge(&self.key, known, true)
    }

    /// What it may ask about of a header.
    pub fn header<'a>(&self, octets: &'a [u8]) -> Header<'a> {
        let wanted = |field: &fields::Field<'_>| self.key.any(&|key| is_about(key, field));
        let line = |field| Line { field, folded: OnceCell::new(), addresses: OnceCell::new() };
        Header(fields::fields(octets).filter(wanted).map(line).collect())
    }

    /// Whether one that matches does so to the letter.
    pub fn is_exact(&self, known: &Known<'_>) -> bool {
        !self.key.any(&|key| matches!(key, Key::Fuzzy(_)))
            || judge(&self.key, known, false) == Some(true)
    }
}

/// Which conversations are named.
pub fn threads(key: &Key<UidSet>) -> BTreeSet<ThreadId> {
    match key {
        Key::Thread(thread) => BTreeSet::from([*thread]),
        Key::And(keys) => keys.iter().flat_map(threads).collect(),
        Key::Or(a, b) => threads(a).into_iter().chain(threads(b)).collect(),
        Key::Not(key) | Key::Fuzzy(key) => threads(key),
        _ => BTreeSet::new(),
    }
}

fn told_by(key: &Key<UidSet>) -> Option<Source> {
    match key {
        Key::And(_) | Key::Or(..) | Key::Not(_) | Key::Fuzzy(_) => None,
        // `narrow` told already what these can.
        Key::All | Key::Messages(_) => None,
        Key::Flag(SystemFlags::SEEN | SystemFlags::DELETED) => None,
        // Content tells; that a header says yes is seen before content is opened.
        Key::Text(_) | Key::Body(_) => None,
        Key::Header { .. } | Key::SentBefore(_) | Key::SentOn(_) | Key::SentSince(_) => {
            Some(Source::Headers)
        }
        _ => Some(Source::Rows),
    }
}

fn is_about(key: &Key<UidSet>, field: &fields::Field<'_>) -> bool {
    match key {
        Key::Text(_) => true,
        Key::Header { name, .. } => field.is(name),
        Key::SentBefore(_) | Key::SentOn(_) | Key::SentSince(_) => field.is("Date"),
        _ => false,
    }
}

fn folded(key: Key<UidSet>) -> Key<UidSet> {
    match key {
        Key::And(keys) => Key::And(keys.into_iter().map(folded).collect()),
        Key::Or(a, b) => Key::Or(Box::new(folded(*a)), Box::new(folded(*b))),
        Key::Not(key) => Key::Not(Box::new(folded(*key))),
        Key::Fuzzy(key) => Key::Fuzzy(Box::new(folded(*key))),
        Key::Header { name, text } => Key::Header { name, text: fold(&text) },
        Key::Text(text) => Key::Text(fold(&text)),
        Key::Body(text) => Key::Body(fold(&text)),
        other => other,
    }
}

fn narrow(key: &Key<UidSet>, glance: &Glance) -> (UidSet, bool) {
    let all = &glance.uids;
    match key {
        Key::All => (all.clone(), true),
        Key::Messages(set) => (all.intersection(set), true),
        Key::Flag(SystemFlags::SEEN) => (all.difference(&glance.unseen), true),
        Key::Flag(SystemFlags::DELETED) => (glance.deleted.clone(), true),
        Key::And(keys) => keys.iter().fold((all.clone(), true), |(set, sure), key| {
            let (other, other_sure) = narrow(key, glance);
            (set.intersection(&other), sure && other_sure)
        }),
        Key::Or(a, b) => {
            let ((a, a_sure), (b, b_sure)) = (narrow(a, glance), narrow(b, glance));
            (a.union(&b), a_sure && b_sure)
        }
        Key::Not(key) => match narrow(key, glance) {
            (set, true) => (all.difference(&set), true),
            (_, false) => (all.clone(), false),
        },
        // Only of texts something is told roughly.
        Key::Fuzzy(key) => narrow(key, glance),
        _ => (all.clone(), false),
    }
}

// table
fn judge(key: &Key<UidSet>, known: &Known<'_>, roughly: bool) -> Option<bool> {
    let row = known.row;
    let day = || row.internal_date.istanbul().date_naive();
    let saved = || row.saved_at.istanbul().date_naive();
    let age = || known.now.millis().saturating_sub(row.internal_date.millis()) / 1000;
    Some(match key {
        Key::All => true,
        Key::And(keys) => return all(keys.iter().map(|key| judge(key, known, roughly))),
        Key::Or(a, b) => return either(judge(a, known, roughly), || judge(b, known, roughly)),
        Key::Not(key) => !judge(key, known, roughly)?,
        Key::Fuzzy(key) if roughly => return fuzzy(key, known),
        Key::Fuzzy(key) => return judge(key, known, false),
        Key::Messages(set) => set.contains(row.uid),
        Key::Flag(flag) => row.flags.system.has(*flag),
        Key::Keyword(word) => row.flags.keywords.contains(word.as_str()),
        Key::Before(date) => day() < *date,
        Key::On(date) => day() == *date,
        Key::Since(date) => day() >= *date,
        Key::SentBefore(date) => sent_day(known)?.is_some_and(|day| day < *date),
        Key::SentOn(date) => sent_day(known)?.is_some_and(|day| day == *date),
        Key::SentSince(date) => sent_day(known)?.is_some_and(|day| day >= *date),
        Key::SavedBefore(date) => saved() < *date,
        Key::SavedOn(date) => saved() == *date,
        Key::SavedSince(date) => saved() >= *date,
        Key::Email(content) => row.content == *content,
        Key::Thread(thread) => known.threads.get(thread).is_some_and(|set| set.contains(row.uid)),
        Key::Older(secs) => age() >= i64::from(*secs),
        Key::Younger(secs) => age() <= i64::from(*secs),
        Key::Larger(size) => row.size > *size,
        Key::Smaller(size) => row.size < *size,
        Key::ModSeq(value) => row.mod_seq >= *value,
        Key::Header { name, text } => has_field(known.header?, name, text),
        Key::Body(text) => in_body(known.body?, text),
        Key::Text(text) => match in_header(known.header?, text) {
            true => true,
            false => in_body(known.body?, text),
        },
    })
}

/// As `judge`, but texts need only be like what is looked for.
fn fuzzy(key: &Key<UidSet>, known: &Known<'_>) -> Option<bool> {
    let like_in_body = |text: &str| Some(known.body?.iter().any(|part| is_like(part, text)));
    let like = match key {
        Key::And(keys) => return all(keys.iter().map(|key| fuzzy(key, known))),
        Key::Or(a, b) => return either(fuzzy(a, known), || fuzzy(b, known)),
        Key::Not(key) => return Some(!fuzzy(key, known)?),
        Key::Header { name, text } => {
            let mut lines = known.header?.0.iter().filter(|line| line.field.is(name));
            Some(lines.any(|line| is_like(line.value(), text)))
        }
        Key::Body(text) => like_in_body(text),
        Key::Text(text) => {
            let in_header = known.header?.0.iter().any(|line| is_like(line.value(), text));
            if in_header { Some(true) } else { like_in_body(text) }
        }
        _ => Some(false),
    };
    either(like, || judge(key, known, true))
}

/// No as soon as one is no, whatever is unknown of the others.
fn all(mut answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unknown = false;
    let no = answers.any(|answer| {
        unknown |= answer.is_none();
        answer == Some(false)
    });
    match (no, unknown) {
        (true, _) => Some(false),
        (false, true) => None,
        (false, false) => Some(true),
    }
}

fn either(one: Option<bool>, other: impl FnOnce() -> Option<bool>) -> Option<bool> {
    if one == Some(true) {
        return one;
    }
    match (one, other()) {
        (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// An empty text asks whether the field is there (RFC 9051 §6.4.4).
fn has_field(header: &Header<'_>, name: &str, text: &str) -> bool {
    let mut named = header.0.iter().filter(|line| line.field.is(name));
    match text.is_empty() {
        true => named.next().is_some(),
        false => named.any(|line| line.value().contains(text) || line.is_addressed(text)),
    }
}

fn in_header(header: &Header<'_>, text: &str) -> bool {
    header.0.iter().any(|line| line.folded().0.contains(text))
}

/// The fields of a header; each is decoded and folded when a key needs it first, and once.
#[derive(Debug)]
pub struct Header<'a>(Vec<Line<'a>>);

#[derive(Debug)]
struct Line<'a> {
    field: fields::Field<'a>,
    /// `name: value`, and where the value begins.
    folded: OnceCell<(String, usize)>,
    /// As ENVELOPE has them, when it is a field of addresses.
    addresses: OnceCell<String>,
}

impl Line<'_> {
    fn folded(&self) -> &(String, usize) {
        self.folded.get_or_init(|| {
            let mut folded = fold(&String::from_utf8_lossy(self.field.name));
            folded.push_str(": ");
            let begin = folded.len();
            folded.push_str(fold(&text::decode_words(self.field.value)).trim_start());
            (folded, begin)
        })
    }

    fn value(&self) -> &str {
        let (folded, begin) = self.folded();
        folded.get(*begin..).unwrap_or_default()
    }

    /// Whether an address has the text in it once comments and white space are away (RFC 5322 §3.2.3).
    fn is_addressed(&self, text: &str) -> bool {
        let of_addresses = ADDRESSED.iter().any(|name| self.field.is(name));
        of_addresses && self.addresses.get_or_init(|| addresses(self.field.value)).contains(text)
    }
}

/// `name <local@domain>, …`, folded.
fn addresses(value: &[u8]) -> String {
    let value = fields::unfold(value);
    let cut = value.get(..ADDRESSES_MAX).unwrap_or(&value);
    let mut out = String::new();
    for address in mime::addresses(cut) {
        match address {
            Address::Mailbox { name, local, domain, .. } => {
                out.push_str(&fold(&text::decode_words(&name.unwrap_or_default())));
                out.push_str(" <");
                out.push_str(&fold(&String::from_utf8_lossy(
                    &[&local, &b"@"[..], &domain].concat(),
                )));
                out.push_str(">, ");
            }
            Address::GroupStart(name) => {
                out.push_str(&fold(&text::decode_words(&name)));
                out.push_str(": ");
            }
            Address::GroupEnd => {}
        }
    }
    out
}

fn in_body(body: &[String], text: &str) -> bool {
    body.iter().any(|part| part.contains(text))
}

/// The day that `Date:` names, in the zone it names (RFC 9051 §6.4.4).
fn sent_day(known: &Known<'_>) -> Option<Option<NaiveDate>> {
    let date = known.header?.0.iter().find(|line| line.field.is("Date"));
    Some(date.and_then(|line| {
        let value = String::from_utf8_lossy(line.field.value).into_owned();
        let date = mail_parser::DateTime::parse_rfc822(value.trim()).filter(|d| d.is_valid())?;
        NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
    }))
}

const ADDRESSED: [&str; 6] = ["From", "To", "Cc", "Bcc", "Sender", "Reply-To"];
/// Octets of a field in which addresses are looked for.
const ADDRESSES_MAX: usize = 64 << 10;
