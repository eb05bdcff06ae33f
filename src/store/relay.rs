//! Rows of the relay queue: mail on its way to other providers, a queue for each, so that a hundred
//! thousand for one that is down cost the others nothing; and how each one's server was found.
//!
//! Taking a row leases it as `jobs` does: in memory with SQLite, in the row with PostgreSQL.

use super::jobs::Leases;
use super::rows::{Param, Row, RowsError, Tx};
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

/// What is the matter with a provider's server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    Unreachable,
    /// It can't be found, or is not the one that the registry knows.
    NotIdentified,
}

/// How a provider's server was found. The default is a well one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Since it was well.
    pub failures: u32,
    pub trouble: Trouble,
    pub reply: String,
    pub down_since: Timestamp,
    /// Not asked again before.
    pub probe_at: Timestamp,
    /// By an operator: nothing is sent.
    pub held: bool,
}

/// A provider's queue in figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    pub provider: String,
    pub waiting: u64,
    pub held: u64,
    pub oldest: Timestamp,
}

pub fn lay_in(tx: &mut Tx<'_>, new: &NewRelay<'_>) -> Result<(), RowsError> {
    super::contents::hold(tx, new.content)?;
    tx.execute(
        "INSERT INTO relay (name, provider, kind, message_id, evidence, content, since, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (name) DO NOTHING",
        &[
            new.name.into(),
            new.provider.as_str().into(),
            new.kind.word().into(),
            new.message.as_str().into(),
            new.evidence.into(),
            new.content.0.into(),
            new.now.millis().into(),
        ],
    )?;
    tx.wakes.step(BELL);
    Ok(())
}

/// The providers that something waits for. One look into the index each, however long their queues.
pub fn providers(tx: &mut Tx<'_>) -> Result<Vec<KepDomain>, RowsError> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let sql = "SELECT MIN(provider) FROM relay WHERE provider > $1";
        let row = tx.first(sql, &[(&after).into()])?;
        let Some(next) = row.as_ref().map(|row| row.opt_text(0)).transpose()?.flatten() else {
            return Ok(found);
        };
        match domain(next) {
            Ok(domain) => found.push(domain),
            Err(error) => tracing::error!(provider = next, %error, "its queue is passed over"),
        }
        after = next.to_owned();
    }
}

/// Up to `limit` mails for a provider that are due and that nobody has; oldest first.
pub fn take(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
    limit: usize,
    leases: &Leases,
) -> Result<Vec<Queued>, RowsError> {
    if tx.shared() {
        return lease(tx, provider, now, limit);
    }
    let ahead = (limit + leases.held() + UNREADABLE) as i64;
    let rows = tx.query(
        "SELECT id FROM relay WHERE provider = $1 AND held = 0 AND due_at <= $2
         ORDER BY due_at, id LIMIT $3",
        &[provider.as_str().into(), now.millis().into(), ahead.into()],
    )?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for id in leases.free(ids) {
        if found.len() == limit {
            break;
        }
        found.extend(row(tx, id)?.as_ref().and_then(readable));
    }
    Ok(found)
}

fn lease(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let rows = tx.query(
        "WITH free AS MATERIALIZED (
             SELECT id FROM relay WHERE provider = $2 AND held = 0 AND due_at <= $3
             AND leased_until <= $3 ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
         UPDATE relay SET leased_until = $1 FROM free WHERE relay.id = free.id
         RETURNING relay.id, name, provider, kind, message_id, evidence, content, since, due_at,
                   attempts, held, reply",
        &[
            now.plus_millis(LEASE).millis().into(),
            provider.as_str().into(),
            now.millis().into(),
            (limit as i64).into(),
        ],
    )?;
    let mut found: Vec<_> = rows.iter().filter_map(readable).collect();
    found.sort_by_key(|queued| (queued.due, queued.id));
    // Nothing but rows that can't be read: they are leased now, and stand in nobody's way.
    match found.is_empty() && !rows.is_empty() {
        true => lease(tx, provider, now, limit),
        false => Ok(found),
    }
}

