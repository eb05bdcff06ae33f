//! The step: accepted messages become dispatches, with their acceptance evidence. Local recipients
//! get theirs in the same commit.

use super::compose;
use crate::deliver::consign::{self, Consignment};
use crate::evidence::draft::{self, About};
use crate::evidence::{IssueError, Issued, Issuer, show_on_sent_copy, words_of_sent};
use crate::registry::credits;
use crate::registry::peers::PeerDialect;
use crate::spool::{self, Step, Takers};
use crate::store::evidence as rows;
use crate::store::jobs::{self, Job};
use crate::store::mail::{self, Kind, NewMessage, Role};
use crate::store::submissions::{self, Origin, Recipient, Submission};
use crate::store::{
    BlobError, Lane, Put, RowsError, Store, StoreError, Tx, accounts, blobs, contents,
};
use crate::trust::random;
use crate::wire::rem::Dialect;
use crate::wire::{AccountId, ContentId, KepAddress, KepDomain, MessageId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
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
    dialect: PeerDialect,
    head: Put,
    tail: Put,
    message: NewMessage,
}

/// In which dialects a message's dispatches are asked for.
#[derive(Clone)]
struct Asked {
    /// Somebody here gets it.
    local: bool,
    by: BTreeMap<KepDomain, PeerDialect>,
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

        let asked = self.asked(&recipients).await?;
        let dialects: BTreeSet<Dialect> =
            asked.all().flat_map(PeerDialect::dialects).copied().collect();
        let dialects: Vec<_> = dialects.into_iter().collect();
        let acceptance = self.issuer.issue(draft::acceptance(&about), &dialects).await?;
        let now = self.issuer.clock.now();
        let mut sealed = Vec::new();
        for dialect in asked.dispatches() {
            sealed.push(self.dispatch(&about, &acceptance, &octets, dialect, now).await?);
        }
        // Nothing is delivered before its seal: waiting for the stamp is not yet delivery.
        let delivered_at = self.issuer.clock.now();
        let put = |octets| self.store.blobs.put(octets).map_err(|e: BlobError| StoreError::from(e));
        let stub = consign::stub(&about, now)?;
        let stub = (put(stub.clone())?, NewMessage::of(&stub, Kind::Stub, now));
        let sent = NewMessage::of(&octets, Kind::Plain, submission.accepted_at);
        let mut parcel = self.issuer.parcel(&self.store, acceptance, &submission.origin).await?;
        parcel.new.material.extend(material);

        let (store, job_id, storage) = (self.store.clone(), job.id, self.storage);
        let work = move |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
            let Some((first, further)) = sealed.split_first() else {
                return Err(RowsError::Missing("dispatch").into());
            };
            let dispatch = content(tx, &store, first, &original)?;
            if !submissions::dispatched(tx, &id, dispatch)? {
                // Another run of this step was faster; what this one made is forgotten.
                contents::forget(tx, dispatch)?;
                jobs::finish(tx, job_id)?;
                return Ok(0);
            }
            let mut dispatches = BTreeMap::from([(first.dialect, dispatch)]);
            for form in further {
                let content = content(tx, &store, form, &original)?;
                submissions::dispatch_form(tx, &id, form.dialect.word(), content)?;
                dispatches.insert(form.dialect, content);
            }
            // The sender's APPEND of the same message looks for our copy of it, as we for his. Before
            // any mailbox, as IMAP does.
            accounts::lock(tx, account)?;
            let consignment = Consignment {
                id: &id,
                dispatch,
                message: &first.message,
                stub: &stub,
                size: submission.size,
                storage,
                now: delivered_at,
            };
            let reached = consign::local(tx, &store, &consignment)?;
            consign::elsewhere(tx, &id, now, |provider| {
                let asked = asked.of(provider);
                dispatches.get(&asked).copied().unwrap_or(dispatch)
            })?;
            parcel.keep(tx, &store, &submission.origin, &reached)?;
            lay_sent_copy(tx, account, &submission, &original, &sent)?;
            let spent = match &submission.details.charge {
                Some(charge) => credits::spend(tx, account, &id, charge, now)?,
                None => 0,
            };
            jobs::finish(tx, job_id)?;
            Ok(spent)
        };
        let spent = self.store.write(Lane::Background, work).await?;
        credits::count_spent(spent);
        tracing::info!(message = %job.payload, "sealed");
        metrics::counter!("kep_sealed_total").increment(1);
        Ok(())
    }

    /// In what the providers of the recipients are told.
    async fn asked(&self, recipients: &[Recipient]) -> Result<Asked, StoreError> {
        let local = recipients.iter().any(|one| one.account.is_some());
        let elsewhere = recipients.iter().filter(|one| one.account.is_none());
        let elsewhere = elsewhere.filter_map(|one| KepAddress::parse(&one.address).ok());
        let providers: BTreeSet<_> = elsewhere.map(|to| to.domain().provider()).collect();
        let work = move |tx: &mut Tx<'_>| -> Result<Asked, RowsError> {
            let of = |provider: &KepDomain| Ok((provider.clone(), PeerDialect::of(tx, provider)?));
            Ok(Asked { local, by: providers.iter().map(of).collect::<Result<_, RowsError>>()? })
        };
        Ok(self.store.look_up(work).await?)
    }

    /// The dispatch with the acceptance as one kind of provider wants it.
    async fn dispatch(
        &self,
        about: &About<'_>,
        acceptance: &Issued,
        original: &[u8],
        dialect: PeerDialect,
        now: Timestamp,
    ) -> Result<Sealed, IssueError> {
        let mut documents = acceptance.documents();
        documents.retain(|one| dialect.dialects().contains(&one.dialect));
        let (evidence, random) = (&acceptance.evidence, random::bytes());
        let composed = compose::dispatch(about, evidence, &documents, original, now, random)?;
        let signature = self.issuer.seal(&composed, Some(original), true).await?;
        let (head, tail) = (composed.head(), composed.tail(&signature));
        let whole = [head.as_slice(), original, &tail].concat();
        let mut message = NewMessage::of(&whole, Kind::Dispatch, now);
        drop(whole);
        message.message_id = Some(about.submission.message_id.clone());
        let put = |octets| self.store.blobs.put(octets).map_err(StoreError::from);
        Ok(Sealed { dialect, head: put(head)?, tail: put(tail)?, message })
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

impl Asked {
    /// What is asked for, own accounts first: they, and a message's own evidence, have the default.
    fn all(&self) -> impl Iterator<Item = PeerDialect> {
        [PeerDialect::default()].into_iter().chain(self.by.values().copied())
    }

    /// A dispatch for each; that of own accounts first.
    fn dispatches(&self) -> Vec<PeerDialect> {
        let mut all: Vec<_> = self.by.values().copied().collect();
        if self.local || all.is_empty() {
            all.push(PeerDialect::default());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn of(&self, provider: &KepDomain) -> PeerDialect {
        self.by.get(provider).copied().unwrap_or_default()
    }
}

/// A dispatch in pieces, with the one original between them.
fn content(
    tx: &mut Tx<'_>,
    store: &Store,
    sealed: &Sealed,
    original: &Put,
) -> Result<ContentId, StoreError> {
    store.blobs.record(tx, &sealed.head)?;
    store.blobs.record(tx, &sealed.tail)?;
    let pieces = [&sealed.head, original, &sealed.tail].map(|put| (put.id, put.size));
    Ok(contents::create(tx, &pieces)?)
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

#[cfg(test)]
mod tests;
