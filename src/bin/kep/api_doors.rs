//! What the API asks of rooms that it can't see: the desk that accepts, and the judge of documents.

use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::accept::ask::{Config, Login, SubmitAnswer};
use kep::accept::letter::Letter as Post;
use kep::accept::refusal::Refusal as Reason;
use kep::accept::run::Desk;
use kep::evidence::verify::{Believed, Given, Judge, Report};
use kep::portal::api::{Accepting, Entry, Letter, Refusal, Refused, Submitted, Verifying, Waiting};
use kep::registry::audit::seal::{self, Against, Verdict};
use kep::registry::peers::Peer;
use kep::store::evidence;
use kep::store::{Store, StoreError, Tx};
use kep::trust::{Anchors, Certificate, Lists, SealVerifier, TokenVerifier, TrustError};
use kep::wire::{MessageId, Timestamp};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// The desk at which SMTP hands in, too.
pub struct AcceptingDoor {
    pub desk: Arc<Desk>,
    /// As the sessions of SMTP have it, policies and all.
    pub config: watch::Receiver<Arc<Config>>,
}

impl Accepting for AcceptingDoor {
    fn submit(&self, letter: Letter) -> Waiting<Submitted> {
        let (desk, most) = (Arc::clone(&self.desk), self.most());
        Box::pin(async move {
            let Letter { account, address, operator, at, channel, recipients, octets } = letter;
            let from = Login { account, address, operator, at, channel };
            let post = Post { from, recipients, octets: octets.to_vec(), most };
            match desk.hand_in(post).await {
                SubmitAnswer::Accepted { message_id } => Submitted::Accepted(message_id),
                SubmitAnswer::AlreadyAccepted { message_id } => Submitted::Again(message_id),
                SubmitAnswer::Held { message_id } => Submitted::Held(message_id),
                SubmitAnswer::Refused(reason) => Submitted::Refused(Box::new(refusal(&reason))),
                SubmitAnswer::Temporary => Submitted::Unavailable,
            }
        })
    }

    fn broke_off(&self, letter: Letter) -> Waiting<()> {
        let desk = Arc::clone(&self.desk);
        Box::pin(async move {
            let Letter { account, address, operator, at, channel, octets, .. } = letter;
            let mut body = desk.body(account);
            body.add(&octets);
            desk.broke_off(Login { account, address, operator, at, channel }, body).await;
        })
    }

    fn most(&self) -> u64 {
        self.config.borrow().size_limit
    }

    fn refusals(&self) -> Vec<Entry> {
        refusals()
    }
}

/// All that a submission may be refused for.
pub fn refusals() -> Vec<Entry> {
    Reason::all("{}").iter().map(entry).collect()
}

fn refusal(reason: &Reason) -> Refusal {
    let row = reason.row();
    let said = Refused {
        reply: row.code,
        enhanced: row.enhanced.to_owned(),
        reason: row.reason.as_str().to_owned(),
    };
    Refusal { entry: entry(reason), said, detail: reason.detail().to_owned() }
}

fn entry(reason: &Reason) -> Entry {
    let row = reason.row();
    let some = |hint: &str| (!hint.is_empty()).then(|| hint.to_owned());
    Entry {
        code: code(row.name),
        status: status(reason),
        turkish: row.turkish.to_owned(),
        english: row.english.to_owned(),
        hint_turkish: some(row.hint_turkish),
        hint_english: some(row.hint_english),
    }
}

/// `SignatureMissing` is `refused-signature-missing`.
fn code(name: &str) -> String {
    let mut code = "refused".to_owned();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            code.push('-');
        }
        code.push(letter.to_ascii_lowercase());
    }
    code
}

/// What may pass is 503, what is too large 413, all else is the message's own fault: 422.
fn status(reason: &Reason) -> u16 {
    match reason {
        Reason::TooLarge(_) | Reason::TooLargeForRecipient(_) => 413,
        Reason::RateLimited => 429,
        Reason::TooManyRecipients(_) => 422,
        _ if reason.is_temporary() => 503,
        _ => 422,
    }
}

/// Judges by the provider's own anchors and what the registry has of others, with the lists that were kept when evidence was issued.
#[derive(Clone)]
pub struct VerifyingDoor {
    seal: Vec<Certificate>,
    time_stamp: Vec<Certificate>,
    user: Vec<Certificate>,
    store: Store,
    provider: String,
    /// Where copies of the audit's seals lie.
    copies: PathBuf,
    /// The whole audit is walked for one at a time.
    walking: Arc<Semaphore>,
}

