//! In which order facts become evidence, with the jobs carried out by hand.

use super::*;
use crate::evidence::verify::{Believed, Judge, Verdict};
use crate::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
use crate::registry::{Texts, holidays, peers};
use crate::spool::opening::Opening;
use crate::spool::{Channel, Takers};
use crate::store::RowsAt;
use crate::store::providers::ProviderRow;
use crate::store::submissions::{
    Details, NewRecipient, NewSubmission, Origin, RecipientState, SubmissionState,
};
use crate::trust::pki::CertificateAuthority;
use crate::trust::testing::{self, NOW};
use crate::trust::tsa::Authority;
use crate::trust::vault::Vault;
use crate::trust::{Anchors, Role as TrustRole, StampSettings, StampSource, TokenVerifier};
use crate::wire::{KepAddress, KepDomain, sha256};

mod dialects;
mod time_to_read;
mod whole_set;

pub(crate) const ALI: &str = "ali.veli@hs05.kep.tr";
pub(crate) const ID: &str = "5f2c@hs05.kep.tr";

fn anchors(root: &CertificateAuthority) -> Anchors {
    Anchors::new(vec![root.certificate().clone()]).unwrap()
}

fn issuer() -> Issuer {
    let clock = Clock::Fixed(NOW);
    let (seals, stamps) = (testing::authority("İşlem Kök"), testing::authority("ZD Kök"));
    let seal = testing::issue(&seals, testing::seal_profile());
    let path = anchors(&seals).path(seal.certificate(), &[], TrustRole::Seal).unwrap();
    let authority = Authority::new(Arc::new(testing::stamper(&stamps).signer().unwrap()));
    let stamper = Stamper::new(
        StampSource::Embedded(Arc::new(authority), clock.clone()),
        TokenVerifier::new(anchors(&stamps), vec![]),
        clock.clone(),
        &StampSettings::default(),
    );
    let stamper = Arc::new(stamper.unwrap());
    let provider = Provider {
        domain: KepDomain::parse("hs05.kep.tr").unwrap(),
        name: "Örnek KEP".into(),
        street: None,
        postal_code: None,
        locality: "Ankara".into(),
        country: "TR".into(),
        policy_uris: Vec::new(),
        portal_url: None,
        texts: Texts::default(),
    };
    Issuer {
        provider,
        seal: Arc::new(seal.signer().unwrap()),
        readiness: Arc::new(Readiness::new(path, Arc::clone(&stamper), None, clock.clone())),
        stamper,
        clock,
    }
}

pub(crate) struct World {
    pub(crate) facts: Facts,
    pub(crate) ali: AccountId,
    pub(crate) id: MessageId,
    _place: tempfile::TempDir,
}

impl World {
    /// A provider with one account.
    pub(crate) async fn open() -> Self {
        let place = tempfile::tempdir().unwrap();
        let key = place.path().join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let at = RowsAt::File(place.path().join("rows.db"));
        let store = Store::open(&at, &place.path().join("blobs"), vault).await.unwrap();
        let (issuer, address) = (issuer(), KepAddress::parse(ALI).unwrap());
        let new = NewAccount {
            address,
            name: "Ali Veli".into(),
            identity_number: None,
            opening: OpeningMode::Sealed,
            signature: SignatureRule::Optional,
            password: "-".into(),
            certificates: Vec::new(),
            at: NOW,
        };
        let ali = accounts::add(&store, &issuer.provider.domain, new).await.unwrap();
        let id = MessageId::parse(ID).unwrap();
        let facts = Facts {
            store,
            issuer: Arc::new(issuer),
            policies: Arc::default(),
            calendar: Arc::new(Calendar::parse(holidays::SHIPPED).unwrap()),
        };
        Self { facts, ali, id, _place: place }
    }

