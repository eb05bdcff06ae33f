//! What a judgement says: checks one by one, and the verdict that follows from them. The field names
//! of the JSON form are stable (docs/verify.md).

use super::Unread;
use super::words::Name;
use crate::wire::KepDomain;
use crate::wire::rem::{ContentDigest, Dialect, Evidence};
use data_encoding::HEXLOWER;
use serde::Serialize;

/// The judgement of one document.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file's, or the attachment's.
    pub name: Option<String>,
    pub kind: Kind,
    pub verdict: Verdict,
    pub evidence: Option<Facts>,
    pub checks: Vec<Check>,
    /// Evidence inside a mail, each judged by itself.
    pub enclosed: Vec<Report>,
    #[serde(skip)]
    pub(super) read: Option<Evidence>,
}

/// The judgement of all that was handed in together.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub verdict: Verdict,
    pub files: Vec<Report>,
    /// What is seen only when documents of one message lie side by side.
    pub between: Vec<Check>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Evidence,
    Dispatch,
    EvidenceMail,
    Unknown,
}

/// The worse counts more: one bad check makes a document invalid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Valid,
    CantTell,
    Invalid,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Good,
    Bad,
    /// Something needed for the answer is not at hand.
    Unknown,
    /// Worth knowing; changes no verdict.
    Note,
}

/// One check, in Turkish for everybody and in English with all details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    pub name: Name,
    pub state: State,
    pub turkish: String,
    pub detail: String,
    pub hint: Option<&'static str>,
}

/// What the evidence says, to be shown beside the checks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Facts {
    pub id: String,
    /// `ts102640` or `en319522`.
    pub dialect: &'static str,
    pub event: &'static str,
    pub event_turkish: &'static str,
    pub event_english: &'static str,
    /// The number of Turkish practice (10, 40, 60 …).
    pub number: Option<u8>,
    pub reasons: Vec<&'static str>,
    pub issuer: String,
    pub event_time: String,
    pub submission_time: Option<String>,
    pub due_time: Option<String>,
    /// genTime, whether or not its authority is trusted: that is a check.
    pub stamped_at: Option<String>,
    pub sender: String,
    pub recipients: Vec<String>,
    /// The one that the evidence is about.
    pub recipient: Option<String>,
    pub subject: String,
    pub message_id: String,
    pub ua_message_id: Option<String>,
    /// Hex, of the original message.
    pub digest: Option<String>,
}

impl Report {
    pub(super) fn new(kind: Kind, checks: Checks) -> Self {
        let checks = checks.0;
        let verdict = verdict(checks.iter().map(|check| check.state));
        let (name, evidence, enclosed, read) = (None, None, Vec::new(), None);
        Self { name, kind, verdict, evidence, checks, enclosed, read }
    }

    pub(super) fn enclosing(mut self, enclosed: Vec<Self>) -> Self {
        let worst = enclosed.iter().map(|report| report.verdict).max();
        self.verdict = self.verdict.max(worst.unwrap_or(Verdict::Valid));
        self.enclosed = enclosed;
        self
    }

    /// Whoever says that he issued it, by the address in it, or in the evidence that it encloses. Whether it
    /// was him is a check.
    pub fn issuer(&self) -> Option<KepDomain> {
        let enclosed = self.enclosed.iter().filter_map(|one| one.read.as_ref());
        let evidence = self.read.iter().chain(enclosed).next()?;
        let (_, domain) = evidence.issuer.address.rsplit_once('@')?;
        KepDomain::registered(domain).ok()
    }

    /// A file whose octets could not be had.
    pub(super) fn unread(why: &Unread) -> Self {
        let mut checks = Checks::default();
        checks.unknown(Name::Form, why.why.clone());
        checks.hint(why.hint);
        Self::new(Kind::Unknown, checks)
    }

    /// Says something about it afterwards that changes no verdict.
    pub(super) fn note(&mut self, name: Name, detail: String) {
        self.checks.push(Check::new(name, State::Note, "", detail));
    }

    /// The check of that name, for whoever looks for one.
    pub fn check(&self, name: Name) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// All evidence in it, its own or enclosed.
    pub(super) fn all_evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.read.iter().chain(self.enclosed.iter().filter_map(|report| report.read.as_ref()))
    }
}

