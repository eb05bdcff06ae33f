//! Which evidence an account may have: of what it sent all; of what came to it that of the message as a whole
//! and of itself; and that of what it was refused, which belongs to no message here. A row for each, laid
//! down with the evidence, so that a page costs what it shows, however much there is.

use super::{EvidenceRow, find, from_row};
use crate::store::rows::{RowsError, Tx};
use crate::wire::{AccountId, EvidenceId, Timestamp};

/// Which of it are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    pub message: Option<&'a str>,
    pub event: Option<&'a str>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What an account may have, the newest first, behind a moment and an identifier.
pub fn seen(
    tx: &mut Tx<'_>,
    account: AccountId,
    wanted: Wanted<'_>,
    (before, id): (Timestamp, &str),
    limit: usize,
) -> Result<Vec<EvidenceRow>, RowsError> {
    let since = wanted.since.map_or(i64::MIN, Timestamp::millis).into();
    let until = wanted.until.map_or(i64::MAX, Timestamp::millis).into();
    let (before, limit) = (before.millis().into(), (limit as i64).into());
    let (account, event) = (account.0.into(), wanted.event.unwrap_or_default().into());
    let rows = match (wanted.message, wanted.event) {
        (Some(message), _) => tx.query(
            "SELECT e.id, e.message_id, e.event, e.recipient, e.dialect, e.origin, e.event_time,
                    e.stamped_at, e.xml
             FROM evidence e CROSS JOIN evidence_seen s
             WHERE e.message_id = $1
               AND s.account = $2 AND s.at = e.event_time AND s.evidence = e.id
               AND ($3 = '' OR e.event = $3) AND e.event_time >= $4 AND e.event_time < $5
               AND (e.event_time, e.id) < ($6, $7)
             ORDER BY e.event_time DESC, e.id DESC LIMIT $8",
            &[message.into(), account, event, since, until, before, id.into(), limit],
        ),
        (None, None) => tx.query(
            "SELECT e.id, e.message_id, e.event, e.recipient, e.dialect, e.origin, e.event_time,
                    e.stamped_at, e.xml
             FROM evidence_seen s CROSS JOIN evidence e
             WHERE s.account = $1 AND s.at >= $2 AND s.at < $3 AND (s.at, s.evidence) < ($4, $5)
               AND e.id = s.evidence
             ORDER BY s.at DESC, s.evidence DESC LIMIT $6",
            &[account, since, until, before, id.into(), limit],
        ),
        (None, Some(_)) => tx.query(
            "SELECT e.id, e.message_id, e.event, e.recipient, e.dialect, e.origin, e.event_time,
                    e.stamped_at, e.xml
             FROM evidence_seen s CROSS JOIN evidence e
             WHERE s.account = $1 AND s.event = $2 AND s.at >= $3 AND s.at < $4
               AND (s.at, s.evidence) < ($5, $6) AND e.id = s.evidence
             ORDER BY s.at DESC, s.evidence DESC LIMIT $7",
            &[account, event, since, until, before, id.into(), limit],
        ),
    }?;
    rows.iter().map(from_row).collect()
}

/// One of them.
pub fn seen_one(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &EvidenceId,
) -> Result<Option<EvidenceRow>, RowsError> {
    let Some(row) = find(tx, id)? else { return Ok(None) };
    let mine = tx.first(
        "SELECT 1 FROM evidence_seen WHERE account = $1 AND at = $2 AND evidence = $3",
        &[account.0.into(), row.event_time.millis().into(), id.as_str().into()],
    )?;
    Ok(mine.map(|_| row))
}

/// Shows a new one to whose message it is about.
pub(super) fn show(tx: &mut Tx<'_>, id: &EvidenceId) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO evidence_seen (account, at, evidence, event)
         SELECT s.account, e.event_time, e.id, e.event
         FROM evidence e JOIN submission s ON s.message_id = e.message_id
         WHERE e.id = $1 AND s.account <> 0
         UNION SELECT r.account, e.event_time, e.id, e.event
         FROM evidence e JOIN recipient r ON r.message_id = e.message_id
         JOIN account a ON a.id = r.account
         WHERE e.id = $1 AND e.recipient IN ('', r.address, a.address)
         ON CONFLICT (account, at, evidence) DO NOTHING",
        &[id.as_str().into()],
    )?;
    Ok(())
}

/// Shows one to whoever gets its mail.
pub fn show_to(tx: &mut Tx<'_>, account: AccountId, id: &EvidenceId) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO evidence_seen (account, at, evidence, event)
         SELECT a.id, e.event_time, e.id, e.event FROM evidence e CROSS JOIN account a
         WHERE e.id = $1 AND a.id = $2
         ON CONFLICT (account, at, evidence) DO NOTHING",
        &[id.as_str().into(), account.0.into()],
    )?;
    Ok(())
}