/// When the next mail for a provider falls due that is not due yet.
pub fn next_due(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    now: Timestamp,
) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT MIN(due_at) FROM relay WHERE provider = $1 AND held = 0 AND due_at > $2",
        &[provider.as_str().into(), now.millis().into()],
    )?;
    let due = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(due.map(Timestamp::from_millis))
}

/// Mails of a kind, held or not, that have waited since before `until` and that nobody with another set
/// of leases has; those longest first.
pub fn since(
    tx: &mut Tx<'_>,
    (kind, held): (Kind, bool),
    until: Timestamp,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let rows = tx.query(
        "SELECT id, name, provider, kind, message_id, evidence, content, since, due_at, attempts,
                held, reply FROM relay
         WHERE kind = $1 AND held = $2 AND since <= $3 AND leased_until <= $4
         ORDER BY since, id LIMIT $5",
        &[
            kind.word().into(),
            held.into(),
            until.millis().into(),
            now.millis().into(),
            (limit as i64).into(),
        ],
    )?;
    Ok(rows.iter().filter_map(readable).collect())
}

/// As `since`, and leased in their rows: where a store is shared, nobody ends what another sends.
pub fn lease_since(
    tx: &mut Tx<'_>,
    (kind, held): (Kind, bool),
    until: Timestamp,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let rows = tx.query(
        "WITH free AS MATERIALIZED (
             SELECT id FROM relay WHERE kind = $2 AND held = $3 AND since <= $4
             AND leased_until <= $5 ORDER BY since, id LIMIT $6 FOR UPDATE SKIP LOCKED)
         UPDATE relay SET leased_until = $1 FROM free WHERE relay.id = free.id
         RETURNING relay.id, name, provider, kind, message_id, evidence, content, since, due_at,
                   attempts, held, reply",
        &[
            now.plus_millis(LEASE).millis().into(),
            kind.word().into(),
            held.into(),
            until.millis().into(),
            now.millis().into(),
            (limit as i64).into(),
        ],
    )?;
    Ok(rows.iter().filter_map(readable).collect())
}

/// Since when the longest has waited of those that have waited since after `until`.
pub fn oldest(
    tx: &mut Tx<'_>,
    (kind, held): (Kind, bool),
    until: Timestamp,
) -> Result<Option<Timestamp>, RowsError> {
    let row = tx.first(
        "SELECT MIN(since) FROM relay WHERE kind = $1 AND held = $2 AND since > $3",
        &[kind.word().into(), held.into(), until.millis().into()],
    )?;
    let since = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(since.map(Timestamp::from_millis))
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<Queued>, RowsError> {
    row(tx, id)?.as_ref().map(queued).transpose()
}

fn row(tx: &mut Tx<'_>, id: i64) -> Result<Option<Row>, RowsError> {
    tx.first(
        "SELECT id, name, provider, kind, message_id, evidence, content, since, due_at, attempts,
                held, reply FROM relay WHERE id = $1",
        &[id.into()],
    )
}

/// The queue, of one provider or of all; those that have waited longest first.
pub fn list(
    tx: &mut Tx<'_>,
    provider: Option<&KepDomain>,
    limit: usize,
) -> Result<Vec<Queued>, RowsError> {
    let limit = Param::from(limit as i64);
    let rows = match provider {
        Some(provider) => tx.query(
            "SELECT id, name, provider, kind, message_id, evidence, content, since, due_at,
                    attempts, held, reply FROM relay WHERE provider = $1
             ORDER BY since, id LIMIT $2",
            &[provider.as_str().into(), limit],
        )?,
        None => tx.query(
            "SELECT id, name, provider, kind, message_id, evidence, content, since, due_at,
                    attempts, held, reply FROM relay ORDER BY since, id LIMIT $1",
            &[limit],
        )?,
    };
    rows.iter().map(queued).collect()
}

/// The other provider has it, or nobody waits for it any more.
pub fn finish(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM relay WHERE id = $1", &[id.into()])? == 1)
}

/// It did not go now, and is due again later.
pub fn put_off(tx: &mut Tx<'_>, id: i64, due: Timestamp, reply: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE relay SET due_at = $1, reply = $2, attempts = attempts + 1, leased_until = 0
         WHERE id = $3",
        &[due.millis().into(), reply.into(), id.into()],
    )?;
    Ok(())
}

