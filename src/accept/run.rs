//! Judges a submission that was read whole, and lays it in. When it says `Accepted`, the message is
//! durable (invariant 1); when it refuses, nothing is half-done (invariant 6).

use super::ask::{Envelope, Login, LoginAnswer, Recipient, RecipientAnswer, Route, SubmitAnswer};
use super::bars::may_submit;
use super::body::{Body, Glimpse, message_id};
use super::check::{self, Limits, Parsed, SignatureForm};
use super::duty::{self, Following, Persons};
use super::heavy;
use super::refusal::Refusal;
use super::rejections::{self, Rejections};
use super::scan::{ScanTrouble, Scanner};
use crate::registry::accounts::{self, Account, SignatureRule};
use crate::registry::app_passwords::Scope;
use crate::registry::budget::Budget;
use crate::registry::credits::{self, Paid, Recipients, Short, Till};
use crate::registry::handovers;
use crate::registry::login::{Logins, NotHere, Outcome};
use crate::registry::operators::Operator;
use crate::registry::policy::{self, Unscanned};
use crate::registry::tasks;
use crate::registry::{Provider, RegistryError, Standing};
use crate::spool::{self, Fact, fact::Refused};
use crate::store::submissions::{
    self, Details, Dsn, NewRecipient, NewSubmission, Origin, RecipientState, Same, SignerDetails,
    SubmissionState,
};
use crate::store::{
    Lane, Put, RowsError, Store, StoreError, Tx, accounts as account_rows, evidence,
};
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
    till: Till,
    scan: Option<Arc<Scanner>>,
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

