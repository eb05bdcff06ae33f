//! What belongs to one account, page by page, for its holder.

use super::evidence::{self, EvidenceRow, Wanted};
use super::mail::Kind;
use super::mail::view::Mailbox;
use super::rows::{Row, RowsError, Tx};
use super::submissions;
use crate::wire::{AccountId, ContentId, MessageId, Timestamp};

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub struct Stored {
    pub uid: i64,
    pub kind: Kind,
    pub content: ContentId,
    pub size: u64,
    pub internal_date: Timestamp,
    /// Since when it is there.
    pub saved_at: Timestamp,
    pub message_id: Option<MessageId>,
    /// The outermost header.
    pub header: Vec<u8>,
}

/// Messages behind a UID, by UID.
pub fn messages(
    tx: &mut Tx<'_>,
    mailbox: &Mailbox,
    after: i64,
    limit: i64,
) -> Result<Vec<Stored>, RowsError> {
    let rows = tx.query(
        "SELECT m.uid, m.kind, m.content, m.size, m.internal_date, m.message_id, o.header, m.saved_at
         FROM message m LEFT JOIN outline o ON o.content = m.content
         WHERE m.mailbox = $1 AND m.uid > $2 ORDER BY m.uid LIMIT $3",
        &[mailbox.id.0.into(), after.into(), limit.into()],
    )?;
    rows.iter().map(stored).collect()
}

/// Messages that are kept back of an account, behind a mailbox and a UID, each with its mailbox.
pub fn held_back(
    tx: &mut Tx<'_>,
    account: AccountId,
    (mailbox, uid): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, Stored)>, RowsError> {
    let rows = tx.query(
        "SELECT b.uid, b.kind, b.content, b.size, b.internal_date, b.message_id, o.header,
                b.internal_date, b.mailbox
         FROM held_back b LEFT JOIN outline o ON o.content = b.content
         WHERE b.account = $1 AND (b.mailbox > $2 OR (b.mailbox = $2 AND b.uid > $3))
         ORDER BY b.mailbox, b.uid LIMIT $4",
        &[account.0.into(), mailbox.into(), uid.into(), limit.into()],
    )?;
    rows.iter().map(|row| Ok((row.int(8)?, stored(row)?))).collect()
}

fn stored(row: &Row) -> Result<Stored, RowsError> {
    Ok(Stored {
        uid: row.int(0)?,
        kind: Kind::parse(row.text(1)?)?,
        content: ContentId(row.int(2)?),
        size: row.int(3)? as u64,
        internal_date: Timestamp::from_millis(row.int(4)?),
        message_id: row.opt_text(5)?.map(submissions::message_id).transpose()?,
        header: if row.is_null(6) { Vec::new() } else { row.bytes(6)?.to_vec() },
        saved_at: Timestamp::from_millis(row.int(7)?),
    })
}

/// Whether anything of anybody's is this content still.
pub fn is_held(tx: &mut Tx<'_>, content: ContentId) -> Result<bool, RowsError> {
    let row = tx.first(
        "SELECT 1 FROM message WHERE content = $1
         UNION ALL SELECT 1 FROM held_back WHERE content = $1 LIMIT 1",
        &[content.0.into()],
    )?;
    Ok(row.is_some())
}

/// An evidence with what validates it.
#[derive(Clone, Debug)]
pub struct Proof {
    pub row: EvidenceRow,
    /// The same in further dialects.
    pub forms: Vec<EvidenceRow>,
    pub material: Vec<(String, Vec<u8>)>,
}

/// Evidence that an account may have, since then, the newest first, behind a moment and an identifier.
pub fn proofs(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Timestamp,
    before: (Timestamp, &str),
    limit: usize,
) -> Result<Vec<Proof>, RowsError> {
    let wanted = Wanted { since: Some(since), ..Wanted::default() };
    let mut found = Vec::new();
    for row in evidence::seen(tx, account, wanted, before, limit)? {
        let forms = evidence::forms(tx, &row.id)?.iter().map(|form| row.in_form(form)).collect();
        let material = evidence::material(tx, &row.id)?;
        found.push(Proof { forms, material, row });
    }
    Ok(found)
}
