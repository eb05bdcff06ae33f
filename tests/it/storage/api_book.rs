//! The address book over the API, on both drivers: no change is lost, groups, files that come in and go out.

use super::api::{Api, account, all, people, token};
use super::bed::Bed;
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::audit::By;
use kep::registry::closings;
use kep::wire::KepAddress;
use serde_json::{Value, json};
use std::sync::Arc;

pub const ALI: &str = "ali.veli@hs05.kep.tr";
pub const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";

pub fn api(bed: &Bed) -> Api {
    Api::of(bed, 10_000, people(bed))
}

/// An answer, whole.
pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub octets: Vec<u8>,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.octets).unwrap_or(Value::Null)
    }

    pub fn tag(&self) -> String {
        self.headers["ETag"].to_str().unwrap().to_owned()
    }

    pub fn code(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// A request with these headers and a body of this type.
pub async fn hear(
    api: &Api,
    token: &str,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Heard {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    request = request.header("Authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (status, answer) = api.send(request.body(body.into()).unwrap()).await;
    let (parts, octets) = answer.into_parts();
    Heard { status: status.as_u16(), headers: parts.headers, octets }
}

pub const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn changed(api: &Api, token: &str, path: &str, tag: Option<&str>, body: Value) -> Heard {
    let tag = tag.map(|tag| ("If-Match", tag));
    let headers: Vec<_> = [JSON].into_iter().chain(tag).collect();
    hear(api, token, ("PATCH", path), &headers, body.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_contact_that_was_changed_meanwhile_is_refused() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        account(&bed, AYSE).await;
        let (api, mine) = (Arc::new(api(&bed)), token(&bed, ALI, all()).await);
        let other = token(&bed, AYSE, all()).await;
        let new = json!({ "name": "Mehmet Ak", "kep": ["mehmet.ak@hs01.kep.tr"] });
        let (status, made) = api.ask(&mine, "POST", "/contacts", new).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/contacts/{}", made["id"].as_str().unwrap());
        let tag = hear(&api, &mine, ("GET", &path), &[], Body::empty()).await.tag();
        // Eight who saw the same: one is the first.
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let (api, mine, path, tag) =
                    (Arc::clone(&api), mine.clone(), path.clone(), tag.clone());
                let body = json!({ "note": format!("not {n}") });
                tokio::spawn(async move { changed(&api, &mine, &path, Some(&tag), body).await })
            })
            .collect();
        let mut good = 0;
        for one in tries {
            let heard = one.await.unwrap();
            match heard.status {
                200 => good += 1,
                _ => assert_eq!(heard.code(), (412, "changed-meanwhile".into())),
            }
        }
        assert_eq!(good, 1);
        // Without a word each change goes over what stands there, and loses nothing beside it.
        let named = changed(&api, &mine, &path, None, json!({ "organisation": "Ak A.Ş." })).await;
        let note = named.json()["note"].as_str().unwrap().to_owned();
        assert!(note.starts_with("not "), "{note}");
        assert_ne!(named.tag(), tag);
        // Of another account it is nobody, whatever he knows of it.
        for (method, body) in [("GET", ""), ("PATCH", "{}"), ("DELETE", "")] {
            let headers: &[_] = if body.is_empty() { &[] } else { &[JSON] };
            let heard = hear(&api, &other, (method, &path), headers, body).await;
            assert_eq!(heard.code(), (404, "contact-unknown".into()), "{method}");
        }
        let old = [("If-Match", tag.as_str())];
        let heard = hear(&api, &mine, ("DELETE", &path), &old, Body::empty()).await;
        assert_eq!(heard.code(), (412, "changed-meanwhile".into()));
        let tag = named.tag();
        let now = [("If-Match", tag.as_str())];
        assert_eq!(hear(&api, &mine, ("DELETE", &path), &now, Body::empty()).await.status, 204);
        assert_eq!(hear(&api, &mine, ("DELETE", &path), &[], Body::empty()).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_named_by_numbers_and_are_part_of_what_a_contact_is() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        account(&bed, AYSE).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let other = token(&bed, AYSE, all()).await;
        let ask =
            async |method: &str, path: &str, body: Value| api.ask(&mine, method, path, body).await;
        let name = |name: &str| json!({ "name": name });
        let (status, group) = ask("POST", "/address-book/groups", name("Müşteri")).await;
        assert_eq!((status, &group["members"]), (201, &json!(0)), "{group}");
        let same = ask("POST", "/address-book/groups", name(" MÜŞTERİ")).await;
        assert_eq!((same.0, &same.1["code"]), (409, &json!("contact-group-exists")));
        let blank = ask("POST", "/address-book/groups", name(" ")).await;
        assert_eq!(blank.1["code"], "contact-group-bad-name");
        let path = format!("/address-book/groups/{}", group["number"]);
        let contact = ask("POST", "/contacts", name("Mehmet Ak")).await.1;
        let id = contact["id"].as_str().unwrap().to_owned();
        let contact = format!("/contacts/{id}");
        let tag = async || hear(&api, &mine, ("GET", &contact), &[], Body::empty()).await.tag();
        let before = tag().await;
        let member = format!("{path}/members/{id}");
        // Twice is once.
        for _ in 0..2 {
            assert_eq!(ask("PUT", &member, Value::Null).await.0, 204);
        }
        let joined = tag().await;
        assert_ne!(joined, before);
        let of_group = format!("/contacts?group={}", group["number"]);
        let listed = ask("GET", &of_group, Value::Null).await.1;
        assert_eq!(listed["contacts"][0]["groups"], json!(["Müşteri"]), "{listed}");
        // Another name of its group is another content.
        let shown = hear(&api, &mine, ("GET", &path), &[], Body::empty()).await;
        assert_eq!(shown.json()["members"], 1);
        let renamed = changed(&api, &mine, &path, Some(&shown.tag()), name("Müvekkil")).await;
        assert_eq!(renamed.json()["name"], "Müvekkil");
        let late = changed(&api, &mine, &path, Some(&shown.tag()), name("Başka")).await;
        assert_eq!(late.code(), (412, "changed-meanwhile".into()));
        assert_ne!(tag().await, joined);
        // Another account has neither the group nor the contact.
        let none = |said: (u16, Value)| assert_eq!(said.1["code"], "contact-group-unknown");
        for (method, path, body) in [
            ("GET", path.as_str(), Value::Null),
            ("PATCH", &path, name("x")),
            ("DELETE", &path, Value::Null),
            ("PUT", &member, Value::Null),
            ("DELETE", &member, Value::Null),
            ("GET", &of_group, Value::Null),
        ] {
            none(api.ask(&other, method, path, body).await);
        }
        let nobody = ask("PUT", &format!("{path}/members/yok"), Value::Null).await;
        assert_eq!(nobody.1["code"], "contact-unknown");
        assert_eq!(ask("DELETE", &member, Value::Null).await.0, 204);
        ask("PUT", &member, Value::Null).await;
        assert_eq!(ask("DELETE", &path, Value::Null).await.0, 204);
        none(ask("DELETE", &path, Value::Null).await);
        assert_eq!(ask("GET", &contact, Value::Null).await.1["groups"], json!([]));
    })
    .await;
}

const FILE: &str = "BEGIN:VCARD\nVERSION:3.0\nUID:1@telefon\nFN:Ayşe Demir\n\
    EMAIL;TYPE=INTERNET:ayse@hs01.kep.tr\nCATEGORIES:Müşteri\nX-PHONE-MAKER:kept\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nFN:Bozuk\nEMAIL:bozuk@hs1.kep.tr\nEND:VCARD\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_says_line_by_line_what_was_taken_and_comes_out_as_it_went_in() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        account(&bed, AYSE).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let other = token(&bed, AYSE, all()).await;
        let import = async |token: &str, media: &str, query: &str, octets: &str| {
            let path = format!("/address-book/import{query}");
            hear(&api, token, ("POST", &path), &[("Content-Type", media)], octets.to_owned()).await
        };
        let dry = import(&mine, "text/vcard", "?dry=true", FILE).await.json();
        assert_eq!((&dry["added"], &dry["bad"], &dry["dry"]), (&json!(1), &json!(1), &json!(true)));
        let listed = api.ask(&mine, "GET", "/contacts", Value::Null).await.1;
        assert_eq!(listed["contacts"], json!([]));
        let taken = import(&mine, "text/vcard", "", FILE).await.json();
        assert_eq!(taken["entries"], dry["entries"]);
        let bad = &taken["entries"][1];
        assert_eq!((&bad["line"], &bad["fate"]), (&json!(9), &json!("bad")), "{taken}");
        assert_eq!(bad["fault"]["code"], "kep-address");
        assert!(bad["fault"]["turkish"].as_str().unwrap().contains("KEP adresi değil"));
        let again = import(&mine, "text/vcard", "", FILE).await.json();
        assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(1)));
        let out = async |token: &str, query: &str| {
            let path = format!("/address-book/export{query}");
            hear(&api, token, ("GET", &path), &[], Body::empty()).await
        };
        let cards = out(&mine, "").await;
        assert_eq!(cards.headers["Content-Type"], "text/vcard; charset=utf-8");
        let cards = String::from_utf8(cards.octets).unwrap();
        assert!(cards.contains("X-PHONE-MAKER:kept") && cards.contains("VERSION:4.0"), "{cards}");
        assert_eq!(import(&other, "text/vcard", "", &cards).await.json()["added"], 1);
        assert_eq!(String::from_utf8(out(&other, "").await.octets).unwrap(), cards);
        let sheet = out(&mine, "?form=csv&separator=comma").await;
        let sheet = String::from_utf8(sheet.octets).unwrap();
        assert!(sheet.starts_with('\u{feff}') && sheet.contains("ayse@hs01.kep.tr"), "{sheet}");
        assert_eq!(import(&other, "text/csv", "", &sheet).await.json()["unchanged"], 1);
        assert_eq!(out(&mine, "?group=999").await.code(), (404, "contact-group-unknown".into()));
        for (media, octets, code) in [
            ("text/csv", "a;b\n1;2\n", "contacts-unfit"),
            ("text/vcard", "", "contacts-unfit"),
            ("application/json", "{}", "wrong-media-type"),
        ] {
            assert_eq!(import(&mine, media, "", octets).await.code().1, code, "{media}");
        }
    })
    .await;
}

