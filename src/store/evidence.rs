//! Rows of evidence and of the material that validates it. Nothing here deletes or changes a row.

mod seen;

pub use seen::{Wanted, seen, seen_one, show_to};

use super::StoreError;
use super::blobs::{Blobs, Put};
use super::rows::{Row, RowsError, Tx};
use crate::wire::digest::sha256_of;
use crate::wire::{BlobId, ContentId, Digest, EvidenceId, MessageId, Timestamp};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct NewEvidence {
    pub id: EvidenceId,
    pub message_id: MessageId,
    /// The event's stable name.
    pub event: String,
    /// Empty for evidence about the submission as a whole.
    pub recipient: String,
    pub dialect: &'static str,
    /// `own`, or the domain of the provider that issued it.
    pub origin: String,
    pub event_time: Timestamp,
    pub stamped_at: Timestamp,
    pub stored_at: Timestamp,
    pub xml: Put,
    /// The same in further dialects.
    pub forms: Vec<NewForm>,
    pub material: Vec<Material>,
}

/// An evidence in a further dialect: the same fact under the same identifier, not another evidence.
#[derive(Clone, Debug)]
pub struct NewForm {
    pub dialect: &'static str,
    pub stamped_at: Timestamp,
    pub xml: Put,
}

/// A certificate, CRL or OCSP answer that can't be had later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    pub kind: &'static str,
    pub digest: Digest,
    /// Most evidence has the same: shared.
    pub value: Arc<[u8]>,
}

#[derive(Clone, Debug)]
pub struct EvidenceRow {
    /// Of another provider's evidence with its domain before it: whatever others call theirs, it is
    /// never ours.
    pub id: EvidenceId,
    pub message_id: MessageId,
    pub event: String,
    pub recipient: String,
    pub dialect: String,
    pub origin: String,
    pub event_time: Timestamp,
    pub stamped_at: Timestamp,
    pub xml: BlobId,
}

/// An evidence in a further dialect, as its row has it.
#[derive(Clone, Debug)]
pub struct FormRow {
    pub dialect: String,
    pub stamped_at: Timestamp,
    pub xml: BlobId,
}

/// The origin of what we issue.
pub const OWN: &str = "own";

/// Appends; the same id a second time changes nothing. Says whether it was new.
pub fn append(tx: &mut Tx<'_>, blobs: &Blobs, new: &NewEvidence) -> Result<bool, StoreError> {
    let set = keep_set(tx, &new.material)?;
    let added = tx.execute(
        "INSERT INTO evidence (id, message_id, event, recipient, dialect, origin, event_time,
                               stamped_at, stored_at, xml, material_set)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        &[
            row_id(&new.id, &new.origin).as_str().into(),
            new.message_id.as_str().into(),
            (&new.event).into(),
            (&new.recipient).into(),
            new.dialect.into(),
            (&new.origin).into(),
            new.event_time.millis().into(),
            new.stamped_at.millis().into(),
            new.stored_at.millis().into(),
            (&new.xml.id.0[..]).into(),
            (&set.0[..]).into(),
        ],
    )?;
    if added == 1 {
        blobs.record(tx, &new.xml)?;
        let id = row_id(&new.id, &new.origin);
        for form in &new.forms {
            append_form(tx, blobs, &id, form)?;
        }
        seen::show(tx, &id)?;
    }
    Ok(added == 1)
}

/// The same fact in a further dialect, once.
pub fn append_form(
    tx: &mut Tx<'_>,
    blobs: &Blobs,
    id: &EvidenceId,
    form: &NewForm,
) -> Result<(), StoreError> {
    let added = tx.execute(
        "INSERT INTO evidence_form (evidence, dialect, stamped_at, xml) VALUES ($1, $2, $3, $4)
         ON CONFLICT (evidence, dialect) DO NOTHING",
        &[
            id.as_str().into(),
            form.dialect.into(),
            form.stamped_at.millis().into(),
            (&form.xml.id.0[..]).into(),
        ],
    )?;
    if added == 1 {
        blobs.record(tx, &form.xml)?;
    }
    Ok(())
}

