//! Do rows, blobs and evidence agree? Nothing that was accepted may be invisible: each message has
//! its evidence and its dispatch, or a job that will make them. Only reads; what nothing refers to is
//! removed by `repair`.

mod credit_rules;
pub mod repair;
mod rules;

use super::blobs::{self, BlobError, Put};
use super::rows::{RowsError, Tx};
use super::{Store, StoreError};
use crate::wire::BlobId;
use credit_rules::CREDITS;
use rules::RULES;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// How much of the blobs is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Each lies within its segment.
    Quick,
    /// Each is read, decrypted, and has its digest.
    Full,
}

/// How far the check is: of so many steps, so many are done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    pub part: Part,
    pub done: u64,
    pub of: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Rows,
    Blobs,
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub severity: Severity,
    pub kind: Kind,
    /// What it is about: identifiers, in words.
    pub subject: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Takes room that could be given back.
    Reclaimable,
    /// May be a user's doing.
    Odd,
    /// Contradicts itself; nothing is lost yet.
    Wrong,
    /// Something that was accepted can't be read or seen any more.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    PieceWithoutBlob,
    EvidenceWithoutBlob,
    OriginalWithoutBlob,
    OriginalDiffers,
    ContentSize,
    MessageWithoutContent,
    MessageWithoutMailbox,
    DispatchWithoutContent,
    MaterialMissing,
    NoRecipients,
    RecipientWithoutSubmission,
    NotScanned,
    NotCertified,
    NoAcceptanceEvidence,
    NotDelivered,
    NoDeliveryEvidence,
    NoFailureEvidence,
    NoEndOfSilence,
    RelayWithoutContent,
    NoReadEvidence,
    /// A reading that is held back for nothing.
    ReadHeld,
    NoExpiryEvidence,
    NoClock,
    NoSentCopy,
    NotInMailbox,
    StillHidden,
    UidNext,
    ModSeq,
    Octets,
    /// A message of a virtual mailbox elsewhere, or one that is none there.
    Stray,
    /// A virtual mailbox that is not what its sources make it, though it is up to date.
    Gathered,
    CreditSum,
    CreditUnsettled,
    CreditUnfounded,
    OrphanContent,
    OrphanBlob,
    SegmentMissing,
    SegmentShort,
    /// Records that no row names; all of a store's are, when its rows were lost.
    SegmentUnnamed,
    RowsMissing,
    BlobDamaged,
}

/// Checks everything; `progress` is called between the steps.
pub async fn check(
    store: &Store,
    depth: Depth,
    mut progress: impl FnMut(Progress),
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let of = (RULES.len() + CREDITS.len()) as u64;
    for (done, rule) in (0..).zip(RULES.iter().chain(CREDITS)) {
        progress(Progress { part: Part::Rows, done, of });
        findings.extend(store.read(move |tx| rule.findings(tx)).await?);
    }
    let of = store.read(count_blobs).await?;
    let (mut done, mut after) = (0, Vec::new());
    loop {
        progress(Progress { part: Part::Blobs, done, of });
        let from = after.clone();
        let batch = store.read(move |tx| page(tx, &from)).await?;
        let Some(last) = batch.last() else { break };
        after = last.id.0.to_vec();
        done += batch.len() as u64;
        findings.extend(look(store, batch, depth).await?);
    }
    findings.extend(unnamed(store, of).await?);
    Ok(findings)
}

/// Segments into which no row points. Where there are no rows at all, they are what is left of a
/// store whose rows are gone.
async fn unnamed(store: &Store, rows: u64) -> Result<Vec<Finding>, StoreError> {
    let named = store.read(named_segments).await?;
    let blobs = Arc::clone(&store.blobs);
    let sizes = tokio::task::spawn_blocking(move || blobs.segment_sizes()).await;
    let sizes = sizes.map_err(|_| RowsError::Undone("the check was stopped"))?;
    let mut sizes: Vec<_> = sizes.map_err(BlobError::Io)?.into_iter().collect();
    sizes.sort_unstable();
    let kind = if rows == 0 { Kind::RowsMissing } else { Kind::SegmentUnnamed };
    let unnamed = sizes.iter().filter(|(number, size)| *size > 0 && !named.contains(number));
    let found = unnamed.map(|(number, size)| Finding {
        severity: kind.severity(),
        kind,
        subject: format!("segment {number}, {size} octets"),
    });
    Ok(found.collect())
}

