//! An account's own affairs over the API, on both drivers: what there is to do, and what waits for a signature.

use super::api::{self, AYSE, Api, people};
use super::api_login::{log_in, stepped_up, token};
use super::bed::Bed;
use super::credentials::app;
use super::handovers::hold;
use super::operators::{FIRM, appoint, by, firm, open};
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use kep::registry::accounts;
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::audit::{self, Wanted};
use kep::registry::closings;
use kep::registry::credentials::{Owner, passwords};
use kep::registry::operators::Role;
use kep::wire::OperatorCode;
use secrecy::SecretString;
use serde_json::{Value, json};

pub const AYSE_NO: &str = "10000000146";
pub const MEHMET_NO: &str = "10000000214";
const HIS: &str = "yetkilinin kendi sözü";

pub fn api(bed: &Bed) -> Api {
    Api::of(bed, 10_000, people(bed))
}

/// A session of the firm's holder in which he has shown more than a password.
pub async fn holder(bed: &Bed, api: &Api) -> String {
    session(bed, api, 0, FIRM, "kendi sözü").await
}

/// The same of an operator.
pub async fn operator(bed: &Bed, api: &Api, code: OperatorCode) -> String {
    let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
    let owner = Owner { account, operator: code.number() };
    passwords::set(&bed.store, owner, &SecretString::from(HIS), None, &by(NOW)).await.unwrap();
    session(bed, api, code.number(), &format!("{FIRM}/{code}"), HIS).await
}

async fn session(bed: &Bed, api: &Api, operator: i64, user: &str, password: &str) -> String {
    let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
    let (_, paper) = app(bed, Owner { account, operator }).await;
    let session = token(&log_in(api, user, password).await);
    stepped_up(api, &session, &paper[0]).await;
    session
}

/// Status and code of what is said.
pub async fn told(api: &Api, who: &str, method: &str, path: &str, body: Value) -> (u16, String) {
    let (status, said) = api.ask(who, method, path, body).await;
    (status, said["code"].as_str().unwrap_or_default().to_owned())
}

