//! Takes new evidence into batches, and stamps all of them anew before the last stamp is too old.

use super::{BATCH, KIND, Noted, Statement, digest_of, leaf, root, root_of};
use crate::evidence::material;
use crate::registry::policy;
use crate::store::archive::{self as rows, Stamp, Subject};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::{Clock, Readiness, StampError, Stamper, Token, Unready};
use crate::wire::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// What stamping the archive needs.
pub struct Archivist {
    pub store: Store,
    pub provider: String,
    pub stamper: Arc<Stamper>,
    pub readiness: Arc<Readiness>,
    pub clock: Clock,
}

/// What came of stamping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stamped {
    /// There is no evidence yet.
    Nothing,
    Now(Stamp),
    /// Another process was faster: its stamp is as good.
    ByAnother(Stamp),
}

#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("time stamp: {0}")]
    Stamp(#[from] StampError),
    #[error("not stamped now: {0}")]
    Unready(#[from] Unready),
}

impl From<RowsError> for ArchiveError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl Archivist {
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                round = self.round() => match round {
                    Ok(None) => {}
                    Ok(Some(stamp)) => tracing::info!(number = stamp.n, "evidence is stamped anew"),
                    Err(error) => {
                        tracing::error!(%error, "evidence could not be stamped anew");
                        metrics::counter!("kep_archive_stamp_failures_total").increment(1);
                    }
                },
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Stamps when it is time; says what it stamped.
    pub async fn round(&self) -> Result<Option<Stamp>, ArchiveError> {
        let now = self.clock.now();
        let look = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
            Ok((policy::at(tx, now)?.archive_interval, rows::last_stamp(tx)?))
        };
        let (interval, last) = self.store.read(look).await?;
        if last.is_some_and(|last| !self.is_due(&last, interval.millis(), now)) {
            return Ok(None);
        }
        match self.stamp().await? {
            Stamped::Now(stamp) => Ok(Some(stamp)),
            Stamped::Nothing | Stamped::ByAnother(_) => Ok(None),
        }
    }

    /// The token tells, not what the rows say of it. One that is not good here may be so for another server on
    /// these rows, which knows other anchors: it is not stamped over each hour.
    fn is_due(&self, last: &Stamp, interval: i64, now: Timestamp) -> bool {
        if let Some(token) = self.token(last) {
            return due(&token, interval, now);
        }
        tracing::warn!(number = last.n, "the last archive stamp is not good here");
        now.millis().saturating_sub(last.stamped_at.millis()).saturating_abs() >= DAY
    }

    /// None when it is not good.
    fn token(&self, stamp: &Stamp) -> Option<Token> {
        self.stamper.verifier().verify(&stamp.token, stamp.statement.as_bytes()).ok()
    }

    /// Stamps now.
    pub async fn stamp(&self) -> Result<Stamped, ArchiveError> {
        self.readiness.check()?;
        self.gather().await?;
        let look = |tx: &mut Tx<'_>| -> Result<_, RowsError> {
            Ok((rows::batches(tx)?, rows::last_stamp(tx)?))
        };
        let (batches, last) = self.store.read(look).await?;
        let Some(newest) = batches.last() else { return Ok(Stamped::Nothing) };
        let statement = Statement {
            kind: KIND.to_owned(),
            provider: self.provider.clone(),
            number: last.as_ref().map_or(0, |last| last.n) + 1,
            batches: newest.n,
            leaves: batches.iter().map(|batch| batch.leaves).sum(),
            root: root_of(&batches).hex(),
            previous: last.as_ref().map_or_else(String::new, |last| digest_of(last).hex()),
            at: self.clock.now().iso8601(),
        };
        let text = statement.text();
        let token = self.stamper.stamp(text.as_bytes()).await?;
        let known = self.readiness.accept(&token).await?;
        let stamp = Stamp {
            n: statement.number,
            statement: text,
            stamped_at: token.gen_time,
            ends_at: token.path.ends().unwrap_or(token.gen_time),
            token: token.der.clone(),
        };
        let own = token.path.certificates().iter().map(material::certificate);
        let mut kept: Vec<_> = own.chain(material::known(&known)).collect();
        // Of those behind the one that this renews, too: later it can't be had. Nobody waits for this.
        let before = last.as_ref().and_then(|last| self.token(last));
        for path in [Some(&token), before.as_ref()].into_iter().flatten().map(|one| &one.path) {
            kept.extend(material::known(&self.readiness.ask(path).await));
        }
        let (new, at) = (stamp.clone(), self.clock.now());
        let add = move |tx: &mut Tx<'_>| -> Result<Option<Stamp>, RowsError> {
            match rows::add_stamp(tx, &new, &kept)? {
                Some(set) => Noted::new(&new, set).record(tx, at).map(|()| None),
                None => rows::last_stamp(tx),
            }
        };
        let there = self.store.write(Lane::Background, add).await?;
        Ok(there.map_or(Stamped::Now(stamp), Stamped::ByAnother))
    }

    /// Takes what is in no batch yet into some.
    async fn gather(&self) -> Result<(), ArchiveError> {
        let mut patience = PATIENCE;
        let mut after = String::new();
        loop {
            let behind = after.clone();
            let look = move |tx: &mut Tx<'_>| rows::subjects(tx, &behind, BATCH);
            let page = self.store.read(look).await?;
            let Some(last) = page.last().map(|last| last.name.clone()) else { break };
            // What another process has taken is looked at once more: it may have taken a part.
            if self.lay(page, &mut patience).await? {
                after = last;
            }
        }
        let mut after = (String::new(), String::new());
        loop {
            let (id, dialect) = after.clone();
            let look = move |tx: &mut Tx<'_>| rows::forms(tx, (&id, &dialect), BATCH);
            let page = self.store.read(look).await?;
            let Some((id, dialect, _)) = page.last() else { return Ok(()) };
            let last = (id.clone(), dialect.clone());
            let page = page.into_iter().map(|(_, _, form)| form).collect();
            if self.lay(page, &mut patience).await? {
                after = last;
            }
        }
    }

    /// Says whether no other process was faster; who is never faster gives up.
    async fn lay(&self, page: Vec<Subject>, patience: &mut u32) -> Result<bool, ArchiveError> {
        let new = page.iter().filter(|subject| subject.leaf.is_none());
        let mut leaves: Vec<_> = new.map(|one| (one.name.clone(), leaf(one))).collect();
        if leaves.is_empty() {
            return Ok(true);
        }
        leaves.sort();
        let root = root(leaves.iter().map(|(_, leaf)| leaf));
        let add = move |tx: &mut Tx<'_>| rows::add_batch(tx, &leaves, root);
        match self.store.write(Lane::Background, add).await {
            Ok(_) => Ok(true),
            Err(RowsError::Undone(_)) if *patience > 0 => {
                *patience -= 1;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The interval is over, or the authority's certificate ends soon; then no more than once a day.
fn due(last: &Token, interval: i64, now: Timestamp) -> bool {
    let age = now.millis() - last.gen_time.millis();
    let left = last.path.ends().unwrap_or(last.gen_time).millis() - now.millis();
    age >= interval.max(DAY) || (left < ENDING && age >= DAY)
}

/// How often another process may be faster in one go.
const PATIENCE: u32 = 100;
const LOOK: Duration = Duration::from_hours(1);
const DAY: i64 = 86_400_000;
const ENDING: i64 = 90 * DAY;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{Anchors, Role, testing};

    #[test]
    fn it_is_time_when_the_interval_is_over_or_the_certificate_ends() {
        let root = testing::authority("Kök");
        let stamps = testing::stamper(&root);
        let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
        let path = Arc::new(anchors.path(stamps.certificate(), &[], Role::TimeStamp).unwrap());
        let ends = path.ends().unwrap();
        // So many days before the certificate ends.
        let due = |begun: i64, age: i64, interval: i64| {
            let gen_time = Timestamp::from_millis(ends.millis() - begun * DAY);
            let (der, serial, policy) = (Vec::new(), String::new(), String::new());
            let path = Arc::clone(&path);
            let last = Token { der, gen_time, accuracy_millis: 0, serial, policy, path };
            due(&last, interval * DAY, gen_time.plus_millis(age * DAY))
        };
        assert!(!due(900, 29, 30));
        assert!(due(900, 30, 30));
        assert!(due(100, 11, 30), "before the certificate ends");
        assert!(!due(1, 0, 30), "one that ends anyway is not asked each hour");
        assert!(!due(900, 0, 0), "no interval is shorter than a day");
    }
}
