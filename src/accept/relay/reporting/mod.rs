//! Delivery reports (RFC 3464) of what we sent. No seal is under them, so they weigh less than evidence
//! (docs/evidence.md): one that says `failed` ends the wait for word of what nobody has taken over by
//! evidence, and makes relay failure evidence of ours; all others are kept beside, and shown.

mod run;

pub(super) use run::lay_in;

use super::run::Trouble;
use crate::accept::refusal::Refusal;
use crate::spool::relay::{self, Why};
use crate::store::reports::{self, ReportRow};
use crate::store::submissions::{self, Dsn, Recipient, Submission};
use crate::store::{RowsError, StoreError, Tx};
use crate::wire::rem::{Action, DeliveryReport, Reported};
use crate::wire::smtp::orcpt;
use crate::wire::{EvidenceId, KepDomain, MessageId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

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
    let fit = |told: &Reported| {
        let stranger = || Refusal::ReportUnfit(format!("{} is not with {peer}", told.last));
        let to = meant(told, recipients, &submission.details.dsn).filter(|one| one.is_with(peer));
        let to = to.ok_or_else(stranger)?;
        let id = submission.message_id.clone();
        let row = row((id, None), peer, &to.address, told, now);
        let failed = (told.action == Action::Failed).then(|| (to.n, why(told)));
        Ok(Fitting { row, failed })
    };
    report.recipients.iter().map(fit).collect()
}

/// Whom it names: by his address as the server has it, else by the one that came back to us. ORCPT goes on
/// as the sender said it (RFC 3461 §5.2.1), who may have said anything: it counts where nobody has that
/// address, and one alone was called so.
fn meant<'a>(
    told: &Reported,
    recipients: &'a [Recipient],
    dsn: &BTreeMap<usize, Dsn>,
) -> Option<&'a Recipient> {
    let has =
        |address: &str| recipients.iter().find(|one| one.address.eq_ignore_ascii_case(address));
    let named = has(&told.last).or_else(|| told.original.as_deref().and_then(has));
    named.or_else(|| {
        let mut called = recipients.iter().filter(|one| is_called(told, dsn.get(&one.n)));
        called.next().filter(|_| called.next().is_none())
    })
}

fn is_called(told: &Reported, dsn: Option<&Dsn>) -> bool {
    let said = dsn.and_then(|dsn| dsn.orcpt.as_deref());
    said.and_then(orcpt).is_some_and(|said| told.is_about(&said.address))
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
    let known: BTreeSet<_> = here.iter().map(key).collect();
    let fresh: Vec<_> = fitting.iter().filter(|one| !known.contains(&key(&one.row))).collect();
    if fresh.is_empty() {
        return Ok(Laid::Again);
    }
    let taken_over = relay::taken_over(tx, id)?;
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &here {
        *told.entry(row.recipient.as_str()).or_default() += 1;
    }
    let (mut any, mut left) = (false, false);
    for one in fresh {
        let of = told.entry(one.row.recipient.as_str()).or_default();
        if *of >= MOST_OF_EACH {
            left = true;
            continue;
        }
        if reports::keep(tx, &one.row)? {
            *of += 1;
            any = true;
            fail(tx, id, (one, &taken_over), now)?;
        }
    }
    Ok(match (any, left) {
        (true, _) => Laid::New,
        (false, true) => Laid::TooMany,
        (false, false) => Laid::Again,
    })
}

/// What makes a report another one: words and time may differ.
fn key(row: &ReportRow) -> (Option<&EvidenceId>, &str, &str, &str, &str) {
    let ReportRow { evidence, provider, recipient, action, status, .. } = row;
    (evidence.as_ref(), provider, recipient, action, status)
}

fn fail(
    tx: &mut Tx<'_>,
    id: &MessageId,
    (one, taken_over): (&Fitting, &BTreeSet<usize>),
    now: Timestamp,
) -> Result<(), RowsError> {
    let ReportRow { recipient, action, status, .. } = &one.row;
    let ends = match &one.failed {
        Some((n, _)) if taken_over.contains(n) => false,
        Some((n, why)) => relay::reported_failed(tx, id, *n, why, now)?,
        None => false,
    };
    let word = if ends { "ends the relay" } else { "kept beside" };
    tracing::warn!(message = %id, recipient, action, status, "a delivery report: {word}");
    Ok(())
}

/// Reports of one recipient: a server that reports hourly is heard for a working day.
const MOST_OF_EACH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::submissions::RecipientState;

    fn recipient(n: usize, address: &str) -> Recipient {
        let (account, state) = (None, RecipientState::Relayed);
        let (relayed_at, delivered_at, due_at, opened_at) = (None, None, None, None);
        let address = address.to_owned();
        Recipient { n, address, account, state, relayed_at, delivered_at, due_at, opened_at }
    }

    fn of(last: &str, original: &str) -> Reported {
        let (original, last) = (Some(original.to_owned()), last.to_owned());
        let (status, diagnostic) = ("5.1.1".to_owned(), String::new());
        Reported { original, last, action: Action::Failed, status, diagnostic }
    }

    /// Who says another recipient's address with ORCPT makes no evidence of his failure.
    #[test]
    fn what_a_sender_said_with_orcpt_takes_nobody_elses_report() {
        let (a, b, c) = ("a@hs06.kep.tr", "b@hs06.kep.tr", "c@hs06.kep.tr");
        let all = [recipient(1, a), recipient(2, b), recipient(3, c)];
        let said = |n: usize, orcpt: &str| {
            let orcpt = Some(format!("rfc822;{orcpt}"));
            (n, Dsn { notify: None, orcpt })
        };
        let dsn = BTreeMap::from([said(1, b), said(2, "x@y.example"), said(3, "z@y.example")]);
        let n = |told: &Reported| meant(told, &all, &dsn).map(|one| one.n);
        assert_eq!(n(&of(b, b)), Some(2));
        assert_eq!(n(&of(a, b)), Some(1));
        assert_eq!(n(&of("moved@elsewhere.example", "x@y.example")), Some(2));
        assert_eq!(n(&of("moved@elsewhere.example", "w@y.example")), None);
        let twice = BTreeMap::from([said(1, "x@y.example"), said(2, "x@y.example")]);
        assert!(meant(&of("moved@elsewhere.example", "x@y.example"), &all, &twice).is_none());
    }
}
