//! Rows of API tokens, which can't be turned back into their tokens, and of what requests that name
//! themselves were answered.

use super::StoreError;
use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// The registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRow {
    pub id: String,
    pub account: Option<AccountId>,
    /// 0: the account's holder.
    pub operator: i64,
    pub staff: Option<String>,
    pub name: String,
    /// Between single spaces.
    pub scopes: String,
    pub digest: Vec<u8>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

pub fn add(tx: &mut Tx<'_>, new: &TokenRow) -> Result<(), StoreError> {
    let added = tx.execute(
        "INSERT INTO api_token
             (id, account, staff, name, scopes, digest, created_at, expires_at, operator)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        &[
            (&new.id).into(),
            new.account.map(|account| account.0).into(),
            new.staff.as_deref().into(),
            (&new.name).into(),
            (&new.scopes).into(),
            (&new.digest).into(),
            new.created_at.millis().into(),
            new.expires_at.millis().into(),
            new.operator.into(),
        ],
    )?;
    match added {
        1 => Ok(()),
        _ => Err(StoreError::Exists(new.id.clone())),
    }
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<TokenRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, staff, name, scopes, digest, created_at, expires_at, used_at, operator
         FROM api_token WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(token).transpose()
}

/// All of an account, the oldest first; of no account those of the staff.
pub fn of(tx: &mut Tx<'_>, account: Option<AccountId>) -> Result<Vec<TokenRow>, RowsError> {
    let rows = match account {
        Some(account) => tx.query(
            "SELECT id, account, staff, name, scopes, digest, created_at, expires_at, used_at, operator
             FROM api_token WHERE account = $1 ORDER BY created_at, id",
            &[account.0.into()],
        )?,
        None => tx.query(
            "SELECT id, account, staff, name, scopes, digest, created_at, expires_at, used_at, operator
             FROM api_token WHERE account IS NULL ORDER BY created_at, id",
            &[],
        )?,
    };
    rows.iter().map(token).collect()
}

pub fn used(tx: &mut Tx<'_>, id: &str, at: Timestamp) -> Result<(), RowsError> {
    let sql = "UPDATE api_token SET used_at = $1 WHERE id = $2";
    tx.execute(sql, &[at.millis().into(), id.into()])?;
    Ok(())
}

/// Takes a token away, with what it was answered.
pub fn remove(tx: &mut Tx<'_>, id: &str) -> Result<bool, RowsError> {
    tx.execute("DELETE FROM api_reply WHERE token = $1", &[id.into()])?;
    Ok(tx.execute("DELETE FROM api_token WHERE id = $1", &[id.into()])? == 1)
}

fn token(row: &Row) -> Result<TokenRow, RowsError> {
    Ok(TokenRow {
        id: row.text(0)?.to_owned(),
        account: row.opt_int(1)?.map(AccountId),
        staff: row.opt_text(2)?.map(str::to_owned),
        name: row.text(3)?.to_owned(),
        scopes: row.text(4)?.to_owned(),
        digest: row.bytes(5)?.to_vec(),
        created_at: Timestamp::from_millis(row.int(6)?),
        expires_at: Timestamp::from_millis(row.int(7)?),
        used_at: row.opt_int(8)?.map(Timestamp::from_millis),
        operator: row.int(9)?,
    })
}

/// Takes all of an account's operator away, with what they were answered.
pub fn remove_of(tx: &mut Tx<'_>, account: AccountId, operator: i64) -> Result<(), RowsError> {
    let of = [account.0.into(), operator.into()];
    tx.execute(
        "DELETE FROM api_reply WHERE token IN
             (SELECT id FROM api_token WHERE account = $1 AND operator = $2)",
        &of,
    )?;
    tx.execute("DELETE FROM api_token WHERE account = $1 AND operator = $2", &of)?;
    Ok(())
}

/// Takes all of a member of the staff away; how many there were.
pub fn remove_of_staff(tx: &mut Tx<'_>, name: &str) -> Result<u64, RowsError> {
    let of = [name.into()];
    tx.execute(
        "DELETE FROM api_reply WHERE token IN
             (SELECT id FROM api_token WHERE account IS NULL AND staff = $1)",
        &of,
    )?;
    tx.execute("DELETE FROM api_token WHERE account IS NULL AND staff = $1", &of)
}

/// A request by the name that its caller gave it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub token: &'a str,
    pub name: &'a str,
    /// Of all that the request says.
    pub digest: &'a [u8],
}

/// What is known of a named request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known {
    /// It has not been seen, and is begun by this.
    New,
    /// Another one had that name.
    Other,
    /// It is being worked on since then.
    Running(Timestamp),
    Answered(Vec<u8>),
}

/// Begins a named request, unless it is known. Two that do so at once wait for each other. What is
/// older than `since` is forgotten.
pub fn begin(
    tx: &mut Tx<'_>,
    of: Named<'_>,
    now: Timestamp,
    since: Timestamp,
) -> Result<Known, RowsError> {
    tx.execute("DELETE FROM api_reply WHERE at < $1", &[since.millis().into()])?;
    let added = tx.execute(
        "INSERT INTO api_reply (token, name, digest, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (token, name) DO NOTHING",
        &[of.token.into(), of.name.into(), of.digest.into(), now.millis().into()],
    )?;
    if added == 1 {
        return Ok(Known::New);
    }
    let row = tx.one(
        "named request",
        "SELECT digest, at, reply FROM api_reply WHERE token = $1 AND name = $2",
        &[of.token.into(), of.name.into()],
    )?;
    Ok(match row.is_null(2) {
        _ if row.bytes(0)? != of.digest => Known::Other,
        true => Known::Running(Timestamp::from_millis(row.int(1)?)),
        false => Known::Answered(row.bytes(2)?.to_vec()),
    })
}

/// Takes over a request whose worker is gone; says whether this was the one to do so.
pub fn take_over(
    tx: &mut Tx<'_>,
    of: Named<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let taken = tx.execute(
        "UPDATE api_reply SET at = $1 WHERE token = $2 AND name = $3 AND at = $4 AND reply IS NULL",
        &[now.millis().into(), of.token.into(), of.name.into(), since.millis().into()],
    )?;
    Ok(taken == 1)
}

/// Keeps the answer; says whether there was none.
pub fn answered(tx: &mut Tx<'_>, of: Named<'_>, reply: &[u8]) -> Result<bool, RowsError> {
    let kept = tx.execute(
        "UPDATE api_reply SET reply = $1 WHERE token = $2 AND name = $3 AND reply IS NULL",
        &[reply.into(), of.token.into(), of.name.into()],
    )?;
    Ok(kept == 1)
}

/// Forgets a request that came to nothing: it may come again.
pub fn forget(tx: &mut Tx<'_>, of: Named<'_>) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM api_reply WHERE token = $1 AND name = $2 AND reply IS NULL",
        &[of.token.into(), of.name.into()],
    )?;
    Ok(())
}
