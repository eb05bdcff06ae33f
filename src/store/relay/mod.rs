//! Rows of the relay queue: mail on its way to other providers, a queue for each, so that a hundred
//! thousand for one that is down cost the others nothing; and how each one's server was found.
//!
//! Taking a row leases it as `jobs` does: in memory with SQLite, in the row with PostgreSQL.

mod health;
mod operator;
mod queue;
mod windows;

pub use health::{Health, Trouble, health, set_held, set_unwell, set_well};
pub use operator::{Count, counts, hold, holds, hurry, in_trouble, list, release, waits_for};
pub use queue::{find, finish, give_back, lay_in, next_due, providers, put_off, set_aside, take};
pub use windows::{lease_since, oldest, since};

use super::rows::{Row, RowsError, Tx};
use crate::wire::{ContentId, KepDomain, MessageId, Timestamp};

/// The bell of whoever relays.
pub const BELL: &str = "relay";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Dispatch,
    /// The mail of an evidence.
    Evidence,
}

/// A mail to be laid in. The same name a second time changes nothing.
#[derive(Clone, Debug)]
pub struct NewRelay<'a> {
    pub name: &'a str,
    pub provider: &'a KepDomain,
    pub kind: Kind,
    pub message: &'a MessageId,
    /// Empty for a dispatch.
    pub evidence: &'a str,
    pub content: ContentId,
    pub now: Timestamp,
}

/// A mail in the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    pub id: i64,
    pub name: String,
    pub provider: KepDomain,
    pub kind: Kind,
    pub message: MessageId,
    pub evidence: String,
    pub content: ContentId,
    pub since: Timestamp,
    pub due: Timestamp,
    pub attempts: u32,
    pub held: bool,
    /// What was heard the last time; empty before.
    pub reply: String,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Evidence => "evidence",
        }
    }

    fn parse(word: &str) -> Result<Self, RowsError> {
        [Self::Dispatch, Self::Evidence]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or(RowsError::Stored("what is relayed"))
    }
}

/// The mails whose identifiers stand first in these rows. One that can't be read is no reason to leave the
/// others waiting.
fn readable(tx: &mut Tx<'_>, rows: &[Row]) -> Result<Vec<Queued>, RowsError> {
    let mut found = Vec::with_capacity(rows.len());
    for id in rows {
        found.extend(read(tx, id.int(0)?)?);
    }
    Ok(found)
}

fn read(tx: &mut Tx<'_>, id: i64) -> Result<Option<Queued>, RowsError> {
    let passed = |error: &RowsError| tracing::error!(id, %error, "a mail is passed over");
    Ok(row(tx, id)?.and_then(|row| queued(&row).inspect_err(passed).ok()))
}

fn row(tx: &mut Tx<'_>, id: i64) -> Result<Option<Row>, RowsError> {
    tx.first(
        "SELECT id, name, provider, kind, message_id, evidence, content, since, due_at, attempts,
                held, reply FROM relay WHERE id = $1",
        &[id.into()],
    )
}

fn queued(row: &Row) -> Result<Queued, RowsError> {
    Ok(Queued {
        id: row.int(0)?,
        name: row.text(1)?.to_owned(),
        provider: domain(row.text(2)?)?,
        kind: Kind::parse(row.text(3)?)?,
        message: super::submissions::message_id(row.text(4)?)?,
        evidence: row.text(5)?.to_owned(),
        content: ContentId(row.int(6)?),
        since: Timestamp::from_millis(row.int(7)?),
        due: Timestamp::from_millis(row.int(8)?),
        attempts: row.int(9)?.try_into().unwrap_or(u32::MAX),
        held: row.int(10)? != 0,
        reply: row.text(11)?.to_owned(),
    })
}

fn domain(text: &str) -> Result<KepDomain, RowsError> {
    KepDomain::registered(text).map_err(|_| RowsError::Stored("a provider's domain"))
}

/// Longer than one mail may take (`deliver::dial`): processes of one store give a crashed one's back.
const LEASE: i64 = 3_600_000;
