//! Opening is an explicit act, recorded before content leaves; downloading in the background is not
//! reading.

use crate::client::imap::Imap;
use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, Plan, Running, Scene, until};
use crate::tool::{run, tool};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// A provider at work, with one delivered message from Ali to Ayşe.
pub struct Delivered {
    pub scene: Scene,
    pub server: Running,
    pub id: String,
    pub original: Vec<u8>,
}

impl Delivered {
    pub async fn new(direct: bool) -> Self {
        let scene = Scene::new(Plan { direct, ..Plan::default() }).await;
        let server = scene.serve().await;
        let original = scene.letter(ALI, &[AYSE], "acilis.1@istemci.example");
        let id = scene.accepted(ALI, &[AYSE], &original).await;
        scene.settled(&id, 2).await;
        Self { scene, server, id, original }
    }

    pub async fn imap(&self, address: &str) -> Imap {
        self.scene.doors().imap(self.scene.account(address)).await.unwrap()
    }

    /// When Ayşe opened it. A read fact is durable before content leaves: no need to wait.
    pub async fn opened(&self) -> Value {
        self.scene.json(&["message", "show", &self.id]).await["recipients"][0]["opened"].clone()
    }

    /// What a mail program gets as the whole of each message in a mailbox.
    pub async fn all_of(&self, address: &str, mailbox: &str) -> Vec<Vec<u8>> {
        let mut imap = self.imap(address).await;
        if imap.select(mailbox).await.unwrap().exists == 0 {
            return Vec::new();
        }
        let fetched = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
        fetched.into_iter().flat_map(|message| message.literals).collect()
    }

    /// Lines of the attachment: nobody has them by chance.
    fn content(&self) -> Vec<String> {
        let mail = String::from_utf8(self.original.clone()).unwrap();
        let attachment = mail.split("filename*").nth(1).unwrap();
        attachment.lines().filter(|line| line.len() == 76).take(3).map(str::to_owned).collect()
    }

    pub fn shows_content(&self, octets: &[u8]) -> bool {
        let text = String::from_utf8_lossy(octets);
        self.content().iter().any(|line| text.contains(line))
    }
}

/// The commands with which Thunderbird lists a folder and then fetches it for offline use.
const BACKGROUND: [&str; 6] = [
    "UID FETCH 1:* (FLAGS)",
    "UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date \
     Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])",
    "UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])",
    "UID FETCH 1:* (UID RFC822.SIZE RFC822.HEADER BODY[]<0.65536>)",
    "UID FETCH 1:* (BODYSTRUCTURE ENVELOPE BODY[1] BODY[TEXT])",
    "UID FETCH 1:* (RFC822)",
];

