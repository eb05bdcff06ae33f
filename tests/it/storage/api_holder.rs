//! Whose an account is, its contract and its end, over the API, on both drivers.

use super::api::{self, AYSE};
use super::api_affairs::{acts, api, holder, operator, refused, told, versioned};
use super::api_login::{log_in, token};
use super::bed::Bed;
use super::holders::{company, word};
use super::operators::{FIRM, appoint, by, firm, open};
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use kep::registry::holders::records;
use kep::registry::operators::Role;
use kep::registry::{accounts, closings, contracts, policy};
use kep::wire::KepAddress;
use serde_json::{Value, json};
use std::sync::Arc;

/// The firm, and a session of its holder.
async fn firm_of(bed: &Bed) -> (Arc<api::Api>, String) {
    open(bed).await;
    let api = Arc::new(api(bed));
    let holder = holder(bed, &api).await;
    (api, holder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_holder_is_shown_to_persons_and_changes_how_he_is_reached() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        let own = api::token(&bed, FIRM, api::all()).await;
        let reads = appoint(&bed, "10000000146", &[Role::Reads]).await;
        let reader = operator(&bed, &api, reads).await;
        let get = async |who: &str, path: &str| api.ask(who, "GET", path, Value::Null).await;
        let (status, shown) = get(&holder, "/account/holder").await;
        assert_eq!(
            (status, &shown["kind"], &shown["name"]),
            (200, &Value::Null, &json!("Örnek A.Ş."))
        );
        records::set_holder(&bed.store, &firm(), company("8760052205"), &by(NOW)).await.unwrap();
        let (_, shown) = get(&reader, "/account/holder").await;
        assert_eq!((&shown["kind"], &shown["vkn"]), (&json!("company"), &json!("8760052205")));
        assert_eq!(get(&own, "/account/holder").await.1["code"], "session-needed");
        assert_eq!(get("", "/account/contact").await.0, 401);

        let path = "/account/contact";
        let change = async |who: &str, body: Value, tag: &str| {
            let (status, said, tag) = versioned(&api, who, ("PATCH", path), body, tag).await;
            (status, said, tag)
        };
        let (status, said, _) = change(&reader, json!({ "email": "a@example.org" }), "*").await;
        assert_eq!((status, &said["code"]), (403, &json!("operator-may-not")));
        assert_eq!(told(&api, &own, "PATCH", path, json!({})).await.1, "session-needed");
        let first = json!({ "email": "a@example.org", "mobile": "0532 555 00 00" });
        let (status, said, tag) = change(&holder, first.clone(), "\"0\"").await;
        assert_eq!((status, tag.as_str(), &said["version"]), (200, "\"1\"", &json!(1)), "{said}");
        assert_eq!(said["mobile"], "+905325550000");
        let (status, said, _) = change(&holder, json!({ "email": "" }), "\"0\"").await;
        assert_eq!((status, &said["code"]), (412, &json!("changed-meanwhile")));
        // The same again is no change.
        assert_eq!(change(&holder, first, "*").await.2, "\"1\"");
        let (status, said, _) = change(&holder, json!({ "email": "" }), &tag).await;
        assert_eq!(
            (status, &said["email"], &said["mobile"]),
            (200, &Value::Null, &json!("+905325550000"))
        );
        let bad = json!({ "street": "Yol 1", "email": "ali@hs05.kep.tr" });
        let (status, said, _) = change(&holder, bad, "*").await;
        assert_eq!((status, &said["code"]), (422, &json!("form-unfit")));
        let title = said["title"].as_str().unwrap();
        assert!(title.contains("email: E-posta") && title.contains("district"), "{title}");
        for bad in [json!({ "fax": "1" }), json!({ "phone": "1\n2" }), json!([])] {
            assert_eq!(change(&holder, bad, "*").await.0, 400);
        }
        let recorded = acts(&bed, "account.contact").await;
        assert_eq!((recorded.len(), recorded[0].channel.as_str()), (2, "api"));
        let details = recorded.iter().map(|one| one.details.to_string()).collect::<String>();
        assert!(!details.contains("example.org") && !details.contains("555"), "{details}");
        closings::close(&bed.store, &firm(), &by(NOW)).await.unwrap();
        let (status, said, _) = change(&holder, json!({ "phone": "" }), "*").await;
        assert_eq!((status, &said["code"]), (403, &json!("account-read-only")));
        assert_eq!(get(&holder, path).await.0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_go_where_the_holder_says() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        let path = "/account/invoice";
        let ask = async |method: &str, body: Value, tag: &str| {
            let (status, said, tag) = versioned(&api, &holder, (method, path), body, tag).await;
            (status, said["code"].as_str().unwrap_or_default().to_owned(), tag)
        };
        let unknown = (404, "invoice-unknown".to_owned(), String::new());
        assert_eq!(ask("GET", Value::Null, "*").await, unknown);
        assert_eq!(ask("DELETE", Value::Null, "*").await, unknown);
        let whole = json!({ "title": "Örnek A.Ş.", "tax_office": "", "tax_number": "8760052205",
            "street": "Yol 1", "district": "Çankaya", "province": "Ankara" });
        let mut bad = whole.clone();
        bad["tax_number"] = json!("8760052206");
        assert_eq!(ask("PUT", bad, "*").await.1, "form-unfit");
        let (status, _, tag) = ask("PUT", whole.clone(), "*").await;
        assert_eq!(status, 200);
        assert_eq!(ask("PUT", whole.clone(), "\"x\"").await.1, "changed-meanwhile");
        assert_eq!(ask("PUT", whole, &tag).await.2, tag, "the same is the same");
        let (_, shown) = api.ask(&holder, "GET", path, Value::Null).await;
        assert_eq!((&shown["province"], &shown["tax_office"]), (&json!("Ankara"), &Value::Null));
        assert_eq!(ask("DELETE", Value::Null, "\"x\"").await.0, 412);
        assert_eq!(ask("DELETE", Value::Null, &tag).await.0, 204);
        assert_eq!(ask("DELETE", Value::Null, &tag).await, unknown);
        assert_eq!(acts(&bed, "account.invoice").await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_that_ends_soon_is_renewed_once() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        let own = api::token(&bed, FIRM, api::all()).await;
        let path = "/account/contract/renew";
        let renew = async |who: &str| told(&api, who, "POST", path, Value::Null).await;
        assert_eq!(renew(&holder).await, refused(409, "contract-none"));
        assert_eq!(renew(&own).await, refused(403, "session-needed"));
        let weak = token(&log_in(&api, FIRM, "kendi sözü").await);
        assert_eq!(renew(&weak).await, refused(403, "step-up-needed"));
        let reads = appoint(&bed, "10000000146", &[Role::Reads]).await;
        let reader = operator(&bed, &api, reads).await;
        assert_eq!(renew(&reader).await, refused(403, "operator-may-not"));
        contracts::renew(&bed.store, &firm(), Some(12), &by(NOW)).await.unwrap();
        let (_, said) = api.ask(&holder, "POST", path, Value::Null).await;
        assert_eq!(said["code"], "contract-early");
        policy_of(&bed, "task.contract", "400d").await;
        let (status, said, _) =
            versioned(&api, &holder, ("POST", path), Value::Null, "\"0\"").await;
        assert_eq!((status, &said["code"]), (412, &json!("changed-meanwhile")));
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (api, holder) = (Arc::clone(&api), holder.clone());
            tries.spawn(async move {
                let path = "/account/contract/renew";
                versioned(&api, &holder, ("POST", path), Value::Null, "\"1\"").await.0
            });
        }
        let mut statuses = tries.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
        let (_, shown) = api.ask(&own, "GET", "/account/contract?limit=1", Value::Null).await;
        assert_eq!(
            (shown["terms"].as_array().unwrap().len(), &shown["terms"][0]["number"]),
            (1, &json!(2)),
            "{shown}"
        );
        let (_, rest) = api.ask(&own, "GET", "/account/contract?before=2", Value::Null).await;
        assert_eq!(rest["terms"][0]["number"], 1);
        assert_eq!(renew(&holder).await.1, "contract-early", "that is enough");
        assert_eq!(acts(&bed, "contract.renew").await[0].channel, "api");
    })
    .await;
}

