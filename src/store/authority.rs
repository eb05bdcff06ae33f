//! Rows of authorities' requests, and of what was handed out for them.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Digest, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestRow {
    pub id: i64,
    pub authority: String,
    pub file_number: String,
    pub legal_basis: String,
    pub account: AccountId,
    pub address: String,
    pub scope: String,
    pub from: Timestamp,
    pub until: Timestamp,
    pub certificate: Vec<u8>,
    pub note: String,
    pub entered_by: String,
    pub entered_at: Timestamp,
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub decision: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportRow {
    pub request: i64,
    pub by: String,
    pub at: Timestamp,
    /// Of the archive in clear.
    pub digest: Digest,
    pub sealed_digest: Digest,
    pub stamped_at: Timestamp,
    pub mails: u64,
    pub evidence: u64,
}

/// Adds one that is entered; its number.
pub fn enter(tx: &mut Tx<'_>, new: &RequestRow) -> Result<i64, RowsError> {
    let row = tx.one(
        "authority request",
        "INSERT INTO authority_request (authority, file_number, legal_basis, account, scope, from_at,
                                        until_at, certificate, note, entered_by, entered_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        &[
            (&new.authority).into(),
            (&new.file_number).into(),
            (&new.legal_basis).into(),
            new.account.0.into(),
            (&new.scope).into(),
            new.from.millis().into(),
            new.until.millis().into(),
            (&new.certificate).into(),
            (&new.note).into(),
            (&new.entered_by).into(),
            new.entered_at.millis().into(),
            (&new.state).into(),
        ],
    )?;
    row.int(0)
}

/// Decides one that nobody decided yet, by another than who entered it; says whether it was.
pub fn decide(
    tx: &mut Tx<'_>,
    id: i64,
    state: &str,
    (by, at): (&str, Timestamp),
    decision: &str,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE authority_request SET state = $1, decided_by = $2, decided_at = $3, decision = $4
         WHERE id = $5 AND state = 'entered' AND entered_by <> $2",
        &[state.into(), by.into(), at.millis().into(), decision.into(), id.into()],
    )?;
    Ok(changed == 1)
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<RequestRow>, RowsError> {
    let row = tx.first(
        "SELECT r.id, r.authority, r.file_number, r.legal_basis, r.account, a.address, r.scope,
                r.from_at, r.until_at, r.certificate, r.note, r.entered_by, r.entered_at, r.state,
                r.decided_by, r.decided_at, r.decision
         FROM authority_request r JOIN account a ON a.id = r.account
         WHERE r.id = $1",
        &[id.into()],
    )?;
    row.as_ref().map(request).transpose()
}

/// The newest first, before this number where one is given.
pub fn page(
    tx: &mut Tx<'_>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<RequestRow>, RowsError> {
    let rows = tx.query(
        "SELECT r.id, r.authority, r.file_number, r.legal_basis, r.account, a.address, r.scope,
                r.from_at, r.until_at, r.certificate, r.note, r.entered_by, r.entered_at, r.state,
                r.decided_by, r.decided_at, r.decision
         FROM authority_request r JOIN account a ON a.id = r.account
         WHERE r.id < $1 ORDER BY r.id DESC LIMIT $2",
        &[before.unwrap_or(i64::MAX).into(), (most as i64).into()],
    )?;
    rows.iter().map(request).collect()
}

pub fn add_export(tx: &mut Tx<'_>, new: &ExportRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO authority_export (request, exported_by, exported_at, digest, sealed_digest,
                                       stamped_at, mails, evidence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            new.request.into(),
            (&new.by).into(),
            new.at.millis().into(),
            (&new.digest.0[..]).into(),
            (&new.sealed_digest.0[..]).into(),
            new.stamped_at.millis().into(),
            (new.mails as i64).into(),
            (new.evidence as i64).into(),
        ],
    )?;
    Ok(())
}

/// What was handed out for a request, the first time first.
pub fn exports(tx: &mut Tx<'_>, request: i64) -> Result<Vec<ExportRow>, RowsError> {
    let rows = tx.query(
        "SELECT exported_by, exported_at, digest, sealed_digest, stamped_at, mails, evidence
         FROM authority_export WHERE request = $1 ORDER BY id",
        &[request.into()],
    )?;
    let digest = |row: &Row, at| {
        Digest::from_slice(row.bytes(at)?).ok_or(RowsError::Stored("a digest of an export"))
    };
    let export = |row: &Row| {
        Ok(ExportRow {
            request,
            by: row.text(0)?.to_owned(),
            at: Timestamp::from_millis(row.int(1)?),
            digest: digest(row, 2)?,
            sealed_digest: digest(row, 3)?,
            stamped_at: Timestamp::from_millis(row.int(4)?),
            mails: row.int(5)? as u64,
            evidence: row.int(6)? as u64,
        })
    };
    rows.iter().map(export).collect()
}

fn request(row: &Row) -> Result<RequestRow, RowsError> {
    let text = |at| Ok::<_, RowsError>(row.text(at)?.to_owned());
    Ok(RequestRow {
        id: row.int(0)?,
        authority: text(1)?,
        file_number: text(2)?,
        legal_basis: text(3)?,
        account: AccountId(row.int(4)?),
        address: text(5)?,
        scope: text(6)?,
        from: Timestamp::from_millis(row.int(7)?),
        until: Timestamp::from_millis(row.int(8)?),
        certificate: row.bytes(9)?.to_vec(),
        note: text(10)?,
        entered_by: text(11)?,
        entered_at: Timestamp::from_millis(row.int(12)?),
        state: text(13)?,
        decided_by: row.opt_text(14)?.map(str::to_owned),
        decided_at: row.opt_int(15)?.map(Timestamp::from_millis),
        decision: row.opt_text(16)?.map(str::to_owned),
    })
}
