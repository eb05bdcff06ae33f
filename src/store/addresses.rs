//! Which addresses were given, are kept for an application, or look like one that is.

use super::rows::{RowsError, Tx};
use crate::wire::Timestamp;

/// Nobody else gives an address before this transaction ends.
pub fn hold(tx: &mut Tx<'_>) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("UPDATE allotting SET one = 1 WHERE one = 1", &[])?;
    }
    Ok(())
}

/// Accounts keep their address for good, however they end.
pub fn is_given(tx: &mut Tx<'_>, address: &str) -> Result<bool, RowsError> {
    let account = tx.first("SELECT id FROM account WHERE address = $1", &[address.into()])?;
    if account.is_some() {
        return Ok(true);
    }
    let sql = "SELECT id FROM application WHERE address = $1 AND holds = 1";
    Ok(tx.first(sql, &[address.into()])?.is_some())
}

/// Whose the addresses of this likeness are, as far as that is known.
pub fn look_alikes(tx: &mut Tx<'_>, lookalike: &str) -> Result<Vec<Option<String>>, RowsError> {
    let accounts = tx.query(
        "SELECT h.identity FROM account a LEFT JOIN holder h ON h.id = a.holder
         WHERE a.lookalike = $1 LIMIT 100",
        &[lookalike.into()],
    )?;
    let waiting = tx.query(
        "SELECT identity FROM application WHERE lookalike = $1 AND holds = 1 LIMIT 100",
        &[lookalike.into()],
    )?;
    let all = accounts.iter().chain(&waiting);
    all.map(|row| Ok(row.opt_text(0)?.map(str::to_owned))).collect()
}

pub fn sub_domain_of(tx: &mut Tx<'_>, label: &str) -> Result<Option<String>, RowsError> {
    let row = tx.first("SELECT identity FROM sub_domain WHERE label = $1", &[label.into()])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

pub fn give_sub_domain(
    tx: &mut Tx<'_>,
    label: &str,
    identity: &str,
    at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO sub_domain (label, identity, given_at) VALUES ($1, $2, $3)
         ON CONFLICT (label) DO NOTHING",
        &[label.into(), identity.into(), at.millis().into()],
    )?;
    Ok(())
}
