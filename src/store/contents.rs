//! Contents: what one or several blobs make together, so that sender, dispatch and recipients share
//! one original.

use super::blobs::{self, BlobError, Blobs, Put};
use super::rows::{RowsError, Tx};
use super::{Store, StoreError};
use crate::wire::{BlobId, ContentId};
use std::ops::Range;

/// A content's pieces, in order.
#[derive(Clone, Debug)]
pub struct Content {
    pub size: u64,
    pieces: Vec<Put>,
}

/// Makes a content of blobs that have rows already.
pub fn create(tx: &mut Tx<'_>, pieces: &[(BlobId, u64)]) -> Result<ContentId, RowsError> {
    let size: u64 = pieces.iter().map(|(_, size)| size).sum();
    let sql = "INSERT INTO content (size) VALUES ($1) RETURNING id";
    let content = ContentId(tx.one("content", sql, &[(size as i64).into()])?.int(0)?);
    for (seq, (blob, _)) in pieces.iter().enumerate() {
        hold_blob(tx, &blob.0)?;
        tx.execute(
            "INSERT INTO piece (content, seq, blob) VALUES ($1, $2, $3)",
            &[content.0.into(), (seq as i64).into(), (&blob.0[..]).into()],
        )?;
    }
    Ok(content)
}

/// Records new blobs and makes a content of them.
pub fn create_from(tx: &mut Tx<'_>, blobs: &Blobs, puts: &[&Put]) -> Result<ContentId, StoreError> {
    for put in puts {
        blobs.record(tx, put)?;
    }
    let pieces: Vec<_> = puts.iter().map(|put| (put.id, put.size)).collect();
    Ok(create(tx, &pieces)?)
}

pub fn find(tx: &mut Tx<'_>, id: ContentId) -> Result<Content, RowsError> {
    let rows = tx.query(
        "SELECT b.id, b.segment, b.start, b.stored, b.size, b.digest, b.data_key
         FROM piece p JOIN blob b ON b.id = p.blob WHERE p.content = $1 ORDER BY p.seq",
        &[id.0.into()],
    )?;
    let pieces = rows.into_iter().map(|mut row| blobs::from_row(&mut row, 0));
    let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
    // One that was forgotten is not an empty one.
    if pieces.is_empty()
        && tx.first("SELECT 1 FROM content WHERE id = $1", &[id.0.into()])?.is_none()
    {
        return Err(RowsError::Missing("content"));
    }
    Ok(Content::of(pieces))
}

/// Keeps a content from being forgotten by another process until the end of the transaction.
pub fn hold(tx: &mut Tx<'_>, id: ContentId) -> Result<(), RowsError> {
    let sql = "UPDATE content SET size = size WHERE id = $1";
    if tx.shared() && tx.execute(sql, &[id.0.into()])? == 0 {
        return Err(RowsError::Missing("content"));
    }
    Ok(())
}

/// Whether a content is there, and will be to the end of the transaction.
pub fn stays(tx: &mut Tx<'_>, id: ContentId) -> Result<bool, RowsError> {
    if tx.shared() {
        return Ok(tx.execute("UPDATE content SET size = size WHERE id = $1", &[id.0.into()])? == 1);
    }
    Ok(tx.first("SELECT 1 FROM content WHERE id = $1", &[id.0.into()])?.is_some())
}

fn hold_blob(tx: &mut Tx<'_>, id: &[u8]) -> Result<(), RowsError> {
    let sql = "UPDATE blob SET size = size WHERE id = $1";
    if tx.shared() && tx.execute(sql, &[id.into()])? == 0 {
        return Err(RowsError::Missing("blob"));
    }
    Ok(())
}

