//! The JSON API as programs meet it: over TLS, with tokens, and by schemathesis, which makes up requests
//! from the document and believes nothing.

use crate::scene::{ALI, AYSE, Plan, Running, Scene};
use crate::tool::{python_with, run_within, tool};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Passkeys have a site, telephones and mailboxes are reached, certificates are asked for, and whoever is
/// wrong is answered at once.
fn people_may_log_in(scene: &Scene, [sms, mail]: [u16; 2]) {
    let url = format!("\"http://127.0.0.1:{sms}/send\"");
    let server = format!("\"127.0.0.1:{mail}\"");
    for (section, key, value) in [
        ("opening", "portal_url", "\"https://kep.example/\""),
        ("portal", "client_certificates", "\"ask\""),
        ("accept", "auth_failure_delay", "\"0ms\""),
        ("notify", "sms", "\"http\""),
        ("notify.http", "url", &url),
        ("notify.http", "body", r#"'{"to":"{to}","text":"{text}"}'"#),
        ("notify.http", "form", "\"json\""),
        ("notify.http", "success", "\"ok\""),
        ("notify.mail", "server", &server),
        ("notify.mail", "line", "\"clear\""),
        ("notify.mail", "from", "\"bildirim@example.com\""),
    ] {
        scene.set(section, key, value);
    }
}

/// Two persons with what they sign with; guessing is borne, and what was shown is believed for long.
async fn people(scene: &Scene, openssl: &Path, [sms, mail]: [u16; 2]) -> Value {
    let policies = [
        ("login.tries", "1000000"),
        ("session.step-up", "24h"),
        ("session.idle", "24h"),
        ("task.contract", "60d"),
        ("directory.queries-per-hour", "1000000"),
        ("directory.results-per-day", "1000000"),
    ];
    for (policy, value) in policies {
        let set = ["policy", "set", policy, value, "--reason", "deneme"];
        let ran = scene.kep(&set).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
    let person = |address: &str| {
        let password = scene.account(address).password.clone();
        let file = scene.provider().join("users").join(format!("{address}.p12"));
        let (file, from) = (file.to_str().unwrap(), format!("pass:{password}"));
        let part = |what: &str| {
            let out = scene.scratch(&format!("{address}.{what}")).to_str().unwrap().to_owned();
            let more: &[&str] =
                if what == "key" { &["-nocerts", "-nodes"] } else { &["-clcerts", "-nokeys"] };
            let begin = ["pkcs12", "-in", file, "-passin", &from, "-out", &out];
            let (good, said) =
                run_within(Duration::from_secs(60), openssl, &[&begin[..], more].concat());
            assert!(good, "{}", String::from_utf8_lossy(&said));
            // Without the words that stand before it.
            let text = std::fs::read_to_string(&out).unwrap();
            let begin = text.find("-----BEGIN").unwrap();
            std::fs::write(&out, &text[begin..]).unwrap();
            out
        };
        let (certificate, key) = (part("pem"), part("key"));
        serde_json::json!({
            "address": address, "password": password, "certificate": certificate, "key": key,
        })
    };
    let (own, other) = (person(ALI), person(AYSE));
    // The other's certificate signs for two accounts.
    let register = ["account", "certificate", "mehmet.demir@hs05.kep.tr"];
    let register =
        [&register[..], &[other["certificate"].as_str().unwrap(), "--use", "sign"]].concat();
    let ran = scene.kep(&register).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let (kep, conf) = (env!("CARGO_BIN_EXE_kep"), scene.conf());
    serde_json::json!({
        "kep": kep, "conf": conf, "own": own, "other": other, "sms": sms, "mail": mail,
        "by": ["--as", "selin", "--staff-password-file", scene.scratch("staff.password")],
    })
}

/// A provider with some mail in both directions, and its server.
async fn lively() -> (Scene, Running) {
    lively_with(|_| ()).await
}

async fn lively_with(more: impl Fn(&Scene)) -> (Scene, Running) {
    let scene = Scene::new(Plan::default()).await;
    more(&scene);
    scene.set("portal", "requests_per_minute", "1000000");
    scene.set("portal", "max_connections_per_address", "2000");
    let server = scene.serve().await;
    for (n, (from, to)) in [(ALI, AYSE), (AYSE, ALI)].into_iter().cycle().take(8).enumerate() {
        let mail = scene.letter(from, &[to], &format!("{n}@api.example"));
        let id = scene.accepted(from, &[to], &mail).await;
        scene.settled(&id, 2).await;
    }
    (scene, server)
}

async fn token(scene: &Scene, name: &str, scope: &str) -> String {
    let made =
        scene.json(&["account", "token", "add", ALI, "--name", name, "--scope", scope]).await;
    made["token"].as_str().unwrap().to_owned()
}

/// What schemathesis starts from: signed mails, tokens that may be revoked.
async fn seed(scene: &Scene) -> PathBuf {
    let folder = scene.scratch("seed");
    std::fs::create_dir_all(&folder).unwrap();
    for n in 0..8 {
        let mail = scene.letter(ALI, &[AYSE], &format!("seed-{n}@api.example"));
        std::fs::write(folder.join(format!("{n}.eml")), mail).unwrap();
    }
    let mut spare = Vec::new();
    for n in 0..12 {
        let token = token(scene, &format!("spare {n}"), "verify").await;
        spare.push(token[..5].to_owned());
    }
    std::fs::write(folder.join("spare.txt"), spare.join("\n")).unwrap();
    std::fs::write(folder.join("staff.txt"), staff(scene).await).unwrap();
    for (file, name) in [("second.txt", "can"), ("third.txt", "ece")] {
        std::fs::write(folder.join(file), another(scene, name).await).unwrap();
    }
    folder
}

/// A token of a member of staff who may do everything.
async fn staff(scene: &Scene) -> String {
    let password = scene.scratch("staff.password");
    std::fs::write(&password, "uzun ve kimsenin bilmediği\n").unwrap();
    let (password, roles) =
        (password.to_str().unwrap(), "manager,auditor,registrar,approver,accountant");
    let add = ["staff", "add", "selin", "--display", "Selin Ay", "--role", roles];
    let ran = scene.kep(&[&add[..], &["--password-file", password]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // Accounts are opened and reopened there by one of the staff.
    let decide = ["policy", "set", "account.direct", "yes", "--reason", "deneme"];
    let by = ["--as", "selin", "--staff-password-file", password];
    let ran = scene.kep(&[&decide[..], &by].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    staff_token(scene, "selin").await
}

/// A token of another one, for what two or three of them do.
async fn another(scene: &Scene, name: &str) -> String {
    let password = scene.scratch("staff.password");
    let (password, roles) = (password.to_str().unwrap(), "registrar,approver,accountant");
    let add = ["staff", "add", name, "--display", "Can Ak", "--role", roles];
    let given = scene.given_password();
    let by = ["--as", "selin", "--staff-password-file", password, "--password-file", &given];
    let ran = scene.kep(&[&add[..], &by].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    scene.sets_own_password(name, password).await;
    staff_token(scene, name).await
}

/// Made by himself.
async fn staff_token(scene: &Scene, name: &str) -> String {
    let password = scene.scratch("staff.password");
    let made = ["account", "token", "add", "--staff", name, "--name", "idare", "--scope", "all"];
    let by = ["--as", name, "--staff-password-file", password.to_str().unwrap()];
    let made = scene.json(&[&made[..], &by].concat()).await;
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_and_reaches_each_operation() {
    let Some(python) = python_with("schemathesis") else { return };
    let Some(python) = python_with("aiosmtpd").and(Some(python)) else { return };
    let Some(openssl) = tool("openssl") else { return };
    let ports = [free_port(), free_port()];
    let (scene, server) = lively_with(|scene| people_may_log_in(scene, ports)).await;
    let people = people(&scene, &openssl, ports).await;
    // Once there is staff, a token asks for one of them.
    let (token, seed) = (token(&scene, "schemathesis", "all").await, seed(&scene).await);
    let api = format!("https://localhost:{}/api/v1", scene.port(5));
    let cases = if std::env::var_os("KEP_LONG").is_some() { "200" } else { "20" };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/schemathesis/run.py");
    let authority = scene.provider().join("trust/tls-ca.pem");
    let arguments =
        ["-B", script, &api, authority.to_str().unwrap(), seed.to_str().unwrap(), &token, cases];
    let env = Path::new("/usr/bin/env");
    let people = format!("KEP_PEOPLE={people}");
    let arguments = [&[people.as_str(), python.to_str().unwrap()], &arguments[..]].concat();
    let (good, said) = run_within(Duration::from_mins(40), env, &arguments);
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(good, "{said}\n{}", server.log());
    reached(&seed, &api_document(&scene).await, cases);
    server.stop().await;
}

async fn api_document(scene: &Scene) -> Value {
    let ran = scene.tell(&["api", "openapi"]).await;
    serde_json::from_str(&ran.out).unwrap()
}

fn reached(seed: &Path, document: &Value, cases: &str) {
    let counted = std::fs::read(seed.join("reached.json")).unwrap();
    let counted: Value = serde_json::from_slice(&counted).unwrap();
    let count = |what: &str, id: &str| counted[what][id].as_u64().unwrap_or_default();
    let mut lost = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            // The document itself is what it begins with.
            if id == "showDocument" {
                continue;
            }
            // What takes nothing has one case.
            let takes = operation.get("parameters").or(operation.get("requestBody")).is_some();
            let few = count("asked", id) < cases.parse().unwrap() && takes;
            if count("reached", id) == 0 || few {
                let (asked, reached) = (count("asked", id), count("reached", id));
                lost.push(format!("{method} {path} ({id}): {reached} of {asked}"));
            }
        }
    }
    assert!(lost.is_empty(), "not reached:\n{}", lost.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_mail_goes_in_and_comes_out_over_the_api() {
    let Some(curl) = tool("curl") else { return };
    let (scene, server) = lively().await;
    let token = token(&scene, "curl", "all").await;
    let api = format!("https://localhost:{}/api/v1", scene.port(5));
    let authority = scene.provider().join("trust/tls-ca.pem");
    let ask = |more: &[&str], path: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        let (authority, url) = (authority.to_str().unwrap(), format!("{api}{path}"));
        let begin = ["-sS", "--cacert", authority, "-H", &bearer];
        let arguments = [&begin[..], more, &[&url]].concat();
        let (good, said) = run_within(Duration::from_secs(60), &curl, &arguments);
        assert!(good, "{path}: {}", String::from_utf8_lossy(&said));
        said
    };
    let json = |octets: Vec<u8>| -> Value { serde_json::from_slice(&octets).unwrap() };
    let mail = scene.letter(ALI, &[AYSE], "curl@api.example");
    let file = scene.scratch("mail.eml");
    std::fs::write(&file, &mail).unwrap();
    let data = format!("@{}", file.display());
    let post = ["--data-binary", &data, "-H", "Content-Type: message/rfc822"];
    let taken = json(ask(&post, "/submissions"));
    let again = json(ask(&post, "/submissions"));
    let id = taken["message_id"].as_str().unwrap_or_else(|| panic!("{taken}")).to_owned();
    assert_eq!((&again["message_id"], &again["again"]), (&taken["message_id"], &Value::Bool(true)));
    scene.settled(&id, 2).await;
    let line = json(ask(&[], &format!("/submissions/{id}/timeline")));
    assert_eq!(line["events"].as_array().unwrap().len(), 2, "{line}");
    // What came is opened, and is what was sent, octet for octet.
    let inbox = json(ask(&[], "/messages?mailbox=inbox"));
    let key = inbox["messages"][0]["key"].as_str().unwrap().to_owned();
    assert_eq!(inbox["messages"][0]["kind"], "unopened", "{inbox}");
    let closed = json(ask(&[], &format!("/messages/{key}/original")));
    assert_eq!(closed["code"], "message-unopened");
    let opened = json(ask(&["-X", "POST"], &format!("/messages/{key}/open")));
    let key = opened["key"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
    let original = ask(&[], &format!("/messages/{key}/original"));
    assert!(original.windows(9).any(|octets| octets == b"multipart"));
    let came = opened["message_id"].as_str().unwrap();
    let shown = scene.json(&["message", "show", came]).await;
    assert_eq!(shown["message"]["size"].as_u64().unwrap(), original.len() as u64);
    assert_eq!(shown["recipients"][0]["state"], "read");
    scene.settled(came, 3).await;
    // Evidence is found, downloaded, and proven.
    let found = json(ask(&[], &format!("/evidence?message={came}")));
    assert_eq!(found["evidence"].as_array().unwrap().len(), 3, "{found}");
    let evidence = found["evidence"][0]["id"].as_str().unwrap().to_owned();
    let document = scene.scratch("evidence.xml");
    std::fs::write(&document, ask(&[], &format!("/evidence/{evidence}/document"))).unwrap();
    let data = format!("@{}", document.display());
    let post = ["--data-binary", &data, "-H", "Content-Type: application/octet-stream"];
    let judged = json(ask(&post, "/verify"));
    assert_eq!(judged["verdict"], "valid", "{judged}");
    let archive = scene.scratch("evidence.zip");
    std::fs::write(&archive, ask(&[], &format!("/evidence-archives/{id}"))).unwrap();
    proves(&scene, &archive).await;
    let log = server.log();
    assert!(!log.contains(&token) && !log.contains(&token[6..]), "a token stands in the log");
    server.stop().await;
}

/// Unpacked by others, its dispatch verifies, and each time stamp is one.
async fn proves(scene: &Scene, archive: &Path) {
    let (Some(unzip), Some(openssl)) = (tool("unzip"), tool("openssl")) else { return };
    let folder = scene.scratch("evidence.d");
    let into = ["-q", archive.to_str().unwrap(), "-d", folder.to_str().unwrap()];
    let (good, said) = run_within(Duration::from_secs(60), &unzip, &into);
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let dispatch = folder.join("gonderi.eml");
    let trust = scene.provider().join("trust");
    let verify = ["verify", "--trust", trust.to_str().unwrap(), dispatch.to_str().unwrap()];
    let verified = scene.kep(&verify).await;
    assert_eq!(verified.code, Some(0), "{} {}", verified.out, verified.err);
    let stamps: Vec<_> =
        std::fs::read_dir(folder.join("zaman-damgalari")).unwrap().flatten().collect();
    let stamps: Vec<_> =
        stamps.iter().flat_map(|one| std::fs::read_dir(one.path()).unwrap().flatten()).collect();
    assert!(!stamps.is_empty());
    for stamp in stamps {
        let path = stamp.path();
        let shown = ["ts", "-reply", "-token_in", "-in", path.to_str().unwrap(), "-text"];
        let (good, said) = run_within(Duration::from_secs(60), &openssl, &shown);
        assert!(good && String::from_utf8_lossy(&said).contains("Hash Algorithm: sha256"));
    }
}
