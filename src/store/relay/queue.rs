//! Laying mails in, taking them, and what becomes of one that was taken.

use super::{BELL, LEASE, NewRelay, Queued, domain, queued, read, readable, row};
use crate::store::contents;
use crate::store::jobs::Leases;
use crate::store::rows::{RowsError, Tx};
use crate::wire::{KepDomain, Timestamp};

pub fn lay_in(tx: &mut Tx<'_>, new: &NewRelay<'_>) -> Result<(), RowsError> {
    contents::hold(tx, new.content)?;
    tx.execute(
        "INSERT INTO relay (name, provider, kind, message_id, evidence, content, since, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (name) DO NOTHING",
        &[
            new.name.into(),
            new.provider.as_str().into(),
            new.kind.word().into(),
            new.message.as_str().into(),
            new.evidence.into(),
            new.content.0.into(),
            new.now.millis().into(),
        ],
    )?;
    tx.wakes.step(BELL);
    Ok(())
}

/// The providers that something waits for. One look into the index each, however long their queues.
pub fn providers(tx: &mut Tx<'_>) -> Result<Vec<KepDomain>, RowsError> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let sql = "SELECT MIN(provider) FROM relay WHERE provider > $1";
        let row = tx.first(sql, &[(&after).into()])?;
        let Some(next) = row.as_ref().map(|row| row.opt_text(0)).transpose()?.flatten() else {
            return Ok(found);
        };
        match domain(next) {
            Ok(domain) => found.push(domain),
            Err(error) => tracing::error!(provider = next, %error, "its queue is passed over"),
        }
        after = next.to_owned();
    }
}

/// Up to `limit` mails for a provider that are due and that nobody has; oldest first.
pub fn take(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
    limit: usize,
    leases: &Leases,
) -> Result<Vec<Queued>, RowsError> {
    if tx.shared() {
        return lease(tx, provider, now, limit);
    }
    let ahead = (limit + leases.held() + UNREADABLE) as i64;
    let rows = tx.query(
        "SELECT id FROM relay WHERE provider = $1 AND held = 0 AND due_at <= $2
         ORDER BY due_at, id LIMIT $3",
        &[provider.as_str().into(), now.millis().into(), ahead.into()],
    )?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for id in leases.free(ids) {
        if found.len() == limit {
            break;
        }
        found.extend(read(tx, id)?);
    }
    Ok(found)
}

fn lease(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let rows = tx.query(
        "WITH free AS MATERIALIZED (
             SELECT id FROM relay WHERE provider = $2 AND held = 0 AND due_at <= $3
             AND leased_until <= $3 ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
         UPDATE relay SET leased_until = $1 FROM free WHERE relay.id = free.id
         RETURNING relay.id",
        &[
            now.plus_millis(LEASE).millis().into(),
            provider.as_str().into(),
            now.millis().into(),
            (limit as i64).into(),
        ],
    )?;
    let mut found = readable(tx, &rows)?;
    found.sort_by_key(|queued| (queued.due, queued.id));
    // Nothing but rows that can't be read: they are leased now, and stand in nobody's way.
    match found.is_empty() && !rows.is_empty() {
        true => lease(tx, provider, now, limit),
        false => Ok(found),
    }
}

/// When the next mail for a provider falls due that is not due yet.
pub fn next_due(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT MIN(due_at) FROM relay WHERE provider = $1 AND held = 0 AND due_at > $2",
        &[provider.as_str().into(), now.millis().into()],
    )?;
    let due = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(due.map(Timestamp::from_millis))
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<Queued>, RowsError> {
    row(tx, id)?.as_ref().map(queued).transpose()
}

/// The other provider has it, or nobody waits for it any more.
pub fn finish(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM relay WHERE id = $1", &[id.into()])? == 1)
}

/// It did not go now, and is due again later.
pub fn put_off(tx: &mut Tx<'_>, id: i64, due: Timestamp, reply: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE relay SET due_at = $1, reply = $2, attempts = attempts + 1, leased_until = 0
         WHERE id = $3",
        &[due.millis().into(), reply.into(), id.into()],
    )?;
    Ok(())
}

/// It was taken and not tried: another may take it.
pub fn give_back(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute("UPDATE relay SET leased_until = 0 WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Whoever had it could do nothing: it waits for an operator. One that was let go on meanwhile stays.
pub fn set_aside(tx: &mut Tx<'_>, queued: &Queued, why: &str) -> Result<(), RowsError> {
    give_back(tx, queued.id)?;
    tx.execute(
        "UPDATE relay SET held = 1, reply = $1 WHERE id = $2 AND since = $3",
        &[why.into(), queued.id.into(), queued.since.millis().into()],
    )?;
    Ok(())
}

/// So many rows that can't be read stand in nobody's way.
const UNREADABLE: usize = 16;
