//! Mailboxes, what is taken away from them, and prices over the API, on both drivers.

use super::api::{self, account, all, token};
use super::api_affairs::{AYSE_NO, MEHMET_NO, acts, holder, operator, refused, told};
use super::api_book::{ALI, AYSE, api};
use super::bed::{self, Bed};
use super::operators::{FIRM, appoint, firm, open};
use super::{NOW, on_both};
use kep::registry::audit::By;
use kep::registry::operators::Role as Duties;
use kep::registry::{accounts, closings, policy};
use kep::store::contents;
use kep::store::mail::{self, Kind, Role};
use kep::wire::{AccountId, KepAddress};
use serde_json::{Value, json};
use std::sync::Arc;

async fn fill(bed: &Bed, account: AccountId, role: Role, count: usize) {
    let put = bed.store.blobs.put(b"Subject: x\r\n\r\nx".to_vec()).unwrap();
    let blobs = Arc::clone(&bed.store.blobs);
    bed.write(move |tx| {
        let mailbox = mail::of_role(tx, account, role)?;
        for _ in 0..count {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            mail::lay_in(tx, mailbox, content, &bed::message(&put, Kind::Plain, None))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_are_made_renamed_and_removed_as_over_imap() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        account(&bed, AYSE).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let other = token(&bed, AYSE, all()).await;
        let ask =
            async |method: &str, path: &str, body: Value| api.ask(&mine, method, path, body).await;
        let name = |name: &str| json!({ "name": name });
        let (status, made) = ask("POST", "/mailboxes", name("Projeler/2026")).await;
        assert_eq!((status, &made["name"]), (201, &json!("Projeler/2026")), "{made}");
        let path = format!("/mailboxes/{}", made["number"]);
        let listed = ask("GET", "/mailboxes", Value::Null).await.1["mailboxes"].clone();
        let above = listed.as_array().unwrap().iter().find(|one| one["name"] == "Projeler");
        let above = format!("/mailboxes/{}", above.unwrap()["number"]);
        for (wanted, code) in [
            ("Projeler/2026", "mailbox-exists"),
            ("a//b", "mailbox-bad-name"),
            ("../x", "mailbox-bad-name"),
            ("a*", "mailbox-bad-name"),
            ("Etiketler/x", "mailbox-kept"),
        ] {
            let said = ask("POST", "/mailboxes", name(wanted)).await;
            assert_eq!((said.0, &said.1["code"]), (409, &json!(code)), "{wanted}");
        }
        assert_eq!(ask("DELETE", &above, Value::Null).await.1["code"], "mailbox-has-children");
        for role in ["inbox", "sent", "evidence", "trash", "all"] {
            let said = ask("DELETE", &format!("/mailboxes/{role}"), Value::Null).await;
            assert_eq!(said.1["code"], "mailbox-kept", "{role}");
        }
        assert_eq!(ask("PATCH", "/mailboxes/sent", name("x")).await.1["code"], "mailbox-kept");
        // What is under it follows, and keeps its number.
        assert_eq!(ask("PATCH", &above, name("İşler")).await.1["name"], "İşler");
        assert_eq!(ask("GET", &path, Value::Null).await.1["name"], "İşler/2026");
        for (method, body) in [("PATCH", name("x")), ("DELETE", Value::Null)] {
            let said = api.ask(&other, method, &path, body).await;
            assert_eq!((said.0, &said.1["code"]), (404, &json!("mailbox-unknown")));
        }
        // The inbox stays, and more than fits one transaction follows.
        fill(&bed, ali, Role::Inbox, 600).await;
        let (status, moved) = ask("PATCH", "/mailboxes/inbox", name("Eskiler")).await;
        assert_eq!((status, &moved["messages"]), (200, &json!(600)), "{moved}");
        assert_eq!(ask("GET", "/mailboxes/inbox", Value::Null).await.1["messages"], 0);
        let old = format!("/mailboxes/{}", moved["number"]);
        assert_eq!(ask("DELETE", &old, Value::Null).await.0, 204);
        assert_eq!(ask("DELETE", &old, Value::Null).await.1["code"], "mailbox-unknown");
        let address = KepAddress::parse(ALI).unwrap();
        closings::close(&bed.store, &address, &By::system("test", NOW)).await.unwrap();
        for (method, path, body) in [
            ("POST", "/mailboxes", name("y")),
            ("PATCH", &path, name("y")),
            ("DELETE", &path, Value::Null),
        ] {
            assert_eq!(ask(method, path, body).await.1["code"], "account-read-only", "{method}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_in_which_something_is_unopened_stays_whole() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let say = async |method: &str, path: &str, body: Value| {
            let (status, said) = api.ask(&mine, method, path, body).await;
            assert!(status < 300, "{method} {path}: {said}");
            said
        };
        let made = say("POST", "/mailboxes", json!({ "name": "Projeler" })).await;
        let path = format!("/mailboxes/{}", made["number"]);
        fill(&bed, ali, Role::Inbox, 2).await;
        let inbox = say("GET", "/mailboxes/inbox", Value::Null).await["number"].clone();
        let unopened = api::unopened(&bed, ali, 1).await;
        let mut keys = Vec::new();
        for key in [format!("{inbox}-1"), format!("{inbox}-2"), unopened] {
            let to = json!({ "mailbox": made["number"].to_string() });
            let moved = say("POST", &format!("/messages/{key}/move"), to).await;
            keys.push(moved["key"].as_str().unwrap().to_owned());
        }
        let refusal = refused(409, "mailbox-unopened");
        assert_eq!(told(&api, &mine, "DELETE", &path, Value::Null).await, refusal);
        assert_eq!(say("GET", &path, Value::Null).await["messages"], 3, "nothing of it goes");
        say("POST", &format!("/messages/{}/open", keys[2]), Value::Null).await;
        say("DELETE", &path, Value::Null).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_takes_away_what_his_roles_let_him_and_is_named_for_it() {
    on_both(|bed| async move {
        open(&bed).await;
        let reads = appoint(&bed, AYSE_NO, &[Duties::Reads]).await;
        let prepares = appoint(&bed, MEHMET_NO, &[Duties::Reads, Duties::Prepares]).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        fill(&bed, account, Role::Inbox, 6).await;
        let (api, own) = (api(&bed), token(&bed, FIRM, all()).await);
        let holder = holder(&bed, &api).await;
        let (reader, preparer) =
            (operator(&bed, &api, reads).await, operator(&bed, &api, prepares).await);
        let say = async |who: &str, method: &str, path: &str, body: Value| {
            let (status, said) = api.ask(who, method, path, body).await;
            assert!(status < 300, "{method} {path}: {said}");
            said
        };
        let make = async |name: &str| {
            let made = say(&own, "POST", "/mailboxes", json!({ "name": name })).await;
            made["number"].to_string()
        };
        let below = json!({ "mailbox": make("Çöp Kutusu/Eski").await });
        let boxes = [make("Bir").await, make("İki").await].map(|id| format!("/mailboxes/{id}"));
        let draft = say(&own, "POST", "/drafts", json!("Subject: taslak\r\n\r\nx")).await;
        let inbox = say(&own, "GET", "/mailboxes/inbox", Value::Null).await["number"].clone();
        let one = |n: u32, act: &str| format!("/messages/{inbox}-{n}/{act}");
        let key = |said: &Value| said["key"].as_str().unwrap().to_owned();
        let thrown = say(&holder, "POST", &one(5, "trash"), Value::Null).await;
        let trash = Some("Çöp Kutusu");
        let deeds = [
            ("POST", one(1, "trash"), Value::Null, trash),
            ("POST", one(2, "move"), json!({ "mailbox": "trash" }), trash),
            ("POST", one(3, "move"), below, Some("Çöp Kutusu/Eski")),
            ("DELETE", format!("/messages/{}", key(&thrown)), Value::Null, None),
            ("DELETE", format!("/drafts/{}", key(&draft)), Value::Null, None),
            (
                "PATCH",
                boxes[0].clone(),
                json!({ "name": "Çöp Kutusu/Bir" }),
                Some("Çöp Kutusu/Bir"),
            ),
            ("DELETE", boxes[1].clone(), Value::Null, None),
        ];
        let (drawn, drafts) = (one(4, "move"), json!({ "mailbox": "drafts" }));
        let may_not = refused(403, "operator-may-not");
        for (method, path, body, _) in &deeds {
            let said = told(&api, &reader, method, path, body.clone()).await;
            assert_eq!(said, may_not, "{method} {path}");
        }
        assert_eq!(told(&api, &reader, "POST", &drawn, drafts.clone()).await, may_not);
        assert!(acts(&bed, "mail.delete").await.is_empty(), "the holder's own is his affair");
        // What lies in the trash is put back by who may file.
        let last = say(&own, "POST", &one(6, "trash"), Value::Null).await;
        say(&reader, "POST", &format!("/messages/{}/restore", key(&last)), Value::Null).await;
        for (method, path, body, _) in &deeds {
            say(&preparer, method, path, body.clone()).await;
        }
        say(&preparer, "POST", &drawn, drafts).await;
        let mut told = acts(&bed, "mail.delete").await;
        told.sort_by_key(|one| one.n);
        let to: Vec<_> = told.iter().map(|one| one.details["to"].as_str()).collect();
        assert_eq!(to, deeds.map(|(.., to)| to));
        for one in told {
            let named = one.actor.contains("002 Ayşe Demir") && one.channel == "api";
            assert!(named, "{one:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_is_said_before_anything_is_sent() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let quote = async |size: u64, to: &[&str]| {
            let body = json!({ "size": size, "recipients": to });
            api.ask(&mine, "POST", "/credits/quote", body).await
        };
        let free = quote(100, &[AYSE]).await.1;
        assert_eq!((&free["enforced"], &free["enough"]), (&json!(false), &json!(true)), "{free}");
        let by = By::system("test", NOW);
        for (key, value) in [
            ("credit.enforced", "yes"),
            ("credit.prices", "1 KiB = 2, more = 4"),
            ("credit.free-here", "yes"),
        ] {
            policy::set(&bed.store, &by, key, value, NOW, "deneme").await.unwrap();
        }
        // One address is one recipient, however often and however it is written.
        let to = ["x@hs01.kep.tr", "X@hs01.kep.tr ", "y@hs01.kep.tr", AYSE];
        let said = quote(1025, &to).await.1;
        let sums = ["total", "elsewhere", "here", "available"].map(|key| said[key].clone());
        assert_eq!(sums, [json!(8), json!(4), json!(0), json!(0)], "{said}");
        assert_eq!((&said["enforced"], &said["enough"]), (&json!(true), &json!(false)));
        assert_eq!(quote(1024, &["x@hs01.kep.tr"]).await.1["total"], 2);
        assert_eq!(quote(1, &[AYSE]).await.1["enough"], true);
        let unfit = quote(1, &["x"]).await;
        assert_eq!((unfit.0, &unfit.1["code"]), (422, &json!("address-unfit")));
        for (size, to) in [(u64::MAX, vec![AYSE]), (1, vec![]), (1, vec![AYSE; 201])] {
            assert_eq!(quote(size, &to).await.1["code"], "bad-body");
        }
    })
    .await;
}
