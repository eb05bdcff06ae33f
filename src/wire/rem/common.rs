//! What the two dialects of evidence share: our own extension, digests, reasons by their codes, and
//! the list of oddities.

use super::evidence::{MAX_LIST, OWN_NS};
use super::{ContentDigest, Evidence, EvidenceFault, Opening, Reason, Why};
use crate::wire::xades::Hash;
use crate::wire::xml::{DS_NS, Writer, base64_of, child, children, text_of};
use crate::wire::{Digest, Timestamp};
use data_encoding::BASE64;
use roxmltree::Node;

pub(super) fn has_own(evidence: &Evidence) -> bool {
    evidence.due_time.is_some() || evidence.issue_time.is_some() || evidence.opening.is_some()
}

/// What neither dialect has an element for, in a namespace of our own.
pub(super) fn write_own(w: &mut Writer, evidence: &Evidence) {
    w.open("kep:Details", &[("xmlns:kep", OWN_NS)]);
    if let Some(time) = evidence.due_time {
        w.text("kep:DueTime", &time.iso8601());
    }
    if let Some(time) = evidence.issue_time {
        w.text("kep:IssueTime", &time.iso8601());
    }
    if let Some(Opening { channel, person }) = &evidence.opening {
        w.open("kep:Opening", &[]).text("kep:Channel", channel).text("kep:Person", person).close();
    }
    w.close();
}

#[derive(Default)]
pub(super) struct Own {
    pub(super) due_time: Option<Timestamp>,
    pub(super) issue_time: Option<Timestamp>,
    pub(super) opening: Option<Opening>,
}

/// Our own additions; whatever else stands in the extensions is not ours to understand.
pub(super) fn read_own(root: Node, ns: &str) -> Own {
    let found = child(root, ns, "Extensions")
        .into_iter()
        .flat_map(|e| children(e, ns, "Extension"))
        .find_map(|e| child(e, OWN_NS, "Details"));
    let Some(details) = found else { return Own::default() };
    let opening = child(details, OWN_NS, "Opening").map(|o| Opening {
        channel: child(o, OWN_NS, "Channel").map(text_of).unwrap_or_default(),
        person: child(o, OWN_NS, "Person").map(text_of).unwrap_or_default(),
    });
    Own {
        due_time: time_of(child(details, OWN_NS, "DueTime")),
        issue_time: time_of(child(details, OWN_NS, "IssueTime")),
        opening,
    }
}

pub(super) fn write_digest(w: &mut Writer, digest: Option<&ContentDigest>) {
    let (algorithm, value) = match digest {
        None => return,
        Some(ContentDigest::Sha256(digest)) => (Hash::Sha256.uri(), digest.base64()),
        Some(ContentDigest::Other { algorithm, value }) => {
            (algorithm.as_str(), BASE64.encode(value))
        }
    };
    w.empty("ds:DigestMethod", &[("Algorithm", algorithm)]).text("ds:DigestValue", &value);
}

pub(super) fn read_digest(node: Node) -> Option<ContentDigest> {
    let algorithm = child(node, DS_NS, "DigestMethod")?.attribute("Algorithm")?;
    let value = child(node, DS_NS, "DigestValue").and_then(base64_of)?;
    match Digest::from_slice(&value) {
        Some(digest) if algorithm == Hash::Sha256.uri() => Some(ContentDigest::Sha256(digest)),
        _ => Some(ContentDigest::Other { algorithm: algorithm.to_owned(), value }),
    }
}

/// A reason by its code; one that is not known is kept in the details.
pub(super) fn known(
    reason: Option<Reason>,
    code: &str,
    details: Option<String>,
    odd: &mut Vec<String>,
) -> Why {
    match (reason, details) {
        (Some(Reason::Other), Some(details)) => named_in(&details),
        (Some(reason), details) => Why { reason, details },
        (None, details) => {
            odd.push(format!("the reason {code:?} is not known"));
            let details = details.map_or(code.to_owned(), |d| format!("{code}: {d}"));
            Why { reason: Reason::Other, details: Some(details) }
        }
    }
}

/// Undoes what the elder dialect's writer does with a reason of the younger standard.
fn named_in(details: &str) -> Why {
    let (name, rest) = details.split_once(": ").map_or((details, None), |(n, r)| (n, Some(r)));
    let foreign = |r: &Reason| r.ts_fragment().is_none() && r.english() == name;
    match Reason::all().find(foreign) {
        Some(reason) => Why { reason, details: rest.map(str::to_owned) },
        None => Why { reason: Reason::Other, details: Some(details.to_owned()) },
    }
}

/// What no strict writer leaves out, in either dialect.
pub(super) fn oddities(evidence: &Evidence, odd: &mut Vec<String>) {
    let mut say = |wrong: bool, what: &str| {
        if wrong {
            odd.push(what.to_owned());
        }
    };
    say(evidence.sender.address.is_empty(), "the sender has no address");
    say(evidence.recipients.is_empty(), "there is no recipient");
    say(evidence.recipients.iter().any(|r| r.address.is_empty()), "a recipient has no address");
    say(
        evidence.refers_to.is_some() && evidence.recipient().is_none(),
        "EvidenceRefersToRecipient names nobody",
    );
    say(evidence.message.message_id.is_empty(), "the message has no identifier");
    say(evidence.message.digest.is_none(), "there is no digest of the message");
}

pub(super) fn time_of(node: Option<Node>) -> Option<Timestamp> {
    Timestamp::parse_iso8601(&text_of(node?))
}

pub(super) fn number_of(node: Option<Node>) -> Option<usize> {
    text_of(node?).trim().parse().ok()
}

pub(super) fn bounded(count: usize, what: &'static str) -> Result<(), EvidenceFault> {
    if count <= MAX_LIST { Ok(()) } else { Err(EvidenceFault::TooMany(what)) }
}
