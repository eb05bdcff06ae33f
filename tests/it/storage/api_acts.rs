//! What an operator files and reads over the API stands in the audit with his name, on both drivers.

use super::api::{self, Api, all, token};
use super::api_affairs::{AYSE_NO, MEHMET_NO, acts, api, holder, operator, refused, told};
use super::bed::{self, Bed};
use super::on_both;
use super::operators::{FIRM, appoint, by, firm, open};
use axum::body::Body;
use axum::http::Request;
use kep::registry::operators::{self, Role as Duties};
use kep::registry::{accounts, audit};
use kep::store::contents;
use kep::store::mail::{self, Kind, Role};
use kep::wire::AccountId;
use serde_json::{Value, json};
use std::sync::Arc;

/// Mails in the inbox, each of its own content.
async fn fill(bed: &Bed, account: AccountId, count: u32) -> i64 {
    let blobs = Arc::clone(&bed.store.blobs);
    let puts: Vec<_> = (0..count)
        .map(|n| blobs.put(format!("Subject: {n}\r\n\r\nmetin {n}").into_bytes()).unwrap())
        .collect();
    let fill = move |tx: &mut kep::store::Tx<'_>| {
        let inbox = mail::of_role(tx, account, Role::Inbox)?;
        for put in &puts {
            let content = contents::create_from(tx, &blobs, &[put])?;
            mail::lay_in(tx, inbox, content, &bed::message(put, Kind::Plain, None))?;
        }
        Ok(inbox.0)
    };
    bed.write(fill).await
}

async fn filed(bed: &Bed) -> Vec<audit::Entry> {
    let mut all = Vec::new();
    for act in ["mail.file", "mail.draft", "mail.keep", "mail.delete"] {
        all.extend(acts(bed, act).await);
    }
    all.sort_by_key(|one| one.n);
    all
}

async fn say(api: &Api, who: &str, method: &str, path: &str, body: Value) -> Value {
    let (status, said) = api.ask(who, method, path, body).await;
    assert!(status < 300, "{method} {path}: {said}");
    said
}

async fn account(bed: &Bed) -> AccountId {
    accounts::get(&bed.store, &firm()).await.unwrap().id
}