fn named_segments(tx: &mut Tx<'_>) -> Result<HashSet<u64>, StoreError> {
    let rows = tx.query("SELECT DISTINCT segment FROM blob", &[])?;
    Ok(rows.iter().map(|row| Ok(row.int(0)? as u64)).collect::<Result<_, RowsError>>()?)
}

/// Looks at blobs; one that compaction moved meanwhile is looked at where it lies now.
async fn look(store: &Store, batch: Vec<Put>, depth: Depth) -> Result<Vec<Finding>, StoreError> {
    let (found, again) = look_once(store, batch, depth).await?;
    let mut findings = found;
    for id in again {
        let row = store.read(move |tx| optional(blobs::find(tx, &id))).await?;
        let Some(row) = row else { continue };
        let (found, gone) = look_once(store, vec![row], depth).await?;
        findings.extend(found);
        findings.extend(gone.iter().map(|id| finding(Kind::SegmentMissing, id)));
    }
    Ok(findings)
}

/// Findings, and blobs whose segment is not there.
async fn look_once(
    store: &Store,
    batch: Vec<Put>,
    depth: Depth,
) -> Result<(Vec<Finding>, Vec<BlobId>), StoreError> {
    let blobs = Arc::clone(&store.blobs);
    let work = move || {
        let sizes = blobs.segment_sizes().map_err(BlobError::Io)?;
        let (mut findings, mut gone) = (Vec::new(), Vec::new());
        for put in &batch {
            match place(put, &sizes) {
                Some(Kind::SegmentMissing) => gone.push(put.id),
                Some(kind) => findings.push(finding(kind, &put.id)),
                None if depth == Depth::Full => match blobs.prove(put) {
                    Err(BlobError::Moved(id)) => gone.push(id),
                    Err(error) => findings.push(Finding {
                        severity: Kind::BlobDamaged.severity(),
                        kind: Kind::BlobDamaged,
                        subject: error.to_string(),
                    }),
                    Ok(()) => {}
                },
                None => {}
            }
        }
        Ok((findings, gone))
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| RowsError::Undone("the check was stopped"))?
}

fn place(put: &Put, sizes: &HashMap<u64, u64>) -> Option<Kind> {
    let (segment, end) = put.extent();
    match sizes.get(&segment) {
        None => Some(Kind::SegmentMissing),
        Some(size) if *size < end => Some(Kind::SegmentShort),
        Some(_) => None,
    }
}

fn finding(kind: Kind, blob: &BlobId) -> Finding {
    Finding { severity: kind.severity(), kind, subject: format!("blob {}", blob.hex()) }
}

fn optional<T>(found: Result<T, RowsError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(RowsError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn count_blobs(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.one("count", "SELECT COUNT(*) FROM blob", &[])?.int(0)? as u64)
}

fn page(tx: &mut Tx<'_>, after: &[u8]) -> Result<Vec<Put>, StoreError> {
    let rows = tx.query(
        "SELECT b.id, b.segment, b.start, b.stored, b.size, b.digest, b.data_key FROM blob b
         WHERE b.id > $1 ORDER BY b.id LIMIT $2",
        &[after.into(), PAGE.into()],
    )?;
    Ok(rows.into_iter().map(|mut row| blobs::from_row(&mut row, 0)).collect::<Result<_, _>>()?)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity.word(), self.subject, self.kind.text())
    }
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Reclaimable => "reclaimable",
            Self::Odd => "odd",
            Self::Wrong => "wrong",
            Self::Lost => "lost",
        }
    }
}

/// Blobs that are looked at between two calls of `progress`.
const PAGE: i64 = 256;
