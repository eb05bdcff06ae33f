//! A provider with its authorities, and evidence and mails as it makes them; all in one process.

use crate::evidence::parcel::{self, Document};
use crate::evidence::verify::{Believed, Judge, Report};
use crate::registry::{Provider, Texts};
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::signer::FileSigner;
use crate::trust::tsa::Authority;
use crate::trust::{Anchors, Signer, testing};
use crate::wire::cms::{self, oid};
use crate::wire::digest::sha256_of;
use crate::wire::rem::{
    Composed, ContentDigest, Dialect, Envelope, Event, Evidence, EvidenceFile, Issuer, Mailbox,
    MessageDetails, MessageKind, Party, RemHeaders, message_subject,
};
use crate::wire::tsp::{Imprint, Reply, Request};
use crate::wire::xades::{Prepared, Signed};
use crate::wire::{EvidenceId, KepDomain, MessageId, Timestamp, sha256};
use data_encoding::BASE64;
use std::sync::Arc;

pub const ALI: &str = "ali.veli@hs05.kep.tr";
pub const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";
pub const SUBJECT: &str = "Sözleşme feshi: İhtarname";

pub struct World {
    pub seal_root: CertificateAuthority,
    pub stamp_root: CertificateAuthority,
    pub user_root: CertificateAuthority,
    pub seal: FileSigner,
    pub user: FileSigner,
    pub stamps: Authority,
    pub provider: Provider,
    pub kind: KeyKind,
    /// A letter from Ali to Ayşe, signed by him.
    pub letter: Vec<u8>,
    /// When things happen; a little later they are judged.
    pub at: Timestamp,
}

impl World {
    pub fn new() -> Self {
        Self::of(KeyKind::P256, testing::NOW)
    }

    pub fn of(kind: KeyKind, at: Timestamp) -> Self {
        let root = |name: &str| CertificateAuthority::create(name, kind, at).unwrap();
        let (seal_root, stamp_root, user_root) =
            (root("İşlem Kök"), root("Zaman Damgası Kök"), root("Kullanıcı Kök"));
        let seal = issue(&seal_root, testing::seal_profile(), kind, at);
        let user = Profile::User { name: "Ali Veli".into(), email: ALI.into() };
        let user = issue(&user_root, user, kind, at);
        let stamps = issue(&stamp_root, Profile::TimeStamp { name: "Örnek ZDS".into() }, kind, at);
        let stamps = Authority::new(Arc::new(stamps));
        let provider = provider();
        let letter = letter(&user, at, SUBJECT, b"Merhaba.\r\n");
        Self { seal_root, stamp_root, user_root, seal, user, stamps, provider, kind, letter, at }
    }

    /// Another key and certificate, by an authority of this world.
    pub fn signer(&self, root: &CertificateAuthority, profile: Profile) -> FileSigner {
        issue(root, profile, self.kind, self.at)
    }

    pub fn now(&self) -> Timestamp {
        self.at.plus_secs(60)
    }

    pub fn believed(&self) -> Believed {
        let anchors = |root: &CertificateAuthority| {
            Some(Anchors::new(vec![root.certificate().clone()]).unwrap())
        };
        Believed {
            seal: anchors(&self.seal_root),
            time_stamp: anchors(&self.stamp_root),
            user: anchors(&self.user_root),
            ..Believed::default()
        }
    }

    pub fn judge(&self) -> Judge {
        Judge::new(self.believed()).unwrap()
    }

    /// One document, by itself.
    pub fn judged(&self, octets: &[u8]) -> Report {
        self.judge().judge(octets, None, self.now())
    }

    pub fn original(&self) -> Vec<u8> {
        self.letter.clone()
    }

    /// Another letter of his.
    pub fn another(&self, subject: &str, text: &[u8]) -> Vec<u8> {
        letter(&self.user, self.at, subject, text)
    }

