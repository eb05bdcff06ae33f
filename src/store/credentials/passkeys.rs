//! Rows of passkeys: public keys, and how far each has counted.

use super::OwnerKey;
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct PasskeyRow {
    pub id: Vec<u8>,
    pub owner: OwnerKey,
    pub name: String,
    /// As COSE writes it.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub added_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// False when there is one of this id, whosever it is.
pub fn add(tx: &mut Tx<'_>, new: &PasskeyRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO passkey (id, account, operator, name, public_key, sign_count, added_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &[
            (&new.id).into(),
            new.owner.account.0.into(),
            new.owner.operator.into(),
            (&new.name).into(),
            (&new.public_key).into(),
            i64::from(new.sign_count).into(),
            new.added_at.millis().into(),
        ],
    )?;
    Ok(added == 1)
}

pub fn find(tx: &mut Tx<'_>, id: &[u8]) -> Result<Option<PasskeyRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, operator, name, public_key, sign_count, added_at, used_at
         FROM passkey WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(passkey).transpose()
}

pub fn of(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<Vec<PasskeyRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, operator, name, public_key, sign_count, added_at, used_at
         FROM passkey WHERE account = $1 AND operator = $2 ORDER BY added_at, id",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    rows.iter().map(passkey).collect()
}

/// Notes a use; false when another use came between, or the passkey is gone.
pub fn used(
    tx: &mut Tx<'_>,
    before: &PasskeyRow,
    sign_count: u32,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let used = tx.execute(
        "UPDATE passkey SET sign_count = $1, used_at = $2 WHERE id = $3 AND sign_count = $4",
        &[
            i64::from(sign_count).into(),
            now.millis().into(),
            (&before.id).into(),
            i64::from(before.sign_count).into(),
        ],
    )?;
    Ok(used == 1)
}

pub fn rename(tx: &mut Tx<'_>, owner: OwnerKey, id: &[u8], name: &str) -> Result<bool, RowsError> {
    let renamed = tx.execute(
        "UPDATE passkey SET name = $1 WHERE id = $2 AND account = $3 AND operator = $4",
        &[name.into(), id.into(), owner.account.0.into(), owner.operator.into()],
    )?;
    Ok(renamed == 1)
}

pub fn remove(tx: &mut Tx<'_>, owner: OwnerKey, id: &[u8]) -> Result<bool, RowsError> {
    let removed = tx.execute(
        "DELETE FROM passkey WHERE id = $1 AND account = $2 AND operator = $3",
        &[id.into(), owner.account.0.into(), owner.operator.into()],
    )?;
    Ok(removed == 1)
}

fn passkey(row: &Row) -> Result<PasskeyRow, RowsError> {
    Ok(PasskeyRow {
        id: row.bytes(0)?.to_vec(),
        owner: OwnerKey { account: AccountId(row.int(1)?), operator: row.int(2)? },
        name: row.text(3)?.to_owned(),
        public_key: row.bytes(4)?.to_vec(),
        sign_count: u32::try_from(row.int(5)?).map_err(|_| RowsError::Stored("a count"))?,
        added_at: Timestamp::from_millis(row.int(6)?),
        used_at: row.opt_int(7)?.map(Timestamp::from_millis),
    })
}
