//! Judges evidence, dispatches and evidence mails, ours and foreign, offline: each check by itself,
//! with what is at hand. What can't be checked is said, and is never taken for good. Pure: octets,
//! anchors and the time come in.

mod compare;
mod document;
mod mail;
mod report;
mod stamp;
mod user;
mod words;

pub use report::{Check, Facts, Kind, Report, Run, State, Verdict};
pub use words::Name;

use crate::trust::{Anchors, SealVerifier, TokenVerifier, TrustError};
use crate::wire::Timestamp;
use crate::wire::rem::{Opened, Original};
use report::Checks;

/// Whom to believe, by role; what is `None` leaves its checks open.
#[derive(Default)]
pub struct Believed {
    pub seal: Option<Anchors>,
    pub time_stamp: Option<Anchors>,
    pub user: Option<Anchors>,
}

/// Judges documents by the same anchors.
pub struct Judge {
    seals: SealVerifier,
    has_seal: bool,
    has_time_stamp: bool,
    user: Option<Anchors>,
}

/// One document that is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub name: &'a str,
    pub octets: &'a [u8],
}

/// What a judgement looks at beside the document.
#[derive(Clone, Copy)]
struct Beside<'a> {
    original: Option<&'a [u8]>,
    now: Timestamp,
}

impl Judge {
    pub fn new(believed: Believed) -> Result<Self, TrustError> {
        let Believed { seal, time_stamp, user } = believed;
        let (has_seal, has_time_stamp) = (seal.is_some(), time_stamp.is_some());
        let or_nobody = |anchors: Option<Anchors>| match anchors {
            Some(anchors) => Ok(anchors),
            None => Anchors::new(Vec::new()),
        };
        let tokens = TokenVerifier::new(or_nobody(time_stamp)?, Vec::new());
        let seals = SealVerifier::new(or_nobody(seal)?, Vec::new(), tokens);
        Ok(Self { seals, has_seal, has_time_stamp, user })
    }

    /// One document. `original` is the message it should be about, when that is at hand.
    pub fn judge(&self, octets: &[u8], original: Option<&[u8]>, now: Timestamp) -> Report {
        let beside = Beside { original, now };
        if octets.len() > MAX_OCTETS {
            let mut checks = Checks::default();
            checks.bad(Name::Form, format!("larger than {} MiB", MAX_OCTETS / 1024 / 1024));
            return Report::new(Kind::Unknown, checks);
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
            let mut report = self.judge(one.octets, original, now);
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

    /// Judges evidence again with the original that a dispatch of the same message encloses.
    fn lend_originals(&self, given: &[Given<'_>], files: &mut [Report], now: Timestamp) {
        for at in 0..files.len() {
            let Some(file) = files.get(at).filter(|file| file.kind != Kind::Dispatch) else {
                continue;
            };
            let id =
                file.all_evidence().map(|evidence| evidence.message.message_id.as_str()).next();
            let lender = files.iter().position(|other| {
                let mut all = other.all_evidence();
                other.kind == Kind::Dispatch
                    && all.any(|e| Some(e.message.message_id.as_str()) == id)
            });
            let pair = lender.and_then(|lender| given.get(lender)).zip(given.get(at));
            let Some((dispatch, own)) = pair else { continue };
            let Some(original) = enclosed(dispatch.octets) else { continue };
            let mut report = self.judge(own.octets, Some(&original), now);
            report.name = Some(own.name.to_owned());
            if let Some(file) = files.get_mut(at) {
                *file = report;
            }
        }
    }
}

/// XML starts with `<`, in whatever encoding; no header field does.
fn is_document(octets: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    marks.iter().any(|mark| octets.starts_with(mark)) || octets.trim_ascii_start().starts_with(b"<")
}

fn enclosed(dispatch: &[u8]) -> Option<Vec<u8>> {
    let dispatch = mail::with_line_ends(dispatch);
    let opened = Opened::read(&dispatch).ok()?;
    opened.original.as_ref().map(|original: &Original| original.octets(&dispatch).to_vec())
}

/// Mails have at most 25 MiB; peers may be more generous.
pub const MAX_OCTETS: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests;
