//! Judges a submission that was read whole, and lays it in. When it says `Accepted`, the message is
//! durable (invariant 1); when it refuses, nothing is half-done (invariant 6).

use super::ask::{Envelope, LoginAnswer, Recipient, RecipientAnswer, Route, SubmitAnswer};
use super::body::{Body, Glimpse};
use super::check::{self, Limits, Parsed, SignatureForm};
use super::duty::{self, Following, Persons};
use super::heavy;
use super::refusal::Refusal;
use super::rejections::{self, Rejections};
use crate::registry::accounts::{self, Account, AccountState, SignatureRule};
use crate::registry::budget::Budget;
use crate::registry::handovers;
use crate::registry::login::{Logins, Outcome};
use crate::registry::operators::Operator;
use crate::registry::{Access, Provider, RegistryError, Standing};
use crate::spool::{self, Fact, fact::Refused};
use crate::store::submissions::{
    self, Details, Dsn, NewRecipient, NewSubmission, Origin, RecipientState, Same, SignerDetails,
    SubmissionState,
};
use crate::store::{Lane, Put, RowsError, Store, StoreError, Tx, evidence};
use crate::trust::{Clock, FaultReason, Readiness, SignatureFault, Unready, UserTrust, random};
use crate::wire::{AccountId, Digest, KepAddress, MessageId, sha256};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What judging needs.
pub struct Desk {
    pub store: Store,
    pub provider: Provider,
    pub logins: Arc<Logins>,
    pub users: Arc<UserTrust>,
    /// What can't be sealed is not accepted.
    pub readiness: Arc<Readiness>,
    pub clock: Clock,
    pub limits: Limits,
    pub max_recipients: usize,
    pub rejections: Rejections,
    /// How many octets an account may hold that has no limit of its own.
    pub storage: Option<u64>,
    budget: Arc<Budget>,
}

/// A message that may be accepted, and who signed it.
struct Judged {
    parsed: Parsed,
    account: Account,
    /// Who hands it in, where that is not the holder.
    operator: Option<Operator>,
    state: SubmissionState,
    signer: Option<SignerDetails>,
    /// Who signed it, where that is not the holder.
    signed_by: Option<Operator>,
    material: Vec<evidence::Material>,
}

/// Why a message is not accepted now.
enum Trouble {
    Refused(Refusal),
    Store(StoreError),
    Registry(RegistryError),
    Unready(Unready),
}

impl Desk {
    #[allow(clippy::too_many_arguments)] // each is another room's; made once, in wire_up
    pub fn new(
        store: Store,
        provider: Provider,
        logins: Arc<Logins>,
        users: Arc<UserTrust>,
        readiness: Arc<Readiness>,
        clock: Clock,
        limits: Limits,
        max_recipients: usize,
        rejections: Rejections,
        storage: Option<u64>,
        budget: usize,
    ) -> Self {
        let budget = Arc::new(Budget::new(budget));
        Self {
            store,
            provider,
            logins,
            users,
            readiness,
            clock,
            limits,
            max_recipients,
            rejections,
            storage,
            budget,
        }
    }

    pub fn body(&self, account: AccountId) -> Body {
        Body::new(self.budget.open(account))
    }

    pub async fn login(&self, user: &str, secret: SecretString) -> LoginAnswer {
        let at = self.clock.now();
        match self.logins.login(user, &secret, at).await {
            Ok(Outcome::Proven(proven)) => match proven.account.access(at) {
                Access::Whole => duty::let_in(proven, at),
                Access::Reading { until: Some(until) } => {
                    LoginAnswer::Refused(Refusal::AccountReadable(until.turkish_day()))
                }
                Access::Reading { until: None } | Access::Over => {
                    LoginAnswer::Refused(Refusal::AccountClosed(proven.account.address.to_string()))
                }
            },
            Ok(Outcome::Rejected) => LoginAnswer::Rejected,
            Err(error) => {
                tracing::error!(%error, "login");
                LoginAnswer::Temporary
            }
        }
    }

