//! The directory over the API, on both drivers: consent, questions, many addresses, into the address book, limits.

use super::api::{all, token};
use super::api_book::{AYSE, JSON, api, hear};
use super::api_login::{OWN, log_in};
use super::credentials::ALI;
use super::logins::open;
use super::{NOW, bed::Bed, on_both};
use axum::body::Body;
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::audit::By;
use kep::registry::{closings, policy};
use kep::wire::KepAddress;
use serde_json::{Value, json};

fn consent(listed: bool, findable: bool, fields: &[&str]) -> Value {
    json!({ "listed": listed, "findable": findable, "fields": fields })
}

async fn decide(bed: &Bed, key: &str, value: &str) {
    let by = By::system("test", NOW);
    policy::set(&bed.store, &by, key, value, NOW, "deneme").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_agrees_is_found_by_what_he_ticked_and_taken_into_the_book_once() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        open(&bed, AYSE, Vec::new()).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let session = log_in(&api, AYSE, OWN).await["token"].as_str().unwrap().to_owned();
        let ask =
            async |method: &str, path: &str, body: Value| api.ask(&mine, method, path, body).await;
        let by_address = || json!({ "kind": "address", "address": AYSE });
        let nobody = ask("POST", "/directory/query", by_address()).await;
        assert_eq!((nobody.0, &nobody.1["found"]), (200, &json!([])), "{nobody:?}");
        assert_eq!(nobody.1["central"]["state"], "absent");
        // A token changes no consent; a person does, and of two who saw the same one is the first.
        let path = "/directory/consent";
        let program = token(&bed, AYSE, all()).await;
        let refused = api.ask(&program, "PUT", path, consent(true, true, &[])).await;
        assert_eq!((refused.0, &refused.1["code"]), (403, &json!("session-needed")));
        let shown = hear(&api, &program, ("GET", path), &[], Body::empty()).await;
        assert_eq!(
            (&shown.json()["listed"], &shown.json()["entry"]),
            (&json!(false), &Value::Null)
        );
        let tag = shown.tag();
        let agree = async |fields: &[&str]| {
            let headers = [JSON, ("If-Match", tag.as_str())];
            let body = consent(true, true, fields).to_string();
            hear(&api, &session, ("PUT", path), &headers, body).await
        };
        let agreed = agree(&["given", "family", "phone"]).await;
        assert_eq!(agreed.json()["entry"]["address"], AYSE, "{}", agreed.json());
        assert_eq!(agree(&["given"]).await.code(), (412, "changed-meanwhile".into()));
        for (body, code) in [
            (json!({ "listed": true, "findable": true, "fields": ["kimlik"] }), "bad-body"),
            (json!({ "listed": true, "findable": true, "fields": vec!["given"; 9] }), "bad-body"),
            (json!({ "listed": true }), "bad-body"),
        ] {
            assert_eq!(api.ask(&session, "PUT", path, body).await.1["code"], code);
        }
        let name = json!({ "kind": "person", "given": "ALİ", "family": "veli" });
        let found = ask("POST", "/directory/query", name).await.1;
        assert_eq!(found["found"][0]["entry"]["address"], AYSE, "{found}");
        assert_eq!(found["found"][0]["source"], "own");
        // Into the book, once.
        let take = async || ask("POST", "/directory/contacts", json!({ "address": AYSE })).await;
        let (status, contact) = take().await;
        assert_eq!((status, &contact["kep"]), (201, &json!([AYSE])), "{contact}");
        assert_eq!(take().await.1["code"], "contact-there");
        let none = json!({ "address": "yok@hs05.kep.tr" });
        let none = ask("POST", "/directory/contacts", none).await;
        assert_eq!((none.0, &none.1["code"]), (404, &json!("directory-unknown")));
        let many = json!({ "addresses": [AYSE, ALI, "x"], "kind": "person" });
        let many = ask("POST", "/directory/check", many).await.1;
        let verdicts: Vec<_> =
            many["checked"].as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect();
        assert_eq!(verdicts, ["listed", "not-listed", "malformed"], "{many}");
        // Taken back, it is gone at once.
        assert_eq!(api.ask(&session, "PUT", path, consent(false, true, &[])).await.0, 200);
        let gone = ask("POST", "/directory/query", by_address()).await.1;
        assert_eq!(gone["found"], json!([]));
        // The log says who asked by which keys, and not for whom; each account sees its own.
        let log = ask("GET", "/directory/queries?limit=2", Value::Null).await.1;
        assert_eq!(log["queries"].as_array().unwrap().len(), 2);
        assert_eq!(log["queries"][1]["kind"], "check-person", "{log}");
        assert!(!log.to_string().contains(AYSE));
        let before = format!("/directory/queries?before={}", log["queries"][1]["number"]);
        let rest = ask("GET", &before, Value::Null).await.1;
        let kinds: Vec<_> =
            rest["queries"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(kinds, ["address", "address", "address", "person", "address"]);
        let other = api.ask(&program, "GET", "/directory/queries", Value::Null).await.1;
        assert_eq!(other["queries"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_none_is_refused_by_name_and_costs_nothing_and_many_are_too_many() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let ask = async |path: &str, body: Value| api.ask(&mine, "POST", path, body).await;
        let query = "/directory/query";
        for (body, code) in [
            (json!({ "kind": "person", "given": "Ali" }), "directory-few-keys"),
            (json!({ "kind": "address" }), "directory-few-keys"),
            (json!({ "kind": "person", "mersis": "1" }), "directory-foreign-key"),
            (json!({ "kind": "company", "mersis": "1" }), "directory-bad-key"),
            (json!({ "kind": "address", "address": "x" }), "directory-bad-key"),
            (json!({ "kind": "herkes" }), "bad-body"),
            (json!({ "kind": "person", "her": "şey" }), "bad-body"),
        ] {
            assert_eq!(ask(query, body.clone()).await.1["code"], code, "{body}");
        }
        for addresses in [vec![], vec!["x"; 201]] {
            let said = ask("/directory/check", json!({ "addresses": addresses })).await;
            assert_eq!(said.1["code"], "bad-body");
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM directory_query").await, 0);
        let reads = token(&bed, ALI, Scopes::of([Scope::MailRead])).await;
        let bare = || json!({ "kind": "address", "address": AYSE });
        let refused = api.ask(&reads, "POST", query, bare()).await;
        assert_eq!((refused.0, &refused.1["code"]), (403, &json!("scope-missing")));
        decide(&bed, "directory.queries-per-hour", "2").await;
        for _ in 0..2 {
            assert_eq!(ask(query, bare()).await.0, 200);
        }
        let often = ask(query, bare()).await;
        assert_eq!((often.0, &often.1["code"]), (429, &json!("directory-often")), "{often:?}");
        let take = ask("/directory/contacts", json!({ "address": AYSE })).await;
        assert_eq!(take.1["code"], "directory-often");
        let address = KepAddress::parse(ALI).unwrap();
        closings::close(&bed.store, &address, &By::system("test", NOW)).await.unwrap();
        assert_eq!(ask(query, bare()).await.1["code"], "account-read-only");
    })
    .await;
}
