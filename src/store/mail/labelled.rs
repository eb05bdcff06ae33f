//! Which keywords the messages of a mailbox have, and which messages have one.

use super::view::Mailbox;
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::{Keyword, Keywords, Uid, UidSet, Union};

/// All keywords in use in a mailbox.
pub fn keywords(tx: &mut Tx<'_>, of: &Mailbox) -> Result<Keywords, RowsError> {
    let mut all = Union::default();
    tx.visit(
        "SELECT DISTINCT keywords FROM message WHERE mailbox = $1 AND keywords <> ''",
        &[of.id.0.into()],
        &mut |row| {
            all.add(&row.text(0)?);
            Ok(true)
        },
    )?;
    Ok(all.keywords())
}

/// Up to `most` messages behind `after` that have the keyword, in whatever case.
pub fn bearing(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    keyword: &Keyword,
    after: Uid,
    most: usize,
) -> Result<UidSet, RowsError> {
    let rows = tx.query(
        "SELECT uid FROM message WHERE mailbox = $1 AND uid > $2 AND keywords <> ''
         AND ' ' || LOWER(keywords) || ' ' LIKE $3 ESCAPE '!' ORDER BY uid LIMIT $4",
        &[
            of.id.0.into(),
            i64::from(after).into(),
            (&pattern(keyword)).into(),
            (most as i64).into(),
        ],
    )?;
    rows.iter().map(|row| super::view::uid(row, 0)).collect()
}

/// The keyword between its spaces, as LIKE reads it.
pub(super) fn pattern(keyword: &Keyword) -> String {
    let mut pattern = "% ".to_owned();
    for c in keyword.as_str().to_ascii_lowercase().chars() {
        if matches!(c, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + " %"
}
