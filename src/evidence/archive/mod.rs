//! Archive time stamps over all evidence, in the thought of RFC 4998: each evidence, with what validates
//! it, is a leaf of a batch; a statement names all batches and the statement before it with its token,
//! and a new time stamp is over that. So the newest stamp, whose authority's certificate is good, proves
//! all older ones to have been there while theirs were, for as long as the law asks.

mod run;
mod verify;

pub use run::{ArchiveError, Archivist, Stamped};
pub use verify::{Fault, Verdict, verify};

use crate::registry::audit::{self, By};
use crate::store::archive::{Batch, Stamp, Subject};
use crate::store::{RowsError, Tx};
use crate::wire::digest::sha256_of;
use crate::wire::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is stamped, as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// `kep-archive-1`.
    pub kind: String,
    pub provider: String,
    /// From 1.
    pub number: i64,
    /// Up to which batch it reaches, and how many leaves those have.
    pub batches: i64,
    pub leaves: i64,
    /// SHA-256 over the roots of the batches, hex.
    pub root: String,
    /// SHA-256 over the statement before and its token; empty in the first.
    pub previous: String,
    pub at: String,
}

impl Statement {
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|statement: &Self| statement.kind == KIND)
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// SHA-256 over: `kep archive leaf 1`, the length of the name in octets (8, big-endian), the name, the
/// SHA-256 of the document, that of its material's digests in their order.
pub fn leaf(subject: &Subject) -> Digest {
    let length = (subject.name.len() as u64).to_be_bytes();
    let name = subject.name.as_bytes();
    sha256_of([LEAF, &length, name, &subject.document.0, &subject.material.0])
}

/// SHA-256 over leaves, in the order of their names.
fn root<'a>(leaves: impl IntoIterator<Item = &'a Digest>) -> Digest {
    sha256_of(leaves.into_iter().map(|leaf| &leaf.0[..]))
}

fn root_of(batches: &[Batch]) -> Digest {
    root(batches.iter().map(|batch| &batch.root))
}

/// What the audit has of a stamp; copies of its seals stand elsewhere.
#[derive(PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Noted {
    number: i64,
    /// As the next statement names it.
    digest: String,
    /// Over the digests of what was kept with it, in their order.
    material: String,
}

impl Noted {
    fn new(stamp: &Stamp, material: Digest) -> Self {
        Self { number: stamp.n, digest: digest_of(stamp).hex(), material: material.hex() }
    }

    fn record(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<(), RowsError> {
        let Self { number, digest, material } = self;
        let details = json!({ "number": number, "digest": digest, "material": material });
        audit::record(tx, &By::system("archive", at), ACT, SUBJECT, details).map(drop)
    }

    /// All of them; of an entry that is none its own number.
    fn all(tx: &mut Tx<'_>) -> Result<Vec<Result<Self, i64>>, RowsError> {
        let all = audit::all_of(tx, SUBJECT, ACT)?.into_iter();
        Ok(all.map(|entry| serde_json::from_value(entry.details).map_err(|_| entry.n)).collect())
    }
}

fn digest_of(stamp: &Stamp) -> Digest {
    sha256_of([stamp.statement.as_bytes(), &stamp.token])
}

const ACT: &str = "evidence.archive-stamp";
const SUBJECT: &str = "evidence archive";
const KIND: &str = "kep-archive-1";
const LEAF: &[u8] = b"kep archive leaf 1";
/// Leaves of a batch.
const BATCH: i64 = 1024;