impl VerifyingDoor {
    pub fn new(settings: &Settings, store: Store) -> Outcome<Self> {
        let trust = &settings.trust;
        let load = |path: &std::path::Path| {
            let anchors = Anchors::load(path);
            let anchors = anchors.map_err(|e| Failure::config(format!("trust: {e}")))?;
            Outcome::Ok(anchors.certificates().to_vec())
        };
        Ok(Self {
            seal: load(&trust.seal_anchors)?,
            time_stamp: load(&trust.tsa_anchors)?,
            user: load(&trust.user_anchors)?,
            store,
            provider: settings.provider.domain.to_string(),
            copies: wire_up::audit_copies(settings),
            walking: Arc::new(Semaphore::new(1)),
        })
    }

    /// By the own anchors, and these seals of whoever says that he issued it.
    fn judge(&self, mut lists: Lists, seals: &[Certificate]) -> Result<Judge, TrustError> {
        let anchors = |of: &[Certificate]| Anchors::new(of.to_vec());
        // A seal may leave its certificate out: the registry has it.
        seals.iter().for_each(|seal| lists.add_certificate(seal.clone()));
        Judge::new(Believed {
            seal: Some(Anchors::new([self.seal.as_slice(), seals].concat())?),
            time_stamp: Some(anchors(&self.time_stamp)?),
            user: Some(anchors(&self.user)?),
            lists,
        })
    }
}

impl VerifyingDoor {
    async fn walk(&self, now: Timestamp) -> Result<Verdict, Box<dyn Error + Send + Sync>> {
        let anchors = |of: &[Certificate]| Anchors::new(of.to_vec());
        let tokens = TokenVerifier::new(anchors(&self.time_stamp)?, Vec::new());
        let verifier = SealVerifier::new(anchors(&self.seal)?, Vec::new(), tokens);
        let folder = self.copies.clone();
        let copies = tokio::task::spawn_blocking(move || seal::copies(&folder)).await??;
        let (provider, explained) = (self.provider.as_str(), BTreeSet::new());
        let (verifier, copies, explained) = (&verifier, &copies, &explained);
        let held = Against { provider, verifier, copies, explained };
        Ok(seal::verify(&self.store, &held, now).await?)
    }
}

impl Verifying for VerifyingDoor {
    fn verify(
        &self,
        octets: axum::body::Bytes,
        now: Timestamp,
    ) -> Waiting<Option<serde_json::Value>> {
        let first = self.judge(Lists::default(), &[]);
        let again = self.clone();
        Box::pin(async move {
            let judge = first.inspect_err(|error| tracing::error!(%error, "verify")).ok()?;
            let looked = octets.clone();
            let report = aside(move || judge.judge(&looked, None, now)).await?;
            let lists = kept(&again.store, &report).await.inspect_err(said).ok()?;
            let seals = theirs(&again.store, &report, now).await.inspect_err(said).ok()?;
            let judge = again.judge(lists, &seals);
            let judge = judge.inspect_err(|error| tracing::error!(%error, "verify")).ok()?;
            let run = aside(move || {
                let given = Given { name: DOCUMENT, octets: Ok(&octets), original: None };
                judge.judge_all(&[given], None, now)
            });
            serde_json::to_value(run.await?).ok()
        })
    }

    fn audit(&self, now: Timestamp) -> Waiting<Option<Verdict>> {
        let door = self.clone();
        Box::pin(async move {
            let _turn = door.walking.acquire().await.ok()?;
            let walked = door.walk(now).await;
            walked.inspect_err(|error| tracing::error!(%error, "audit")).ok()
        })
    }
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn said(error: &StoreError) {
    tracing::error!(%error, "verify");
}

/// The seals that are registered for whoever says that he issued it, where that is another provider, good
/// when it was stamped.
async fn theirs(
    store: &Store,
    report: &Report,
    now: Timestamp,
) -> Result<Vec<Certificate>, StoreError> {
    let Some(issuer) = report.issuer() else { return Ok(Vec::new()) };
    let mut told =
        report.evidence.iter().chain(report.enclosed.iter().flat_map(|one| &one.evidence));
    let stamped = told.find_map(|facts| Timestamp::parse_iso8601(facts.stamped_at.as_deref()?));
    let look = move |tx: &mut Tx<'_>| -> Result<Vec<Certificate>, StoreError> {
        let peer = Peer::answering(tx, &issuer)?;
        let seals = peer.iter().flat_map(|peer| peer.seals_at(stamped.unwrap_or(now)));
        Ok(seals.map(|seal| seal.certificate.clone()).collect())
    };
    store.read(look).await
}

