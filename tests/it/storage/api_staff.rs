//! What the staff does over the API, on both drivers: applications, accounts, credits, holds, authorities'
//! requests; who may, who is the second, and what another one changed meanwhile.

use super::api::{Api, account, people, token};
use super::authority::elliptic;
use super::bed::Bed;
use super::logins::by;
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use kep::registry::api_tokens::{self, Scope, Scopes};
use kep::registry::audit::{self, Actor, By, Wanted};
use kep::registry::holders::{Holder, HolderForm, records};
use kep::registry::staff::{self, StaffRole};
use kep::registry::{accounts, closings};
use kep::wire::KepAddress;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const ALI: &str = "ali.veli@hs05.kep.tr";
const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";

/// A token of a member of staff with all scopes of the staff.
pub async fn member(bed: &Bed, name: &str, roles: &[StaffRole]) -> String {
    let secret = SecretString::from("uzun bir parola sozu");
    staff::add(&bed.store, &By::system("test", NOW), name, name, roles, &secret).await.unwrap();
    let (own, all) = (his(name), Scopes::full(true));
    let made = api_tokens::add_staff(&bed.store, &own, name, "idare", all, 1).await;
    made.unwrap().1.expose_secret().to_owned()
}

/// What a member of staff does himself.
pub fn his(name: &str) -> By {
    By { actor: Actor::Staff(name.to_owned()), ..by() }
}

/// `selin` keeps and counts, `can` and `ece` approve; all three may register.
pub struct Staff {
    pub api: Api,
    pub selin: String,
    pub can: String,
    pub ece: String,
}

impl Staff {
    pub async fn of(bed: &Bed) -> Self {
        use StaffRole::{Accountant, Approver, Auditor, Manager, Registrar};
        member(bed, "mudur", &[Manager]).await;
        let selin = member(bed, "selin", &[Registrar, Approver, Accountant, Auditor]).await;
        let can = member(bed, "can", &[Registrar, Approver]).await;
        let ece = member(bed, "ece", &[Approver]).await;
        Self { api: Api::of(bed, 10_000, people(bed)), selin, can, ece }
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, said) = self.api.ask(&self.selin, "GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {said}");
        said
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> (u16, Value) {
        self.api.ask(who, "POST", path, body).await
    }

    pub async fn done(&self, who: &str, path: &str, body: Value) -> Value {
        let (status, said) = self.post(who, path, body).await;
        assert!((200..300).contains(&status), "{path}: {said}");
        said
    }

    pub async fn refused(&self, who: &str, path: &str, body: Value, code: &str) {
        let (status, said) = self.post(who, path, body).await;
        assert!((400..500).contains(&status), "{path}: {said}");
        assert_eq!(said["code"], code, "{path}: {said}");
    }

    /// The version of what is there.
    async fn tag(&self, path: &str) -> String {
        let request = Request::get(format!("/api/v1{path}"))
            .header("Authorization", format!("Bearer {}", self.selin));
        let (_, answer) = self.api.send(request.body(Body::empty()).unwrap()).await;
        answer.headers()["etag"].to_str().unwrap().to_owned()
    }

    async fn if_match(&self, who: &str, path: &str, tag: &str) -> u16 {
        let request = Request::post(format!("/api/v1{path}"))
            .header("Authorization", format!("Bearer {who}"))
            .header("If-Match", tag);
        self.api.send(request.body(Body::empty()).unwrap()).await.0.as_u16()
    }
}

pub fn application(address: &str, number: &str) -> Value {
    json!({
        "address": address,
        "holder": {
            "kind": "person", "given_names": "Ali", "surname": "Veli", "identity_number": number,
        },
        "contact": { "email": "ali@example.org" },
        "papers": [{ "kind": "identity", "reference": "Dolap 3/17" }],
    })
}

