//! Policies: what the provider decides and the law may change, as records with the day they begin, a
//! reason and a name. What has begun is never changed; a new decision stands after it, so that what
//! held at any instant can be told for good (invariant 9).

mod kinds;
mod table;

pub use kinds::{Abandoned, DispatchSize, Octets, Passage, Percent, Span, Steps, Unscanned};
pub use table::{DECLARED, Policies};

use super::audit::{self, By};
use super::declared::Declared;
use super::read_policy::{MessageType, PolicyEntry, PolicyTable, ReadPolicy};
use crate::store::policies::{self as rows, PolicyRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::Timestamp;
use serde_json::json;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// A decision, and since when it holds.
pub type Decision = PolicyRow;

#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("there is no policy {0}")]
    Unknown(String),
    #[error("{value:?} is no value of {key}: write {form}")]
    Value { key: &'static str, value: String, form: &'static str },
    #[error("{0} is over: what was in force then stays as it was")]
    Past(Timestamp),
    #[error("a reason is one line of 1 to {REASON} characters")]
    Reason,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for PolicyError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// What is in force then.
pub fn at(tx: &mut Tx<'_>, at: Timestamp) -> Result<Policies, RowsError> {
    let mut policies = Policies::default();
    for row in rows::begun(tx, at)? {
        if !policies.take(&row.key, &row.value) {
            tracing::warn!(key = row.key, value = row.value, "a policy that is not known here");
        }
    }
    Ok(policies)
}

/// What is in force, looked up once a second at most.
pub struct InForce {
    store: Store,
    known: Mutex<Option<(Timestamp, Arc<Policies>)>>,
}

impl InForce {
    pub fn new(store: Store) -> Self {
        Self { store, known: Mutex::default() }
    }

    pub async fn at(&self, now: Timestamp) -> Result<Arc<Policies>, RowsError> {
        if let Some((since, policies)) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && (0..FRESH_MILLIS).contains(&(now.millis() - since.millis()))
        {
            return Ok(Arc::clone(policies));
        }
        let policies = Arc::new(self.store.look_up(move |tx| at(tx, now)).await?);
        let known = Some((now, Arc::clone(&policies)));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(policies)
    }
}

/// Decides. `from` is now, or later.
pub async fn set(
    store: &Store,
    by: &By,
    key: &str,
    value: &str,
    from: Timestamp,
    reason: &str,
) -> Result<Decision, PolicyError> {
    let (row, by) = (decided(by, key, value, from, reason)?, by.clone());
    let new = row.clone();
    store.write(Lane::Client, move |tx: &mut Tx<'_>| set_in(tx, &by, &new)).await?;
    Ok(row)
}

/// A decision that may be made.
pub fn decided(
    by: &By,
    key: &str,
    value: &str,
    from: Timestamp,
    reason: &str,
) -> Result<Decision, PolicyError> {
    let declared = declared(key)?;
    let mut policies = Policies::default();
    if !policies.take(key, value) {
        let value = value.to_owned();
        return Err(PolicyError::Value { key: declared.key, value, form: declared.form });
    }
    if from < by.at {
        return Err(PolicyError::Past(from));
    }
    Ok(PolicyRow {
        key: key.to_owned(),
        valid_from: from,
        seq: 0,
        value: policies.written(key).unwrap_or_default(),
        reason: reasoned(reason)?,
        set_by: by.actor.to_string(),
        set_at: by.at,
    })
}

/// Makes it, within somebody's transaction.
pub fn set_in(tx: &mut Tx<'_>, by: &By, new: &Decision) -> Result<(), StoreError> {
    rows::add(tx, new)?;
    let details = json!({
        "value": new.value, "from": new.valid_from.iso8601(), "reason": new.reason,
    });
    audit::record(tx, by, "policy.set", &new.key, details)?;
    Ok(())
}

/// Takes back what was decided and has not begun; how many decisions.
pub async fn cancel(store: &Store, by: &By, key: &str, reason: &str) -> Result<u64, PolicyError> {
    let (key, reason) = (declared(key)?.key, reasoned(reason)?);
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        let count = rows::cancel(tx, key, by.at)?;
        if count > 0 {
            let details = json!({ "decisions": count, "reason": reason });
            audit::record(tx, &by, "policy.cancel", key, details)?;
        }
        Ok(count)
    };
    Ok(store.write(Lane::Client, work).await?)
}

/// Every decision about a policy, or about all, the earliest first.
pub async fn history(store: &Store, key: Option<&str>) -> Result<Vec<Decision>, PolicyError> {
    let key = key.map(|key| declared(key).map(|declared| declared.key)).transpose()?;
    Ok(store.read(move |tx| rows::history(tx, key)).await?)
}

/// When messages count as read: what the configuration says, and what was decided, by their days.
pub fn read_rules(tx: &mut Tx<'_>, configured: &PolicyTable) -> Result<PolicyTable, RowsError> {
    let mut entries = configured.entries().to_vec();
    for row in rows::of_family(tx, "read")? {
        let Some(message_type) = message_type(&row.key) else { continue };
        // "-" gives the rule back to the configuration, from that day on.
        let rule = match ReadPolicy::from_str(&row.value) {
            Ok(rule) => rule,
            Err(_) => configured.rule(row.valid_from, message_type),
        };
        entries.push(PolicyEntry { from: row.valid_from, message_type, rule });
    }
    Ok(PolicyTable::new(entries))
}

fn message_type(key: &str) -> Option<MessageType> {
    match key {
        "read.standart" => Some(MessageType::Standart),
        "read.e-yazisma" => Some(MessageType::EYazisma),
        "read.e-tebligat" => Some(MessageType::ETebligat),
        _ => None,
    }
}

fn declared(key: &str) -> Result<&'static Declared, PolicyError> {
    let found = DECLARED.iter().find(|declared| declared.key == key);
    found.ok_or_else(|| PolicyError::Unknown(key.to_owned()))
}

fn reasoned(reason: &str) -> Result<String, PolicyError> {
    let reason = reason.trim();
    let length = reason.chars().count();
    let good = (1..=REASON).contains(&length) && !reason.chars().any(char::is_control);
    good.then(|| reason.to_owned()).ok_or(PolicyError::Reason)
}

const FRESH_MILLIS: i64 = 1000;
/// Characters of a reason.
const REASON: usize = 500;

#[cfg(test)]
mod tests;
