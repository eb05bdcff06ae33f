//! The copy in `Giden Kutusu`: the server's, replaced by the one that the sender's program files.

use crate::client::imap::{Fetched, Imap};
use crate::scene::{ALI, AYSE, Plan, Running, Scene, until};
use crate::stand_in::{Manner, StandIn};

const SENT: &str = "Giden Kutusu";
const DELIVERED: [&str; 2] = ["$KepAccepted", "$KepDelivered"];

struct Sent {
    scene: Scene,
    server: Running,
    mail: Vec<u8>,
    id: String,
}

impl Sent {
    /// A message from Ali to Ayşe, delivered.
    async fn new() -> Self {
        let scene = Scene::new(Plan::default()).await;
        let server = scene.serve().await;
        let mail = scene.letter(ALI, &[AYSE], "kopya.1@istemci.example");
        let id = scene.accepted(ALI, &[AYSE], &mail).await;
        scene.settled(&id, 2).await;
        Self { scene, server, mail, id }
    }

    async fn imap(&self, address: &str, mailbox: &str) -> Imap {
        let mut imap = self.scene.doors().imap(self.scene.account(address)).await.unwrap();
        imap.select(mailbox).await.unwrap();
        imap
    }

    /// Waits until a mailbox of Ali's holds one message, with these keywords of the server's.
    async fn shows(&self, mailbox: &str, words: &[&str]) -> Fetched {
        until(&format!("{words:?} in {mailbox}"), async || {
            let mut imap = self.imap(ALI, mailbox).await;
            let mut held = imap.fetch("1:*", "(UID FLAGS BODY.PEEK[])").await.unwrap_or_default();
            (held.len() == 1 && keywords(&held[0]) == words).then(|| held.remove(0))
        })
        .await
    }

    /// Ayşe opens it.
    async fn read(&self) {
        self.imap(AYSE, "INBOX").await.uid_move("1", "Açılacaklar").await.unwrap();
        self.scene.settled(&self.id, 3).await;
    }

    /// As a program files it: not octet for octet what it has sent.
    fn filed(&self) -> Vec<u8> {
        [b"X-Mozilla-Status: 0001\r\n".as_slice(), &self.mail].concat()
    }
}