/// A book of more than one page comes whole, each contact once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_book_comes_in_pages_and_each_contact_once() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let note = "x".repeat(20_000);
        let card = |n: usize| {
            format!("BEGIN:VCARD\nVERSION:4.0\nUID:{n}\nFN:Kişi {n:03}\nNOTE:{note}\nEND:VCARD\n")
        };
        let file: String = (0..120).map(card).collect();
        let headers = [("Content-Type", "text/vcard")];
        let taken = hear(&api, &mine, ("POST", "/address-book/import"), &headers, file).await;
        assert_eq!(taken.json()["added"], 120, "{}", taken.json()["entries"][0]);
        for (query, begin, heading) in [("", "FN:Kişi ", 0), ("?form=csv", "Kişi ", 1)] {
            let path = format!("/address-book/export{query}");
            let out = hear(&api, &mine, ("GET", &path), &[], Body::empty()).await.octets;
            let out = String::from_utf8(out).unwrap();
            for n in 0..120 {
                assert_eq!(out.matches(&format!("{begin}{n:03}")).count(), 1, "{query} {n}");
            }
            assert_eq!(out.matches('\u{feff}').count(), heading);
        }
        // However many are asked for, an answer is small, and the next one goes on where it ended.
        for (query, sought) in [("limit=200", ""), ("limit=200&search=ki%C5%9Fi%2000", "00")] {
            let (mut names, mut next) = (Vec::new(), String::new());
            loop {
                let path = format!("/contacts?{query}{next}");
                let page = hear(&api, &mine, ("GET", &path), &[], Body::empty()).await;
                assert!(page.octets.len() < 300 << 10, "{query}: {}", page.octets.len());
                let page = page.json();
                let found = page["contacts"].as_array().unwrap();
                names.extend(found.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
                let Some(cursor) = page["next"].as_str() else { break };
                next = format!("&cursor={cursor}");
            }
            let all = (0..120).map(|n| format!("Kişi {n:03}"));
            let all: Vec<_> = all.filter(|name| name.contains(sought)).collect();
            assert_eq!(names, all, "{query}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_account_changes_nothing_of_its_book_and_scopes_are_asked_for() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let reads = token(&bed, ALI, Scopes::of([Scope::ContactsRead])).await;
        let contact = api.ask(&mine, "POST", "/contacts", json!({ "name": "Mehmet" })).await.1;
        let group =
            api.ask(&mine, "POST", "/address-book/groups", json!({ "name": "Grup" })).await.1;
        let contact = format!("/contacts/{}", contact["id"].as_str().unwrap());
        let group = format!("/address-book/groups/{}", group["number"]);
        let member = contact.replace("/contacts", &format!("{group}/members"));
        let name = || json!({ "name": "Başka" });
        let acts = [
            ("POST", "/contacts", name()),
            ("PATCH", &contact, name()),
            ("DELETE", &contact, Value::Null),
            ("POST", "/address-book/groups", name()),
            ("PATCH", &group, name()),
            ("DELETE", &group, Value::Null),
            ("PUT", &member, Value::Null),
            ("DELETE", &member, Value::Null),
        ];
        for (method, path, body) in &acts {
            let said = api.ask(&reads, method, path, body.clone()).await;
            assert_eq!((said.0, &said.1["code"]), (403, &json!("scope-missing")), "{path}");
        }
        let address = KepAddress::parse(ALI).unwrap();
        closings::close(&bed.store, &address, &By::system("test", NOW)).await.unwrap();
        for (method, path, body) in &acts {
            let said = api.ask(&mine, method, path, body.clone()).await;
            assert_eq!((said.0, &said.1["code"]), (403, &json!("account-read-only")), "{path}");
        }
        let file = [("Content-Type", "text/vcard")];
        let heard = hear(&api, &mine, ("POST", "/address-book/import"), &file, FILE).await;
        assert_eq!(heard.code(), (403, "account-read-only".into()));
        assert_eq!(api.ask(&mine, "GET", &contact, Value::Null).await.0, 200);
        let heard = hear(&api, &mine, ("GET", "/address-book/export"), &[], Body::empty()).await;
        assert_eq!(heard.status, 200);
    })
    .await;
}
