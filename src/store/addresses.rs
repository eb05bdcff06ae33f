//! Which addresses were given, are kept for an application, or look like one that is.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{KepDomain, Timestamp};

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

/// Whether an account has an address in that domain itself, however it is now.
pub fn any_in(tx: &mut Tx<'_>, domain: &KepDomain) -> Result<bool, RowsError> {
    let sql = "SELECT id FROM account WHERE address LIKE $1 LIMIT 1";
    Ok(tx.first(sql, &[(&format!("%@{domain}")).into()])?.is_some())
}

/// The same of an account that is somebody else's, or nobody knows whose, and has not ended; `but` counts for
/// nothing.
pub fn any_of_others_in(
    tx: &mut Tx<'_>,
    domain: &KepDomain,
    identity: &str,
    but: &str,
) -> Result<bool, RowsError> {
    let sql = "SELECT a.id FROM account a LEFT JOIN holder h ON h.id = a.holder
               WHERE a.address LIKE $1 AND a.address <> $2 AND a.state <> 'ended'
                 AND (h.identity IS NULL OR h.identity <> $3) LIMIT 1";
    let domain = format!("%@{domain}");
    Ok(tx.first(sql, &[(&domain).into(), but.into(), identity.into()])?.is_some())
}

/// Whose a sub-domain is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubDomainRow {
    pub label: String,
    pub identity: String,
    pub given_at: Timestamp,
}

/// All that are somebody's, by their labels.
pub fn sub_domains(tx: &mut Tx<'_>) -> Result<Vec<SubDomainRow>, RowsError> {
    let sql = "SELECT label, identity, given_at FROM sub_domain ORDER BY label";
    let row = |row: &Row| {
        Ok(SubDomainRow {
            label: row.text(0)?.to_owned(),
            identity: row.text(1)?.to_owned(),
            given_at: Timestamp::from_millis(row.int(2)?),
        })
    };
    tx.query(sql, &[])?.iter().map(row).collect()
}

/// Says whether it was somebody's.
pub fn free_sub_domain(tx: &mut Tx<'_>, label: &str) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM sub_domain WHERE label = $1", &[label.into()])? == 1)
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