/// Forgets a content, and each of its blobs that nothing refers to any more: with its row goes the
/// data key, and with the key the octets.
pub fn forget(tx: &mut Tx<'_>, id: ContentId) -> Result<(), RowsError> {
    let rows = tx.query("SELECT blob FROM piece WHERE content = $1", &[id.0.into()])?;
    tx.execute("DELETE FROM piece WHERE content = $1", &[id.0.into()])?;
    tx.execute("DELETE FROM content WHERE id = $1", &[id.0.into()])?;
    for row in rows {
        forget_blob(tx, row.bytes(0)?)?;
    }
    Ok(())
}

/// Forgets a blob that nothing refers to; says whether it did.
pub(super) fn forget_blob(tx: &mut Tx<'_>, id: &[u8]) -> Result<bool, RowsError> {
    // A statement of its own: the next one sees what others committed while this one waited.
    match hold_blob(tx, id) {
        Err(RowsError::Missing(_)) => return Ok(false),
        held => held?,
    }
    let gone = tx.execute(
        "DELETE FROM blob WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM piece WHERE blob = $1)
         AND NOT EXISTS (SELECT 1 FROM evidence WHERE xml = $1)
         AND NOT EXISTS (SELECT 1 FROM evidence_form WHERE xml = $1)
         AND NOT EXISTS (SELECT 1 FROM submission WHERE original = $1)",
        &[id.into()],
    )?;
    Ok(gone == 1)
}

impl Content {
    pub(super) fn of(pieces: Vec<Put>) -> Self {
        Self { size: pieces.iter().map(|piece| piece.size).sum(), pieces }
    }

    pub fn pieces(&self) -> &[Put] {
        &self.pieces
    }

    /// Part of the content, across its pieces. Reads files: not for the runtime's own threads when
    /// the range is large.
    pub fn read(&self, blobs: &Blobs, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        // What a damaged row says must not ask for all memory.
        let size = range.end.saturating_sub(range.start).min(ROOM);
        let mut out = Vec::with_capacity(size as usize);
        self.read_onto(blobs, range, &mut out)?;
        Ok(out)
    }

    /// The same, behind what is there; after a failure nothing more is there.
    pub fn read_onto(
        &self,
        blobs: &Blobs,
        range: Range<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let (before, mut at) = (out.len(), 0);
        for piece in &self.pieces {
            let (start, end) = (range.start.max(at), range.end.min(at + piece.size));
            if start < end {
                let read = blobs.read_range(piece, start - at..end - at, out);
                read.inspect_err(|_| out.truncate(before))?;
            }
            at += piece.size;
        }
        Ok(())
    }
}

impl Store {
    /// The whole of a content.
    pub async fn content(&self, id: ContentId) -> Result<Vec<u8>, StoreError> {
        self.content_range(id, 0..u64::MAX).await
    }

    /// Part of a content, as far as there is one.
    pub async fn content_range(
        &self,
        id: ContentId,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        self.octets(move |tx| find(tx, id), range).await
    }

    /// The whole of a blob.
    pub async fn blob(&self, id: BlobId) -> Result<Vec<u8>, StoreError> {
        let find = move |tx: &mut Tx<'_>| Ok(Content::of(vec![blobs::find(tx, &id)?]));
        self.octets(find, 0..u64::MAX).await
    }

    async fn octets(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<Content, RowsError> + Clone + Send + 'static,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let content = self.read(find.clone()).await?;
            let blobs = std::sync::Arc::clone(&self.blobs);
            let part = range.start.min(content.size)..range.end.min(content.size);
            let read = tokio::task::spawn_blocking(move || content.read(&blobs, part));
            let read = read.await.map_err(|_| RowsError::Undone("the read was stopped"))?;
            match read {
                // Compaction was faster; the row says where it lies now.
                Err(StoreError::Blob(BlobError::Moved(_))) if tries < TRIES => {}
                read => return read,
            }
        }
    }
}

/// More than any message has; a larger content grows as it is read.
const ROOM: u64 = 64 << 20;
/// Each one needs another compaction to fail.
const TRIES: u32 = 5;
