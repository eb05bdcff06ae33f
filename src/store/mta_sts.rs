//! Rows of the policies of other providers (MTA-STS): the last one of each that was fetched.

use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;
use crate::wire::mta_sts::{Mode, Policy};

/// A policy as it was fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// What the domain's record called it then.
    pub id: String,
    pub policy: Policy,
    pub fetched_at: Timestamp,
}

/// Keeps a policy, in the place of the one before.
pub fn put(tx: &mut Tx<'_>, domain: &str, kept: &Kept) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO mta_sts (domain, id, mode, mx, max_age, fetched_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (domain) DO UPDATE SET id = excluded.id, mode = excluded.mode,
             mx = excluded.mx, max_age = excluded.max_age, fetched_at = excluded.fetched_at",
        &[
            domain.into(),
            (&kept.id).into(),
            kept.policy.mode.word().into(),
            (&kept.policy.mx.join(" ")).into(),
            i64::from(kept.policy.max_age).into(),
            kept.fetched_at.millis().into(),
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, domain: &str) -> Result<Option<Kept>, RowsError> {
    let row = tx.first(
        "SELECT id, mode, mx, max_age, fetched_at FROM mta_sts WHERE domain = $1",
        &[domain.into()],
    )?;
    row.as_ref().map(kept).transpose()
}

fn kept(row: &Row) -> Result<Kept, RowsError> {
    let stored = || RowsError::Stored("a policy");
    Ok(Kept {
        id: row.text(0)?.to_owned(),
        policy: Policy {
            mode: Mode::parse(row.text(1)?).ok_or_else(stored)?,
            mx: row.text(2)?.split_ascii_whitespace().map(str::to_owned).collect(),
            max_age: row.int(3)?.try_into().map_err(|_| stored())?,
        },
        fetched_at: Timestamp::from_millis(row.int(4)?),
    })
}
