//! The step: what other providers handed over comes into the mailboxes here, each recipient once.

use super::taken_over;
use crate::deliver::consign::{self, Consignment};
use crate::evidence::{IssueError, Issuer};
use crate::spool::{self, Step, Takers};
use crate::store::jobs::{self, Job};
use crate::store::mail::{Kind, NewMessage};
use crate::store::submissions::{self, Origin, Submission};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::{MessageId, Timestamp};
use std::sync::Arc;
use tokio::sync::watch;

/// What delivering for others needs.
pub struct Consigning {
    pub store: Store,
    pub issuer: Arc<Issuer>,
    /// How many octets an account may hold that has no limit of its own.
    pub storage: Option<u64>,
}

impl Consigning {
    /// Delivers what was handed over, until `stop`.
    pub async fn run(self: Arc<Self>, parallel: usize, stop: watch::Receiver<bool>) {
        let takers = Takers::new(&self.store, Step::Consign);
        let (store, clock) = (self.store.clone(), self.issuer.clock.clone());
        spool::run(takers, store, clock, parallel, stop, move |job| {
            let consigning = Arc::clone(&self);
            async move { consigning.carry_out(&job).await }
        })
        .await;
    }

    /// Delivers one dispatch.
    pub async fn carry_out(&self, job: &Job) -> Result<(), IssueError> {
        let unknown = || IssueError::NoSubmission(job.payload.clone());
        let id = MessageId::parse(&job.payload).ok_or_else(unknown)?;
        let (submission, recipients) = crate::evidence::load(&self.store, &id).await?;
        let (Some(dispatch), Origin::Peer(_)) = (submission.dispatch, &submission.origin) else {
            return Err(unknown());
        };
        let now = self.issuer.clock.now();
        let message = self.message(&submission, now).await?;
        let stub = consign::stub(&self.issuer.about(&submission, &recipients), now)?;
        let put = self.store.blobs.put(stub.clone()).map_err(StoreError::from)?;
        let stub = (put, NewMessage::of(&stub, Kind::Stub, now));
        let (store, job_id, storage) = (self.store.clone(), job.id, self.storage);
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            // Whom it is handed over for meanwhile has a job of his own, or is seen here.
            submissions::lock(tx, &id)?;
            taken_over(tx, &id, now)?;
            let consignment = Consignment {
                id: &id,
                dispatch,
                message: &message,
                stub: &stub,
                size: submission.size,
                storage,
                now,
            };
            consign::local(tx, &store, &consignment)?;
            jobs::finish(tx, job_id)?;
            Ok(())
        };
        self.store.write(Lane::Background, work).await?;
        metrics::counter!("kep_consigned_total").increment(1);
        Ok(())
    }

    /// The dispatch as mailboxes take it.
    async fn message(
        &self,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<NewMessage, IssueError> {
        let dispatch = submission.dispatch.ok_or(RowsError::Missing("dispatch"))?;
        let octets = self.store.content(dispatch).await?;
        let mut message = NewMessage::of(&octets, Kind::Dispatch, now);
        message.message_id = Some(submission.message_id.clone());
        Ok(message)
    }
}
