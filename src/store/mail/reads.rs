//! Which operators were given which contents. A copy has the content of what it was made of.

use crate::store::contents;
use crate::store::rows::{Param, RowsError, Tx};
use crate::wire::{AccountId, ContentId, OperatorCode};

/// Who is given contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader {
    pub account: AccountId,
    pub operator: OperatorCode,
}

/// Where a message's outermost header ends, and whether that operator was given its content before.
pub fn look(tx: &mut Tx<'_>, reader: Reader, content: ContentId) -> Result<(u64, bool), RowsError> {
    let row = tx.first(
        "SELECT CAST(length(o.header) AS BIGINT), r.operator FROM outline o
         LEFT JOIN operator_read r ON r.content = o.content AND r.account = $1 AND r.operator = $2
         WHERE o.content = $3",
        &[reader.account.0.into(), reader.operator.number().into(), content.0.into()],
    )?;
    match row {
        Some(row) => Ok((row.int(0)? as u64, row.opt_int(1)?.is_some())),
        None => Ok((0, false)),
    }
}

pub fn has(tx: &mut Tx<'_>, reader: Reader, content: ContentId) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM operator_read WHERE content = $1 AND account = $2 AND operator = $3";
    Ok(tx.first(sql, &key(reader, content))?.is_some())
}

/// From now on he was given it; false when he was before. What is gone by now, which nobody is given again,
/// leaves no row.
pub fn add(tx: &mut Tx<'_>, reader: Reader, content: ContentId) -> Result<bool, RowsError> {
    if !contents::stays(tx, content)? {
        return Ok(true);
    }
    let added = tx.execute(
        "INSERT INTO operator_read (content, account, operator) VALUES ($1, $2, $3)
         ON CONFLICT (content, account, operator) DO NOTHING",
        &key(reader, content),
    )?;
    Ok(added == 1)
}

/// A content is gone, and who was given it.
pub(super) fn forget(tx: &mut Tx<'_>, content: ContentId) -> Result<(), RowsError> {
    tx.execute("DELETE FROM operator_read WHERE content = $1", &[content.0.into()])?;
    Ok(())
}

fn key(reader: Reader, content: ContentId) -> [Param<'static>; 3] {
    [content.0.into(), reader.account.0.into(), reader.operator.number().into()]
}