/// It was taken and not tried: another may take it.
pub fn give_back(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute("UPDATE relay SET leased_until = 0 WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Whoever had it could do nothing: it waits for an operator. One that was let go on meanwhile stays.
pub fn set_aside(tx: &mut Tx<'_>, queued: &Queued, why: &str) -> Result<(), RowsError> {
    give_back(tx, queued.id)?;
    tx.execute(
        "UPDATE relay SET held = 1, reply = $1 WHERE id = $2 AND since = $3",
        &[why.into(), queued.id.into(), queued.since.millis().into()],
    )?;
    Ok(())
}

/// An operator keeps a mail back. Whoever has it already may still send it.
pub fn hold(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    tx.wakes.step(BELL);
    Ok(tx.execute("UPDATE relay SET held = 1 WHERE id = $1", &[id.into()])? == 1)
}

/// An operator lets mails go on: one, or all of a provider that are held. Says how many. The window of
/// an evidence mail begins anew; that of a dispatch is its sender's.
pub fn release(
    tx: &mut Tx<'_>,
    which: Result<i64, &KepDomain>,
    now: Timestamp,
) -> Result<u64, RowsError> {
    tx.wakes.step(BELL);
    let now = Param::from(now.millis());
    match which {
        Ok(id) => tx.execute(
            "UPDATE relay SET held = 0,
                 since = CASE kind WHEN 'evidence' THEN $1 ELSE since END WHERE id = $2",
            &[now, id.into()],
        ),
        Err(provider) => tx.execute(
            "UPDATE relay SET held = 0,
                 since = CASE kind WHEN 'evidence' THEN $1 ELSE since END
             WHERE provider = $2 AND held = 1",
            &[now, provider.as_str().into()],
        ),
    }
}

/// Mails are due now: one, or all of a provider. Says how many.
pub fn hurry(
    tx: &mut Tx<'_>,
    which: Result<i64, &KepDomain>,
    now: Timestamp,
) -> Result<u64, RowsError> {
    tx.wakes.step(BELL);
    let due = Param::from(now.millis());
    match which {
        Ok(id) => tx.execute("UPDATE relay SET due_at = $1 WHERE id = $2", &[due, id.into()]),
        Err(provider) => tx.execute(
            "UPDATE relay SET due_at = $1 WHERE provider = $2 AND held = 0 AND due_at > $1",
            &[due, provider.as_str().into()],
        ),
    }
}

/// Each provider that something waits for.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<Count>, RowsError> {
    let rows = tx.query(
        "SELECT provider, COUNT(*), CAST(SUM(held) AS BIGINT), MIN(since) FROM relay
         GROUP BY provider ORDER BY provider",
        &[],
    )?;
    let count = |row: &Row| {
        Ok(Count {
            provider: row.text(0)?.to_owned(),
            waiting: row.int(1)? as u64,
            held: row.int(2)? as u64,
            oldest: Timestamp::from_millis(row.int(3)?),
        })
    };
    rows.iter().map(count).collect()
}

/// Each provider whose server is not well, or that nothing is sent to by an operator.
pub fn in_trouble(tx: &mut Tx<'_>) -> Result<Vec<KepDomain>, RowsError> {
    let sql = "SELECT provider FROM relay_peer WHERE held = 1 OR failures > 0 ORDER BY provider";
    let rows = tx.query(sql, &[])?;
    let domain = |row: &Row| {
        KepDomain::parse(row.text(0)?).map_err(|_| RowsError::Stored("another provider's domain"))
    };
    rows.iter().map(domain).collect()
}

pub fn waits_for(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM relay WHERE provider = $1 LIMIT 1";
    Ok(tx.first(sql, &[provider.as_str().into()])?.is_some())
}

pub fn health(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<Health, RowsError> {
    let row = tx.first(
        "SELECT failures, trouble, reply, down_since, probe_at, held FROM relay_peer
         WHERE provider = $1",
        &[provider.as_str().into()],
    )?;
    let Some(row) = row else { return Ok(Health::default()) };
    Ok(Health {
        failures: row.int(0)?.try_into().unwrap_or(u32::MAX),
        trouble: Trouble::parse(row.text(1)?)?,
        reply: row.text(2)?.to_owned(),
        down_since: Timestamp::from_millis(row.int(3)?),
        probe_at: Timestamp::from_millis(row.int(4)?),
        held: row.int(5)? != 0,
    })
}

/// The server is not well. What an operator holds stays held, whoever says so at the same time.
pub fn set_unwell(tx: &mut Tx<'_>, provider: &KepDomain, health: &Health) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "INSERT INTO relay_peer (provider, failures, trouble, reply, down_since, probe_at, held)
         VALUES ($1, $2, $3, $4, $5, $6, 0)
         ON CONFLICT (provider) DO UPDATE SET failures = excluded.failures,
             trouble = excluded.trouble, reply = excluded.reply,
             down_since = excluded.down_since, probe_at = excluded.probe_at",
        &[
            provider.as_str().into(),
            i64::from(health.failures).into(),
            health.trouble.word().into(),
            (&health.reply).into(),
            health.down_since.millis().into(),
            health.probe_at.millis().into(),
        ],
    )?;
    Ok(())
}

/// The server is well, or is to be asked again now; what an operator holds stays held.
pub fn set_well(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "UPDATE relay_peer SET failures = 0, trouble = $1, reply = '', down_since = 0, probe_at = 0
         WHERE provider = $2",
        &[Trouble::Unreachable.word().into(), provider.as_str().into()],
    )?;
    forget_well(tx, provider)
}