fn key(said: &Value) -> String {
    said["key"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_deed_of_an_operator_is_one_entry_with_his_name_and_the_holders_none() {
    on_both(|bed| async move {
        open(&bed).await;
        let code = appoint(&bed, AYSE_NO, &[Duties::Full]).await;
        let inbox = fill(&bed, account(&bed).await, 9).await;
        let api = api(&bed);
        let (holder, his) = (holder(&bed, &api).await, operator(&bed, &api, code).await);
        for (who, first) in [(&holder, 1), (&his, 5)] {
            let mut wanted: Vec<Value> = Vec::new();
            let count = filed(&bed).await.len();
            let at = |n: u32| format!("{inbox}-{}", first + n);
            let one = |n: u32| format!("/messages/{}", at(n));
            let mut tells = |act: &str, details: Value| {
                let mut details = details;
                details["operator"] = "001".into();
                wanted.push(json!([act, details]));
            };
            say(&api, who, "PATCH", &one(0), json!({ "seen": true })).await;
            tells("mail.file", json!({ "what": "flags", "mailbox": "INBOX", "key": at(0) }));
            let label = say(&api, who, "POST", "/labels", json!({ "name": "ihale" })).await;
            let label = key(&label);
            tells("mail.file", json!({ "what": "create", "label": label }));
            say(&api, who, "PATCH", &one(0), json!({ "add_labels": [label] })).await;
            tells("mail.file", json!({ "what": "label", "mailbox": "INBOX", "key": at(0) }));
            let path = format!("/labels/{label}");
            say(&api, who, "PATCH", &path, json!({ "colour": "#112233" })).await;
            tells("mail.file", json!({ "what": "change", "label": label }));
            say(&api, who, "DELETE", &path, Value::Null).await;
            tells("mail.file", json!({ "what": "delete", "label": label }));
            let made = say(&api, who, "POST", "/mailboxes", json!({ "name": "Yeni" })).await;
            tells("mail.file", json!({ "what": "create", "mailbox": "Yeni" }));
            let number = made["number"].to_string();
            let to = json!({ "mailbox": number });
            say(&api, who, "POST", &format!("{}/move", one(0)), to).await;
            let goes = |what: &str, n: u32, to: &str| {
                json!({ "what": what, "mailbox": "INBOX", "to": to, "key": at(n) })
            };
            tells("mail.file", goes("move", 0, "Yeni"));
            let path = format!("/mailboxes/{number}");
            say(&api, who, "PATCH", &path, json!({ "name": "Eski" })).await;
            tells("mail.file", json!({ "what": "rename", "mailbox": "Yeni", "to": "Eski" }));
            say(&api, who, "DELETE", &path, Value::Null).await;
            tells("mail.delete", json!({ "what": "delete", "mailbox": "Eski" }));
            say(&api, who, "POST", &format!("{}/archive", one(1)), Value::Null).await;
            tells("mail.file", goes("move", 1, "Arşiv/Gelen"));
            let drafts = json!({ "mailbox": "drafts" });
            say(&api, who, "POST", &format!("{}/move", one(2)), drafts).await;
            tells("mail.draft", goes("move", 2, "Taslaklar"));
            let thrown = say(&api, who, "POST", &format!("{}/trash", one(3)), Value::Null).await;
            tells("mail.delete", goes("move", 3, "Çöp Kutusu"));
            let back = format!("/messages/{}/restore", key(&thrown));
            let back = say(&api, who, "POST", &back, Value::Null).await;
            let was = json!({
                "what": "restore", "mailbox": "Çöp Kutusu", "to": "INBOX", "key": key(&thrown),
            });
            tells("mail.file", was);
            let path = format!("/messages/{}/trash", key(&back));
            let thrown = say(&api, who, "POST", &path, Value::Null).await;
            let went = json!({
                "what": "move", "mailbox": "INBOX", "to": "Çöp Kutusu", "key": key(&back),
            });
            tells("mail.delete", went);
            say(&api, who, "DELETE", &format!("/messages/{}", key(&thrown)), Value::Null).await;
            let gone = |mailbox: &str, key: &str| {
                json!({ "what": "expunge", "mailbox": mailbox, "key": key })
            };
            tells("mail.delete", gone("Çöp Kutusu", &key(&thrown)));
            let draft = say(&api, who, "POST", "/drafts", json!("Subject: a\r\n\r\nx")).await;
            let draft = key(&draft);
            tells("mail.draft", json!({ "what": "append", "to": "Taslaklar", "key": draft }));
            let path = format!("/drafts/{draft}");
            let next = say(&api, who, "PUT", &path, json!("Subject: b\r\n\r\nx")).await;
            let was = json!({ "what": "replace", "mailbox": "Taslaklar", "key": draft });
            tells("mail.draft", was);
            say(&api, who, "DELETE", &format!("/drafts/{}", key(&next)), Value::Null).await;
            tells("mail.delete", gone("Taslaklar", &key(&next)));
            let told = filed(&bed).await;
            if *who == holder {
                assert_eq!(told.len(), count, "{told:?}");
                continue;
            }
            let found: Vec<_> = told.iter().map(|one| json!([one.act, one.details])).collect();
            assert_eq!(found, wanted);
            for one in told {
                assert!(one.actor.ends_with("001 Ayşe Demir") && one.channel == "api", "{one:?}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_not_recorded_as_done() {
    on_both(|bed| async move {
        open(&bed).await;
        let reads = appoint(&bed, AYSE_NO, &[Duties::Reads]).await;
        let signs = appoint(&bed, MEHMET_NO, &[Duties::Signs]).await;
        let inbox = fill(&bed, account(&bed).await, 1).await;
        let api = api(&bed);
        let (reader, signer) =
            (operator(&bed, &api, reads).await, operator(&bed, &api, signs).await);
        let one = format!("/messages/{inbox}-1");
        let none = format!("/messages/{inbox}-9");
        let may_not = || refused(403, "operator-may-not");
        let unknown = || refused(404, "message-unknown");
        let trash = json!({ "mailbox": "trash" });
        let kept = refused(409, "mailbox-kept");
        for (who, method, path, body, refusal) in [
            (&signer, "PATCH", one.clone(), json!({ "seen": true }), may_not()),
            (&signer, "GET", format!("{one}/text"), Value::Null, may_not()),
            (&reader, "POST", format!("{one}/move"), trash, may_not()),
            (&reader, "POST", "/drafts".into(), json!("Subject: a\r\n\r\nx"), may_not()),
            (&reader, "PATCH", none.clone(), json!({ "seen": true }), unknown()),
            (&reader, "GET", format!("{none}/text"), Value::Null, unknown()),
            (&reader, "PATCH", "/mailboxes/sent".into(), json!({ "name": "x" }), kept),
            (&reader, "DELETE", "/labels/yok".into(), Value::Null, refused(404, "label-unknown")),
            (&reader, "GET", format!("{one}/parts/7"), Value::Null, refused(404, "part-unknown")),
            (&reader, "GET", format!("{one}/original"), Value::Null, refused(409, "no-dispatch")),
        ] {
            let said = told(&api, who, method, &path, body).await;
            assert_eq!(said, refusal, "{method} {path}");
        }
        assert!(filed(&bed).await.is_empty() && acts(&bed, "mail.read").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_reads_is_recorded_once_for_him_and_the_holders_reading_is_not() {
    on_both(|bed| async move {
        open(&bed).await;
        let first = appoint(&bed, AYSE_NO, &[Duties::Full]).await;
        let second = appoint(&bed, MEHMET_NO, &[Duties::Reads]).await;
        let firm_id = account(&bed).await;
        let inbox = fill(&bed, firm_id, 1).await;
        let unopened = api::unopened(&bed, firm_id, 1).await;
        let api = api(&bed);
        let holder = holder(&bed, &api).await;
        let (one, two) = (operator(&bed, &api, first).await, operator(&bed, &api, second).await);
        let whole = ["content", "parts", "parts/1", "text"];
        let read = async |who: &str, key: &str| {
            for what in whole {
                say(&api, who, "GET", &format!("/messages/{key}/{what}"), Value::Null).await;
            }
        };
        let plain = format!("{inbox}-1");
        read(&holder, &plain).await;
        say(&api, &two, "GET", "/messages", Value::Null).await;
        say(&api, &two, "GET", &format!("/messages/{plain}"), Value::Null).await;
        let head = Request::builder().method("HEAD").uri(format!("/api/v1/messages/{plain}/text"));
        let head = head.header("Authorization", format!("Bearer {two}"));
        let (status, _) = api.send(head.body(Body::empty()).unwrap()).await;
        assert_eq!(status.as_u16(), 200);
        assert!(acts(&bed, "mail.read").await.is_empty(), "a list shows as much");
        read(&two, &plain).await;
        // Somebody opened it; each who reads it then is named.
        say(&api, &one, "POST", &format!("/messages/{unopened}/open"), Value::Null).await;
        assert_eq!(acts(&bed, "mail.read").await.len(), 1);
        read(&two, &unopened).await;
        let moved = format!("/messages/{unopened}/move");
        let moved = say(&api, &one, "POST", &moved, json!({ "mailbox": "archive" })).await;
        read(&two, &key(&moved)).await;
        read(&one, &key(&moved)).await;
        let mut told = acts(&bed, "mail.read").await;
        told.sort_by_key(|one| one.n);
        let uid = |key: &str| key.split_once('-').unwrap().1.parse::<u32>().unwrap();
        let (at, id) = (uid(&unopened), bed::id(1).to_string());
        let wanted = [
            json!({ "operator": "002", "mailbox": "INBOX", "uid": 1 }),
            json!({ "operator": "002", "mailbox": "INBOX", "uid": at, "message": id }),
            json!({ "operator": "001", "mailbox": "Arşiv", "uid": uid(&key(&moved)), "message": id }),
        ];
        assert_eq!(told.iter().map(|one| one.details.clone()).collect::<Vec<_>>(), wanted);
        // He who has ended reads nothing; another one who comes is recorded for himself.
        operators::end(&bed.store, &by(super::NOW), &firm(), second).await.unwrap();
        let path = format!("/messages/{plain}/text");
        assert_eq!(api.ask(&two, "GET", &path, Value::Null).await.0, 401);
        let third = appoint(&bed, MEHMET_NO, &[Duties::Reads]).await;
        let three = operator(&bed, &api, third).await;
        read(&three, &plain).await;
        assert_eq!(acts(&bed, "mail.read").await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_reads_twice_at_once_is_recorded_once_and_an_archive_is_reading_too() {
    on_both(|bed| async move {
        open(&bed).await;
        let code = appoint(&bed, AYSE_NO, &[Duties::Full]).await;
        let firm_id = account(&bed).await;
        let inbox = fill(&bed, firm_id, 1).await;
        let unopened = api::unopened(&bed, firm_id, 1).await;
        let api = api(&bed);
        let his = operator(&bed, &api, code).await;
        let path = format!("/messages/{inbox}-1/text");
        let ask = || api.ask(&his, "GET", &path, Value::Null);
        let four = tokio::join!(ask(), ask(), ask(), ask());
        for (status, said) in <[_; 4]>::from(four) {
            assert_eq!(status, 200, "{said}");
        }
        assert_eq!(acts(&bed, "mail.read").await.len(), 1);
        let archive = format!("/evidence-archives/{}", bed::id(1));
        let fetch = async |who: &str| {
            assert_eq!(api.ask(who, "GET", &archive, Value::Null).await.0, 200);
        };
        fetch(&his).await;
        assert_eq!(acts(&bed, "mail.read").await.len(), 1, "of what is unopened there is nothing");
        say(&api, &his, "POST", &format!("/messages/{unopened}/open"), Value::Null).await;
        fetch(&token(&bed, FIRM, all()).await).await;
        assert_eq!(acts(&bed, "mail.read").await.len(), 1, "the holder's program");
        fetch(&his).await;
        fetch(&his).await;
        let told = acts(&bed, "mail.read").await;
        assert_eq!((told.len(), &told[0].details["message"]), (2, &json!(bed::id(1).as_str())));
    })
    .await;
}
