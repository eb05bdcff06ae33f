//! What is on its way to other providers: laid in, arrived, or given up; each in the transaction of the
//! caller, and each only once.

use super::Step;
use super::fact::Fact;
use crate::store::evidence::EvidenceRow;
use crate::store::jobs;
use crate::store::relay::{self as queue, Kind, NewRelay};
use crate::store::submissions::{self, Recipient, RecipientState};
use crate::store::{RowsError, Tx, evidence};
use crate::wire::rem::{Event, Reason};
use crate::wire::{ContentId, EvidenceId, KepAddress, KepDomain, MessageId, Timestamp};
use std::collections::BTreeSet;

/// Why a relay failed, for evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    pub reason: Reason,
    /// What was heard, or why there was nothing; may be empty.
    pub detail: String,
    /// A window ended, rather than that somebody said no.
    pub window: bool,
}

/// Lays in that a sealed message is to be relayed to another provider, for all its recipients there.
pub fn relay(
    tx: &mut Tx<'_>,
    id: &MessageId,
    content: ContentId,
    provider: &KepDomain,
    now: Timestamp,
) -> Result<(), RowsError> {
    let name = format!("dispatch/{id}/{provider}");
    let (kind, evidence) = (Kind::Dispatch, "");
    let new = NewRelay { name: &name, provider, kind, message: id, evidence, content, now };
    queue::lay_in(tx, &new)
}

/// Lays in that the mail of an evidence is to be relayed to another provider.
pub fn relay_evidence(
    tx: &mut Tx<'_>,
    id: &EvidenceId,
    content: ContentId,
    provider: &KepDomain,
    now: Timestamp,
) -> Result<(), RowsError> {
    let row = evidence::find(tx, id)?.ok_or(RowsError::Missing("evidence"))?;
    let name = format!("evidence/{id}/{provider}");
    let (kind, evidence, message) = (Kind::Evidence, id.as_str(), &row.message_id);
    let new = NewRelay { name: &name, provider, kind, message, evidence, content, now };
    queue::lay_in(tx, &new)
}

/// A recipient's provider has it. When nothing is heard of it until `silent`, that is a failure.
/// Says whether this was the time.
pub fn arrived(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    now: Timestamp,
    silent: Timestamp,
) -> Result<bool, RowsError> {
    let first = submissions::relayed(tx, id, recipient, now)?;
    if first {
        let why = Why { reason: Reason::NoRelayInfo, detail: String::new(), window: true };
        let fact = failure(id, recipient, silent, &why);
        let name = format!("silence/{id}/{recipient}");
        jobs::lay_in(tx, Step::Expire.word(), &name, &fact.to_json()?, silent)?;
    }
    Ok(first)
}

/// A recipient's provider will not get it. Says whether this was the time.
pub fn failed(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    at: Timestamp,
    why: &Why,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let first = submissions::relay_failed(tx, id, recipient, RecipientState::Accepted)?;
    if first {
        super::fact(tx, &failure(id, recipient, at, why), now)?;
    }
    Ok(first)
}

/// A report of its provider's server, under no seal, says that the relay failed for a recipient. It counts
/// for whom is not `taken_over`. Says whether this was the time.
pub fn reported_failed(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    why: &Why,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let mut first = false;
    for from in [RecipientState::Accepted, RecipientState::Relayed] {
        first = first || submissions::relay_failed(tx, id, recipient, from)?;
    }
    if first {
        super::fact(tx, &failure(id, recipient, now, why), now)?;
    }
    Ok(first)
}

/// Nothing was heard of what was relayed, though its time has come. Says whether this was the time.
pub fn silent(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    fact: &Fact,
    now: Timestamp,
) -> Result<bool, RowsError> {
    // What comes at the same time is laid down before this, or finds what this laid down.
    submissions::lock(tx, id)?;
    let first = submissions::relay_failed(tx, id, recipient, RecipientState::Relayed)?;
    if first && taken_over(tx, id)?.contains(&recipient) {
        let (message, at) = (id.to_string(), fact.at().millis());
        super::fact(tx, &Fact::DeliveryExpired { message, recipient, at }, now)?;
    } else if first {
        super::fact(tx, fact, now)?;
    }
    Ok(first)
}

/// For which recipients their provider has said by evidence that it took the message over: for him, or
/// for all.
pub fn taken_over(tx: &mut Tx<'_>, id: &MessageId) -> Result<BTreeSet<usize>, RowsError> {
    let said = evidence::of_message(tx, id)?;
    let acceptance = Event::RelayAcceptance.name();
    let said: Vec<&EvidenceRow> = said.iter().filter(|row| row.event == acceptance).collect();
    let recipients = submissions::recipients(tx, id)?;
    let is_there = |one: &&Recipient| {
        let Ok(address) = KepAddress::registered(&one.address) else { return false };
        let provider = address.domain().provider();
        let theirs = said.iter().filter(|row| row.origin == provider.as_str());
        let about =
            |row: &EvidenceRow| row.recipient.is_empty() || row.recipient == address.as_str();
        theirs.into_iter().any(|row| about(row))
    };
    Ok(recipients.iter().filter(is_there).map(|one| one.n).collect())
}

fn failure(id: &MessageId, recipient: usize, at: Timestamp, why: &Why) -> Fact {
    Fact::RelayFailed {
        message: id.to_string(),
        recipient,
        at: at.millis(),
        reason: code(why.reason),
        detail: why.detail.clone(),
        window: why.window,
    }
}

/// Its code in TS 102 640-2; in EN 319 522 where only that knows it.
/// QUIRK(ETSI, 2026-11): the elder has none for a relay that nothing is heard of: docs/quirks.md#83
fn code(reason: Reason) -> String {
    match reason {
        Reason::NoRelayInfo => reason.en(Event::RelayFailure).1,
        other => other.ts_uri(),
    }
}
