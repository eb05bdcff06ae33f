//! Delivery reports (RFC 3464) of what we sent. No seal is under them, so they weigh less than evidence
//! (docs/evidence.md): one that says `failed` ends the wait for word of what nobody has taken over by
//! evidence, and makes relay failure evidence of ours; all others are kept beside, and shown.

mod run;

pub(super) use run::lay_in;

use super::run::Trouble;
use crate::accept::refusal::Refusal;
use crate::spool::relay::{self, Why};
use crate::store::reports::{self, ReportRow};
use crate::store::submissions::{self, Recipient, Submission};
use crate::store::{RowsError, StoreError, Tx};
use crate::wire::rem::{Action, DeliveryReport, Reported};
use crate::wire::smtp::orcpt;
use crate::wire::{EvidenceId, KepDomain, MessageId, Timestamp};

/// The mail of ours that a report is about.
#[derive(Clone, PartialEq, Eq, Debug)]
enum About {
    Dispatch(MessageId),
    Evidence(EvidenceId, MessageId),
}

/// A report that fits, and for whom each line of it is.
#[derive(Clone)]
struct Fitting {
    row: ReportRow,
    /// Of a dispatch that failed.
    failed: Option<(usize, Why)>,
}

/// What it tells of our recipients who are with this provider, and of nobody else.
fn of_dispatch(
    report: &DeliveryReport,
    submission: &Submission,
    recipients: &[Recipient],
    (peer, now): (&KepDomain, Timestamp),
) -> Result<Vec<Fitting>, Trouble> {
    let theirs: Vec<_> = recipients.iter().filter(|one| one.is_with(peer)).collect();
    let fit = |told: &Reported| {
        let named = theirs.iter().find(|one| is_about(told, one, submission));
        let stranger = || Refusal::ReportUnfit(format!("{} is not with {peer}", told.last));
        let to = named.ok_or_else(stranger)?;
        let id = submission.message_id.clone();
        let row = row((id, None), peer, &to.address, told, now);
        let failed = (told.action == Action::Failed).then(|| (to.n, why(told)));
        Ok(Fitting { row, failed })
    };
    report.recipients.iter().map(fit).collect()
}

/// ORCPT goes on as the sender said it (RFC 3461 §5.2.1), and comes back so.
fn is_about(told: &Reported, recipient: &Recipient, submission: &Submission) -> bool {
    let said = submission.details.dsn.get(&recipient.n).and_then(|dsn| dsn.orcpt.as_deref());
    let said = said.and_then(orcpt).map(|said| said.address);
    told.is_about(&recipient.address) || said.is_some_and(|said| told.is_about(&said))
}

fn row(
    (message_id, evidence): (MessageId, Option<EvidenceId>),
    peer: &KepDomain,
    recipient: &str,
    told: &Reported,
    received_at: Timestamp,
) -> ReportRow {
    ReportRow {
        message_id,
        evidence,
        provider: peer.to_string(),
        recipient: recipient.to_owned(),
        action: told.action.word().to_owned(),
        status: told.status.clone(),
        diagnostic: told.diagnostic.clone(),
        received_at,
    }
}

fn why(told: &Reported) -> Why {
    let detail = format!("DSN: {} {}", told.status, told.diagnostic);
    Why { reason: told.reason(), detail: detail.trim_end().to_owned(), window: false }
}

/// What was laid down.
enum Laid {
    New,
    Again,
    TooMany,
}

fn keep(
    tx: &mut Tx<'_>,
    id: &MessageId,
    fitting: &[Fitting],
    now: Timestamp,
) -> Result<Laid, StoreError> {
    submissions::lock(tx, id)?;
    let here = reports::of_message(tx, id)?;
    let known = |row: &ReportRow| {
        here.iter().any(|one| ReportRow { received_at: row.received_at, ..one.clone() } == *row)
    };
    let fresh: Vec<_> = fitting.iter().filter(|one| !known(&one.row)).collect();
    if fresh.is_empty() {
        return Ok(Laid::Again);
    }
    let of = |row: &ReportRow| here.iter().filter(|one| one.recipient == row.recipient).count();
    if fresh.iter().any(|one| of(&one.row) >= MOST_OF_EACH) {
        return Ok(Laid::TooMany);
    }
    let mut any = false;
    for one in fresh {
        if reports::keep(tx, &one.row)? {
            any = true;
            fail(tx, id, one, now)?;
        }
    }
    Ok(if any { Laid::New } else { Laid::Again })
}

fn fail(tx: &mut Tx<'_>, id: &MessageId, one: &Fitting, now: Timestamp) -> Result<(), RowsError> {
    let ReportRow { recipient, action, status, .. } = &one.row;
    let ends = match &one.failed {
        Some((n, why)) => relay::reported_failed(tx, id, *n, why, now)?,
        None => false,
    };
    let word = if ends { "ends the relay" } else { "kept beside" };
    tracing::warn!(message = %id, recipient, action, status, "a delivery report: {word}");
    Ok(())
}

/// Reports of one recipient: a server that reports hourly is heard for a working day.
const MOST_OF_EACH: usize = 8;
