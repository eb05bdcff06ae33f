//! A recipient with another provider: relayed, or evidence of why not.

use crate::client::imap::Imap;
use crate::other_provider::OtherProvider;
use crate::scene::{ALI, AYSE, Plan, Scene, until};
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

const CAN: &str = "can@hs77.kep.tr";
const KURUM: &str = "kurum@belediye.hs77.kep.tr";
const YOK: &str = "yok@hs77.kep.tr";

async fn register(scene: &Scene, port: u16, pin: &str) {
    let host = format!("127.0.0.1:{port}");
    let add = ["provider", "add", "hs77.kep.tr", "--name", "Öteki", "--host", &host];
    let ran = scene.kep(&[&add[..], &["--tls-pin", pin]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// A port that nobody listens on.
async fn nobody() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn recipients(scene: &Scene, id: &str, key: &str) -> Vec<Option<String>> {
    let shown = scene.json(&["message", "show", id]).await;
    let to = shown["recipients"].as_array().unwrap();
    to.iter().map(|to| to[key].as_str().map(str::to_owned)).collect()
}

async fn sound(scene: &Scene) {
    let checked = scene.kep(&["fsck"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
}

async fn verify(scene: &Scene, file: &Path) -> String {
    let trust = scene.provider().join("trust");
    let arguments = ["verify", file.to_str().unwrap(), "--trust", trust.to_str().unwrap()];
    scene.kep(&arguments).await.out
}

fn hours(hours: i64) -> [(&'static str, OsString); 1] {
    [("KEP_DEV_CLOCK_OFFSET_SECS", (hours * 3600).to_string().into())]
}

async fn waiting(scene: &Scene) -> Value {
    scene.json(&["queue", "list"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dispatch_reaches_the_other_provider_and_each_recipient_has_his_own_fate() {
    let scene = Scene::new(Plan::default()).await;
    let other = OtherProvider::start().await;
    register(&scene, other.port, &other.pin()).await;
    let server = scene.serve().await;
    let to = [AYSE, CAN, YOK, KURUM];
    let mail = scene.letter(ALI, &to, "uzak.1@istemci.example");
    let id = scene.accepted(ALI, &to, &mail).await;
    let events = scene.settled(&id, 3).await;
    let failed = format!("relay-failure {YOK}");
    assert_eq!(events, [format!("delivery {AYSE}"), failed, "submission-acceptance".to_owned()]);

    // One mail for both: sealed, and as good as when it left.
    let mails = other.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].from.as_str(), &mails[0].to[..]),
        ("kepservisi@hs05.kep.tr", &[CAN.to_owned(), KURUM.to_owned()][..])
    );
    let dispatch = scene.scratch("dispatch.eml");
    std::fs::write(&dispatch, &mails[0].octets).unwrap();
    let verified = verify(&scene, &dispatch).await;
    assert!(!verified.contains("BAD ") && !verified.contains("CAN'T TELL"), "{verified}");

    let some = |texts: [&str; 4]| texts.map(|text| Some(text.to_owned()));
    let states = some(["delivered", "relayed", "relay-failed", "relayed"]);
    assert_eq!(recipients(&scene, &id, "state").await, states);
    let timeline = scene.kep(&["message", "timeline", &id]).await.out;
    assert!(timeline.contains("KEPHS'ye ulaşılamadı / Relay failure"), "{timeline}");
    assert_eq!(timeline.matches("waits for evidence").count(), 2, "{timeline}");
    until("the sent copy shows it", async || {
        (keywords(&scene).await == ["$KepAccepted", "$KepFailed"]).then_some(())
    })
    .await;
    let mut evidence = mailbox(&scene, "Deliller").await;
    let mails = evidence.uid_fetch("1:*", "(BODY.PEEK[])").await.unwrap();
    let text = |mail: &[u8]| String::from_utf8_lossy(mail).into_owned();
    let told = mails.iter().filter(|m| text(&m.literals[0]).contains("RelayREMMDFailure.xml"));
    assert_eq!(told.count(), 1);
    assert_eq!(waiting(&scene).await["mails"].as_array().unwrap().len(), 0);
    sound(&scene).await;
    server.stop().await;

    // A day later nothing was heard of the other two: that is told, once, as of when it was due.
    let server = scene.serve_with(&hours(25)).await;
    let events = scene.settled(&id, 6).await;
    let failures = events.iter().filter(|event| event.starts_with("relay-failure")).count();
    assert_eq!(failures, 3, "{events:?}");
    let states = some(["expired", "relay-failed", "relay-failed", "relay-failed"]);
    assert_eq!(recipients(&scene, &id, "state").await, states);
    let folder = scene.scratch("evidence");
    let export = ["evidence", "export", &id, "--dir", folder.to_str().unwrap()];
    assert_eq!(scene.kep(&export).await.code, Some(0));
    let mut silent = 0;
    for file in std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "xml") {
            continue;
        }
        // What was stamped by the moved clock is still to come; nothing else is wrong with it.
        let verified = verify(&scene, &file).await;
        assert!(!verified.contains("BAD "), "{verified}");
        let xml = std::fs::read_to_string(&file).unwrap();
        let says = xml.contains("No relay acceptance information in time");
        assert!(!says || xml.contains("DueTime"), "{xml}");
        silent += usize::from(says);
    }
    assert_eq!(silent, 2);
    sound(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_waited_for_until_the_window_ends() {
    let scene = Scene::new(Plan::default()).await;
    register(&scene, nobody().await, &"0f".repeat(32)).await;
    let server = scene.serve().await;
    let to = [CAN];
    let mail = scene.letter(ALI, &to, "uzak.2@istemci.example");
    let id = scene.accepted(ALI, &to, &mail).await;
    until("the server is found down", async || {
        (waiting(&scene).await["providers"][0]["trouble"] == "unreachable").then_some(())
    })
    .await;
    figures_tell(&scene).await;
    let checked = scene.kep(&["check"]).await.out;
    assert!(checked.contains("hs77.kep.tr is unreachable since"), "{checked}");
    let queue = waiting(&scene).await;
    let number = queue["mails"][0]["id"].to_string();
    assert_eq!(
        (&queue["mails"][0]["message"], &queue["mails"][0]["kind"]),
        (&id.as_str().into(), &"dispatch".into())
    );
    let shown = scene.json(&["queue", "show", &number]).await;
    assert_eq!(shown["recipients"][0], CAN);
    for command in ["hold", "release", "retry"] {
        for which in [number.as_str(), "hs77.kep.tr"] {
            let ran = scene.kep(&["queue", command, which]).await;
            assert_eq!(ran.code, Some(0), "{command} {which}: {}", ran.err);
            if command == "hold" {
                let shown = scene.json(&["queue", "show", &number]).await;
                let held = [&shown["mail"]["held"], &shown["provider"]["stopped"]];
                assert!(held.contains(&&true.into()), "{shown}");
            }
        }
    }
    assert_eq!(recipients(&scene, &id, "waits").await, [Some("relay".to_owned())]);
    // What is not there is said so.
    for (arguments, code) in [
        (["queue", "show", "4711"], 66),
        (["queue", "retry", "4711"], 66),
        (["queue", "hold", "hs78.kep.tr"], 66),
        (["queue", "hold", "nobody"], 64),
        (["provider", "remove", "hs77.kep.tr"], 65),
    ] {
        let ran = scene.kep(&arguments).await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("hint:"), "{}", ran.err);
    }
    sound(&scene).await;
    server.stop().await;

    // A stop, as long as the window and longer, changes nothing.
    let server = scene.serve_with(&hours(25)).await;
    let events = scene.settled(&id, 2).await;
    assert_eq!(events, [format!("relay-failure {CAN}"), "submission-acceptance".to_owned()]);
    assert_eq!(waiting(&scene).await["mails"].as_array().unwrap().len(), 0);
    assert_eq!(scene.kep(&["provider", "remove", "hs77.kep.tr"]).await.code, Some(0));
    sound(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_cannot_take_is_known_at_submission() {
    let scene = Scene::new(Plan::default()).await;
    register(&scene, nobody().await, &"0f".repeat(32)).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[CAN], "uzak.3@istemci.example");
    for (set, code, text) in [
        (&["provider", "set", "hs77.kep.tr", "--size-limit", "64 KiB"][..], 552, "5.3.4"),
        (&["provider", "suspend", "hs77.kep.tr"], 451, "4.3.2"),
        (&["provider", "close", "hs77.kep.tr"], 550, "5.1.2"),
        (&["provider", "resume", "hs77.kep.tr"], 552, "5.3.4"),
        (&["provider", "set", "hs77.kep.tr", "--size-limit", "none"], 250, "2.0.0"),
    ] {
        assert_eq!(scene.kep(set).await.code, Some(0), "{set:?}");
        let reply = scene.submit(ALI, &[CAN], &mail).await;
        assert_eq!(reply.code, code, "{set:?}: {reply:?}");
        assert!(reply.lines[0].starts_with(text), "{set:?}: {reply:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_answer_was_laid_down_it_sends_the_same_mail_again() {
    let scene = Scene::new(Plan::default()).await;
    let other = OtherProvider::start().await;
    register(&scene, other.port, &other.pin()).await;
    other.mute();
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[CAN], "uzak.4@istemci.example");
    let id = scene.accepted(ALI, &[CAN], &mail).await;
    until("the other one has it", async || (other.mails().len() == 1).then_some(())).await;
    server.end("KILL").await;
    let server = scene.serve().await;
    until("it has it again", async || (other.mails().len() == 2).then_some(())).await;
    let mails = other.mails();
    assert!(mails[0].octets == mails[1].octets, "octet for octet");
    until("we know it", async || {
        (recipients(&scene, &id, "state").await == [Some("relayed".to_owned())]).then_some(())
    })
    .await;
    assert_eq!(scene.events(&id).await, ["submission-acceptance"]);
    sound(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_has_several_seals_while_one_follows_another() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    register(&scene, 25, &"0f".repeat(32)).await;
    let seal = |name: &str| scene.provider().join("secrets").join(name).display().to_string();
    for name in ["seal.pem", "tsa.pem", "seal.pem"] {
        let set = ["provider", "set", "hs77.kep.tr", "--seal", &seal(name)];
        assert_eq!(scene.kep(&set).await.code, Some(0));
    }
    let shown = scene.json(&["provider", "show", "hs77.kep.tr"]).await;
    let seals = shown["seals"].as_array().unwrap();
    assert_eq!(seals.len(), 2, "{shown}");
    let (first, until) = (seals[0]["fingerprint"].as_str().unwrap(), seals[0]["until"].clone());
    let withdraw = ["provider", "set", "hs77.kep.tr", "--withdraw-seal", first];
    assert_eq!(scene.kep(&withdraw).await.code, Some(0));
    let shown = scene.json(&["provider", "show", "hs77.kep.tr"]).await;
    assert!(shown["seals"][0]["until"].as_str() < until.as_str(), "{shown}");
    assert_eq!(shown["seals"][1], seals[1]);
    // What is wrong is said before anything is changed.
    let (zeros, pin) = ("00".repeat(32), "0f".repeat(32));
    for (arguments, code) in [
        (&["set", "hs77.kep.tr", "--withdraw-seal", &zeros][..], 66),
        (&["set", "hs77.kep.tr", "--tls-pin", "0f0f"], 65),
        (&["set", "hs77.kep.tr", "--size-limit", "viel"], 64),
        (&["set", "hs77.kep.tr", "--host", "a b"], 65),
        (&["set", "hs78.kep.tr", "--name", "x"], 66),
        (&["add", "hs78.kep.tr", "--name", "x", "--host", "x"], 64),
        (&["add", "hs05.kep.tr", "--name", "x", "--host", "x", "--tls-pin", &pin], 65),
        (&["add", "a.hs78.kep.tr", "--name", "x", "--host", "x", "--tls-pin", &pin], 65),
        (&["suspend", "hs78.kep.tr"], 66),
    ] {
        let ran = scene.kep(&[&["provider"][..], arguments].concat()).await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
    }
    server.stop().await;
}

/// Under the names of docs/operations.md.
async fn figures_tell(scene: &Scene) {
    let page = format!("http://127.0.0.1:{}/metrics", scene.port(6));
    until("the figures", async || {
        let text = reqwest::get(&page).await.unwrap().text().await.unwrap();
        let tells = |line: &str| text.lines().any(|found| found == line);
        (tells("kep_relay_waiting{provider=\"hs77.kep.tr\"} 1")
            && tells("kep_relay_held{provider=\"hs77.kep.tr\"} 0")
            && tells("kep_relay_server_down{provider=\"hs77.kep.tr\"} 1")
            && text.contains("kep_relay_server_failures_total{provider=\"hs77.kep.tr\"}")
            && text.contains("kep_relay_oldest_seconds{"))
        .then_some(())
    })
    .await;
}

async fn mailbox(scene: &Scene, name: &str) -> Imap {
    let mut imap = scene.doors().imap(scene.account(ALI)).await.unwrap();
    imap.select(name).await.unwrap();
    imap
}

async fn keywords(scene: &Scene) -> Vec<String> {
    let fetched = mailbox(scene, "Giden Kutusu").await.fetch("1:*", "(FLAGS)").await.unwrap();
    let words = fetched[0].flags.iter().filter(|word| word.starts_with("$Kep"));
    words.cloned().collect()
}
