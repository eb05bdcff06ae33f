//! Two providers, each a `kep serve` of its own, each registered with the other by the command line.

use crate::client::imap::Imap;
use crate::judges::{exported, judge};
use crate::scene::{ALI, Plan, Scene, until};
use crate::tool::{run, tool};
use crate::wire::{Wire, trust};
use kep::trust::Certificate;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub const CAN: &str = "can.ak@hs06.kep.tr";
pub const YOK: &str = "yok@hs06.kep.tr";

/// Ali's provider and Can's.
pub struct Two {
    pub a: Scene,
    pub b: Scene,
    /// Whom the two believe together, as `kep verify --trust` takes it.
    trust: PathBuf,
}

impl Two {
    pub async fn new() -> Self {
        let a = Scene::new(Plan { accounts: &["ali.veli"], ..Plan::default() }).await;
        let b = Plan { domain: "hs06.kep.tr", accounts: &["can.ak"], ..Plan::default() };
        let b = Scene::new(b).await;
        let trust = a.scratch("trust");
        std::fs::create_dir(&trust).unwrap();
        for name in ["seal-ca.pem", "tsa-ca.pem", "user-ca.pem"] {
            let of =
                |scene: &Scene| std::fs::read(scene.provider().join("trust").join(name)).unwrap();
            std::fs::write(trust.join(name), [of(&a), of(&b)].concat()).unwrap();
        }
        // The time-stamp authorities of the country: both believe both.
        for scene in [&a, &b] {
            let stamps = trust.join("tsa-ca.pem");
            scene.set("trust", "tsa_anchors", &format!("'{}'", stamps.display()));
        }
        register(&a, "hs06.kep.tr", &b).await;
        register(&b, "hs05.kep.tr", &a).await;
        Self { a, b, trust }
    }

    pub async fn verified(&self, file: &Path) {
        let arguments = ["verify", "--trust", self.trust.to_str().unwrap(), file.to_str().unwrap()];
        let output =
            tokio::process::Command::new(env!("CARGO_BIN_EXE_kep")).args(arguments).output();
        let output = output.await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(0), "{}: {said}", file.display());
    }

    pub async fn sound(&self) {
        for scene in [&self.a, &self.b] {
            let checked = scene.kep(&["fsck"]).await;
            assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
        }
    }
}

