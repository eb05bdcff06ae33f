//! Whether the archive's stamps hold, and the evidence is what they are over.

use super::super::Noted;
use super::super::{BATCH, leaf, root};
use super::chain::Chain;
use crate::store::archive::{self as rows, Batch, Subject};
use crate::store::{RowsError, Store, Tx};
use crate::trust::TokenVerifier;
use crate::wire::Timestamp;
use thiserror::Error;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    pub stamps: usize,
    /// When the last of them was given, and when its authority's certificate ends.
    pub stamped_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// Evidence and further forms of it that stamps are over, and that wait for the next one.
    pub stamped: u64,
    pub waiting: u64,
    pub faults: Vec<Fault>,
    /// Faults that are not named, after so many.
    pub unnamed: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    #[error("{0} is not what was stamped")]
    Changed(String),
    #[error("{0} was stamped, and is not there")]
    Gone(String),
    #[error("batch {0} is not what its leaves make")]
    Batch(i64),
    #[error("stamp {0}: its statement is not one, or of another number")]
    Statement(i64),
    #[error("stamp {0} does not follow from the one before")]
    Previous(i64),
    #[error("stamp {0} is over other batches than there are")]
    Root(i64),
    #[error("stamp {0}: {1}")]
    Token(i64, String),
    #[error("stamp {0} came after a certificate behind the one before had ended ({1})")]
    Late(i64, Timestamp),
    #[error("stamp {0}: {1} was revoked before it, or its key lost before the next one ({2})")]
    Revoked(i64, String, Timestamp),
    #[error("a certificate behind stamp {0}, the last one, has ended ({1})")]
    Ended(i64, Timestamp),
    #[error("stamp {0}, or what was kept with it, is not what the audit has of it")]
    NotOfAudit(i64),
    #[error("the audit's entry {0} about a stamp is none")]
    Note(i64),
}

impl Fault {
    /// Nothing was changed: what stands behind a stamp ended before the next one came.
    pub fn is_of_time(&self) -> bool {
        matches!(self, Self::Late(..) | Self::Revoked(..) | Self::Ended(..))
    }
}

impl Verdict {
    pub(super) fn add(&mut self, fault: Fault) {
        match self.faults.len() < FAULTS {
            true => self.faults.push(fault),
            false => self.unnamed += 1,
        }
    }
}

pub async fn verify(
    store: &Store,
    tokens: &TokenVerifier,
    now: Timestamp,
) -> Result<Verdict, RowsError> {
    let mut verdict = Verdict::default();
    // As it is now: what another process gathers and stamps meanwhile is not judged.
    let archive = store.read(Archive::find).await?;
    let all = documents(store, &mut verdict).await?;
    batches(store, &archive.batches, &mut verdict).await?;
    stamps(store, tokens, archive, now, &mut verdict).await?;
    verdict.waiting = all.saturating_sub(verdict.stamped);
    Ok(verdict)
}

/// What was there when it was begun.
struct Archive {
    batches: Vec<Batch>,
    noted: Vec<Result<Noted, i64>>,
    /// The number of the newest stamp.
    last: i64,
}

impl Archive {
    fn find(tx: &mut Tx<'_>) -> Result<Self, RowsError> {
        let last = rows::last_stamp(tx)?.map_or(0, |stamp| stamp.n);
        Ok(Self { batches: rows::batches(tx)?, noted: Noted::all(tx)?, last })
    }
}

/// Each against its leaf. Says how many there are.
async fn documents(store: &Store, verdict: &mut Verdict) -> Result<u64, RowsError> {
    let (mut seen, mut after) = (0, String::new());
    loop {
        let behind = after.clone();
        let page = store.read(move |tx: &mut Tx<'_>| rows::subjects(tx, &behind, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.name.clone();
        seen += page.len() as u64;
        page.iter().for_each(|one| judge(one, verdict));
    }
    let mut after = (String::new(), String::new());
    loop {
        let (id, dialect) = after.clone();
        let look = move |tx: &mut Tx<'_>| rows::forms(tx, (&id, &dialect), PAGE);
        let page = store.read(look).await?;
        let Some((id, dialect, _)) = page.last() else { return Ok(seen) };
        after = (id.clone(), dialect.clone());
        seen += page.len() as u64;
        page.iter().for_each(|(_, _, one)| judge(one, verdict));
    }
}

fn judge(subject: &Subject, verdict: &mut Verdict) {
    if subject.leaf.is_some_and(|stamped| stamped != leaf(subject)) {
        verdict.add(Fault::Changed(subject.name.clone()));
    }
}

async fn batches(store: &Store, all: &[Batch], verdict: &mut Verdict) -> Result<(), RowsError> {
    for batch in all.iter().copied() {
        // One more than a batch has: then it is none.
        let look = move |tx: &mut Tx<'_>| rows::leaves(tx, batch.n, BATCH + 1);
        let leaves = store.read(look).await?;
        let made = root(leaves.iter().map(|(_, leaf)| leaf));
        if made != batch.root || leaves.len() as i64 != batch.leaves {
            verdict.add(Fault::Batch(batch.n));
        }
        for (name, _) in leaves {
            let wanted = name.clone();
            if !store.read(move |tx: &mut Tx<'_>| rows::is_there(tx, &wanted)).await? {
                verdict.add(Fault::Gone(name));
            }
        }
    }
    Ok(())
}

async fn stamps(
    store: &Store,
    tokens: &TokenVerifier,
    Archive { batches, noted, last }: Archive,
    now: Timestamp,
    verdict: &mut Verdict,
) -> Result<(), RowsError> {
    let mut chain = Chain::new(&batches, tokens, noted, verdict);
    let mut after = 0;
    while after < last {
        let page = store.read(move |tx: &mut Tx<'_>| rows::stamps(tx, after, STAMPS)).await?;
        let Some(newest) = page.last() else { break };
        after = newest.n;
        for stamp in page.iter().filter(|stamp| stamp.n <= last) {
            verdict.stamps += 1;
            let n = stamp.n;
            let kept = store.read(move |tx: &mut Tx<'_>| rows::material(tx, n)).await?;
            chain.add(stamp, kept, verdict);
        }
    }
    chain.end(now, verdict);
    Ok(())
}

/// Rows of one look, and stamps of one, which have more octets.
const PAGE: i64 = 1024;
const STAMPS: i64 = 16;
/// So many faults are named; the rest are counted.
const FAULTS: usize = 1000;
