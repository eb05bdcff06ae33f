//! Rows of what holders are to be told outside KEP, until somebody sends it.

use super::OwnerKey;
use crate::store::rows::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct MessageRow {
    pub id: i64,
    pub owner: OwnerKey,
    pub kind: String,
    /// Sealed.
    pub fields: Vec<u8>,
    pub made_at: Timestamp,
}

pub fn add(
    tx: &mut Tx<'_>,
    owner: OwnerKey,
    kind: &str,
    fields: &[u8],
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO account_message (account, operator, kind, fields, made_at)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            owner.account.0.into(),
            owner.operator.into(),
            kind.into(),
            fields.into(),
            now.millis().into(),
        ],
    )?;
    Ok(())
}

/// The oldest, at most so many.
pub fn waiting(tx: &mut Tx<'_>, most: i64) -> Result<Vec<MessageRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, operator, kind, fields, made_at FROM account_message
         ORDER BY id LIMIT $1",
        &[most.into()],
    )?;
    let read = rows.iter().map(|row| {
        Ok(MessageRow {
            id: row.int(0)?,
            owner: OwnerKey { account: AccountId(row.int(1)?), operator: row.int(2)? },
            kind: row.text(3)?.to_owned(),
            fields: row.bytes(4)?.to_vec(),
            made_at: Timestamp::from_millis(row.int(5)?),
        })
    });
    read.collect()
}

/// Somebody has it; false when another was first.
pub fn taken(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM account_message WHERE id = $1", &[id.into()])? == 1)
}
