//! Registered mail of another country: the samples of the Italian authority, where they are at hand, and a
//! provider of our own making whose domain is none of the circuit.

use super::world::{CAN, House, Said, desk_of, handed};
use crate::accept::ask::PeerAnswer;
use crate::accept::relay::Desk;
use crate::deliver::incoming::Consigning;
use crate::evidence::testing::World;
use crate::evidence::verify::tests::world::World as Peer;
use crate::evidence::verify::{Believed, Judge, Name, State};
use crate::registry::audit::By;
use crate::registry::peers;
use crate::spool::{Step, Takers};
use crate::store::evidence as rows;
use crate::store::providers::SealRow;
use crate::store::submissions::{
    self, Details, NewRecipient, NewSubmission, Origin, RecipientState, SubmissionState,
};
use crate::store::{Lane, StoreError, Tx};
use crate::trust::pki::Profile;
use crate::trust::testing::NOW;
use crate::trust::{Certificate, Signer};
use crate::wire::cms::SignedData;
use crate::wire::judges::{judge, reference};
use crate::wire::rem::{ContentDigest, Dialect, Event, Evidence, Opened, Party, Reason};
use crate::wire::xades::Signature;
use crate::wire::xml::Xml;
use crate::wire::{KepDomain, MessageId, sha256};
use std::path::PathBuf;
use std::sync::Arc;

const S1: &str = "s1-rems-only-for-test.it";
const R2: &str = "r2-rems-only-for-test.it";
const USERS: &str = "sender-own-domain-only-for-test.it";
const SENDER: &str = "sender@sender-own-domain-only-for-test.it";
const TO: [&str; 2] = ["recc@r2-rems-only-for-test.it", "recd@r2-rems-only-for-test.it"];
const ID: &str = "26A0CF65.00566CE0.242DDC3F.85251369.rem-service@s1-rems-only-for-test.it";

/// A provider to which the samples' two are others, each under its own test certificate.
struct Abroad {
    world: World,
    desk: Desk,
    mails: PathBuf,
}

fn by() -> By {
    By::system("tests", NOW)
}

impl Abroad {
    async fn open(own: &str) -> Option<Self> {
        let mails = reference("xsd/examples/rem-eml")?;
        let mut world = World::open().await;
        let issuer = Arc::get_mut(&mut world.facts.issuer).unwrap();
        issuer.provider.domain = KepDomain::registered(own).unwrap();
        let all =
            [(S1, "S1-REM-POLICY-IT-CERTIFICATE.crt"), (R2, "R2-REM-POLICY-IT-CERTIFICATE.crt")];
        for (domain, file) in all.into_iter().filter(|(domain, _)| *domain != own) {
            world.provider(domain, "en319522").await;
            let certificate = certificate(&std::fs::read(mails.join(file)).unwrap());
            let seal = SealRow { certificate: certificate.der().to_vec(), from: None, until: None };
            let named = KepDomain::registered(domain).unwrap();
            let store = &world.facts.store;
            let add = move |row: &mut _| add_seal(row, &seal);
            assert!(peers::change(store, &named, add, &by()).await.unwrap());
        }
        let (s1, users) = (KepDomain::registered(S1).unwrap(), KepDomain::registered(USERS));
        let set = peers::set_domains(&world.facts.store, &s1, &[users.unwrap()], &by()).await;
        assert!(set.unwrap());
        let dispatch = std::fs::read(mails.join("REM_Dispatch.RA01.eml")).unwrap();
        let desk = desk_of(&world.facts.store, own, NOW, stampers(&dispatch));
        Some(Self { world, desk, mails })
    }

    fn mail(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.mails.join(name)).unwrap()
    }

    /// Hands over what waits in the spool, and makes evidence of it; what then waits for relay.
    async fn carried_out(&self) -> Vec<(String, String, Vec<u8>)> {
        let (store, issuer) = (self.world.facts.store.clone(), &self.world.facts.issuer);
        let consigning =
            Consigning { store: store.clone(), issuer: Arc::clone(issuer), storage: None };
        for taken in Takers::new(&store, Step::Consign).take(NOW, 10).await.unwrap() {
            consigning.carry_out(&taken.job).await.unwrap();
        }
        self.world.carry_out().await;
        self.world.waiting().await
    }

    /// As if the sender of the sample were ours.
    async fn sent(&self) {
        let store = self.world.facts.store.clone();
        let (dispatch, ali) = (self.mail("REM_Dispatch.RA01.eml"), self.world.ali);
        let original = Opened::read(&dispatch).unwrap().original.unwrap();
        let original = original.octets(&dispatch).to_vec();
        let recipient = |address: &str| NewRecipient {
            address: address.into(),
            account: None,
            state: RecipientState::Accepted,
        };
        let new = NewSubmission {
            message_id: MessageId::parse(ID).unwrap(),
            origin: Origin::Account(ali),
            state: SubmissionState::Dispatched,
            same_mail: sha256(&original),
            accepted_at: NOW,
            original: store.blobs.put(original).unwrap(),
            details: Details { sender: SENDER.into(), ..Details::default() },
            recipients: TO.into_iter().map(recipient).collect(),
        };
        let blobs = Arc::clone(&store.blobs);
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            submissions::lay_in(tx, &blobs, &new)?.unwrap();
            Ok(())
        };
        store.write(Lane::Client, work).await.unwrap();
    }

    async fn states(&self) -> Vec<RecipientState> {
        let find = |tx: &mut Tx<'_>| submissions::recipients(tx, &MessageId::parse(ID).unwrap());
        let found = self.world.facts.store.read(find).await.unwrap();
        found.into_iter().map(|one| one.state).collect()
    }
}

