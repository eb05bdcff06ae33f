//! A question, from its asker to the answer: counted and noted before anything is looked at, answered from
//! our own entries and by the central directory, and what was told noted beside it.

use super::dial::CentralDirectory;
use super::entry;
use super::fault::DirectoryError;
use super::query::{Key, Query};
use super::record::Record;
use crate::registry::audit::{self, By};
use crate::registry::policy;
use crate::store::directory::EntryRow;
use crate::store::directory::query::{self as rows, QueryRow, ToldRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::wire::{AccountId, KepDomain, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// All that answers.
#[derive(Clone)]
pub struct Directory {
    pub store: Store,
    pub ours: KepDomain,
    /// Other providers' entries.
    pub central: Option<Arc<CentralDirectory>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Ours first. Empty when there are more than may be told at once.
    pub found: Vec<Found>,
    /// There are more: a narrower question is needed.
    pub more: bool,
    /// What would tell several apart, the identity number last.
    pub ask: Vec<Key>,
    pub central: Central,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub record: Record,
    pub source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    Own,
    Central,
}

/// What became of the question to the central directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Central {
    /// None is configured.
    Absent,
    /// It is about our own account.
    NotAsked,
    Answered,
    /// Some of what it said was not well-formed and is left out.
    Partial,
    /// What is told is our own entries alone.
    Unreachable,
}

impl Central {
    pub fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::NotAsked => "not-asked",
            Self::Answered => "answered",
            Self::Partial => "partial",
            Self::Unreachable => "unreachable",
        }
    }

    /// What people are told of it; nothing when all is well.
    pub fn said(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::NotAsked | Self::Answered => return None,
            Self::Absent => (
                "Merkezi rehber tanımlı değil; yalnızca bu sağlayıcının kayıtları gösteriliyor.",
                "no central directory is configured; these are this provider's entries alone",
            ),
            Self::Partial => (
                "Merkezi rehberin yanıtının bir bölümü okunamadı; sonuçlar eksik olabilir.",
                "a part of the central directory's answer could not be read; some may be missing",
            ),
            Self::Unreachable => (
                "Merkezi rehbere ulaşılamadı; yalnızca bu sağlayıcının kayıtları gösteriliyor.",
                "the central directory could not be reached; these are this provider's entries alone",
            ),
        })
    }
}

/// A question in the log: who, what kind, by which keys, how much was told.
pub type Asked = QueryRow;

/// Asks for an account.
pub async fn ask(
    directory: &Directory,
    account: AccountId,
    query: Query,
    by: By,
) -> Result<Answer, DirectoryError> {
    let store = &directory.store;
    let keys = query.given().iter().map(|key| key.word()).collect::<Vec<_>>().join(" ");
    let (id, most) =
        enter(store, account, Noted { kind: query.word(), keys, tells: None }, by).await?;
    let own = {
        let query = query.clone();
        let look = move |tx: &mut Tx<'_>| found(tx, &query);
        store.read(look).await?
    };
    let (others, central) = others(directory, &query, most).await;
    let answer = weigh(&query, own, others, central, most);
    let (results, word) = (answer.found.len() as i64, answer.central.word());
    answered(store, id, results, word).await?;
    metrics::counter!("kep_directory_queries_total", "kind" => query.word(), "central" => word)
        .increment(1);
    Ok(answer)
}

/// The newest questions of an account, or of all.
pub async fn log(
    store: &Store,
    account: Option<AccountId>,
    limit: usize,
) -> Result<Vec<Asked>, DirectoryError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(store.read(move |tx| rows::log(tx, account, limit)).await?)
}

/// Questions of an account before the one of this number, the newest first, in a transaction.
pub fn log_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Asked>, DirectoryError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(rows::log_of(tx, account, before.unwrap_or(i64::MAX), limit)?)
}

/// The same of an account or of all.
pub fn log_page(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Asked>, RowsError> {
    rows::log_page(tx, account, before, limit)
}

/// What is noted of a question before it is answered.
pub(super) struct Noted {
    pub kind: &'static str,
    /// Words of keys, a space between.
    pub keys: String,
    /// Entries that it tells of; nobody knows before of how many a question does.
    pub tells: Option<i64>,
}

/// Notes how much was told.
pub(super) async fn answered(
    store: &Store,
    id: i64,
    results: i64,
    central: &'static str,
) -> Result<(), DirectoryError> {
    let note = move |tx: &mut Tx<'_>| rows::answered(tx, id, results, central);
    Ok(store.write(Lane::Client, note).await?)
}

/// Counts the question and notes it; says its number and how many entries may be told at once.
pub(super) async fn enter(
    store: &Store,
    account: AccountId,
    Noted { kind, keys, tells }: Noted,
    by: By,
) -> Result<(i64, usize), DirectoryError> {
    let row = QueryRow {
        id: 0,
        account,
        actor: by.actor.to_string(),
        channel: by.channel.word().to_owned(),
        kind: kind.to_owned(),
        keys,
        asked_at: by.at,
        results: None,
        central: String::new(),
    };
    let work = move |tx: &mut Tx<'_>| -> Result<_, DirectoryError> {
        accounts::lock(tx, account)?;
        let policies = policy::at(tx, by.at)?;
        let hour = by.at.plus_secs(-HOUR_SECS);
        let (asked, first) = rows::asked_since(tx, account, hour)?;
        if asked >= i64::from(policies.directory_queries_per_hour) {
            let first = first.unwrap_or(by.at);
            return Err(DirectoryError::Often(first.plus_secs(HOUR_SECS)));
        }
        let told = rows::told_since(tx, account, by.at.plus_secs(-DAY_SECS))?;
        let bound = i64::from(policies.directory_results_per_day);
        let left = left(&told, bound, tells.unwrap_or(1), by.at).map_err(DirectoryError::Often)?;
        let most = tells.unwrap_or_else(|| left.min(i64::from(policies.directory_results)));
        let id = rows::note(tx, &row, most)?;
        let address = accounts::by_id(tx, account)?.address;
        let details = json!({ "kind": row.kind, "keys": row.keys });
        audit::record(tx, &by, "directory.query", &address, details)?;
        Ok((id, usize::try_from(most).unwrap_or(0)))
    };
    store.write(Lane::Client, work).await
}

