//! Our provider hs06, with one account, and its peer hs05, which seals as the verifier's world does.

use crate::accept::ask::{Envelope, PeerAnswer, Recipient, Route, SubmitAnswer};
use crate::accept::body::Whole;
use crate::accept::relay::Desk;
use crate::accept::scan::{Clamd, Place, Scanner};
use crate::evidence::verify::tests::world::World;
use crate::registry::{Provider, Texts};
use crate::spool::{Fact, relay};
use crate::store::accounts::{self, AccountRow};
use crate::store::evidence::{self, EvidenceRow, NewEvidence};
use crate::store::mail::{self, Role};
use crate::store::providers::{self, ProviderRow, SealRow};
use crate::store::submissions::{
    self, Details, NewRecipient, NewSubmission, Origin, Recipient as Row, RecipientState,
    Submission, SubmissionState,
};
use crate::store::{Lane, RowsAt, RowsError, Store, StoreError, Tx};
use crate::trust::vault::Vault;
use crate::trust::{
    Anchors, Certificate, Clock, Readiness, Role as Use, Signer, StampSettings, StampSource,
    Stamper, TokenVerifier, testing,
};
use crate::wire::rem::{ContentDigest, Event, Evidence, Party};
use crate::wire::smtp::{Body, Notify};
use crate::wire::{ContentId, EvidenceId, KepAddress, KepDomain, MessageId, Timestamp, sha256};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const CAN: &str = "can@hs06.kep.tr";
pub const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";
/// What Can sent to Ayşe.
pub const OURS: &str = "a1b2@hs06.kep.tr";

#[derive(Clone)]
pub struct House {
    pub store: Store,
    pub peer: Arc<World>,
    desk: Arc<Desk>,
    _place: Arc<TempDir>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Taken,
    Again,
    Refused(&'static str),
    Temporary,
}

impl House {
    pub async fn open() -> Self {
        let place = tempfile::tempdir().unwrap();
        let rows = RowsAt::File(place.path().join("rows.db"));
        Self::at(rows, place).await
    }

    /// The same house, with a virus scanner.
    pub fn scanned_by(&self, place: Place) -> Self {
        let scanner = Scanner { clamd: Clamd::new(place, Duration::from_secs(20)) };
        let desk = desk(&self.store, &self.peer).scanned_by(Some(Arc::new(scanner)));
        Self { desk: Arc::new(desk), ..self.clone() }
    }

    /// On either kind of rows, where there is a server.
    pub async fn both() -> Vec<Self> {
        let mut houses = vec![Self::open().await];
        if let Some(server) = crate::mailbox::answer::tests::server::server() {
            let rows = RowsAt::Postgres(server.database().await);
            houses.push(Self::at(rows, tempfile::tempdir().unwrap()).await);
        }
        houses
    }

    async fn at(rows: RowsAt, place: TempDir) -> Self {
        let key = place.path().join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let store = Store::open(&rows, &place.path().join("blobs"), vault).await.unwrap();
        let peer = Arc::new(World::new());
        let desk = Arc::new(desk(&store, &peer));
        let house = Self { store, peer, desk, _place: Arc::new(place) };
        house.register(|_| {}).await;
        let at = house.peer.at;
        let account = AccountRow {
            id: crate::wire::AccountId(0),
            address: CAN.into(),
            name: "Can".into(),
            national_id: None,
            state: "active".into(),
            opening: "sealed".into(),
            signature_policy: "optional".into(),
            password: String::new(),
            created_at: at,
            closed_at: None,
        };
        let add = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let id = accounts::add(tx, &account)?;
            Ok(mail::create_all(tx, id, 1)?)
        };
        house.store.write(Lane::Client, add).await.unwrap();
        house
    }

    /// The peer's row, changed.
    pub async fn register(&self, change: impl Fn(&mut ProviderRow)) {
        let mut row = ProviderRow {
            domain: "hs05.kep.tr".into(),
            name: "Örnek".into(),
            host: "127.0.0.1:25".into(),
            state: "active".into(),
            since: self.peer.at,
            tls_pins: String::new(),
            tls_ca: String::new(),
            tls_by: String::new(),
            route: String::new(),
            client_pins: String::new(),
            dialect: "ts102640".into(),
            size_limit: None,
            added_at: self.peer.at,
            seals: vec![SealRow {
                certificate: self.peer.seal.certificate().der().to_vec(),
                from: None,
                until: None,
            }],
        };
        change(&mut row);
        let work = move |tx: &mut Tx<'_>| providers::put(tx, &row);
        self.store.write(Lane::Client, work).await.unwrap();
    }

    /// A dispatch of Ali's letter to these.
    pub fn incoming(&self, to: &[&str]) -> Vec<u8> {
        self.incoming_of(&self.peer.original(), to)
    }

    pub fn incoming_of(&self, original: &[u8], to: &[&str]) -> Vec<u8> {
        let peer = &self.peer;
        let mut evidence = peer.evidence(Event::SubmissionAcceptance, original);
        evidence.recipients = to.iter().map(|to| party(to)).collect();
        let xml = peer.stamped(&evidence);
        peer.dispatch_with(&peer.seal, &evidence, &xml, original)
    }