fn add_seal(row: &mut crate::store::providers::ProviderRow, seal: &SealRow) {
    row.seals = vec![seal.clone()];
}

fn certificate(octets: &[u8]) -> Certificate {
    let pem = Certificate::from_pem(octets).ok().and_then(|mut all| all.pop());
    pem.unwrap_or_else(|| Certificate::from_der(octets).unwrap())
}

/// The samples' stamping authority, as its tokens bring it along: nobody else knows it.
fn stampers(mail: &[u8]) -> Vec<Certificate> {
    let opened = Opened::read(mail).unwrap();
    let xml = Xml::parse(&opened.evidence[0].xml).unwrap();
    let token = Signature::read(&xml).unwrap().stamps[0].token_der.clone();
    let signed = SignedData::parse(&token).unwrap();
    signed.certificates.iter().map(|der| Certificate::from_der(der).unwrap()).collect()
}

/// Its evidence by the schema, where that and xmllint are at hand.
fn by_the_schema(xml: &[u8]) {
    let Some(schema) = reference("xsd/erds-reconstructed/EVIDENCE19352v117-202201.xsd") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.xml");
    std::fs::write(&file, xml).unwrap();
    let arguments = ["--nonet".as_ref(), "--noout".as_ref(), "--schema".as_ref()];
    let arguments = [&arguments[..], &[schema.as_os_str(), file.as_os_str()]].concat();
    if let Some((good, said)) = judge("xmllint", &arguments) {
        assert!(good, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_dispatch_of_another_country_is_opened_judged_and_answered() {
    let Some(abroad) = Abroad::open(R2).await else { return };
    let mail = abroad.mail("REM_Dispatch.RA01.eml");
    let desk = &abroad.desk;
    // Its return path is its sender's own, under a domain that the registry knows to be its.
    for domain in [USERS, S1] {
        let known = desk.meet(&KepDomain::registered(domain).unwrap(), None).await;
        assert_eq!(known, PeerAnswer::Known, "{domain}");
    }
    let hand = async |mail: &[u8], to: &[&str]| handed(desk, Some(USERS), mail, to, None).await;
    let stranger = ["nessuno@r2-rems-only-for-test.it"];
    assert_eq!(hand(&mail, &stranger).await, Said::Refused("NotNamed"));
    let mut touched = mail.clone();
    let middle = touched.len() / 2;
    touched[middle] ^= 1;
    assert!(matches!(hand(&touched, &TO).await, Said::Refused(_)));
    assert_eq!(hand(&mail, &TO).await, Said::Taken);
    assert_eq!(hand(&mail, &TO).await, Said::Again);

    // Nobody here has these names: each is told of, in the provider's own dialect, to its service.
    let waiting = abroad.carried_out().await;
    assert_eq!(waiting.len(), 2);
    for (to, _, mail) in &waiting {
        assert_eq!(to, S1);
        let found = Opened::read(mail).unwrap().evidence;
        assert_eq!(found.len(), 1);
        let read = Evidence::read(&found[0].xml).unwrap();
        assert_eq!(read.dialect, Dialect::En319522);
        let told = read.evidence;
        assert_eq!(told.event, Event::RelayRejection);
        assert_eq!(told.reasons[0].reason, Reason::UnknownRecipient);
        assert!(TO.contains(&told.recipient().unwrap().address.as_str()));
        assert_eq!((told.message.message_id.as_str(), told.sender.address.as_str()), (ID, SENDER));
        let xml = String::from_utf8(found[0].xml.clone()).unwrap();
        assert!(xml.contains("MessageNotAcceptedForUnregisteredRecipient"), "RB21");
        let report = Judge::new(Believed::default()).unwrap().judge(mail, None, NOW);
        // The seal of this house is of another name than the sample's.
        let mut bad = report.checks.iter().filter(|check| check.state == State::Bad);
        assert!(bad.all(|check| check.name == Name::SealFrom), "{:#?}", report.checks);
        by_the_schema(&found[0].xml);
    }
    let service = abroad.world.facts.store.read(|tx| {
        let domain = KepDomain::registered(S1).unwrap();
        peers::Peer::find(tx, &domain).map(|peer| peer.unwrap().service_address())
    });
    assert_eq!(service.await.unwrap().unwrap().as_str(), "rem-service@s1-rems-only-for-test.it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_evidence_of_another_country_is_matched_or_refused_by_name() {
    let Some(abroad) = Abroad::open("hs05.kep.tr").await else { return };
    let hand = async |name: &str| {
        let mail = abroad.mail(name);
        handed(&abroad.desk, None, &mail, &["kepservisi@hs05.kep.tr"], None).await
    };
    let (accepted, relayed, consigned) = (
        "REM_SubmissionAcceptance.RA01.eml",
        "REM_RelayAcceptance.RB01.eml",
        "REM_ContentConsignment1.RD01.eml",
    );
    for name in [accepted, relayed, consigned] {
        assert_eq!(hand(name).await, Said::Refused("EvidenceOfNothing"), "{name}: nobody sent it");
    }
    abroad.sent().await;
    // The submission is its sender's provider's to tell of, and that is not the one that tells.
    assert_eq!(hand(accepted).await, Said::Refused("EvidenceUnfit"));
    assert_eq!(hand(relayed).await, Said::Taken);
    assert_eq!(abroad.states().await, [RecipientState::Accepted; 2]);
    assert_eq!(hand(consigned).await, Said::Taken);
    assert_eq!(abroad.states().await, [RecipientState::Delivered, RecipientState::Accepted]);
    assert_eq!(hand(consigned).await, Said::Again);
    let find = |tx: &mut Tx<'_>| rows::of_message(tx, &MessageId::parse(ID).unwrap());
    let kept = abroad.world.facts.store.read(find).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|row| (row.event.as_str(), row.origin.as_str())).collect();
    assert_eq!(kept, [("relay-acceptance", R2), ("delivery", R2)]);
}

/// Another country's provider writes to an account of ours; its users have addresses under its own domain
/// and under those that the registry has, and under no other.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_07_a_provider_elsewhere_hands_over_its_own_users_mail_only() {
    let house = House::open().await;
    let mut peer = Peer::new();
    let domain = "rem.example.it";
    peer.provider.domain = KepDomain::registered(domain).unwrap();
    let email = format!("kepservisi@{domain}");
    peer.seal = peer.signer(&peer.seal_root, Profile::Seal { domain: domain.into(), email });
    let seal = peer.seal.certificate().der().to_vec();
    house
        .register(move |row| {
            row.domain = "rem.example.it".into();
            row.seals[0].certificate = seal.clone();
        })
        .await;
    let stamps = vec![peer.stamp_root.certificate().clone()];
    let desk = desk_of(&house.store, "hs06.kep.tr", peer.now(), stamps);
    let mail = |sender: &str, id: &str, to: &str| {
        let original = peer.original();
        let mut evidence = peer.evidence(Event::SubmissionAcceptance, &original);
        let party = |address: &str| Party { address: address.into(), name: None };
        (evidence.sender, evidence.recipients) = (party(sender), vec![party(CAN), party(to)]);
        evidence.message.message_id = id.into();
        evidence.message.digest = Some(ContentDigest::Sha256(sha256(&original)));
        let xml = peer.stamped_in(&evidence, Dialect::En319522);
        peer.dispatch_with(&peer.seal, &evidence, &xml, &original)
    };
    let hand = async |mail: Vec<u8>| handed(&desk, None, &mail, &[CAN], None).await;
    let (own, other) = ("anna@rem.example.it", "x@comune.example.it");
    let id = |n: u32| format!("{n}@{domain}");
    assert_eq!(hand(mail(other, &id(1), other)).await, Said::Refused("SenderOfAnother"));
    let ours = "ali.veli@hs05.kep.tr";
    assert_eq!(hand(mail(ours, &id(1), other)).await, Said::Refused("SenderOfAnother"));
    assert_eq!(hand(mail(own, "1@hs06.kep.tr", other)).await, Said::Refused("IdOfAnother"));
    assert_eq!(hand(mail(own, &id(1), "a b@x.it")).await, Said::Refused("NamedMalformed"));
    assert_eq!(hand(mail(own, &id(1), other)).await, Said::Taken);
    let (at, users) = (KepDomain::registered(domain), KepDomain::registered("comune.example.it"));
    let (at, users) = (at.unwrap(), users.unwrap());
    assert!(
        peers::set_domains(&house.store, &at, std::slice::from_ref(&users), &by()).await.unwrap()
    );
    assert_eq!(hand(mail(other, &id(2), own)).await, Said::Taken);
    assert!(house.message(&id(2)).await.is_some());
    // A domain is one provider's.
    let another = KepDomain::registered("rem.example.org").unwrap();
    assert!(!peers::set_domains(&house.store, &another, &[users], &by()).await.unwrap());
    assert!(!peers::set_domains(&house.store, &another, &[at], &by()).await.unwrap());
}