async fn policy_of(bed: &Bed, name: &str, value: &str) {
    policy::set(&bed.store, &by(NOW), name, value, NOW, "deneme").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_close_has_a_receipt_and_is_withdrawn_while_there_is_time() {
    on_both(|bed| async move {
        let (api, holder) = firm_of(&bed).await;
        api::account(&bed, AYSE).await;
        let (own, other) =
            (api::token(&bed, FIRM, api::all()).await, api::token(&bed, AYSE, api::all()).await);
        let post =
            async |who: &str, path: &str, body: Value| api.ask(who, "POST", path, body).await;
        let request = async |body: Value| post(&holder, "/account/closings", body).await;
        assert_eq!(post(&own, "/account/closings", json!({})).await.1["code"], "session-needed");
        let weak = token(&log_in(&api, FIRM, "kendi sözü").await);
        assert_eq!(post(&weak, "/account/closings", json!({})).await.1["code"], "step-up-needed");
        assert_eq!(request(json!({ "reason": "a\nb" })).await.1["code"], "bad-body");
        let (status, made) = request(json!({ "reason": "Şirket kapanıyor" })).await;
        assert_eq!((status, &made["state"], &made["stamped"]), (201, &json!("open"), &Value::Null));
        assert_eq!(request(json!({})).await.1["code"], "account-standing", "twice");
        let one = format!("/account/closings/{}", made["number"]);
        let receipt = format!("{one}/receipt");
        let get = async |who: &str, path: &str| told(&api, who, "GET", path, Value::Null).await;
        let signature = format!("{receipt}/signature");
        for path in [&receipt, &signature] {
            assert_eq!(get(&own, path).await, refused(409, "receipt-unsigned"));
            assert_eq!(get(&other, path).await, refused(404, "closing-unknown"));
        }
        assert_eq!(get(&other, &one).await, refused(404, "closing-unknown"));
        let id = made["number"].as_i64().unwrap();
        let (signer, verifier) = word(NOW);
        let kept = closings::sign(&bed.store, &signer, "Örnek KEP", id).await.unwrap();
        let file = async |path: &str| {
            let request = Request::get(format!("/api/v1{path}"));
            let request = request.header("Authorization", format!("Bearer {own}"));
            let (status, answer) = api.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(status.as_u16(), 200, "{path}");
            answer.into_body()
        };
        let (text, cms) = (file(&receipt).await, file(&signature).await);
        assert_eq!((&text, &cms), (&kept.text, &kept.signature));
        verifier.verify(&text, &cms, NOW).unwrap();
        assert!(String::from_utf8(text).unwrap().contains("Şirket kapanıyor"));
        // Withdrawn, once; another one is another one.
        let withdraw = format!("{one}/withdraw");
        assert_eq!(told(&api, &own, "POST", &withdraw, Value::Null).await.1, "session-needed");
        let (status, said) = post(&holder, &withdraw, Value::Null).await;
        assert_eq!((status, &said["state"]), (200, &json!("withdrawn")));
        assert_eq!(post(&holder, &withdraw, Value::Null).await.1["code"], "account-standing");
        let (_, next) = request(json!({ "reason": "" })).await;
        assert_eq!(post(&holder, &withdraw, Value::Null).await.1["code"], "account-standing");
        let (_, listed) = api.ask(&own, "GET", "/account/closings?limit=1", Value::Null).await;
        assert_eq!(listed["closings"][0]["number"], next["number"]);
        let path = format!("/account/closings?before={}", next["number"]);
        let (_, rest) = api.ask(&own, "GET", &path, Value::Null).await;
        assert_eq!(rest["closings"][0]["number"], made["number"]);
        assert_eq!(get(&other, "/account/closings").await.0, 200);
        assert_eq!(acts(&bed, "account.closing.request").await.len(), 2);
        // Its hour comes.
        closings::close(&bed.store, &firm(), &by(NOW)).await.unwrap();
        let late = format!("/account/closings/{}/withdraw", next["number"]);
        assert_eq!(post(&holder, &late, Value::Null).await.1["code"], "account-read-only");
        let firm = KepAddress::parse(FIRM).unwrap();
        assert!(accounts::get(&bed.store, &firm).await.is_ok());
    })
    .await;
}
