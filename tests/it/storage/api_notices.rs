//! Places of notices over the API, on both drivers: added, proven, changed and taken away by who has shown enough.

use super::api::{all, token};
use super::api_book::{AYSE, JSON, api, hear};
use super::api_login::{OWN, log_in, stepped_up};
use super::credentials::{ALI, ali, app};
use super::logins::{by, open};
use super::notices::code;
use super::on_both;
use super::operators::{appoint, firm};
use axum::body::Body;
use kep::registry::accounts;
use kep::registry::credentials::{Owner, passwords};
use kep::registry::operators::Role;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const PLACES: &str = "/notice-places";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_is_proven_by_its_code_and_no_change_of_it_is_lost() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        open(&bed, AYSE, Vec::new()).await;
        let (_, paper) = app(&bed, owner).await;
        let (api, program) = (api(&bed), token(&bed, ALI, all()).await);
        let session = log_in(&api, ALI, OWN).await["token"].as_str().unwrap().to_owned();
        let ask = async |method: &str, path: &str, body: Value| {
            api.ask(&session, method, path, body).await
        };
        let new = || json!({ "place": "0532 123 45 67" });
        for (who, code) in [(&program, "session-needed"), (&session, "step-up-needed")] {
            assert_eq!(api.ask(who, "POST", PLACES, new()).await.1["code"], code);
        }
        stepped_up(&api, &session, &paper[0]).await;
        let (status, added) = ask("POST", PLACES, new()).await;
        assert_eq!((status, &added["place"]), (201, &json!("+905321234567")), "{added}");
        assert_eq!(added["events"], json!(["mail", "unread", "handover", "login"]));
        assert_eq!((&added["proven"], &added["language"]), (&Value::Null, &json!("tr")));
        assert_eq!(ask("POST", PLACES, new()).await.1["code"], "notice-place-there");
        for place in ["x", "ali.veli@hs05.kep.tr", "+90 212"] {
            let unfit = ask("POST", PLACES, json!({ "place": place })).await;
            assert_eq!((unfit.0, &unfit.1["code"]), (422, &json!("notice-place-unfit")), "{place}");
        }
        // The code that came proves it; a wrong one counts.
        let path = format!("{PLACES}/{}", added["number"]);
        let verify = format!("{path}/verify");
        let sent = code(&bed).await;
        let sent = sent.expose_secret();
        let wrong = if sent == "000000" { "111111" } else { "000000" };
        assert_eq!(ask("POST", &verify, json!({ "code": wrong })).await.1["code"], "code-wrong");
        let soon = ask("POST", &format!("{path}/code"), Value::Null).await;
        assert_eq!((soon.0, &soon.1["code"]), (429, &json!("notice-code-soon")));
        assert_eq!(ask("POST", &verify, json!({ "code": sent })).await.0, 204);
        let again = ask("POST", &verify, json!({ "code": sent })).await;
        assert_eq!((again.0, &again.1["code"]), (409, &json!("notice-code-over")));
        // Of two who saw the same, one is the first.
        let shown = hear(&api, &program, ("GET", &path), &[], Body::empty()).await;
        assert!(shown.json()["proven"].is_string());
        let wishes = json!({
            "language": "en", "events": ["mail", "credit"], "quiet": "22:00-08:00",
            "deputy": { "name": "Ayşe Yılmaz", "from": "2026-12-24", "until": "2026-12-31" },
        });
        let change = async |tag: &str, wishes: &Value| {
            let headers = [JSON, ("If-Match", tag)];
            hear(&api, &session, ("PUT", &path), &headers, wishes.to_string()).await
        };
        let changed = change(&shown.tag(), &wishes).await;
        for (key, wanted) in wishes.as_object().unwrap() {
            assert_eq!(&changed.json()[key], wanted, "{key}");
        }
        assert_eq!(change(&shown.tag(), &wishes).await.code(), (412, "changed-meanwhile".into()));
        for (bad, code) in [
            (json!({ "quiet": "08:00-08:00" }), "notice-unfit"),
            (
                json!({ "deputy": { "name": "A", "from": "2026-12-24", "until": "2026-12-23" } }),
                "notice-unfit",
            ),
            (json!({ "deputy": { "name": "A" } }), "notice-unfit"),
            (
                json!({ "deputy": { "name": "A" }, "events": ["unread", "escalation"] }),
                "notice-unfit",
            ),
            (json!({ "quiet": "24:00-08:00" }), "bad-body"),
            (json!({ "events": ["herşey"] }), "bad-body"),
            (json!({ "events": vec!["mail"; 11] }), "bad-body"),
            (json!({ "language": "de" }), "bad-body"),
        ] {
            assert_eq!(ask("PUT", &path, bad.clone()).await.1["code"], code, "{bad}");
        }
        // A second person deputises on no day.
        let second = json!({ "deputy": { "name": "A" }, "events": ["escalation"] });
        let second = ask("PUT", &path, second).await.1;
        assert_eq!(second["deputy"], json!({ "name": "A", "from": null, "until": null }));
        // What is not said is as it was made first: the whole is replaced.
        let bare = ask("PUT", &path, json!({})).await.1;
        assert_eq!((&bare["quiet"], &bare["deputy"]), (&Value::Null, &Value::Null), "{bare}");
        // Another account's places are none.
        let other = token(&bed, AYSE, all()).await;
        let listed = api.ask(&other, "GET", PLACES, Value::Null).await.1;
        assert_eq!(listed["places"], json!([]));
        let none = api.ask(&other, "GET", &path, Value::Null).await;
        assert_eq!((none.0, &none.1["code"]), (404, &json!("notice-place-unknown")));
        assert_eq!(ask("DELETE", &path, Value::Null).await.0, 204);
        for (method, path, body) in [
            ("DELETE", path.clone(), Value::Null),
            ("PUT", path.clone(), json!({})),
            ("POST", verify, json!({ "code": "1" })),
            ("POST", format!("{path}/code"), Value::Null),
        ] {
            let gone = ask(method, &path, body).await;
            assert_eq!((gone.0, &gone.1["code"]), (404, &json!("notice-place-unknown")), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_ten_places() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let (_, paper) = app(&bed, owner).await;
        let api = api(&bed);
        let session = log_in(&api, ALI, OWN).await["token"].as_str().unwrap().to_owned();
        stepped_up(&api, &session, &paper[0]).await;
        for n in 0..11 {
            let new =
                json!({ "place": format!("kisi{n}@example.org"), "wishes": { "events": [] } });
            let (status, said) = api.ask(&session, "POST", PLACES, new).await;
            match n {
                10 => assert_eq!((status, &said["code"]), (409, &json!("notice-places-many"))),
                _ => assert_eq!((status, &said["events"]), (201, &json!([])), "{said}"),
            }
        }
        let listed = api.ask(&session, "GET", PLACES, Value::Null).await.1;
        assert_eq!(listed["places"].as_array().unwrap().len(), 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_does_of_it_what_his_roles_say_whatever_he_has_shown() {
    on_both(|bed| async move {
        super::operators::open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let api = api(&bed);
        let secret = "okuyanın kendi sözü";
        let session = async |number: &str, role: Role| {
            let who = appoint(&bed, number, &[role]).await;
            let owner = Owner { account, operator: who.number() };
            let password = SecretString::from(secret);
            passwords::set(&bed.store, owner, &password, None, &by()).await.unwrap();
            let user = format!("{}/{who}", firm());
            let session = log_in(&api, &user, secret).await["token"].as_str().unwrap().to_owned();
            let (_, paper) = app(&bed, owner).await;
            stepped_up(&api, &session, &paper[0]).await;
            session
        };
        let reads = session("10000000146", Role::Reads).await;
        let consent = json!({ "listed": true, "findable": true, "fields": [] });
        for (method, path, body) in [
            ("GET", PLACES, Value::Null),
            ("POST", PLACES, json!({ "place": "a@example.org" })),
            ("GET", "/notice-places/1", Value::Null),
            ("PUT", "/notice-places/1", json!({})),
            ("DELETE", "/notice-places/1", Value::Null),
            ("POST", "/notice-places/1/code", Value::Null),
            ("POST", "/notice-places/1/verify", json!({ "code": "1" })),
            ("PUT", "/directory/consent", consent),
            ("GET", "/directory/queries", Value::Null),
            ("GET", "/exports", Value::Null),
            ("POST", "/exports", Value::Null),
            ("GET", "/exports/1", Value::Null),
            ("GET", "/exports/1/archive", Value::Null),
            ("DELETE", "/mailboxes/inbox", Value::Null),
        ] {
            let said = api.ask(&reads, method, path, body).await;
            assert_eq!((said.0, &said.1["code"]), (403, &json!("operator-may-not")), "{path}");
        }
        let full = session("10000000214", Role::Full).await;
        let added = api.ask(&full, "POST", PLACES, json!({ "place": "a@example.org" })).await;
        assert_eq!(added.0, 201, "{added:?}");
        assert_eq!(api.ask(&full, "POST", "/exports", Value::Null).await.0, 201);
    })
    .await;
}
