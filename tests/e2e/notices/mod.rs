//! People are told outside KEP: by an SMSC on npm's `smpp`, by an HTTP gateway and by a smarthost on
//! aiosmtpd, each a process of its own.

mod recovery;
mod station;
mod wiring;

use crate::scene::{ALI, AYSE, Plan, Scene, until};
use crate::tool::{python_with, tool};
use serde_json::Value;
use station::{Station, modules};
use std::path::PathBuf;

const PHONE: &str = "+905321234567";

/// node with the package, or `None` where it may be absent.
fn node() -> Option<PathBuf> {
    let node = tool("node")?;
    let there = modules().join("smpp").is_dir();
    assert!(there || std::env::var_os("KEP_LANES").is_none(), "npm's smpp is not in target/node");
    if !there {
        println!("skipped: npm's smpp is not installed");
    }
    there.then_some(node)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A provider that sends SMS to this port.
async fn over_smpp(port: u16, more: &[(&str, &str, &str)]) -> Scene {
    let scene = Scene::new(Plan::default()).await;
    std::fs::write(scene.provider().join("secrets/smpp.password"), "gizli\n").unwrap();
    let server = format!("\"127.0.0.1:{port}\"");
    let settings = [
        ("notify", "sms", "\"smpp\""),
        ("notify.smpp", "server", server.as_str()),
        ("notify.smpp", "line", "\"clear\""),
        ("notify.smpp", "system_id", "\"kep\""),
        ("notify.smpp", "password_file", "\"secrets/smpp.password\""),
        ("notify.smpp", "enquire", "\"1s\""),
    ];
    for (section, key, value) in settings.iter().chain(more) {
        scene.set(section, key, value);
    }
    scene
}

async fn smsc(node: &std::path::Path, port: u16) -> Station {
    Station::start(node, "smsc.js", &[&port.to_string(), "gizli"]).await
}

async fn told(scene: &Scene, account: &str, place: &str, events: &str) {
    let add = ["account", "notice", "add", account, place, "--events", events];
    let ran = scene.kep(&add).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

async fn verify(scene: &Scene, account: &str, place: &str, code: &str) -> Option<i32> {
    scene.kep(&["account", "notice", "verify", account, place, code]).await.code
}

/// The six digits of a text.
fn code(text: &str) -> String {
    let digits = text.rsplit(|c: char| !c.is_ascii_digit());
    digits.into_iter().find(|run| run.len() == 6).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// Adds a phone, and gives the code back that comes to it.
async fn proven(scene: &Scene, station: &Station, account: &str, place: &str, events: &str) {
    let before = station.seen("submit").len();
    told(scene, account, place, events).await;
    let seen = station.wait("submit", before + 1).await;
    let code = code(seen[before]["text"].as_str().unwrap());
    assert_eq!(verify(scene, account, place, &code).await, Some(0));
}

async fn notices(scene: &Scene, kind: &str) -> Vec<Value> {
    let list = scene.json(&["notice", "list"]).await;
    list.as_array().unwrap().iter().filter(|row| row["kind"] == kind).cloned().collect()
}

async fn settled(scene: &Scene, kind: &str, state: &str) -> Value {
    until(&format!("{kind} is {state}"), async || {
        notices(scene, kind).await.into_iter().find(|row| row["state"] == state)
    })
    .await
}

async fn mail(scene: &Scene, name: &str) -> String {
    let letter = scene.letter(ALI, &[AYSE], &format!("{name}@istemci.example"));
    scene.accepted(ALI, &[AYSE], &letter).await
}

fn taken(station: &Station) -> Vec<Value> {
    station.seen("submit").into_iter().filter(|line| line["answer"] == "taken").collect()
}

/// From the code that proves a phone to the receipt that its notice is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_proven_told_of_mail_and_its_receipt_is_kept() {
    let Some(node) = node() else { return };
    let port = free_port();
    let mut smsc = smsc(&node, port).await;
    let scene = over_smpp(port, &[]).await;
    let server = scene.serve().await;
    assert_eq!(smsc.wait("bind", 1).await[0]["system"], "kep");
    told(&scene, AYSE, "0532 123 45 67", "mail").await;
    let asked = smsc.wait("submit", 1).await.remove(0);
    assert_eq!((&asked["to"], &asked["from"]), (&"905321234567".into(), &"KEP".into()));
    assert_eq!((&asked["ton"], &asked["registered"]), (&5.into(), &1.into()));
    // Nothing is told before it is proven, and only the right code proves it.
    mail(&scene, "once").await;
    let right = code(asked["text"].as_str().unwrap());
    let wrong = if right == "000000" { "000001" } else { "000000" };
    assert_eq!(verify(&scene, AYSE, PHONE, wrong).await, Some(65));
    assert_eq!(verify(&scene, ALI, PHONE, &right).await, Some(66), "another's account");
    assert_eq!(verify(&scene, AYSE, PHONE, &right).await, Some(0));
    assert_eq!(verify(&scene, AYSE, PHONE, &right).await, Some(65), "it serves once");
    mail(&scene, "sonra").await;
    let text = smsc.wait("submit", 2).await.remove(1);
    let (said, coding) = (text["text"].as_str().unwrap(), &text["coding"]);
    assert!(said.starts_with(&format!("{AYSE} hesabınıza {ALI} adresinden")), "{said}");
    assert!(!said.contains("Sözleşme") && !said.contains("ihtar"), "{said}");
    assert_eq!(*coding, 8, "Turkish letters are wide");
    let sent = settled(&scene, "mail", "sent").await;
    let id = sent["id"].to_string();
    smsc.say("receipt DELIVRD").await;
    assert_eq!(smsc.wait("receipt", 1).await[0]["status"], 0);
    until("its receipt is kept", async || {
        let shown = scene.json(&["notice", "show", &id]).await;
        let parts = shown["parts"].as_array().unwrap().clone();
        (!parts.is_empty() && parts.iter().all(|part| part["receipt"] == "delivered")).then_some(())
    })
    .await;
    assert_eq!(
        notices(&scene, "mail").await.len(),
        1,
        "what came before it was proven is not told"
    );
    smsc.wait("enquire", 1).await;
    server.stop().await;
    smsc.wait("unbind", 1).await;
}

/// Over TLS, as an operator's SMSC is reached over the net: by a name that its certificate bears, of an
/// authority that is believed; and by nothing less.
#[tokio::test(flavor = "multi_thread")]
async fn an_smsc_is_spoken_to_over_tls_when_it_is_the_one() {
    let Some(node) = node() else { return };
    let port = free_port();
    let at = format!("\"localhost:{port}\"");
    let over_tls = |authorities: &'static str| {
        [
            ("notify.smpp", "server", at.clone()),
            ("notify.smpp", "line", "\"tls\"".to_owned()),
            ("notify", "authorities", format!("\"{authorities}\"")),
        ]
    };
    let scene = over_smpp(port, &[]).await;
    let set = |authorities| {
        for (section, key, value) in over_tls(authorities) {
            scene.set(section, key, &value);
        }
    };
    let [certificate, key] =
        ["tls.pem", "tls.key"].map(|name| scene.provider().join("secrets").join(name));
    let password = ["gizli", certificate.to_str().unwrap(), key.to_str().unwrap()];
    let port = port.to_string();
    let arguments = [&[port.as_str()], &password[..]].concat();
    let smsc = Station::start(&node, "smsc.js", &arguments).await;
    // Of an authority that is not believed: nothing is said to it, the password last of all.
    set("trust/user-ca.pem");
    let server = scene.serve().await;
    told(&scene, AYSE, PHONE, "mail").await;
    let waits = until("it is put off", async || {
        notices(&scene, "verify").await.into_iter().find(|row| row["trouble"] != "")
    })
    .await;
    assert_eq!(waits["state"], "waiting", "{waits}");
    assert_eq!((smsc.seen("bind").len(), smsc.seen("submit").len()), (0, 0));
    server.stop().await;
    set("trust/tls-ca.pem");
    let server = scene.serve().await;
    let bound = smsc.wait("bind", 1).await.remove(0);
    assert_eq!((&bound["tls"], &bound["good"]), (&true.into(), &true.into()), "{bound}");
    let text = smsc.wait("submit", 1).await.remove(0);
    let code = code(text["text"].as_str().unwrap());
    assert_eq!(verify(&scene, AYSE, PHONE, &code).await, Some(0));
    mail(&scene, "ustu.kapali").await;
    settled(&scene, "mail", "sent").await;
    assert!(taken(&smsc).len() >= 2);
    server.stop().await;
    smsc.wait("unbind", 1).await;
}

/// Long texts arrive whole in each way there is for Turkish letters.
#[tokio::test(flavor = "multi_thread")]
async fn turkish_texts_arrive_whole_by_shift_table_and_by_payload() {
    let Some(node) = node() else { return };
    for (turkish, long) in [("shift", "parts"), ("ucs2", "payload"), ("plain", "parts")] {
        let port = free_port();
        let smsc = smsc(&node, port).await;
        let (turkish_set, long_set) = (format!("\"{turkish}\""), format!("\"{long}\""));
        let more = [("notify", "sms_turkish", &*turkish_set), ("notify", "sms_long", &*long_set)];
        let scene = over_smpp(port, &more).await;
        let server = scene.serve().await;
        proven(&scene, &smsc, AYSE, PHONE, "mail").await;
        mail(&scene, turkish).await;
        settled(&scene, "mail", "sent").await;
        let parts = smsc.seen("submit").split_off(1);
        let text: String = parts.iter().map(|part| part["text"].as_str().unwrap()).collect();
        let expected = format!("{AYSE} hesabınıza {ALI} adresinden KEP iletisi geldi (");
        match turkish {
            "plain" => assert!(text.starts_with(&expected.replace('ı', "i")), "{text}"),
            _ => assert!(text.starts_with(&expected) && text.ends_with(")."), "{text}"),
        }
        assert_eq!(parts.iter().any(|part| part["payload"] == true), long == "payload");
        let coding = if turkish == "ucs2" { 8 } else { 0 };
        assert!(parts.iter().all(|part| part["coding"] == coding), "{parts:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_throttled_is_sent_again_and_what_is_refused_is_not() {
    let Some(node) = node() else { return };
    let port = free_port();
    let mut smsc = smsc(&node, port).await;
    let scene = over_smpp(port, &[]).await;
    let server = scene.serve().await;
    proven(&scene, &smsc, AYSE, PHONE, "mail").await;
    smsc.say("throttle 2").await;
    mail(&scene, "bogulan").await;
    settled(&scene, "mail", "sent").await;
    let throttled = smsc.seen("submit").iter().filter(|one| one["answer"] == "throttled").count();
    assert_eq!(throttled, 2);
    smsc.say("refuse 1").await;
    told(&scene, ALI, "+905329999999", "mail").await;
    let failed = settled(&scene, "verify", "failed").await;
    assert!(failed["trouble"].as_str().unwrap().contains("ESME_RINVDSTADR"), "{failed}");
    let id = failed["id"].to_string();
    let retried = scene.kep(&["notice", "retry", &id]).await;
    assert_eq!(retried.code, Some(65), "a code is not kept: {}", retried.err);
    let listed = scene.kep(&["notice", "list"]).await.out;
    assert!(!listed.contains("kodu"), "what is said is not shown: {listed}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_smsc_that_was_away_gets_each_notice_once() {
    let Some(node) = node() else { return };
    let port = free_port();
    let first = smsc(&node, port).await;
    let scene = over_smpp(port, &[]).await;
    let server = scene.serve().await;
    proven(&scene, &first, AYSE, PHONE, "mail").await;
    first.kill().await;
    mail(&scene, "bir").await;
    mail(&scene, "iki").await;
    let waits = until("it is put off", async || {
        notices(&scene, "mail").await.into_iter().find(|row| row["trouble"] != "")
    })
    .await;
    assert_eq!(waits["state"], "waiting", "{waits}");
    let second = smsc(&node, port).await;
    second.wait("bind", 1).await;
    for row in notices(&scene, "mail").await {
        if row["state"] == "waiting" {
            scene.kep(&["notice", "retry", &row["id"].to_string()]).await;
        }
    }
    until("all are told of", async || {
        let rows = notices(&scene, "mail").await;
        let told = |row: &Value| row["state"] == "sent" || row["state"] == "joined";
        (rows.len() == 2 && rows.iter().all(told)).then_some(())
    })
    .await;
    let sent: u64 =
        notices(&scene, "mail").await.iter().filter(|row| row["state"] == "sent").count() as u64;
    let parts = taken(&second);
    let begun = parts.iter().filter(|one| one["text"].as_str().unwrap().starts_with(AYSE)).count();
    assert_eq!(begun as u64, sent, "{parts:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_over_http_is_asked_until_it_says_that_it_was_taken() {
    let Some(python) = tool("python3") else { return };
    let port = free_port();
    let mut gateway = Station::start(&python, "gateway.py", &[&port.to_string()]).await;
    let scene = Scene::new(Plan::default()).await;
    std::fs::write(scene.provider().join("secrets/sms.header"), "anahtar\n").unwrap();
    let url = format!("\"http://127.0.0.1:{port}/send\"");
    for (section, key, value) in [
        ("notify", "sms", "\"http\""),
        ("notify.http", "url", &*url),
        ("notify.http", "body", r#"'{"to":"{to}","text":"{text}","ref":"{id}"}'"#),
        ("notify.http", "form", "\"json\""),
        ("notify.http", "header", "\"x-key\""),
        ("notify.http", "secret_file", "\"secrets/sms.header\""),
        ("notify.http", "success", r#"'"status":"ok"'"#),
        ("notify.http", "refused", "\"invalid_number\""),
        ("notify.http", "reference", "\"/data/id\""),
    ] {
        scene.set(section, key, value);
    }
    let server = scene.serve().await;
    // Whoever waits at a screen is told within seconds of what was wrong for a moment.
    for (nth, trouble) in ["busy", "sly", "away"].into_iter().enumerate() {
        gateway.say(&format!("{trouble} 1")).await;
        let phone = format!("+90532000000{nth}");
        told(&scene, AYSE, &phone, "mail").await;
        let asked = gateway.wait("post", 2 * nth + 2).await;
        let (wrong, right) = (&asked[2 * nth], &asked[2 * nth + 1]);
        assert_eq!((&wrong["answer"], &right["answer"]), (&trouble.into(), &"taken".into()));
        assert_eq!(wrong["body"], right["body"], "the same under the same name");
        assert_eq!(right["key"], "anahtar");
        let code = code(right["body"]["text"].as_str().unwrap());
        assert_eq!(verify(&scene, AYSE, &phone, &code).await, Some(0));
    }
    gateway.say("refuse 1").await;
    told(&scene, AYSE, "+905320000009", "mail").await;
    settled(&scene, "verify", "failed").await;
    let id = notices(&scene, "verify").await[1]["id"].to_string();
    let shown = scene.json(&["notice", "show", &id]).await;
    assert_eq!(shown["parts"][0]["reference"], "http-1", "{shown}");
    let log = server.log();
    assert!(!log.contains("anahtar") && !log.contains("kodu"), "{log}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smarthost_takes_notices_over_tls_with_a_login() {
    let Some(python) = python_with("aiosmtpd") else { return };
    let port = free_port();
    let scene = Scene::new(Plan::default()).await;
    let [certificate, key] =
        ["tls.pem", "tls.key"].map(|name| scene.provider().join("secrets").join(name));
    let arguments = [&port.to_string(), certificate.to_str().unwrap(), key.to_str().unwrap()];
    let mut host = Station::start(&python, "smarthost.py", &arguments).await;
    std::fs::write(scene.provider().join("secrets/smtp.password"), "geçit\n").unwrap();
    let server_at = format!("\"localhost:{port}\"");
    for (section, key, value) in [
        ("notify", "authorities", "\"trust/tls-ca.pem\""),
        ("notify.mail", "server", &*server_at),
        ("notify.mail", "user", "\"kep\""),
        ("notify.mail", "password_file", "\"secrets/smtp.password\""),
        ("notify.mail", "from", "\"bildirim@example.com\""),
    ] {
        scene.set(section, key, value);
    }
    let server = scene.serve().await;
    host.say("busy 1").await;
    told(&scene, AYSE, "ayse@example.org", "mail,evidence").await;
    let proof = host.wait("mail", 1).await.remove(0);
    assert_eq!(host.seen("busy").len(), 1, "it came again");
    assert_eq!(proof["sender"], "bildirim@example.com");
    assert_eq!(host.seen("login")[0]["good"], true);
    let given = code(proof["text"].as_str().unwrap().lines().next().unwrap());
    assert_eq!(verify(&scene, AYSE, "ayse@example.org", &given).await, Some(0));
    let set = ["account", "notice", "set", AYSE, "ayse@example.org", "--language", "en"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
    mail(&scene, "posta").await;
    let told = host.wait("mail", 2).await.remove(1);
    assert_eq!(told["subject"], "New registered message");
    assert_eq!((&told["tls"], &told["auto"]), (&true.into(), &"auto-generated".into()));
    let text = told["text"].as_str().unwrap();
    assert!(text.contains(&format!("A registered message from {ALI}")), "{text}");
    assert!(!text.contains("Sözleşme"), "{text}");
    host.say("refuse 1").await;
    let add = ["account", "notice", "add", ALI, "yok@example.org"];
    assert_eq!(scene.kep(&add).await.code, Some(0));
    let failed = settled(&scene, "verify", "failed").await;
    assert!(failed["trouble"].as_str().unwrap().contains("550"), "{failed}");
    server.stop().await;
}

/// Each with its hint, and nothing of it changes anything.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_line_can_not_do_it_says() {
    let scene = Scene::new(Plan::default()).await;
    let on = |act: &'static str| ["account", "notice", act, AYSE];
    for (act, more, code) in [
        ("add", &["ali"][..], 65),
        ("add", &["02121234567"], 65),
        ("add", &["ayse@hs05.kep.tr"], 65),
        ("add", &[PHONE, "--events", "mail,rüya"], 64),
        ("add", &[PHONE, "--quiet", "gece"], 64),
        ("add", &[PHONE, "--deputy", "Ali Veli"], 64),
        ("add", &[PHONE, "--from", "2026-12-01", "--until", "2026-12-02"], 64),
        ("add", &[PHONE, "--deputy", "A", "--from", "2026-12-03", "--until", "2026-12-01"], 65),
        ("add", &[PHONE, "--deputy", "A", "--from", "yarın", "--until", "2026-12-01"], 64),
        ("set", &[PHONE, "--events", "mail"], 66),
        ("verify", &[PHONE, "123456"], 66),
        ("remove", &[PHONE], 66),
    ] {
        let ran = scene.kep(&[&on(act)[..], more].concat()).await;
        assert_eq!(ran.code, Some(code), "{act} {more:?}: {}", ran.err);
        let hinted = ran.err.contains("hint:") || code == 64;
        assert!(hinted, "{act} {more:?}: {}", ran.err);
    }
    for arguments in [&["show", "1"][..], &["retry", "1"], &["list", "--state", "x"]] {
        let ran = scene.kep(&[&["notice"], arguments].concat()).await;
        assert!(matches!(ran.code, Some(64 | 66)) && ran.err.contains("hint:"), "{}", ran.err);
    }
    let none = scene.json(&["account", "notice", "list", AYSE]).await;
    assert_eq!(none, serde_json::json!([]));
    let wishes = ["--deputy", "Ali Veli", "--from", "2026-12-01", "--until", "2026-12-10"];
    let more = ["--quiet", "22:00-08:00", "--language", "en", "--events", "mail,unread"];
    let add = [&on("add")[..], &["ali@example.org"], &wishes, &more].concat();
    assert_eq!(scene.kep(&add).await.code, Some(0));
    let again = scene.kep(&add).await;
    assert_eq!(again.code, Some(65), "{}", again.err);
    let set = [&on("set")[..], &["ali@example.org", "--quiet", "none"]].concat();
    assert_eq!(scene.kep(&set).await.code, Some(0));
    let shown = scene.json(&["account", "notice", "list", AYSE]).await;
    let expected = serde_json::json!([{
        "place": "ali@example.org", "channel": "mail", "events": ["mail", "unread"],
        "language": "en", "quiet": null, "deputy": "Ali Veli",
        "from": "2026-11-30T21:00:00.000Z", "until": "2026-12-10T21:00:00.000Z", "verified": null,
    }]);
    assert_eq!(shown, expected);
    let waiting = scene.json(&["notice", "list", "--state", "waiting", "--account", AYSE]).await;
    assert_eq!((&waiting[0]["kind"], &waiting[0]["attempts"]), (&"verify".into(), &0.into()));
    assert_eq!(scene.kep(&[&on("remove")[..], &["ali@example.org"]].concat()).await.code, Some(0));
    let gone = scene.json(&["notice", "list", "--state", "withdrawn"]).await;
    assert_eq!(gone.as_array().unwrap().len(), 1);
}
