//! Rows of generated mail-program passwords; none of them can be turned back into its password.

use super::StoreError;
use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// The registry gives the words their meaning.
#[derive(Clone, Debug)]
pub struct AppPasswordRow {
    pub account: AccountId,
    pub id: String,
    pub name: String,
    pub opening: Option<String>,
    /// Words, a space between: the doors it is for.
    pub scopes: String,
    /// Argon2id's text.
    pub verifier: String,
    pub salt: Vec<u8>,
    pub iterations: u32,
    /// `trust::scram::Verifier`, sealed.
    pub scram: Vec<u8>,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

pub fn add(tx: &mut Tx<'_>, new: &AppPasswordRow) -> Result<(), StoreError> {
    let added = tx.execute(
        "INSERT INTO app_password (account, id, name, opening, verifier, salt, iterations, scram,
                                   created_at, scopes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (account, id) DO NOTHING",
        &[
            new.account.0.into(),
            (&new.id).into(),
            (&new.name).into(),
            new.opening.as_deref().into(),
            (&new.verifier).into(),
            (&new.salt).into(),
            i64::from(new.iterations).into(),
            (&new.scram).into(),
            new.created_at.millis().into(),
            (&new.scopes).into(),
        ],
    )?;
    match added {
        1 => Ok(()),
        _ => Err(StoreError::Exists(new.id.clone())),
    }
}

pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &str,
) -> Result<Option<AppPasswordRow>, RowsError> {
    let row = tx.first(
        "SELECT account, id, name, opening, verifier, salt, iterations, scram, created_at, used_at,
                scopes
         FROM app_password WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    row.as_ref().map(app_password).transpose()
}

/// Whether there is one at all.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, RowsError> {
    let row = tx.first(
        "SELECT account FROM app_password WHERE account >= $1 ORDER BY account LIMIT 1",
        &[0.into()],
    )?;
    Ok(row.is_some())
}

/// All of an account, the oldest first.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<AppPasswordRow>, RowsError> {
    let rows = tx.query(
        "SELECT account, id, name, opening, verifier, salt, iterations, scram, created_at, used_at,
                scopes
         FROM app_password WHERE account = $1 ORDER BY created_at, id",
        &[account.0.into()],
    )?;
    rows.iter().map(app_password).collect()
}

pub fn used(tx: &mut Tx<'_>, account: AccountId, id: &str, at: Timestamp) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE app_password SET used_at = $1 WHERE account = $2 AND id = $3",
        &[at.millis().into(), account.0.into(), id.into()],
    )?;
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, account: AccountId, id: &str) -> Result<bool, RowsError> {
    let removed = tx.execute(
        "DELETE FROM app_password WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    // Whoever came in by it hears at once that it is gone.
    super::accounts::wake(tx, account)?;
    Ok(removed == 1)
}

fn app_password(row: &Row) -> Result<AppPasswordRow, RowsError> {
    Ok(AppPasswordRow {
        account: AccountId(row.int(0)?),
        id: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        opening: row.opt_text(3)?.map(str::to_owned),
        verifier: row.text(4)?.to_owned(),
        salt: row.bytes(5)?.to_vec(),
        iterations: u32::try_from(row.int(6)?).map_err(|_| RowsError::Stored("iterations"))?,
        scram: row.bytes(7)?.to_vec(),
        created_at: Timestamp::from_millis(row.int(8)?),
        used_at: row.opt_int(9)?.map(Timestamp::from_millis),
        scopes: row.text(10)?.to_owned(),
    })
}