    /// Evidence of the peer about what Can sent to Ayşe.
    pub fn told(&self, event: Event) -> Evidence {
        let mut evidence = self.peer.evidence(event, &self.peer.original());
        let id = MessageId::parse(OURS).unwrap();
        evidence.id = EvidenceId::derive(&id, event.name(), AYSE);
        evidence.sender = party(CAN);
        evidence.message.message_id = OURS.into();
        evidence.message.digest = Some(ContentDigest::Sha256(sha256(LETTER)));
        evidence
    }

    pub fn returned(&self, evidence: &Evidence) -> Vec<u8> {
        self.peer.evidence_mail(evidence, &self.peer.stamped(evidence))
    }

    /// Can's message, sealed and on its way.
    pub async fn sent(&self) {
        let store = self.store.clone();
        let at = self.peer.at;
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let can = accounts::by_address(tx, CAN)?.unwrap().id;
            let new = NewSubmission {
                message_id: MessageId::parse(OURS).unwrap(),
                origin: Origin::Account(can),
                state: SubmissionState::Dispatched,
                same_mail: sha256(LETTER),
                accepted_at: at,
                original: store.blobs.put(LETTER.to_vec())?,
                details: Details { sender: CAN.into(), ..Details::default() },
                recipients: vec![NewRecipient {
                    address: AYSE.into(),
                    account: None,
                    state: RecipientState::Accepted,
                }],
            };
            submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
            Ok(())
        };
        self.store.write(Lane::Client, work).await.unwrap();
    }

    pub async fn hand(&self, mail: &[u8], to: &[&str]) -> Said {
        self.hand_by(Some("hs05.kep.tr"), mail, to, None).await
    }

    pub async fn hand_null(&self, mail: &[u8]) -> Said {
        self.hand_by(None, mail, &["kepservisi@hs06.kep.tr"], None).await
    }

    pub async fn hand_by(
        &self,
        from: Option<&str>,
        mail: &[u8],
        to: &[&str],
        client: Option<&[u8]>,
    ) -> Said {
        handed(&self.desk, from, mail, to, client).await
    }

    /// Whether there is room for so many octets from there, while what was taken before is held.
    pub async fn room(&self, from: IpAddr, client: Option<&[u8]>, octets: usize) -> Option<Whole> {
        let mut body = self.desk.body(from, client).await;
        body.add(&vec![b'x'; octets]);
        body.whole()
    }

    pub async fn meet(&self, domain: &str, client: Option<&[u8]>) -> PeerAnswer {
        self.desk.meet(&KepDomain::parse(domain).unwrap(), client).await
    }

    pub async fn message(&self, id: &str) -> Option<(Submission, Vec<Row>)> {
        let id = MessageId::parse(id).unwrap();
        let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
            let recipients = submissions::recipients(tx, &id)?;
            Ok(submissions::find(tx, &id)?.map(|submission| (submission, recipients)))
        };
        self.store.read(work).await.unwrap()
    }

    /// Ayşe's provider has it, says its server.
    pub async fn relayed(&self) {
        let (id, now) = (MessageId::parse(OURS).unwrap(), self.peer.now());
        let work = move |tx: &mut Tx<'_>| relay::arrived(tx, &id, 1, now, now.plus_secs(60));
        assert!(self.store.write(Lane::Background, work).await.unwrap());
    }

    /// The time to hear of it ends.
    pub async fn fall_silent(&self) {
        let (id, now) = (MessageId::parse(OURS).unwrap(), self.peer.now());
        let work = move |tx: &mut Tx<'_>| -> Result<(), RowsError> {
            let sql = "SELECT payload FROM job WHERE step = 'expire'";
            let fact = Fact::parse(tx.one("job", sql, &[])?.text(0)?)?;
            relay::silent(tx, &id, 1, &fact, now).map(drop)
        };
        self.store.write(Lane::Background, work).await.unwrap();
    }

    /// What is shown of Ayşe.
    pub async fn shown(&self) -> RecipientState {
        self.message(OURS).await.unwrap().1[0].state
    }

    pub async fn words(&self) -> String {
        let id = MessageId::parse(OURS).unwrap();
        let work = move |tx: &mut Tx<'_>| crate::evidence::words_of_sent(tx, &id);
        self.store.read(work).await.unwrap().join(" ")
    }

    pub async fn evidence(&self, id: &str) -> Vec<EvidenceRow> {
        let id = MessageId::parse(id).unwrap();
        self.store.read(move |tx| evidence::of_message(tx, &id)).await.unwrap()
    }

    /// Evidence of ours about a message, of no weight, kept; its identifier.
    pub async fn own_evidence(&self, message: &str) -> EvidenceId {
        let message_id = MessageId::parse(message).unwrap();
        let id = EvidenceId::derive(&message_id, Event::RelayAcceptance.name(), "");
        let new = NewEvidence {
            id: id.clone(),
            message_id,
            event: Event::RelayAcceptance.name().into(),
            recipient: String::new(),
            dialect: "ts102640",
            origin: evidence::OWN.into(),
            event_time: self.peer.at,
            stamped_at: self.peer.at,
            stored_at: self.peer.at,
            xml: self.store.blobs.put(b"<xml/>".to_vec()).unwrap(),
            forms: Vec::new(),
            material: Vec::new(),
        };
        let store = self.store.clone();
        let work = move |tx: &mut Tx<'_>| evidence::append(tx, &store.blobs, &new);
        self.store.write::<_, StoreError, _>(Lane::Background, work).await.unwrap();
        id
    }

    /// Names of the jobs of a step.
    pub async fn jobs(&self, step: &'static str) -> Vec<String> {
        let work = move |tx: &mut Tx<'_>| -> Result<Vec<String>, RowsError> {
            let sql = "SELECT name FROM job WHERE step = $1 ORDER BY name";
            let rows = tx.query(sql, &[step.into()])?;
            rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
        };
        self.store.read(work).await.unwrap()
    }

    /// The mails in an account's `Deliller`.
    pub async fn deliller(&self, address: &'static str) -> Vec<Vec<u8>> {
        let work = move |tx: &mut Tx<'_>| -> Result<Vec<ContentId>, RowsError> {
            let account = accounts::by_address(tx, address)?.unwrap().id;
            let mailbox = mail::of_role(tx, account, Role::Evidence)?;
            let sql = "SELECT content FROM message WHERE mailbox = $1 ORDER BY uid";
            let rows = tx.query(sql, &[mailbox.0.into()])?;
            rows.iter().map(|row| Ok(ContentId(row.int(0)?))).collect()
        };
        let contents = self.store.read(work).await.unwrap();
        let mut mails = Vec::new();
        for content in contents {
            mails.push(self.store.content(content).await.unwrap());
        }
        mails
    }
}

