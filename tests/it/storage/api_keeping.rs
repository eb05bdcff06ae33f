//! Account data, policies and logs as the staff keeps them over the API, on both drivers.

use super::api::{self, account};
use super::api_staff::{Staff, acts, member};
use super::bed::Bed;
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use kep::registry::api_tokens::Scopes;
use kep::registry::holders::records;
use kep::registry::staff::StaffRole;
use kep::registry::{accounts, policy};
use kep::store::directory::query::{self, QueryRow};
use kep::wire::KepAddress;
use serde_json::{Value, json};

const ALI: &str = "ali.veli@hs05.kep.tr";
const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";

fn ali() -> KepAddress {
    KepAddress::parse(ALI).unwrap()
}

/// Status and what is said.
async fn told(staff: &Staff, who: &str, verb: &str, path: &str, body: Value) -> (u16, Value) {
    staff.api.ask(who, verb, path, body).await
}

async fn code(staff: &Staff, who: &str, verb: &str, path: &str, body: Value) -> String {
    let (status, said) = told(staff, who, verb, path, body).await;
    assert!((400..500).contains(&status), "{verb} {path}: {said}");
    said["code"].as_str().unwrap().to_owned()
}

/// Of a request that says which version it means.
async fn versioned(staff: &Staff, verb: &str, path: &str, body: Value, tag: &str) -> u16 {
    let request = Request::builder().method(verb).uri(format!("/api/v1{path}"));
    let request = request
        .header("Authorization", format!("Bearer {}", staff.selin))
        .header("Content-Type", "application/json")
        .header("If-Match", tag);
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    staff.api.send(request.body(body).unwrap()).await.0.as_u16()
}

