//! A registered provider that means harm, and strangers: each thing they do is refused with a reason,
//! logged and counted, and the mail of an honest provider goes through meanwhile (docs/security.md).

mod line;

use crate::client::tls::Connection;
use crate::forger::Forger;
use crate::scene::{ALI, Plan, Running, Scene, until};
use kep::trust::Certificate;
use kep::wire::rem::{ContentDigest, Event, Evidence};
use kep::wire::sha256;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

const CAN: &str = "can.ak@hs06.kep.tr";
const KEMAL: &str = "kemal@hs07.kep.tr";
const LETTER: &[u8] = b"Subject: zarar\r\n\r\nMerhaba.\r\n";

/// The provider that all of this is done to, and an honest one that writes to it.
struct Stage {
    victim: Scene,
    honest: Scene,
    /// Registered at the victim as `hs07.kep.tr`; what it sends is made by its forger.
    evil: Scene,
    tls: crate::client::tls::Tls,
}

impl Stage {
    async fn new() -> Self {
        let of = |domain, accounts| Plan { domain, accounts, ..Plan::default() };
        let victim = Scene::new(of("hs06.kep.tr", &["can.ak"])).await;
        let honest = Scene::new(of("hs05.kep.tr", &["ali.veli"])).await;
        let evil = Scene::new(of("hs07.kep.tr", &["kemal"])).await;
        victim.set("accept", "max_size", "'1 MiB'");
        for key in ["command_timeout", "data_timeout"] {
            victim.set("accept", key, "'10s'");
        }
        let anchors = victim.scratch("stamps.pem");
        let of = |scene: &Scene| std::fs::read(scene.provider().join("trust/tsa-ca.pem")).unwrap();
        let all = [of(&victim), of(&honest), of(&evil)].concat();
        std::fs::write(&anchors, all).unwrap();
        for scene in [&victim, &honest] {
            scene.set("trust", "tsa_anchors", &format!("'{}'", anchors.display()));
        }
        register(&victim, "hs05.kep.tr", &honest).await;
        register(&victim, "hs07.kep.tr", &evil).await;
        register(&honest, "hs06.kep.tr", &victim).await;
        let tls = victim.doors().tls.clone();
        Self { victim, honest, evil, tls }
    }

    fn forger(&self) -> Forger {
        Forger::of(&self.evil, "hs07.kep.tr")
    }

    /// A line to the victim's relay, from an address that is not the honest one's.
    async fn line(&self) -> io::Result<Connection> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((EVIL_HOST, 0)))?;
        let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, self.victim.port(4)));
        Connection::over(socket.connect(relay).await?)
    }

    /// The same, encrypted and greeted.
    async fn secured(&self) -> io::Result<Connection> {
        let mut line = self.line().await?;
        said(&mut line).await?;
        ask(&mut line, "EHLO relay.hs07.kep.tr").await?;
        ask(&mut line, "STARTTLS").await?;
        let mut line = line.upgrade(&self.tls).await?;
        ask(&mut line, "EHLO relay.hs07.kep.tr").await?;
        Ok(line)
    }

    /// Hands a mail over; the last answer to it.
    async fn hand(&self, from: &str, to: &[&str], mail: &[u8]) -> String {
        let mut line = self.secured().await.unwrap();
        let mut commands = vec![format!("MAIL FROM:<{from}>")];
        commands.extend(to.iter().map(|to| format!("RCPT TO:<{to}>")));
        for command in commands {
            let answer = ask(&mut line, &command).await.unwrap();
            if !answer.starts_with('2') {
                return answer;
            }
        }
        line.write(format!("BDAT {} LAST\r\n", mail.len()).as_bytes()).await.unwrap();
        line.write(mail).await.unwrap();
        said(&mut line).await.unwrap()
    }

    /// A figure of the victim's, all of its labels together, or those that hold a text.
    async fn figure(&self, name: &str, label: &str) -> u64 {
        let page = format!("http://127.0.0.1:{}/metrics", self.victim.port(6));
        let text = reqwest::get(&page).await.unwrap().text().await.unwrap();
        let ours = |line: &&str| line.starts_with(name) && line.contains(label);
        let value = |line: &str| line.rsplit_once(' ')?.1.parse::<u64>().ok();
        text.lines().filter(ours).filter_map(value).sum()
    }

    /// An honest message, from here to the evidence of its delivery.
    async fn honest_mail_arrives(&self, name: &str) {
        let mail = self.honest.letter(ALI, &[CAN], &format!("{name}@istemci.example"));
        let id = self.honest.accepted(ALI, &[CAN], &mail).await;
        let events = self.honest.settled(&id, 3).await;
        assert!(events.contains(&format!("delivery {CAN}")), "{events:?}");
    }

    async fn sound(&self) {
        for scene in [&self.victim, &self.honest] {
            let checked = scene.kep(&["fsck"]).await;
            assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
        }
    }
}

