//! Rows of codes that change with time, and of the codes on paper beside them.

use super::OwnerKey;
use crate::store::rows::{RowsError, Tx};
use crate::wire::Timestamp;

#[derive(Clone, Debug)]
pub struct TotpRow {
    /// Sealed.
    pub secret: Vec<u8>,
    pub made_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    /// Steps up to this one are used.
    pub used_step: Option<i64>,
}

pub fn get(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<Option<TotpRow>, RowsError> {
    let row = tx.first(
        "SELECT secret, made_at, confirmed_at, used_step FROM totp
         WHERE account = $1 AND operator = $2",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    let read = row.map(|row| {
        Ok(TotpRow {
            secret: row.bytes(0)?.to_vec(),
            made_at: Timestamp::from_millis(row.int(1)?),
            confirmed_at: row.opt_int(2)?.map(Timestamp::from_millis),
            used_step: row.opt_int(3)?,
        })
    });
    read.transpose()
}

/// In the place of one that was never confirmed; false when a confirmed one is there.
pub fn put(
    tx: &mut Tx<'_>,
    owner: OwnerKey,
    secret: &[u8],
    now: Timestamp,
) -> Result<bool, RowsError> {
    let put = tx.execute(
        "INSERT INTO totp (account, operator, secret, made_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, operator)
         DO UPDATE SET secret = excluded.secret, made_at = excluded.made_at, used_step = NULL
         WHERE totp.confirmed_at IS NULL",
        &[owner.account.0.into(), owner.operator.into(), secret.into(), now.millis().into()],
    )?;
    Ok(put == 1)
}

pub fn confirm(tx: &mut Tx<'_>, owner: OwnerKey, now: Timestamp) -> Result<bool, RowsError> {
    let confirmed = tx.execute(
        "UPDATE totp SET confirmed_at = $1
         WHERE account = $2 AND operator = $3 AND confirmed_at IS NULL",
        &[now.millis().into(), owner.account.0.into(), owner.operator.into()],
    )?;
    Ok(confirmed == 1)
}

/// Uses a step; false when it, or a later one, is used already.
pub fn use_step(tx: &mut Tx<'_>, owner: OwnerKey, step: i64) -> Result<bool, RowsError> {
    let used = tx.execute(
        "UPDATE totp SET used_step = $1
         WHERE account = $2 AND operator = $3 AND (used_step IS NULL OR used_step < $1)",
        &[step.into(), owner.account.0.into(), owner.operator.into()],
    )?;
    Ok(used == 1)
}

/// With its codes on paper.
pub fn remove(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<bool, RowsError> {
    let of = [owner.account.0.into(), owner.operator.into()];
    let removed = tx.execute("DELETE FROM totp WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM backup_code WHERE account = $1 AND operator = $2", &of)?;
    Ok(removed == 1)
}

/// New codes on paper in the place of those that were left.
pub fn set_backup_codes(
    tx: &mut Tx<'_>,
    owner: OwnerKey,
    digests: &[[u8; 32]],
) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM backup_code WHERE account = $1 AND operator = $2",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    for digest in digests {
        tx.execute(
            "INSERT INTO backup_code (account, operator, digest) VALUES ($1, $2, $3)
             ON CONFLICT (account, operator, digest) DO NOTHING",
            &[owner.account.0.into(), owner.operator.into(), digest.as_slice().into()],
        )?;
    }
    Ok(())
}

/// How many are left.
pub fn backup_codes(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<i64, RowsError> {
    let row = tx.one(
        "backup codes",
        "SELECT COUNT(*) FROM backup_code WHERE account = $1 AND operator = $2",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    row.int(0)
}

/// Uses one: it is gone. False when it is none, or was used.
pub fn use_backup_code(tx: &mut Tx<'_>, owner: OwnerKey, digest: &[u8]) -> Result<bool, RowsError> {
    let used = tx.execute(
        "DELETE FROM backup_code WHERE account = $1 AND operator = $2 AND digest = $3",
        &[owner.account.0.into(), owner.operator.into(), digest.into()],
    )?;
    Ok(used == 1)
}
