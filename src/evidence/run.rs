//! Signs, stamps and keeps what was drafted; takes facts from the spool and sends their evidence
//! back as mails. An outage of the time-stamp authority puts a fact off and loses nothing.

use super::draft::{self, About};
use super::parcel::Document;
use super::{keywords, material, parcel};
use crate::registry::Provider;
use crate::registry::credits;
use crate::registry::holidays::Calendar;
use crate::registry::notices;
use crate::registry::peers::PeerDialect;
use crate::registry::policy;
use crate::registry::read_policy::{MessageType, PolicyTable};
use crate::spool::{self, Fact, Step, Takers, opening};
use crate::store::evidence::{self as rows, Material, NewEvidence, NewForm};
use crate::store::jobs::{self, Job};
use crate::store::mail::{self, Kind, NewMessage, Role};
use crate::store::submissions::{self, Origin, Recipient, Submission};
use crate::store::{BlobError, Lane, Put, RowsError, Store, StoreError, Tx, contents};
use crate::trust::stamp::{StampError, Stamper};
use crate::trust::{Certificate, Clock, Readiness, SignError, Signer, Unready, random, signer};
use crate::wire::cms::{self, oid};
use crate::wire::digest::sha256_of;
use crate::wire::rem::{ComposeFault, Composed, Dialect, Event, Evidence, EvidenceFault};
use crate::wire::xades::{Prepared, SignFault};
use crate::wire::{AccountId, MessageId, Timestamp};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// Whoever makes evidence: the provider, its seal and its source of time stamps.
pub struct Issuer {
    pub provider: Provider,
    pub seal: Arc<dyn Signer>,
    pub stamper: Arc<Stamper>,
    /// Whether seal and stamps are good now, and what is known of their certificates.
    pub readiness: Arc<Readiness>,
    pub clock: Clock,
}

/// Evidence that is signed and stamped, and not kept yet.
#[derive(Clone, Debug)]
pub struct Issued {
    pub evidence: Evidence,
    /// As its first dialect has it.
    pub first: Form,
    /// The same fact as further dialects have it.
    pub further: Vec<Form>,
    pub material: Vec<Material>,
}

/// An evidence in one dialect: a document with a signature and a stamp of its own.
#[derive(Clone, Debug)]
pub struct Form {
    pub dialect: Dialect,
    pub xml: Vec<u8>,
    pub stamped_at: Timestamp,
}

/// An issued evidence with its mail, as blobs that have no rows yet.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub new: NewEvidence,
    mail: Put,
    message: NewMessage,
}