/// An operator holds what is for a provider, or lets it go on; how its server was found stays.
pub fn set_held(tx: &mut Tx<'_>, provider: &KepDomain, held: bool) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "INSERT INTO relay_peer (provider, failures, trouble, reply, down_since, probe_at, held)
         VALUES ($1, 0, $2, '', 0, 0, $3) ON CONFLICT (provider) DO UPDATE SET held = excluded.held",
        &[provider.as_str().into(), Trouble::Unreachable.word().into(), held.into()],
    )?;
    forget_well(tx, provider)
}

fn forget_well(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM relay_peer WHERE provider = $1 AND failures = 0 AND held = 0",
        &[provider.as_str().into()],
    )?;
    Ok(())
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

impl Trouble {
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::NotIdentified => "not-identified",
        }
    }

    fn parse(word: &str) -> Result<Self, RowsError> {
        [Self::Unreachable, Self::NotIdentified]
            .into_iter()
            .find(|trouble| trouble.word() == word)
            .ok_or(RowsError::Stored("the trouble with a provider"))
    }
}

impl Health {
    pub fn is_down(&self) -> bool {
        self.failures > 0
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            failures: 0,
            trouble: Trouble::Unreachable,
            reply: String::new(),
            down_since: Timestamp::from_millis(0),
            probe_at: Timestamp::from_millis(0),
            held: false,
        }
    }
}

/// One row that can't be read is no reason to leave the others waiting.
fn readable(row: &Row) -> Option<Queued> {
    let id = row.int(0).unwrap_or_default();
    queued(row).inspect_err(|error| tracing::error!(id, %error, "a mail is passed over")).ok()
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
    KepDomain::parse(text).map_err(|_| RowsError::Stored("a provider's domain"))
}

/// So many rows that can't be read stand in nobody's way.
const UNREADABLE: usize = 16;
/// Longer than one mail may take (`deliver::dial`): processes of one store give a crashed one's back.
const LEASE: i64 = 3_600_000;
