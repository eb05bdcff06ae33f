//! Rows of the provider's own people.

use super::rows::{Row, RowsError, Tx};
use crate::wire::Timestamp;

/// One of the provider's people; the registry gives the words their meaning.
#[derive(Clone, Debug)]
pub struct StaffRow {
    pub name: String,
    pub display: String,
    /// Words, a space between.
    pub roles: String,
    /// Argon2id.
    pub password: String,
    /// Another one set it, and knows it.
    pub given: bool,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// False when the name was given before.
pub fn add(tx: &mut Tx<'_>, row: &StaffRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO staff (name, display, roles, password, password_given, added_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name) DO NOTHING",
        &[
            (&row.name).into(),
            (&row.display).into(),
            (&row.roles).into(),
            (&row.password).into(),
            i64::from(row.given).into(),
            row.added_at.millis().into(),
        ],
    )?;
    Ok(added == 1)
}

pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<StaffRow>, RowsError> {
    let sql = "SELECT name, display, roles, password, added_at, ended_at, password_given
               FROM staff WHERE name = $1";
    tx.first(sql, &[name.into()])?.as_ref().map(staff).transpose()
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<StaffRow>, RowsError> {
    let sql = "SELECT name, display, roles, password, added_at, ended_at, password_given
               FROM staff ORDER BY name";
    tx.query(sql, &[])?.iter().map(staff).collect()
}

/// Where several processes share the rows, nobody else changes who is staff until this transaction ends.
pub fn lock(tx: &mut Tx<'_>) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("LOCK TABLE staff IN SHARE ROW EXCLUSIVE MODE", &[])?;
    }
    Ok(())
}

pub fn set_password(
    tx: &mut Tx<'_>,
    name: &str,
    password: &str,
    given: bool,
) -> Result<bool, RowsError> {
    let values = [password.into(), i64::from(given).into(), name.into()];
    let sql = "UPDATE staff SET password = $1, password_given = $2 WHERE name = $3";
    Ok(tx.execute(sql, &values)? == 1)
}

pub fn set_roles(tx: &mut Tx<'_>, name: &str, roles: &str) -> Result<bool, RowsError> {
    let values = [roles.into(), name.into()];
    Ok(tx.execute("UPDATE staff SET roles = $1 WHERE name = $2", &values)? == 1)
}

/// Ends; false when nobody of that name is staff any more.
pub fn set_end(tx: &mut Tx<'_>, name: &str, at: Timestamp) -> Result<bool, RowsError> {
    let sql = "UPDATE staff SET ended_at = $1 WHERE name = $2 AND ended_at IS NULL";
    Ok(tx.execute(sql, &[at.millis().into(), name.into()])? == 1)
}

fn staff(row: &Row) -> Result<StaffRow, RowsError> {
    Ok(StaffRow {
        name: row.text(0)?.to_owned(),
        display: row.text(1)?.to_owned(),
        roles: row.text(2)?.to_owned(),
        password: row.text(3)?.to_owned(),
        given: row.int(6)? == 1,
        added_at: Timestamp::from_millis(row.int(4)?),
        ended_at: row.opt_int(5)?.map(Timestamp::from_millis),
    })
}
