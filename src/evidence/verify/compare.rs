//! Which field differs: between evidence and original, evidence and header, and among the evidence
//! of one message.

use super::report::{Check, Checks, Report, State};
use super::stamp::WEAK;
use super::{Kind, Name};
use crate::trust::user_signer::canonical;
use crate::wire::mime::{self, Address};
use crate::wire::rem::{ContentDigest, Evidence, RemHeaders};
use crate::wire::sha256;
use crate::wire::xades::Hash;
use data_encoding::HEXLOWER;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The digest of the original, and, when it is another, which fields tell them apart.
pub(super) fn with_original(evidence: &Evidence, original: &[u8], checks: &mut Checks) {
    let name = Name::OriginalDigest;
    let Some(stated) = &evidence.message.digest else {
        checks.unknown(name, "the evidence names no digest of the message");
        return fields_of_original(evidence, original, State::Note, checks);
    };
    if let ContentDigest::Other { algorithm, .. } = stated {
        match Hash::by_uri(algorithm) {
            Some(hash) if hash.is_weak() => {
                checks.bad(name, format!("the evidence names the message by {algorithm}"));
                return checks.hint(WEAK);
            }
            Some(_) => {}
            None => return checks.unknown(name, format!("{algorithm:?} is not known here")),
        }
    }
    let same = |octets: &[u8]| match stated {
        ContentDigest::Sha256(stated) => sha256(octets) == *stated,
        ContentDigest::Other { algorithm, value } => {
            Hash::by_uri(algorithm).and_then(|hash| hash.of(octets)).as_ref() == Some(value)
        }
    };
    if same(original) {
        checks.good(name, "the original has the digest that the evidence names");
        fields_of_original(evidence, original, State::Note, checks);
    } else if same(&with_line_ends(original)) {
        checks.good(name, "the original, with line ends as on the wire, has the digest");
    } else {
        let (stated, own) = (hex(stated), sha256(original).hex());
        checks.bad(name, format!("the evidence names {stated}, this original has {own} (SHA-256)"));
        fields_of_original(evidence, original, State::Bad, checks);
    }
}

fn hex(digest: &ContentDigest) -> String {
    match digest {
        ContentDigest::Sha256(digest) => digest.hex(),
        ContentDigest::Other { value, .. } => HEXLOWER.encode(value),
    }
}

/// Says each field that differs, in the state that a difference has.
fn fields_of_original(evidence: &Evidence, original: &[u8], state: State, checks: &mut Checks) {
    let header = mime::header(original);
    let mut differ = |field: (&str, &str), stated: String, found: String| {
        if stated != found {
            let detail = format!("{}: evidence {stated:?}, original {found:?}", field.1);
            checks.about(Name::OriginalField, state, field.0, detail);
        }
    };
    let sender = addresses(header, &["from"]);
    differ(SENDER, evidence.sender.address.to_ascii_lowercase(), joined(&sender));
    let stated: BTreeSet<String> =
        evidence.recipients.iter().map(|party| party.address.to_ascii_lowercase()).collect();
    let found = addresses(header, &["to", "cc"]);
    // One dispatch may go to some of them only (one per provider).
    if !stated.is_subset(&found) {
        differ(RECIPIENTS, joined(&stated), joined(&found));
    }
    let subject = mime::text::decoded_field(header, "subject").unwrap_or_default();
    differ(SUBJECT, one_line(&evidence.message.subject), one_line(&subject));
    if let Some(stated) = &evidence.message.ua_message_id {
        let found = mime::fields::field(header, "message-id");
        let found = found.map(|field| String::from_utf8_lossy(&field.unfolded()).into_owned());
        let found = found.unwrap_or_default();
        differ(UA_ID, stated.clone(), found.trim_matches(['<', '>', ' ']).to_owned());
    }
}

/// Addresses in fields, lower case.
pub(super) fn addresses(header: &[u8], names: &[&str]) -> BTreeSet<String> {
    let fields = mime::fields::fields(header).filter(|f| names.iter().any(|name| f.is(name)));
    let all = fields.flat_map(|field| mime::addresses(&field.unfolded()));
    let plain = |address| match address {
        Address::Mailbox { local, domain, .. } => {
            let spec = [local.as_slice(), b"@", &domain].concat();
            Some(String::from_utf8_lossy(&spec).to_ascii_lowercase())
        }
        _ => None,
    };
    all.filter_map(plain).collect()
}

