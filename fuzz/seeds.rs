//! Makes the seeds that can't be files of the repository, because they are signed: seeds FOLDER.
//! Keys are thrown away; `trust/` keeps the anchors and the signed evidence for `evidence_verify`.
use kep::trust::pki::{Hierarchy, KeyKind, Links, Profile};
use kep::trust::{Certificate, Signer, tsa};
use kep::wire::ocsp::{CertId, OcspRequest};
use kep::wire::rem::{
    Composed, ContentDigest, Dialect, Envelope, Event, Evidence, EvidenceFile, Issuer, Mailbox,
    MessageDetails, MessageKind, Party, RemHeaders, Template,
};
use kep::wire::tsp::{Imprint, Reply, Request};
use kep::wire::xades;
use kep::wire::{DigestAlgorithm, EvidenceId, Timestamp, cms, sha256};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let folder = std::env::args_os().nth(1).ok_or("seeds FOLDER")?;
    make(PathBuf::from(folder), Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

/// Lays a folder of seeds for each target into `folder`; some are files of the repository.
pub fn make(folder: PathBuf, repository: PathBuf) -> Outcome {
    let house = House::new(folder, repository)?;
    house.anchors()?;
    house.certificates()?;
    house.evidence()?;
    house.transcripts()?;
    house.texts()?;
    house.lists()?;
    house.copies("tests/mail", "eml", &["mime"])?;
    house.copies("tests/golden/evidence", "xml", &["rem_xml", "evidence_verify"])
}

/// A provider for a moment.
struct House {
    folder: PathBuf,
    repository: PathBuf,
    hierarchy: Hierarchy,
    stamps: tsa::Authority,
    seal: Arc<dyn Signer>,
}

impl House {
    fn new(folder: PathBuf, repository: PathBuf) -> Outcome<Self> {
        let hierarchy = Hierarchy::create(KeyKind::P256, NOW)?;
        let links = Links::default();
        let profile = Profile::TimeStamp { name: "Damga".into() };
        let stamper = hierarchy.tsa.issue(&profile, KeyKind::P256, &links, NOW)?;
        let stamps = tsa::Authority::new(Arc::new(stamper.signer()?));
        let (domain, email) = ("hs05.kep.tr".into(), "kepservisi@hs05.kep.tr".into());
        let profile = Profile::Seal { domain, email };
        let seal = hierarchy.seal.issue(&profile, KeyKind::P256, &links, NOW)?;
        Ok(Self { folder, repository, hierarchy, stamps, seal: Arc::new(seal.signer()?) })
    }

    fn put(&self, target: &str, name: &str, octets: &[u8]) -> Outcome {
        let folder = self.folder.join(target);
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(folder.join(name), octets)?)
    }

    fn anchors(&self) -> Outcome {
        let Hierarchy { seal, tsa, user, .. } = &self.hierarchy;
        for (name, authority) in [("seal-ca.pem", seal), ("tsa-ca.pem", tsa), ("user-ca.pem", user)]
        {
            self.put("trust", name, authority.certificate().pem().as_bytes())?;
        }
        Ok(())
    }

    /// A token over these octets, and the query and reply that it came by.
    fn stamp(&self, octets: &[u8]) -> Outcome<Vec<u8>> {
        let (policy, nonce) = (None, Some(vec![1; 8]));
        let imprint = Imprint::sha256(sha256(octets));
        let request = Request { imprint, policy, nonce, certificate_wanted: true, extended: false };
        let reply = self.stamps.respond(&request.write(), NOW);
        self.put("tsp", "query", &request.write())?;
        self.put("tsp", "reply", &reply)?;
        let token = Reply::parse(&reply)?.token.ok_or("no token")?;
        self.put("tsp", "info", &cms::SignedData::parse(&token)?.content.ok_or("no content")?)?;
        Ok(token)
    }

    /// SignedData of a user with a CRL's company, questions about him and their answers.
    fn certificates(&self) -> Outcome {
        let (name, email) = ("Ali Veli".into(), "ali@hs05.kep.tr".into());
        let profile = Profile::User { name, email };
        let user = self.hierarchy.user.issue(&profile, KeyKind::P256, &Links::default(), NOW)?;
        let signer: Arc<dyn Signer> = Arc::new(user.signer()?);
        self.put("cms", "detached", &self.signed(&signer, b"merhaba", None)?)?;
        self.put("cms", "stamped", &self.sealed(b"merhaba")?)?;
        let id = question(user.certificate())?;
        for (name, nonce) in [("plain", None), ("nonce", Some(vec![4, 1, 9]))] {
            let request = OcspRequest { ids: vec![id.clone()], nonce }.write();
            self.put("ocsp", name, &request)?;
            let answer = self.hierarchy.user.ocsp(&request, &[], NOW)?;
            self.put("ocsp", &format!("{name}-answer"), &answer)?;
        }
        Ok(())
    }

    fn signed(
        &self,
        by: &Arc<dyn Signer>,
        octets: &[u8],
        token: Option<&[u8]>,
    ) -> Outcome<Vec<u8>> {
        let digest = sha256(octets);
        let prepared = cms::Prepared::new(by.identity(), cms::oid::DATA, digest, Some(NOW));
        let signature = by.sign(prepared.to_sign())?;
        Ok(prepared.signed(signature).detached(token))
    }

    /// With the provider's seal and a stamp.
    fn sealed(&self, octets: &[u8]) -> Outcome<Vec<u8>> {
        let digest = sha256(octets);
        let prepared = cms::Prepared::new(self.seal.identity(), cms::oid::DATA, digest, Some(NOW));
        let signature = self.seal.sign(prepared.to_sign())?;
        let signed = prepared.signed(signature);
        let token = self.stamp(signed.to_stamp())?;
        Ok(signed.detached(Some(&token)))
    }

    /// Evidence in both dialects, a dispatch and an evidence mail.
    fn evidence(&self) -> Outcome {
        for event in [Event::SubmissionAcceptance, Event::Delivery, Event::RetrievalExpiration] {
            let evidence = self.draft(event);
            for (dialect, name) in [(Dialect::Ts102640, "ts"), (Dialect::En319522, "en")] {
                let xml = self.sign_xml(&evidence.write(dialect)?)?;
                let name = format!("{}-{name}.xml", event.name());
                self.put("rem_xml", &name, xml.as_bytes())?;
                self.put("evidence_verify", &name, xml.as_bytes())?;
                self.put("trust/signed", &name, xml.as_bytes())?;
                if dialect == Dialect::Ts102640 {
                    let original = (event == Event::SubmissionAcceptance).then_some(ORIGINAL);
                    let mail = self.mail(&evidence, &xml, original)?;
                    self.put("evidence_verify", &format!("{}.eml", event.name()), &mail)?;
                    self.put("mime", &format!("{}.eml", event.name()), &mail)?;
                }
            }
        }
        Ok(())
    }

    fn draft(&self, event: Event) -> Evidence {
        let party = |address: &str| Party { address: address.to_owned(), name: None };
        Evidence {
            id: EvidenceId::from_stored(format!("id-{}", event.name())),
            event,
            reasons: Vec::new(),
            policies: vec!["urn:oid:1.2.3".to_owned()],
            issuer: Issuer {
                name: "KEP Hizmet Sağlayıcı".to_owned(),
                address: "kepservisi@hs05.kep.tr".to_owned(),
                postal: None,
                certificate: Some(self.seal.certificate().der().to_vec()),
            },
            event_time: NOW,
            submission_time: Some(NOW),
            due_time: None,
            issue_time: None,
            sender: party("ali@hs05.kep.tr"),
            sender_authentication: None,
            recipient_authentication: None,
            recipients: vec![party("veli@hs05.kep.tr")],
            refers_to: Some(1),
            external: None,
            message: MessageDetails {
                subject: "İhale & şartname".to_owned(),
                ua_message_id: Some("ua@hs05.kep.tr".to_owned()),
                message_id: "0123456789abcdef@hs05.kep.tr".to_owned(),
                digest: Some(ContentDigest::Sha256(sha256(ORIGINAL))),
            },
            opening: None,
        }
    }

    fn sign_xml(&self, xml: &str) -> Outcome<String> {
        let certificate = self.seal.certificate().der();
        let algorithm = self.seal.algorithm();
        let prepared =
            xades::Prepared::new(xml, certificate, algorithm, NOW, "application/xml", "kep")?;
        let value = self.seal.sign(prepared.to_sign())?;
        let signed = prepared.signed(&value)?;
        Ok(signed.stamped(&self.stamp(&signed.to_stamp())?))
    }

    fn mail(&self, evidence: &Evidence, xml: &str, original: Option<&[u8]>) -> Outcome<Vec<u8>> {
        let dispatch = original.is_some();
        let kind = if dispatch { MessageKind::Dispatch } else { MessageKind::Evidence };
        let mailbox = |address: &str| Mailbox { name: None, address: address.to_owned() };
        let envelope = Envelope {
            from: mailbox("kepservisi@hs05.kep.tr"),
            reply_to: None,
            to: vec![mailbox("veli@hs05.kep.tr")],
            cc: Vec::new(),
            subject: evidence.message.subject.clone(),
            date: NOW,
            message_id: evidence.message.message_id.clone(),
            in_reply_to: None,
            references: Vec::new(),
            rem: RemHeaders::of(evidence, kind),
            extra: Vec::new(),
            random: [7; 16],
            micalg: "sha-256",
        };
        let template = if dispatch { Template::dispatch() } else { Template::evidence() };
        let introduction = template.render(&[("subject", "İhale")]);
        let name = evidence.event.ts_file().ok_or("no name")?;
        let file = EvidenceFile { name, xml: xml.as_bytes() };
        let composed = Composed::new(&envelope, &introduction, original, &[file])?;
        let original = original.unwrap_or_default();
        let signed = [composed.before_original(), original, composed.after_original()].concat();
        let tail = composed.tail(&self.sealed(&signed)?);
        Ok([&composed.head(), original, &tail].concat())
    }

    /// What clients say in the transcripts; the octet in front chooses how a session is driven.
    fn transcripts(&self) -> Outcome {
        for path in below(&self.repository.join("tests/transcripts"))? {
            let text = std::fs::read_to_string(&path)?;
            let said = text.lines().filter_map(|line| line.strip_prefix("C: "));
            let said: String = said.map(|line| format!("{line}\r\n")).collect();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let imap = path.extension().is_some_and(|end| end == "imap");
            let target = if imap { "imap_session" } else { "smtp_session" };
            let log_in = if imap { "l LOGIN a b\r\ns SELECT INBOX\r\n" } else { "" };
            let lines = if imap { "imap_command" } else { "smtp_line" };
            for (at, line) in said.lines().enumerate().filter(|(_, line)| line.len() < 200) {
                self.put(lines, &format!("{stem}-{at}"), format!("{line}\r\n").as_bytes())?;
            }
            for drive in [1_u8, 2, 7, 11, 13] {
                let octets = [&[drive], log_in.as_bytes(), said.as_bytes()].concat();
                self.put(target, &format!("{stem}-{drive}"), &octets)?;
            }
        }
        Ok(())
    }

    /// Small ones, and what the repository ships.
    fn texts(&self) -> Outcome {
        self.put("address", "sub-domain", b"ali.veli@kurum.hs05.kep.tr")?;
        self.put("time", "zoned", b"2026-11-23T11:29:24.123+03:00")?;
        let shipped = |name: &str| std::fs::read(self.repository.join("conf").join(name));
        self.put("holidays", "shipped", &shipped("holidays-tr.toml")?)?;
        self.put("settings", "sample", &shipped("kep.toml")?)
    }

    /// A trusted list with one provider, and what it says of itself; signed.
    fn lists(&self) -> Outcome {
        let template =
            |name: &str| std::fs::read_to_string(self.repository.join("tests/lists").join(name));
        let certificate = in_base64(self.seal.certificate());
        let (issued, next) = (NOW.iso8601_secs(), NOW.plus_secs(86_400).iso8601_secs());
        let fill = |text: String, values: &[(&str, &str)]| {
            let one = |text: String, (key, value): &(&str, &str)| {
                text.replace(&format!("{{{key}}}"), value)
            };
            values.iter().fold(text, one)
        };
        let values = [
            ("name", "Öteki"),
            ("type", "EDS/REM/Q"),
            ("certificate", &certificate),
            ("host", "relay.hs06.kep.tr"),
            ("sequence", "1"),
            ("issued", &issued),
            ("next", &next),
        ];
        let former = fill(template("history.xml")?, &[("status", "granted"), ("since", &issued)]);
        let status = [("history", former.as_str()), ("status", "withdrawn"), ("since", &next)];
        let provider = fill(template("provider.xml")?, &[&values[..], &status].concat());
        let list = [&values[..], &[("providers", provider.as_str())]].concat();
        for (name, text) in [
            ("list.xml", fill(template("list.xml")?, &list)),
            ("csi.xml", fill(template("csi.xml")?, &values)),
        ] {
            self.put("lists", name, self.sign_xml(&text)?.as_bytes())?;
        }
        Ok(())
    }

    fn copies(&self, from: &str, ending: &str, targets: &[&str]) -> Outcome {
        for path in below(&self.repository.join(from))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == ending) {
                let octets = std::fs::read(&path)?;
                targets.iter().try_for_each(|target| self.put(target, &name, &octets))?;
            }
        }
        Ok(())
    }
}

/// What a client asks about a certificate (RFC 6960 §4.1.1).
fn question(of: &Certificate) -> Outcome<CertId> {
    let named = cms::issuer_serial(of.der())?;
    let named = kep::wire::der::parse(&named)?.children()?;
    let [names, serial] = named.as_slice() else { return Err("no issuer and serial".into()) };
    let issuer = names.children()?.first().ok_or("no name")?.children()?;
    let issuer = issuer.first().ok_or("no issuer")?;
    Ok(CertId {
        algorithm: DigestAlgorithm::Sha256.oid(),
        name_hash: sha256(issuer.whole).0.to_vec(),
        key_hash: vec![2; 20],
        serial: serial.content.to_vec(),
    })
}

/// As PEM has it, without its frame.
fn in_base64(certificate: &Certificate) -> String {
    let pem = certificate.pem();
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// All files of a folder and of those in it.
fn below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(below(&path)?) } else { all.push(path) }
    }
    Ok(all)
}

/// As `evidence_verify` has it.
const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const ORIGINAL: &[u8] =
    b"From: ali@hs05.kep.tr\r\nTo: veli@hs05.kep.tr\r\nSubject: x\r\n\r\nmerhaba\r\n";