    /// Ali wrote to himself, and it is in his mailbox; the evidence of that is still to be made.
    async fn delivered() -> Self {
        let world = Self::open().await;
        world.message(Origin::Account(world.ali), &[(ALI, Some(world.ali))]).await;
        let message = world.id.clone();
        let lay_in = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            submissions::outcome(tx, &message, 1, RecipientState::Delivered, NOW)?;
            let fact = Fact::Delivered { message: ID.into(), recipient: 1, at: NOW.millis() };
            Ok(spool::fact(tx, &fact, NOW)?)
        };
        world.facts.store.write(Lane::Client, lay_in).await.unwrap();
        world
    }

    /// The one message of this world.
    pub(crate) async fn message(&self, origin: Origin, to: &[(&str, Option<AccountId>)]) {
        let recipients = to.iter().map(|(address, account)| NewRecipient {
            address: (*address).to_owned(),
            account: *account,
            state: RecipientState::Accepted,
        });
        let new = NewSubmission {
            message_id: self.id.clone(),
            origin,
            state: SubmissionState::Accepted,
            same_mail: sha256(b"mail"),
            accepted_at: NOW,
            original: self.facts.store.blobs.put(b"mail".to_vec()).unwrap(),
            details: Details { sender: ALI.into(), ..Details::default() },
            recipients: recipients.collect(),
        };
        let blobs = Arc::clone(&self.facts.store.blobs);
        let lay_in = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            assert!(submissions::lay_in(tx, &blobs, &new)?.is_ok());
            Ok(())
        };
        self.facts.store.write(Lane::Client, lay_in).await.unwrap();
    }

    /// Another provider that is told in this dialect.
    pub(crate) async fn provider(&self, domain: &str, dialect: &str) {
        let row = ProviderRow {
            domain: domain.into(),
            name: "Öteki".into(),
            host: "127.0.0.1:25".into(),
            state: "active".into(),
            since: NOW,
            tls_pins: String::new(),
            tls_ca: String::new(),
            tls_by: String::new(),
            route: String::new(),
            client_pins: String::new(),
            dialect: dialect.into(),
            size_limit: None,
            added_at: NOW,
            seals: Vec::new(),
        };
        let by = crate::registry::audit::By::system("tests", NOW);
        peers::put(&self.facts.store, row, &by).await.unwrap();
    }

    /// What waits for relay: to whom, which evidence if any, the mail.
    pub(crate) async fn waiting(&self) -> Vec<(String, String, Vec<u8>)> {
        let list = |tx: &mut Tx<'_>| crate::store::relay::list(tx, None, 100);
        let mut found = Vec::new();
        for one in self.facts.store.read(list).await.unwrap() {
            let mail = self.facts.store.content(one.content).await.unwrap();
            found.push((one.provider.to_string(), one.evidence, mail));
        }
        found.sort();
        found
    }

    async fn read(&self) {
        let opening = Opening {
            account: self.ali,
            message: self.id.clone(),
            channel: Channel::Imap,
            person: ALI.into(),
            at: NOW,
        };
        let work = move |tx: &mut Tx<'_>| opening::open(tx, &opening).map(drop);
        self.facts.store.write::<_, RowsError, _>(Lane::Client, work).await.unwrap();
    }

    /// Carries out whatever is due, one after the other; says what it was.
    pub(crate) async fn carry_out(&self) -> Vec<String> {
        let takers = Takers::new(&self.facts.store, Step::Evidence);
        let mut done = Vec::new();
        for taken in takers.take(NOW, 10).await.unwrap() {
            self.facts.carry_out(&taken.job).await.unwrap();
            done.push(taken.job.name.rsplit('/').next().unwrap_or_default().to_owned());
        }
        done
    }

    async fn events(&self) -> Vec<String> {
        let id = self.id.clone();
        let rows = self.facts.store.read(move |tx| rows::of_message(tx, &id)).await.unwrap();
        let mut events: Vec<_> = rows.into_iter().map(|row| row.event).collect();
        events.sort();
        events
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_before_the_delivery_has_its_evidence_comes_after_it() {
    let world = World::delivered().await;
    world.read().await;
    assert_eq!(world.carry_out().await, ["delivered"], "the reading waits");
    assert_eq!(world.events().await, ["delivery"]);
    assert_eq!(world.carry_out().await, ["read"], "and was released by that commit");
    assert_eq!(world.events().await, ["delivery", "retrieval"]);
    assert_eq!(world.carry_out().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_after_it_waits_for_nothing() {
    let world = World::delivered().await;
    assert_eq!(world.carry_out().await, ["delivered"]);
    world.read().await;
    world.read().await;
    assert_eq!(world.carry_out().await, ["read"]);
    assert_eq!(world.events().await, ["delivery", "retrieval"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_told_twice_releases_once() {
    let world = World::delivered().await;
    let takers = Takers::new(&world.facts.store, Step::Evidence);
    let job = takers.take(NOW, 1).await.unwrap().remove(0).job;
    world.read().await;
    // As by a process whose lease ran out.
    world.facts.carry_out(&job).await.unwrap();
    world.facts.carry_out(&job).await.unwrap();
    assert_eq!(world.carry_out().await, ["read"]);
    world.facts.carry_out(&job).await.unwrap();
    assert_eq!(world.carry_out().await, [""; 0]);
    assert_eq!(world.events().await, ["delivery", "retrieval"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_laid_in_by_an_earlier_version_comes_again() {
    let world = World::delivered().await;
    world.read().await;
    let due = |tx: &mut Tx<'_>| {
        tx.execute("UPDATE job SET due_at = 0 WHERE name LIKE '%/read'", &[]).map(drop)
    };
    world.facts.store.write::<_, RowsError, _>(Lane::Client, due).await.unwrap();
    let takers = Takers::new(&world.facts.store, Step::Evidence);
    let job = takers.take(NOW, 1).await.unwrap().remove(0).job;
    let early = world.facts.carry_out(&job).await;
    assert!(matches!(early, Err(IssueError::Early(_))), "{early:?}");
    assert_eq!(world.events().await, [""; 0]);
}

/// A time stamp before the event would make it worthless for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_by_a_clock_that_was_ahead_waits_until_it_is_that_late() {
    let world = World::delivered().await;
    let ahead = |tx: &mut Tx<'_>| {
        let fact = Fact::Delivered { message: ID.into(), recipient: 1, at: NOW.millis() + 1 };
        let sql = "UPDATE job SET payload = $1";
        tx.execute(sql, &[(&fact.to_json()?).into()]).map(drop)
    };
    world.facts.store.write::<_, RowsError, _>(Lane::Client, ahead).await.unwrap();
    let takers = Takers::new(&world.facts.store, Step::Evidence);
    let job = takers.take(NOW, 1).await.unwrap().remove(0).job;
    let early = world.facts.carry_out(&job).await;
    assert!(matches!(early, Err(IssueError::Ahead(_))), "{early:?}");
    assert_eq!(world.events().await, [""; 0]);
}

/// A provider that could not be reached gets it days later, when another certificate is in force.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_for_another_provider_outlasts_the_certificate_of_its_seal() {
    let (issuer, id) = (issuer(), MessageId::parse(ID).unwrap());
    let refused = spool::fact::Refused {
        account: 1,
        sender: ALI.into(),
        recipients: vec![ALI.into()],
        subject: String::new(),
        ua_message_id: None,
        digest: None,
        reason: String::new(),
        text: String::new(),
    };
    let seal = issuer.seal.certificate();
    let draft = draft::rejection(&issuer.provider, seal.der(), &id, NOW, &refused);
    let issued = issuer.issue(draft, &[Dialect::Ts102640]).await.unwrap();
    let token = issuer.stamper.stamp(b"who stamps?").await.unwrap();
    let only = |one: &Certificate| Some(Anchors::new(vec![one.clone()]).unwrap());
    let believed = Believed {
        seal: only(seal),
        time_stamp: only(token.path.certificates().last().unwrap()),
        ..Believed::default()
    };
    let judge = Judge::new(believed).unwrap();
    let peer = Origin::Peer(KepDomain::parse("hs06.kep.tr").unwrap());
    let later = NOW.plus_secs(4 * 365 * 86_400);
    let mail = issuer.mail_of(&issued.evidence, &issued.documents(), &peer).await.unwrap();
    let report = judge.judge(&mail, None, later);
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
    let ours = Origin::Account(AccountId(1));
    let mail = issuer.mail_of(&issued.evidence, &issued.documents(), &ours).await.unwrap();
    assert_ne!(judge.judge(&mail, None, later).verdict, Verdict::Valid, "nobody waits for it");
}