#[tokio::test(flavor = "multi_thread")]
async fn invariant_03_downloading_sealed_notices_is_not_reading() {
    let delivered = Delivered::new(false).await;
    let scene = &delivered.scene;
    let mut imap = delivered.imap(AYSE).await;
    for mailbox in imap.list("*").await.unwrap() {
        let Ok(selected) = imap.select(&mailbox).await else { continue };
        if selected.exists == 0 {
            continue;
        }
        for command in BACKGROUND {
            let answer = imap.command(command).await.unwrap();
            for literal in answer.untagged.iter().flat_map(|line| &line.literals) {
                assert!(!delivered.shows_content(literal), "{mailbox}: {command}");
            }
            assert!(!answer.untagged.iter().any(|l| delivered.shows_content(l.text.as_bytes())));
        }
    }
    assert_eq!(delivered.opened().await, Value::Null);
    assert_eq!(scene.count("retrieval").await, 0);
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_moving_a_notice_to_acilacaklar_opens_the_message_once() {
    let delivered = Delivered::new(false).await;
    let Delivered { scene, id, original, .. } = &delivered;
    let mut imap = delivered.imap(AYSE).await;
    imap.select("INBOX").await.unwrap();
    let stub = imap.uid_search("ALL").await.unwrap();
    assert_eq!(stub.len(), 1);
    // Two devices do it at the same time; one of them comes too late, which is no error of theirs.
    let mut other = delivered.imap(AYSE).await;
    other.select("INBOX").await.unwrap();
    let set = stub[0].to_string();
    let (one, two) =
        tokio::join!(imap.uid_move(&set, "Açılacaklar"), other.uid_move(&set, "Açılacaklar"));
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    assert!(delivered.opened().await.is_string());

    let dispatch = until("the dispatch in INBOX", async || {
        let mails = delivered.all_of(AYSE, "INBOX").await;
        (mails.len() == 1 && delivered.shows_content(&mails[0])).then(|| mails[0].clone())
    })
    .await;
    assert!(contains(&dispatch, original), "the original is not enclosed as it was");
    imap.select("INBOX").await.unwrap();
    let now = imap.uid_search("ALL").await.unwrap();
    assert!(now.len() == 1 && now[0] > stub[0], "{now:?} after {stub:?}");
    assert_eq!(imap.count("Açılacaklar").await.unwrap(), 0);

    let events = scene.settled(id, 3).await;
    let expected =
        [&format!("delivery {AYSE}"), &format!("retrieval {AYSE}"), "submission-acceptance"];
    assert_eq!(events, expected);
    for (file, xml) in exported(scene, id).await {
        judge(scene, &file, &xml);
    }
    verified(&delivered, &dispatch).await;
    shown_to_the_sender(&delivered).await;
    // Opened is opened: reading it again adds nothing.
    for command in BACKGROUND {
        imap.command(command).await.unwrap();
    }
    assert_eq!(scene.events(id).await.len(), 3);
    delivered.server.stop().await;
}

/// `kep verify` is content with the dispatch, its evidence and its original; not with another one.
async fn verified(delivered: &Delivered, dispatch: &[u8]) {
    let scene = &delivered.scene;
    let [mail, original, other] =
        ["dispatch.eml", "original.eml", "other.eml"].map(|name| scene.scratch(name));
    std::fs::write(&mail, dispatch).unwrap();
    std::fs::write(&original, &delivered.original).unwrap();
    std::fs::write(&other, scene.letter(ALI, &[AYSE], "baska@x")).unwrap();
    let trust = scene.provider().join("trust");
    let verify = |with: &Path| {
        let arguments = [
            "verify".as_ref(),
            mail.as_os_str(),
            "--trust".as_ref(),
            trust.as_os_str(),
            "--original".as_ref(),
            with.as_os_str(),
        ];
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_kep")).args(arguments).output();
        let ran = ran.unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    let (code, said) = verify(&original);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify(&other);
    assert_eq!(code, Some(1), "{said}");
    if let Some(openssl) = tool("openssl") {
        let anchor = trust.join("seal-ca.pem");
        let flags = ["cms", "-verify", "-in", mail.to_str().unwrap()];
        let (good, said) =
            run(&openssl, &[&flags[..], &["-CAfile", anchor.to_str().unwrap()]].concat());
        assert!(good, "{}", String::from_utf8_lossy(&said));
    }
}

/// Keywords on the sent copy, evidence mails for both.
async fn shown_to_the_sender(delivered: &Delivered) {
    let mut imap = delivered.imap(ALI).await;
    imap.select("Giden Kutusu").await.unwrap();
    let sent = imap.fetch("1:*", "(UID FLAGS BODY.PEEK[])").await.unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].literals[0], delivered.original);
    for keyword in ["$KepAccepted", "$KepDelivered", "$KepRead"] {
        assert!(sent[0].flags.iter().any(|flag| flag == keyword), "{keyword}: {:?}", sent[0].flags);
    }
    // What the server says, a client can't unsay.
    imap.command("UID STORE 1:* -FLAGS.SILENT ($KepRead)").await.unwrap();
    imap.command("UID STORE 1:* +FLAGS.SILENT ($KepFailed)").await.unwrap();
    let again = imap.fetch("1:*", "(UID FLAGS)").await.unwrap();
    assert!(again[0].flags.iter().any(|flag| flag == "$KepRead"), "{:?}", again[0].flags);
    assert!(!again[0].flags.iter().any(|flag| flag == "$KepFailed"), "{:?}", again[0].flags);
    assert_eq!(delivered.all_of(ALI, "Deliller").await.len(), 3);
    assert_eq!(delivered.all_of(AYSE, "Deliller").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_03_four_fetches_at_once_of_a_direct_mailbox_are_one_reading_before_the_bytes() {
    let delivered = Delivered::new(true).await;
    let (start, mut running) = (Arc::new(Barrier::new(4)), JoinSet::new());
    for _ in 0..4 {
        let mut imap = delivered.imap(AYSE).await;
        imap.select("INBOX").await.unwrap();
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            // The slower ones may lose the server under their hands.
            imap.fetch("1", "(BODY[])").await
        });
    }
    let first = running.join_next().await.unwrap().unwrap().unwrap();
    let Delivered { scene, server, id, original } = delivered;
    assert!(contains(&first[0].literals[0], &original));
    // The bytes are here, so the fact is on disk: killed at once, the server still knows.
    server.end("KILL").await;
    let shown = scene.json(&["message", "show", &id]).await;
    let opened = shown["recipients"][0]["opened"].as_str().unwrap().to_owned();
    let server = scene.serve().await;
    let events = scene.settled(&id, 3).await;
    let expected =
        [&format!("delivery {AYSE}"), &format!("retrieval {AYSE}"), "submission-acceptance"];
    assert_eq!(events, expected);
    let timeline = scene.json(&["message", "timeline", &id]).await;
    let read = timeline.as_array().unwrap().iter().find(|row| row["event"] == "retrieval").unwrap();
    assert_eq!(read["time"], opened.as_str(), "the evidence has another time than the fact");
    assert!(read["stamped"].as_str().unwrap() >= &opened[..19], "{read}");
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
    }
    server.stop().await;
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    let starts = whole.iter().enumerate().filter(|(_, octet)| **octet == part[0]);
    starts.map(|(at, _)| at).any(|at| whole[at..].starts_with(part))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_thrown_away_is_put_back_by_the_command_line() {
    let delivered = Delivered::new(false).await;
    let Delivered { scene, id, .. } = &delivered;
    let mut imap = delivered.imap(AYSE).await;
    imap.select("INBOX").await.unwrap();
    imap.command("UID MOVE 1 \"&AMcA9g-p Kutusu\"").await.unwrap();
    assert_eq!(imap.count("INBOX").await.unwrap(), 0);
    let restore = ["message", "restore", id, "--account", AYSE];
    let back = scene.json(&restore).await;
    assert_eq!(back, serde_json::json!([{ "mailbox": "INBOX", "messages": 1 }]));
    assert_eq!(imap.count("INBOX").await.unwrap(), 1);
    let again = scene.kep(&restore).await;
    assert!(again.code != Some(0) && again.err.contains("hint: "), "{}", again.err);
    assert_eq!(delivered.opened().await, Value::Null);
    delivered.server.stop().await;
}