#[derive(Debug, Error)]
pub enum IssueError {
    #[error("draft: {0}")]
    Draft(#[from] EvidenceFault),
    #[error("xades: {0}")]
    Xades(#[from] SignFault),
    #[error("seal: {0}")]
    Seal(#[from] SignError),
    #[error("time stamp: {0}")]
    Stamp(#[from] StampError),
    /// Made now it would prove nothing: it waits.
    #[error("not sealed now: {0}")]
    Unready(#[from] Unready),
    #[error("mail: {0}")]
    Mail(#[from] ComposeFault),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no submission {0}")]
    NoSubmission(String),
    #[error("the fact names nobody: {0}")]
    Nobody(String),
    /// The clock was ahead when it happened: a time stamp would say that it was signed before.
    #[error("by its clock it happens only at {0}")]
    Ahead(Timestamp),
    #[error("{0} was read, and there is no evidence of its delivery yet")]
    Early(String),
}

impl Issuer {
    pub fn about<'a>(&'a self, submission: &'a Submission, to: &'a [Recipient]) -> About<'a> {
        let seal = self.seal.certificate().der();
        About { provider: &self.provider, seal, submission, recipients: to }
    }

    /// A draft in one dialect or several, each with a signature of its own.
    pub async fn issue(
        &self,
        evidence: Evidence,
        dialects: &[Dialect],
    ) -> Result<Issued, IssueError> {
        let (first, further) = dialects.split_first().unwrap_or((&Dialect::Ts102640, &[]));
        let (first, mut material) = self.form(&evidence, *first).await?;
        let mut forms = Vec::with_capacity(further.len());
        for dialect in further {
            let (form, more) = self.form(&evidence, *dialect).await?;
            forms.push(form);
            material.extend(more);
        }
        Ok(Issued { evidence, first, further: forms, material })
    }

    /// XAdES B-T over a draft, with the chain, so that the root alone is enough to verify it.
    async fn form(
        &self,
        evidence: &Evidence,
        dialect: Dialect,
    ) -> Result<(Form, Vec<Material>), IssueError> {
        self.readiness.check()?;
        if evidence.event_time > self.clock.now() {
            return Err(IssueError::Ahead(evidence.event_time));
        }
        let xml = evidence.write(dialect)?;
        let certificate = self.seal.certificate();
        let (algorithm, now) = (self.seal.algorithm(), self.clock.now());
        let prepared = Prepared::new(&xml, certificate.der(), algorithm, now, MIME, "kep")?;
        let chain: Vec<_> = self.seal.chain().iter().map(Certificate::der).collect();
        let prepared = prepared.with_chain(&chain);
        let signature = signer::sign(&self.seal, prepared.to_sign().to_vec()).await?;
        let signed = prepared.signed(&signature)?;
        let token = self.stamper.stamp(&signed.to_stamp()).await?;
        let known = self.readiness.accept(&token).await?;
        let chain = self.seal.chain().iter().chain([certificate]);
        let mut kept: Vec<_> =
            chain.chain(token.path.certificates()).map(material::certificate).collect();
        kept.extend(material::known(&known));
        let xml = signed.stamped(&token.der).into_bytes();
        Ok((Form { dialect, xml, stamped_at: token.gen_time }, kept))
    }

    /// The seal over a composed mail: CAdES, with a time stamp where `stamped` asks for one.
    pub async fn seal(
        &self,
        composed: &Composed,
        original: Option<&[u8]>,
        stamped: bool,
    ) -> Result<Vec<u8>, IssueError> {
        self.readiness.check()?;
        let original = original.unwrap_or_default();
        let digest = sha256_of([composed.before_original(), original, composed.after_original()]);
        let now = Some(self.clock.now());
        let prepared = cms::Prepared::new(self.seal.identity(), oid::DATA, digest, now);
        let signature = signer::sign(&self.seal, prepared.to_sign().to_vec()).await?;
        let signed = prepared.signed(signature);
        if !stamped {
            return Ok(signed.detached(None));
        }
        let token = self.stamper.stamp(signed.to_stamp()).await?;
        self.readiness.accept(&token).await?;
        Ok(signed.detached(Some(&token.der)))
    }

    /// The mail that an evidence travels in, under the seal. One for another provider may wait for it
    /// until the seal's certificate has ended: a time stamp says when it was sealed.
    async fn mail_of(
        &self,
        evidence: &Evidence,
        documents: &[Document<'_>],
        to: &Origin,
    ) -> Result<Vec<u8>, IssueError> {
        let (now, random) = (self.clock.now(), random::bytes());
        let composed = parcel::compose(&self.provider, evidence, documents, now, random)?;
        let stamped = matches!(to, Origin::Peer(_));
        let seal = self.seal(&composed, None, stamped).await?;
        Ok([composed.head(), composed.tail(&seal)].concat())
    }

    /// Makes the evidence's mail for whose message it is about, and puts both into blobs.
    pub async fn parcel(
        &self,
        store: &Store,
        issued: Issued,
        to: &Origin,
    ) -> Result<Parcel, IssueError> {
        let now = self.clock.now();
        let octets = self.mail_of(&issued.evidence, &issued.documents(), to).await?;
        let Issued { evidence, first, further, material } = issued;
        let id = MessageId::parse(&evidence.message.message_id);
        let id = id.ok_or_else(|| IssueError::Nobody(evidence.message.message_id.clone()))?;
        let mut message = NewMessage::of(&octets, Kind::Evidence, now);
        message.message_id = Some(id.clone());
        let put = |octets| store.blobs.put(octets).map_err(|e: BlobError| StoreError::from(e));
        let form = |form: Form| -> Result<NewForm, StoreError> {
            let Form { dialect, stamped_at, xml } = form;
            Ok(NewForm { dialect: dialect.word(), stamped_at, xml: put(xml)? })
        };
        let new = NewEvidence {
            id: evidence.id.clone(),
            message_id: id,
            event: evidence.event.name().to_owned(),
            recipient: evidence.recipient().map(|p| p.address.clone()).unwrap_or_default(),
            dialect: first.dialect.word(),
            origin: rows::OWN.to_owned(),
            event_time: evidence.event_time,
            stamped_at: first.stamped_at,
            stored_at: now,
            xml: put(first.xml)?,
            forms: further.into_iter().map(form).collect::<Result<_, _>>()?,
            material,
        };
        Ok(Parcel { new, mail: put(octets)?, message })
    }
}

impl Issued {
    /// In the order of its dialects.
    pub fn documents(&self) -> Vec<Document<'_>> {
        let all = [&self.first].into_iter().chain(&self.further);
        all.map(|form| Document { dialect: form.dialect, xml: &form.xml }).collect()
    }
}

impl Parcel {
    /// Keeps the evidence and lays its mail into `Deliller` of the sender, or sends it to the provider
    /// whose message it is about; and lays it into that of an addressee, who sees it marked as
    /// incoming. The same evidence a second time changes nothing.
    pub fn keep(
        &self,
        tx: &mut Tx<'_>,
        store: &Store,
        to: &Origin,
        addressees: &[AccountId],
    ) -> Result<bool, StoreError> {
        if !rows::append(tx, &store.blobs, &self.new)? {
            return Ok(false);
        }
        let content = contents::create_from(tx, &store.blobs, &[&self.mail])?;
        let sender = match to {
            Origin::Account(account) => {
                let mailbox = mail::of_role(tx, *account, Role::Evidence)?;
                mail::lay_in(tx, mailbox, content, &self.message)?;
                rows::show_to(tx, *account, &rows::row_id(&self.new.id, &self.new.origin))?;
                self.tell(tx, *account)?;
                Some(*account)
            }
            Origin::Peer(domain) => {
                let now = self.new.stored_at;
                rows::keep_mail(tx, &self.new.id, content)?;
                spool::relay_evidence(tx, &self.new.id, content, domain, now)?;
                None
            }
        };
        let mut incoming = self.message.clone();
        incoming.keywords = keywords::INCOMING.to_owned();
        for addressee in addressees.iter().filter(|addressee| Some(**addressee) != sender) {
            let mailbox = mail::of_role(tx, *addressee, Role::Evidence)?;
            mail::lay_in(tx, mailbox, content, &incoming)?;
        }
        Ok(true)
    }

    fn tell(&self, tx: &mut Tx<'_>, sender: AccountId) -> Result<(), RowsError> {
        let Some(event) = Event::by_name(&self.new.event) else { return Ok(()) };
        let what = (event, self.new.event_time);
        notices::evidence_came(tx, sender, &self.new.message_id, what, self.new.stored_at)
    }
}

/// Shows on the sender's copy, wherever he filed it, how far the message came.
pub fn show_on_sent_copy(
    tx: &mut Tx<'_>,
    sender: AccountId,
    id: &MessageId,
) -> Result<(), RowsError> {
    let words = words_of_sent(tx, id)?;
    for copy in mail::places_of(tx, sender, id, Kind::Plain)? {
        mail::set_server_keywords(tx, copy, &words)?;
    }
    Ok(())
}

/// The keywords that say how far a message came.
pub fn words_of_sent(tx: &mut Tx<'_>, id: &MessageId) -> Result<Vec<&'static str>, RowsError> {
    let recipients = submissions::recipients(tx, id)?;
    let states: Vec<_> = recipients.iter().map(|recipient| recipient.state).collect();
    Ok(keywords::of_sent(&states))
}

/// The step: facts in, evidence out.
pub struct Facts {
    pub store: Store,
    pub issuer: Arc<Issuer>,
    /// What the configuration says of the time to read; decided policies stand beside it.
    pub policies: Arc<PolicyTable>,
    pub calendar: Arc<Calendar>,
}

impl Facts {
    /// Facts become evidence, and time-outs become facts, until `stop`.
    pub async fn run(self: Arc<Self>, parallel: usize, stop: watch::Receiver<bool>) {
        let clock = self.issuer.clock.clone();
        let expiring = {
            let facts = Arc::clone(&self);
            let takers = Takers::new(&self.store, Step::Expire);
            spool::run(
                takers,
                self.store.clone(),
                clock.clone(),
                parallel,
                stop.clone(),
                move |job| {
                    let facts = Arc::clone(&facts);
                    async move { facts.expire(&job).await }
                },
            )
        };
        let issuing = {
            let facts = Arc::clone(&self);
            let takers = Takers::new(&self.store, Step::Evidence);
            spool::run(takers, self.store.clone(), clock, parallel, stop, move |job| {
                let facts = Arc::clone(&facts);
                async move { facts.carry_out(&job).await }
            })
        };
        tokio::join!(expiring, issuing);
    }

    /// Makes the evidence of one fact.
    pub async fn carry_out(&self, job: &Job) -> Result<(), IssueError> {
        let fact = Fact::parse(&job.payload).map_err(StoreError::from)?;
        match &fact {
            Fact::Refused { refusal, .. } => self.refused(job, &fact, refusal).await,
            Fact::Again { .. } => self.again(job, &fact).await,
            _ => self.of_recipient(job, &fact).await,
        }
    }

    async fn of_recipient(&self, job: &Job, fact: &Fact) -> Result<(), IssueError> {
        let nobody = || IssueError::Nobody(job.name.clone());
        let id = fact.message().ok_or_else(nobody)?;
        let (submission, recipients) = load(&self.store, &id).await?;
        if is_early(fact, &recipients) {
            return Err(IssueError::Early(id.to_string()));
        }
        let about = self.issuer.about(&submission, &recipients);
        let draft = draft::of_recipient(&about, fact, self.issuer.clock.now());
        let draft = draft.ok_or_else(nobody)?;
        let (about_one, number) = (draft.refers_to, draft.event.number());
        let dialects = dialects(&self.store, &submission.origin).await?;
        let issued = self.issuer.issue(draft, dialects).await?;
        let due = match fact {
            Fact::Delivered { .. } => Some(self.due(&submission, issued.first.stamped_at).await?),
            _ => None,
        };
        let parcel = self.issuer.parcel(&self.store, issued, &submission.origin).await?;
        // What did not reach him is the sender's affair.
        let reached =
            matches!(fact, Fact::Delivered { .. } | Fact::Read { .. } | Fact::Expired { .. });
        let addressee = about_one.and_then(|n| recipients.get(n.checked_sub(1)?)?.account);
        let addressee = addressee.filter(|_| reached);
        let failed = about_one.and_then(|n| recipients.get(n.checked_sub(1)?)).cloned();
        let charge = submission.details.charge.zip(failed.filter(|_| !reached)).zip(number);
        let (store, job_id, origin) = (self.store.clone(), job.id, submission.origin);
        let now = self.issuer.clock.now();
        let work = move |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
            let addressees: Vec<_> = addressee.into_iter().collect();
            parcel.keep(tx, &store, &origin, &addressees)?;
            if let Some((n, due)) = about_one.zip(due) {
                submissions::set_due(tx, &id, n, due)?;
                spool::expire(tx, &id, n, due)?;
                if let Some(account) = addressee {
                    notices::watch(tx, account, &id, n, due, now)?;
                }
                spool::release_read(tx, &id, n, now)?;
            }
            let mut back = 0;
            if let Origin::Account(sender) = origin {
                show_on_sent_copy(tx, sender, &id)?;
                if let Some(((charge, failed), number)) = &charge {
                    back = credits::give_back(tx, sender, &id, charge, failed, *number, now)?;
                }
            }
            jobs::finish(tx, job_id)?;
            Ok(back)
        };
        let back = self.store.write(Lane::Background, work).await?;
        credits::count_given_back(back);
        metrics::counter!("kep_evidence_total").increment(1);
        Ok(())
    }

    /// When the time to read ends: from the time stamp of the delivery evidence (invariant 9).
    async fn due(
        &self,
        submission: &Submission,
        delivered: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let kind = submission.details.message_type.parse().unwrap_or(MessageType::Standart);
        let configured = Arc::clone(&self.policies);
        let rules = self.store.look_up(move |tx| policy::read_rules(tx, &configured)).await?;
        Ok(rules.due(delivered, kind, &self.calendar).unwrap_or_else(|unknown| {
            tracing::warn!(message = %submission.message_id, %unknown, "due time");
            unknown.due
        }))
    }

    /// A provider has handed the same dispatch over again: it did not hear us, and gets the same mails
    /// once more, but for those that are on their way still.
    async fn again(&self, job: &Job, fact: &Fact) -> Result<(), IssueError> {
        let id = fact.message().ok_or_else(|| IssueError::Nobody(job.name.clone()))?;
        let (job_id, now) = (job.id, self.issuer.clock.now());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let submission = submissions::find(tx, &id)?;
            if let Some(Origin::Peer(domain)) = submission.map(|submission| submission.origin) {
                for (evidence, content) in rows::mails(tx, &id)? {
                    spool::relay_evidence(tx, &evidence, content, &domain, now)?;
                }
            }
            jobs::finish(tx, job_id)?;
            Ok(())
        };
        Ok(self.store.write(Lane::Background, work).await?)
    }

    async fn refused(
        &self,
        job: &Job,
        fact: &Fact,
        refusal: &spool::fact::Refused,
    ) -> Result<(), IssueError> {
        let id = fact.message().ok_or_else(|| IssueError::Nobody(job.name.clone()))?;
        let seal = self.issuer.seal.certificate().der();
        let draft = draft::rejection(&self.issuer.provider, seal, &id, fact.at(), refusal);
        let issued = self.issuer.issue(draft, PeerDialect::default().dialects()).await?;
        let sender = Origin::Account(AccountId(refusal.account));
        let parcel = self.issuer.parcel(&self.store, issued, &sender).await?;
        let (store, job_id) = (self.store.clone(), job.id);
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            parcel.keep(tx, &store, &sender, &[])?;
            jobs::finish(tx, job_id)?;
            Ok(())
        };
        Ok(self.store.write(Lane::Background, work).await?)
    }

    /// The time to read has ended, or to hear of what was relayed: a fact, unless the message was
    /// opened, or something was heard.
    pub async fn expire(&self, job: &Job) -> Result<(), StoreError> {
        let fact = Fact::parse(&job.payload)?;
        let (job_id, now) = (job.id, self.issuer.clock.now());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            match (&fact, fact.message()) {
                (Fact::Expired { recipient, .. }, Some(id)) => {
                    opening::expire(tx, &id, *recipient, fact.at(), now)?;
                }
                (Fact::RelayFailed { recipient, .. }, Some(id)) => {
                    spool::relay::silent(tx, &id, *recipient, &fact, now)?;
                }
                _ => {}
            }
            jobs::finish(tx, job_id)?;
            Ok(())
        };
        self.store.write(Lane::Background, work).await
    }
}

/// A reading whose delivery has no evidence yet. It is laid in so that this can't be; what an earlier
/// version laid in comes again.
fn is_early(fact: &Fact, recipients: &[Recipient]) -> bool {
    let Fact::Read { recipient, .. } = fact else { return false };
    recipients.iter().any(|of| of.n == *recipient && of.due_at.is_none())
}

/// In which dialects whoever wrote a message is told of it.
async fn dialects(store: &Store, origin: &Origin) -> Result<&'static [Dialect], StoreError> {
    let Origin::Peer(domain) = origin.clone() else {
        return Ok(PeerDialect::default().dialects());
    };
    let of = store.look_up(move |tx: &mut Tx<'_>| PeerDialect::of(tx, &domain)).await?;
    Ok(of.dialects())
}

/// A submission and its recipients.
pub async fn load(
    store: &Store,
    id: &MessageId,
) -> Result<(Submission, Vec<Recipient>), IssueError> {
    let wanted = id.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let submission = submissions::find(tx, &wanted)?;
        Ok((submission, submissions::recipients(tx, &wanted)?))
    };
    match store.look_up(work).await? {
        (Some(submission), recipients) => Ok((submission, recipients)),
        (None, _) => Err(IssueError::NoSubmission(id.to_string())),
    }
}

/// What DataObjectFormat says of the signed document.
const MIME: &str = "application/xml";

#[cfg(test)]
pub(crate) mod tests;
