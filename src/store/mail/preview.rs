//! The first words of messages, kept beside what else follows from a content once somebody asked.

use super::Kind;
use super::view::Mailbox;
use crate::store::rows::{RowsError, Tx};
use crate::wire::ContentId;
use crate::wire::imap::{Uid, UidSet};

/// A message that may be previewed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Previewed {
    pub uid: Uid,
    pub kind: Kind,
    pub content: ContentId,
    pub size: u64,
    /// When it was made already.
    pub text: Option<String>,
}

/// Those of `uids` that are there.
pub fn previews(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<Vec<Previewed>, RowsError> {
    let mut found = Vec::new();
    for &(first, last) in uids.ranges() {
        let rows = tx.query(
            "SELECT m.uid, m.kind, m.content, m.size, o.preview
             FROM message m JOIN outline o ON o.content = m.content
             WHERE m.mailbox = $1 AND m.uid BETWEEN $2 AND $3 ORDER BY m.uid",
            &[of.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        for row in &rows {
            found.push(Previewed {
                uid: super::view::uid(row, 0)?,
                kind: Kind::parse(row.text(1)?)?,
                content: ContentId(row.int(2)?),
                size: row.int(3)? as u64,
                text: row.opt_text(4)?.map(str::to_owned),
            });
        }
    }
    Ok(found)
}

/// Keeps what was made; of a content that is gone nothing.
pub fn keep(tx: &mut Tx<'_>, content: ContentId, text: &str) -> Result<(), RowsError> {
    let sql = "UPDATE outline SET preview = $1 WHERE content = $2";
    tx.execute(sql, &[text.into(), content.0.into()])?;
    Ok(())
}
