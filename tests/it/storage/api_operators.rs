//! Operators over the API, on both drivers.

use super::api::{self, AYSE, Api};
use super::api_affairs::{acts, api, holder, operator, refused, told, versioned};
use super::api_login::{log_in, token};
use super::bed::Bed;
use super::holders::person;
use super::operators::{FIRM, appoint, by, code, firm, open};
use super::told;
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use kep::registry::audit::Channel;
use kep::registry::closings;
use kep::registry::holders::records;
use kep::registry::operators::{self, Role};
use kep::registry::outbox::Kind;
use serde_json::{Value, json};
use std::sync::Arc;

const NUMBERS: [&str; 2] = ["10000000146", "10000000214"];

fn ayse() -> Value {
    json!({ "given_name": "Ayşe", "surname": "Demir", "identity_number": NUMBERS[0],
        "title": "Müdür", "phone": "0532 555 00 00", "email": "ayse@example.org",
        "roles": ["signs", "reads", "reads"] })
}

async fn firm_of(bed: &Bed) -> (Arc<Api>, String) {
    open(bed).await;
    let api = Arc::new(api(bed));
    let holder = holder(bed, &api).await;
    (api, holder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_added_shown_and_changed_by_who_manages_them() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        api::account(&bed, AYSE).await;
        let (own, other) =
            (api::token(&bed, FIRM, api::all()).await, api::token(&bed, AYSE, api::all()).await);
        let post = async |body: Value| told(&api, &holder, "POST", "/operators", body).await;
        assert_eq!(told(&api, &own, "POST", "/operators", ayse()).await.1, "session-needed");
        let weak = token(&log_in(&api, FIRM, "kendi sözü").await);
        assert_eq!(told(&api, &weak, "POST", "/operators", ayse()).await.1, "step-up-needed");
        let with = |field: &str, value: Value| {
            let mut body = ayse();
            body[field] = value;
            body
        };
        for (field, value) in [
            ("roles", json!([])),
            ("roles", json!(["king"])),
            ("code", json!("007")),
            ("surname", Value::Null),
        ] {
            assert_eq!(post(with(field, value)).await, refused(400, "bad-body"), "{field}");
        }
        for (field, value) in [
            ("identity_number", "10000000147"),
            ("given_name", " "),
            ("phone", "12"),
            ("email", "ayse@hs05.kep.tr"),
        ] {
            assert_eq!(
                post(with(field, json!(value))).await,
                refused(422, "form-unfit"),
                "{field}"
            );
        }
        let (status, made) = api.ask(&holder, "POST", "/operators", ayse()).await;
        assert_eq!(
            (status, &made["code"], &made["roles"]),
            (201, &json!("001"), &json!(["signs", "reads"])),
            "{made}"
        );
        assert_eq!(post(ayse()).await, refused(409, "operator-there"));
        let (_, listed) = api.ask(&own, "GET", "/operators", Value::Null).await;
        assert_eq!(listed["operators"][0], made);
        assert!(!listed.to_string().contains(NUMBERS[0]), "who lists sees no numbers");
        let (_, none) = api.ask(&other, "GET", "/operators?limit=9", Value::Null).await;
        assert_eq!(none["operators"], json!([]));
        assert_eq!(
            told(&api, &own, "GET", "/operators/001", Value::Null).await.1,
            "session-needed"
        );
        let (_, whole) = api.ask(&holder, "GET", "/operators/1", Value::Null).await;
        assert_eq!(
            (&whole["identity_number"], &whole["phone"]),
            (&json!(NUMBERS[0]), &json!("+905325550000"))
        );
        let missing = told(&api, &holder, "GET", "/operators/002", Value::Null).await;
        assert_eq!(missing, refused(404, "operator-unknown"));

        let version = format!("\"{}\"", made["version"].as_str().unwrap());
        let change = async |body: Value, tag: &str| {
            versioned(&api, &holder, ("PATCH", "/operators/001"), body, tag).await
        };
        let (status, said, newer) = change(json!({ "roles": ["audits"] }), &version).await;
        assert_eq!(
            (status, &said["roles"], &said["title"]),
            (200, &json!(["audits"]), &json!("Müdür")),
            "{said}"
        );
        assert_ne!(newer, version);
        assert_eq!(change(json!({ "roles": ["full"] }), &version).await.0, 412);
        let (_, said, newest) = change(json!({ "title": "" }), &newer).await;
        assert_eq!((&said["title"], &said["roles"]), (&Value::Null, &json!(["audits"])));
        assert_eq!(change(json!({}), &newest).await.2, newest);
        let told: Vec<_> = acts(&bed, "operator.roles").await;
        assert_eq!((told.len(), told[0].channel.as_str()), (1, "api"));
        let second = appoint(&bed, NUMBERS[1], &[Role::Reads]).await;
        let (_, page) = api.ask(&own, "GET", "/operators?after=1&limit=1", Value::Null).await;
        assert_eq!(page["operators"][0]["code"], second.to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_manage_changes_no_operator_and_makes_no_token() {
    on_both(|bed| async move {
        let (api, _) = firm_of(&bed).await;
        let reads = appoint(&bed, NUMBERS[0], &[Role::Reads, Role::Signs]).await;
        let full = appoint(&bed, NUMBERS[1], &[Role::Full]).await;
        let (reader, whole) = (operator(&bed, &api, reads).await, operator(&bed, &api, full).await);
        let token = json!({ "name": "Program", "scopes": ["mail:read"] });
        let roles = json!({ "roles": ["full"] });
        for (method, path, body) in [
            ("POST", "/operators", ayse()),
            ("GET", "/operators/001", Value::Null),
            ("PATCH", "/operators/001", roles.clone()),
            ("POST", "/operators/002/end", Value::Null),
            ("POST", "/operators/002/suspend", Value::Null),
            ("POST", "/operators/002/resume", Value::Null),
            ("POST", "/operators/002/password-link", Value::Null),
            ("POST", "/account/closings", json!({})),
            ("POST", "/tokens", token.clone()),
        ] {
            let said = told(&api, &reader, method, path, body).await;
            assert_eq!(said, refused(403, "operator-may-not"), "{method} {path}");
        }
        let (status, made) = api.ask(&whole, "POST", "/tokens", token).await;
        assert_eq!((status, &made["made"]["operator"]), (201, &json!("002")));
        let his = made["token"].as_str().unwrap();
        assert_eq!(told(&api, his, "GET", "/messages", Value::Null).await.0, 200);
        assert_eq!(told(&api, &whole, "PATCH", "/operators/001", roles).await.0, 200);
        assert_eq!(told(&api, &reader, "GET", "/operators/002", Value::Null).await.0, 200);
        // Of himself, too; then he is gone.
        assert_eq!(told(&api, &whole, "POST", "/operators/002/end", Value::Null).await.0, 200);
        assert_eq!(told(&api, &whole, "GET", "/session", Value::Null).await.0, 401);
        assert_eq!(told(&api, his, "GET", "/messages", Value::Null).await.0, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_suspended_or_has_ended_is_out_at_once() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        let reads = appoint(&bed, NUMBERS[0], &[Role::Reads]).await;
        let his = operator(&bed, &api, reads).await;
        let ask = async |more: &str| {
            told(&api, &holder, "POST", &format!("/operators/001{more}"), Value::Null).await
        };
        assert_eq!(ask("/resume").await, refused(409, "operator-not-suspended"));
        let (status, said, _) =
            versioned(&api, &holder, ("POST", "/operators/001/suspend"), Value::Null, "\"x\"")
                .await;
        assert_eq!((status, &said["code"]), (412, &json!("changed-meanwhile")));
        let (status, said) = api.ask(&holder, "POST", "/operators/001/suspend", Value::Null).await;
        assert_eq!((status, &said["state"]), (200, &json!("suspended")));
        assert_eq!(told(&api, &his, "GET", "/session", Value::Null).await.0, 401);
        assert_eq!(ask("/suspend").await, refused(409, "operator-suspended"));
        assert_eq!(ask("/password-link").await, refused(409, "operator-suspended"));
        assert_eq!(ask("/resume").await.0, 200);
        let again = operator(&bed, &api, reads).await;
        assert_eq!(told(&api, &again, "GET", "/session", Value::Null).await.0, 200);
        assert_eq!(ask("/end").await.0, 200);
        assert_eq!(told(&api, &again, "GET", "/session", Value::Null).await.0, 401);
        for more in ["/end", "/suspend", "/resume", "/password-link"] {
            assert_eq!(ask(more).await, refused(409, "operator-ended"), "{more}");
        }
        let (_, listed) = api.ask(&holder, "GET", "/operators", Value::Null).await;
        assert_eq!(listed["operators"][0]["state"], "ended");
        closings::close(&bed.store, &firm(), &by(NOW)).await.unwrap();
        let said = told(&api, &holder, "POST", "/operators", ayse()).await;
        assert_eq!(said, refused(403, "account-read-only"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sets_his_first_password_by_the_link_and_the_code_that_he_is_sent() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        appoint(&bed, NUMBERS[1], &[Role::Reads]).await;
        let link = async |who: &str| {
            let path = format!("/operators/{who}/password-link");
            told(&api, &holder, "POST", &path, Value::Null).await
        };
        assert_eq!(link("001").await, refused(409, "operator-unreachable"), "he has no telephone");
        assert_eq!(link("009").await, refused(404, "operator-unknown"));
        assert_eq!(told(&api, &holder, "POST", "/operators", ayse()).await.0, 201);
        assert_eq!(link("002").await, refused(204, ""));
        let sent = told::told(&bed).await;
        let value = |kind: Kind, name: &str| {
            sent.iter().find(|one| one.kind == kind).unwrap().values[name].clone()
        };
        let token = value(Kind::ResetLink, "link");
        let token = token.split_once('#').unwrap().1;
        let new = "yetkilinin kendi sözü";
        let body =
            json!({ "token": token, "code": value(Kind::ResetCode, "code"), "password": new });
        assert_eq!(told(&api, "", "POST", "/password/reset", body).await, refused(204, ""));
        log_in(&api, &format!("{FIRM}/002"), new).await;
        let link_acts = acts(&bed, "operator.password-link").await;
        assert_eq!((link_acts.len(), link_acts[0].channel.as_str()), (1, "api"));
        let one = link_acts[0].details.to_string();
        assert!(one.contains("002 Ayşe Demir") && !one.contains(token), "{one}");
        let mut last = (204, String::new());
        for _ in 0..5 {
            last = link("002").await;
        }
        assert_eq!(last, refused(429, "login-locked"), "nobody is flooded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_account_has_no_operators() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        records::set_holder(&bed.store, &firm(), person(NUMBERS[1]), &by(NOW)).await.unwrap();
        let said = told(&api, &holder, "POST", "/operators", ayse()).await;
        assert_eq!(said, refused(409, "operators-not-for-persons"));
        assert!(operators::get(&bed.store, &firm(), code(1)).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_tells_the_room_that_accepts_by_which_door_it_came() {
    on_both(|bed| async move {
        let (api, _) = firm_of(&bed).await;
        let sends = appoint(&bed, NUMBERS[0], &[Role::Sends]).await;
        let sender = operator(&bed, &api, sends).await;
        let mail = "From: a\r\nTo: b@hs05.kep.tr\r\n\r\nx";
        assert_eq!(told(&api, &sender, "POST", "/submissions", json!(mail)).await.0, 201);
        assert_eq!(api.door(), Some(Channel::Api));
        let request = Request::post("/api/v1/submissions")
            .header("Cookie", format!("__Host-kep-session={sender}"))
            .header("X-KEP-Request", "1")
            .header("Content-Type", "message/rfc822");
        let (status, _) = api.send(request.body(Body::from(mail)).unwrap()).await;
        assert_eq!((status.as_u16(), api.door()), (201, Some(Channel::Portal)));
    })
    .await;
}

/// A token outlived the operator who had made it, and what was done by it named nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_may_what_the_operator_may_who_made_it_and_acts_in_his_name() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        let full = appoint(&bed, NUMBERS[0], &[Role::Full]).await;
        let whole = operator(&bed, &api, full).await;
        let wanted = json!({ "name": "Program", "scopes": ["mail:read", "contacts:write"] });
        let made = api.ask(&whole, "POST", "/tokens", wanted).await.1;
        let his = made["token"].as_str().unwrap();
        let label = json!({ "name": "İş" });
        assert_eq!(told(&api, his, "POST", "/contacts", label.clone()).await.0, 201);
        let roles = json!({ "roles": ["signs"] });
        assert_eq!(told(&api, &holder, "PATCH", "/operators/001", roles).await.0, 200);
        let said = told(&api, his, "POST", "/contacts", label).await;
        assert_eq!(said, refused(403, "operator-may-not"));
        let roles = json!({ "roles": ["full"] });
        assert_eq!(told(&api, &holder, "PATCH", "/operators/001", roles).await.0, 200);
        let added = acts(&bed, "token.add").await;
        assert_eq!(added[0].details["operator"], 1);
        let (_, listed) = api.ask(&holder, "GET", "/tokens", Value::Null).await;
        assert_eq!(listed["tokens"][0]["operator"], "001");
        let told = told::told(&bed).await;
        assert!(told.iter().any(|one| one.kind == Kind::Credentials), "whose it is hears of it");
        assert_eq!(
            self::told(&api, &holder, "POST", "/operators/001/suspend", Value::Null).await.0,
            200
        );
        let said = self::told(&api, his, "GET", "/messages", Value::Null).await;
        assert_eq!(said, refused(401, "token-unknown"));
    })
    .await;
}
