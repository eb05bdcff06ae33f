//! Logging in over the API, on both drivers: what a session may, what asks for more, and what guessing gets.

use super::api::{Api, people};
use super::bed::Bed;
use super::credentials::{ALI, ali, app};
use super::logins::{address, by};
use super::operators::{appoint, code, firm};
use super::{NOW, on_both};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use kep::portal::api::People;
use kep::portal::serve::Peer;
use kep::registry::CertificateUse;
use kep::registry::api_tokens::{self, NewToken, Scopes};
use kep::registry::audit::{self, Wanted};
use kep::registry::credentials::{Owner, certificates, passwords};
use kep::registry::operators::{self, Role};
use kep::registry::{accounts, sessions};
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::{Anchors, UserTrust};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;

pub const OWN: &str = "kendi sözü";

fn api(bed: &Bed) -> Api {
    Api::of(bed, 10_000, people(bed))
}

pub async fn log_in(api: &Api, user: &str, password: &str) -> Value {
    let body = json!({ "user": user, "password": password });
    let (status, said) = api.ask("", "POST", "/login/password", body).await;
    assert_eq!(status, 200, "{said}");
    said
}

pub fn token(said: &Value) -> String {
    said["token"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// A session in which a code on paper was shown.
pub async fn stepped_up(api: &Api, session: &str, paper: &SecretString) {
    let (_, asked) = api.ask(session, "POST", "/session/step-up", Value::Null).await;
    let shown = json!({ "backup-code": paper.expose_secret() });
    let body = json!({ "token": asked["token"], "shown": shown });
    let (status, said) = api.ask("", "POST", "/login/second", body).await;
    assert_eq!((status, said["state"].as_str()), (200, Some("stepped")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_a_caller_as_a_token_is_and_ends_when_it_is_told_to() {
    on_both(|bed| async move {
        ali(&bed).await;
        let api = api(&bed);
        let said = log_in(&api, ALI, OWN).await;
        let session = token(&said);
        let ask =
            async |method: &str, path: &str| api.ask(&session, method, path, Value::Null).await;
        let (status, who) = ask("GET", "/session").await;
        assert_eq!((status, who["address"].as_str()), (200, Some(ALI)), "{who}");
        assert_eq!((&who["operator"], &who["legal"]), (&Value::Null, &Value::Bool(false)));
        for path in ["/account", "/labels", "/mailboxes", "/tokens", "/contacts"] {
            assert_eq!(ask("GET", path).await.0, 200, "{path}");
        }
        assert_eq!(ask("GET", "/staff/policies").await.1["code"], "not-staff");
        let made = api.ask(&session, "POST", "/labels", json!({ "name": "Acele" })).await;
        assert_eq!(made.0, 201, "{made:?}");
        // Another one of his is listed, and ended.
        let other = token(&log_in(&api, "ali.veli", OWN).await);
        let (_, listed) = ask("GET", "/sessions").await;
        assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
        let id = listed["sessions"].as_array().unwrap().iter().map(|one| &one["id"]);
        let mine = &who["session"]["id"];
        let id = id.into_iter().find(|id| *id != mine).unwrap().as_str().unwrap().to_owned();
        assert_eq!(ask("DELETE", &format!("/sessions/{id}")).await.0, 204);
        assert_eq!(ask("DELETE", &format!("/sessions/{id}")).await.0, 404);
        let (status, over) = api.ask(&other, "GET", "/session", Value::Null).await;
        assert_eq!((status, over["code"].as_str()), (401, Some("token-unknown")));
        assert_eq!(ask("DELETE", "/session").await.0, 204);
        assert_eq!(ask("GET", "/labels").await.0, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_is_for_this_host_alone_and_no_other_sites_page_uses_it() {
    on_both(|bed| async move {
        ali(&bed).await;
        let api = api(&bed);
        let body = json!({ "user": ALI, "password": OWN, "cookie": true }).to_string();
        let post = |path: &str, proof: bool, cookie: &str, body: &str| {
            let mut request = Request::builder().method("POST").uri(format!("/api/v1{path}"));
            request = request.header("Content-Type", "application/json");
            if proof {
                request = request.header("X-KEP-Request", "1");
            }
            if !cookie.is_empty() {
                request = request.header("Cookie", cookie);
            }
            request.body(Body::from(body.to_owned())).unwrap()
        };
        let (status, _) = api.send(post("/login/password", false, "", &body)).await;
        assert_eq!(status.as_u16(), 403);
        let (status, answer) = api.send(post("/login/password", true, "", &body)).await;
        assert_eq!(status.as_u16(), 200);
        let kept = answer.headers()["Set-Cookie"].to_str().unwrap().to_owned();
        assert!(kept.starts_with("__Host-kep-session=") && kept.contains("HttpOnly"), "{kept}");
        let said: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(said["token"], Value::Null, "no script sees it");
        let cookie = kept.split(';').next().unwrap();
        let label = json!({ "name": "Acele" }).to_string();
        let (status, _) = api.send(post("/labels", false, cookie, &label)).await;
        assert_eq!(status.as_u16(), 403, "a page of another site could have sent it");
        let (status, _) = api.send(post("/labels", true, cookie, &label)).await;
        assert_eq!(status.as_u16(), 201);
        let get = Request::builder().uri("/api/v1/labels").header("Cookie", cookie);
        assert_eq!(api.send(get.body(Body::empty()).unwrap()).await.0.as_u16(), 200);
        let acts = audit::list(&bed.store, Wanted { most: 9, ..Wanted::default() }).await.unwrap();
        assert!(acts.iter().any(|act| act.act == "login" && act.actor.contains(ALI)), "{acts:?}");
    })
    .await;
}

/// Each legal act over the API, with what it is asked by.
fn legal() -> Vec<(&'static str, &'static str, Value)> {
    let certificate = json!({ "certificate": "MIIB", "use": "sign" });
    let fingerprint =
        "/certificates/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let token = "Zm9yIGV4YW1wbGUsIGFuZCBmb3Igbm90aGluZyBlbHN";
    let passkey = json!({ "token": token, "answer": {}, "name": "x" });
    vec![
        ("PUT", "/factors", json!({ "asked": true })),
        ("POST", "/factors/app", Value::Null),
        ("POST", "/factors/app/confirm", json!({ "code": "123456" })),
        ("DELETE", "/factors/app", Value::Null),
        ("POST", "/factors/backup-codes", Value::Null),
        ("POST", "/passkeys/options", Value::Null),
        ("POST", "/passkeys", passkey),
        ("DELETE", "/passkeys/AbCd", Value::Null),
        ("POST", "/app-passwords", json!({ "name": "Telefon" })),
        ("POST", "/tokens", json!({ "name": "Program", "scopes": ["mail:read"] })),
        ("POST", "/certificates", certificate),
        ("DELETE", fingerprint, Value::Null),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn legal_acts_ask_for_more_than_a_password_and_no_token_does_them() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let (api, (_, paper)) = (api(&bed), app(&bed, owner).await);
        let session = token(&log_in(&api, ALI, OWN).await);
        let (full, of) = (Scopes::full(false), address(ALI));
        let made = api_tokens::add(
            &bed.store,
            &by(),
            &of,
            None,
            NewToken { name: "x", scopes: full, days: 9 },
        )
        .await
        .unwrap();
        let program = made.1.expose_secret().to_owned();
        for (method, path, body) in legal() {
            let (status, said) = api.ask(&session, method, path, body.clone()).await;
            assert_eq!((status, said["code"].as_str()), (403, Some("step-up-needed")), "{path}");
            let (status, said) = api.ask(&program, method, path, body.clone()).await;
            assert_eq!((status, said["code"].as_str()), (403, Some("session-needed")), "{path}");
            let (status, _) = api.ask("", method, path, body).await;
            assert_eq!(status, 401, "{path}");
        }
        stepped_up(&api, &session, &paper[0]).await;
        let (_, who) = api.ask(&session, "GET", "/session", Value::Null).await;
        assert_eq!(who["legal"], true);
        for (method, path, body) in legal() {
            let (status, said) = api.ask(&session, method, path, body).await;
            assert_ne!(status, 401, "{path}: {said}");
            assert_ne!(said["code"], "step-up-needed", "{path}");
        }
        let (_, listed) = api.ask(&session, "GET", "/app-passwords", Value::Null).await;
        assert_eq!(listed["passwords"][0]["doors"], json!(["smtp", "imap"]), "{listed}");
        let id = listed["passwords"][0]["id"].as_str().unwrap();
        let revoke = format!("/app-passwords/{id}");
        assert_eq!(api.ask(&session, "DELETE", &revoke, Value::Null).await.0, 204);
        assert_eq!(api.ask(&session, "DELETE", &revoke, Value::Null).await.0, 404);
        let (_, tokens) = api.ask(&session, "GET", "/tokens", Value::Null).await;
        assert_eq!(tokens["tokens"].as_array().unwrap().len(), 2, "{tokens}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_asks_for_the_old_one_and_ends_the_other_sessions() {
    on_both(|bed| async move {
        ali(&bed).await;
        let api = api(&bed);
        let (one, two) =
            (token(&log_in(&api, ALI, OWN).await), token(&log_in(&api, ALI, OWN).await));
        let change = async |current: &str, new: &str| {
            let body = json!({ "current": current, "new": new });
            let (status, said) = api.ask(&one, "PUT", "/password", body).await;
            (status, said["code"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(change("yanlış", "gizli bir söz daha").await, (403, "login-wrong".into()));
        assert_eq!(change(OWN, "galatasaray1905").await, (422, "password-unfit".into()));
        assert_eq!(change(OWN, "gizli bir söz daha").await.0, 204);
        assert_eq!(api.ask(&one, "GET", "/session", Value::Null).await.0, 200);
        assert_eq!(api.ask(&two, "GET", "/session", Value::Null).await.0, 401);
        log_in(&api, ALI, "gizli bir söz daha").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_logs_in_by_his_own_and_may_what_his_roles_say() {
    on_both(|bed| async move {
        super::operators::open(&bed).await;
        let reader = appoint(&bed, "10000000146", &[Role::Reads]).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let owner = Owner { account, operator: reader.number() };
        let secret = SecretString::from("okuyanın kendi sözü");
        passwords::set(&bed.store, owner, &secret, None, &by()).await.unwrap();
        let api = api(&bed);
        let user = format!("{}/{reader}", firm());
        for (wrong, password) in [
            (user.as_str(), OWN),
            ("firma@hs05.kep.tr", "okuyanın kendi sözü"),
            ("firma@hs05.kep.tr/009", "okuyanın kendi sözü"),
        ] {
            let body = json!({ "user": wrong, "password": password });
            assert_eq!(api.ask("", "POST", "/login/password", body).await.0, 403, "{wrong}");
        }
        let session = token(&log_in(&api, &user, "okuyanın kendi sözü").await);
        let ask = async |method: &str, path: &str, body: Value| {
            let (status, said) = api.ask(&session, method, path, body).await;
            (status, said["code"].as_str().unwrap_or_default().to_owned())
        };
        let (_, who) = api.ask(&session, "GET", "/session", Value::Null).await;
        assert_eq!(who["operator"]["code"], reader.to_string(), "{who}");
        assert_eq!(ask("GET", "/messages?mailbox=inbox", Value::Null).await.0, 200);
        let may_not = (403, "operator-may-not".to_owned());
        assert_eq!(ask("POST", "/drafts", json!("From: x\r\n\r\n")).await, may_not);
        assert_eq!(ask("POST", "/submissions", json!("From: x\r\n\r\n")).await, may_not);
        assert_eq!(ask("GET", "/tokens", Value::Null).await, may_not);
        assert_eq!(ask("POST", "/labels", json!({ "name": "Acele" })).await.0, 201);
        let acts = audit::list(&bed.store, Wanted { most: 99, ..Wanted::default() }).await.unwrap();
        let login = acts.iter().find(|act| act.act == "login").unwrap();
        assert!(login.actor.contains(&format!("{reader} Ayşe Demir")), "{login:?}");
        // With him his sessions end.
        operators::end(&bed.store, &by(), &firm(), code(1)).await.unwrap();
        assert_eq!(ask("GET", "/session", Value::Null).await.0, 401);
        assert!(sessions::list(&bed.store, account, NOW).await.unwrap().is_empty());
        let body = json!({ "user": user, "password": "okuyanın kendi sözü" });
        assert_eq!(api.ask("", "POST", "/login/password", body).await.0, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_told_nothing_and_is_stopped_by_name_and_by_network() {
    on_both(|bed| async move {
        ali(&bed).await;
        let api = api(&bed);
        let guess = async |user: &str| {
            let body = json!({ "user": user, "password": "tahmin" });
            let (status, said) = api.ask("", "POST", "/login/password", body).await;
            (status, said["code"].as_str().unwrap_or_default().to_owned())
        };
        for user in [ALI, "yok@hs05.kep.tr", "yok@hs05.kep.tr/001", "%"] {
            assert_eq!(guess(user).await, (403, "login-wrong".to_owned()), "{user}");
            let body = json!({ "user": user });
            let (status, _) = api.ask("", "POST", "/password/forgotten", body).await;
            assert_eq!(status, 204, "{user}");
        }
        for user in [ALI, "yok@hs05.kep.tr"] {
            for _ in 0..9 {
                assert_eq!(guess(user).await.0, 403);
            }
            assert_eq!(guess(user).await, (429, "login-locked".to_owned()), "{user}");
        }
        // Nine names with nine guesses each are too much for one network.
        let mut last = (0, String::new());
        for n in 0..100 {
            last = guess(&format!("yok{n}")).await;
        }
        assert_eq!(last, (429, "login-locked".to_owned()));
        let right = json!({ "user": "baska", "password": OWN });
        assert_eq!(api.ask("", "POST", "/login/password", right).await.0, 429);
    })
    .await;
}

fn with_root(people: People, root: &CertificateAuthority) -> People {
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let users = Arc::new(UserTrust::new(anchors, Vec::new(), None));
    People { sign_in: kep::registry::signin::SignIn { users, ..people.sign_in }, ..people }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_in_tls_lets_in_whose_it_is_registered_for() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
        let profile = Profile::User { name: "Ali".into(), email: "x@hs05.kep.tr".into() };
        let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
        let certificate = issued.certificate().clone();
        let api = Api::of(&bed, 1000, with_root(people(&bed), &root));
        let ask = async |shown: Vec<Vec<u8>>, body: Value| {
            let peer =
                Peer { address: "192.0.2.9:4711".parse().unwrap(), certificates: Arc::new(shown) };
            let request = Request::builder().method("POST").uri("/api/v1/login/certificate");
            let request = request.header("Content-Type", "application/json");
            let request = request.extension(ConnectInfo(peer)).body(Body::from(body.to_string()));
            let (status, answer) = api.send(request.unwrap()).await;
            (status.as_u16(), serde_json::from_slice::<Value>(answer.body()).unwrap())
        };
        let der = certificate.der().to_vec();
        let named = json!({ "user": ALI });
        assert_eq!(
            ask(vec![der.clone()], named.clone()).await.0,
            403,
            "it is registered for nobody"
        );
        let login = CertificateUse::Login;
        certificates::add(&bed.store, owner, certificate, login, &by()).await.unwrap();
        assert_eq!(ask(Vec::new(), named.clone()).await.0, 403);
        let (status, said) = ask(vec![der.clone()], json!({})).await;
        assert_eq!((status, said["state"].as_str()), (200, Some("in")), "{said}");
        assert_eq!(said["session"]["factors"], json!(["certificate"]));
        assert_eq!(said["session"]["address"], "192.0.2.9");
        // Alone it is one factor.
        app(&bed, owner).await;
        kep::registry::credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        assert_eq!(ask(vec![der], named).await.1["state"], "second");
    })
    .await;
}