    pub fn evidence(&self, event: Event, original: &[u8]) -> Evidence {
        let message = MessageId::parse("5f2c@hs05.kep.tr").unwrap();
        let party = |address: &str| Party { address: address.into(), name: None };
        let about_one = !matches!(event, Event::SubmissionAcceptance | Event::SubmissionRejection);
        Evidence {
            id: EvidenceId::derive(&message, event.name(), if about_one { AYSE } else { "" }),
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
            sender: party(ALI),
            sender_authentication: None,
            recipient_authentication: None,
            recipients: vec![party(AYSE)],
            refers_to: about_one.then_some(1),
            external: None,
            message: MessageDetails {
                subject: SUBJECT.into(),
                ua_message_id: Some("ua-1@example.org".into()),
                message_id: message.to_string(),
                digest: Some(ContentDigest::Sha256(sha256(original))),
            },
            opening: None,
        }
    }

    /// Delivery evidence of the usual letter, at level B-T.
    pub fn delivered(&self) -> Vec<u8> {
        self.stamped(&self.evidence(Event::Delivery, &self.original()))
    }

    pub fn stamped(&self, evidence: &Evidence) -> Vec<u8> {
        self.stamped_in(evidence, Dialect::Ts102640)
    }

    pub fn stamped_in(&self, evidence: &Evidence, dialect: Dialect) -> Vec<u8> {
        let signed = self.signed(&self.seal, &evidence.write(dialect).unwrap());
        signed.stamped(&self.token(&signed.to_stamp())).into_bytes()
    }

    /// A document, signed and not yet stamped.
    pub fn signed(&self, by: &FileSigner, xml: &str) -> Signed {
        let der = by.certificate().der();
        let prepared = Prepared::new(xml, der, by.algorithm(), self.at, "application/xml", "kep");
        let prepared = prepared.unwrap();
        let value = by.sign(prepared.to_sign()).unwrap();
        prepared.signed(&value).unwrap()
    }

    pub fn token(&self, octets: &[u8]) -> Vec<u8> {
        token(&self.stamps, octets, self.at)
    }

    /// The dispatch of an original with its acceptance evidence.
    pub fn dispatch(&self, original: &[u8]) -> Vec<u8> {
        let evidence = self.evidence(Event::SubmissionAcceptance, original);
        let xml = self.stamped(&evidence);
        self.dispatch_with(&self.seal, &evidence, &xml, original)
    }

    /// Any evidence and original under anybody's seal.
    pub fn dispatch_with(
        &self,
        by: &FileSigner,
        evidence: &Evidence,
        xml: &[u8],
        original: &[u8],
    ) -> Vec<u8> {
        let mailbox = |address: &str| Mailbox { name: None, address: address.into() };
        let envelope = Envelope {
            from: mailbox(&self.provider.service_address()),
            reply_to: Some(mailbox(ALI)),
            to: vec![mailbox(AYSE)],
            cc: Vec::new(),
            subject: message_subject(&evidence.message.subject),
            date: self.at,
            message_id: evidence.message.message_id.clone(),
            in_reply_to: None,
            references: Vec::new(),
            rem: RemHeaders::of(evidence, MessageKind::Dispatch),
            extra: Vec::new(),
            random: [7; 16],
            micalg: "sha-256",
        };
        let introduction = self.provider.texts.dispatch.render(&[]);
        let file = EvidenceFile { name: "SubmissionAcceptanceRejection.xml".into(), xml };
        let composed = Composed::new(&envelope, &introduction, Some(original), &[file]).unwrap();
        self.sealed(by, &composed, Some(original), true)
    }

    /// The mail in which evidence travels; its seal has no stamp, as we make them.
    pub fn evidence_mail(&self, evidence: &Evidence, xml: &[u8]) -> Vec<u8> {
        self.evidence_mail_of(evidence, &[Document { dialect: dialect_of(xml), xml }])
    }

