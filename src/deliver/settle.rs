//! What came of a mail to another provider is laid down: each in one transaction, which may run again.

use super::fate::Fate;
use super::retry;
use super::{outgoing, run::Rules};
use crate::spool::relay::{self, Why};
use crate::store::relay::{self as queue, Health, Kind, Queued, Trouble};
use crate::store::{RowsError, Tx, mail, submissions};
use crate::wire::rem::Reason;
use crate::wire::{KepAddress, KepDomain, Timestamp};

/// When it is, and what the dice say.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Timestamp,
    pub dice: u64,
}

/// The fates of a mail's recipients. Whoever is left is tried again later.
pub fn fates(
    tx: &mut Tx<'_>,
    queued: &Queued,
    fates: &[(KepAddress, Fate)],
    crowded: bool,
    rules: &Rules,
    at: Moment,
) -> Result<(), RowsError> {
    let heard = fates.iter().find_map(|(_, fate)| match fate {
        Fate::Later(heard) => Some(heard.as_str()),
        _ => None,
    });
    match queued.kind {
        Kind::Dispatch => {
            dispatch(tx, queued, fates, rules, at.now)?;
            let recipients = submissions::recipients(tx, &queued.message)?;
            if outgoing::waiting(&recipients, &queued.provider).is_empty() {
                queue::finish(tx, queued.id)?;
                return Ok(());
            }
        }
        Kind::Evidence => match fates.first() {
            Some((_, Fate::Arrived)) => return idle(tx, queued),
            // No evidence tells of evidence: an operator decides.
            Some((_, Fate::Failed(why))) => {
                return queue::set_aside(tx, queued, &why.detail);
            }
            _ => {}
        },
    }
    let due = match crowded {
        true => at.now,
        false => retry::next_try(queued.attempts, at.now, at.dice),
    };
    queue::put_off(tx, queued.id, due, heard.unwrap_or_default())
}

/// Nobody waits for a mail any more.
pub fn idle(tx: &mut Tx<'_>, queued: &Queued) -> Result<(), RowsError> {
    queue::finish(tx, queued.id)?;
    mail::forget_unused(tx, queued.content)?;
    Ok(())
}

fn dispatch(
    tx: &mut Tx<'_>,
    queued: &Queued,
    fates: &[(KepAddress, Fate)],
    rules: &Rules,
    now: Timestamp,
) -> Result<(), RowsError> {
    let recipients = submissions::recipients(tx, &queued.message)?;
    for (n, address) in outgoing::waiting(&recipients, &queued.provider) {
        match fates.iter().find(|(to, _)| *to == address).map(|(_, fate)| fate) {
            Some(Fate::Arrived) => {
                relay::arrived(tx, &queued.message, n, now, after(now, rules.silence))?;
            }
            Some(Fate::Failed(why)) => {
                relay::failed(tx, &queued.message, n, now, why, now)?;
            }
            Some(Fate::Later(_)) | None => {}
        }
    }
    Ok(())
}

/// The window for a dispatch has ended: its recipients will not get it.
pub fn window_ended(
    tx: &mut Tx<'_>,
    queued: &Queued,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), RowsError> {
    let why = why(&queue::health(tx, &queued.provider)?, &queued.reply);
    let recipients = submissions::recipients(tx, &queued.message)?;
    let at = after(queued.since, rules.window);
    for (n, _) in outgoing::waiting(&recipients, &queued.provider) {
        relay::failed(tx, &queued.message, n, at, &why, now)?;
    }
    queue::finish(tx, queued.id)?;
    Ok(())
}

/// Nobody gave a provider's evidence mail a window: it waits for an operator.
pub fn evidence_waited(tx: &mut Tx<'_>, queued: &Queued) -> Result<(), RowsError> {
    let why = match queued.reply.as_str() {
        "" => "not taken in time".to_owned(),
        heard => format!("not taken in time: {heard}"),
    };
    queue::set_aside(tx, queued, &why)
}

/// Why a window ended with nothing done.
fn why(health: &Health, heard: &str) -> Why {
    let (reason, detail) = match (health.is_down(), health.trouble, heard) {
        (true, Trouble::NotIdentified, _) => (Reason::ProviderNotIdentified, health.reply.as_str()),
        (true, Trouble::Unreachable, _) => (Reason::ProviderUnreachable, health.reply.as_str()),
        (false, _, "") => (Reason::ProviderUnreachable, ""),
        // It answers, and did not take this one.
        (false, _, heard) => (Reason::ProviderMalfunction, heard),
    };
    Why { reason, detail: detail.to_owned(), window: true }
}

/// The server was not well. Those who learn it at the same time count once.
pub fn unwell(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    (trouble, heard): (Trouble, &str),
    at: Moment,
) -> Result<(), RowsError> {
    let health = queue::health(tx, provider)?;
    if health.is_down() && health.probe_at > at.now {
        return Ok(());
    }
    let failures = health.failures.saturating_add(1);
    let now = Health {
        down_since: if health.is_down() { health.down_since } else { at.now },
        probe_at: retry::next_probe(failures, at.now, at.dice),
        reply: heard.to_owned(),
        held: health.held,
        failures,
        trouble,
    };
    queue::set_unwell(tx, provider, &now)
}

/// The server answered as it should.
pub fn well(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<(), RowsError> {
    match queue::health(tx, provider)?.is_down() {
        true => queue::set_well(tx, provider),
        false => Ok(()),
    }
}

fn after(at: Timestamp, long: std::time::Duration) -> Timestamp {
    at.plus_millis(i64::try_from(long.as_millis()).unwrap_or(i64::MAX))
}