/// The REM header fields are under no seal: those that speak must say what the evidence says.
pub(super) fn with_headers(evidence: &Evidence, headers: &RemHeaders, checks: &mut Checks) {
    if *headers == RemHeaders::default() {
        return checks.note(Name::Header, "there are no REM header fields");
    }
    let mut wrong = 0;
    let mut differ = |field: (&str, &str), stated: Option<String>, found: &str| {
        if let Some(stated) = stated.filter(|stated| stated != found) {
            wrong += 1;
            let detail = format!("{}: header {stated:?}, evidence {found:?}", field.1);
            checks.about(Name::Header, State::Bad, field.0, detail);
        }
    };
    let message = &evidence.message;
    differ(MESSAGE_ID, headers.message_id.clone(), &message.message_id);
    differ(EVIDENCE_ID, headers.evidence_id.clone(), evidence.id.as_str());
    differ(EVENT, headers.event.map(|e| e.name().to_owned()), evidence.event.name());
    let sender = headers.sender.as_ref().map(|sender| sender.to_ascii_lowercase());
    differ(SENDER, sender, &evidence.sender.address.to_ascii_lowercase());
    if let Some(stated) = &message.ua_message_id {
        differ(UA_ID, headers.ua_message_id.clone(), stated);
    }
    if let Some(ContentDigest::Sha256(stated)) = &message.digest {
        differ(DIGEST, headers.digest.map(|digest| digest.hex()), &stated.hex());
    }
    if wrong == 0 {
        checks.good(Name::Header, "the REM header fields say what the evidence says");
    }
}

/// Evidence of one message, from different files, must agree on the message.
pub(super) fn between(files: &[Report]) -> Vec<Check> {
    let mut checks = Checks::default();
    let all: Vec<(&Report, &Evidence)> =
        files.iter().flat_map(|file| file.all_evidence().map(move |e| (file, e))).collect();
    let ids: BTreeSet<&str> = all.iter().map(|(_, e)| e.message.message_id.as_str()).collect();
    if files.len() < 2 || all.len() < 2 {
        return Vec::new();
    }
    if ids.len() > 1 {
        let text = format!("the files are about {} messages", ids.len());
        checks.note(Name::SameMessage, text);
    }
    for id in ids {
        let mut same = all.iter().filter(|(_, e)| e.message.message_id == id);
        let Some((first_file, first)) = same.next() else { continue };
        let mut others = 0;
        let mut wrong = 0;
        for (file, evidence) in same {
            others += 1;
            wrong += differences((first_file, first), (file, evidence), &mut checks);
        }
        if others > 0 && wrong == 0 {
            let id = super::report::plain(id);
            let text = format!("{} evidence of {id} agree with each other", others + 1);
            checks.good(Name::SameMessage, text);
        }
    }
    checks.into_vec()
}

fn differences(
    (a_file, a): (&Report, &Evidence),
    (b_file, b): (&Report, &Evidence),
    checks: &mut Checks,
) -> usize {
    let file = |report: &Report| match (&report.name, report.kind) {
        (Some(name), _) => name.clone(),
        (None, Kind::Evidence) => "evidence".to_owned(),
        (None, _) => "mail".to_owned(),
    };
    let (a_file, b_file) = (file(a_file), file(b_file));
    let mut wrong = 0;
    let mut differ = |field: (&str, &str), one: String, other: String| {
        if one != other {
            wrong += 1;
            let detail = format!("{}: {a_file} has {one:?}, {b_file} has {other:?}", field.1);
            checks.about(Name::Field, State::Bad, field.0, detail);
        }
    };
    differ(SENDER, a.sender.address.to_ascii_lowercase(), b.sender.address.to_ascii_lowercase());
    differ(RECIPIENTS, recipients(a), recipients(b));
    differ(SUBJECT, a.message.subject.clone(), b.message.subject.clone());
    let id = |e: &Evidence| e.message.ua_message_id.clone();
    if let Some((one, other)) = id(a).zip(id(b)) {
        differ(UA_ID, one, other);
    }
    if let Some((one, other)) = a.message.digest.as_ref().zip(b.message.digest.as_ref()) {
        differ(DIGEST, hex(one), hex(other));
    }
    if let Some((one, other)) = a.submission_time.zip(b.submission_time) {
        differ(SUBMISSION_TIME, one.iso8601(), other.iso8601());
    }
    wrong
}

fn recipients(evidence: &Evidence) -> String {
    let all = evidence.recipients.iter().map(|party| party.address.to_ascii_lowercase());
    joined(&all.collect())
}

fn joined(all: &BTreeSet<String>) -> String {
    all.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Files saved on Unix have lost their CRLF; a mail on the wire never has bare LF.
pub(super) fn with_line_ends(octets: &[u8]) -> Cow<'_, [u8]> {
    let lines = octets.contains(&b'\n');
    if !lines || octets.contains(&b'\r') {
        Cow::Borrowed(octets)
    } else {
        Cow::Owned(canonical(octets))
    }
}

/// Fields in Turkish and English.
type Field = (&'static str, &'static str);
const SENDER: Field = ("gönderen", "sender");
const RECIPIENTS: Field = ("alıcılar", "recipients");
const SUBJECT: Field = ("konu", "subject");
const MESSAGE_ID: Field = ("ileti kimliği", "message id");
const UA_ID: Field = ("gönderenin ileti kimliği", "sender's message id");
const EVIDENCE_ID: Field = ("delil kimliği", "evidence id");
const EVENT: Field = ("olay", "event");
const DIGEST: Field = ("özet", "digest");
const SUBMISSION_TIME: Field = ("gönderim zamanı", "submission time");
