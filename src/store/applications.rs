//! Rows of applications for accounts.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{ApplicationId, KepDomain, Timestamp};

#[derive(Clone, Debug)]
pub struct ApplicationRow {
    pub id: ApplicationId,
    pub address: String,
    pub lookalike: String,
    /// Of the holder.
    pub identity: String,
    pub stage: String,
    /// Whether nobody else gets the address.
    pub holds: bool,
    /// JSON.
    pub wish: String,
    /// JSON.
    pub state: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// `None` when another application has the address; the number in the row counts for nothing.
pub fn add(tx: &mut Tx<'_>, row: &ApplicationRow) -> Result<Option<ApplicationId>, RowsError> {
    let made = tx.first(
        "INSERT INTO application (address, lookalike, identity, stage, holds, wish, state, created_at,
                                  changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING RETURNING id",
        &[
            (&row.address).into(),
            (&row.lookalike).into(),
            (&row.identity).into(),
            (&row.stage).into(),
            row.holds.into(),
            (&row.wish).into(),
            (&row.state).into(),
            row.created_at.millis().into(),
        ],
    )?;
    made.map(|row| Ok(ApplicationId(row.int(0)?))).transpose()
}

/// Locks the row until the end of the transaction, where several processes share the rows.
pub fn lock(tx: &mut Tx<'_>, id: ApplicationId) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("UPDATE application SET stage = stage WHERE id = $1", &[id.0.into()])?;
    }
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Option<ApplicationRow>, RowsError> {
    let row = tx.first(
        "SELECT id, address, lookalike, identity, stage, holds, wish, state, created_at, changed_at
         FROM application WHERE id = $1",
        &[id.0.into()],
    )?;
    row.as_ref().map(application).transpose()
}

/// Of one stage, the newest first; before this number, where one is given.
pub fn of_stage(
    tx: &mut Tx<'_>,
    stage: &str,
    before: Option<ApplicationId>,
    most: usize,
) -> Result<Vec<ApplicationRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, lookalike, identity, stage, holds, wish, state, created_at, changed_at
         FROM application WHERE stage = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        &[stage.into(), before.map_or(i64::MAX, |id| id.0).into(), (most as i64).into()],
    )?;
    rows.iter().map(application).collect()
}

pub fn list(
    tx: &mut Tx<'_>,
    before: Option<ApplicationId>,
    most: usize,
) -> Result<Vec<ApplicationRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, lookalike, identity, stage, holds, wish, state, created_at, changed_at
         FROM application WHERE id < $1 ORDER BY id DESC LIMIT $2",
        &[before.map_or(i64::MAX, |id| id.0).into(), (most as i64).into()],
    )?;
    rows.iter().map(application).collect()
}

/// Those for addresses in that domain itself which are not decided.
pub fn under_way(tx: &mut Tx<'_>, domain: &KepDomain) -> Result<Vec<ApplicationId>, RowsError> {
    let rows = tx.query(
        "SELECT id FROM application
         WHERE holds = 1 AND stage <> 'refused' AND address LIKE $1 ORDER BY id",
        &[(&format!("%@{domain}")).into()],
    )?;
    rows.iter().map(|row| Ok(ApplicationId(row.int(0)?))).collect()
}

/// All that can change: its stage, whether it holds its address, its papers, its state.
pub fn change(tx: &mut Tx<'_>, row: &ApplicationRow) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE application SET stage = $1, holds = $2, wish = $3, state = $4, changed_at = $5
         WHERE id = $6",
        &[
            (&row.stage).into(),
            row.holds.into(),
            (&row.wish).into(),
            (&row.state).into(),
            row.changed_at.millis().into(),
            row.id.0.into(),
        ],
    )?;
    Ok(())
}

fn application(row: &Row) -> Result<ApplicationRow, RowsError> {
    Ok(ApplicationRow {
        id: ApplicationId(row.int(0)?),
        address: row.text(1)?.to_owned(),
        lookalike: row.text(2)?.to_owned(),
        identity: row.text(3)?.to_owned(),
        stage: row.text(4)?.to_owned(),
        holds: row.int(5)? == 1,
        wish: row.text(6)?.to_owned(),
        state: row.text(7)?.to_owned(),
        created_at: Timestamp::from_millis(row.int(8)?),
        changed_at: Timestamp::from_millis(row.int(9)?),
    })
}
