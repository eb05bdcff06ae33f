//! Judges evidence, dispatches and evidence mails, ours and foreign, offline: each check by itself,
//! with what is at hand. What can't be checked is said, and is never taken for good. Pure: octets,
//! anchors and the time come in.

mod compare;
mod document;
mod mail;
mod report;
mod revocation;
mod stamp;
mod text;
mod user;
mod words;

pub use report::{Check, Facts, Kind, Report, Run, State, Verdict};
pub use words::Name;

use crate::trust::{Anchors, Certificate, Lists, SealVerifier, TokenVerifier, TrustError};
use crate::wire::Timestamp;
use crate::wire::rem::{Opened, Original};

/// Whom to believe, by role; what is `None` leaves its checks open.
#[derive(Default)]
pub struct Believed {
    pub seal: Option<Anchors>,
    pub time_stamp: Option<Anchors>,
    pub user: Option<Anchors>,
    /// What is at hand about revocation, and certificates that signatures leave out.
    pub lists: Lists,
}

/// Judges documents by the same anchors.
pub struct Judge {
    seals: SealVerifier,
    has_seal: bool,
    has_time_stamp: bool,
    user: Option<Anchors>,
    leave_user: bool,
    lists: Lists,
}

/// One document that is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub name: &'a str,
    pub octets: Result<&'a [u8], &'a Unread>,
    /// The message that it should be about, when that one is known for this document.
    pub original: Option<&'a [u8]>,
}

/// Why the octets of a document could not be had, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    pub why: String,
    pub hint: &'static str,
}

/// What a judgement looks at beside the document.
#[derive(Clone, Copy)]
struct Beside<'a> {
    original: Option<&'a [u8]>,
    now: Timestamp,
    /// Of the mail that encloses it.
    around: Option<&'a Around>,
}

/// The seal of a mail, as what it encloses sees it.
struct Around {
    state: State,
    signer: Option<Certificate>,
    certificates: Vec<Certificate>,
    when: stamp::When,
}

impl Judge {
    pub fn new(believed: Believed) -> Result<Self, TrustError> {
        let Believed { seal, time_stamp, user, lists } = believed;
        let (has_seal, has_time_stamp) = (seal.is_some(), time_stamp.is_some());
        let or_nobody = |anchors: Option<Anchors>| match anchors {
            Some(anchors) => Ok(anchors),
            None => Anchors::new(Vec::new()),
        };
        let others = || lists.certificates().to_vec();
        let tokens = TokenVerifier::new(or_nobody(time_stamp)?, others());
        let seals = SealVerifier::new(or_nobody(seal)?, others(), tokens);
        Ok(Self { seals, has_seal, has_time_stamp, user, leave_user: false, lists })
    }

    /// The sender's own signature is not looked at: another provider has judged it.
    pub fn leaving_user(self) -> Self {
        Self { leave_user: true, ..self }
    }

    /// One document. `original` is the message it should be about, when that is at hand.
    pub fn judge(&self, octets: &[u8], original: Option<&[u8]>, now: Timestamp) -> Report {
        let beside = Beside { original, now, around: None };
        let unread = |why: String, hint| Report::unread(&Unread { why, hint });
        if octets.len() > MAX_OCTETS {
            let text = format!("larger than {} MiB", MAX_OCTETS / 1024 / 1024);
            return unread(text, LARGE);
        }
        if octets.trim_ascii().is_empty() {
            let hint = "export it again, or save the mail anew with its source";
            return unread("there is nothing in it".to_owned(), hint);
        }
        match is_document(octets) {
            true => document::judge(self, octets, &beside),
            false => mail::judge(self, octets, &beside),
        }
    }

    /// Several documents: each by itself, then those of one message against each other. A dispatch
    /// among them brings the original along for the others.
    pub fn judge_all(&self, given: &[Given<'_>], original: Option<&[u8]>, now: Timestamp) -> Run {
        let mut files: Vec<Report> = Vec::with_capacity(given.len());
        for one in given {
            let mut report = match one.octets {
                Ok(octets) => self.judge(octets, one.original.or(original), now),
                Err(why) => Report::unread(why),
            };
            report.name = Some(one.name.to_owned());
            files.push(report);
        }
        if original.is_none() {
            self.lend_originals(given, &mut files, now);
        }
        let between = compare::between(&files);
        let apart = report::verdict(between.iter().map(|check| check.state));
        let worst = files.iter().map(|file| file.verdict).max().unwrap_or(Verdict::CantTell);
        let verdict = if between.is_empty() { worst } else { worst.max(apart) };
        Run { verdict, files, between }
    }

    /// Judges evidence again with the original that a dispatch of the same message encloses. An
    /// invalid dispatch lends nothing: its octets may be anybody's.
    fn lend_originals(&self, given: &[Given<'_>], files: &mut [Report], now: Timestamp) {
        for (at, own) in given.iter().enumerate() {
            let (Some(file), Ok(octets), None) = (files.get(at), own.octets, own.original) else {
                continue;
            };
            let Some((lender, verdict)) = lender(file, files) else { continue };
            let Some(from) = given.get(lender) else { continue };
            let name = report::plain(from.name);
            let said = match (verdict, from.octets.ok().and_then(enclosed)) {
                (Verdict::Invalid, _) => {
                    format!(
                        "{name} is of the same message, but invalid: not taken for the original"
                    )
                }
                (_, None) => continue,
                (verdict, Some(original)) => {
                    let mut report = self.judge(octets, Some(&original), now);
                    report.name = Some(own.name.to_owned());
                    if let Some(file) = files.get_mut(at) {
                        *file = report;
                    }
                    let open = match verdict {
                        Verdict::Valid => "",
                        _ => ", whose own seal can't be judged here",
                    };
                    format!("compared with the original in {name}{open}")
                }
            };
            if let Some(file) = files.get_mut(at) {
                file.note(Name::OriginalDigest, said);
            }
        }
    }
}

/// The best dispatch of the message that this evidence is about.
fn lender(file: &Report, files: &[Report]) -> Option<(usize, Verdict)> {
    if file.kind == Kind::Dispatch {
        return None;
    }
    let id = file.all_evidence().map(|e| e.message.message_id.as_str()).next()?;
    let about = |other: &Report| {
        other.kind == Kind::Dispatch && other.all_evidence().any(|e| e.message.message_id == id)
    };
    let dispatches = files.iter().enumerate().filter(|(_, other)| about(other));
    dispatches.map(|(at, other)| (at, other.verdict)).min_by_key(|(_, verdict)| *verdict)
}

/// XML starts with `<`, in whatever encoding; no header field does.
fn is_document(octets: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    marks.iter().any(|mark| octets.starts_with(mark)) || octets.trim_ascii_start().starts_with(b"<")
}

fn enclosed(dispatch: &[u8]) -> Option<Vec<u8>> {
    let dispatch = compare::with_line_ends(dispatch);
    let opened = Opened::read(&dispatch).ok()?;
    opened.original.as_ref().map(|original: &Original| original.octets(&dispatch).to_vec())
}

/// Mails have at most 25 MiB; peers may be more generous.
pub const MAX_OCTETS: usize = 64 * 1024 * 1024;
/// What to do about a larger file.
pub const LARGE: &str = "no dispatch is: export the single mail";

#[cfg(test)]
pub(crate) mod tests;
