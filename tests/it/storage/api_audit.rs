//! The audit as an account's own people read it over the API, on both drivers.

use super::api::{self, AYSE};
use super::api_affairs::{AYSE_NO, MEHMET_NO, api, holder, operator, refused, told};
use super::bed::Bed;
use super::operators::{FIRM, appoint, by, open};
use super::{NOW, on_both};
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::audit;
use kep::registry::operators::Role;
use serde_json::{Value, json};

async fn record(bed: &Bed, act: &'static str, subject: &'static str, details: Value) {
    bed.write(move |tx| Ok(audit::record(tx, &by(NOW), act, subject, details.clone())?)).await;
}

fn names(said: &Value) -> Vec<String> {
    let all = said["entries"].as_array().unwrap().iter();
    all.map(|one| one["act"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accounts_people_read_what_was_done_about_it_and_nothing_that_staff_does_among_itself() {
    on_both(|bed| async move {
        open(&bed).await;
        api::account(&bed, AYSE).await;
        for act in
            ["authority.request", "hold.place", "proposal.add", "application.check", "staff.add"]
        {
            record(&bed, act, FIRM, json!({ "file": "2026/1" })).await;
        }
        let why = json!({ "reason": "Borç", "by": "staff:ayse", "state": "suspended" });
        record(&bed, "account.suspend", FIRM, why).await;
        record(&bed, "account.close", AYSE, json!({})).await;
        let audits = appoint(&bed, AYSE_NO, &[Role::Audits]).await;
        let reads = appoint(&bed, MEHMET_NO, &[Role::Reads, Role::Signs]).await;
        let api = api(&bed);
        let own = api::token(&bed, FIRM, Scopes::of([Scope::AccountAudit])).await;
        let all = async |who: &str, path: &str| {
            let (status, said) = api.ask(who, "GET", path, Value::Null).await;
            assert_eq!(status, 200, "{said}");
            said
        };
        let said = all(&own, "/account/audit").await;
        assert_eq!(names(&said), ["token.add", "operator.add", "operator.add", "account.suspend"]);
        let suspended = &said["entries"][3];
        assert_eq!(
            (&suspended["by"], &suspended["name"], &suspended["details"]),
            (&json!("staff"), &Value::Null, &json!({ "state": "suspended" }))
        );
        let second = &said["entries"][1]["number"];
        let rest = all(&own, &format!("/account/audit?limit=1&before={second}")).await;
        assert_eq!(rest["entries"], json!([said["entries"][2]]));
        // Who acts for the account is named, and who doesn't audit does not read it.
        let (auditor, reader) =
            (operator(&bed, &api, audits).await, operator(&bed, &api, reads).await);
        let said = all(&auditor, "/account/audit?limit=1").await;
        assert_eq!((&said["entries"][0]["by"], names(&said).len()), (&json!("person"), 1));
        assert!(said["entries"][0]["name"].as_str().unwrap().starts_with(FIRM), "{said}");
        let path = "/account/audit";
        let heard = told(&api, &reader, "GET", path, Value::Null).await;
        assert_eq!(heard, refused(403, "operator-may-not"));
        let whole = all(&holder(&bed, &api).await, path).await.to_string();
        assert!(!whole.contains("2026/1") && !whole.contains("ayse\""), "{whole}");
        // Another account's people read of their own.
        let other = api::token(&bed, AYSE, api::all()).await;
        assert_eq!(names(&all(&other, path).await), ["token.add", "account.close"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_shows_its_sub_domain_service_and_e_seal() {
    on_both(|bed| async move {
        api::account(&bed, "bilgi@ornek.hs05.kep.tr").await;
        let account = api::account(&bed, AYSE).await;
        bed.write(move |tx| Ok(kep::store::holders::set_terms(tx, account, None, true)?)).await;
        let api = api(&bed);
        for (who, sub_domain, e_seal) in
            [("bilgi@ornek.hs05.kep.tr", json!("ornek"), false), (AYSE, Value::Null, true)]
        {
            let own = api::token(&bed, who, Scopes::of([Scope::AccountRead])).await;
            let (_, said) = api.ask(&own, "GET", "/account", Value::Null).await;
            let shown = (&said["sub_domain"], &said["e_seal"], &said["service"]);
            assert_eq!(shown, (&sub_domain, &json!(e_seal), &json!("both")));
        }
    })
    .await;
}