/// What became of a message that may be accepted.
enum Laid {
    Now,
    Same(Same),
    /// Others of the account took the credit meanwhile.
    Short(Short),
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
        let till = Till::new(store.clone());
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
            till,
            scan: None,
        }
    }

    /// The same, with somebody who looks for viruses.
    pub fn scanned_by(self, scan: Option<Arc<Scanner>>) -> Self {
        Self { scan, ..self }
    }

    pub fn body(&self, account: AccountId) -> Body {
        Body::new(self.budget.open(account))
    }

    pub async fn login(&self, user: &str, secret: SecretString) -> LoginAnswer {
        let at = self.clock.now();
        match self.logins.login(user, &secret, Scope::Smtp, at).await {
            Ok(Outcome::Proven(proven)) => match may_submit(&proven.account, at) {
                Ok(()) => duty::let_in(*proven, at),
                Err(bar) => LoginAnswer::Refused(bar.at_login(&proven.account)),
            },
            Ok(Outcome::Rejected) => LoginAnswer::Rejected,
            Ok(Outcome::NotHere(why)) => LoginAnswer::Refused(match why {
                NotHere::Scope => Refusal::PasswordScope,
                NotHere::SecondFactor => Refusal::PasswordAlone,
            }),
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
        match self.barred(address, sender).await {
            Ok(None) => {}
            Ok(Some(refusal)) => return RecipientAnswer::SenderBarred(refusal),
            Err(error) => return unavailable(&error, address),
        }
        let answer = self.reachable(address, sender, octets).await;
        let to = match answer {
            RecipientAnswer::Local { .. } => Recipients { here: 1, elsewhere: 0 },
            RecipientAnswer::Provider { .. } => Recipients { here: 0, elsewhere: 1 },
            other => return other,
        };
        let short = self.till.short(sender, octets, to, self.clock.now()).await;
        let short = match short {
            Ok(None) => return answer,
            Ok(Some(short)) => short,
            Err(error) => return unavailable(&error.into(), address),
        };
        match self.may_come_again(address, sender).await {
            Ok(true) => answer,
            Ok(false) => RecipientAnswer::NoCredit { needed: short.needed, left: short.left },
            Err(error) => unavailable(&error, address),
        }
    }

    /// The sender's state may have changed since the login. Whose mail may come again is judged when it is
    /// known which one comes (invariant 2).
    async fn barred(
        &self,
        address: &KepAddress,
        sender: AccountId,
    ) -> Result<Option<Refusal>, RegistryError> {
        let find = move |tx: &mut Tx<'_>| accounts::account(&account_rows::by_id(tx, sender)?);
        let account = self.store.look_up(find).await?;
        let Err(bar) = may_submit(&account, self.clock.now()) else { return Ok(None) };
        let again = self.may_come_again(address, sender).await?;
        Ok((!again).then(|| bar.after_login(&account)))
    }

    async fn reachable(
        &self,
        address: &KepAddress,
        sender: AccountId,
        octets: u64,
    ) -> RecipientAnswer {
        match self.provider.standing(&self.store, address, self.clock.now()).await {
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
    /// when it is known which one comes (invariant 2); so is who has no credit left.
    async fn room(
        &self,
        id: AccountId,
        address: &KepAddress,
        sender: AccountId,
        octets: u64,
    ) -> Result<Option<u64>, RegistryError> {
        let room = accounts::room(&self.store, id, self.storage, self.clock.now()).await?;
        if room.is_none_or(|room| octets <= room) {
            return Ok(room);
        }
        let again = self.may_come_again(address, sender).await?;
        Ok(if again { None } else { room })
    }

    async fn may_come_again(
        &self,
        address: &KepAddress,
        sender: AccountId,
    ) -> Result<bool, RegistryError> {
        let (address, now) = (address.to_string(), self.clock.now());
        let look = move |tx: &mut Tx<'_>| submissions::wrote_to(tx, sender, &address, now);
        Ok(self.store.read(look).await?)
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
        let octets = body.octets.len() as u64;
        let judged = async {
            self.have_room(&envelope, octets).await?;
            self.has_credit(&envelope, &body.octets).await?;
            self.judge(&body.octets, &envelope).await
        };
        let judged = match judged.await {
            Ok(judged) => self.scanned(&body.octets, judged).await,
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
        let account = account.filter(|account| may_submit(account, now).is_ok());
        if account.is_none_or(|account| account.signature != SignatureRule::Optional) {
            return Ok(Some(recorded(same)));
        }
        self.readiness.check()?;
        let (from, id) = (envelope.from.clone(), same.message_id.clone());
        let release = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            let Ok(operator) = duty::acting(tx, &from)? else { return Ok(false) };
            if submissions::release(tx, &id, now)? {
                let by = duty::by(&from, operator.as_ref(), now);
                handovers::released(tx, from.account, &id, &by)?;
                spool::certify(tx, &id, now)?;
            }
            Ok(true)
        };
        if !self.store.write(Lane::Client, release).await? {
            return Ok(Some(recorded(same)));
        }
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
            let now = self.clock.now();
            let room = accounts::room(&self.store, account.id, self.storage, now).await?;
            if room.is_some_and(|room| octets > room) {
                return Err(Refusal::RecipientFull(recipient.address.to_string()).into());
            }
        }
        Ok(())
    }

    /// As far as can be said before it is laid in.
    async fn has_credit(&self, envelope: &Envelope, octets: &[u8]) -> Result<(), Trouble> {
        let here = envelope.recipients.iter().filter(|r| r.route == Route::Local).count();
        let to = Recipients { here, elsewhere: envelope.recipients.len() - here };
        let (now, account) = (self.clock.now(), envelope.from.account);
        let short = self.till.short(account, octets.len() as u64, to, now).await?;
        let Some(short) = short else { return Ok(()) };
        // Its own unsigned form may hold the credits that it needs.
        let freed = match message_id(octets) {
            Some(id) => {
                let look = move |tx: &mut Tx<'_>| handovers::awaiting(tx, account, &id);
                self.store.look_up(look).await?
            }
            None => 0,
        };
        match short.left.saturating_add(freed) < short.needed {
            true => Err(Refusal::no_credit(short.needed, short.left).into()),
            false => Ok(()),
        }
    }

    /// Its connection ended before the message did: there is something to do, if it can be told of which.
    pub async fn broke_off(&self, from: Login, body: Body) {
        let Some(id) = body.unfinished() else { return };
        let now = self.clock.now();
        let work = move |tx: &mut Tx<'_>| {
            tasks::broke_off(tx, from.account, from.operator, &id, now).map(|_| ())
        };
        let noted: Result<(), RowsError> = self.store.write(Lane::Background, work).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "an unfinished upload could not be noted");
        }
    }

    async fn judge(&self, octets: &[u8], envelope: &Envelope) -> Result<Judged, Trouble> {
        let parsed = heavy(octets.len(), || check::inspect(octets, envelope, &self.limits))?;
        let Some(account) = accounts::find(&self.store, &envelope.from.address).await? else {
            let address = envelope.from.address.to_string();
            return Err(Refusal::SenderClosed(address).into());
        };
        // It may have changed since the login.
        may_submit(&account, self.clock.now()).map_err(|bar| bar.after_login(&account))?;
        let from = envelope.from.clone();
        let operator = self.store.look_up(move |tx| duty::acting(tx, &from)).await??;
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
        let now = self.clock.now();
        let signed = self.users.judge(checked, now).await;
        let signed = signed.map_err(|fault| refusal_of(&fault))?;
        let (whose, shown) = (account.clone(), signed.signer.clone());
        let look = move |tx: &mut Tx<'_>| duty::signer(tx, &whose, &shown, now);
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

    /// Last of all: it takes longest. By policy a message may wait here for a scanner that is away; one
    /// that waits for its signature already does not.
    async fn scanned(&self, octets: &[u8], judged: Judged) -> Result<Judged, Trouble> {
        let Some(scanner) = &self.scan else { return Ok(judged) };
        let now = self.clock.now();
        match scanner.judge(&self.store, octets, now).await {
            Ok(None) => Ok(judged),
            Ok(Some(refusal)) => Err(refusal.into()),
            Err(ScanTrouble::Unavailable) if judged.state == SubmissionState::Accepted => {
                let policies = self.store.look_up(move |tx| policy::at(tx, now)).await?;
                match policies.virus_unscanned {
                    Unscanned::Refuse => Err(Refusal::ScannerUnavailable.into()),
                    Unscanned::Hold => Ok(Judged { state: SubmissionState::Unscanned, ..judged }),
                }
            }
            Err(trouble) => Err(trouble.into()),
        }
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
        let seen = new.details.charge.is_some().then(|| Glimpse {
            digest: new.original.digest,
            subject: new.details.subject.clone(),
            ua_message_id: new.details.ua_message_id.clone(),
        });
        let store = self.store.clone();
        let material = judged.material;
        let work = move |tx: &mut Tx<'_>| -> Result<Laid, StoreError> {
            let held = following.ends(tx, &new)?;
            match credits::pay(tx, &new, &held)? {
                Paid::Yes => {}
                Paid::Before(same) => return Ok(Laid::Same(same)),
                Paid::Short(short) => return Ok(Laid::Short(short)),
            }
            match submissions::lay_in(tx, &store.blobs, &new)? {
                Ok(()) => {}
                Err(same) if new.details.charge.is_none() => return Ok(Laid::Same(same)),
                Err(_) => return Err(RowsError::Undone("paid, and not laid in").into()),
            }
            for material in &material {
                evidence::keep(tx, material)?;
            }
            match new.state {
                SubmissionState::Accepted => spool::certify(tx, &new.message_id, now)?,
                SubmissionState::Unscanned => spool::scan(tx, &new.message_id, now)?,
                SubmissionState::Held
                | SubmissionState::Signed
                | SubmissionState::Withdrawn
                | SubmissionState::Dispatched => {}
            }
            following.lay_in(tx, &new)?;
            Ok(Laid::Now)
        };
        match self.store.write(Lane::Client, work).await {
            Ok(Laid::Now) if state == SubmissionState::Held => {
                SubmitAnswer::Held { message_id: id }
            }
            Ok(Laid::Now) => {
                tracing::info!(message = %id, from = %envelope.from.address, "accepted");
                metrics::counter!("kep_accepted_total").increment(1);
                SubmitAnswer::Accepted { message_id: id }
            }
            Ok(Laid::Same(same)) => recorded(same),
            Ok(Laid::Short(short)) => {
                let refusal = Refusal::no_credit(short.needed, short.left);
                self.reject(&envelope, seen, &refusal).await;
                SubmitAnswer::Refused(refusal)
            }
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
        let to = credits::recipients(&recipients);
        let charge = self.till.charge(original.size, to, now).await?;
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
                charge,
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
        SubmissionState::Signed
        | SubmissionState::Unscanned
        | SubmissionState::Accepted
        | SubmissionState::Dispatched => SubmitAnswer::AlreadyAccepted { message_id },
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

impl From<ScanTrouble> for Trouble {
    fn from(trouble: ScanTrouble) -> Self {
        match trouble {
            ScanTrouble::Unavailable | ScanTrouble::Nobody => {
                Self::Refused(Refusal::ScannerUnavailable)
            }
            ScanTrouble::Store(error) => Self::Store(error),
        }
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
