//! A forgotten password, from the first request to the new one: over the API by curl, the link through a
//! smarthost on aiosmtpd, the code through an SMSC on npm's `smpp`.

use super::station::Station;
use super::{PHONE, code, free_port, node, notices, over_smpp, settled, smsc, told, verify};
use crate::scene::{AYSE, Scene, until};
use crate::tool::{python_with, run_within, tool};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const MAILBOX: &str = "ayse@example.org";
const NEW: &str = "gizli bir söz daha";

struct Api<'a> {
    curl: &'a Path,
    base: String,
    authority: String,
}

impl Api<'_> {
    /// Status and answer.
    fn ask(&self, method: &str, path: &str, session: &str, body: Option<&Value>) -> (u16, Value) {
        let (url, bearer) =
            (format!("{}{path}", self.base), format!("Authorization: Bearer {session}"));
        let body = body.map(Value::to_string);
        let mut arguments = vec!["-sS", "--cacert", &self.authority, "-X", method];
        arguments.extend(["-w", "\n%{http_code}", "-H", &bearer]);
        if let Some(body) = &body {
            arguments.extend(["-H", "Content-Type: application/json", "--data-binary", body]);
        }
        arguments.push(&url);
        let (good, said) = run_within(Duration::from_secs(60), self.curl, &arguments);
        let said = String::from_utf8(said).unwrap();
        assert!(good, "{path}: {said}");
        let (answer, status) = said.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(answer).unwrap_or(Value::Null))
    }

    fn log_in(&self, password: &str) -> (u16, Value) {
        let body = json!({ "user": AYSE, "password": password });
        self.ask("POST", "/login/password", "-", Some(&body))
    }
}

async fn smarthost(scene: &Scene, python: &Path) -> Station {
    let port = free_port();
    let [certificate, key] =
        ["tls.pem", "tls.key"].map(|name| scene.provider().join("secrets").join(name));
    let arguments = [&port.to_string(), certificate.to_str().unwrap(), key.to_str().unwrap()];
    let host = Station::start(python, "smarthost.py", &arguments).await;
    std::fs::write(scene.provider().join("secrets/smtp.password"), "geçit\n").unwrap();
    let server = format!("\"localhost:{port}\"");
    for (section, key, value) in [
        ("notify", "authorities", "\"trust/tls-ca.pem\""),
        ("notify.mail", "server", &*server),
        ("notify.mail", "user", "\"kep\""),
        ("notify.mail", "password_file", "\"secrets/smtp.password\""),
        ("notify.mail", "from", "\"bildirim@example.com\""),
    ] {
        scene.set(section, key, value);
    }
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_by_link_and_code_and_is_told() {
    let (Some(node), Some(curl)) = (node(), tool("curl")) else { return };
    let Some(python) = python_with("aiosmtpd") else { return };
    let port = free_port();
    let smsc = smsc(&node, port).await;
    let scene = over_smpp(port, &[]).await;
    let host = smarthost(&scene, &python).await;
    scene.set("accept", "auth_failure_delay", "\"0ms\"");
    let server = scene.serve().await;
    // Both places are proven first.
    told(&scene, AYSE, PHONE, "certificate").await;
    let sent = smsc.wait("submit", 1).await.remove(0);
    let proof = code(sent["text"].as_str().unwrap());
    assert_eq!(verify(&scene, AYSE, PHONE, &proof).await, Some(0));
    told(&scene, AYSE, MAILBOX, "certificate").await;
    let sent = host.wait("mail", 1).await.remove(0);
    let proof = code(sent["text"].as_str().unwrap().lines().next().unwrap());
    assert_eq!(verify(&scene, AYSE, MAILBOX, &proof).await, Some(0));

    let authority = scene.provider().join("trust/tls-ca.pem").to_str().unwrap().to_owned();
    let base = format!("https://localhost:{}/api/v1", scene.port(5));
    let api = Api { curl: &curl, base, authority };
    let old = scene.account(AYSE).password.clone();
    let (status, came) = api.log_in(&old);
    assert_eq!(status, 200, "{came}");
    let session = came["token"].as_str().unwrap().to_owned();
    assert_eq!(api.ask("GET", "/session", &session, None).0, 200);

    // Nobody of that name hears the same, and nothing is sent.
    for user in ["yok@hs05.kep.tr", AYSE] {
        let asked = api.ask("POST", "/password/forgotten", "-", Some(&json!({ "user": user })));
        assert_eq!(asked, (204, Value::Null), "{user}");
    }
    let mail = host.wait("mail", 2).await.remove(1);
    let text = mail["text"].as_str().unwrap().to_owned();
    assert_eq!((&mail["to"], &mail["subject"]), (&json!([MAILBOX]), &"KEP parola yenileme".into()));
    let token = text.lines().next().unwrap().rsplit(['#', ' ']).next().unwrap().to_owned();
    let sms = smsc.wait("submit", 2).await.remove(1);
    let right = code(sms["text"].as_str().unwrap());
    assert!(!text.contains(&right), "one half is no whole");

    let reset = |code: &str, password: &str| {
        let body = json!({ "token": token, "code": code, "password": password });
        let (status, said) = api.ask("POST", "/password/reset", "-", Some(&body));
        (status, said["code"].as_str().unwrap_or_default().to_owned())
    };
    let wrong = if right == "000000" { "000001" } else { "000000" };
    assert_eq!(reset(wrong, NEW), (403, "login-wrong".into()));
    assert_eq!(reset(&right, "galatasaray1905"), (422, "password-unfit".into()));
    assert_eq!(reset(&right, NEW), (204, String::new()));
    assert_eq!(reset(&right, NEW), (409, "login-expired".into()), "it serves once");

    // All sessions have ended, and the person is told wherever he is reached.
    assert_eq!(api.ask("GET", "/session", &session, None).0, 401);
    assert_eq!((api.log_in(&old).0, api.log_in(NEW).0), (403, 200));
    let heard = host.wait("mail", 3).await.remove(2);
    assert_eq!(heard["subject"], "Giriş bilgileriniz değişti");
    until("both places hear of it", async || {
        let rows = notices(&scene, "credentials").await;
        (rows.iter().filter(|row| row["state"] == "sent").count() == 2).then_some(())
    })
    .await;
    settled(&scene, "reset-code", "sent").await;
    let log = server.log();
    for secret in [token.as_str(), right.as_str(), NEW, session.as_str()] {
        assert!(!log.contains(secret), "a secret stands in the log");
    }
    server.stop().await;
}