async fn acts(bed: &Bed) -> Vec<String> {
    let all = audit::list(&bed.store, Wanted { most: 200, ..Wanted::default() }).await.unwrap();
    all.into_iter().rev().map(|entry| format!("{} {}", entry.act, entry.actor)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_checked_by_one_and_approved_by_two_others() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        let (all, selin) = ("/staff/applications", staff.selin.as_str());
        for (body, code) in [
            (application("ali.veli@hs06.kep.tr", "10000000146"), "address-not-given"),
            (application("destek@hs05.kep.tr", "10000000146"), "address-not-given"),
            (application("no-address", "10000000146"), "address-not-given"),
            (application(ALI, "10000000147"), "form-unfit"),
            (json!({ "address": ALI }), "bad-body"),
        ] {
            staff.refused(selin, all, body, code).await;
        }
        let made = staff.done(selin, all, application(ALI, "10000000146")).await;
        assert_eq!((&made["state"], &made["missing"]), (&json!("created"), &json!(["contract"])));
        staff.refused(selin, all, application(ALI, "10000000214"), "address-not-given").await;
        let one = format!("{all}/{}", made["number"]);
        let step = |what: &str| format!("{one}/{what}");
        staff.refused(selin, &step("check"), json!({}), "papers-missing").await;
        staff.refused(&staff.can, &step("approve"), Value::Null, "application-mistimed").await;
        let contract = json!({ "papers": [{ "kind": "contract" }] });
        staff.refused(&staff.ece, &step("check"), contract.clone(), "staff-role-missing").await;
        let before = staff.tag(&one).await;
        let checked = staff.done(selin, &step("check"), contract).await;
        assert_eq!((&checked["state"], &checked["missing"]), (&json!("checked"), &json!([])));
        // Never by who checked, and by two.
        staff.refused(selin, &step("approve"), Value::Null, "second-person-needed").await;
        assert_eq!(staff.if_match(&staff.can, &step("approve"), &before).await, 412);
        let now = staff.tag(&one).await;
        assert_eq!(staff.if_match(&staff.can, &step("approve"), &now).await, 200);
        staff.refused(&staff.can, &step("approve"), Value::Null, "second-person-needed").await;
        let approved = staff.done(&staff.ece, &step("approve"), Value::Null).await;
        assert_eq!(approved["state"], "approved");
        let hands: Vec<_> = approved["hands"].as_array().unwrap().iter().collect();
        assert_eq!((hands.len(), &hands[2]["by"]), (3, &json!("ece")), "{hands:?}");
        let refused = staff.done(selin, &step("refuse"), json!({ "reason": "Şüpheli" })).await;
        assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("Şüpheli")));
        staff.refused(selin, &step("withdraw"), json!({}), "application-mistimed").await;
        assert_eq!(staff.get(&one).await, refused);
        let said = acts(&bed).await;
        assert!(said.contains(&"application.refuse staff:selin".to_owned()), "{said:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applications_are_leafed_through_by_state() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        let (all, selin) = ("/staff/applications", staff.selin.as_str());
        for (address, number) in [
            ("bir@hs05.kep.tr", "10000000146"),
            ("iki@hs05.kep.tr", "10000000214"),
            ("uc@hs05.kep.tr", "10000000146"),
        ] {
            staff.done(selin, all, application(address, number)).await;
        }
        let first = staff.get(&format!("{all}?limit=2")).await;
        let numbers = |said: &Value| {
            let found = said["applications"].as_array().unwrap().iter();
            found.map(|one| one["number"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        let newest = numbers(&first);
        assert_eq!(newest.len(), 2);
        let rest = staff.get(&format!("{all}?limit=2&before={}", newest[1])).await;
        assert_eq!(numbers(&rest), [newest[1] - 1]);
        let withdraw = format!("{all}/{}/withdraw", newest[0]);
        staff.done(selin, &withdraw, json!({ "reason": "Vazgeçti" })).await;
        assert_eq!(numbers(&staff.get(&format!("{all}?state=withdrawn")).await), [newest[0]]);
        let told =
            Wanted { act: Some("application.withdraw".into()), most: 2, ..Wanted::default() };
        let told = audit::list(&bed.store, told).await.unwrap();
        assert_eq!((told.len(), &told[0].details["reason"]), (1, &json!("Vazgeçti")));
        let (status, _) = staff.api.ask(selin, "GET", &format!("{all}?state=x"), Value::Null).await;
        assert_eq!(status, 400);
        staff
            .refused(selin, &format!("{all}/999/withdraw"), json!({}), "application-unknown")
            .await;
        // Who left does nothing more, whatever his token says.
        staff::end(&bed.store, &by(), "selin").await.unwrap();
        let (status, said) = staff.api.ask(selin, "GET", all, Value::Null).await;
        assert!(status == 401 || status == 403, "{said}");
        account(&bed, AYSE).await;
        let holder = token(&bed, AYSE, Scopes::full(false)).await;
        let (status, said) = staff.api.ask(&holder, "GET", all, Value::Null).await;
        assert_eq!((status, &said["code"]), (403, &json!("scope-missing")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_something_is_not_taken_is_said_in_the_language_that_was_asked_for() {
    let bed = Bed::sqlite().await;
    let staff = Staff::of(&bed).await;
    account(&bed, AYSE).await;
    let holder = token(&bed, AYSE, Scopes::full(false)).await;
    let all = "/staff/applications";
    let foreign = application("ali@hs06.kep.tr", "10000000146");
    for (who, path, body, turkish, english) in [
        (&staff.selin, all, application("ali", "10000000146"), "Adreste @ yok.", "it has no @."),
        (&staff.selin, all, application("ali@a.com", "10000000146"), "KEP adresi değil", "no KEP"),
        (&staff.selin, all, foreign, "adresler hs05.kep.tr", "end in hs05.kep.tr."),
        (&staff.selin, all, application("destek@hs05.kep.tr", "10000000146"), "ayrıl", "reserved"),
        (&staff.selin, all, application(ALI, "10000000147"), "identity_number: ", "check digits"),
        (
            &holder,
            "/contacts",
            json!({ "name": "Ayşe", "kep": ["a@b"] }),
            "KEP adresi değil",
            "is no KEP address",
        ),
    ] {
        let said = |language| staff.api.told_in(who, path, body.clone(), language);
        let (in_turkish, in_english) = (said("tr").await, said("en").await);
        assert!(in_turkish.contains(turkish), "{in_turkish}");
        assert!(in_english.contains(english), "{in_english}");
        assert_ne!(in_turkish, in_english);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_found_suspended_closed_and_opened_again() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        for who in [ALI, AYSE, "zeynep@hs05.kep.tr"] {
            account(&bed, who).await;
        }
        let found = async |query: &str| {
            let said = staff.get(&format!("/staff/accounts?{query}")).await;
            let all = said["accounts"].as_array().unwrap().iter();
            let all: Vec<_> = all.map(|one| one["address"].as_str().unwrap().to_owned()).collect();
            (all, said["next"].as_str().map(str::to_owned))
        };
        let (first, next) = found("limit=2").await;
        assert_eq!(first, [ALI, AYSE]);
        let (rest, end) = found(&format!("limit=2&cursor={}", next.unwrap())).await;
        assert_eq!((rest, end), (vec!["zeynep@hs05.kep.tr".to_owned()], None));
        assert_eq!(found("search=YILMAZ%20veli").await.0, [AYSE], "name and address together");
        assert!(found("search=yok").await.0.is_empty() && found("number=1").await.0.is_empty());
        let one = format!("/staff/accounts/{ALI}");
        let step = |what: &str| format!("{one}/{what}");
        let (selin, why) = (staff.selin.as_str(), json!({ "reason": "Borç" }));
        staff.refused(selin, &step("suspend"), json!({}), "bad-body").await;
        staff.refused(&staff.ece, &step("suspend"), why.clone(), "staff-role-missing").await;
        let unknown = "/staff/accounts/yok@hs05.kep.tr/suspend";
        staff.refused(selin, unknown, why.clone(), "account-unknown").await;
        let before = staff.tag(&one).await;
        let said = staff.done(selin, &step("suspend"), why.clone()).await;
        let standing = &said["account"]["standing"];
        assert_eq!(
            (&standing["state"], &standing["reason"]),
            (&json!("suspended"), &json!("Borç"))
        );
        assert!(standing["since"].is_string());
        staff.refused(selin, &step("suspend"), why, "account-standing").await;
        assert_eq!(found("state=suspended").await.0, [ALI]);
        assert_eq!(staff.if_match(selin, &step("resume"), &before).await, 412);
        let now = staff.tag(&one).await;
        assert_eq!(staff.if_match(selin, &step("resume"), &now).await, 200);
        staff.refused(selin, &step("resume"), Value::Null, "account-standing").await;
        let closed = staff.done(selin, &step("close"), Value::Null).await;
        let standing = &closed["account"]["standing"];
        assert_eq!(standing["state"], "closed");
        assert!(standing["readable_until"].is_string(), "{closed}");
        let open = staff.done(selin, &step("reopen"), json!({})).await;
        assert_eq!(open["account"]["standing"]["state"], "active");
        assert_eq!(open["contracts"].as_array().unwrap().len(), 1, "{open}");
        let text = open.to_string();
        assert!(!text.contains("subject") && !text.contains("password"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_shown_with_the_last_of_many_wishes_to_close_it() {
    let bed = Bed::sqlite().await;
    let staff = Staff::of(&bed).await;
    account(&bed, ALI).await;
    let address = KepAddress::parse(ALI).unwrap();
    for n in 0..21 {
        closings::request(&bed.store, &address, &n.to_string(), &by()).await.unwrap();
        closings::withdraw(&bed.store, &address, &by()).await.unwrap();
    }
    let said = staff.get(&format!("/staff/accounts/{ALI}")).await;
    let closings = said["closings"].as_array().unwrap();
    assert_eq!((closings.len(), &closings[0]["reason"]), (20, &json!("20")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_a_known_holder_is_opened_again_for_him_alone() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let address = KepAddress::parse(ALI).unwrap();
        let form = HolderForm {
            kind: "person".into(),
            given_names: Some("Ali".into()),
            surname: Some("Veli".into()),
            identity_number: Some("10000000146".into()),
            ..HolderForm::default()
        };
        let holder = Holder::parse(&form, NOW).unwrap();
        records::set_holder(&bed.store, &address, holder, &by()).await.unwrap();
        closings::close(&bed.store, &address, &by()).await.unwrap();
        let reopen = format!("/staff/accounts/{ALI}/reopen");
        for wrong in [json!({}), json!({ "identity": "10000000214" })] {
            staff.refused(&staff.selin, &reopen, wrong, "not-the-holder").await;
        }
        let said = staff.done(&staff.selin, &reopen, json!({ "identity": "10000000146" })).await;
        assert_eq!(said["holder"]["identity_number"], "10000000146");
        let found = staff.get("/staff/accounts?number=10000000146").await;
        assert_eq!(found["accounts"][0]["address"], ALI);
        assert!(accounts::find(&bed.store, &address).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_are_topped_up_once_and_set_right_by_two() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let credits = format!("/staff/accounts/{ALI}/credits");
        let of = |unit: &str, amount: i64, reference: &str| {
            json!({
                "unit": unit, "amount": amount, "reason": "Satış", "reference": reference,
            })
        };
        let (top_ups, selin) = (format!("{credits}/top-ups"), staff.selin.as_str());
        staff.refused(&staff.can, &top_ups, of("credit", 1, "x"), "staff-role-missing").await;
        for bad in [0, -1, 1_000_000_001] {
            staff.refused(selin, &top_ups, of("credit", bad, "x"), "credits-unfit").await;
        }
        let said = staff.done(selin, &top_ups, of("credit", 100, "Dekont 1")).await;
        assert_eq!((&said["before"], &said["credits"]["available"]), (&json!(false), &json!(100)));
        let again = staff.done(selin, &top_ups, of("credit", 100, "Dekont 1")).await;
        assert_eq!((&again["before"], &again["credits"]["available"]), (&json!(true), &json!(100)));
        staff.refused(selin, &top_ups, of("sms", 100, "Dekont 1"), "reference-taken").await;
        let corrections = format!("{credits}/corrections");
        let made = staff.done(selin, &corrections, of("credit", -30, "Hata 1")).await;
        assert_eq!((&made["state"], &made["act"]), (&json!("open"), &json!("correct")));
        assert_eq!(staff.get(&credits).await["available"], 100, "nothing is done yet");
        let approve = format!("/staff/proposals/{}/approve", made["number"]);
        staff.refused(selin, &approve, Value::Null, "second-person-needed").await;
        let both = tokio::join!(
            staff.post(&staff.can, &approve, Value::Null),
            staff.post(&staff.ece, &approve, Value::Null)
        );
        assert_eq!([both.0.0, both.1.0].iter().filter(|status| **status == 200).count(), 1);
        staff.refused(&staff.can, &approve, Value::Null, "proposal-over").await;
        assert_eq!(staff.get(&credits).await["available"], 70);
        // What was done under its reference is not said to be done again.
        let same = staff.done(selin, &corrections, of("credit", -30, "Hata 1")).await;
        let approve = format!("/staff/proposals/{}/approve", same["number"]);
        staff.refused(&staff.can, &approve, Value::Null, "reference-taken").await;
        let refuse = format!("/staff/proposals/{}/refuse", same["number"]);
        staff.done(selin, &refuse, json!({ "reason": "Yapılmış" })).await;
        // What can't be done any more stays open, and its proposer takes it back.
        let much = staff.done(selin, &corrections, of("credit", -71, "Hata 2")).await;
        let approve = format!("/staff/proposals/{}/approve", much["number"]);
        staff.refused(&staff.can, &approve, Value::Null, "credits-unfit").await;
        let refuse = format!("/staff/proposals/{}/refuse", much["number"]);
        let taken = staff.done(selin, &refuse, json!({ "reason": "Yanlış" })).await;
        assert_eq!(taken["state"], "withdrawn");
        let open = staff.get("/staff/proposals?state=open").await;
        assert_eq!(open["proposals"], json!([]));
        let entries = staff.get(&format!("{credits}/entries?limit=1")).await;
        let newest = &entries["entries"][0];
        assert_eq!((&newest["kind"], &newest["rest"]), (&json!("correct"), &json!(70)));
        assert!(newest["approved_by"] == "can" || newest["approved_by"] == "ece", "{newest}");
        let older = staff.get(&format!("{credits}/entries?before={}", newest["number"])).await;
        assert_eq!(older["entries"][0]["reference"], "Dekont 1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_placed_and_released_by_two() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let (selin, holds) = (staff.selin.as_str(), "/staff/holds");
        let new = |address: &str| json!({ "address": address, "reason": "2026/17" });
        staff.refused(selin, holds, new("yok@hs05.kep.tr"), "account-unknown").await;
        let unknown = json!({ "address": ALI, "message_id": "7.7@hs05.kep.tr", "reason": "x" });
        staff.refused(selin, holds, unknown, "submission-unknown").await;
        let made = staff.done(selin, holds, new(ALI)).await;
        assert_eq!(staff.get(holds).await["holds"], json!([]));
        let refused = staff.done(selin, holds, new(ALI)).await;
        let refuse = format!("/staff/proposals/{}/refuse", refused["number"]);
        let refused = staff.done(&staff.can, &refuse, json!({ "reason": "Gerek yok" })).await;
        assert_eq!((&refused["state"], &refused["decided_by"]), (&json!("refused"), &json!("can")));
        let approve = format!("/staff/proposals/{}/approve", made["number"]);
        let done = staff.done(&staff.can, &approve, Value::Null).await;
        let hold = done["made"].as_i64().unwrap();
        let held = staff.get(&format!("{holds}?account={ALI}")).await;
        let placed = &held["holds"][0]["placed"];
        assert_eq!((&placed["by"], &placed["second"]), (&json!("selin"), &json!("can")));
        let why = json!({ "reason": "2026/18" });
        staff.refused(selin, "/staff/holds/999/release", why.clone(), "hold-unknown").await;
        let release = format!("{holds}/{hold}/release");
        let made = staff.done(&staff.can, &release, why.clone()).await;
        let twice = staff.done(selin, &release, why.clone()).await;
        let approve = format!("/staff/proposals/{}/approve", made["number"]);
        staff.done(&staff.ece, &approve, Value::Null).await;
        let late = format!("/staff/proposals/{}/approve", twice["number"]);
        staff.refused(&staff.ece, &late, Value::Null, "hold-unknown").await;
        let ended = staff.get(holds).await;
        assert_eq!(ended["holds"][0]["release_reason"], "2026/18", "{ended}");
        // Whom nobody may answer for any more proposes nothing that is done.
        let made = staff.done(&staff.can, holds, new(ALI)).await;
        staff::end(&bed.store, &by(), "can").await.unwrap();
        let approve = format!("/staff/proposals/{}/approve", made["number"]);
        staff.refused(selin, &approve, Value::Null, "proposer-gone").await;
        let said = acts(&bed).await;
        for act in
            ["proposal.add staff:selin", "proposal.approve staff:can", "hold.place staff:selin"]
        {
            assert!(said.contains(&act.to_owned()), "{act}: {said:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authoritys_request_is_decided_by_another_than_who_entered_it() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let (selin, all) = (staff.selin.as_str(), "/staff/authority-requests");
        let certificate = data_encoding::BASE64.encode(elliptic().0.der());
        let new = |from: &str, certificate: &str| {
            json!({
                "authority": "Ankara 3. Asliye Ceza Mahkemesi", "file": "2026/1453 E.",
                "basis": "CMK m. 134", "address": ALI, "scope": "mails", "from": from,
                "until": "2026-11-29", "certificate": certificate,
            })
        };
        staff.refused(selin, all, new("2026-11-30", &certificate), "period-unfit").await;
        staff.refused(selin, all, new("2026-11-01", "MIIB"), "certificate-unfit").await;
        let (address, mut unknown) = ("yok@hs05.kep.tr", new("2026-11-01", &certificate));
        unknown["address"] = json!(address);
        staff.refused(selin, all, unknown, "account-unknown").await;
        let made = staff.done(selin, all, new("2026-11-01", &certificate)).await;
        assert_eq!((&made["state"], &made["scope"]), (&json!("entered"), &json!("mails")));
        assert_eq!(made["until"], "2026-11-29T21:00:00.000Z", "the last day counts whole");
        let one = format!("{all}/{}", made["number"]);
        let why = json!({ "reason": "Yazı ekte" });
        let approve = format!("{one}/approve");
        staff.refused(selin, &approve, why.clone(), "second-person-needed").await;
        let done = staff.done(&staff.can, &approve, why.clone()).await;
        assert_eq!((&done["state"], &done["decided_by"]), (&json!("approved"), &json!("can")));
        let refuse = format!("{one}/refuse");
        staff.refused(&staff.ece, &refuse, why.clone(), "authority-request-decided").await;
        let nowhere = format!("{all}/99/refuse");
        staff.refused(&staff.ece, &nowhere, why, "authority-request-unknown").await;
        assert_eq!(staff.get(&one).await, done);
        assert_eq!(staff.get(&format!("{all}?before=1")).await["requests"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_act_of_the_staff_is_done_once() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        account(&bed, ALI).await;
        let new = json!({ "address": ALI, "reason": "2026/17" });
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let (token, body) = (&staff.selin, new.clone());
            let asked = staff.api.named(token, "POST", "/staff/holds", body, Some("bir")).await;
            assert_eq!(asked.0, 201, "{}", asked.1);
            numbers.push(asked.1["number"].clone());
        }
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(bed.count("SELECT COUNT(*) FROM proposal").await, 1);
        // The scope is not the role, nor the role the scope.
        let narrow = Scopes::of([Scope::StaffAudit]);
        let made =
            api_tokens::add_staff(&bed.store, &his("selin"), "selin", "dar", narrow, 1).await;
        let narrow = made.unwrap().1.expose_secret().to_owned();
        staff.refused(&narrow, "/staff/holds", new, "scope-missing").await;
        let (status, said) =
            staff.api.ask(&staff.can, "GET", "/staff/audit/verdict", Value::Null).await;
        assert_eq!((status, &said["code"]), (403, &json!("staff-role-missing")));
    })
    .await;
}