/// What was kept to validate the evidence that a document is, or encloses.
async fn kept(store: &Store, report: &Report) -> Result<Lists, StoreError> {
    let facts: Vec<_> = report
        .evidence
        .iter()
        .chain(report.enclosed.iter().filter_map(|one| one.evidence.as_ref()))
        .filter_map(|facts| Some((MessageId::parse(&facts.message_id)?, facts.id.clone())))
        .take(ENCLOSED)
        .collect();
    let look = move |tx: &mut Tx<'_>| -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        for (message, id) in &facts {
            let all = evidence::of_message(tx, message)?;
            for row in all.iter().filter(|row| row.document_id() == id) {
                found.extend(evidence::material(tx, &row.id)?);
            }
        }
        Ok(found)
    };
    let mut lists = Lists::default();
    for (kind, value) in store.read(look).await? {
        match kind.as_str() {
            "certificate" => {
                if let Ok(certificate) = Certificate::from_der(&value) {
                    lists.add_certificate(certificate);
                }
            }
            // What we kept was read when it was kept.
            "crl" => _ = lists.add_crl(value),
            _ => lists.add_answer(&value),
        }
    }
    Ok(lists)
}

/// What the document is called in its judgement.
const DOCUMENT: &str = "document";
/// Evidence in one mail that is looked up.
const ENCLOSED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use kep::store::providers::{self, ProviderRow, SealRow};
    use kep::store::{Lane, RowsAt};
    use kep::trust::Clock;
    use kep::trust::vault::Vault;

    fn provider(domain: &str, seal: SealRow) -> ProviderRow {
        let now = Timestamp::from_secs(1_795_424_000);
        ProviderRow {
            domain: domain.into(),
            name: "Öteki".into(),
            host: "127.0.0.1:25".into(),
            route: String::new(),
            state: "active".into(),
            since: now,
            tls_pins: "0f".repeat(32),
            tls_ca: String::new(),
            tls_by: String::new(),
            client_pins: String::new(),
            dialect: "ts102640".into(),
            size_limit: None,
            added_at: now,
            seals: vec![seal],
        }
    }

    #[test]
    fn each_refusal_has_a_code_of_its_own_and_a_status() {
        let all = refusals();
        let codes: BTreeSet<_> = all.iter().map(|entry| entry.code.clone()).collect();
        assert_eq!(codes.len(), all.len());
        assert_eq!(code("SignatureMissing"), "refused-signature-missing");
        assert_eq!(status(&Reason::StampUnavailable), 503);
        assert_eq!(status(&Reason::TooLarge("1".into())), 413);
        assert_eq!(status(&Reason::SignatureMissing), 422);
        let own = kep::portal::api::catalogue(&[]);
        assert!(own.iter().all(|entry| !codes.contains(&entry.code)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_provider_sealed_is_judged_by_the_seals_that_are_registered_for_it() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify");
        let evidence = std::fs::read(folder.join("evidence.xml")).unwrap();
        let text = String::from_utf8(evidence.clone()).unwrap();
        let (_, rest) = text.split_once("X509Certificate>").unwrap();
        let bare: String =
            rest.chars().take_while(|c| *c != '<').filter(|c| !c.is_whitespace()).collect();
        let seal = data_encoding::BASE64.decode(bare.as_bytes()).unwrap();

        let place = tempfile::tempdir().unwrap();
        let key = place.path().join("master.key");
        Vault::create(&key).unwrap();
        let (vault, rows) = (Arc::new(Vault::open(&key).unwrap()), place.path().join("rows.db"));
        let at = RowsAt::File(rows);
        let store = Store::open(&at, &place.path().join("blobs"), vault).await.unwrap();
        let stamps = Anchors::load(&folder.join("trust/tsa-ca.pem")).unwrap();
        let door = VerifyingDoor {
            seal: Vec::new(),
            time_stamp: stamps.certificates().to_vec(),
            user: Vec::new(),
            store: store.clone(),
            provider: "hs05.kep.tr".into(),
            copies: place.path().join("copies"),
            walking: Arc::new(Semaphore::new(1)),
        };
        let now = Clock::System.now();
        let state = async || {
            let judged = door.verify(evidence.clone().into(), now).await.unwrap();
            let checks = judged["files"][0]["checks"].as_array().unwrap().clone();
            let of = checks.into_iter().find(|check| check["name"] == "seal-certificate");
            of.map(|check| check["state"].as_str().unwrap().to_owned())
        };
        let before = state().await;
        let register = async |domain: &'static str| {
            let seal = seal.clone();
            let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                let from = Some(Timestamp::from_secs(0));
                let row = SealRow { certificate: seal.clone(), from, until: None };
                Ok(providers::put(tx, &provider(domain, row))?)
            };
            store.write(Lane::Client, work).await.unwrap();
        };
        // Another one's seal says nothing for it.
        register("hs77.kep.tr").await;
        assert_eq!(state().await, before);
        register("hs05.kep.tr").await;
        assert_ne!(state().await, before);
        assert_eq!(state().await.as_deref(), Some("good"));
    }

    #[test]
    fn a_refusal_says_what_smtp_says() {
        let refusal = refusal(&Reason::RecipientUnknown("a@b".into()));
        assert_eq!((refusal.said.reply, refusal.said.enhanced.as_str()), (550, "5.1.1"));
        assert_eq!(refusal.detail, "a@b");
    }
}
