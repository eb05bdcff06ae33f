//! Which mails have waited too long.

use super::{Kind, LEASE, Queued, readable};
use crate::store::rows::{Param, RowsError, Tx};
use crate::wire::Timestamp;

/// Mails of a kind, held or not, that have waited since before `until` and that nobody with another set
/// of leases has; those longest first.
pub fn since(
    tx: &mut Tx<'_>,
    which: (Kind, bool),
    until: Timestamp,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let rows = tx.query(
        "SELECT id FROM relay
         WHERE kind = $1 AND held = $2 AND since <= $3 AND leased_until <= $4
         ORDER BY since, id LIMIT $5",
        &waited(which, until, now, limit),
    )?;
    readable(tx, &rows)
}

/// As `since`, and leased in their rows: where a store is shared, nobody ends what another sends.
pub fn lease_since(
    tx: &mut Tx<'_>,
    which: (Kind, bool),
    until: Timestamp,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let [kind, held, until, free, limit] = waited(which, until, now, limit);
    let rows = tx.query(
        "WITH free AS MATERIALIZED (
             SELECT id FROM relay WHERE kind = $1 AND held = $2 AND since <= $3
             AND leased_until <= $4 ORDER BY since, id LIMIT $5 FOR UPDATE SKIP LOCKED)
         UPDATE relay SET leased_until = $6 FROM free WHERE relay.id = free.id
         RETURNING relay.id",
        &[kind, held, until, free, limit, now.plus_millis(LEASE).millis().into()],
    )?;
    let mut found = readable(tx, &rows)?;
    found.sort_by_key(|queued| (queued.since, queued.id));
    Ok(found)
}

/// `$1` to `$5` of both.
fn waited(
    (kind, held): (Kind, bool),
    until: Timestamp,
    now: Timestamp,
    limit: usize,
) -> [Param<'static>; 5] {
    let (until, now) = (until.millis(), now.millis());
    [kind.word().into(), held.into(), until.into(), now.into(), (limit as i64).into()]
}

/// Since when the longest has waited of those that have waited since after `until`.
pub fn oldest(
    tx: &mut Tx<'_>,
    (kind, held): (Kind, bool),
    until: Timestamp,
) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT MIN(since) FROM relay WHERE kind = $1 AND held = $2 AND since > $3",
        &[kind.word().into(), held.into(), until.millis().into()],
    )?;
    let since = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(since.map(Timestamp::from_millis))
}
