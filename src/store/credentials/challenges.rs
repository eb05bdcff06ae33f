//! Rows of what was asked at a login: each is taken once.

use super::OwnerKey;
use crate::store::rows::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct ChallengeRow {
    pub kind: String,
    /// Account 0: nobody yet.
    pub owner: OwnerKey,
    /// JSON.
    pub details: String,
    pub made_at: Timestamp,
    pub ends_at: Timestamp,
}

pub fn add(tx: &mut Tx<'_>, new: &ChallengeRow, token: &[u8]) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO login_challenge (token, kind, account, operator, details, made_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            token.into(),
            (&new.kind).into(),
            new.owner.account.0.into(),
            new.owner.operator.into(),
            (&new.details).into(),
            new.made_at.millis().into(),
            new.ends_at.millis().into(),
        ],
    )?;
    Ok(())
}

/// Takes one of this kind away, if it is there and has not ended: who comes second gets nothing.
pub fn take(
    tx: &mut Tx<'_>,
    kind: &str,
    token: &[u8],
    now: Timestamp,
) -> Result<Option<ChallengeRow>, RowsError> {
    let row = tx.first(
        "DELETE FROM login_challenge WHERE token = $1 AND kind = $2
         RETURNING account, operator, details, made_at, ends_at",
        &[token.into(), kind.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let taken = ChallengeRow {
        kind: kind.to_owned(),
        owner: OwnerKey { account: AccountId(row.int(0)?), operator: row.int(1)? },
        details: row.text(2)?.to_owned(),
        made_at: Timestamp::from_millis(row.int(3)?),
        ends_at: Timestamp::from_millis(row.int(4)?),
    };
    Ok((now < taken.ends_at).then_some(taken))
}

/// All that wait for an account are void: what it logs in by has changed.
pub fn forget(tx: &mut Tx<'_>, account: AccountId) -> Result<u64, RowsError> {
    tx.execute("DELETE FROM login_challenge WHERE account = $1", &[account.0.into()])
}

pub fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, RowsError> {
    tx.execute("DELETE FROM login_challenge WHERE ends_at <= $1", &[now.millis().into()])
}
