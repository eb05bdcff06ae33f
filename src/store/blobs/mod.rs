//! Blobs: each under a data key of its own, appended to a segment file; erasing the row's key
//! erases the content. A put is durable only after `sync`, which the rows run before each commit.

mod cache;
pub mod compact;
pub mod disk;
pub(super) mod segment;

use super::rows::{Row, RowsError, Tx};
use crate::trust::vault::Vault;
use crate::wire::{BlobId, Digest, Timestamp, sha256};
use cache::Cache;
use disk::{Disk, SystemDisk};
use segment::Segments;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::time::Instant;

pub struct Blobs {
    vault: Arc<Vault>,
    segments: Segments,
    cache: Cache,
}

/// A blob as its row describes it.
#[derive(Clone, Debug)]
pub struct Put {
    pub id: BlobId,
    pub size: u64,
    pub digest: Digest,
    place: Place,
    data_key: Vec<u8>,
}

/// Where the stored octets lie.
#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u64,
    start: u64,
    stored: u64,
}

#[derive(Debug, Error)]
pub enum BlobError {
    #[error("segment: {0}")]
    Io(#[from] std::io::Error),
    #[error("blob {0:?} is damaged: {1}")]
    Damaged(BlobId, &'static str),
    #[error("blob {0:?} can't be decrypted: {1}")]
    Sealed(BlobId, crate::trust::vault::VaultError),
    #[error("data key: {0}")]
    Key(#[from] crate::trust::vault::VaultError),
    #[error("blob {0:?} was lost with its segment, which could not be synced")]
    Lost(BlobId),
    #[error("blob {0:?} lies elsewhere by now; its row says where")]
    Moved(BlobId),
    #[error("a range outside the blob")]
    Range,
}

impl Blobs {
    pub fn open(dir: &Path, vault: Arc<Vault>) -> Result<Self, BlobError> {
        Self::on(dir, vault, Arc::new(SystemDisk))
    }

    pub fn on(dir: &Path, vault: Arc<Vault>, disk: Arc<dyn Disk>) -> Result<Self, BlobError> {
        Ok(Self { vault, segments: Segments::open(dir, disk)?, cache: Cache::default() })
    }

    /// What seals them, and small secrets in rows.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Encrypts and appends. Not durable yet; nothing points to it yet.
    pub fn put(&self, bytes: Vec<u8>) -> Result<Put, BlobError> {
        let id = BlobId(crate::trust::random::identifier());
        let key = self.vault.new_data_key();
        let digest = sha256(&bytes);
        let stored = key.seal(&id.0, &bytes)?;
        let data_key = self.vault.wrap(&key, &id.0)?;
        let (segment, start) = self.segments.append(&id, &stored)?;
        let place = Place { segment, start, stored: stored.len() as u64 };
        let size = bytes.len() as u64;
        self.cache.keep(id, bytes, Instant::now());
        Ok(Put { id, size, digest, place, data_key })
    }

    /// Makes all that was put so far durable.
    pub fn sync(&self) -> std::io::Result<()> {
        self.segments.sync()
    }

    /// The disk that they lie on.
    pub(super) fn disk(&self) -> &dyn Disk {
        self.segments.disk()
    }

    /// How many segments were given up so far.
    pub fn losses(&self) -> u64 {
        self.segments.losses()
    }

    /// Makes all that was put so far durable. Fails too when a segment was given up since `losses`
    /// was asked: another's sync may have lost what this transaction points to.
    pub fn sync_since(&self, losses: u64) -> std::io::Result<()> {
        self.segments.sync()?;
        match self.segments.losses() == losses {
            true => Ok(()),
            false => Err(std::io::Error::other("a segment could not be synced meanwhile")),
        }
    }

    /// Writes the blob's row. Refused when its segment failed to sync or was retired meanwhile.
    pub fn record(&self, tx: &mut Tx<'_>, put: &Put) -> Result<(), super::StoreError> {
        let end = put.place.start + put.place.stored;
        if self.segments.lost(put.place.segment, end) {
            return Err(BlobError::Lost(put.id).into());
        }
        tx.execute(
            "INSERT INTO blob (id, segment, start, stored, size, digest, data_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
            &[
                (&put.id.0[..]).into(),
                (put.place.segment as i64).into(),
                (put.place.start as i64).into(),
                (put.place.stored as i64).into(),
                (put.size as i64).into(),
                (&put.digest.0[..]).into(),
                (&put.data_key).into(),
            ],
        )?;
        if self.segments.retired(put.place.segment) {
            return Err(BlobError::Lost(put.id).into());
        }
        Ok(())
    }

    /// The whole blob.
    pub fn read(&self, put: &Put) -> Result<Arc<Vec<u8>>, BlobError> {
        if let Some(bytes) = self.cache.get(&put.id) {
            return Ok(bytes);
        }
        let mut bytes = Vec::new();
        self.decrypt(put, 0..put.size, &mut bytes)?;
        Ok(Arc::new(bytes))
    }

    /// Part of a blob, behind what is there; only the chunks that hold it are decrypted.
    pub fn read_range(
        &self,
        put: &Put,
        range: Range<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), BlobError> {
        if range.start > range.end || range.end > put.size {
            return Err(BlobError::Range);
        }
        if let Some(bytes) = self.cache.get(&put.id) {
            let part = bytes.get(range.start as usize..range.end as usize);
            out.extend_from_slice(part.ok_or(BlobError::Range)?);
            return Ok(());
        }
        self.decrypt(put, range, out)
    }

    /// The segments there are, with their sizes.
    pub(super) fn segment_sizes(&self) -> std::io::Result<HashMap<u64, u64>> {
        Ok(self.segments.all()?.into_iter().collect())
    }

    /// Keeps every segment where it is, in all processes, until the file is dropped.
    pub(super) fn hold(&self) -> std::io::Result<std::fs::File> {
        self.segments.hold()
    }

    pub(super) fn segment_path(&self, number: u64) -> std::path::PathBuf {
        self.segments.path(number)
    }

    /// The segments to which nothing was appended since.
    pub(super) fn segments_of_before(&self, before: Timestamp) -> std::io::Result<HashSet<u64>> {
        self.segments.of_before(before)
    }

    /// Reads it from disk, whatever the cache holds, and compares the digest (fsck).
    pub fn prove(&self, put: &Put) -> Result<(), BlobError> {
        let mut bytes = Vec::new();
        self.decrypt(put, 0..put.size, &mut bytes)?;
        match sha256(&bytes) == put.digest {
            true => Ok(()),
            false => Err(BlobError::Damaged(put.id, "its digest differs")),
        }
    }

    fn decrypt(&self, put: &Put, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), BlobError> {
        let key = self.vault.unwrap(&put.data_key, &put.id.0)?;
        let cut = key.stored_range(put.size, range.clone());
        let Place { segment, start, .. } = put.place;
        let stored = self.segments.read(segment, start + cut.start..start + cut.end);
        let stored = stored.map_err(|error| moved(put.id, error))?;
        key.open_range(&put.id.0, put.size, range, &stored, out)
            .map_err(|error| BlobError::Sealed(put.id, error))
    }
}

impl Put {
    /// The segment it lies in, and where its record ends there.
    pub(super) fn extent(&self) -> (u64, u64) {
        let Place { segment, start, stored } = self.place;
        (segment, segment::record_end(start, stored))
    }
}

fn moved(id: BlobId, error: std::io::Error) -> BlobError {
    match error.kind() {
        std::io::ErrorKind::NotFound => BlobError::Moved(id),
        _ => BlobError::Io(error),
    }
}

/// The columns of a blob's row in the order that `from_row` reads.
pub const COLUMNS: &str = "b.id, b.segment, b.start, b.stored, b.size, b.digest, b.data_key";

pub fn from_row(row: &mut Row, at: usize) -> Result<Put, RowsError> {
    let id = row.bytes(at)?.try_into().map(BlobId).map_err(|_| RowsError::Stored("a blob id"))?;
    let digest = Digest::from_slice(row.bytes(at + 5)?).ok_or(RowsError::Stored("a digest"))?;
    let place = Place {
        segment: number(row, at + 1)?,
        start: number(row, at + 2)?,
        stored: number(row, at + 3)?,
    };
    Ok(Put { id, size: number(row, at + 4)?, digest, place, data_key: row.take_bytes(at + 6)? })
}

/// Sizes and places: sums of a few of them can't overflow.
fn number(row: &Row, at: usize) -> Result<u64, RowsError> {
    let number = u64::try_from(row.int(at)?).ok().filter(|number| *number < 1 << 60);
    number.ok_or(RowsError::Stored("a blob's place or size"))
}

pub fn find(tx: &mut Tx<'_>, id: &BlobId) -> Result<Put, RowsError> {
    let mut row = tx.one(
        "blob",
        "SELECT b.id, b.segment, b.start, b.stored, b.size, b.digest, b.data_key
         FROM blob b WHERE b.id = $1",
        &[(&id.0[..]).into()],
    )?;
    from_row(&mut row, 0)
}