pub async fn handed(
    desk: &Desk,
    from: Option<&str>,
    mail: &[u8],
    to: &[&str],
    client: Option<&[u8]>,
) -> Said {
    let recipient = |to: &&str| Recipient {
        address: KepAddress::registered(to).unwrap(),
        route: Route::Local,
        notify: Notify::Unsaid,
        orcpt: None,
    };
    let envelope = Envelope {
        from: from.map(|from| KepDomain::registered(from).unwrap()),
        recipients: to.iter().map(recipient).collect(),
        body: Body::EightBitMime,
        smtputf8: false,
        requiretls: false,
        announced_size: None,
        ret: None,
        envid: None,
    };
    let mut body = desk.body([127, 0, 0, 1].into(), client).await;
    body.add(mail);
    match desk.hand_over(envelope, body, client).await {
        SubmitAnswer::Accepted { .. } => Said::Taken,
        SubmitAnswer::AlreadyAccepted { .. } => Said::Again,
        SubmitAnswer::Refused(refusal) => Said::Refused(refusal.name()),
        SubmitAnswer::Temporary | SubmitAnswer::Held { .. } => Said::Temporary,
    }
}

fn desk(store: &Store, peer: &World) -> Desk {
    let stamps = vec![peer.stamp_root.certificate().clone()];
    desk_of(store, "hs06.kep.tr", peer.now(), stamps)
}

/// The desk of a provider of this domain.
pub fn desk_of(store: &Store, domain: &str, now: Timestamp, stamps: Vec<Certificate>) -> Desk {
    let clock = Clock::Fixed(now);
    let root = testing::authority("İşlem Kök");
    let anchors = || Anchors::new(vec![root.certificate().clone()]).unwrap();
    let seal = testing::issue(&root, testing::seal_profile());
    let path = anchors().path(seal.certificate(), &[], Use::Seal).unwrap();
    let stamping = testing::stamper(&root).signer().unwrap();
    let authority = Arc::new(crate::trust::tsa::Authority::new(Arc::new(stamping)));
    let source = StampSource::Embedded(authority, clock.clone());
    let verifier = TokenVerifier::new(anchors(), Vec::new());
    let stamper = Stamper::new(source, verifier, clock.clone(), &StampSettings::default());
    let readiness = Readiness::new(path, Arc::new(stamper.unwrap()), None, clock.clone());
    let provider = Provider {
        domain: KepDomain::registered(domain).unwrap(),
        name: "Deneme".into(),
        street: None,
        postal_code: None,
        locality: "Ankara".into(),
        country: "TR".into(),
        policy_uris: Vec::new(),
        portal_url: None,
        texts: Texts::default(),
    };
    Desk::new(store.clone(), provider, Arc::new(readiness), clock, stamps, 64 << 20)
}

fn party(address: &str) -> Party {
    Party { address: address.to_owned(), name: None }
}

pub const LETTER: &[u8] = b"Subject: ihale\r\n\r\nTeklifimiz ektedir.\r\n";