fn company() -> Value {
    json!({
        "kind": "company", "title": "Örnek A.Ş.", "vkn": "8760052205", "mersis": "0876005220500014",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_sets_what_an_account_is_given_whole_or_not_at_all() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let (one, selin) = (format!("/staff/accounts/{ALI}"), staff.selin.as_str());
        let set = async |body: Value| told(&staff, selin, "PATCH", &one, body).await;
        let wished = json!({
            "opening": "direct", "signature": "hold", "storage": 1_048_576.0, "service": "receive",
            "label_mailboxes": true,
        });
        let refused = code(&staff, &staff.ece, "PATCH", &one, wished.clone()).await;
        assert_eq!(refused, "staff-role-missing");
        let before = staff.tag(&one).await;
        let (status, said) = set(wished.clone()).await;
        assert_eq!(status, 200, "{said}");
        for (field, value) in [
            ("opening", json!("direct")),
            ("signature", json!("hold")),
            ("storage", json!(1_048_576)),
            ("label_mailboxes", json!(true)),
            ("e_seal", json!(false)),
        ] {
            assert_eq!(said[field], value, "{field}");
        }
        assert_eq!(said["account"]["service"], "receive");
        assert_eq!(versioned(&staff, "PATCH", &one, json!({}), &before).await, 412);
        let now = staff.tag(&one).await;
        assert_eq!(versioned(&staff, "PATCH", &one, json!({ "storage": 0 }), &now).await, 200);
        assert_eq!(staff.get(&one).await["storage"], Value::Null, "the provider's own limit");
        for bad in [json!({ "opening": "x" }), json!({ "storage": -1 }), json!({ "name": "x" })] {
            assert_eq!(code(&staff, selin, "PATCH", &one, bad).await, "bad-body");
        }
        // A part that is refused leaves nothing half-done.
        let seal = json!({ "opening": "sealed", "e_seal": true });
        let all = acts(&bed).await.len();
        for (holder, why) in [(false, "holder-unknown"), (true, "policy-forbids")] {
            if holder {
                let path = format!("{one}/holder");
                assert_eq!(told(&staff, selin, "PUT", &path, company()).await.0, 200);
            }
            assert_eq!(code(&staff, selin, "PATCH", &one, seal.clone()).await, why);
        }
        assert_eq!(staff.get(&one).await["opening"], "direct");
        assert_eq!(acts(&bed).await.len(), all + 1, "the holder alone");
        let by = super::logins::by();
        let allowed = ("e-seal.allowed", "yes");
        policy::set(&bed.store, &by, allowed.0, allowed.1, NOW, "Kurul kararı").await.unwrap();
        let (_, said) = set(seal).await;
        assert_eq!((&said["e_seal"], &said["opening"]), (&json!(true), &json!("sealed")));
        let said = acts(&bed).await;
        for act in ["account.opening", "account.signature", "account.storage", "account.service"] {
            assert!(said.contains(&format!("{act} staff:selin")), "{act}: {said:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_records_holder_contact_and_invoices() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let (one, selin) = (format!("/staff/accounts/{ALI}"), staff.selin.as_str());
        let at = |what: &str| format!("{one}/{what}");
        let put = async |what: &str, body: Value| {
            let (status, said) = told(&staff, selin, "PUT", &at(what), body).await;
            assert_eq!(status, 200, "{what}: {said}");
            said
        };
        let said = put("holder", company()).await;
        assert_eq!(said["holder"]["vkn"], "8760052205");
        let person = json!({
            "kind": "person", "given_names": "Ali", "surname": "Veli",
            "identity_number": "10000000146",
        });
        assert_eq!(code(&staff, selin, "PUT", &at("holder"), person).await, "not-the-holder");
        let wrong = json!({ "kind": "company", "title": "Örnek A.Ş.", "vkn": "8760052205" });
        assert_eq!(code(&staff, selin, "PUT", &at("holder"), wrong).await, "form-unfit");
        let before = staff.tag(&one).await;
        let reached = json!({ "email": "bilgi@example.org", "phone": "+903125550000" });
        let (_, said) = told(&staff, selin, "PATCH", &at("contact"), reached.clone()).await;
        assert_eq!(said["contact"], reached, "{said}");
        let stale = versioned(&staff, "PATCH", &at("contact"), json!({}), &before).await;
        assert_eq!(stale, 412);
        let bad = json!({ "email": "bilgi" });
        assert_eq!(code(&staff, selin, "PATCH", &at("contact"), bad).await, "form-unfit");
        let gone = async || code(&staff, selin, "DELETE", &at("invoice"), Value::Null).await;
        assert_eq!(gone().await, "invoice-unknown");
        let invoice = json!({
            "title": "Örnek A.Ş.", "tax_office": "Çankaya", "tax_number": "8760052205",
            "street": "Atatürk Bulvarı 1", "district": "Çankaya", "province": "Ankara",
        });
        assert_eq!(put("invoice", invoice).await["invoice"]["tax_office"], "Çankaya");
        let (status, said) = told(&staff, selin, "DELETE", &at("invoice"), Value::Null).await;
        assert_eq!((status, &said["invoice"]), (200, &Value::Null));
        for what in ["holder", "contact"] {
            let verb = if what == "holder" { "PUT" } else { "PATCH" };
            let body = if what == "holder" { company() } else { json!({}) };
            let heard = code(&staff, &staff.ece, verb, &at(what), body.clone()).await;
            assert_eq!(heard, "staff-role-missing");
            let nowhere = format!("/staff/accounts/yok@hs05.kep.tr/{what}");
            assert_eq!(code(&staff, selin, verb, &nowhere, body).await, "account-unknown");
        }
        let versions = records::versions(&bed.store, &ali()).await.unwrap();
        assert_eq!(versions[0].changed_by, "staff:selin");
        let said = acts(&bed).await;
        for act in ["account.holder", "account.contact", "account.invoice"] {
            assert!(said.contains(&format!("{act} staff:selin")), "{act}: {said:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_renews_contracts_and_records_requests_to_close() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let (one, selin) = (format!("/staff/accounts/{ALI}"), staff.selin.as_str());
        let at = |what: &str| format!("{one}/{what}");
        for bad in [json!({ "months": 0 }), json!({ "months": 121 }), json!({ "months": 1.5 })] {
            staff.refused(selin, &at("renew"), bad, "bad-body").await;
        }
        staff.refused(&staff.ece, &at("renew"), json!({}), "staff-role-missing").await;
        let first = staff.done(selin, &at("renew"), json!({ "months": 6 })).await;
        assert_eq!(first["contracts"][0]["number"], 1);
        let before = staff.tag(&one).await;
        let second = staff.done(selin, &at("renew"), json!({})).await;
        assert_eq!(second["contracts"][1], first["contracts"][0], "{second}");
        // Who saw the term before does not renew once more.
        assert_eq!(versioned(&staff, "POST", &at("renew"), json!({}), &before).await, 412);
        let asked = staff.done(selin, &at("closings"), json!({ "reason": "Dilekçe 17" })).await;
        assert_eq!(asked["account"]["standing"]["state"], "closing");
        let closing = &asked["closings"][0];
        assert_eq!((&closing["by"], &closing["outcome"]), (&json!("staff:selin"), &json!("open")));
        staff.refused(selin, &at("closings"), json!({}), "account-standing").await;
        let withdraw = at(&format!("closings/{}/withdraw", closing["number"]));
        staff.refused(&staff.ece, &withdraw, Value::Null, "staff-role-missing").await;
        staff.refused(selin, &at("closings/999/withdraw"), Value::Null, "closing-unknown").await;
        account(&bed, AYSE).await;
        let anothers = format!("/staff/accounts/{AYSE}/closings/{}/withdraw", closing["number"]);
        staff.refused(selin, &anothers, Value::Null, "closing-unknown").await;
        let open = staff.done(selin, &withdraw, Value::Null).await;
        assert_eq!(open["account"]["standing"]["state"], "active");
        assert_eq!(open["closings"][0]["outcome"], "withdrawn");
        staff.refused(selin, &withdraw, Value::Null, "account-standing").await;
        staff.done(selin, &at("close"), Value::Null).await;
        staff.refused(selin, &at("renew"), json!({}), "account-standing").await;
        let said = acts(&bed).await;
        assert!(said.contains(&"contract.renew staff:selin".to_owned()), "{said:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_are_proposed_that_are_free() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let free = async |query: &str| {
            let said = staff.get(&format!("/staff/address-proposals{query}")).await;
            let all = said["addresses"].as_array().unwrap().clone();
            all.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let named = free("?given_names=Ali&surname=Veli&limit=2").await;
        assert_eq!(named.len(), 2);
        assert!(!named.contains(&ALI.to_owned()), "it is given: {named:?}");
        assert!(free("?title=%C3%96rnek%20A.%C5%9E.").await[0].contains("ornek"));
        assert!(free("").await.is_empty());
        let path = "/staff/address-proposals";
        let heard = code(&staff, &staff.ece, "GET", path, Value::Null).await;
        assert_eq!(heard, "staff-role-missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_decided_for_later_looked_at_then_and_taken_back() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        let boss = member(&bed, "amir", &[StaffRole::Manager]).await;
        let (key, later) = ("read.standart", NOW.plus_secs(86_400).iso8601());
        let decisions = format!("/staff/policies/{key}/decisions");
        let new = |from: &str| json!({ "value": "48h", "reason": "Karar 7", "from": from });
        let past = NOW.plus_secs(-1).iso8601();
        staff.refused(&boss, &decisions, new(&past), "policy-past").await;
        for bad in ["yarın", "2027-01-01", "2027-01-01T00:00:00"] {
            staff.refused(&boss, &decisions, new(bad), "bad-body").await;
        }
        staff.refused(&staff.selin, &decisions, new(&later), "staff-role-missing").await;
        let made = staff.done(&boss, &decisions, new(&later)).await;
        assert_eq!(made["from"], json!(later));
        let value = async |query: &str| {
            let said = staff.get(&format!("/staff/policies{query}")).await;
            let all = said["policies"].as_array().unwrap().clone();
            all.into_iter().find(|one| one["key"] == key).unwrap()["value"].clone()
        };
        let now = value("").await;
        assert_ne!(now, "48h");
        assert_eq!(value(&format!("?at={later}")).await, "48h");
        assert_eq!(value(&format!("?at={past}")).await, now);
        let (status, _) = told(&staff, &boss, "GET", "/staff/policies?at=x", Value::Null).await;
        assert_eq!(status, 400);
        let (cancel, why) =
            (format!("/staff/policies/{key}/cancel"), json!({ "reason": "Vazgeçildi" }));
        staff.refused(&staff.selin, &cancel, why.clone(), "staff-role-missing").await;
        let nowhere = "/staff/policies/yok/cancel";
        staff.refused(&boss, nowhere, why.clone(), "policy-unknown").await;
        let done = staff.done(&boss, &cancel, why.clone()).await;
        assert_eq!(done, json!({ "decisions": 1 }));
        assert_eq!(value(&format!("?at={later}")).await, now);
        staff.refused(&boss, &cancel, why, "policy-nothing-later").await;
        let said = acts(&bed).await;
        let cancelled = said.iter().filter(|act| *act == "policy.cancel staff:amir").count();
        assert_eq!(cancelled, 1, "{said:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_looked_through_by_who_and_since_when() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        staff
            .done(&staff.selin, &format!("/staff/accounts/{ALI}/suspend"), json!({ "reason": "x" }))
            .await;
        staff.done(&staff.can, &format!("/staff/accounts/{ALI}/resume"), Value::Null).await;
        let acts = async |query: &str| {
            let said = staff.get(&format!("/staff/audit{query}")).await;
            let all = said["entries"].as_array().unwrap().clone();
            all.iter().map(|one| one["act"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(acts("?actor=staff:selin").await, ["account.suspend", "token.add"]);
        assert_eq!(acts("?actor=staff:can&act=account").await, ["account.resume"]);
        assert!(acts("?actor=staff:yok").await.is_empty());
        let at = NOW.iso8601();
        assert_eq!(acts(&format!("?since={at}&act=account")).await.len(), 2);
        let after = NOW.plus_secs(1).iso8601();
        assert!(acts(&format!("?since={after}")).await.is_empty());
        let (status, _) =
            told(&staff, &staff.selin, "GET", "/staff/audit?since=x", Value::Null).await;
        assert_eq!(status, 400);
    })
    .await;
}

async fn asked(bed: &Bed, who: &str, keys: &str) {
    let account = accounts::get(&bed.store, &KepAddress::parse(who).unwrap()).await.unwrap().id;
    let row = QueryRow {
        id: 0,
        account,
        actor: format!("person:{}:{who}", account.0),
        channel: "api".into(),
        kind: "person".into(),
        keys: keys.into(),
        asked_at: NOW,
        results: None,
        central: "off".into(),
    };
    bed.write(move |tx| Ok(query::note(tx, &row, 5)?)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_the_directory_is_told_to_who_audits() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        for who in [ALI, AYSE] {
            account(&bed, who).await;
            asked(&bed, who, "given family").await;
        }
        asked(&bed, ALI, "phone").await;
        let log = async |query: &str| {
            let said = staff.get(&format!("/staff/directory-log{query}")).await;
            said["queries"].as_array().unwrap().clone()
        };
        let all = log("").await;
        let who: Vec<_> = all.iter().map(|one| one["account"].as_str().unwrap()).collect();
        assert_eq!(who, [ALI, AYSE, ALI]);
        assert_eq!(all[1]["keys"], json!(["given", "family"]));
        assert_eq!(json!(log(&format!("?account={ALI}&limit=1")).await), json!([all[0]]));
        let before = format!("?before={}", all[1]["number"]);
        assert_eq!(json!(log(&before).await), json!([all[2]]));
        let path = "/staff/directory-log";
        let heard = code(&staff, &staff.can, "GET", path, Value::Null).await;
        assert_eq!(heard, "staff-role-missing");
        let unknown = format!("{path}?account=yok@hs05.kep.tr");
        let heard = code(&staff, &staff.selin, "GET", &unknown, Value::Null).await;
        assert_eq!(heard, "account-unknown");
        let holder = api::token(&bed, ALI, Scopes::full(false)).await;
        assert_eq!(code(&staff, &holder, "GET", path, Value::Null).await, "scope-missing");
    })
    .await;
}
