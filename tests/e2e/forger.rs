//! A registered provider that means harm: it has its seal, and seals with it whatever it likes.

use crate::scene::Scene;
use kep::evidence::parcel;
use kep::registry::{Provider, Texts};
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::signer::FileSigner;
use kep::trust::tsa::Authority;
use kep::trust::{Certificate, Clock, Signer};
use kep::wire::cms::{self, oid};
use kep::wire::digest::sha256_of;
use kep::wire::rem::{
    Composed, ContentDigest, Dialect, Envelope, Event, Evidence, EvidenceFile, Issuer, Mailbox,
    MessageDetails, MessageKind, Party, RemHeaders, message_subject,
};
use kep::wire::tsp::{Imprint, Reply, Request};
use kep::wire::{EvidenceId, KepDomain, MessageId, Timestamp, sha256, xades};
use std::path::Path;
use std::sync::Arc;

pub struct Forger {
    seal: FileSigner,
    stamps: Authority,
    provider: Provider,
    at: Timestamp,
}

impl Forger {
    /// With the keys of a provider that `kep dev init` made.
    pub fn of(scene: &Scene, domain: &str) -> Self {
        let secrets = scene.provider().join("secrets");
        let stamps = Authority::new(Arc::new(signer(&secrets, "tsa")));
        let provider = Provider {
            domain: KepDomain::parse(domain).unwrap(),
            name: "Öteki".into(),
            street: None,
            postal_code: None,
            locality: "Ankara".into(),
            country: "TR".into(),
            policy_uris: Vec::new(),
            portal_url: None,
            texts: Texts::default(),
        };
        let at = Clock::System.now();
        Self { seal: signer(&secrets, "seal"), stamps, provider, at }
    }

    /// The same with a seal whose certificate ended long ago; and that certificate.
    pub fn ended(scene: &Scene, domain: &str) -> (Self, String) {
        let long_ago = Clock::System.now().plus_secs(-4 * 365 * 86_400);
        let root = CertificateAuthority::create("Eski", KeyKind::P256, long_ago).unwrap();
        let profile =
            Profile::Seal { domain: domain.into(), email: format!("kepservisi@{domain}") };
        let issued = root.issue(&profile, KeyKind::P256, &Links::default(), long_ago).unwrap();
        let forger = Self { seal: issued.signer().unwrap(), ..Self::of(scene, domain) };
        (forger, issued.certificate().pem())
    }

    /// The acceptance of a message from an account to others.
    pub fn accepted(&self, id: &str, from: &str, to: &[&str], original: &[u8]) -> Evidence {
        let digest = ContentDigest::Sha256(sha256(original));
        self.told(Event::SubmissionAcceptance, id, (from, to), digest)
    }

    /// Of the first recipient; of a submission or a relay of all.
    pub fn told(
        &self,
        event: Event,
        id: &str,
        (from, to): (&str, &[&str]),
        digest: ContentDigest,
    ) -> Evidence {
        let message = MessageId::parse(id).unwrap();
        let party = |address: &&str| Party { address: (*address).into(), name: None };
        let all = matches!(event, Event::SubmissionAcceptance | Event::RelayAcceptance);
        let about = if all { "" } else { to[0] };
        Evidence {
            id: EvidenceId::derive(&message, event.name(), about),
            event,
            reasons: Vec::new(),
            policies: Vec::new(),
            issuer: Issuer {
                name: self.provider.name.clone(),
                address: self.provider.service_address(),
                certificate: Some(self.seal.certificate().der().to_vec()),
                ..Issuer::default()
            },
            event_time: self.at,
            submission_time: Some(self.at),
            due_time: None,
            issue_time: None,
            sender: party(&from),
            sender_authentication: None,
            recipient_authentication: None,
            recipients: to.iter().map(party).collect(),
            refers_to: (!all).then_some(1),
            external: None,
            message: MessageDetails {
                subject: "Zarar".into(),
                ua_message_id: Some("ua@istemci.example".into()),
                message_id: message.to_string(),
                digest: Some(digest),
            },
            opening: None,
        }
    }

    pub fn dispatch(&self, acceptance: &Evidence, original: &[u8]) -> Vec<u8> {
        self.dispatch_of(acceptance, &self.stamped(acceptance), original)
    }

    /// Whatever stands in the place of the evidence.
    pub fn dispatch_of(&self, acceptance: &Evidence, xml: &[u8], original: &[u8]) -> Vec<u8> {
        let mailbox = |address: &str| Mailbox { name: None, address: address.into() };
        let message = &acceptance.message;
        let envelope = Envelope {
            from: mailbox(&self.provider.service_address()),
            reply_to: None,
            to: vec![mailbox(&acceptance.recipients[0].address)],
            cc: Vec::new(),
            subject: message_subject(&message.subject),
            date: self.at,
            message_id: message.message_id.clone(),
            in_reply_to: None,
            references: Vec::new(),
            rem: RemHeaders::of(acceptance, MessageKind::Dispatch),
            extra: Vec::new(),
            random: [7; 16],
            micalg: "sha-256",
        };
        let introduction = self.provider.texts.dispatch.render(&[]);
        let file = EvidenceFile { name: "SubmissionAcceptanceRejection.xml".into(), xml };
        let composed = Composed::new(&envelope, &introduction, Some(original), &[file]).unwrap();
        self.sealed(&composed, original)
    }

    pub fn evidence_mail(&self, evidence: &Evidence) -> Vec<u8> {
        let xml = self.stamped(evidence);
        let documents = [parcel::Document { dialect: Dialect::Ts102640, xml: &xml }];
        let composed =
            parcel::compose(&self.provider, evidence, &documents, self.at, [7; 16]).unwrap();
        self.sealed(&composed, b"")
    }

    fn stamped(&self, evidence: &Evidence) -> Vec<u8> {
        let xml = evidence.write(Dialect::Ts102640).unwrap();
        let (der, algorithm) = (self.seal.certificate().der(), self.seal.algorithm());
        let prepared =
            xades::Prepared::new(&xml, der, algorithm, self.at, "application/xml", "kep").unwrap();
        let value = self.seal.sign(prepared.to_sign()).unwrap();
        let signed = prepared.signed(&value).unwrap();
        signed.stamped(&self.token(&signed.to_stamp())).into_bytes()
    }

    fn sealed(&self, composed: &Composed, original: &[u8]) -> Vec<u8> {
        let digest = sha256_of([composed.before_original(), original, composed.after_original()]);
        let identity = self.seal.identity();
        let prepared = cms::Prepared::new(identity, oid::DATA, digest, Some(self.at));
        let value = self.seal.sign(prepared.to_sign()).unwrap();
        let signed = prepared.signed(value);
        let seal = signed.detached(Some(&self.token(signed.to_stamp())));
        [composed.head().as_slice(), original, &composed.tail(&seal)].concat()
    }

    fn token(&self, octets: &[u8]) -> Vec<u8> {
        let request = Request {
            imprint: Imprint::sha256(sha256(octets)),
            policy: None,
            nonce: None,
            certificate_wanted: true,
            extended: false,
        };
        let reply = self.stamps.respond(&request.write(), self.at);
        Reply::parse(&reply).unwrap().token.unwrap()
    }
}

fn signer(secrets: &Path, name: &str) -> FileSigner {
    let read = |ending: &str| std::fs::read(secrets.join(format!("{name}.{ending}"))).unwrap();
    FileSigner::from_pem(&read("key"), Certificate::from_pem(&read("pem")).unwrap()).unwrap()
}
