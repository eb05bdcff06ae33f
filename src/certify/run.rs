//! The step: accepted messages become dispatches, with their acceptance evidence. Local recipients
//! get theirs in the same commit.

use super::compose;
use crate::deliver::consign::{self, Consignment};
use crate::evidence::{IssueError, Issuer, draft, show_on_sent_copy, words_of_sent};
use crate::spool::{self, Step, Takers};
use crate::store::evidence as rows;
use crate::store::jobs::{self, Job};
use crate::store::mail::{self, Kind, NewMessage, Role};
use crate::store::submissions::{self, Origin, Recipient, Submission};
use crate::store::{
    BlobError, Lane, Put, RowsError, Store, StoreError, Tx, accounts, blobs, contents,
};
use crate::trust::random;
use crate::wire::{AccountId, MessageId};
use std::sync::Arc;
use tokio::sync::watch;

/// What sealing needs.
pub struct Sealing {
    pub store: Store,
    pub issuer: Arc<Issuer>,
    /// How many octets an account may hold that has no limit of its own.
    pub storage: Option<u64>,
}

/// What was accepted, as the rows have it.
struct Accepted {
    submission: Submission,
    recipients: Vec<Recipient>,
    original: Put,
    /// Collected when the user's signature was judged.
    material: Vec<rows::Material>,
}

/// A sealed dispatch around its original, as blobs that have no rows yet.
struct Sealed {
    head: Put,
    tail: Put,
    message: NewMessage,
}

impl Sealing {
    /// Seals what is accepted, until `stop`.
    pub async fn run(self: Arc<Self>, parallel: usize, stop: watch::Receiver<bool>) {
        let takers = Takers::new(&self.store, Step::Certify);
        let (store, clock) = (self.store.clone(), self.issuer.clock.clone());
        spool::run(takers, store, clock, parallel, stop, move |job| {
            let sealing = Arc::clone(&self);
            async move { sealing.carry_out(&job).await }
        })
        .await;
    }

    /// Seals one message.
    pub async fn carry_out(&self, job: &Job) -> Result<(), IssueError> {
        let unknown = || IssueError::NoSubmission(job.payload.clone());
        let id = MessageId::parse(&job.payload).ok_or_else(unknown)?;
        let Accepted { submission, recipients, original, material } = self.load(&id).await?;
        // What a provider hands over is sealed already.
        let Origin::Account(account) = submission.origin else { return Err(unknown()) };
        let octets = self.store.blobs.read(&original).map_err(StoreError::from)?;
        let about = self.issuer.about(&submission, &recipients);

        let acceptance = self.issuer.issue(draft::acceptance(&about)).await?;
        let now = self.issuer.clock.now();
        let random = random::bytes();
        let evidence = &acceptance.evidence;
        let composed = compose::dispatch(&about, evidence, &acceptance.xml, &octets, now, random)?;
        let signature = self.issuer.seal(&composed, Some(&octets), true).await?;
        // Nothing is delivered before its seal: waiting for the stamp is not yet delivery.
        let delivered_at = self.issuer.clock.now();
        let (head, tail) = (composed.head(), composed.tail(&signature));
        let whole = [head.as_slice(), &octets, &tail].concat();
        let mut message = NewMessage::of(&whole, Kind::Dispatch, now);
        drop(whole);
        message.message_id = Some(id.clone());
        let put = |octets| self.store.blobs.put(octets).map_err(|e: BlobError| StoreError::from(e));
        let sealed = Sealed { head: put(head)?, tail: put(tail)?, message };
        let stub = consign::stub(&about, now)?;
        let stub = (put(stub.clone())?, NewMessage::of(&stub, Kind::Stub, now));
        let sent = NewMessage::of(&octets, Kind::Plain, submission.accepted_at);
        let mut parcel = self.issuer.parcel(&self.store, acceptance, &submission.origin).await?;
        parcel.new.material.extend(material);

        let (store, job_id, storage) = (self.store.clone(), job.id, self.storage);
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            store.blobs.record(tx, &sealed.head)?;
            store.blobs.record(tx, &sealed.tail)?;
            let pieces = [&sealed.head, &original, &sealed.tail].map(|put| (put.id, put.size));
            let dispatch = contents::create(tx, &pieces)?;
            if !submissions::dispatched(tx, &id, dispatch)? {
                // Another run of this step was faster; what this one made is forgotten.
                contents::forget(tx, dispatch)?;
                jobs::finish(tx, job_id)?;
                return Ok(());
            }
            // The sender's APPEND of the same message looks for our copy of it, as we for his. Before
            // any mailbox, as IMAP does.
            accounts::lock(tx, account)?;
            let consignment = Consignment {
                id: &id,
                dispatch,
                message: &sealed.message,
                stub: &stub,
                size: submission.size,
                storage,
                now: delivered_at,
            };
            let reached = consign::local(tx, &store, &consignment)?;
            consign::elsewhere(tx, &id, now)?;
            parcel.keep(tx, &store, &submission.origin, &reached)?;
            lay_sent_copy(tx, account, &submission, &original, &sent)?;
            jobs::finish(tx, job_id)?;
            Ok(())
        };
        self.store.write(Lane::Background, work).await?;
        tracing::info!(message = %job.payload, "sealed");
        metrics::counter!("kep_sealed_total").increment(1);
        Ok(())
    }

    async fn load(&self, id: &MessageId) -> Result<Accepted, IssueError> {
        let wanted = id.clone();
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let Some(submission) = submissions::find(tx, &wanted)? else { return Ok(None) };
            Ok(Some(Accepted {
                recipients: submissions::recipients(tx, &wanted)?,
                original: blobs::find(tx, &submission.original)?,
                material: rows::kept(tx, &submission.details.material)?,
                submission,
            }))
        };
        let found = self.store.look_up(work).await?;
        found.ok_or_else(|| IssueError::NoSubmission(id.to_string()))
    }
}

/// The sender's copy in `Giden Kutusu`: his program's own when that came first, else the server's.
fn lay_sent_copy(
    tx: &mut Tx<'_>,
    account: AccountId,
    submission: &Submission,
    original: &Put,
    copy: &NewMessage,
) -> Result<(), RowsError> {
    let id = &submission.message_id;
    let sent = mail::of_role(tx, account, Role::Sent)?;
    let own = match &submission.details.ua_message_id {
        Some(ua) => mail::unlinked_copy(tx, sent, ua)?,
        None => None,
    };
    if let Some(own) = own {
        mail::link(tx, own, id)?;
        submissions::sent_copy(tx, id, own.uid.into(), true)?;
        return show_on_sent_copy(tx, account, id);
    }
    let content = contents::create(tx, &[(original.id, original.size)])?;
    let mut copy = copy.clone();
    copy.flags = SEEN;
    copy.keywords = words_of_sent(tx, id)?.join(" ");
    copy.message_id = Some(id.clone());
    copy.ua_message_id = submission.details.ua_message_id.clone();
    let uid = mail::lay_in(tx, sent, content, &copy)?;
    submissions::sent_copy(tx, id, uid.into(), false)
}

/// `\Seen`: the sender knows what he wrote.
const SEEN: u8 = 1;
