//! What the holder takes away over the API, on both drivers: asked for with more than a password, fetched in pieces,
//! and nothing in it of what is unopened.

use super::api::{all, token};
use super::api_book::{AYSE, Heard, api, hear};
use super::api_login::{OWN, log_in, stepped_up};
use super::bed::{self, Bed};
use super::credentials::{ALI, ali, app};
use super::logins::open;
use super::{NOW, evidence, on_both};
use axum::body::Body;
use axum::http::Request;
use flate2::read::DeflateDecoder;
use futures_core::Stream;
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::audit::By;
use kep::registry::export::{self, Extent};
use kep::registry::{closings, policy};
use kep::store::contents;
use kep::store::mail::{self, Kind, NewMessage, Role};
use kep::store::submissions::{self, RecipientState};
use kep::wire::{AccountId, KepAddress, sha256};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;

/// The files of an archive, by other code than the one that wrote it; each has its checksum.
fn unpacked(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number = |at: usize, octets: usize| {
        zip[at..at + octets].iter().rev().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet))
    };
    let (mut files, mut at) = (BTreeMap::new(), 0);
    while zip[at..].starts_with(b"PK\x03\x04") {
        let (packed, name) = (number(at + 18, 4), number(at + 26, 2));
        let begin = at + 30 + name + number(at + 28, 2);
        let mut octets = Vec::new();
        DeflateDecoder::new(&zip[begin..begin + packed]).read_to_end(&mut octets).unwrap();
        let name = String::from_utf8(zip[at + 30..at + 30 + name].to_vec()).unwrap();
        files.insert(name, octets);
        at = begin + packed;
    }
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    assert_eq!(sums.lines().count() + 1, files.len());
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256(&files[name]).hex(), sum, "{name}");
    }
    files
}

/// A message of the account to itself: what it has of it, and its delivery.
async fn laid(bed: &Bed, account: AccountId, n: u32, kind: Kind, text: &[u8]) {
    bed.lay_in(bed::submission(&bed.store, n, account, &n.to_be_bytes())).await.unwrap();
    let put = bed.store.blobs.put(text.to_vec()).unwrap();
    let message = bed::message(&put, kind, Some(bed::id(n)));
    let blobs = Arc::clone(&bed.store.blobs);
    bed.write(move |tx| {
        let content = contents::create_from(tx, &blobs, &[&put])?;
        submissions::outcome(tx, &bed::id(n), 1, RecipientState::Delivered, NOW)?;
        let inbox = mail::of_role(tx, account, Role::Inbox)?;
        Ok(mail::lay_in(tx, inbox, content, &message)?)
    })
    .await;
    let new = evidence::new(&bed.store, n, "delivery", bed::RECIPIENT);
    evidence::append(&bed.store, new).await;
}

