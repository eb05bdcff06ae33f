//! Opening: what makes a read fact and what does not, by IMAP, in both modes; and the end of the
//! time to read.

use crate::client::imap::Imap;
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, until};
use std::ffi::OsString;

/// The evidence of a message that nobody has opened yet.
const UNOPENED: [&str; 2] = ["delivery ayse.yilmaz@hs05.kep.tr", "submission-acceptance"];

async fn mailbox(scene: &Scene, who: &str, name: &str) -> Imap {
    let mut imap = scene.doors().imap(scene.account(who)).await.unwrap();
    imap.select(name).await.unwrap();
    imap
}

async fn octets(imap: &mut Imap, uid: u32) -> Vec<u8> {
    let fetched = imap.uid_fetch(&uid.to_string(), "(BODY.PEEK[])").await.unwrap();
    fetched[0].literals[0].clone()
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

async fn keywords(scene: &Scene) -> Vec<String> {
    let mut sent = mailbox(scene, ALI, "Giden Kutusu").await;
    let fetched = sent.fetch("1:*", "(FLAGS)").await.unwrap();
    assert_eq!(fetched.len(), 1, "one copy: {fetched:?}");
    let words = fetched[0].flags.iter().filter(|word| word.starts_with("$Kep"));
    words.cloned().collect()
}

/// A line of base64 of the attachment: it stands in the original alone.
fn telltale(mail: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(mail);
    let line = text.lines().find(|l| {
        l.len() >= 60 && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    });
    line.unwrap().as_bytes().to_vec()
}

#[tokio::test]
async fn invariant_03_a_stub_holds_no_content_and_moving_it_opens_once() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "kapali@zarf");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let mut inbox = mailbox(&scene, AYSE, "INBOX").await;

    // What mail programs do in the background.
    inbox.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)").await.unwrap();
    let stub = octets(&mut inbox, 1).await;
    assert!(holds(&stub, b"kapali-zarf."));
    assert!(!holds(&stub, &telltale(&mail)));
    assert_eq!(scene.events(&id).await, UNOPENED);

    inbox.uid_move("1", "Açılacaklar").await.unwrap();
    assert_eq!(inbox.uid_search("ALL").await.unwrap(), [2], "the dispatch has a new UID");
    assert!(holds(&octets(&mut inbox, 2).await, &mail), "the original, byte for byte");
    let events = scene.settled(&id, 3).await;
    assert_eq!(events[1], "retrieval ayse.yilmaz@hs05.kep.tr");
    until("the sender's copy tells", async || {
        let words = keywords(&scene).await;
        (words == ["$KepAccepted", "$KepDelivered", "$KepRead"]).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn invariant_03_direct_mode_opens_by_content_alone_and_once() {
    let scene = Scene::new(Plan { direct: true, ..Plan::default() }).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "dogrudan@acilir");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let mut inbox = mailbox(&scene, AYSE, "INBOX").await;
    let looks = "(UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[1.1.1])";
    let seen = inbox.fetch("1:*", looks).await.unwrap();
    let all: Vec<u8> = seen[0].literals.concat();
    for secret in [b"sunulmu".as_slice(), &telltale(&mail)] {
        assert!(!holds(&all, secret) && !holds(seen[0].text.as_bytes(), secret));
    }
    assert!(inbox.uid_search("TEXT sunulmu").await.unwrap().is_empty());
    assert_eq!(scene.events(&id).await, UNOPENED);

    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut imap = mailbox(&scene, AYSE, "INBOX").await;
        readers.spawn(async move { octets(&mut imap, 1).await });
    }
    while let Some(read) = readers.join_next().await {
        assert!(holds(&read.unwrap(), &mail));
    }
    scene.settled(&id, 3).await;
    assert_eq!(scene.count("retrieval").await, 1);
    server.stop().await;
}

#[tokio::test]
async fn invariant_02_the_time_to_read_ends_once_however_late_the_server_comes_back() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "zaman@asimi");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    server.stop().await;

    let later = [("KEP_DEV_CLOCK_OFFSET_SECS", OsString::from("90000"))];
    let server = scene.serve_with(&later).await;
    let events = scene.settled(&id, 3).await;
    assert_eq!(events[1], "retrieval-expiration ayse.yilmaz@hs05.kep.tr");
    assert_eq!(keywords(&scene).await.last().unwrap(), "$KepReadByTimeout");
    let whole = scene.json(&["message", "show", &id]).await;
    let (due, state) = (&whole["recipients"][0]["due"], &whole["recipients"][0]["state"]);
    assert_eq!(state, "expired");
    let list = scene.json(&["evidence", "list", "--message", &id]).await;
    let expired =
        list.as_array().unwrap().iter().find(|e| e["event"] == "retrieval-expiration").unwrap();
    assert_eq!(&expired["time"], due, "the event's time is when it was due");
    let shown = scene.json(&["evidence", "show", expired["id"].as_str().unwrap()]).await;
    let xml = shown["xml"].as_str().unwrap();
    assert!(xml.contains("RetrievalExpiration") && xml.contains(due.as_str().unwrap()), "{xml}");

    // Opening it now shows the content; the outcome stands.
    let mut inbox = mailbox(&scene, AYSE, "INBOX").await;
    inbox.uid_move("1", "Açılacaklar").await.unwrap();
    assert!(holds(&octets(&mut inbox, 2).await, &mail));
    assert_eq!(scene.events(&id).await.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn the_clock_of_a_real_provider_is_not_moved() {
    let scene = Scene::new(Plan::default()).await;
    let conf = std::fs::read_to_string(scene.conf()).unwrap();
    let plain: Vec<_> = conf.lines().filter(|line| !line.starts_with("tsa = ")).collect();
    std::fs::write(scene.conf(), plain.join("\n")).unwrap();
    let moved = [("KEP_DEV_CLOCK_OFFSET_SECS", OsString::from("60"))];
    let ran = scene.kep_with(&["serve"], &moved).await;
    assert_eq!(ran.code, Some(78), "{}", ran.err);
    assert!(ran.err.contains("hint: a provider's clock is never moved"), "{}", ran.err);
}

#[tokio::test]
async fn with_two_recipients_keywords_wait_for_both() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "iki@alici");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    scene.settled(&id, 3).await;
    mailbox(&scene, AYSE, "INBOX").await.uid_move("1", "Açılacaklar").await.unwrap();
    scene.settled(&id, 4).await;
    assert_eq!(keywords(&scene).await, ["$KepAccepted", "$KepDelivered"]);
    mailbox(&scene, MEHMET, "INBOX").await.uid_move("1", "Açılacaklar").await.unwrap();
    scene.settled(&id, 5).await;
    until("both have read", async || {
        keywords(&scene).await.contains(&"$KepRead".to_owned()).then_some(())
    })
    .await;
    // The addressee has the evidence of his incoming message, marked so.
    let mut evidence = mailbox(&scene, AYSE, "Deliller").await;
    let mails = evidence.fetch("1:*", "(FLAGS)").await.unwrap();
    assert!(mails.len() >= 3, "{mails:?}");
    assert!(mails.iter().all(|mail| mail.flags.contains(&"$KepIncoming".to_owned())));
    server.stop().await;
}