pub(super) fn verdict(states: impl Iterator<Item = State>) -> Verdict {
    let of = |state| match state {
        State::Good | State::Note => Verdict::Valid,
        State::Unknown => Verdict::CantTell,
        State::Bad => Verdict::Invalid,
    };
    states.map(of).max().unwrap_or(Verdict::CantTell)
}

/// The checks of one document while they are made.
#[derive(Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn say(&mut self, name: Name, state: State, detail: impl Into<String>) {
        self.0.push(Check::new(name, state, "", detail.into()));
    }

    pub(super) fn good(&mut self, name: Name, detail: impl Into<String>) {
        self.say(name, State::Good, detail);
    }

    pub(super) fn bad(&mut self, name: Name, detail: impl Into<String>) {
        self.say(name, State::Bad, detail);
    }

    pub(super) fn unknown(&mut self, name: Name, detail: impl Into<String>) {
        self.say(name, State::Unknown, detail);
    }

    pub(super) fn note(&mut self, name: Name, detail: impl Into<String>) {
        self.say(name, State::Note, detail);
    }

    /// With the Turkish name of the field that it is about.
    pub(super) fn about(&mut self, name: Name, state: State, field: &str, detail: String) {
        self.0.push(Check::new(name, state, field, detail));
    }

    /// What can be done about the last one.
    pub(super) fn hint(&mut self, hint: &'static str) {
        if let Some(last) = self.0.last_mut() {
            last.hint = Some(hint);
        }
    }

    pub(super) fn has_bad(&self) -> bool {
        self.0.iter().any(|check| check.state == State::Bad)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Of the checks behind the first so many.
    pub(super) fn worst_since(&self, first: usize) -> State {
        let states = || self.0.iter().skip(first).map(|check| check.state);
        let has = |wanted| states().any(|state| state == wanted);
        match () {
            () if has(State::Bad) => State::Bad,
            () if has(State::Unknown) => State::Unknown,
            () => State::Good,
        }
    }

    pub(super) fn into_vec(self) -> Vec<Check> {
        self.0
    }
}

impl Check {
    fn new(name: Name, state: State, field: &str, detail: String) -> Self {
        // What a peer wrote goes to terminals: no control characters, and not without end.
        let detail: String = detail
            .chars()
            .take(DETAIL)
            .map(|c| if c.is_control() || is_direction(c) { ' ' } else { c })
            .collect();
        Self { name, state, turkish: name.turkish(state, field), detail, hint: None }
    }
}

impl Facts {
    pub(super) fn of(
        evidence: &Evidence,
        dialect: Dialect,
        stamped: Option<crate::wire::Timestamp>,
    ) -> Self {
        let text = |t: &str| plain(t);
        let digest = evidence.message.digest.as_ref().map(|digest| match digest {
            ContentDigest::Sha256(digest) => digest.hex(),
            ContentDigest::Other { value, .. } => plain(&HEXLOWER.encode(value)),
        });
        Self {
            id: text(evidence.id.as_str()),
            dialect: dialect.word(),
            event: evidence.event.name(),
            event_turkish: evidence.event.turkish(),
            event_english: evidence.event.english(),
            number: evidence.event.number(),
            reasons: evidence.reasons.iter().map(|why| why.reason.english()).collect(),
            issuer: text(&evidence.issuer.name),
            event_time: evidence.event_time.iso8601(),
            submission_time: evidence.submission_time.map(|time| time.iso8601()),
            due_time: evidence.due_time.map(|time| time.iso8601()),
            stamped_at: stamped.map(|time| time.iso8601()),
            sender: text(&evidence.sender.address),
            recipients: evidence.recipients.iter().map(|party| plain(&party.address)).collect(),
            recipient: evidence.recipient().map(|party| plain(&party.address)),
            subject: text(&evidence.message.subject),
            message_id: text(&evidence.message.message_id),
            ua_message_id: evidence.message.ua_message_id.as_deref().map(plain),
            digest,
        }
    }
}

/// A peer's text on one line of a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() || is_direction(c) { ' ' } else { c });
    shown.take(TEXT).collect()
}

/// Marks that turn text around (UAX #9): they make one address look like another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line of details; a list of all recipients may be longer than anybody reads.
const DETAIL: usize = 2_000;
const TEXT: usize = 1_000;