    pub async fn recipient(
        &self,
        address: &KepAddress,
        sender: AccountId,
        octets: u64,
    ) -> RecipientAnswer {
        match self.provider.standing(&self.store, address).await {
            Ok(Standing::Local(id)) => match self.room(id, address, sender, octets).await {
                Ok(room) => RecipientAnswer::Local { room },
                Err(error) => unavailable(&error, address),
            },
            Ok(Standing::LocalClosed) => RecipientAnswer::Closed,
            Ok(Standing::LocalUnknown) => RecipientAnswer::Unknown,
            Ok(Standing::Provider { size_limit }) => {
                let around = crate::certify::around(self.max_recipients);
                let size_limit = size_limit.map(|limit| limit.saturating_sub(around));
                RecipientAnswer::Provider { size_limit }
            }
            Ok(Standing::ProviderSuspended) => RecipientAnswer::ProviderSuspended,
            Ok(Standing::ProviderEnded) => RecipientAnswer::ProviderEnded,
            Ok(Standing::ProviderUnknown) => RecipientAnswer::ProviderUnknown,
            Err(error) => unavailable(&error, address),
        }
    }

    /// For how many octets of that sender. Who is full, by a mail that may come again, is judged
    /// when it is known which one comes (invariant 2).
    async fn room(
        &self,
        id: AccountId,
        address: &KepAddress,
        sender: AccountId,
        octets: u64,
    ) -> Result<Option<u64>, RegistryError> {
        let room = accounts::room(&self.store, id, self.storage).await?;
        if room.is_none_or(|room| octets <= room) {
            return Ok(room);
        }
        let (address, now) = (address.to_string(), self.clock.now());
        let look = move |tx: &mut Tx<'_>| submissions::wrote_to(tx, sender, &address, now);
        let again: Result<bool, StoreError> = self.store.read(move |tx| Ok(look(tx)?)).await;
        Ok(if again? { None } else { room })
    }

    pub async fn submit(&self, envelope: Envelope, body: Body) -> SubmitAnswer {
        let Some(body) = body.whole() else { return SubmitAnswer::Temporary };
        let digest = body.digest();
        match self.again(&envelope, digest).await {
            Ok(Some(answer)) => return answer,
            Ok(None) => {}
            Err(trouble) => return temporary(&trouble),
        }
        if let Err(unready) = self.readiness.check() {
            return temporary(&unready.into());
        }
        let judged = match self.have_room(&envelope, body.octets.len() as u64).await {
            Ok(()) => self.judge(&body.octets, &envelope).await,
            Err(trouble) => Err(trouble),
        };
        match judged {
            Ok(judged) => self.lay_in(envelope, body.octets, judged).await,
            Err(Trouble::Refused(refusal)) => {
                let seen = Glimpse::new(&body.octets, digest);
                self.reject(&envelope, Some(seen), &refusal).await;
                SubmitAnswer::Refused(refusal)
            }
            Err(trouble) => temporary(&trouble),
        }
    }

    /// A message that the dialogue itself refused after its octets began to come.
    /// `body` is its octets, when the last of them was read.
    pub async fn aborted(&self, envelope: &Envelope, refusal: &Refusal, body: Option<Body>) {
        self.reject(envelope, body.and_then(Body::glimpse), refusal).await;
    }

