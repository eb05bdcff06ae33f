//! Was a certificate taken back? From the lists and answers at hand; without any this is said, and
//! changes no verdict.

use super::report::Checks;
use super::stamp::When;
use super::{Judge, Name};
use crate::trust::{Path, Status, Token};
use crate::wire::Timestamp;

/// A seal certificate: taken back before the proven time, the seal is void. Where no time is proven,
/// one taken back proves nothing (EN 319 102-1 §5.2.6: no proof that it existed before).
pub(super) fn of_seal(judge: &Judge, path: &Path, when: When, now: Timestamp, checks: &mut Checks) {
    let Some(proven) = when.proven else { return unproven(judge, path, when, now, checks) };
    for past in judge.lists.about(path, proven) {
        say(&past.subject, past.status, proven, checks);
    }
}

/// A claimed time speaks against its signer only; for him, only today counts.
fn unproven(judge: &Judge, path: &Path, when: When, now: Timestamp, checks: &mut Checks) {
    for past in judge.lists.about(path, now) {
        match past.status {
            Status::Revoked { at, .. } if when.claimed.is_none_or(|claimed| claimed < at) => {
                let text = "no trusted time stamp says that it signed before";
                let text = format!("{}: revoked at {at}; {text}", past.subject);
                checks.unknown(Name::Revocation, text);
            }
            Status::Revoked { .. } => {
                let claimed = when.claimed.unwrap_or(now);
                say(&past.subject, past.status, claimed, checks);
            }
            status => say(&past.subject, status, now, checks),
        }
    }
}

/// The authority of a time stamp. RFC 3161 §4: unless it merely went out of service, all its tokens
/// are void, whenever it was taken back. Says whether the token still proves its time.
pub(super) fn of_token(judge: &Judge, token: &Token, checks: &mut Checks) -> bool {
    let mut holds = true;
    for past in judge.lists.about(&token.path, token.gen_time) {
        match past.status {
            Status::Revoked { at, retired: false } if token.gen_time < at => {
                holds = false;
                let text = "not because it went out of service: its earlier time stamps are void";
                checks.bad(Name::Revocation, format!("{}: revoked at {at}, {text}", past.subject));
            }
            status => {
                holds &= !matches!(status, Status::Revoked { at, .. } if at <= token.gen_time);
                say(&past.subject, status, token.gen_time, checks);
            }
        }
    }
    holds
}

/// The sender's certificate at the moment of acceptance.
pub(super) fn of_user(judge: &Judge, path: &Path, accepted: Timestamp, checks: &mut Checks) {
    for past in judge.lists.about(path, accepted) {
        say(&past.subject, past.status, accepted, checks);
    }
}

fn say(subject: &str, status: Status, moment: Timestamp, checks: &mut Checks) {
    let name = Name::Revocation;
    match status {
        Status::Good => checks.good(name, format!("{subject}: not revoked at {moment}")),
        Status::Revoked { at, .. } if moment < at => {
            checks.good(name, format!("{subject}: revoked at {at}, after {moment}"));
        }
        Status::Revoked { at, .. } => {
            checks.bad(name, format!("{subject}: revoked at {at}, {moment} is no earlier"));
        }
        Status::Unknown(None) => {
            let text = "no list or answer of its authority is at hand";
            checks.note(name, format!("{subject}: revocation not checked, {text}"));
            checks.hint("put the authority's CRLs (*.crl) into the folder of --trust");
        }
        Status::Unknown(Some(why)) => {
            checks.note(name, format!("{subject}: revocation not checked: {why}"));
        }
    }
}
