//! Dispatches and evidence mails: the seal over the octets, the header around it, the evidence and
//! the original inside.

use super::report::{Checks, Kind, Report, State};
use super::stamp::{self, WEAK, When};
use super::{Around, Beside, Judge, Name, compare, document, user};
use crate::trust::verify::{Plain, smime};
use crate::trust::{Certificate, SignerFault};
use crate::wire::cms::SignedData;
use crate::wire::rem::{Evidence, MessageKind, OpenFault, Opened};
use crate::wire::{Timestamp, mime, sha256};
use std::borrow::Cow;

pub(super) fn judge(judge: &Judge, octets: &[u8], beside: &Beside<'_>) -> Report {
    let mail = compare::with_line_ends(octets);
    let mut checks = Checks::default();
    let opened = match Opened::read(&mail) {
        Ok(opened) => opened,
        Err(fault) => {
            checks.bad(Name::Form, fault.to_string());
            if fault == OpenFault::NotRem {
                checks
                    .hint("an original proves nothing by itself: --original EML, beside evidence");
            }
            return Report::new(Kind::Unknown, checks);
        }
    };
    let kind = if opened.original.is_some() { Kind::Dispatch } else { Kind::EvidenceMail };
    form(&opened, kind, &mut checks);
    if matches!(mail, Cow::Owned(_)) {
        checks.note(Name::Oddity, "lines ended in LF alone; read with CRLF, as on the wire");
    }
    let around = around(judge, &mail, &opened, beside.now, &mut checks);
    let enclosed = opened.original.as_ref().map(|original| original.octets(&mail));
    // What stands under no sound seal is nobody's original: the evidence is judged without it.
    let sound = !checks.has_bad();
    let lent = enclosed.filter(|_| sound).or(beside.original);
    let inside = Beside { original: lent, around: Some(&around), ..*beside };
    let reports = evidence(judge, &opened, &inside, &mut checks);
    let first = reports.iter().find_map(|report| report.read.as_ref());
    if let Some((first, original)) = first.zip(enclosed).filter(|_| !sound) {
        let text = "it stands under no sound seal, and is not taken for the original";
        checks.note(Name::EnclosedOriginal, text);
        compare::with_original(first, original, &mut checks);
    }
    if let Some(first) = first {
        compare::with_headers(first, &opened.headers, &mut checks);
    }
    if let Some(original) = enclosed {
        original_inside(&opened, first, original, beside, &mut checks);
        if !judge.leave_user {
            let accepted = first.map(|e| e.submission_time.unwrap_or(e.event_time));
            user::judge(judge, original, accepted.unwrap_or(beside.now), &mut checks);
        }
    }
    Report::new(kind, checks).enclosing(reports)
}

fn form(opened: &Opened, kind: Kind, checks: &mut Checks) {
    let said = match kind {
        Kind::Dispatch => "a dispatch: original and evidence under one seal",
        _ => "an evidence mail",
    };
    checks.good(Name::Form, said);
    opened.oddities.iter().for_each(|odd| checks.note(Name::Oddity, odd.as_str()));
    let named = opened.headers.kind.map(|kind| match kind {
        MessageKind::Dispatch => Kind::Dispatch,
        MessageKind::Evidence => Kind::EvidenceMail,
    });
    if named.is_some_and(|named| named != kind) {
        checks.note(Name::Oddity, "the header names another kind of mail");
    }
}

/// The seal, and what it means for the evidence inside.
fn around(
    judge: &Judge,
    mail: &[u8],
    opened: &Opened,
    now: Timestamp,
    checks: &mut Checks,
) -> Around {
    let before = checks.len();
    let sealed = seal(judge, mail, opened, now, checks);
    let state = checks.worst_since(before);
    let (sealed, when) = sealed.unzip();
    let (signer, certificates) =
        sealed.map_or((None, Vec::new()), |plain| (Some(plain.signer), plain.certificates));
    Around { state, signer, certificates, when: when.unwrap_or_default() }
}

fn seal(
    judge: &Judge,
    mail: &[u8],
    opened: &Opened,
    now: Timestamp,
    checks: &mut Checks,
) -> Option<(Plain, When)> {
    let signed = opened.signed.clone().and_then(|range| mail.get(range));
    let Some((signed, der)) = signed.zip(opened.signature_der.as_deref()) else {
        checks.bad(Name::Seal, "the mail is not signed");
        return None;
    };
    let sealed = signature(judge, signed, der, checks)?;
    let when = time_stamp(judge, der, now, checks);
    let when = When { claimed: when.claimed.or(sealed.signing_time), ..when };
    stamp::seal_certificate(judge, &sealed.signer, &sealed.certificates, when, now, checks);
    from(mail, &sealed.signer, checks);
    Some((sealed, when))
}

