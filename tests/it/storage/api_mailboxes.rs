//! Mailboxes and prices over the API, on both drivers.

use super::api::{account, all, token};
use super::api_book::{ALI, AYSE, api};
use super::bed::{self, Bed};
use super::{NOW, on_both};
use kep::registry::audit::By;
use kep::registry::{closings, policy};
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