/// The further dialects that an evidence was written in.
pub fn forms(tx: &mut Tx<'_>, id: &EvidenceId) -> Result<Vec<FormRow>, RowsError> {
    let rows = tx.query(
        "SELECT dialect, stamped_at, xml FROM evidence_form WHERE evidence = $1 ORDER BY dialect",
        &[id.as_str().into()],
    )?;
    let form = |row: &Row| {
        Ok(FormRow {
            dialect: row.text(0)?.to_owned(),
            stamped_at: Timestamp::from_millis(row.int(1)?),
            xml: super::submissions::blob_id(row.bytes(2)?)?,
        })
    };
    rows.iter().map(form).collect()
}

/// Keeps the mail in which an evidence goes to another provider.
pub fn keep_mail(tx: &mut Tx<'_>, id: &EvidenceId, content: ContentId) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO evidence_mail (evidence, content) VALUES ($1, $2)
         ON CONFLICT (evidence) DO NOTHING",
        &[id.as_str().into(), content.0.into()],
    )?;
    Ok(())
}

/// The mails in which evidence of a message went to another provider.
pub fn mails(
    tx: &mut Tx<'_>,
    message: &MessageId,
) -> Result<Vec<(EvidenceId, ContentId)>, RowsError> {
    let rows = tx.query(
        "SELECT m.evidence, m.content FROM evidence e JOIN evidence_mail m ON m.evidence = e.id
         WHERE e.message_id = $1 ORDER BY e.event_time, e.stored_at, e.id",
        &[message.as_str().into()],
    )?;
    let mail = |row: &Row| Ok((EvidenceId::from_stored(row.text(0)?), ContentId(row.int(1)?)));
    rows.iter().map(mail).collect()
}

/// The row of an evidence of this identifier, by whom.
pub fn row_id(id: &EvidenceId, origin: &str) -> EvidenceId {
    match origin {
        OWN => id.clone(),
        peer => EvidenceId::from_stored(format!("{peer}/{id}")),
    }
}

impl EvidenceRow {
    /// The same as a further dialect has it.
    pub fn in_form(&self, form: &FormRow) -> Self {
        let FormRow { dialect, stamped_at, xml } = form.clone();
        Self { dialect, stamped_at, xml, ..self.clone() }
    }

    /// What the document calls itself.
    pub fn document_id(&self) -> &str {
        let (id, origin) = (self.id.as_str(), self.origin.as_str());
        id.strip_prefix(origin).and_then(|id| id.strip_prefix('/')).unwrap_or(id)
    }
}

/// Keeps material as a set, named by the digest over its digests; most evidence finds its set there.
pub(super) fn keep_set(tx: &mut Tx<'_>, material: &[Material]) -> Result<Digest, RowsError> {
    // In order, so that two who keep the same at once don't wait for each other.
    let mut pieces: Vec<_> = material.iter().collect();
    pieces.sort_unstable_by_key(|piece| piece.digest);
    pieces.dedup_by_key(|piece| piece.digest);
    let set = sha256_of(pieces.iter().map(|piece| &piece.digest.0[..]));
    let id = (&set.0[..]).into();
    if tx.first("SELECT 1 FROM material_set WHERE id = $1", &[id])?.is_some() {
        return Ok(set);
    }
    for piece in pieces {
        keep(tx, piece)?;
        tx.execute(
            "INSERT INTO material_set (id, digest) VALUES ($1, $2)
             ON CONFLICT (id, digest) DO NOTHING",
            &[id, (&piece.digest.0[..]).into()],
        )?;
    }
    Ok(set)
}

pub fn of_message(tx: &mut Tx<'_>, id: &MessageId) -> Result<Vec<EvidenceRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, message_id, event, recipient, dialect, origin, event_time, stamped_at, xml
         FROM evidence WHERE message_id = $1 ORDER BY event_time, stored_at, id",
        &[id.as_str().into()],
    )?;
    rows.iter().map(from_row).collect()
}

