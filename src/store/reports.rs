//! Rows of what servers of other providers report of mail that they took.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{EvidenceId, MessageId, Timestamp};

/// A server's word about one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportRow {
    pub message_id: MessageId,
    /// Of the mail of an evidence: which.
    pub evidence: Option<EvidenceId>,
    pub provider: String,
    pub recipient: String,
    pub action: String,
    pub status: String,
    pub diagnostic: String,
    pub received_at: Timestamp,
}

/// Keeps it; the same a second time changes nothing. Says whether it was new.
pub fn keep(tx: &mut Tx<'_>, row: &ReportRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO report (message_id, evidence, provider, recipient, action, status, diagnostic,
                             received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (message_id, evidence, provider, recipient, action, status) DO NOTHING",
        &[
            row.message_id.as_str().into(),
            row.evidence.as_ref().map_or("", EvidenceId::as_str).into(),
            (&row.provider).into(),
            (&row.recipient).into(),
            (&row.action).into(),
            (&row.status).into(),
            (&row.diagnostic).into(),
            row.received_at.millis().into(),
        ],
    )?;
    Ok(added == 1)
}

pub fn of_message(tx: &mut Tx<'_>, id: &MessageId) -> Result<Vec<ReportRow>, RowsError> {
    let rows = tx.query(
        "SELECT message_id, evidence, provider, recipient, action, status, diagnostic, received_at
         FROM report WHERE message_id = $1 ORDER BY received_at, id",
        &[id.as_str().into()],
    )?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<ReportRow, RowsError> {
    let evidence = Some(row.text(1)?).filter(|id| !id.is_empty());
    Ok(ReportRow {
        message_id: super::submissions::message_id(row.text(0)?)?,
        evidence: evidence.map(EvidenceId::from_stored),
        provider: row.text(2)?.to_owned(),
        recipient: row.text(3)?.to_owned(),
        action: row.text(4)?.to_owned(),
        status: row.text(5)?.to_owned(),
        diagnostic: row.text(6)?.to_owned(),
        received_at: Timestamp::from_millis(row.int(7)?),
    })
}
