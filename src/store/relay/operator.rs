//! What an operator sees of the queue, and does with it.

use super::{BELL, Queued, domain, readable};
use crate::store::rows::{Param, Row, RowsError, Tx};
use crate::wire::{KepDomain, Timestamp};

/// A provider's queue in figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    pub provider: String,
    pub waiting: u64,
    pub held: u64,
    pub oldest: Timestamp,
}

/// The queue, of one provider or of all; those that have waited longest first.
pub fn list(
    tx: &mut Tx<'_>,
    provider: Option<&KepDomain>,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let limit = Param::from(limit as i64);
    let rows = match provider {
        Some(provider) => tx.query(
            "SELECT id FROM relay WHERE provider = $1 ORDER BY since, id LIMIT $2",
            &[provider.as_str().into(), limit],
        )?,
        None => tx.query("SELECT id FROM relay ORDER BY since, id LIMIT $1", &[limit])?,
    };
    readable(tx, &rows)
}

/// An operator keeps a mail back. Whoever has it already may still send it.
pub fn hold(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    tx.wakes.step(BELL);
    Ok(tx.execute("UPDATE relay SET held = 1 WHERE id = $1", &[id.into()])? == 1)
}

/// An operator lets mails go on: one, or all of a provider that are held. Says how many. The window of
/// an evidence mail begins anew; that of a dispatch is its sender's.
pub fn release(
    tx: &mut Tx<'_>,
    which: Result<i64, &KepDomain>,
    now: Timestamp,
) -> Result<u64, RowsError> {
    tx.wakes.step(BELL);
    let now = Param::from(now.millis());
    match which {
        Ok(id) => tx.execute(
            "UPDATE relay SET held = 0,
                 since = CASE kind WHEN 'evidence' THEN $1 ELSE since END WHERE id = $2",
            &[now, id.into()],
        ),
        Err(provider) => tx.execute(
            "UPDATE relay SET held = 0,
                 since = CASE kind WHEN 'evidence' THEN $1 ELSE since END
             WHERE provider = $2 AND held = 1",
            &[now, provider.as_str().into()],
        ),
    }
}

/// Whether something is held for a provider.
pub fn holds(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM relay WHERE provider = $1 AND held = 1 LIMIT 1";
    Ok(tx.first(sql, &[provider.as_str().into()])?.is_some())
}

/// Mails are due now: one, or all of a provider. Says how many.
pub fn hurry(
    tx: &mut Tx<'_>,
    which: Result<i64, &KepDomain>,
    now: Timestamp,
) -> Result<u64, RowsError> {
    tx.wakes.step(BELL);
    let due = Param::from(now.millis());
    match which {
        Ok(id) => tx.execute("UPDATE relay SET due_at = $1 WHERE id = $2", &[due, id.into()]),
        Err(provider) => tx.execute(
            "UPDATE relay SET due_at = $1 WHERE provider = $2 AND held = 0 AND due_at > $1",
            &[due, provider.as_str().into()],
        ),
    }
}

/// Each provider that something waits for.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<Count>, RowsError> {
    let rows = tx.query(
        "SELECT provider, COUNT(*), CAST(SUM(held) AS BIGINT), MIN(since) FROM relay
         GROUP BY provider ORDER BY provider",
        &[],
    )?;
    let count = |row: &Row| {
        Ok(Count {
            provider: row.text(0)?.to_owned(),
            waiting: row.int(1)? as u64,
            held: row.int(2)? as u64,
            oldest: Timestamp::from_millis(row.int(3)?),
        })
    };
    rows.iter().map(count).collect()
}

/// Each provider whose server is not well, or that nothing is sent to by an operator.
pub fn in_trouble(tx: &mut Tx<'_>) -> Result<Vec<KepDomain>, RowsError> {
    let sql = "SELECT provider FROM relay_peer WHERE held = 1 OR failures > 0 ORDER BY provider";
    let rows = tx.query(sql, &[])?;
    let passed = |error: &RowsError| tracing::error!(%error, "a provider's health is passed over");
    let all = rows.iter().map(|row| domain(row.text(0)?).inspect_err(passed));
    Ok(all.filter_map(Result::ok).collect())
}

pub fn waits_for(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM relay WHERE provider = $1 LIMIT 1";
    Ok(tx.first(sql, &[provider.as_str().into()])?.is_some())
}