/// CAdES as EN 319 122-1 wants it, or plain S/MIME with a note.
fn signature(judge: &Judge, signed: &[u8], der: &[u8], checks: &mut Checks) -> Option<Plain> {
    let fault = match judge.seals.signature(signed, der) {
        Ok(seal) => {
            let text = format!("the signed octets verify with {}", seal.signer.subject());
            checks.good(Name::Seal, text);
            let (signer, certificates) = (seal.signer, seal.certificates);
            return Some(Plain { signer, certificates, signing_time: seal.signing_time });
        }
        Err(SignerFault::MissingAttribute(attribute)) => match smime(der, Some(signed)) {
            Ok(plain) => {
                let text = format!("the signed octets verify with {}", plain.signer.subject());
                checks.good(Name::Seal, text);
                checks.note(Name::Seal, format!("plain S/MIME, no CAdES: {attribute} is missing"));
                return Some(plain);
            }
            Err(fault) => fault,
        },
        Err(fault) => fault,
    };
    match fault {
        SignerFault::UnknownAlgorithm(_) | SignerFault::NoCertificate => {
            checks.unknown(Name::Seal, fault.to_string());
        }
        _ => checks.bad(Name::Seal, fault.to_string()),
    }
    if matches!(fault, SignerFault::WeakDigest(_)) {
        checks.hint(WEAK);
    }
    None
}

/// EN 319 122-1 §5.3; not every provider stamps the mail, the evidence inside has its own.
fn time_stamp(judge: &Judge, der: &[u8], now: Timestamp, checks: &mut Checks) -> When {
    let signed = SignedData::parse(der).ok();
    let signer = signed.as_ref().and_then(|signed| signed.signers.first());
    let Some(signer) = signer else { return When::default() };
    let Ok(tokens) = signer.signature_time_stamps() else {
        checks.bad(Name::TimeStamp, "the attribute that should hold it can't be read");
        return When::default();
    };
    if tokens.is_empty() {
        checks.note(Name::TimeStamp, "the seal has none; the evidence has its own");
    }
    let all = tokens.iter().take(MAX_TOKENS);
    let all: Vec<When> =
        all.map(|token| stamp::token(judge, token, &signer.signature, now, checks)).collect();
    if tokens.len() > MAX_TOKENS {
        checks.bad(Name::TimeStamp, format!("more than {MAX_TOKENS} tokens"));
    }
    When {
        proven: all.iter().filter_map(|when| when.proven).min(),
        claimed: all.iter().filter_map(|when| when.claimed).min(),
    }
}

/// RFC 8550 §3: a certificate that names addresses must name the one that the mail is from.
fn from(mail: &[u8], signer: &Certificate, checks: &mut Checks) {
    let root = mime::parse(mail);
    let from = compare::addresses(root.header_bytes(mail), &["from"]);
    let from: Vec<_> = from.iter().map(String::as_str).collect();
    match from.as_slice() {
        [one] if signer.emails().iter().any(|email| email == one) => {
            checks.good(Name::SealFrom, format!("the seal certificate names {one}"));
        }
        _ => {
            let (from, named) = (from.join(", "), signer.emails().join(", "));
            let text = format!("the mail is from {from:?}, the seal certificate names {named:?}");
            let state = if signer.emails().is_empty() { State::Note } else { State::Bad };
            checks.say(Name::SealFrom, state, text);
        }
    }
}

fn evidence(
    judge: &Judge,
    opened: &Opened,
    beside: &Beside<'_>,
    checks: &mut Checks,
) -> Vec<Report> {
    if opened.evidence.is_empty() {
        checks.unknown(Name::EnclosedEvidence, "no evidence is enclosed");
    }
    if opened.evidence.len() > MAX_EVIDENCE {
        checks.bad(Name::EnclosedEvidence, format!("more than {MAX_EVIDENCE} are enclosed"));
    }
    let all = opened.evidence.iter().take(MAX_EVIDENCE);
    let judged = all.map(|found| {
        let mut report = document::judge(judge, &found.xml, beside);
        report.name = found.file_name.as_deref().map(super::report::plain);
        report
    });
    judged.collect()
}

/// The enclosed original against the header's digest and against the one that was handed in.
fn original_inside(
    opened: &Opened,
    evidence: Option<&Evidence>,
    original: &[u8],
    beside: &Beside<'_>,
    checks: &mut Checks,
) {
    if let Some(stated) = opened.headers.digest {
        let own = sha256(original);
        match stated == own {
            true => checks.good(Name::HeaderDigest, "of the enclosed original"),
            false => {
                let text = format!("header {}, original {}", stated.hex(), own.hex());
                checks.bad(Name::HeaderDigest, text);
            }
        }
    }
    let Some(given) = beside.original else { return };
    if given == original || compare::with_line_ends(given) == original {
        return checks.good(Name::EnclosedOriginal, "octet for octet the one that was handed in");
    }
    checks.say(Name::EnclosedOriginal, State::Bad, "not the original that was handed in");
    if let Some(evidence) = evidence {
        compare::with_original(evidence, given, checks);
    }
}

/// Each costs a canonicalization and three signatures.
const MAX_EVIDENCE: usize = 64;
const MAX_TOKENS: usize = 16;
