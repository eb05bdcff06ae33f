//! Jobs and facts between the steps: lay in, take (leased), finish, in one transaction each. Steps
//! meet only here.

pub mod errand;
pub mod fact;
pub mod opening;
pub mod relay;
mod run;

pub use errand::{Errand, hurry_notice, low, notify, unread};
pub use fact::{Channel, Fact};
pub use relay::{relay, relay_evidence};
pub use run::{carried, caught, pause, rest, run};

use crate::store::jobs::{self, Job, Lease, Leases};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::{MessageId, Timestamp};
use std::time::Duration;

/// A step that takes jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Accepted → sealed into a dispatch; payload: the message id.
    Certify,
    /// Another provider's dispatch → into the mailboxes here; payload: the message id.
    Consign,
    /// A fact → evidence; payload: the fact.
    Evidence,
    /// A time ends, to read or to hear of what was relayed; payload: the fact that it is then.
    Expire,
    /// Something is to be said outside KEP, or it is time to look whether it is; payload: the errand.
    Notify,
    /// Taken while the virus scanner was away → scanned; payload: the message id.
    Scan,
}

impl Step {
    pub fn word(self) -> &'static str {
        match self {
            Self::Certify => "certify",
            Self::Consign => "consign",
            Self::Evidence => "evidence",
            Self::Expire => "expire",
            Self::Notify => "notify",
            Self::Scan => "scan",
        }
    }
}

/// Lays in that an accepted message is to be sealed.
pub fn certify(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<(), RowsError> {
    jobs::lay_in(tx, Step::Certify.word(), &format!("certify/{id}"), id.as_str(), now)
}

/// Lays in that a message is to be shown to the virus scanner.
pub fn scan(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<(), RowsError> {
    jobs::lay_in(tx, Step::Scan.word(), &format!("scan/{id}"), id.as_str(), now)
}

/// Lays in that another provider's dispatch is to be delivered here.
pub fn consign(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<(), RowsError> {
    jobs::lay_in(tx, Step::Consign.word(), &format!("consign/{id}"), id.as_str(), now)
}

/// Lays a fact in; the same fact twice is one.
pub fn fact(tx: &mut Tx<'_>, fact: &Fact, now: Timestamp) -> Result<(), RowsError> {
    jobs::lay_in(tx, Step::Evidence.word(), &fact.name(), &fact.to_json()?, now)
}

/// Lays a fact in that is none before another's evidence is there: it waits for
/// [`release_read`].
fn held_fact(tx: &mut Tx<'_>, fact: &Fact) -> Result<(), RowsError> {
    jobs::lay_in(tx, Step::Evidence.word(), &fact.name(), &fact.to_json()?, jobs::HELD)
}

/// The delivery to a recipient has its evidence: if he has read already, that may have its own now.
/// To be called after the row of the recipient says so, in the same transaction.
pub fn release_read(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let name = fact::read_name(id.as_str(), recipient);
    jobs::release(tx, Step::Evidence.word(), &name, now)
}

/// Lays in that a recipient's time to read ends at `due`. The job's name is not the fact's: who
/// opens late lays that in while this one waits.
pub fn expire(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: usize,
    due: Timestamp,
) -> Result<(), RowsError> {
    let fact = Fact::Expired { message: id.to_string(), recipient, at: due.millis() };
    let name = format!("expire/{id}/{recipient}");
    jobs::lay_in(tx, Step::Expire.word(), &name, &fact.to_json()?, due)
}

/// Jobs of one step, leased to this process.
#[derive(Clone)]
pub struct Takers {
    store: Store,
    step: Step,
    leases: Leases,
}

/// A job and its lease; dropping it gives the job back.
pub struct Taken {
    pub job: Job,
    pub lease: Lease,
}

impl Takers {
    pub fn new(store: &Store, step: Step) -> Self {
        Self { store: store.clone(), step, leases: Leases::default() }
    }

    pub fn step(&self) -> &'static str {
        self.step.word()
    }

    /// Up to `limit` jobs that are due now.
    pub async fn take(&self, now: Timestamp, limit: usize) -> Result<Vec<Taken>, StoreError> {
        let step = self.step.word();
        let ahead = limit + self.leases.held();
        let jobs = match self.store.shared() {
            true => {
                let until = now.plus_millis(LEASE.as_millis() as i64);
                let work = move |tx: &mut Tx<'_>| jobs::lease_due(tx, step, now, until, limit);
                self.store.write(Lane::Background, work).await?
            }
            false => {
                let leases = self.leases.clone();
                let work = move |tx: &mut Tx<'_>| jobs::due(tx, step, now, ahead, &leases);
                self.store.look_up(work).await?
            }
        };
        let taken = jobs.into_iter().filter_map(|job| {
            let lease = self.leases.take(job.id)?;
            Some(Taken { job, lease })
        });
        Ok(taken.take(limit).collect())
    }

    /// Waits until a job may be there: one was laid in, or the next one falls due.
    pub async fn wait(&self, now: Timestamp) -> Result<(), StoreError> {
        let step = self.step.word();
        let next = self.store.look_up(move |tx| jobs::next_due(tx, step, now)).await?;
        let until = next.map_or(IDLE, |due| {
            let millis = (due.millis() - now.millis()).max(BREATH.as_millis() as i64);
            Duration::from_millis(millis as u64).min(IDLE)
        });
        tokio::select! {
            () = self.store.job_for(step) => {}
            () = tokio::time::sleep(until) => {}
        }
        Ok(())
    }
}

/// A job that could not be done now: when it is tried again. Grows from a second to five minutes.
pub fn next_try(attempts: u32, now: Timestamp) -> Timestamp {
    let secs = 1_i64.checked_shl(attempts.min(9)).unwrap_or(512).min(300);
    now.plus_secs(secs)
}

/// Processes of one store give a crashed one's jobs back after this.
const LEASE: Duration = Duration::from_secs(300);
/// Looks at the rows at least so often: another process may have laid jobs in, or the clock moved.
const IDLE: Duration = Duration::from_secs(30);
/// Due jobs that are leased already are no reason to spin.
const BREATH: Duration = Duration::from_millis(50);
