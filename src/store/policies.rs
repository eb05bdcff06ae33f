//! Rows of policies: what was decided, since when. A decision that has come into force is never
//! changed; a later one stands beside it.

use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;

/// A decision about one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRow {
    pub key: String,
    pub valid_from: Timestamp,
    /// Among those of one instant the greatest holds.
    pub seq: i64,
    pub value: String,
    pub reason: String,
    pub set_by: String,
    pub set_at: Timestamp,
}

/// Adds a decision; `seq` is given here.
pub fn add(tx: &mut Tx<'_>, row: &PolicyRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO policy (key, valid_from, seq, value, reason, set_by, set_at)
         SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6 FROM policy WHERE key = $1",
        &[
            (&row.key).into(),
            row.valid_from.millis().into(),
            (&row.value).into(),
            (&row.reason).into(),
            (&row.set_by).into(),
            row.set_at.millis().into(),
        ],
    )?;
    Ok(())
}

/// What has begun by then, the earliest first: of each key the last one holds.
pub fn begun(tx: &mut Tx<'_>, at: Timestamp) -> Result<Vec<PolicyRow>, RowsError> {
    let rows = tx.query(
        "SELECT key, valid_from, seq, value, reason, set_by, set_at FROM policy
         WHERE valid_from <= $1 ORDER BY key, valid_from, seq",
        &[at.millis().into()],
    )?;
    rows.iter().map(policy).collect()
}

/// What holds of one key then.
pub fn in_force(tx: &mut Tx<'_>, key: &str, at: Timestamp) -> Result<Option<String>, RowsError> {
    let row = tx.first(
        "SELECT value FROM policy WHERE key = $1 AND valid_from <= $2
         ORDER BY valid_from DESC, seq DESC LIMIT 1",
        &[key.into(), at.millis().into()],
    )?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Every decision about a key, or about all, the earliest first.
pub fn history(tx: &mut Tx<'_>, key: Option<&str>) -> Result<Vec<PolicyRow>, RowsError> {
    let rows = tx.query(
        "SELECT key, valid_from, seq, value, reason, set_by, set_at FROM policy
         WHERE $1 = '' OR key = $1 ORDER BY key, valid_from, seq",
        &[key.unwrap_or_default().into()],
    )?;
    rows.iter().map(policy).collect()
}

/// The decisions whose keys begin with `family` and a dot, the earliest first.
pub fn of_family(tx: &mut Tx<'_>, family: &str) -> Result<Vec<PolicyRow>, RowsError> {
    // The character after the dot is past all that begin with the dot.
    let (from, to) = (format!("{family}."), format!("{family}/"));
    let rows = tx.query(
        "SELECT key, valid_from, seq, value, reason, set_by, set_at FROM policy
         WHERE key >= $1 AND key < $2 ORDER BY key, valid_from, seq",
        &[from.as_str().into(), to.as_str().into()],
    )?;
    rows.iter().map(policy).collect()
}

/// Takes decisions back that have not begun; how many.
pub fn cancel(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<u64, RowsError> {
    let values = [key.into(), now.millis().into()];
    tx.execute("DELETE FROM policy WHERE key = $1 AND valid_from > $2", &values)
}

fn policy(row: &Row) -> Result<PolicyRow, RowsError> {
    Ok(PolicyRow {
        key: row.text(0)?.to_owned(),
        valid_from: Timestamp::from_millis(row.int(1)?),
        seq: row.int(2)?,
        value: row.text(3)?.to_owned(),
        reason: row.text(4)?.to_owned(),
        set_by: row.text(5)?.to_owned(),
        set_at: Timestamp::from_millis(row.int(6)?),
    })
}