    /// The same mail again hears what it heard before, whatever would be said of it today
    /// (invariant 2). One that waits for a signature which is no longer asked for is accepted now.
    async fn again(
        &self,
        envelope: &Envelope,
        digest: Digest,
    ) -> Result<Option<SubmitAnswer>, Trouble> {
        let (account, now) = (envelope.from.account, self.clock.now());
        let same_mail = same_mail(envelope, digest);
        let find = move |tx: &mut Tx<'_>| submissions::same(tx, account, &same_mail, now);
        let Some(same) = self.store.look_up(find).await? else { return Ok(None) };
        if same.state != SubmissionState::Held {
            return Ok(Some(recorded(same)));
        }
        let account = accounts::find(&self.store, &envelope.from.address).await?;
        let account = account.filter(|account| account.state == AccountState::Active);
        if account.is_none_or(|account| account.signature != SignatureRule::Optional) {
            return Ok(Some(recorded(same)));
        }
        self.readiness.check()?;
        let (whose, id) = (envelope.from.account, same.message_id.clone());
        let release = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            if submissions::release(tx, &id, now)? {
                handovers::released(tx, whose, &id, now)?;
                spool::certify(tx, &id, now)?;
            }
            Ok(())
        };
        self.store.write(Lane::Client, release).await?;
        tracing::info!(message = %same.message_id, "accepted; no signature is asked for any more");
        metrics::counter!("kep_accepted_total").increment(1);
        Ok(Some(SubmitAnswer::Accepted { message_id: same.message_id }))
    }

    /// Whether each local recipient has room for what came, however large it was said to be at MAIL.
    async fn have_room(&self, envelope: &Envelope, octets: u64) -> Result<(), Trouble> {
        for recipient in envelope.recipients.iter().filter(|r| r.route == Route::Local) {
            let Some(account) = accounts::find(&self.store, &recipient.address).await? else {
                continue;
            };
            let room = accounts::room(&self.store, account.id, self.storage).await?;
            if room.is_some_and(|room| octets > room) {
                return Err(Refusal::RecipientFull(recipient.address.to_string()).into());
            }
        }
        Ok(())
    }

    async fn judge(&self, octets: &[u8], envelope: &Envelope) -> Result<Judged, Trouble> {
        let parsed = heavy(octets.len(), || check::inspect(octets, envelope, &self.limits))?;
        let account = accounts::find(&self.store, &envelope.from.address).await?;
        let account = account.filter(|account| account.state == AccountState::Active);
        let Some(account) = account else {
            let address = envelope.from.address.to_string();
            return Err(Refusal::SenderClosed(address).into());
        };
        let operator = match envelope.from.operator {
            Some(code) => {
                let whose = account.id;
                self.store.look_up(move |tx| duty::submitter(tx, whose, code)).await??
            }
            None => None,
        };
        let unsigned = |state| Judged {
            parsed: parsed.clone(),
            account: account.clone(),
            operator: operator.clone(),
            state,
            signer: None,
            signed_by: None,
            material: Vec::new(),
        };
        let checked = match &parsed.signature {
            SignatureForm::Multipart { signed_part, signature_der, .. } => {
                let part = octets.get(signed_part.clone()).unwrap_or_default();
                heavy(octets.len(), || self.users.check(part, signature_der))
            }
            SignatureForm::Opaque { der } => {
                heavy(octets.len(), || self.users.check_opaque(der).map(|(checked, _)| checked))
            }
            other => match account.signature {
                SignatureRule::Optional => return Ok(unsigned(SubmissionState::Accepted)),
                SignatureRule::Hold => return Ok(unsigned(SubmissionState::Held)),
                SignatureRule::Required => {
                    return Err(other.lack().unwrap_or(Refusal::SignatureMissing).into());
                }
            },
        };
        let checked = checked.map_err(|fault| refusal_of(&fault))?;
        let signed = self.users.judge(checked, self.clock.now()).await;
        let signed = signed.map_err(|fault| refusal_of(&fault))?;
        let (whose, shown) = (account.clone(), signed.signer.clone());
        let look = move |tx: &mut Tx<'_>| duty::signer(tx, &whose, &shown);
        let signed_by = self.store.look_up(look).await??;
        let signer = SignerDetails {
            subject: signed.signer.subject().to_owned(),
            issuer: signed.signer.issuer().to_owned(),
            serial: signed.signer.serial().to_owned(),
            signed_at: signed.signing_time.map(|at| at.millis()),
            operator: signed_by.as_ref().map(Operator::label),
        };
        Ok(Judged {
            material: crate::evidence::material::of(&signed.material),
            signer: Some(signer),
            signed_by,
            state: SubmissionState::Accepted,
            parsed,
            account,
            operator,
        })
    }

    async fn lay_in(&self, envelope: Envelope, octets: Vec<u8>, judged: Judged) -> SubmitAnswer {
        let blobs = Arc::clone(&self.store.blobs);
        let now = self.clock.now();
        let persons = Persons {
            submitter: judged.operator.as_ref(),
            signer: judged.signer.is_some().then_some(judged.signed_by.as_ref()),
        };
        let following = Following::of(&envelope.from, &persons, judged.state, &octets, now);
        let put = heavy(octets.len(), || blobs.put(octets));
        let new = match put {
            Ok(original) => self.submission(&envelope, original, &judged).await,
            Err(error) => return temporary(&Trouble::Store(error.into())),
        };
        let new = match new {
            Ok(new) => new,
            Err(trouble) => return temporary(&trouble),
        };
        let (id, state) = (new.message_id.clone(), new.state);
        let store = self.store.clone();
        let material = judged.material;
        let work = move |tx: &mut Tx<'_>| -> Result<Result<(), Same>, StoreError> {
            if let Err(same) = submissions::lay_in(tx, &store.blobs, &new)? {
                return Ok(Err(same));
            }
            for material in &material {
                evidence::keep(tx, material)?;
            }
            if new.state == SubmissionState::Accepted {
                spool::certify(tx, &new.message_id, now)?;
            }
            following.lay_in(tx, &new)?;
            Ok(Ok(()))
        };
        match self.store.write(Lane::Client, work).await {
            Ok(Ok(())) if state == SubmissionState::Held => SubmitAnswer::Held { message_id: id },
            Ok(Ok(())) => {
                tracing::info!(message = %id, from = %envelope.from.address, "accepted");
                metrics::counter!("kep_accepted_total").increment(1);
                SubmitAnswer::Accepted { message_id: id }
            }
            Ok(Err(same)) => recorded(same),
            Err(error) => temporary(&Trouble::Store(error)),
        }
    }

    async fn submission(
        &self,
        envelope: &Envelope,
        original: Put,
        judged: &Judged,
    ) -> Result<NewSubmission, Trouble> {
        let now = self.clock.now();
        let mut recipients = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            let account = match recipient.route {
                Route::Local => accounts::find(&self.store, &recipient.address).await?,
                Route::Provider { .. } => None,
            };
            let address = recipient.address.to_string();
            recipients.push(NewRecipient {
                address,
                account: account.map(|account| account.id),
                state: RecipientState::Accepted,
            });
        }
        let Judged { parsed, account, signer, material, .. } = judged;
        Ok(NewSubmission {
            message_id: MessageId::new(random::identifier(), &self.provider.domain),
            origin: Origin::Account(account.id),
            state: judged.state,
            same_mail: same_mail(envelope, original.digest),
            accepted_at: now,
            details: Details {
                sender: account.address.to_string(),
                sender_name: account.name.clone(),
                subject: parsed.subject.clone(),
                ua_message_id: parsed.ua_message_id.clone(),
                message_type: parsed.message_type.as_str().to_owned(),
                authenticated_at: envelope.from.at.millis(),
                signer: signer.clone(),
                ret: envelope.ret.map(|ret| ret.word().to_owned()),
                envid: envelope.envid.clone(),
                requiretls: envelope.requiretls,
                dsn: dsn(envelope),
                material: material.iter().map(|m| m.digest.hex()).collect(),
                operator: judged.operator.as_ref().map(Operator::label),
            },
            original,
            recipients,
        })
    }

    /// Evidence of a rejection for the sender, so many an hour. Without a glimpse the message was
    /// not read to its end.
    async fn reject(&self, envelope: &Envelope, seen: Option<Glimpse>, refusal: &Refusal) {
        metrics::counter!("kep_refused_total", "why" => refusal.name()).increment(1);
        tracing::info!(from = %envelope.from.address, why = refusal.name(), "refused");
        let now = self.clock.now();
        if refusal.is_temporary() || !self.rejections.allow(envelope.from.account, now) {
            return;
        }
        let digest = seen.as_ref().map(|seen| seen.digest);
        let id = match digest {
            Some(digest) => rejections::identifier(envelope, digest, refusal, now),
            None => random::identifier(),
        };
        let (subject, ua_message_id) =
            seen.map(|seen| (seen.subject, seen.ua_message_id)).unwrap_or_default();
        let fact = Fact::Refused {
            message: MessageId::new(id, &self.provider.domain).to_string(),
            at: now.millis(),
            refusal: Refused {
                account: envelope.from.account.0,
                sender: envelope.from.address.to_string(),
                recipients: envelope.recipients.iter().map(|r| r.address.to_string()).collect(),
                subject,
                ua_message_id,
                digest: digest.map(|digest| digest.hex()),
                reason: refusal.event_reason().to_owned(),
                text: format!("{} / {}", refusal.turkish(), refusal.english()),
            },
        };
        let work = move |tx: &mut Tx<'_>| spool::fact(tx, &fact, now);
        let laid: Result<(), RowsError> = self.store.write(Lane::Background, work).await;
        if let Err(error) = laid {
            tracing::error!(%error, "a rejection could not be laid in");
        }
    }
}