pub fn find(tx: &mut Tx<'_>, id: &EvidenceId) -> Result<Option<EvidenceRow>, RowsError> {
    let row = tx.first(
        "SELECT id, message_id, event, recipient, dialect, origin, event_time, stamped_at, xml
         FROM evidence WHERE id = $1",
        &[id.as_str().into()],
    )?;
    row.as_ref().map(from_row).transpose()
}

/// The newest ones.
pub fn list(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<EvidenceRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, message_id, event, recipient, dialect, origin, event_time, stamped_at, xml
         FROM evidence ORDER BY stored_at DESC, id LIMIT $1",
        &[(limit as i64).into()],
    )?;
    rows.iter().map(from_row).collect()
}

/// All of it, a page at a time, in the order of the identifiers.
pub fn page(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<EvidenceRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, message_id, event, recipient, dialect, origin, event_time, stamped_at, xml
         FROM evidence WHERE id > $1 ORDER BY id LIMIT $2",
        &[after.into(), (limit as i64).into()],
    )?;
    rows.iter().map(from_row).collect()
}

/// How many of a message came from another provider.
pub fn from_peer(tx: &mut Tx<'_>, id: &MessageId, origin: &str) -> Result<u64, RowsError> {
    let sql = "SELECT COUNT(*) FROM evidence WHERE message_id = $1 AND origin = $2";
    Ok(tx.one("count", sql, &[id.as_str().into(), origin.into()])?.int(0)? as u64)
}

pub fn count(tx: &mut Tx<'_>) -> Result<u64, RowsError> {
    Ok(tx.one("count", "SELECT COUNT(*) FROM evidence", &[])?.int(0)? as u64)
}

/// Kind and value of what was kept to validate an evidence.
pub fn material(tx: &mut Tx<'_>, id: &EvidenceId) -> Result<Vec<(String, Vec<u8>)>, RowsError> {
    let rows = tx.query(
        "SELECT m.kind, m.value FROM evidence e JOIN material_set s ON s.id = e.material_set
         JOIN material m ON m.digest = s.digest WHERE e.id = $1 ORDER BY m.kind, m.digest",
        &[id.as_str().into()],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec()))).collect()
}

/// Keeps material on its own; the evidence that it belongs to may come later.
pub fn keep(tx: &mut Tx<'_>, material: &Material) -> Result<(), RowsError> {
    let digest = (&material.digest.0[..]).into();
    if tx.first("SELECT 1 FROM material WHERE digest = $1", &[digest])?.is_none() {
        tx.execute(
            "INSERT INTO material (digest, kind, value) VALUES ($1, $2, $3)
             ON CONFLICT (digest) DO NOTHING",
            &[digest, material.kind.into(), (&material.value[..]).into()],
        )?;
    }
    Ok(())
}

/// Material that was kept before, by digest in hex.
pub fn kept(tx: &mut Tx<'_>, digests: &[String]) -> Result<Vec<Material>, RowsError> {
    let mut found = Vec::with_capacity(digests.len());
    for hex in digests {
        let Some(digest) = Digest::from_hex(hex) else { continue };
        let sql = "SELECT kind, value FROM material WHERE digest = $1";
        let Some(row) = tx.first(sql, &[(&digest.0[..]).into()])? else { continue };
        let kind = match row.text(0)? {
            "certificate" => "certificate",
            "crl" => "crl",
            _ => "ocsp",
        };
        found.push(Material { kind, digest, value: row.bytes(1)?.into() });
    }
    Ok(found)
}

fn from_row(row: &Row) -> Result<EvidenceRow, RowsError> {
    Ok(EvidenceRow {
        id: EvidenceId::from_stored(row.text(0)?),
        message_id: super::submissions::message_id(row.text(1)?)?,
        event: row.text(2)?.to_owned(),
        recipient: row.text(3)?.to_owned(),
        dialect: row.text(4)?.to_owned(),
        origin: row.text(5)?.to_owned(),
        event_time: Timestamp::from_millis(row.int(6)?),
        stamped_at: Timestamp::from_millis(row.int(7)?),
        xml: super::submissions::blob_id(row.bytes(8)?)?,
    })
}
