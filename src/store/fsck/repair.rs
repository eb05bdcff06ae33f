//! Gives back what nothing refers to. A reference is made in the transaction that makes what it refers
//! to, or under its lock, so that none can come later; what is not known to be old is left alone all
//! the same. Each unit is a transaction: who breaks off leaves the rest for the next time.

use crate::store::blobs::BlobError;
use crate::store::rows::{Lane, RowsError, Tx};
use crate::store::{Store, StoreError, contents, mail};
use crate::wire::{BlobId, ContentId, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// What was removed, and what may be next time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    pub contents: u64,
    /// Beside those of the contents.
    pub blobs: u64,
    /// Nothing refers to them, and they may be from after `before`.
    pub left: u64,
}

/// Removes contents and blobs that nothing refers to and that were there before `before`.
pub async fn repair(store: &Store, before: Timestamp) -> Result<Repaired, StoreError> {
    let mut done = Repaired::default();
    contents_of(store, before, &mut done).await?;
    blobs_of(store, before, &mut done).await?;
    Ok(done)
}

async fn contents_of(
    store: &Store,
    before: Timestamp,
    done: &mut Repaired,
) -> Result<(), StoreError> {
    let newest_old = store.read(move |tx| newest_old(tx, before)).await?;
    let mut after = 0;
    loop {
        let page = store.read(move |tx| orphan_contents(tx, after)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.0;
        let old: Vec<_> = page.iter().copied().filter(|id| id.0 <= newest_old).collect();
        done.left += (page.len() - old.len()) as u64;
        let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            let mut gone = 0;
            for content in &old {
                gone += u64::from(mail::forget_unused(tx, *content)?);
            }
            Ok(gone)
        };
        done.contents += store.write(Lane::Background, work).await?;
    }
}

async fn blobs_of(store: &Store, before: Timestamp, done: &mut Repaired) -> Result<(), StoreError> {
    let blobs = Arc::clone(&store.blobs);
    let old = tokio::task::spawn_blocking(move || blobs.segments_of_before(before)).await;
    let old = old.map_err(|_| RowsError::Undone("the repair was stopped"))?;
    let old: HashSet<u64> = old.map_err(BlobError::Io)?;
    let mut after = Vec::new();
    loop {
        let from = after.clone();
        let page = store.read(move |tx| orphan_blobs(tx, &from)).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = last.0.to_vec();
        let there = page.len();
        let page: Vec<_> = page.into_iter().filter(|(_, segment)| old.contains(segment)).collect();
        done.left += (there - page.len()) as u64;
        let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            let mut gone = 0;
            for (blob, _) in &page {
                gone += u64::from(contents::forget_blob(tx, &blob.0)?);
            }
            Ok(gone)
        };
        done.blobs += store.write(Lane::Background, work).await?;
    }
}

/// The last content that was there before `before`, as far as a message proves it: it was laid in
/// before, and contents are numbered as they come.
fn newest_old(tx: &mut Tx<'_>, before: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT COALESCE(MAX(content), 0) FROM message WHERE saved_at < $1";
    Ok(tx.one("content", sql, &[before.millis().into()])?.int(0)?)
}

fn orphan_contents(tx: &mut Tx<'_>, after: i64) -> Result<Vec<ContentId>, StoreError> {
    let rows = tx.query(
        "SELECT c.id FROM content c WHERE c.id > $1
         AND NOT EXISTS (SELECT 1 FROM message m WHERE m.content = c.id AND m.source IS NULL)
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.dispatch = c.id)
         AND NOT EXISTS (SELECT 1 FROM dispatch_form d WHERE d.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM held_back h WHERE h.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM evidence_mail e WHERE e.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM relay q WHERE q.content = c.id)
         ORDER BY c.id LIMIT $2",
        &[after.into(), PAGE.into()],
    )?;
    Ok(rows.iter().map(|row| Ok(ContentId(row.int(0)?))).collect::<Result<_, RowsError>>()?)
}

/// With the segments that they lie in.
fn orphan_blobs(tx: &mut Tx<'_>, after: &[u8]) -> Result<Vec<(BlobId, u64)>, StoreError> {
    let rows = tx.query(
        "SELECT b.id, b.segment FROM blob b WHERE b.id > $1
         AND NOT EXISTS (SELECT 1 FROM piece p WHERE p.blob = b.id)
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.xml = b.id)
         AND NOT EXISTS (SELECT 1 FROM evidence_form f WHERE f.xml = b.id)
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.original = b.id)
         ORDER BY b.id LIMIT $2",
        &[after.into(), PAGE.into()],
    )?;
    let blob = |row: &crate::store::rows::Row| {
        let id = crate::store::submissions::blob_id(row.bytes(0)?)?;
        Ok((id, row.int(1)? as u64))
    };
    Ok(rows.iter().map(blob).collect::<Result<_, RowsError>>()?)
}

/// Removed in one unit.
const PAGE: i64 = 100;
