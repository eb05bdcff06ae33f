//! What the JSON API does once, whatever fails in between; what becomes of an account while a request comes
//! in; answers that stay small; the end of the server.

use super::api::{self, Api};
use super::bed::{self, Bed};
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_core::Stream;
use kep::portal::api::{
    Accepting, Entry, Letter, Limits, Portal, Service, Submitted, Verifying, Waiting,
};
use kep::registry::api_tokens::{self, Scope, Scopes};
use kep::registry::audit::By;
use kep::registry::audit::seal::Verdict;
use kep::registry::closings;
use kep::registry::staff::{self, StaffRole};
use kep::store::mail::{self, Kind, NewMessage, Role};
use kep::store::{Tx, contents};
use kep::trust::Clock;
use kep::wire::{KepAddress, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{Semaphore, mpsc};

const ALI: &str = "ali.veli@hs05.kep.tr";

/// Answers can't be kept any more, or again.
async fn keeping_fails(bed: &Bed, fails: bool) {
    let statements: &[&'static str] = match (bed.store.shared(), fails) {
        (false, true) => &["CREATE TRIGGER fails BEFORE UPDATE ON api_reply
                            BEGIN SELECT RAISE(ABORT, 'on purpose'); END"],
        (false, false) => &["DROP TRIGGER fails"],
        (true, true) => &[
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$",
            "CREATE TRIGGER fails BEFORE UPDATE ON api_reply
             FOR EACH ROW EXECUTE FUNCTION fails()",
        ],
        (true, false) => &["DROP TRIGGER fails ON api_reply", "DROP FUNCTION fails()"],
    };
    for sql in statements {
        bed.write(move |tx| Ok(tx.execute(sql, &[])?)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_request_whose_answer_could_not_be_kept_was_not_done_and_is_done_once() {
    on_both(|bed| async move {
        api::account(&bed, ALI).await;
        let api = Api::of(&bed, 1000, api::people(&bed));
        let own = api::token(&bed, ALI, api::all()).await;
        let by = By::system("test", NOW);
        let secret = SecretString::from("uzun bir parola");
        staff::add(&bed.store, &by, "ayse", "Ayşe", &[StaffRole::Manager], &secret).await.unwrap();
        let scopes = Scopes::of([Scope::StaffPolicies]);
        let made = api_tokens::add_staff(&bed.store, &by, "ayse", "P", scopes, 1).await.unwrap();
        let hers = made.1.expose_secret().to_owned();
        let draft = json!("Subject: x\r\n\r\ny");
        let decision = json!({ "value": "3d", "reason": "deneme" });
        let policy = "/staff/policies/hold.lapse/decisions";
        for (token, path, body, count) in [
            (&own, "/drafts", draft, "SELECT COUNT(*) FROM message"),
            (&own, "/contacts", json!({ "name": "Ayşe" }), "SELECT COUNT(*) FROM contact"),
            (&hers, policy, decision, "SELECT COUNT(*) FROM policy"),
        ] {
            let ask = || api.named(token, "POST", path, body.clone(), Some(path));
            keeping_fails(&bed, true).await;
            let (status, said) = ask().await;
            assert!(status >= 500, "{path}: {status} {said}");
            assert_eq!(bed.count(count).await, 0, "{path}: nothing was done");
            keeping_fails(&bed, false).await;
            let (status, done) = ask().await;
            assert_eq!(status, 201, "{path}: {done}");
            assert_eq!(ask().await, (201, done), "{path}");
            assert_eq!(bed.count(count).await, 1, "{path}");
        }
    })
    .await;
}

struct Nobody;

impl Accepting for Nobody {
    fn submit(&self, _: Letter) -> Waiting<Submitted> {
        Box::pin(std::future::ready(Submitted::Unavailable))
    }

    fn broke_off(&self, _: Letter) -> Waiting<()> {
        Box::pin(std::future::ready(()))
    }

    fn most(&self) -> u64 {
        10_000
    }

    fn refusals(&self) -> Vec<Entry> {
        Vec::new()
    }
}

/// Judges nothing until it may.
struct Slow {
    at_work: Semaphore,
    go: Semaphore,
}

struct Door(Arc<Slow>);

impl Verifying for Door {
    fn verify(&self, _: axum::body::Bytes, _: Timestamp) -> Waiting<Option<Value>> {
        let slow = Arc::clone(&self.0);
        Box::pin(async move {
            slow.at_work.add_permits(1);
            slow.go.acquire().await.unwrap().forget();
            Some(json!({}))
        })
    }

    fn audit(&self, _: Timestamp) -> Waiting<Option<Verdict>> {
        Box::pin(std::future::ready(None))
    }
}

fn service(bed: &Bed, clock: Clock) -> (Service, Arc<Slow>) {
    let slow = Arc::new(Slow { at_work: Semaphore::new(0), go: Semaphore::new(0) });
    let limits = Limits { document: 10_000, storage: None, per_minute: 100 };
    let (desk, judge) = (Arc::new(Nobody), Arc::new(Door(Arc::clone(&slow))));
    let portal = Portal::new(bed.store.clone(), clock, desk, judge, limits, api::people(bed));
    (Service::new(portal), slow)
}

/// A body that comes piece by piece.
struct Pieces(mpsc::Receiver<&'static [u8]>);

impl Stream for Pieces {
    type Item = Result<&'static [u8], Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|piece| piece.map(Ok))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_an_account_while_a_draft_comes_in_counts_for_the_draft() {
    on_both(|bed| async move {
        api::account(&bed, ALI).await;
        let clock = Clock::Hand(Arc::default());
        clock.advance(NOW.millis());
        let (service, _) = service(&bed, clock.clone());
        let address = KepAddress::parse(ALI).unwrap();
        for (what, status, code) in
            [("revoked", 401, "token-unknown"), ("closed", 403, "account-read-only")]
        {
            let token = api::token(&bed, ALI, api::all()).await;
            let (tell, pieces) = mpsc::channel(1);
            let request = Request::post("/api/v1/drafts")
                .header("Authorization", format!("Bearer {token}"))
                .header("Content-Type", "message/rfc822")
                .body(Body::from_stream(Pieces(pieces)))
                .unwrap();
            let asked = {
                let service = service.clone();
                tokio::spawn(async move { service.answer(request).await })
            };
            tell.send(b"Subject: x\r\n").await.unwrap();
            // The first is taken: whoever asks was let in.
            tell.send(b"\r\ny").await.unwrap();
            let by = By::system("test", NOW);
            match what {
                "revoked" => {
                    let end = "UPDATE api_token SET digest = $1";
                    bed.write(move |tx| Ok(tx.execute(end, &[(&b"x"[..]).into()])?)).await;
                }
                _ => closings::close(&bed.store, &address, &by).await.map(drop).unwrap(),
            }
            clock.advance(60_000);
            drop(tell);
            let answer = asked.await.unwrap();
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            let said: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&said["status"], &said["code"]), (&status.into(), &code.into()), "{said}");
            assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_messages_with_enormous_headers_ends_early_and_the_next_goes_on() {
    on_both(|bed| async move {
        let ali = api::account(&bed, ALI).await;
        let api = Api::of(&bed, 1000, api::people(&bed));
        let token = api::token(&bed, ALI, api::all()).await;
        let header = format!("Subject: {}\r\n\r\n", "x".repeat(400 << 10)).into_bytes();
        for n in 0..20_u32 {
            let put = bed.store.blobs.put(n.to_be_bytes().to_vec()).unwrap();
            let new = bed::message(&put, Kind::Plain, None);
            let new = NewMessage { header: header.clone(), ..new };
            let blobs = Arc::clone(&bed.store.blobs);
            bed.write(move |tx: &mut Tx<'_>| {
                let content = contents::create_from(tx, &blobs, &[&put])?;
                let inbox = mail::of_role(tx, ali, Role::Inbox)?;
                Ok(mail::lay_in(tx, inbox, content, &new)?)
            })
            .await;
        }
        let (mut cursor, mut keys, mut pages) = (String::new(), Vec::new(), 0);
        loop {
            let path = format!("/messages?mailbox=inbox&limit=200{cursor}");
            let (status, page) = api.ask(&token, "GET", &path, Value::Null).await;
            assert_eq!(status, 200, "{page}");
            let messages = page["messages"].as_array().unwrap();
            assert!((1..=8).contains(&messages.len()), "{}", messages.len());
            for message in messages {
                assert_eq!(message["subject"].as_str().unwrap().len(), 4096);
                keys.push(message["key"].as_str().unwrap().to_owned());
            }
            pages += 1;
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!((keys.len(), distinct.len(), pages), (20, 20, 3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_waits_for_operations_whose_callers_have_hung_up() {
    let bed = Bed::sqlite().await;
    api::account(&bed, ALI).await;
    let token = api::token(&bed, ALI, api::all()).await;
    let (service, slow) = service(&bed, Clock::Fixed(NOW));
    service.is_done().await;
    let request = Request::post("/api/v1/verify")
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/octet-stream")
        .body(Body::from("x"))
        .unwrap();
    let asked = {
        let service = service.clone();
        tokio::spawn(async move { service.answer(request).await.status() })
    };
    slow.at_work.acquire().await.unwrap().forget();
    asked.abort();
    assert!(asked.await.is_err_and(|error| error.is_cancelled()));
    let done = {
        let service = service.clone();
        tokio::spawn(async move { service.is_done().await })
    };
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!done.is_finished());
    slow.go.add_permits(1);
    done.await.unwrap();
    let open = Request::get("/api/v1/errors").body(Body::empty()).unwrap();
    assert_eq!(service.answer(open).await.status(), StatusCode::OK);
}