    /// The same with the evidence in more than one dialect.
    pub fn evidence_mail_of(&self, evidence: &Evidence, documents: &[Document<'_>]) -> Vec<u8> {
        let (provider, at) = (&self.provider, self.at);
        let composed = parcel::compose(provider, evidence, documents, at, [7; 16]).unwrap();
        self.sealed(&self.seal, &composed, None, false)
    }

    /// The same; whoever reads it has the seal's certificate from elsewhere.
    pub fn bare_evidence_mail(&self, evidence: &Evidence, xml: &[u8]) -> Vec<u8> {
        let (provider, documents) = (&self.provider, [Document { dialect: dialect_of(xml), xml }]);
        let composed = parcel::compose(provider, evidence, &documents, self.at, [7; 16]).unwrap();
        let digest = sha256_of([composed.before_original(), composed.after_original()]);
        let identity = self.seal.identity().without_certificates();
        let prepared = cms::Prepared::new(&identity, oid::DATA, digest, Some(self.at));
        let value = self.seal.sign(prepared.to_sign()).unwrap();
        let seal = prepared.signed(value).detached(None);
        [composed.head(), composed.tail(&seal)].concat()
    }

    fn sealed(
        &self,
        by: &FileSigner,
        composed: &Composed,
        original: Option<&[u8]>,
        stamped: bool,
    ) -> Vec<u8> {
        let original = original.unwrap_or_default();
        let digest = sha256_of([composed.before_original(), original, composed.after_original()]);
        let prepared = cms::Prepared::new(by.identity(), oid::DATA, digest, Some(self.at));
        let value = by.sign(prepared.to_sign()).unwrap();
        let signed = prepared.signed(value);
        let token = stamped.then(|| self.token(signed.to_stamp()));
        let seal = signed.detached(token.as_deref());
        [composed.head().as_slice(), original, &composed.tail(&seal)].concat()
    }
}

/// What is no evidence is called as ours is by default.
fn dialect_of(xml: &[u8]) -> Dialect {
    Evidence::read(xml).map_or(Dialect::Ts102640, |read| read.dialect)
}

/// A token over the octets' SHA-256.
pub fn token(by: &Authority, octets: &[u8], at: Timestamp) -> Vec<u8> {
    let request = Request {
        imprint: Imprint::sha256(sha256(octets)),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extended: false,
    };
    Reply::parse(&by.respond(&request.write(), at)).unwrap().token.unwrap()
}

pub fn issue(
    root: &CertificateAuthority,
    profile: Profile,
    kind: KeyKind,
    at: Timestamp,
) -> FileSigner {
    root.issue(&profile, kind, &Links::default(), at).unwrap().signer().unwrap()
}

fn letter(by: &FileSigner, at: Timestamp, subject: &str, text: &[u8]) -> Vec<u8> {
    let part = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n", text].concat();
    let prepared = cms::Prepared::new(by.identity(), oid::DATA, sha256(&part), Some(at));
    let value = by.sign(prepared.to_sign()).unwrap();
    let p7s = lines(&prepared.signed(value).detached(None));
    let subject = BASE64.encode(subject.as_bytes());
    let head = format!(
        "From: Ali Veli <{ALI}>\r\nTo: {AYSE}\r\nSubject: =?utf-8?B?{subject}?=\r\n\
         Message-ID: <ua-1@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
         micalg=sha-256; boundary=\"imza\"\r\n\r\n--imza\r\n"
    );
    let tail = format!(
        "\r\n--imza\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{p7s}--imza--\r\n"
    );
    [head.as_bytes(), &part, tail.as_bytes()].concat()
}

/// Base64 as mails carry it.
pub fn lines(octets: &[u8]) -> String {
    let text = BASE64.encode(octets);
    let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    lines.map(|line| format!("{line}\r\n")).collect()
}

fn provider() -> Provider {
    Provider {
        domain: KepDomain::parse("hs05.kep.tr").unwrap(),
        name: "Örnek KEPHS A.Ş.".into(),
        street: None,
        postal_code: None,
        locality: "Ankara".into(),
        country: "TR".into(),
        policy_uris: Vec::new(),
        portal_url: None,
        texts: Texts::default(),
    }
}
