//! How one entry is bound to the next, and whether all are. Written down in docs/audit.md, so that
//! others can compute it.

use crate::store::audit::{self as rows, EntryRow};
use crate::store::{RowsError, Tx};
use crate::wire::digest::sha256_of;
use crate::wire::{Digest, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What the first entry is bound to.
pub const GENESIS: Digest = Digest([0; 32]);

/// SHA-256 over: `kep audit 1`, the link before, number and time as 8 octets each (big-endian), and of
/// each text its length in octets (8, big-endian) and itself.
pub fn link(entry: &EntryRow, before: Digest) -> Digest {
    let EntryRow { n, at, actor, channel, act, subject, details, link: _ } = entry;
    let texts = [actor, channel, act, subject, details];
    let lengths = texts.map(|text| (text.len() as u64).to_be_bytes());
    let (n, at) = (n.to_be_bytes(), at.millis().to_be_bytes());
    let mut pieces: Vec<&[u8]> = vec![DOMAIN, &before.0, &n, &at];
    for (length, text) in lengths.iter().zip(texts) {
        pieces.extend([length.as_slice(), text.as_bytes()]);
    }
    sha256_of(pieces)
}

/// What is wrong with a chain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Break {
    #[error("after entry {after} comes entry {found}")]
    Gap { after: i64, found: i64 },
    #[error("entry {0} is not what its link was made of")]
    Link(i64),
    #[error("the head names entry {head}, and the last one is {last}")]
    Head { head: i64, last: i64 },
}

/// A chain that was walked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walked {
    pub entries: i64,
    pub link: Digest,
    /// Those that were asked for.
    pub links: BTreeMap<i64, Digest>,
    /// Behind each that was asked for, up to the next one: the entry that says the earliest time.
    pub earliest: BTreeMap<i64, (Timestamp, i64)>,
    from: i64,
}

/// Walks the whole chain; `wanted`: the numbers whose links are told.
pub fn walk(tx: &mut Tx<'_>, wanted: &BTreeSet<i64>) -> Result<Result<Walked, Break>, RowsError> {
    let (links, earliest) = (BTreeMap::new(), BTreeMap::new());
    let mut walked = Walked { entries: 0, link: GENESIS, links, earliest, from: 0 };
    if wanted.contains(&0) {
        walked.links.insert(0, GENESIS);
    }
    let mut broken = None;
    rows::visit(tx, |entry| {
        broken = next(&mut walked, &entry, wanted).err();
        broken.is_none()
    })?;
    if let Some(broken) = broken {
        return Ok(Err(broken));
    }
    let (head, link) = rows::head(tx)?;
    if (head, link) != (walked.entries, walked.link) {
        return Ok(Err(Break::Head { head, last: walked.entries }));
    }
    Ok(Ok(walked))
}

fn next(walked: &mut Walked, entry: &EntryRow, wanted: &BTreeSet<i64>) -> Result<(), Break> {
    if entry.n != walked.entries + 1 {
        return Err(Break::Gap { after: walked.entries, found: entry.n });
    }
    let bound = link(entry, walked.link);
    if bound != entry.link {
        return Err(Break::Link(entry.n));
    }
    (walked.entries, walked.link) = (entry.n, bound);
    let said = (entry.at, entry.n);
    walked
        .earliest
        .entry(walked.from)
        .and_modify(|known| *known = (*known).min(said))
        .or_insert(said);
    if wanted.contains(&entry.n) {
        walked.links.insert(entry.n, bound);
        walked.from = entry.n;
    }
    Ok(())
}

const DOMAIN: &[u8] = b"kep audit 1";