/// By its seal, under its TLS authority, and known by its certificate when it connects.
pub async fn register(scene: &Scene, domain: &str, other: &Scene) {
    let host = format!("127.0.0.1:{}", other.port(4));
    let file = |name: &str| other.provider().join(name).to_str().unwrap().to_owned();
    let shown = std::fs::read(other.provider().join("secrets/tls.pem")).unwrap();
    let pin = Certificate::from_pem(&shown).unwrap()[0].digest().hex();
    let (seal, tls) = (file("secrets/seal.pem"), file("trust/tls-ca.pem"));
    let add = ["provider", "add", domain, "--name", "Öteki", "--host", &host];
    let terms = ["--seal", &seal, "--tls-ca", &tls, "--client-pin", &pin];
    let ran = scene.kep(&[&add[..], &terms].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

async fn imap(scene: &Scene, address: &str) -> Imap {
    scene.doors().imap(scene.account(address)).await.unwrap()
}

/// The whole of each message in a mailbox.
pub async fn all_of(scene: &Scene, address: &str, mailbox: &str) -> Vec<Vec<u8>> {
    let mut imap = imap(scene, address).await;
    if imap.select(mailbox).await.unwrap().exists == 0 {
        return Vec::new();
    }
    let fetched = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
    fetched.into_iter().flat_map(|message| message.literals).collect()
}

pub async fn states(scene: &Scene, id: &str) -> Vec<String> {
    let shown = scene.json(&["message", "show", id]).await;
    let to = shown["recipients"].as_array().unwrap().iter();
    to.map(|to| to["state"].as_str().unwrap().to_owned()).collect()
}

async fn keywords(scene: &Scene) -> Vec<String> {
    let mut imap = imap(scene, ALI).await;
    imap.select("Giden Kutusu").await.unwrap();
    let copy = imap.fetch("1", "(FLAGS)").await.unwrap();
    let words = copy[0].flags.iter().filter(|flag| flag.starts_with("$Kep"));
    let mut words: Vec<_> = words.cloned().collect();
    words.sort();
    words
}

/// What B's relay says to a mail from A's service address, by somebody without A's keys.
fn handed(two: &Two, mail: &[u8]) -> String {
    tokio::task::block_in_place(|| {
        let mut wire = Wire::open(two.b.port(4), false, trust(two.b.provider()));
        said(&mut wire);
        wire.send(b"EHLO relay.hs05.kep.tr\r\n");
        said(&mut wire);
        wire.send(b"STARTTLS\r\n");
        said(&mut wire);
        wire.secure().unwrap();
        wire.send(b"EHLO relay.hs05.kep.tr\r\n");
        said(&mut wire);
        for line in ["MAIL FROM:<kepservisi@hs05.kep.tr>", "RCPT TO:<can.ak@hs06.kep.tr>", "DATA"] {
            wire.send(format!("{line}\r\n").as_bytes());
            let answer = said(&mut wire);
            if !answer.starts_with(['2', '3']) {
                return answer;
            }
        }
        // No line of it begins with a dot.
        wire.send(&[mail, b".\r\n"].concat());
        said(&mut wire)
    })
}

/// The last line of a reply.
pub fn said(wire: &mut Wire) -> String {
    loop {
        let line = String::from_utf8(wire.line().unwrap().unwrap_or_default()).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

fn hours(hours: i64) -> [(&'static str, OsString); 1] {
    [("KEP_DEV_CLOCK_OFFSET_SECS", (hours * 3600).to_string().into())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_travels_between_two_providers_and_its_evidence_comes_back() {
    let two = Two::new().await;
    let (at_a, at_b) = (two.a.serve().await, two.b.serve().await);
    let to = [CAN, YOK];
    let original = two.a.letter(ALI, &to, "ihale.1@istemci.example");
    let id = two.a.accepted(ALI, &to, &original).await;

    // 10 is ours; 20, 21 and 40 are theirs.
    let events = two.a.settled(&id, 4).await;
    let expected = [
        format!("delivery {CAN}"),
        "relay-acceptance".to_owned(),
        format!("relay-rejection {YOK}"),
        "submission-acceptance".to_owned(),
    ];
    assert_eq!(events, expected);
    until("both states", async || {
        (states(&two.a, &id).await == ["delivered", "failed"]).then_some(())
    })
    .await;
    assert_eq!(states(&two.b, &id).await, ["delivered", "failed"]);

    // A sealed notice lies there, and nothing of the content; opening it brings the whole.
    let notice = all_of(&two.b, CAN, "INBOX").await;
    assert_eq!(notice.len(), 1);
    let content = original.windows(40).nth(original.len() / 2).unwrap();
    let holds = |mail: &Vec<u8>| mail.windows(40).any(|window| window == content);
    assert!(!holds(&notice[0]), "an unopened dispatch shows its content");
    let mut reader = imap(&two.b, CAN).await;
    reader.select("INBOX").await.unwrap();
    reader.uid_move("1", "Açılacaklar").await.unwrap();
    let dispatch =
        until("the dispatch", async || all_of(&two.b, CAN, "INBOX").await.into_iter().find(holds))
            .await;
    assert!(dispatch.windows(original.len()).any(|window| window == original));

    let events = two.a.settled(&id, 5).await;
    assert!(events.contains(&format!("retrieval {CAN}")), "{events:?}");
    until("the state", async || (states(&two.a, &id).await == ["read", "failed"]).then_some(()))
        .await;
    assert_eq!(keywords(&two.a).await, ["$KepAccepted", "$KepFailed"]);
    let timeline = two.a.kep(&["message", "timeline", &id]).await.out;
    for words in ["Kabul edildi", "Karşı KEPHS'ye aktarıldı", "Teslim edildi", "Okundu"] {
        assert!(timeline.contains(words), "{words}: {timeline}");
    }
    everything_verifies(&two, &id, &dispatch).await;

    // Whoever has a copy of it is not its provider; where only the seal is asked for, it is the same again:
    // the same answer, and the same evidence once more.
    let hand = |mail: &[u8]| handed(&two, mail);
    assert!(hand(&dispatch).starts_with("550 5.7.1"), "no certificate was shown");
    let set = ["provider", "set", "hs05.kep.tr", "--client-pin", "none"];
    assert_eq!(two.b.kep(&set).await.code, Some(0));
    assert_eq!(hand(&dispatch), format!("250 2.0.0 {id}"));
    at_a.logged("the same evidence again", 4).await;
    assert_eq!(two.a.events(&id).await, events);
    assert_eq!(all_of(&two.b, CAN, "INBOX").await.len(), 1);
    let mut touched = dispatch.clone();
    let end = touched.len() - 1200;
    touched[end] ^= 1;
    let said = hand(&touched);
    assert!(said.starts_with("55"), "{said}");
    assert!(hand(&original).starts_with("554 5.6.0"), "a mail that no provider sealed");

    two.sound().await;
    at_a.stop().await;
    at_b.stop().await;
}

/// By our verifier, and each evidence by outside judges with the authorities of who issued it.
async fn everything_verifies(two: &Two, id: &str, dispatch: &[u8]) {
    let file = two.a.scratch("dispatch.eml");
    std::fs::write(&file, dispatch).unwrap();
    two.verified(&file).await;
    let mut mails = 0;
    for (scene, address) in [(&two.a, ALI), (&two.b, CAN)] {
        for (n, mail) in all_of(scene, address, "Deliller").await.into_iter().enumerate() {
            let file = scene.scratch(&format!("delil-{n}.eml"));
            std::fs::write(&file, mail).unwrap();
            two.verified(&file).await;
            mails += 1;
        }
    }
    assert!(mails >= 7, "{mails} evidence mails on both sides");
    let list = two.a.json(&["evidence", "list", "--message", id]).await;
    let origin = |event: &str| {
        let mut rows = list.as_array().unwrap().iter();
        rows.find(|row| row["event"] == event).map(|row| row["origin"].clone())
    };
    assert_eq!(origin("submission-acceptance"), Some(Value::from("own")));
    assert_eq!(origin("retrieval"), Some(Value::from("hs06.kep.tr")));
    for (file, xml) in exported(&two.a, id).await {
        two.verified(&file).await;
        let by_b = xml.contains("kepservisi@hs06.kep.tr");
        judge(if by_b { &two.b } else { &two.a }, &file, &xml);
    }
    by_openssl(two, &file);
}

/// The seal over the dispatch that arrived, by openssl alone.
fn by_openssl(two: &Two, file: &Path) {
    let Some(openssl) = tool("openssl") else { return };
    let anchor = two.a.provider().join("trust/seal-ca.pem");
    let (anchor, file) = (anchor.to_str().unwrap(), file.to_str().unwrap());
    let out = two.a.scratch("content");
    let verify = ["cms", "-verify", "-in", file, "-CAfile", anchor, "-out"];
    let (good, said) = run(&openssl, &[&verify[..], &[out.to_str().unwrap()]].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_down_gets_its_mail_and_one_that_stays_down_makes_evidence() {
    let two = Two::new().await;
    let at_a = two.a.serve().await;
    let original = two.a.letter(ALI, &[CAN], "kapali.1@istemci.example");
    let id = two.a.accepted(ALI, &[CAN], &original).await;
    until("the failed try", async || {
        let queue = two.a.json(&["queue", "list"]).await.to_string();
        queue.contains("hs06.kep.tr").then_some(())
    })
    .await;
    assert_eq!(states(&two.a, &id).await, ["accepted"]);
    let at_b = two.b.serve().await;
    two.a.kep(&["queue", "retry", "hs06.kep.tr"]).await;
    two.a.settled(&id, 3).await;
    until("the state", async || (states(&two.a, &id).await == ["delivered"]).then_some(())).await;
    at_b.stop().await;

    let mail = two.a.letter(ALI, &[CAN], "kapali.2@istemci.example");
    let lost = two.a.accepted(ALI, &[CAN], &mail).await;
    two.a.settled(&lost, 1).await;
    at_a.stop().await;
    let at_a = two.a.serve_with(&hours(25)).await;
    let events = two.a.settled(&lost, 2).await;
    assert_eq!(events, [format!("relay-failure {CAN}"), "submission-acceptance".to_owned()]);
    assert_eq!(states(&two.a, &lost).await, ["relay-failed"]);

    // The first one's time to read is not ours: it ends when its provider says so.
    assert_eq!(states(&two.a, &id).await, ["delivered"]);
    let at_b = two.b.serve_with(&hours(25)).await;
    let events = two.a.settled(&id, 4).await;
    assert!(events.contains(&format!("retrieval-expiration {CAN}")), "{events:?}");
    until("the state", async || (states(&two.a, &id).await == ["expired"]).then_some(())).await;
    two.sound().await;
    at_a.stop().await;
    at_b.stop().await;
}
