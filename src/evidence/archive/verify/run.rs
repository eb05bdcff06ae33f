//! Whether the archive's stamps hold, and the evidence is what they are over.

use super::super::Noted;
use super::super::{BATCH, leaf, root};
use super::chain::Chain;
use crate::store::archive::{self as rows, Subject};
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
    #[error("stamp {0}: {1} was revoked before a later stamp was there ({2})")]
    Revoked(i64, String, Timestamp),
    #[error("a certificate behind stamp {0}, the last one, has ended ({1})")]
    Ended(i64, Timestamp),
    #[error("stamp {0} is in the audit, and is not there or is another one")]
    NotOfAudit(i64),
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
    let mut seen = 0;
    let mut after = String::new();
    loop {
        let behind = after.clone();
        let page = store.read(move |tx: &mut Tx<'_>| rows::subjects(tx, &behind, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.name.clone();
        page.iter().for_each(|one| seen += judge(one, &mut verdict));
    }
    let mut after = (String::new(), String::new());
    loop {
        let (id, dialect) = after.clone();
        let look = move |tx: &mut Tx<'_>| rows::forms(tx, (&id, &dialect), PAGE);
        let page = store.read(look).await?;
        let Some((id, dialect, _)) = page.last() else { break };
        after = (id.clone(), dialect.clone());
        page.iter().for_each(|(_, _, one)| seen += judge(one, &mut verdict));
    }
    verdict.stamped = seen;
    batches(store, &mut verdict).await?;
    stamps(store, tokens, now, &mut verdict).await?;
    Ok(verdict)
}

/// 1 when it is in a batch.
fn judge(subject: &Subject, verdict: &mut Verdict) -> u64 {
    match subject.leaf {
        None => {
            verdict.waiting += 1;
            0
        }
        Some(stamped) => {
            if stamped != leaf(subject) {
                verdict.add(Fault::Changed(subject.name.clone()));
            }
            1
        }
    }
}

async fn batches(store: &Store, verdict: &mut Verdict) -> Result<(), RowsError> {
    let all = store.read(rows::batches).await?;
    for batch in all {
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
    now: Timestamp,
    verdict: &mut Verdict,
) -> Result<(), RowsError> {
    let batches = store.read(rows::batches).await?;
    // Before the stamps: what comes meanwhile is in both or among these alone.
    let noted = store.read(Noted::newest).await?;
    let mut chain = Chain::new(noted);
    let mut after = 0;
    loop {
        let page = store.read(move |tx: &mut Tx<'_>| rows::stamps(tx, after, STAMPS)).await?;
        let Some(last) = page.last() else { break };
        after = last.n;
        for stamp in &page {
            verdict.stamps += 1;
            (verdict.stamped_at, verdict.ends_at) = (Some(stamp.stamped_at), Some(stamp.ends_at));
            let n = stamp.n;
            let kept = store.read(move |tx: &mut Tx<'_>| rows::revocation(tx, n)).await?;
            chain.add((stamp, kept), &batches, tokens, verdict);
        }
    }
    // What is gathered and under no stamp yet waits, too.
    let beyond = batches.iter().filter(|batch| batch.n > chain.reach);
    let beyond = beyond.map(|batch| u64::try_from(batch.leaves).unwrap_or(0)).sum();
    verdict.stamped = verdict.stamped.saturating_sub(beyond);
    verdict.waiting += beyond;
    chain.end(now, verdict);
    Ok(())
}

/// Rows of one look, and stamps of one, which have more octets.
const PAGE: i64 = 1024;
const STAMPS: i64 = 16;
/// So many faults are named; the rest are counted.
const FAULTS: usize = 1000;
