//! Finds what time alone causes: hand-overs that lapse, contracts and certificates that end, evidence that is
//! late, uploads that nobody resumed. A
//! round runs as often as one likes; what it finds depends on the clock alone, and after a stop the next
//! one catches up.

use super::{NewTask, TaskKind, done, lapse, open};
use crate::registry::handovers;
use crate::registry::policy;
use crate::store::tasks::{self as rows, Delayed};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::Certificate;
use crate::wire::{Digest, OperatorCode, Timestamp};

/// How many of each a round found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    pub lapsed: usize,
    pub opened: usize,
    pub closed: usize,
}

pub async fn round(store: &Store, now: Timestamp) -> Result<Round, StoreError> {
    let lapsed = handovers::lapse(store, now).await?;
    while write(store, read_certificates).await? == BATCH {}
    let mut opened = 0;
    for find in [certificates, contracts, late_seals, late_answers] {
        loop {
            let found = write(store, move |tx| find(tx, now)).await?;
            opened += found;
            if found < BATCH {
                break;
            }
        }
    }
    let mut closed = 0;
    for kind in KINDS {
        let mut after = Some(0);
        while let Some(behind) = after {
            let (next, count) = write(store, move |tx| close(tx, kind, behind, now)).await?;
            closed += count;
            after = next;
        }
    }
    Ok(Round { lapsed, opened, closed })
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, RowsError> + Send + 'static,
) -> Result<T, StoreError> {
    Ok(store.write(Lane::Background, work).await?)
}

/// Notes when certificates end that were registered since; one that can't be read never does.
pub(in crate::registry) fn read_certificates(tx: &mut Tx<'_>) -> Result<usize, RowsError> {
    let unread = rows::unread_certificates(tx, BATCH)?;
    for one in &unread {
        let read = Certificate::from_der(&one.certificate).map(|read| read.not_after());
        let ends_at = read.unwrap_or(Timestamp::from_millis(i64::MAX));
        rows::set_certificate_end(tx, one.account, one.fingerprint, ends_at)?;
    }
    Ok(unread.len())
}

fn certificates(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, RowsError> {
    let ahead = policy::at(tx, now)?.task_certificate.millis();
    let ending = rows::ending_certificates(tx, (now, now.plus_millis(ahead)), BATCH)?;
    for (one, ends_at) in &ending {
        let new = NewTask {
            account: one.account,
            kind: TaskKind::CertificateEnding,
            subject: one.fingerprint.hex(),
            operator: OperatorCode::of_number(one.operator),
            note: String::new(),
            due: Some(*ends_at),
        };
        open(tx, &new, now)?;
    }
    Ok(ending.len())
}

fn contracts(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, RowsError> {
    let by = now.plus_millis(policy::at(tx, now)?.task_contract.millis());
    let kind = TaskKind::ContractEnding;
    let ending = rows::ending_contracts(tx, kind.word(), (now, by), BATCH)?;
    for term in &ending {
        let new = NewTask {
            account: term.account,
            kind,
            subject: term.n.to_string(),
            operator: None,
            note: String::new(),
            due: Some(term.ends_at),
        };
        open(tx, &new, now)?;
    }
    Ok(ending.len())
}

fn late_seals(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, RowsError> {
    let late = policy::at(tx, now)?.task_evidence.millis();
    let kind = TaskKind::EvidenceDelayed.word();
    let found = rows::unsealed(tx, kind, now.plus_millis(-late), BATCH)?;
    found.iter().try_for_each(|one| delayed(tx, one, now))?;
    Ok(found.len())
}

fn late_answers(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, RowsError> {
    let late = policy::at(tx, now)?.task_relay.millis();
    let kind = TaskKind::EvidenceDelayed.word();
    let found = rows::unanswered(tx, kind, now.plus_millis(-late), BATCH)?;
    found.iter().try_for_each(|one| delayed(tx, one, now))?;
    Ok(found.len())
}

fn delayed(tx: &mut Tx<'_>, one: &Delayed, now: Timestamp) -> Result<(), RowsError> {
    let new = NewTask {
        account: one.account,
        kind: TaskKind::EvidenceDelayed,
        subject: one.message.to_string(),
        operator: None,
        note: one.since.iso8601(),
        due: None,
    };
    open(tx, &new, now)?;
    Ok(())
}

/// Closes what is over among the open ones of a kind behind a number. Where the next look begins, and how
/// many were closed.
fn close(
    tx: &mut Tx<'_>,
    kind: TaskKind,
    behind: i64,
    now: Timestamp,
) -> Result<(Option<i64>, usize), RowsError> {
    let page = rows::open_of(tx, kind.word(), behind, BATCH)?;
    let mut closed = 0;
    for row in &page {
        let over = match kind {
            TaskKind::CertificateEnding => match Digest::from_hex(&row.subject) {
                Some(fingerprint) => {
                    let replaced = rows::is_replaced(tx, row.account, fingerprint)?;
                    if replaced {
                        rows::tell_again(tx, row.account, fingerprint)?;
                    }
                    replaced
                }
                None => true,
            },
            TaskKind::ContractEnding => rows::is_renewed(tx, row.account, &row.subject, now)?,
            TaskKind::UploadUnfinished => false,
            _ => !rows::waits(tx, &row.subject)?,
        };
        let changed = match row.due {
            _ if over => done(tx, row.account, kind, &row.subject, now)?,
            // What has ended is still to be renewed.
            Some(_) if kind == TaskKind::ContractEnding => false,
            Some(due) if due <= now => lapse(tx, row.account, kind, &row.subject, due)?,
            _ => false,
        };
        closed += usize::from(changed);
    }
    let next = page.last().filter(|_| page.len() == BATCH).map(|row| row.id);
    Ok((next, closed))
}

/// What time or a sweep brings to its end.
const KINDS: [TaskKind; 4] = [
    TaskKind::ContractEnding,
    TaskKind::CertificateEnding,
    TaskKind::EvidenceDelayed,
    TaskKind::UploadUnfinished,
];
/// Rows of one transaction.
const BATCH: usize = 200;
