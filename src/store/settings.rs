//! Rows of what people set for themselves.

use super::rows::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// Key and value of each that was set.
pub fn of(
    tx: &mut Tx<'_>,
    (account, operator): (AccountId, i64),
) -> Result<Vec<(String, String)>, RowsError> {
    let rows = tx.query(
        "SELECT key, value FROM account_setting WHERE account = $1 AND operator = $2 ORDER BY key",
        &[account.0.into(), operator.into()],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
}

pub fn set(
    tx: &mut Tx<'_>,
    (account, operator): (AccountId, i64),
    key: &str,
    value: &str,
    at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO account_setting (account, operator, key, value, changed_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, operator, key)
         DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
        &[account.0.into(), operator.into(), key.into(), value.into(), at.millis().into()],
    )?;
    Ok(())
}