fn has(files: &BTreeMap<String, Vec<u8>>, text: &str) -> bool {
    files.values().any(|file| String::from_utf8_lossy(file).contains(text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_asks_for_all_he_has_and_fetches_it_within_its_time() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        open(&bed, AYSE, Vec::new()).await;
        let (_, paper) = app(&bed, owner).await;
        // More than stands in the pieces that wait.
        let noise: Vec<u8> = (0..200_u32).flat_map(|n| sha256(&n.to_be_bytes()).0).collect();
        for n in 0..60 {
            let text = [b"Subject: x\r\n\r\nacik ".as_slice(), &noise, &n.to_string().into_bytes()];
            laid(&bed, owner.account, n, Kind::Dispatch, &text.concat()).await;
        }
        laid(&bed, owner.account, 100, Kind::Sealed, b"Subject: x\r\n\r\ngizli").await;
        let (api, program) = (api(&bed), token(&bed, ALI, all()).await);
        let session = log_in(&api, ALI, OWN).await["token"].as_str().unwrap().to_owned();
        let asked = async |who: &str| api.ask(who, "POST", "/exports", Value::Null).await;
        assert_eq!(asked(&program).await.1["code"], "session-needed");
        assert_eq!(asked(&session).await.1["code"], "step-up-needed");
        stepped_up(&api, &session, &paper[0]).await;
        let (status, new) = asked(&session).await;
        assert_eq!((status, &new["state"], &new["begun"]), (201, &json!("open"), &json!(0)));
        let path = format!("/exports/{}", new["number"]);
        let archive = format!("{path}/archive");
        let fetch = async |who: &str| -> Heard {
            hear(&api, who, ("GET", &archive), &[], Body::empty()).await
        };
        // A token fetches none, and another person nothing.
        assert_eq!(fetch(&program).await.code(), (403, "session-needed".into()));
        let other = log_in(&api, AYSE, OWN).await["token"].as_str().unwrap().to_owned();
        assert_eq!(fetch(&other).await.code(), (404, "export-unknown".into()));
        assert_eq!(api.ask(&other, "GET", &path, Value::Null).await.1["code"], "export-unknown");
        // A closed account is still taken away.
        let address = KepAddress::parse(ALI).unwrap();
        closings::close(&bed.store, &address, &By::system("test", NOW)).await.unwrap();
        let heard = fetch(&session).await;
        assert_eq!(
            (heard.status, &heard.headers["Content-Type"]),
            (200, &"application/zip".parse().unwrap())
        );
        assert!(heard.headers["Content-Disposition"].to_str().unwrap().contains(".zip"));
        let files = unpacked(&heard.octets);
        assert!(has(&files, "acik") && !has(&files, "gizli"));
        assert_eq!(files.keys().filter(|name| name.ends_with(".xml")).count(), 61);
        assert_eq!(bed.count("SELECT COUNT(*) FROM job WHERE name LIKE 'fact/%/read'").await, 0);
        // Its end is recorded before the last octet comes.
        let shown = api.ask(&session, "GET", &path, Value::Null).await.1;
        assert_eq!(shown["state"], "fetched", "{shown}");
        let counts = ["mails", "unopened", "evidence"].map(|key| shown["fetched"][key].clone());
        assert_eq!(counts, [json!(61), json!(1), json!(61)], "{shown}");
        let acts = "SELECT COUNT(*) FROM audit WHERE act LIKE 'account.export%'";
        assert_eq!(bed.count(acts).await, 3);
        let listed = api.ask(&session, "GET", "/exports", Value::Null).await.1;
        assert_eq!(listed["exports"].as_array().unwrap().len(), 1);
        // Who asks without end is told so.
        let mut last = 201;
        for _ in 0..20 {
            last = asked(&session).await.0;
        }
        assert_eq!(last, 429);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_fetched_when_its_last_piece_was_taken_and_looked_at_by_head_alone() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let (_, paper) = app(&bed, owner).await;
        let noise: Vec<u8> = (0..200_u32).flat_map(|n| sha256(&n.to_be_bytes()).0).collect();
        for n in 0..25 {
            let text = [b"Subject: x\r\n\r\n".as_slice(), &noise].concat();
            laid(&bed, owner.account, n, Kind::Dispatch, &text).await;
        }
        let api = api(&bed);
        let session = log_in(&api, ALI, OWN).await["token"].as_str().unwrap().to_owned();
        stepped_up(&api, &session, &paper[0]).await;
        let new = api.ask(&session, "POST", "/exports", Value::Null).await.1;
        let path = format!("/exports/{}", new["number"]);
        let archive = format!("{path}/archive");
        let stands = async || {
            let shown = api.ask(&session, "GET", &path, Value::Null).await.1;
            (shown["state"].as_str().unwrap().to_owned(), shown["begun"].as_i64().unwrap())
        };
        let head = async || hear(&api, &session, ("HEAD", &archive), &[], Body::empty()).await;
        let heard = head().await;
        assert_eq!((heard.status, heard.octets.len()), (200, 0));
        assert_eq!(heard.headers["Content-Type"], "application/zip");
        assert!(heard.headers.contains_key("Content-Disposition"));
        assert_eq!(stands().await, ("open".into(), 0), "nobody began to fetch it");

        let request = Request::get(format!("/api/v1{archive}"));
        let request = request.header("Authorization", format!("Bearer {session}"));
        let answer = api.begin(request.body(Body::empty()).unwrap()).await;
        let mut pieces = answer.into_body().into_data_stream();
        let first = std::future::poll_fn(|cx| Pin::new(&mut pieces).poll_next(cx)).await;
        assert!(first.unwrap().unwrap().starts_with(b"PK"));
        // What is left of it waits for him.
        for _ in 0..50 {
            assert_eq!(stands().await, ("open".into(), 1));
        }
        drop(pieces);
        let mut left = 1000;
        while head().await.status != 200 {
            left -= 1;
            assert!(left > 0, "his place is not free");
        }
        assert_eq!(stands().await, ("open".into(), 1), "he has a piece of it");
        unpacked(&hear(&api, &session, ("GET", &archive), &[], Body::empty()).await.octets);
        assert_eq!(stands().await, ("fetched".into(), 2));
        let acts = "SELECT COUNT(*) FROM audit WHERE act = 'account.exported'";
        assert_eq!(bed.count(acts).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_without_end_is_a_line_of_the_index() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let long = format!("{}ş{}", "x".repeat(299), "y".repeat(100_000));
        let mail = format!("Subject: {long}\r\nTo: {long}\r\nFrom: {long}\r\n\r\nmetin");
        let put = bed.store.blobs.put(mail.clone().into_bytes()).unwrap();
        let message = NewMessage {
            header: mail.clone().into_bytes(),
            ..bed::message(&put, Kind::Plain, None)
        };
        let blobs = Arc::clone(&bed.store.blobs);
        bed.write(move |tx| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            let inbox = mail::of_role(tx, owner.account, Role::Inbox)?;
            Ok(mail::lay_in(tx, inbox, content, &message)?)
        })
        .await;
        let all = Extent::whole(owner.account, ALI.to_owned());
        let gathered = export::gather(&bed.store, &all, NOW, &[], Vec::new(), &mut |_| {}).await;
        let files = unpacked(&gathered.unwrap().1);
        let whole = files.iter().find(|(name, _)| name.ends_with(".eml")).unwrap().1;
        assert_eq!(whole, mail.as_bytes(), "the mail has all of it");
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        for field in ["subject", "from", "to"] {
            let shown = index["mails"][0][field].as_str().unwrap();
            assert_eq!(shown, format!("{}ş", "x".repeat(299)), "{field}");
        }
        for index in ["index.csv", "index.html"] {
            assert!(files[index].len() < 5000, "{index}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_whose_time_is_over_is_fetched_no_more() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let (_, paper) = app(&bed, owner).await;
        let by = By::system("test", NOW);
        policy::set(&bed.store, &by, "export.open", "0ms", NOW, "deneme").await.unwrap();
        let api = api(&bed);
        let session = log_in(&api, ALI, OWN).await["token"].as_str().unwrap().to_owned();
        stepped_up(&api, &session, &paper[0]).await;
        let (status, new) = api.ask(&session, "POST", "/exports", Value::Null).await;
        assert_eq!((status, &new["state"]), (201, &json!("over")), "{new}");
        let path = format!("/exports/{}/archive", new["number"]);
        let heard = hear(&api, &session, ("GET", &path), &[], Body::empty()).await;
        assert_eq!(heard.code(), (409, "export-over".into()));
        assert_eq!(bed.count("SELECT COUNT(*) FROM account_export WHERE begun > 0").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_proves_a_message_is_one_archive_for_those_whom_it_concerns() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        open(&bed, AYSE, Vec::new()).await;
        laid(&bed, owner.account, 1, Kind::Dispatch, b"Subject: x\r\n\r\nacik").await;
        laid(&bed, owner.account, 2, Kind::Sealed, b"Subject: x\r\n\r\ngizli").await;
        let (api, mine) = (api(&bed), token(&bed, ALI, all()).await);
        let fetch = async |token: &str, message: &str| {
            let path = format!("/evidence-archives/{message}");
            hear(&api, token, ("GET", &path), &[], Body::empty()).await
        };
        let files = unpacked(&fetch(&mine, "1@hs05.kep.tr").await.octets);
        assert!(has(&files, "acik"), "{:?}", files.keys());
        let proof = files.keys().any(|name| name.starts_with("deliller/1@hs05"));
        assert!(proof, "{:?}", files.keys());
        assert!(!files.keys().any(|name| name.contains("2@hs05")), "{:?}", files.keys());
        assert!(!has(&unpacked(&fetch(&mine, "2@hs05.kep.tr").await.octets), "gizli"));
        for nothing in ["9@hs05.kep.tr", "x@y", "---"] {
            assert_eq!(fetch(&mine, nothing).await.code(), (404, "message-unknown".into()));
        }
        let other = token(&bed, AYSE, all()).await;
        assert_eq!(fetch(&other, "1@hs05.kep.tr").await.code(), (404, "message-unknown".into()));
        for scope in [Scope::MailRead, Scope::EvidenceRead] {
            let narrow = token(&bed, ALI, Scopes::of([scope])).await;
            assert_eq!(fetch(&narrow, "1@hs05.kep.tr").await.code(), (403, "scope-missing".into()));
        }
    })
    .await;
}
