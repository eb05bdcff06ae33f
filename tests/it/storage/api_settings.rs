//! Settings over the API, on both drivers: each person has his own.

use super::api::{self, token};
use super::api_affairs::{AYSE_NO, MEHMET_NO, api, holder, operator, refused, told};
use super::on_both;
use super::operators::{FIRM, appoint, open};
use kep::registry::operators::Role;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_has_its_own_persons_settings_whatever_his_roles() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE_NO, &[Role::Signs]).await;
        let full = appoint(&bed, MEHMET_NO, &[Role::Full]).await;
        let api = api(&bed);
        let people = [
            holder(&bed, &api).await,
            operator(&bed, &api, signs).await,
            operator(&bed, &api, full).await,
        ];
        let set = async |who: &str, wishes: Value| {
            let (status, said) = api.ask(who, "PATCH", "/settings", wishes).await;
            assert_eq!(status, 200, "{said}");
        };
        set(&people[0], json!({ "page_size": 200, "signature_text": "Sahibi" })).await;
        set(&people[1], json!({ "page_size": 25, "language": "en", "undo": 60 })).await;
        let mut shown = Vec::new();
        for who in &people {
            let (status, said) = api.ask(who, "GET", "/settings", Value::Null).await;
            assert_eq!(status, 200, "{said}");
            let of = ["page_size", "language", "undo", "signature_text"];
            shown.push(of.map(|key| said[key].clone()));
        }
        assert_eq!(shown[0], [json!(200), json!("tr"), json!(10), json!("Sahibi")]);
        assert_eq!(shown[1], [json!(25), json!("en"), json!(60), json!("")]);
        assert_eq!(shown[2], [json!(50), json!("tr"), json!(10), json!("")], "whoever manages");
        // A program is nobody who sets something for himself.
        let program = token(&bed, FIRM, api::all()).await;
        for (method, body) in [("GET", Value::Null), ("PATCH", json!({ "undo": 0 }))] {
            let said = told(&api, &program, method, "/settings", body).await;
            assert_eq!(said, refused(403, "session-needed"), "{method}");
        }
    })
    .await;
}
