//! Rows of contracts: each term of an account is one, the last is in force.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractRow {
    pub account: AccountId,
    pub n: i64,
    pub starts_at: Timestamp,
    /// The last moment.
    pub ends_at: Timestamp,
    pub made_at: Timestamp,
}

/// The newest first.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<ContractRow>, RowsError> {
    let rows = tx.query(
        "SELECT account, n, starts_at, ends_at, made_at FROM contract WHERE account = $1
         ORDER BY n DESC",
        &[account.0.into()],
    )?;
    rows.iter().map(contract).collect()
}

pub fn add(tx: &mut Tx<'_>, row: &ContractRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO contract (account, n, starts_at, ends_at, made_at) VALUES ($1, $2, $3, $4, $5)",
        &[
            row.account.0.into(),
            row.n.into(),
            row.starts_at.millis().into(),
            row.ends_at.millis().into(),
            row.made_at.millis().into(),
        ],
    )?;
    Ok(())
}

pub(super) fn contract(row: &Row) -> Result<ContractRow, RowsError> {
    Ok(ContractRow {
        account: AccountId(row.int(0)?),
        n: row.int(1)?,
        starts_at: Timestamp::from_millis(row.int(2)?),
        ends_at: Timestamp::from_millis(row.int(3)?),
        made_at: Timestamp::from_millis(row.int(4)?),
    })
}
