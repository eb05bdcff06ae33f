//! Shows a mail to clamd, and weighs what it says by the policies in force; and the step that does so
//! later, for what came while clamd was away.

use super::{Clamd, Leniency, ScanFault, Verdict, pieces};
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::registry::credits;
use crate::registry::policy::{self, Abandoned, Passage};
use crate::spool::fact::Refused;
use crate::spool::{self, Fact, Step, Takers};
use crate::store::jobs::{self, Job};
use crate::store::submissions::{self, Origin, Recipient, Submission, SubmissionState};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::Clock;
use crate::wire::{MessageId, Timestamp};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// Who looks for viruses.
pub struct Scanner {
    pub clamd: Clamd,
}

/// Nothing can be said of a mail now.
#[derive(Debug, Error)]
pub enum ScanTrouble {
    #[error("the virus scanner gives no verdict")]
    Unavailable,
    #[error(
        "no virus scanner is set (scan.clamd), and without one nothing passes (virus.abandoned)"
    )]
    Nobody,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for ScanTrouble {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl Scanner {
    /// Why a mail may not come in, if so.
    pub async fn judge(
        &self,
        store: &Store,
        mail: &[u8],
        now: Timestamp,
    ) -> Result<Option<Refusal>, ScanTrouble> {
        let verdicts = self.scan(mail).await.map_err(|error| {
            metrics::counter!("kep_scan_failed_total").increment(1);
            tracing::error!(%error, "virus scan");
            ScanTrouble::Unavailable
        })?;
        let refused = match verdicts.is_empty() {
            true => None,
            false => verdicts.iter().find_map({
                let leniency = leniency(store, now).await?;
                move |verdict| Some((verdict, verdict.refusal(leniency)?))
            }),
        };
        let decisive = refused.as_ref().map(|(verdict, _)| *verdict).or(verdicts.first());
        let word = decisive.map_or(Verdict::Clean.word(), Verdict::word);
        metrics::counter!("kep_scanned_total", "verdict" => word).increment(1);
        if refused.is_none() && !verdicts.is_empty() {
            tracing::warn!(?verdicts, "passes without a scan, by policy");
        }
        Ok(refused.map(|(_, refusal)| refusal))
    }

    /// All that is said of a mail but that it is clean: of its octets as they are, and of what opaque
    /// signatures in it hide from clamd. A virus is the last word.
    async fn scan(&self, mail: &[u8]) -> Result<Vec<Verdict>, ScanFault> {
        let hidden = heavy(mail.len(), || pieces::hidden(mail));
        let mut said = Vec::new();
        if !hidden.whole {
            said.push(Verdict::Beyond(WRAPPED.to_owned()));
        }
        for piece in std::iter::once(mail).chain(hidden.pieces.iter().map(Vec::as_slice)) {
            match self.clamd.scan(piece).await? {
                Verdict::Clean => {}
                virus @ Verdict::Virus(_) => return Ok(vec![virus]),
                other => said.push(other),
            }
        }
        Ok(said)
    }
}

/// Scans what came while the scanner was away, until it has been seen. Where the settings name no scanner
/// any more, policy says what becomes of it.
pub struct Scanning {
    pub store: Store,
    pub scanner: Option<Arc<Scanner>>,
    pub clock: Clock,
}

/// How many messages were taken and wait for a scanner.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    let work = |tx: &mut Tx<'_>| Ok(jobs::waiting(tx, Step::Scan.word(), jobs::HELD)?);
    store.read(work).await
}

impl Scanning {
    pub async fn run(self: Arc<Self>, parallel: usize, stop: watch::Receiver<bool>) {
        let takers = Takers::new(&self.store, Step::Scan);
        let (store, clock) = (self.store.clone(), self.clock.clone());
        spool::run(takers, store, clock, parallel, stop, move |job| {
            let scanning = Arc::clone(&self);
            async move { scanning.carry_out(&job).await }
        })
        .await;
    }

