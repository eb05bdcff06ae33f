//! Compaction: what still lives in a segment of which more than half is dead is copied to the
//! current segment, in batches, each durable before its rows point there. A crash leaves every row
//! with octets that are there.
//!
//! A segment is first marked as retired. `Blobs::record` looks for the mark after its INSERT, and
//! emptiness is asked when no INSERT is under way: so either the row is seen here, or the mark
//! there. The file goes in the round after, when those who read its place have long finished; one
//! who has not finds it gone (`BlobError::Moved`) and reads the row again.

use super::segment::record_size;
use super::{BlobError, Blobs, Place, Put, from_row};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::BlobId;
use std::collections::HashMap;
use std::sync::Arc;

/// What one round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub moved: u64,
    pub moved_octets: u64,
    /// Segments to which no row points any more; the next round removes them.
    pub emptied: u64,
    pub removed: u64,
    /// Their records can't be read; they stay where they are.
    pub damaged: Vec<BlobId>,
}

/// Removes what the last round emptied, then empties what is more than half dead.
pub async fn round(store: &Store) -> Result<Report, StoreError> {
    let mut report = Report { removed: remove_emptied(store).await?, ..Report::default() };
    let live = store.read(live_octets).await?;
    for (number, size) in segments(store).await? {
        let live = live.get(&number).copied().unwrap_or(0);
        if live.saturating_mul(2) >= size && !store.blobs.segments.is_marked(number) {
            continue;
        }
        if let Some(_claim) = claim(store, number).await? {
            empty(store, number, &mut report).await?;
        }
    }
    Ok(report)
}

/// A backup under way needs what its rows point to: while one is, nothing is removed.
async fn remove_emptied(store: &Store) -> Result<u64, StoreError> {
    let blobs = Arc::clone(&store.blobs);
    let Some(_let_go) = blocking(move || blobs.segments.let_go()).await? else { return Ok(0) };
    let mut removed = 0;
    for (number, _) in segments(store).await? {
        let Some(_claim) = claim(store, number).await? else { continue };
        if store.blobs.segments.is_marked(number) && is_empty(store, number).await? {
            let blobs = Arc::clone(&store.blobs);
            blocking(move || blobs.segments.remove(number)).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// A blob as its row says, and where its copy lies.
type Move = (Put, Place);

/// Moves all that lives in a segment; says whether nothing points there any more.
async fn empty(store: &Store, number: u64, report: &mut Report) -> Result<(), StoreError> {
    let blobs = Arc::clone(&store.blobs);
    blocking(move || blobs.segments.retire(number)).await?;
    let mut after = -1;
    loop {
        let batch = store.read(move |tx| living(tx, number, after)).await?;
        let Some(last) = batch.last() else { break };
        after = last.place.start as i64;
        let blobs = Arc::clone(&store.blobs);
        let (moves, damaged) = blocking(move || copy(&blobs, batch)).await?;
        report.moved += moves.len() as u64;
        report.moved_octets += moves.iter().map(|(put, _)| put.place.stored).sum::<u64>();
        report.damaged.extend(damaged);
        let blobs = Arc::clone(&store.blobs);
        store.write(Lane::Background, move |tx| repoint(tx, &blobs, &moves)).await?;
    }
    report.emptied += u64::from(is_empty(store, number).await?);
    Ok(())
}

/// Copies records; those that can't be read are named.
fn copy(blobs: &Blobs, batch: Vec<Put>) -> std::io::Result<(Vec<Move>, Vec<BlobId>)> {
    let (mut moves, mut damaged) = (Vec::new(), Vec::new());
    for put in batch {
        let Place { segment, start, stored } = put.place;
        match blobs.segments.read_record(&put.id, segment, start..start + stored) {
            Ok(octets) => {
                let (segment, start) = blobs.segments.append(&put.id, &octets)?;
                moves.push((put, Place { segment, start, stored }));
            }
            Err(error) => {
                tracing::error!(blob = ?put.id, %error, "can't be moved");
                damaged.push(put.id);
            }
        }
    }
    Ok((moves, damaged))
}

/// Points rows to the copies. A row that went meanwhile stays gone.
fn repoint(tx: &mut Tx<'_>, blobs: &Blobs, moves: &[Move]) -> Result<(), StoreError> {
    for (put, place) in moves {
        if blobs.segments.lost(place.segment, place.start + place.stored) {
            return Err(BlobError::Lost(put.id).into());
        }
        tx.execute(
            "UPDATE blob SET segment = $1, start = $2 WHERE id = $3 AND segment = $4",
            &[
                (place.segment as i64).into(),
                (place.start as i64).into(),
                (&put.id.0[..]).into(),
                (put.place.segment as i64).into(),
            ],
        )?;
        if blobs.segments.retired(place.segment) {
            return Err(BlobError::Lost(put.id).into());
        }
    }
    Ok(())
}

/// Whether no row points into a segment, nor ever will: those who checked for its mark before it
/// was set have committed or given up.
async fn is_empty(store: &Store, number: u64) -> Result<bool, StoreError> {
    let work = move |tx: &mut Tx<'_>| {
        if tx.shared() {
            tx.execute("LOCK TABLE blob IN SHARE ROW EXCLUSIVE MODE", &[])?;
        }
        let sql = "SELECT 1 FROM blob WHERE segment = $1 LIMIT 1";
        Ok::<_, StoreError>(tx.first(sql, &[(number as i64).into()])?.is_none())
    };
    store.write(Lane::Background, work).await
}

fn living(tx: &mut Tx<'_>, number: u64, after: i64) -> Result<Vec<Put>, StoreError> {
    let rows = tx.query(
        "SELECT b.id, b.segment, b.start, b.stored, b.size, b.digest, b.data_key FROM blob b
         WHERE b.segment = $1 AND b.start > $2 ORDER BY b.start LIMIT $3",
        &[(number as i64).into(), after.into(), BATCH.into()],
    )?;
    Ok(rows.into_iter().map(|mut row| from_row(&mut row, 0)).collect::<Result<_, _>>()?)
}

fn live_octets(tx: &mut Tx<'_>) -> Result<HashMap<u64, u64>, StoreError> {
    let rows = tx.query(
        "SELECT segment, COUNT(*), CAST(SUM(stored) AS BIGINT) FROM blob GROUP BY segment",
        &[],
    )?;
    let live = rows.iter().map(|row| {
        let overhead = record_size(0).saturating_mul(row.int(1)? as u64);
        Ok((row.int(0)? as u64, overhead.saturating_add(row.int(2)? as u64)))
    });
    Ok(live.collect::<Result<_, RowsError>>()?)
}

/// Those with something in them: an empty one may just have been begun.
async fn segments(store: &Store) -> Result<Vec<(u64, u64)>, StoreError> {
    let blobs = Arc::clone(&store.blobs);
    let all = blocking(move || blobs.segments.all()).await?;
    Ok(all.into_iter().filter(|(_, size)| *size > 0).collect())
}

async fn claim(store: &Store, number: u64) -> Result<Option<std::fs::File>, StoreError> {
    let blobs = Arc::clone(&store.blobs);
    blocking(move || blobs.segments.claim(number)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|_| RowsError::Undone("the compaction was stopped"))?;
    done.map_err(|error| BlobError::Io(error).into())
}

/// Blobs that are copied in one go: a client behind them waits for as many updates.
const BATCH: i64 = 128;