/// What was said with each recipient about reports.
fn dsn(envelope: &Envelope) -> BTreeMap<usize, Dsn> {
    let said = |recipient: &Recipient| Dsn {
        notify: recipient.notify.words(),
        orcpt: recipient.orcpt.as_ref().map(ToString::to_string),
    };
    let all = (1..).zip(envelope.recipients.iter().map(said));
    all.filter(|(_, said)| *said != Dsn::default()).collect()
}

fn same_mail(envelope: &Envelope, digest: Digest) -> Digest {
    let mut to: Vec<_> = envelope.recipients.iter().map(|r| r.address.as_str()).collect();
    to.sort_unstable();
    let account = envelope.from.account;
    sha256(format!("{account}\n{}\n{}", digest.hex(), to.join("\n")).as_bytes())
}

/// What was said of a mail when it came first.
fn recorded(same: Same) -> SubmitAnswer {
    let Same { message_id, state } = same;
    tracing::info!(message = %message_id, "the same mail again");
    match state {
        SubmissionState::Held | SubmissionState::Withdrawn => SubmitAnswer::Held { message_id },
        SubmissionState::Signed | SubmissionState::Accepted | SubmissionState::Dispatched => {
            SubmitAnswer::AlreadyAccepted { message_id }
        }
    }
}