    /// Scans one message: it goes on, or its sender gets evidence that it does not.
    pub async fn carry_out(&self, job: &Job) -> Result<(), ScanTrouble> {
        let (job, payload) = (job.id, MessageId::parse(&job.payload));
        let id = payload.ok_or(RowsError::Stored("a message id"))?;
        let wanted = id.clone();
        let look = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let Some(found) = submissions::find(tx, &wanted)? else { return Ok(None) };
            Ok(Some((submissions::recipients(tx, &wanted)?, found)))
        };
        let found = self.store.read(look).await?;
        let waits = found.filter(|(_, found)| found.state == SubmissionState::Unscanned);
        let Some((recipients, submission)) = waits else {
            let finish = move |tx: &mut Tx<'_>| jobs::finish(tx, job).map(drop);
            return Ok(self.store.write(Lane::Background, finish).await?);
        };
        let now = self.clock.now();
        let refusal = match &self.scanner {
            Some(scanner) => {
                let octets = self.store.blob(submission.original).await?;
                scanner.judge(&self.store, &octets, now).await?
            }
            None => self.abandoned(&id, now).await?,
        };
        let fact = refusal.map(|refusal| refused(&submission, &recipients, &refusal, now));
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            match &fact {
                None if submissions::scanned(tx, &id, now)? => spool::certify(tx, &id, now)?,
                Some(fact) if submissions::withdraw(tx, &id)? => {
                    spool::fact(tx, fact, now)?;
                    give_back(tx, &submission, now)?;
                }
                _ => {}
            }
            jobs::finish(tx, job)?;
            Ok(())
        };
        Ok(self.store.write(Lane::Background, work).await?)
    }

    /// What is said of a message that waits for a scanner which nobody will start.
    async fn abandoned(
        &self,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<Option<Refusal>, ScanTrouble> {
        let policies = self.store.look_up(move |tx| policy::at(tx, now)).await?;
        match policies.virus_abandoned {
            Abandoned::Wait => Err(ScanTrouble::Nobody),
            Abandoned::Accept => {
                metrics::counter!("kep_scanned_total", "verdict" => "abandoned").increment(1);
                tracing::warn!(message = %id, "passes without a scan, by policy");
                Ok(None)
            }
        }
    }
}

/// A refusal costs nothing (invariant 6).
fn give_back(tx: &mut Tx<'_>, refused: &Submission, now: Timestamp) -> Result<(), RowsError> {
    if let (Origin::Account(account), Some(charge)) = (&refused.origin, &refused.details.charge) {
        credits::release(tx, *account, &refused.message_id, charge, now)?;
    }
    Ok(())
}

/// The sender was told that it is taken: he gets this evidence however many he has had.
fn refused(
    submission: &Submission,
    recipients: &[Recipient],
    refusal: &Refusal,
    now: Timestamp,
) -> Fact {
    let Submission { message_id, origin, details, digest, .. } = submission;
    metrics::counter!("kep_refused_total", "why" => refusal.name()).increment(1);
    tracing::info!(message = %message_id, why = refusal.name(), "refused after it was scanned");
    let account = match origin {
        Origin::Account(account) => account.0,
        Origin::Peer(_) => 0,
    };
    Fact::Refused {
        message: message_id.to_string(),
        at: now.millis(),
        refusal: Refused {
            account,
            sender: details.sender.clone(),
            recipients: recipients.iter().map(|one| one.address.clone()).collect(),
            subject: details.subject.clone(),
            ua_message_id: details.ua_message_id.clone(),
            digest: Some(digest.hex()),
            reason: refusal.event_reason().to_owned(),
            text: format!("{} / {}", refusal.turkish(), refusal.english()),
        },
    }
}

async fn leniency(store: &Store, now: Timestamp) -> Result<Leniency, ScanTrouble> {
    let policies = store.look_up(move |tx| policy::at(tx, now)).await?;
    Ok(Leniency {
        encrypted: policies.virus_encrypted == Passage::Accept,
        beyond: policies.virus_beyond == Passage::Accept,
    })
}

/// What senders and the log are told of signatures that could not be taken off.
const WRAPPED: &str = "signatures that can't be unwrapped";