fn keywords(message: &Fetched) -> Vec<&str> {
    message.flags.iter().map(String::as_str).filter(|flag| flag.starts_with("$Kep")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_own_copy_replaces_the_servers() {
    let sent = Sent::new().await;
    let servers = sent.shows(SENT, &DELIVERED).await;
    assert_eq!(servers.literals[0], sent.mail);

    // Two other devices look on; one of them waits for news.
    let (mut idle, mut quiet) = (sent.imap(ALI, SENT).await, sent.imap(ALI, SENT).await);
    idle.idle().await.unwrap();
    let mut imap = sent.imap(ALI, SENT).await;
    let uid = imap.append(SENT, "\\Seen", &sent.filed()).await.unwrap();
    assert_eq!(uid, Some(servers.uid.unwrap() + 1));
    let own = sent.shows(SENT, &DELIVERED).await;
    assert_eq!((own.uid, &own.literals[0]), (uid, &sent.filed()));
    assert!(own.flags.contains(&"\\Seen".to_owned()));

    idle.until_more(0, crate::scene::PATIENCE).await.unwrap();
    idle.done().await.unwrap();
    let told = quiet.command("NOOP").await.unwrap().untagged;
    assert!(told.iter().any(|line| line.text == "1 EXPUNGE"), "{told:?}");
    for device in [&mut idle, &mut quiet] {
        assert_eq!(device.uid_search("ALL").await.unwrap(), [uid.unwrap()]);
    }

    // From here on it is this one that shows what becomes of the message.
    sent.read().await;
    sent.shows(SENT, &["$KepAccepted", "$KepDelivered", "$KepRead"]).await;
    let ran = sent.scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    sent.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_filed_before_the_acceptance_evidence_is_the_only_one() {
    let scene = Scene::new(Plan::default()).await;
    let stand_in = StandIn::start(scene.port(7), Manner::Dead).await;
    scene.set("timestamp", "url", &format!("\"http://127.0.0.1:{}/\"", stand_in.port));
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "once.1@istemci.example");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    let sent = Sent { scene, server, mail, id };
    let mut imap = sent.imap(ALI, SENT).await;
    let uid = imap.append(SENT, "\\Seen", &sent.filed()).await.unwrap();
    assert_eq!(sent.shows(SENT, &[]).await.uid, uid);
    assert!(sent.scene.events(&sent.id).await.is_empty(), "there is no evidence yet");

    stand_in.behave(Manner::Honest);
    let own = sent.shows(SENT, &DELIVERED).await;
    assert_eq!((own.uid, &own.literals[0]), (uid, &sent.filed()));
    sent.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_filed_elsewhere_stays_there_and_shows_the_same() {
    let sent = Sent::new().await;
    sent.shows(SENT, &DELIVERED).await;
    sent.imap(ALI, SENT).await.uid_move("1", "Arşiv/Giden").await.unwrap();
    let uid = sent.imap(ALI, SENT).await.append(SENT, "\\Seen", &sent.filed()).await.unwrap();
    assert_eq!(sent.shows(SENT, &DELIVERED).await.uid, uid);
    assert_eq!(sent.shows("Arşiv/Giden", &DELIVERED).await.literals[0], sent.mail);

    sent.read().await;
    for mailbox in [SENT, "Arşiv/Giden"] {
        sent.shows(mailbox, &["$KepAccepted", "$KepDelivered", "$KepRead"]).await;
    }
    let ran = sent.scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    sent.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_went_away_and_came_back_is_replaced_where_it_stands() {
    let sent = Sent::new().await;
    sent.shows(SENT, &DELIVERED).await;
    sent.imap(ALI, SENT).await.uid_move("1", "Arşiv").await.unwrap();
    // Filed, it goes on showing what becomes of the message.
    sent.read().await;
    let all = ["$KepAccepted", "$KepDelivered", "$KepRead"];
    sent.shows("Arşiv", &all).await;
    sent.imap(ALI, "Arşiv").await.uid_move("1", SENT).await.unwrap();
    let uid = sent.imap(ALI, SENT).await.append(SENT, "\\Seen", &sent.filed()).await.unwrap();
    assert_eq!(sent.shows(SENT, &all).await.uid, uid);
    sent.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_neither_gives_nor_takes_the_servers_keywords() {
    let sent = Sent::new().await;
    sent.shows(SENT, &DELIVERED).await;
    let mut imap = sent.imap(ALI, SENT).await;
    for change in [
        "-FLAGS ($KepAccepted)",
        "+FLAGS ($KepRead $kepfailed etiket)",
        "FLAGS (\\Seen etiket $KepReadByTimeout)",
        "+FLAGS.SILENT ($KEPREAD)",
        "-FLAGS.SILENT ($kepdelivered)",
    ] {
        imap.uid_store("1", change).await.unwrap();
        let held = imap.fetch("1", "(FLAGS)").await.unwrap();
        assert_eq!(keywords(&held[0]), DELIVERED, "{change}");
    }
    let held = imap.fetch("1", "(FLAGS)").await.unwrap();
    assert!(held[0].flags.contains(&"etiket".to_owned()), "{held:?}");
    // Nor does an appended message or a copy come with what it was not given.
    imap.append("Taslaklar", "$KepRead etiket", b"Subject: x\r\n\r\nx\r\n").await.unwrap();
    let draft = sent.imap(ALI, "Taslaklar").await.fetch("1", "(FLAGS)").await.unwrap();
    assert_eq!(draft[0].flags, ["\\Recent", "etiket"]);
    sent.server.stop().await;
}