/// How many entries may be told yet today, when it is as many as are needed; else when it will be. What is
/// being answered counts as all that it may be told.
fn left(told: &[ToldRow], bound: i64, needed: i64, now: Timestamp) -> Result<i64, Timestamp> {
    let counts = |row: &ToldRow| match row.results {
        Some(results) => (row.asked_at.plus_secs(DAY_SECS), results),
        None => (row.asked_at.plus_secs(UNDER_WAY_SECS), row.most),
    };
    let mut counted: Vec<_> = told.iter().map(counts).filter(|(until, _)| *until > now).collect();
    let sum = counted.iter().fold(0_i64, |sum, (_, told)| sum.saturating_add(*told));
    let mut left = bound.saturating_sub(sum);
    if left >= needed {
        return Ok(left);
    }
    counted.sort_unstable();
    for (until, told) in counted {
        left = left.saturating_add(told);
        if left >= needed {
            return Err(until);
        }
    }
    // More than anybody is told in a day.
    Err(now.plus_secs(DAY_SECS))
}

/// Our own, and whether there are more candidates than anybody looks at.
fn found(tx: &mut Tx<'_>, query: &Query) -> Result<(Vec<EntryRow>, bool), DirectoryError> {
    let Some(by) = query.by() else { return Ok((Vec::new(), false)) };
    let candidates = rows::find(tx, &by, CANDIDATES)?;
    let more = candidates.len() as i64 >= CANDIDATES;
    let mut found = Vec::new();
    for row in candidates {
        if entry::read(&row)?.is_some_and(|record| query.fits(&record, &row.keys)) {
            found.push(row);
        }
    }
    Ok((found, more))
}

/// What the central directory has of other providers' accounts. What it says of ours counts for nothing:
/// who has taken his consent back is not told of by its older copy.
async fn others(
    directory: &Directory,
    query: &Query,
    most: usize,
) -> (Option<(Vec<Record>, bool)>, Central) {
    let Some(central) = &directory.central else { return (None, Central::Absent) };
    let ours = |domain: KepDomain| domain.provider() == directory.ours.provider();
    if query.address().is_some_and(|address| ours(address.domain())) {
        return (None, Central::NotAsked);
    }
    match central.ask(query.form(), most).await {
        Ok(heard) => {
            let foreign = heard.records.into_iter().filter(|(address, record)| {
                !ours(address.domain()) && query.kind().is_none_or(|kind| kind == record.kind)
            });
            let records = foreign.map(|(_, record)| record).collect();
            let state = if heard.unsound > 0 { Central::Partial } else { Central::Answered };
            (Some((records, heard.more)), state)
        }
        Err(error) => {
            tracing::warn!(%error, "the central directory did not answer");
            (None, Central::Unreachable)
        }
    }
}

fn weigh(
    query: &Query,
    (mut own, more): (Vec<EntryRow>, bool),
    others: Option<(Vec<Record>, bool)>,
    central: Central,
    most: usize,
) -> Answer {
    // Theirs it was asked with.
    let elsewhere = others.as_ref().map_or(0, |(others, _)| others.len());
    if let Some(identity) = query.identity().filter(|_| own.len() + elsewhere > 1) {
        let is = |own: &String| own.eq_ignore_ascii_case(identity);
        own.retain(|row| row.keys.identity.as_ref().is_some_and(is));
    }
    let own = own.iter().filter_map(|row| entry::read(row).ok().flatten());
    let mut found: Vec<_> = own.map(|record| Found { record, source: Source::Own }).collect();
    let (others, more_there) = others.unwrap_or_default();
    for record in others {
        if found.iter().all(|known| known.record.address != record.address) {
            found.push(Found { record, source: Source::Central });
        }
    }
    let more = more || more_there || found.len() > most;
    let several = more || found.len() > 1;
    if more {
        found.clear();
    }
    Answer { found, more, ask: if several { query.to_ask() } else { Vec::new() }, central }
}

/// Forgets questions that are older than the policy keeps them.
pub(super) async fn forget(store: &Store, now: Timestamp) -> Result<u64, DirectoryError> {
    let work = move |tx: &mut Tx<'_>| -> Result<u64, DirectoryError> {
        let kept = policy::at(tx, now)?.directory_log.millis();
        Ok(rows::forget(tx, now.plus_millis(-kept))?)
    };
    store.write(Lane::Background, work).await
}

const HOUR_SECS: i64 = 3600;
const DAY_SECS: i64 = 24 * HOUR_SECS;
/// Longer than any answer takes: what is not answered by then never will be.
const UNDER_WAY_SECS: i64 = 300;
/// Entries of one key that are looked at; more than these no answer could tell apart.
const CANDIDATES: i64 = 1000;
