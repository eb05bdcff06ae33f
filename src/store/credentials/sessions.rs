//! Rows of sessions, by the digest of their token.

use super::OwnerKey;
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct SessionRow {
    pub id: String,
    pub owner: OwnerKey,
    /// Words `factor@milliseconds`.
    pub proofs: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub ends_at: Timestamp,
    pub address: String,
    pub agent: String,
}

pub fn add(tx: &mut Tx<'_>, new: &SessionRow, token: &[u8]) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO login_session (id, token, account, operator, proofs, created_at, seen_at,
                                    ends_at, address, agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            (&new.id).into(),
            token.into(),
            new.owner.account.0.into(),
            new.owner.operator.into(),
            (&new.proofs).into(),
            new.created_at.millis().into(),
            new.seen_at.millis().into(),
            new.ends_at.millis().into(),
            (&new.address).into(),
            (&new.agent).into(),
        ],
    )?;
    Ok(())
}

pub fn by_token(tx: &mut Tx<'_>, token: &[u8]) -> Result<Option<SessionRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, operator, proofs, created_at, seen_at, ends_at, address, agent
         FROM login_session WHERE token = $1",
        &[token.into()],
    )?;
    row.as_ref().map(session).transpose()
}

pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<SessionRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, operator, proofs, created_at, seen_at, ends_at, address, agent
         FROM login_session WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(session).transpose()
}

/// Of an account, its operators' too, the latest first.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<SessionRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, operator, proofs, created_at, seen_at, ends_at, address, agent
         FROM login_session WHERE account = $1 ORDER BY created_at DESC, id",
        &[account.0.into()],
    )?;
    rows.iter().map(session).collect()
}

pub fn seen(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE login_session SET seen_at = $1 WHERE id = $2 AND seen_at < $1",
        &[now.millis().into(), id.into()],
    )?;
    Ok(())
}

pub fn set_proofs(tx: &mut Tx<'_>, id: &str, proofs: &str) -> Result<bool, RowsError> {
    let sql = "UPDATE login_session SET proofs = $1 WHERE id = $2";
    Ok(tx.execute(sql, &[proofs.into(), id.into()])? == 1)
}

/// Ends one of this account.
pub fn end(tx: &mut Tx<'_>, account: AccountId, id: &str) -> Result<bool, RowsError> {
    let ended = tx.execute(
        "DELETE FROM login_session WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    Ok(ended == 1)
}

/// Ends all of one person but, where it is named, the one that asked for it. Says how many.
pub fn end_all(tx: &mut Tx<'_>, owner: OwnerKey, but: Option<&str>) -> Result<u64, RowsError> {
    tx.execute(
        "DELETE FROM login_session WHERE account = $1 AND operator = $2 AND id <> $3",
        &[owner.account.0.into(), owner.operator.into(), but.unwrap_or_default().into()],
    )
}

/// Ends all of an account, whosever they are.
pub fn end_account(tx: &mut Tx<'_>, account: AccountId) -> Result<u64, RowsError> {
    tx.execute("DELETE FROM login_session WHERE account = $1", &[account.0.into()])
}

/// Forgets those that are over.
pub fn sweep(tx: &mut Tx<'_>, idle_since: Timestamp, now: Timestamp) -> Result<u64, RowsError> {
    tx.execute(
        "DELETE FROM login_session WHERE ends_at <= $1 OR seen_at <= $2",
        &[now.millis().into(), idle_since.millis().into()],
    )
}

fn session(row: &Row) -> Result<SessionRow, RowsError> {
    Ok(SessionRow {
        id: row.text(0)?.to_owned(),
        owner: OwnerKey { account: AccountId(row.int(1)?), operator: row.int(2)? },
        proofs: row.text(3)?.to_owned(),
        created_at: Timestamp::from_millis(row.int(4)?),
        seen_at: Timestamp::from_millis(row.int(5)?),
        ends_at: Timestamp::from_millis(row.int(6)?),
        address: row.text(7)?.to_owned(),
        agent: row.text(8)?.to_owned(),
    })
}
