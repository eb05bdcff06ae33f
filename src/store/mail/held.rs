//! What messages hold: the contents of several, found by one statement.

use super::Kind;
use super::view::{Mailbox, spans, uid};
use crate::store::blobs;
use crate::store::contents::Content;
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::imap::{Uid, UidSet};
use crate::wire::{ContentId, MessageId};

#[derive(Clone, Debug)]
pub struct Held {
    pub uid: Uid,
    pub kind: Kind,
    pub message_id: Option<MessageId>,
    pub number: ContentId,
    pub content: Content,
}

/// Of those messages that are there, ascending.
pub fn held(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<Vec<Held>, RowsError> {
    let mut found = Vec::new();
    for (first, last) in spans(uids) {
        let rows = tx.query(
            "SELECT m.uid, m.kind, m.message_id, b.id, b.segment, b.start, b.stored, b.size,
                    b.digest, b.data_key, m.content
             FROM message m JOIN piece p ON p.content = m.content JOIN blob b ON b.id = p.blob
             WHERE m.mailbox = $1 AND m.uid BETWEEN $2 AND $3 ORDER BY m.uid, p.seq",
            &[of.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        let mut rows = rows.into_iter().peekable();
        while let Some(mut row) = rows.next() {
            let number = uid(&row, 0)?;
            if !uids.contains(number) {
                continue;
            }
            let mut pieces = vec![blobs::from_row(&mut row, 3)?];
            while let Some(mut more) = rows.next_if(|more| uid(more, 0).ok() == Some(number)) {
                pieces.push(blobs::from_row(&mut more, 3)?);
            }
            found.push(one(&row, number, Content::of(pieces))?);
        }
    }
    Ok(found)
}

fn one(row: &Row, uid: Uid, content: Content) -> Result<Held, RowsError> {
    let message_id = row.opt_text(2)?.map(crate::store::submissions::message_id).transpose()?;
    let (kind, number) = (Kind::parse(row.text(1)?)?, ContentId(row.int(10)?));
    Ok(Held { uid, kind, message_id, number, content })
}