fn unavailable(error: &RegistryError, address: &KepAddress) -> RecipientAnswer {
    tracing::error!(%error, %address, "recipient");
    RecipientAnswer::Temporary
}

fn temporary(trouble: &Trouble) -> SubmitAnswer {
    match trouble {
        Trouble::Refused(refusal) => return SubmitAnswer::Refused(refusal.clone()),
        Trouble::Store(error) if error.is_full() => {
            tracing::error!(%error, "submission");
            metrics::counter!("kep_submission_temporary_total").increment(1);
            return SubmitAnswer::Refused(Refusal::StorageFull);
        }
        Trouble::Store(error) => tracing::error!(%error, "submission"),
        Trouble::Registry(error) => tracing::error!(%error, "submission"),
        Trouble::Unready(error) => tracing::error!(%error, "submission"),
    }
    metrics::counter!("kep_submission_temporary_total").increment(1);
    SubmitAnswer::Temporary
}

fn refusal_of(fault: &SignatureFault) -> Refusal {
    tracing::info!(%fault, "signature");
    match fault.reason() {
        FaultReason::Malformed => Refusal::SignatureMalformed,
        FaultReason::NoSigner | FaultReason::NoCertificate => Refusal::CertificateMissing,
        FaultReason::SeveralSigners => Refusal::SignerMany,
        FaultReason::WeakDigest => Refusal::WeakDigest,
        FaultReason::DigestMismatch | FaultReason::Broken => Refusal::SignatureBroken,
        FaultReason::Untrusted => Refusal::CertificateUntrusted,
        FaultReason::Expired => Refusal::CertificateExpired,
        FaultReason::NotYetValid => Refusal::CertificateNotYetValid,
        FaultReason::WeakKey => Refusal::WeakKey,
        FaultReason::KeyUsage => Refusal::CertificateKeyUsage,
        FaultReason::Revoked => Refusal::CertificateRevoked,
        FaultReason::RevocationNowhere => Refusal::CertificateNowhere,
        FaultReason::RevocationUnknown => Refusal::RevocationUnavailable,
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unready> for Trouble {
    fn from(unready: Unready) -> Self {
        Self::Unready(unready)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RowsError> for Trouble {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl From<RegistryError> for Trouble {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}
