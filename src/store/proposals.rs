//! Rows of what one of the staff proposes and another one decides.

use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposalRow {
    pub id: i64,
    /// The address or number that it is about.
    pub subject: String,
    /// JSON.
    pub act: String,
    pub proposed_by: String,
    pub proposed_at: Timestamp,
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub reason: Option<String>,
    /// What came of it: the number of a hold.
    pub made: Option<i64>,
}

/// Adds one that is open; its number.
pub fn add(
    tx: &mut Tx<'_>,
    subject: &str,
    act: &str,
    (by, at): (&str, Timestamp),
) -> Result<i64, RowsError> {
    let row = tx.one(
        "proposal",
        "INSERT INTO proposal (subject, act, proposed_by, proposed_at, state)
         VALUES ($1, $2, $3, $4, 'open') RETURNING id",
        &[subject.into(), act.into(), by.into(), at.millis().into()],
    )?;
    row.int(0)
}

/// Decides an open one; says whether it was open. Two who decide at the same time wait here for each other.
pub fn decide(
    tx: &mut Tx<'_>,
    id: i64,
    state: &str,
    (by, at): (&str, Timestamp),
    reason: Option<&str>,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE proposal SET state = $1, decided_by = $2, decided_at = $3, reason = $4
         WHERE id = $5 AND state = 'open'",
        &[state.into(), by.into(), at.millis().into(), reason.into(), id.into()],
    )?;
    Ok(changed == 1)
}

pub fn set_made(tx: &mut Tx<'_>, id: i64, made: i64) -> Result<(), RowsError> {
    tx.execute("UPDATE proposal SET made = $1 WHERE id = $2", &[made.into(), id.into()])?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<ProposalRow>, RowsError> {
    let row = tx.first(
        "SELECT id, subject, act, proposed_by, proposed_at, state, decided_by, decided_at, reason, made
         FROM proposal WHERE id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(proposal).transpose()
}

/// Of one state or of all, the newest first; before this number, where one is given.
pub fn page(
    tx: &mut Tx<'_>,
    state: Option<&str>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<ProposalRow>, RowsError> {
    let (before, most) = (before.unwrap_or(i64::MAX), most as i64);
    let rows = match state {
        Some(state) => tx.query(
            "SELECT id, subject, act, proposed_by, proposed_at, state, decided_by, decided_at, reason,
                    made
             FROM proposal WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &[state.into(), before.into(), most.into()],
        )?,
        None => tx.query(
            "SELECT id, subject, act, proposed_by, proposed_at, state, decided_by, decided_at, reason,
                    made
             FROM proposal WHERE id < $1 ORDER BY id DESC LIMIT $2",
            &[before.into(), most.into()],
        )?,
    };
    rows.iter().map(proposal).collect()
}

fn proposal(row: &Row) -> Result<ProposalRow, RowsError> {
    let text = |at| Ok::<_, RowsError>(row.text(at)?.to_owned());
    Ok(ProposalRow {
        id: row.int(0)?,
        subject: text(1)?,
        act: text(2)?,
        proposed_by: text(3)?,
        proposed_at: Timestamp::from_millis(row.int(4)?),
        state: text(5)?,
        decided_by: row.opt_text(6)?.map(str::to_owned),
        decided_at: row.opt_int(7)?.map(Timestamp::from_millis),
        reason: row.opt_text(8)?.map(str::to_owned),
        made: row.opt_int(9)?,
    })
}