/// A request that says which version it means: status, what is said, and the version that it is now.
pub async fn versioned(
    api: &Api,
    who: &str,
    (method, path): (&str, &str),
    body: Value,
    tag: &str,
) -> (u16, Value, String) {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    request = request.header("Authorization", format!("Bearer {who}")).header("If-Match", tag);
    let body = match body {
        Value::Null => Body::empty(),
        json => {
            request = request.header("Content-Type", "application/json");
            Body::from(json.to_string())
        }
    };
    let (status, answer) = api.send(request.body(body).unwrap()).await;
    let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
    let said = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    (status.as_u16(), said, tag.unwrap_or_default())
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

pub async fn acts(bed: &Bed, act: &str) -> Vec<audit::Entry> {
    let all = audit::list(&bed.store, Wanted { most: 1000, ..Wanted::default() }).await.unwrap();
    all.into_iter().filter(|entry| entry.act == act).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_handed_over_and_returned_by_who_may_and_by_nobody_elses_token() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE_NO, &[Role::Signs]).await;
        let reads = appoint(&bed, MEHMET_NO, &[Role::Reads]).await;
        api::account(&bed, AYSE).await;
        let (_, id) = hold(&bed).await;
        let api = api(&bed);
        let own = api::token(&bed, FIRM, api::all()).await;
        let other = api::token(&bed, AYSE, api::all()).await;
        let (signer, reader) =
            (operator(&bed, &api, signs).await, operator(&bed, &api, reads).await);
        let hand = |to: &str| json!({ "message": id.as_str(), "to": to });
        let post = async |who: &str, body: Value| told(&api, who, "POST", "/handovers", body).await;
        let may_not = refused(403, "operator-may-not");
        assert_eq!(told(&api, &reader, "GET", "/handovers", Value::Null).await, may_not);
        assert_eq!(post(&reader, hand("001")).await, may_not);
        assert_eq!(post(&own, hand("002")).await, may_not, "who reads signs nothing");
        assert_eq!(post(&own, hand("009")).await, refused(404, "operator-unknown"));
        assert_eq!(post(&other, hand("001")).await, refused(404, "operator-unknown"));
        let nothing = json!({ "message": "yok@hs05.kep.tr", "to": "001" });
        assert_eq!(post(&own, nothing).await, refused(404, "paper-unknown"));
        for bad in [json!({}), json!({ "message": "a", "to": "0" }), json!({ "to": 1 })] {
            assert_eq!(post(&own, bad).await, refused(400, "bad-body"));
        }
        // Once, however often it is said by the same name.
        for _ in 0..2 {
            let (status, made) =
                api.named(&own, "POST", "/handovers", hand("001"), Some("bir")).await;
            assert_eq!(
                (status, &made["operator"], &made["state"]),
                (200, &json!("001"), &json!("waiting")),
                "{made}"
            );
        }
        assert_eq!(acts(&bed, "handover.to").await.len(), 1);
        let (_, listed) = api.ask(&signer, "GET", "/handovers", Value::Null).await;
        let number = listed["handovers"][0]["number"].as_i64().unwrap();
        assert_eq!(listed["handovers"][0]["paper"], "held");
        let (_, none) = api.ask(&other, "GET", "/handovers?all=true", Value::Null).await;
        assert_eq!(none["handovers"], json!([]));
        let back = format!("/handovers/{number}/return");
        let give = async |who: &str, reason: &str| {
            told(&api, who, "POST", &back, json!({ "reason": reason })).await
        };
        assert_eq!(give(&other, "benim değil").await, refused(404, "handover-unknown"));
        assert_eq!(give(&reader, "olmaz").await, may_not);
        assert_eq!(give(&signer, " ").await, refused(400, "bad-body"));
        assert_eq!(give(&signer, "Ek eksik").await, refused(200, ""));
        assert_eq!(give(&signer, "Ek eksik").await, refused(409, "handover-over"));
        assert_eq!(post(&own, hand("001")).await, refused(404, "paper-unknown"));
        let returned = &acts(&bed, "handover.return").await[0];
        assert!(returned.actor.contains("001 Ayşe Demir"), "{returned:?}");
        let (_, all) = api.ask(&own, "GET", "/handovers?all=true", Value::Null).await;
        let one = &all["handovers"][0];
        assert_eq!((&one["state"], &one["reason"]), (&json!("returned"), &json!("Ek eksik")));
        let (_, open) = api.ask(&own, "GET", "/handovers", Value::Null).await;
        assert_eq!(open["handovers"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_listed_in_pages_and_ended_by_a_person_who_may() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE_NO, &[Role::Signs]).await;
        let prepares = appoint(&bed, MEHMET_NO, &[Role::Prepares]).await;
        api::account(&bed, AYSE).await;
        hold(&bed).await;
        let api = api(&bed);
        let own = api::token(&bed, FIRM, api::all()).await;
        let narrow = api::token(&bed, FIRM, Scopes::of([Scope::Verify])).await;
        let other = api::token(&bed, AYSE, api::all()).await;
        let (signer, preparer) =
            (operator(&bed, &api, signs).await, operator(&bed, &api, prepares).await);
        let list = async |who: &str, more: &str| {
            let (status, said) = api.ask(who, "GET", &format!("/tasks{more}"), Value::Null).await;
            assert_eq!(status, 200, "{said}");
            said["tasks"].as_array().unwrap().clone()
        };
        assert_eq!(list(&other, "?all=true").await, Vec::<Value>::new());
        assert_eq!(told(&api, &narrow, "GET", "/tasks", Value::Null).await.1, "scope-missing");
        let sign = list(&signer, "").await[0].clone();
        assert_eq!((&sign["kind"], &sign["action"]), (&json!("sign"), &json!("sign")));
        assert_eq!(list(&preparer, "").await, Vec::<Value>::new(), "he may sign nothing");
        let done = |task: &Value| format!("/tasks/{}/done", task["number"]);
        let end = async |who: &str, path: &str| told(&api, who, "POST", path, Value::Null).await;
        let holder = holder(&bed, &api).await;
        assert_eq!(end(&holder, &done(&sign)).await, refused(409, "task-undone"));
        let back = json!({ "reason": "Tarih yanlış" });
        let (_, there) = api.ask(&own, "GET", "/handovers", Value::Null).await;
        let path = format!("/handovers/{}/return", there["handovers"][0]["number"]);
        assert_eq!(told(&api, &own, "POST", &path, back).await.0, 200);
        let returned = list(&preparer, "").await[0].clone();
        let kind = (&returned["kind"], &returned["note"]);
        assert_eq!(kind, (&json!("returned"), &json!("Tarih yanlış")));
        // The oldest first, and each once.
        let first = list(&own, "?all=true&limit=1").await;
        let rest = list(&own, &format!("?all=true&after={}", first[0]["number"])).await;
        assert_eq!((&first[0]["state"], rest.len()), (&json!("done"), 1));
        assert_eq!(rest[0]["number"], returned["number"]);
        let path = done(&returned);
        assert_eq!(end(&own, &path).await, refused(403, "session-needed"));
        assert_eq!(end(&signer, &path).await, refused(404, "task-unknown"), "not his to see");
        assert_eq!(end(&holder, "/tasks/999/done").await, refused(404, "task-unknown"));
        for _ in 0..2 {
            assert_eq!(end(&preparer, &path).await, refused(204, ""));
        }
        assert_eq!(acts(&bed, "task.dismiss").await.len(), 1);
        assert_eq!(list(&own, "").await, Vec::<Value>::new());
        closings::close(&bed.store, &firm(), &by(NOW)).await.unwrap();
        assert_eq!(list(&own, "?all=true").await.len(), 2, "it can be read");
        assert_eq!(end(&holder, &path).await, refused(403, "account-read-only"));
    })
    .await;
}
