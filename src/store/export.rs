//! What belongs to one account, page by page, for its holder.

use super::evidence::{self, EvidenceRow, Wanted};
use super::mail::Kind;
use super::mail::view::{self, Mailbox};
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
    /// Since when it is where it is; of what is kept back nobody knows.
    pub saved_at: Option<Timestamp>,
    /// When the message that it belongs to was accepted, sealed, and delivered to the account.
    pub way: Vec<Timestamp>,
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
        "SELECT m.uid, m.kind, m.content, m.size, m.internal_date, m.message_id, o.header, m.saved_at,
                (SELECT s.accepted_at FROM submission s
                 WHERE s.message_id = m.message_id AND s.account = $1),
                (SELECT MIN(e.event_time) FROM evidence e
                 WHERE e.message_id = m.message_id AND e.event = 'submission-acceptance'),
                (SELECT MIN(r.delivered_at) FROM recipient r
                 WHERE r.message_id = m.message_id AND r.account = $1)
         FROM message m LEFT JOIN outline o ON o.content = m.content
         WHERE m.mailbox = $2 AND m.uid > $3 ORDER BY m.uid LIMIT $4",
        &[mailbox.account.0.into(), mailbox.id.0.into(), after.into(), limit.into()],
    )?;
    rows.iter().map(|row| Ok(Stored { way: way(row)?, ..stored(row)? })).collect()
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
                CAST(NULL AS BIGINT),
                (SELECT s.accepted_at FROM submission s
                 WHERE s.message_id = b.message_id AND s.account = $1),
                (SELECT MIN(e.event_time) FROM evidence e
                 WHERE e.message_id = b.message_id AND e.event = 'submission-acceptance'),
                (SELECT MIN(r.delivered_at) FROM recipient r
                 WHERE r.message_id = b.message_id AND r.account = $1),
                b.mailbox
         FROM held_back b LEFT JOIN outline o ON o.content = b.content
         WHERE b.account = $1 AND (b.mailbox > $2 OR (b.mailbox = $2 AND b.uid > $3))
         ORDER BY b.mailbox, b.uid LIMIT $4",
        &[account.0.into(), mailbox.into(), uid.into(), limit.into()],
    )?;
    let held = |row: &Row| Ok((row.int(11)?, Stored { way: way(row)?, ..stored(row)? }));
    rows.iter().map(held).collect()
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
        saved_at: row.opt_int(7)?.map(Timestamp::from_millis),
        way: Vec::new(),
    })
}

fn way(row: &Row) -> Result<Vec<Timestamp>, RowsError> {
    let moments = [8, 9, 10].map(|at| row.opt_int(at));
    let moments = moments.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(moments.into_iter().flatten().map(Timestamp::from_millis).collect())
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

/// Whether an account sent a message (`true`), or was sent it.
pub fn concerns(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &MessageId,
) -> Result<Option<bool>, RowsError> {
    for (sent, sql) in [
        (true, "SELECT message_id FROM submission WHERE account = $1 AND message_id = $2"),
        (false, "SELECT message_id FROM recipient WHERE account = $1 AND message_id = $2 LIMIT 1"),
    ] {
        if tx.first(sql, &[account.0.into(), id.as_str().into()])?.is_some() {
            return Ok(Some(sent));
        }
    }
    Ok(None)
}

/// What an account has of a message in its mailboxes, evidence mails too.
pub fn of_message(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &MessageId,
) -> Result<Vec<(Mailbox, Stored)>, RowsError> {
    let mut found = Vec::new();
    for mailbox in view::mailboxes(tx, account)? {
        if mailbox.role.is_gathered() {
            continue;
        }
        let rows = tx.query(
            "SELECT m.uid, m.kind, m.content, m.size, m.internal_date, m.message_id, o.header,
                    m.saved_at
             FROM message m LEFT JOIN outline o ON o.content = m.content
             WHERE m.mailbox = $1 AND m.message_id = $2 ORDER BY m.uid LIMIT 1000",
            &[mailbox.id.0.into(), id.as_str().into()],
        )?;
        for row in &rows {
            found.push((mailbox.clone(), stored(row)?));
        }
    }
    Ok(found)
}

/// An evidence with what validates it.
#[derive(Clone, Debug)]
pub struct Proof {
    pub row: EvidenceRow,
    /// The same in further dialects.
    pub forms: Vec<EvidenceRow>,
    pub material: Vec<(String, Vec<u8>)>,
}

/// Evidence that an account may have, the newest first, behind a moment and an identifier.
pub fn proofs(
    tx: &mut Tx<'_>,
    account: AccountId,
    wanted: Wanted<'_>,
    before: (Timestamp, &str),
    limit: usize,
) -> Result<Vec<Proof>, RowsError> {
    let mut found = Vec::new();
    for row in evidence::seen(tx, account, wanted, before, limit)? {
        let forms = evidence::forms(tx, &row.id)?.iter().map(|form| row.in_form(form)).collect();
        let material = evidence::material(tx, &row.id)?;
        found.push(Proof { forms, material, row });
    }
    Ok(found)
}