/// By its seal and its TLS key.
async fn register(scene: &Scene, domain: &str, other: &Scene) {
    let shown = std::fs::read(other.provider().join("secrets/tls.pem")).unwrap();
    let pin = Certificate::from_pem(&shown).unwrap()[0].key_digest().unwrap().hex();
    let seal = other.provider().join("secrets/seal.pem").display().to_string();
    let host = format!("127.0.0.1:{}", other.port(4));
    let add = ["provider", "add", domain, "--name", "Öteki", "--host", &host];
    let ran = scene.kep(&[&add[..], &["--seal", &seal, "--tls-pin", &pin]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// The last line of a reply.
async fn said(line: &mut Connection) -> io::Result<String> {
    loop {
        let text = String::from_utf8_lossy(&line.line().await?).into_owned();
        if text.as_bytes().get(3) != Some(&b'-') {
            return Ok(text);
        }
    }
}

async fn ask(line: &mut Connection, command: &str) -> io::Result<String> {
    line.write(format!("{command}\r\n").as_bytes()).await?;
    said(line).await
}

/// What is handed over, by what path and for whom, how it is answered and counted.
struct Act {
    from: &'static str,
    to: Vec<&'static str>,
    mail: Vec<u8>,
    code: &'static str,
    why: &'static str,
}

const EVIL: &str = "kepservisi@hs07.kep.tr";

fn act(mail: Vec<u8>, code: &'static str, why: &'static str) -> Act {
    Act { from: EVIL, to: vec![CAN], mail, code, why }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_refused_by_name_and_counted_while_honest_mail_goes_on() {
    let stage = Stage::new().await;
    let (at_victim, at_honest) = (stage.victim.serve().await, stage.honest.serve().await);
    let before = stage.honest_mail_arrives("durust.1");
    let acts = async {
        for act in dispatches(&stage).await.into_iter().chain(evidence(&stage).await) {
            refused(&stage, &at_victim, &act).await;
        }
    };
    tokio::join!(before, acts);
    // What holds is taken, and the same by whoever says it again; a copy makes no other sender.
    let at_victim = replayed(&stage, at_victim).await;
    let after = stage.honest_mail_arrives("durust.2");
    tokio::join!(after, seals_that_are_in_force_no_more(&stage, &at_victim));
    let inbox = in_mailbox(&stage, "INBOX").await;
    assert_eq!(inbox, 3, "two honest ones and the one that was handed over so often");
    stage.sound().await;
    at_victim.stop().await;
    at_honest.stop().await;
}

async fn refused(stage: &Stage, at: &Running, act: &Act) {
    let label = format!("why=\"{}\"", act.why);
    let before = stage.figure("kep_relay_in_refused_total", &label).await;
    let lines = at.log().matches(act.why).count();
    let answer = stage.hand(act.from, &act.to, &act.mail).await;
    assert!(answer.starts_with(act.code), "{}: {answer}", act.why);
    let after = stage.figure("kep_relay_in_refused_total", &label).await;
    assert_eq!(after, before + 1, "{}: {answer}", act.why);
    at.logged(act.why, lines + 1).await;
}

/// Dispatches that are not what they seem.
async fn dispatches(stage: &Stage) -> Vec<Act> {
    let (evil, honest) = (stage.forger(), "ali.veli@hs05.kep.tr");
    let accepted = |id: &str, from: &str, to: &[&str]| evil.accepted(id, from, to, LETTER);
    let good = accepted("1@hs07.kep.tr", KEMAL, &[CAN]);
    let dispatch = evil.dispatch(&good, LETTER);
    let mut touched = dispatch.clone();
    let at = touched.windows(8).position(|window| window == b"Merhaba.").unwrap();
    touched[at] ^= 1;
    let stranger = Forger::of(&stage.victim, "hs08.kep.tr");
    let by_stranger = stranger
        .dispatch(&stranger.accepted("1@hs08.kep.tr", "a@hs08.kep.tr", &[CAN], LETTER), LETTER);
    let (old, certificate) = Forger::ended(&stage.evil, "hs07.kep.tr");
    let file = stage.victim.scratch("old.pem");
    std::fs::write(&file, certificate).unwrap();
    let set = ["provider", "set", "hs07.kep.tr", "--seal", file.to_str().unwrap()];
    assert_eq!(stage.victim.kep(&set).await.code, Some(0));
    let by_old = old.dispatch(&old.accepted("2@hs07.kep.tr", KEMAL, &[CAN], LETTER), LETTER);
    let mut all = vec![
        act(touched, "550 5.7.7", "SealInvalid"),
        act(by_stranger.clone(), "550 5.7.1", "SealUnknown"),
        act(by_old, "550 5.7.7", "SealEnded"),
        act(LETTER.to_vec(), "554 5.6.0", "NotRem"),
        // Another provider's account, or message.
        act(
            evil.dispatch(&accepted("3@hs07.kep.tr", honest, &[CAN]), LETTER),
            "550 5.7.1",
            "SenderOfAnother",
        ),
        act(
            evil.dispatch(&accepted("3@hs05.kep.tr", KEMAL, &[CAN]), LETTER),
            "550 5.7.1",
            "IdOfAnother",
        ),
        act(
            evil.dispatch(&accepted("3@hs06.kep.tr", KEMAL, &[CAN]), LETTER),
            "550 5.7.1",
            "IdOfAnother",
        ),
        // Another letter than was accepted.
        act(evil.dispatch(&good, b"Subject: x\r\n\r\nBaska.\r\n"), "554 5.7.7", "OriginalDiffers"),
    ];
    // Whoever hands it over: by another's path, with a null path, for somebody who is not meant.
    all.push(Act {
        from: "kepservisi@hs05.kep.tr",
        ..act(dispatch.clone(), "550 5.7.1", "SealOfAnother")
    });
    all.push(Act { from: "", ..act(by_stranger, "550 5.7.1", "SealUnknown") });
    all.push(Act { to: vec![CAN, "yok@hs06.kep.tr"], ..act(dispatch, "550 5.7.1", "NotNamed") });
    let unsaid = accepted("4@hs07.kep.tr", KEMAL, &[CAN]);
    for xml in bombs_of_xml() {
        all.push(act(
            evil.dispatch_of(&unsaid, xml.as_bytes(), LETTER),
            "554 5.7.7",
            "EvidenceInvalid",
        ));
    }
    all
}

/// What parsers of XML were brought down with.
fn bombs_of_xml() -> Vec<String> {
    let entities: String =
        (1..30).map(|n| format!("<!ENTITY a{n} \"&a{};&a{};\">", n - 1, n - 1)).collect();
    let laughs = format!("<!DOCTYPE a [<!ENTITY a0 \"ha\">{entities}]><a>&a29;</a>");
    let outside = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned();
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let wide: String = (0..30_000).map(|n| format!(" a{n}=\"\"")).collect();
    vec![laughs, outside, deep, format!("<a{wide}/>"), "<a/>".repeat(50_000)]
}

/// Evidence that is not theirs to tell.
async fn evidence(stage: &Stage) -> Vec<Act> {
    let evil = stage.forger();
    let to = [KEMAL, ALI];
    // A real message, to one of theirs and one of the honest provider's.
    let letter = stage.victim.letter(CAN, &to, "kurban.1@istemci.example");
    let id = stage.victim.accepted(CAN, &to, &letter).await;
    let digest = ContentDigest::Sha256(sha256(&letter));
    let told = |event, from: &str, to: &[&str]| evil.told(event, &id, (from, to), digest.clone());
    let about = |evidence: &Evidence, why| Act {
        from: "",
        to: vec!["kepservisi@hs06.kep.tr"],
        ..act(evil.evidence_mail(evidence), "550 5.7.1", why)
    };
    let never = evil.told(Event::Delivery, "abc@hs06.kep.tr", (CAN, &[KEMAL]), digest.clone());
    let other = ContentDigest::Sha256(sha256(LETTER));
    let other = evil.told(Event::Delivery, &id, (CAN, &[KEMAL]), other);
    vec![
        about(&never, "EvidenceOfNothing"),
        about(&told(Event::Delivery, CAN, &[ALI, KEMAL]), "EvidenceUnfit"),
        about(&told(Event::Retrieval, CAN, &["yok@hs07.kep.tr"]), "EvidenceUnfit"),
        about(&told(Event::Delivery, KEMAL, &[KEMAL]), "EvidenceUnfit"),
        about(&other, "EvidenceUnfit"),
        about(&told(Event::RelayFailure, CAN, &[KEMAL]), "EvidenceUnfit"),
        about(&told(Event::SubmissionAcceptance, CAN, &[KEMAL]), "EvidenceUnfit"),
    ]
}

/// The same dispatch by its provider, by others and after a restart.
async fn replayed(stage: &Stage, at: Running) -> Running {
    let evil = stage.forger();
    let dispatch = evil.dispatch(&evil.accepted("1@hs07.kep.tr", KEMAL, &[CAN], LETTER), LETTER);
    let again = async |from: &str| {
        assert_eq!(stage.hand(from, &[CAN], &dispatch).await, "250 2.0.0 1@hs07.kep.tr");
    };
    again(EVIL).await;
    let told = stage.victim.settled("1@hs07.kep.tr", 3).await;
    for _ in 0..3 {
        again(EVIL).await;
        // Nobody said who he is; the seal says whose it is.
        again("").await;
    }
    refused(
        stage,
        &at,
        &Act {
            from: "kepservisi@hs05.kep.tr",
            ..act(dispatch.clone(), "550 5.7.1", "SealOfAnother")
        },
    )
    .await;
    assert_eq!(stage.figure("kep_relay_in_total", "again").await, 6);
    at.stop().await;
    let at = stage.victim.serve().await;
    again(EVIL).await;
    // Another message under the same name is none.
    let other: &[u8] = b"Subject: x\r\n\r\nBaska.\r\n";
    let other = evil.dispatch(&evil.accepted("1@hs07.kep.tr", KEMAL, &[CAN], other), other);
    refused(stage, &at, &act(other, "554 5.6.0", "OtherMessage")).await;
    assert_eq!(stage.victim.events("1@hs07.kep.tr").await, told);
    at
}

/// A certificate that is not shown, a seal that was withdrawn, a provider that was suspended or closed.
async fn seals_that_are_in_force_no_more(stage: &Stage, at: &Running) {
    let registry = async |arguments: &[&str]| {
        let ran = stage.victim.kep(&[&["provider"][..], arguments].concat()).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    };
    // What was sealed before a seal ended is good all the same.
    let turned_away = async |code, why| {
        let evil = stage.forger();
        let fresh = evil.accepted("9@hs07.kep.tr", KEMAL, &[CAN], LETTER);
        refused(stage, at, &act(evil.dispatch(&fresh, LETTER), code, why)).await;
    };
    registry(&["set", "hs07.kep.tr", "--client-pin", &"0f".repeat(32)]).await;
    turned_away("550 5.7.1", "PeerNotShown").await;
    registry(&["set", "hs07.kep.tr", "--client-pin", "none"]).await;
    registry(&["suspend", "hs07.kep.tr"]).await;
    turned_away("451 4.3.2", "PeerSuspended").await;
    registry(&["resume", "hs07.kep.tr"]).await;
    // What it told of the time before is taken still: only who reads it knows.
    registry(&["close", "hs07.kep.tr"]).await;
    turned_away("550 5.7.1", "PeerEnded").await;
    registry(&["resume", "hs07.kep.tr"]).await;
    let shown = stage.victim.json(&["provider", "show", "hs07.kep.tr"]).await;
    for seal in shown["seals"].as_array().unwrap() {
        let seal = seal["fingerprint"].as_str().unwrap();
        registry(&["set", "hs07.kep.tr", "--withdraw-seal", seal]).await;
    }
    turned_away("550 5.7.7", "SealEnded").await;
}

/// How many messages the victim's account has there.
async fn in_mailbox(stage: &Stage, mailbox: &str) -> u32 {
    let account = stage.victim.account(CAN);
    let mut imap = stage.victim.doors().imap(account).await.unwrap();
    imap.select(mailbox).await.unwrap().exists
}

/// Sealed as it should be, and made so that whoever looks into it gets lost.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_whatever_is_sealed_by_a_provider_brings_nobody_down() {
    let stage = Stage::new().await;
    let (at_victim, at_honest) = (stage.victim.serve().await, stage.honest.serve().await);
    let evil = stage.forger();
    let mut taken = Vec::new();
    let bombs = async {
        for (n, (what, original)) in bombs_of_mime().into_iter().enumerate() {
            let id = format!("{n}@hs07.kep.tr");
            let mail = evil.dispatch(&evil.accepted(&id, KEMAL, &[CAN], &original), &original);
            let answer = stage.hand(EVIL, &[CAN], &mail).await;
            assert!(answer.starts_with("250 ") || answer.starts_with("55"), "{what}: {answer}");
            if answer.starts_with("250 ") {
                taken.push(id);
            }
        }
    };
    tokio::join!(bombs, stage.honest_mail_arrives("durust.3"));
    for id in &taken {
        stage.victim.settled(id, 3).await;
    }
    readable(&stage, taken.len() as u32 + 1).await;
    // In place of the tree that a mail of theirs has.
    for (what, mail) in bombs_of_mime() {
        let answer = stage.hand(EVIL, &[CAN], &mail).await;
        assert!(answer.starts_with("55"), "{what}: {answer}");
    }
    stage.honest_mail_arrives("durust.4").await;
    stage.sound().await;
    at_victim.stop().await;
    at_honest.stop().await;
}

/// The account lists and opens them all.
async fn readable(stage: &Stage, count: u32) {
    let account = stage.victim.account(CAN);
    let mut imap = stage.victim.doors().imap(account).await.unwrap();
    let listed = "(UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)";
    assert_eq!(imap.select("INBOX").await.unwrap().exists, count);
    assert_eq!(imap.fetch("1:*", listed).await.unwrap().len(), count as usize);
    imap.uid_move("1:*", "Açılacaklar").await.unwrap();
    until("all are open", async || {
        let mut imap = stage.victim.doors().imap(account).await.unwrap();
        (imap.select("INBOX").await.unwrap().exists == count).then_some(())
    })
    .await;
    let mut imap = stage.victim.doors().imap(account).await.unwrap();
    imap.select("INBOX").await.unwrap();
    assert_eq!(imap.fetch("1:*", listed).await.unwrap().len(), count as usize);
    let whole = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
    assert_eq!(whole.len(), count as usize);
    imap.uid_search("BODY gorunmez").await.unwrap();
}

/// Originals under a mebibyte.
fn bombs_of_mime() -> Vec<(&'static str, Vec<u8>)> {
    let multipart =
        |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let nested: String = (0..9_000).map(multipart).collect();
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
        "--b\r\n\r\n".repeat(80_000)
    );
    let lines = format!("{}\r\nx\r\n", "a: b\r\n".repeat(120_000));
    let folded = format!("Subject: a{}\r\n\r\nx\r\n", "\r\n b".repeat(180_000));
    let words = format!("Subject: {}\r\n\r\nx\r\n", "=?utf-8?B?xLE=?=\r\n ".repeat(30_000));
    let pieces: String = (0..30_000).map(|n| format!(";\r\n a*{n}=\"x\"")).collect();
    let pieces = format!("Content-Type: text/plain{pieces}\r\n\r\nx\r\n");
    let many: String = (0..30_000).map(|n| format!("a{n}@hs06.kep.tr,\r\n ")).collect();
    let many = format!("To: {many}son@hs06.kep.tr\r\n\r\nx\r\n");
    let comments = format!("From: {}\r\n\r\nx\r\n", "(\r\n ".repeat(150_000));
    let quotes = format!("From: {}\r\n\r\nx\r\n", "\"a\\\"\r\n ".repeat(100_000));
    let references = format!("References: {}\r\n\r\nx\r\n", "<a@b>\r\n ".repeat(100_000));
    [
        ("nested multiparts", nested),
        ("nested messages", forwarded),
        ("many parts", parts),
        ("many fields", lines),
        ("a field of many lines", folded),
        ("many encoded words", words),
        ("many pieces of a parameter", pieces),
        ("many addresses", many),
        ("nested comments", comments),
        ("open quotes", quotes),
        ("many references", references),
    ]
    .map(|(what, text)| (what, text.into_bytes()))
    .into()
}

/// Whoever means harm has a house of his own.
const EVIL_HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
