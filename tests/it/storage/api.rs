//! The JSON API without its socket, on both drivers: who may, what is done once, what stays closed.

use super::bed::{self, Bed};
use super::{NOW, on_both, operators};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use futures_core::Stream;
use kep::portal::api::{
    Accepting, Entry, Letter, Limits, People, Portal, Service, Submitted, Verifying, Waiting,
};
use kep::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
use kep::registry::api_tokens::{self, NewToken, Scope, Scopes};
use kep::registry::audit::seal::Verdict;
use kep::registry::audit::{By, Channel};
use kep::registry::closings;
use kep::registry::login::{Logins, Pauses};
use kep::registry::operators::Role as OperatorRole;
use kep::registry::places::Places;
use kep::registry::signin::SignIn;
use kep::store::contents;
use kep::store::mail::{self, Kind, Role};
use kep::store::submissions::{self, RecipientState};
use kep::trust::detached::Word;
use kep::trust::passkey::Relying;
use kep::trust::password::Passwords;
use kep::trust::{Anchors, Clock, UserTrust};
use kep::wire::{AccountId, KepAddress, KepDomain, MessageId, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

const ALI: &str = "ali.veli@hs05.kep.tr";
pub const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";

/// Takes every letter, and counts them; by which door the last one came; what broke off.
#[derive(Default)]
struct Desk(AtomicU32, Mutex<Option<Channel>>, Mutex<Vec<Letter>>);

impl Accepting for Desk {
    fn submit(&self, letter: Letter) -> Waiting<Submitted> {
        let n = self.0.fetch_add(1, Ordering::SeqCst);
        *self.1.lock().unwrap() = Some(letter.channel);
        let id = MessageId::parse(&format!("{n}.{}@hs05.kep.tr", letter.recipients.len())).unwrap();
        Box::pin(async move {
            tokio::task::yield_now().await;
            Submitted::Accepted(id)
        })
    }

    fn broke_off(&self, letter: Letter) -> Waiting<()> {
        self.2.lock().unwrap().push(letter);
        Box::pin(std::future::ready(()))
    }

    fn most(&self) -> u64 {
        10_000
    }

    fn refusals(&self) -> Vec<Entry> {
        Vec::new()
    }
}

struct Judge;

impl Verifying for Judge {
    fn verify(&self, _: axum::body::Bytes, _: Timestamp) -> Waiting<Option<Value>> {
        Box::pin(std::future::ready(None))
    }

    fn audit(&self, _: Timestamp) -> Waiting<Option<Verdict>> {
        Box::pin(std::future::ready(None))
    }
}

/// Who logs in; pauses are none.
pub fn people(bed: &Bed) -> People {
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    let passwords = Passwords::new(1).unwrap();
    let logins = Logins::new(bed.store.clone(), Passwords::new(1).unwrap(), domain.clone());
    let sign_in = SignIn {
        store: bed.store.clone(),
        passwords: Arc::new(passwords),
        users: Arc::new(UserTrust::new(Anchors::new(Vec::new()).unwrap(), Vec::new(), None)),
        relying: Relying::of_portal("https://kep.example/"),
        domain,
    };
    People {
        sign_in,
        logins: Arc::new(logins),
        pauses: Arc::new(Pauses::new(Duration::ZERO)),
        places: Arc::new(Places::new(bed.store.clone())),
        provider: "Deneme KEP".into(),
        signature: SignatureRule::Required,
    }
}

pub struct Api {
    service: Service,
    desk: Arc<Desk>,
}

impl Api {
    fn new(bed: &Bed, per_minute: u32) -> Self {
        Self::of(bed, per_minute, people(bed))
    }

    pub fn of(bed: &Bed, per_minute: u32, people: People) -> Self {
        Self::made(bed, per_minute, people, None)
    }

    /// That has a seal.
    pub fn with_word(bed: &Bed, people: People, word: Word) -> Self {
        Self::made(bed, 10_000, people, Some(word))
    }

    fn made(bed: &Bed, per_minute: u32, people: People, word: Option<Word>) -> Self {
        let desk = Arc::new(Desk::default());
        let limits = Limits { document: 10_000, storage: Some(100_000), per_minute };
        let door = Arc::clone(&desk) as Arc<dyn Accepting>;
        let clock = Clock::Fixed(NOW);
        let portal = Portal::new(bed.store.clone(), clock, door, Arc::new(Judge), limits, people);
        let portal = match word {
            Some(word) => portal.with_word(word),
            None => portal,
        };
        Self { service: Service::new(portal), desk }
    }

    /// By which door the last letter came.
    pub fn door(&self) -> Option<Channel> {
        *self.desk.1.lock().unwrap()
    }

    /// An answer of which nothing is read yet.
    pub async fn begin(&self, request: Request<Body>) -> Response<Body> {
        self.service.answer(request).await
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Response<Vec<u8>>) {
        let (parts, body) = self.service.answer(request).await.into_parts();
        let octets = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        (parts.status, Response::from_parts(parts, octets))
    }

    pub async fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.named(token, method, path, body, None).await
    }

    /// Without a token: status and code.
    pub async fn bare(&self, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let (status, answer) = self.send(request.body(Body::empty()).unwrap()).await;
        let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        (status.as_u16(), said["code"].as_str().unwrap_or_default().to_owned())
    }

    /// With a version: the code that is said.
    pub async fn if_match(&self, token: &str, method: &str, path: &str, tag: &str) -> String {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("Authorization", format!("Bearer {token}"));
        let request = request.header("If-Match", tag).body(Body::empty());
        let (_, answer) = self.send(request.unwrap()).await;
        let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        said["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What a refusal says in a language.
    pub async fn told_in(&self, token: &str, path: &str, body: Value, language: &str) -> String {
        let request = Request::post(format!("/api/v1{path}"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Accept-Language", language)
            .header("Content-Type", "application/json");
        let (status, answer) = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        let said: Value = serde_json::from_slice(answer.body()).unwrap();
        assert!(status.is_client_error(), "{said}");
        said["title"].as_str().unwrap().to_owned()
    }

    pub async fn named(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
        name: Option<&str>,
    ) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request = request.header("Authorization", format!("Bearer {token}"));
        if let Some(name) = name {
            request = request.header("Idempotency-Key", name);
        }
        let body = match body {
            Value::Null => Body::empty(),
            Value::String(mail) => {
                request = request.header("Content-Type", "message/rfc822");
                Body::from(mail)
            }
            json => {
                request = request.header("Content-Type", "application/json");
                Body::from(json.to_string())
            }
        };
        let (status, answer) = self.send(request.body(body).unwrap()).await;
        let said = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (status.as_u16(), said)
    }
}

pub async fn account(bed: &Bed, who: &str) -> AccountId {
    let new = NewAccount {
        address: KepAddress::parse(who).unwrap(),
        name: "Ali Veli".into(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Required,
        password: "-".into(),
        certificates: Vec::new(),
        at: NOW,
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    accounts::add(&bed.store, &domain, new).await.unwrap()
}

pub async fn token(bed: &Bed, who: &str, scopes: Scopes) -> String {
    let by = By::system("test", NOW);
    let address = KepAddress::parse(who).unwrap();
    let new = NewToken { name: "Program", scopes, days: 1 };
    let made = api_tokens::add(&bed.store, &by, &address, None, new).await.unwrap();
    made.1.expose_secret().to_owned()
}

pub fn all() -> Scopes {
    Scopes::full(false)
}

/// A dispatch that waits to be opened, in the inbox; its key.
pub async fn unopened(bed: &Bed, account: AccountId, n: u32) -> String {
    bed.lay_in(bed::submission(&bed.store, n, account, &n.to_be_bytes())).await.unwrap();
    let put = bed.store.blobs.put(b"Subject: x\r\n\r\ngizli".to_vec()).unwrap();
    let sealed = bed::message(&put, Kind::Sealed, Some(bed::id(n)));
    let blobs = Arc::clone(&bed.store.blobs);
    let place = bed
        .write(move |tx| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            submissions::outcome(tx, &bed::id(n), 1, RecipientState::Delivered, NOW)?;
            let inbox = mail::of_role(tx, account, Role::Inbox)?;
            Ok((inbox, mail::lay_in(tx, inbox, content, &sealed)?))
        })
        .await;
    format!("{}-{}", place.0.0, place.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_its_own_account_as_far_as_its_scopes_go_and_until_it_ends() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        account(&bed, AYSE).await;
        let api = Api::new(&bed, 1000);
        let whole = token(&bed, ALI, all()).await;
        let other = token(&bed, AYSE, all()).await;
        let narrow = token(&bed, ALI, Scopes::of([Scope::AccountRead])).await;
        let key = unopened(&bed, ali, 1).await;
        let status = async |token: &str, method: &str, path: &str| {
            let (status, said) = api.ask(token, method, path, Value::Null).await;
            (status, said["code"].as_str().unwrap_or_default().to_owned())
        };
        let code = |status: u16, code: &str| (status, code.to_owned());
        let message = format!("/messages/{key}");
        assert_eq!(status(&whole, "GET", &message).await, code(200, ""));
        assert_eq!(
            status(&whole, "GET", &format!("{message}/content")).await,
            code(409, "message-unopened")
        );
        // Another account's is no message at all.
        for (method, more) in [
            ("GET", ""),
            ("GET", "/content"),
            ("GET", "/original"),
            ("GET", "/parts"),
            ("GET", "/text"),
            ("GET", "/timeline"),
            ("POST", "/open"),
            ("POST", "/trash"),
            ("POST", "/archive"),
            ("DELETE", ""),
        ] {
            let path = format!("{message}{more}");
            assert_eq!(status(&other, method, &path).await, code(404, "message-unknown"), "{path}");
        }
        assert_eq!(status(&narrow, "GET", "/account").await, code(200, ""));
        assert_eq!(status(&narrow, "GET", "/messages").await, code(403, "scope-missing"));
        assert_eq!(status("", "GET", "/account").await, code(401, "token-unknown"));
        let mut wrong = whole.clone();
        wrong.replace_range(whole.len() - 1.., if whole.ends_with('0') { "1" } else { "0" });
        assert_eq!(status(&wrong, "GET", "/account").await, code(401, "token-unknown"));
        // Nothing is told to whoever shows none.
        let bare = Request::get("/api/v1/account").body(Body::empty()).unwrap();
        let (bare, answer) = api.send(bare).await;
        assert_eq!(
            (bare, answer.headers()["www-authenticate"].to_str().unwrap()),
            (StatusCode::UNAUTHORIZED, "Bearer realm=\"kep\"")
        );
        // Taken away, it is gone at once; of another account nobody takes it.
        let id = &narrow[..5];
        assert_eq!(
            status(&other, "DELETE", &format!("/tokens/{id}")).await,
            code(404, "token-not-there")
        );
        assert_eq!(status(&whole, "DELETE", &format!("/tokens/{id}")).await, code(204, ""));
        assert_eq!(status(&narrow, "GET", "/account").await, code(401, "token-unknown"));
        let late = Portal::new(
            bed.store.clone(),
            Clock::Fixed(NOW.plus_secs(24 * 3600)),
            Arc::clone(&api.desk) as Arc<dyn Accepting>,
            Arc::new(Judge),
            Limits { document: 1, storage: None, per_minute: 9 },
            people(&bed),
        );
        let late = Api { service: Service::new(late), desk: Arc::clone(&api.desk) };
        assert_eq!(
            late.ask(&whole, "GET", "/account", Value::Null).await.1["code"],
            "token-expired"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_03_whoever_opens_over_the_api_and_however_often_has_read_once() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let api = Arc::new(Api::new(&bed, 1000));
        let token = token(&bed, ALI, all()).await;
        let key = unopened(&bed, ali, 1).await;
        let path = format!("/messages/{key}/open");
        let opens: Vec<_> = (0..8)
            .map(|_| {
                let (api, token, path) = (Arc::clone(&api), token.clone(), path.clone());
                tokio::spawn(async move { api.ask(&token, "POST", &path, Value::Null).await })
            })
            .collect();
        for open in opens {
            let (status, said) = open.await.unwrap();
            assert_eq!((status, &said["kind"]), (200, &json!("dispatch")), "{said}");
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM job WHERE name LIKE 'fact/%/read'").await, 1);
        let text = api.ask(&token, "GET", &format!("/messages/{key}/text"), Value::Null).await.1;
        assert_eq!(text["plain"], "gizli");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_names_itself_is_done_once() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let api = Arc::new(Api::new(&bed, 1000));
        let token = token(&bed, ALI, all()).await;
        let create = |name: &'static str, label: &'static str| {
            let (api, token) = (Arc::clone(&api), token.clone());
            tokio::spawn(async move {
                api.named(&token, "POST", "/labels", json!({ "name": label }), Some(name)).await
            })
        };
        let tries: Vec<_> = (0..8).map(|_| create("bir", "İhale")).collect();
        for one in tries {
            let (status, said) = one.await.unwrap();
            assert_eq!((status, &said["name"]), (201, &json!("İhale")), "{said}");
        }
        assert_eq!(create("bir", "Başka").await.unwrap().1["code"], "idempotency-key-reused");
        // What was refused may come again, and be done then.
        assert_eq!(create("iki", "İhale").await.unwrap().1["code"], "label-exists");
        let gone = api.ask(&token, "DELETE", "/labels/=c4=b0hale", Value::Null).await;
        assert_eq!(gone.0, 204, "{gone:?}");
        assert_eq!(create("iki", "İhale").await.unwrap().0, 201);
        // The same where it takes several transactions.
        let mail = "From: a\r\nTo: b@hs05.kep.tr\r\n\r\nx";
        let submit = |name: &'static str| {
            let (api, token) = (Arc::clone(&api), token.clone());
            tokio::spawn(async move {
                api.named(&token, "POST", "/submissions", json!(mail), Some(name)).await
            })
        };
        let tries: Vec<_> = (0..4).map(|_| submit("posta")).collect();
        let mut ids = std::collections::BTreeSet::new();
        for one in tries {
            let (status, said) = one.await.unwrap();
            match status {
                201 => _ = ids.insert(said["message_id"].to_string()),
                _ => assert_eq!(said["code"], "idempotency-key-running"),
            }
        }
        assert_eq!(submit("posta").await.unwrap().0, 201);
        assert_eq!((ids.len(), api.desk.0.load(Ordering::SeqCst)), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_what_was_changed_meanwhile_is_refused() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let (api, token) = (Api::new(&bed, 1000), token(&bed, ALI, all()).await);
        let draft = json!("Subject: taslak\r\n\r\nx");
        let (status, made) = api.ask(&token, "POST", "/drafts", draft.clone()).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/api/v1/messages/{}", made["key"].as_str().unwrap());
        let change = async |tag: &str, starred: bool| {
            let request = Request::patch(&path)
                .header("Authorization", format!("Bearer {token}"))
                .header("Content-Type", "application/json")
                .header("If-Match", tag)
                .body(Body::from(json!({ "starred": starred }).to_string()));
            let (status, answer) = api.send(request.unwrap()).await;
            let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
            (status.as_u16(), tag.unwrap_or_default())
        };
        let (status, tag) = change("*", true).await;
        assert_eq!(status, 200);
        assert_eq!(change("\"0\"", false).await.0, 412);
        let (status, newer) = change(&tag, false).await;
        assert!(status == 200 && newer != tag);
        assert_eq!(change(&tag, true).await.0, 412);
        // A draft is replaced under another key, and what is no draft is not.
        let key = made["key"].as_str().unwrap().to_owned();
        let (status, other) = api.ask(&token, "PUT", &format!("/drafts/{key}"), draft).await;
        assert!(status == 200 && other["key"] != made["key"], "{other}");
        let moved = format!("/messages/{}/trash", other["key"].as_str().unwrap());
        let (_, trashed) = api.ask(&token, "POST", &moved, Value::Null).await;
        let key = trashed["key"].as_str().unwrap();
        let refused = api.ask(&token, "DELETE", &format!("/drafts/{key}"), Value::Null).await;
        assert_eq!(refused.1["code"], "not-a-draft");
        let back =
            api.ask(&token, "POST", &format!("/messages/{key}/restore"), Value::Null).await.1;
        assert_eq!(back["mailbox"], other["mailbox"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_account_is_read_and_nothing_more() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let (api, token) = (Api::new(&bed, 1000), token(&bed, ALI, all()).await);
        let key = unopened(&bed, ali, 1).await;
        let address = KepAddress::parse(ALI).unwrap();
        closings::close(&bed.store, &address, &By::system("test", NOW)).await.unwrap();
        for (path, body) in [
            ("/labels", json!({ "name": "x" })),
            ("/drafts", json!("x: y\r\n\r\n")),
            ("/submissions", json!("To: a@hs05.kep.tr\r\n\r\n")),
        ] {
            let (status, said) = api.ask(&token, "POST", path, body).await;
            assert_eq!((status, &said["code"]), (403, &json!("account-read-only")), "{path}");
        }
        let open = format!("/messages/{key}/open");
        assert_eq!(api.ask(&token, "POST", &open, Value::Null).await.0, 200);
        assert_eq!(api.desk.0.load(Ordering::SeqCst), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_leafed_through_and_each_message_is_there_once() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let (api, token) = (Api::new(&bed, 1000), token(&bed, ALI, all()).await);
        for n in 1..=7 {
            unopened(&bed, ali, n).await;
        }
        for listing in ["mailbox=inbox", "mailbox=all"] {
            let (mut keys, mut more) = (Vec::new(), String::new());
            loop {
                let path = format!("/messages?{listing}&limit=3{more}");
                let (status, page) = api.ask(&token, "GET", &path, Value::Null).await;
                assert_eq!(status, 200, "{page}");
                let found = page["messages"].as_array().unwrap();
                keys.extend(found.iter().map(|one| one["key"].as_str().unwrap().to_owned()));
                match page["next"].as_str() {
                    Some(next) => more = format!("&cursor={next}"),
                    None => break,
                }
            }
            let whole: std::collections::BTreeSet<_> = keys.iter().collect();
            assert_eq!((keys.len(), whole.len()), (7, 7), "{listing}: {keys:?}");
        }
        let (_, none) = api.ask(&token, "GET", "/messages?starred=true", Value::Null).await;
        assert_eq!(none["messages"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_too_often_or_too_much_or_oddly_hears_why() {
    let bed = Bed::sqlite().await;
    account(&bed, ALI).await;
    let (api, token) = (Api::new(&bed, 30), token(&bed, ALI, all()).await);
    let long = "x".repeat(20_000);
    for (method, path, body, code) in [
        ("GET", "/nowhere", Value::Null, "no-such-resource"),
        ("PUT", "/labels", Value::Null, "no-such-method"),
        ("GET", "/labels?x=1", Value::Null, "unknown-parameter"),
        ("GET", "/messages?limit=1&limit=2", Value::Null, "repeated-parameter"),
        ("GET", "/messages?limit=%00", Value::Null, "bad-parameter"),
        ("GET", "/messages?limit=%zz", Value::Null, "malformed-request"),
        ("GET", "/labels", json!({}), "needless-body"),
        ("POST", "/labels", json!("x: y\r\n\r\n"), "wrong-media-type"),
        ("POST", "/labels", json!({ "name": "x", "more": 1 }), "bad-body"),
        ("POST", "/labels", json!({ "name": "a\u{0}b" }), "bad-body"),
        ("POST", "/labels", json!({ "name": 7 }), "bad-body"),
        ("POST", "/labels", json!([]), "bad-body"),
        ("POST", "/drafts", json!(long), "too-large"),
        ("POST", "/submissions", json!("Subject: x\r\n\r\n"), "no-recipient"),
        ("GET", "/messages/0-0", Value::Null, "no-such-resource"),
        ("GET", "/messages/999999999-999999999", Value::Null, "message-unknown"),
    ] {
        let (status, said) = api.ask(&token, method, path, body).await;
        assert!((400..500).contains(&status), "{path}: {said}");
        assert_eq!(said["code"], code, "{method} {path}: {said}");
        assert!(said["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
    let mut last = 200;
    for _ in 0..40 {
        last = api.ask(&token, "GET", "/account", Value::Null).await.0;
    }
    assert_eq!(last, 429);
    let options = Request::options("/api/v1/labels").body(Body::empty()).unwrap();
    let (status, answer) = api.send(options).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["allow"], "GET, POST, HEAD, OPTIONS");
    let head = Request::head("/api/v1/errors").body(Body::empty()).unwrap();
    let (status, answer) = api.send(head).await;
    assert_eq!((status, answer.body().len()), (StatusCode::OK, 0));
    assert_ne!(answer.headers()["content-length"], "0");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}

/// A body in pieces, counted as they are taken.
struct Pieces {
    /// None: one that is never there.
    left: VecDeque<Option<usize>>,
    taken: Arc<AtomicUsize>,
}

impl Stream for Pieces {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.left.front() {
            Some(None) => return Poll::Pending,
            Some(Some(_)) => self.taken.fetch_add(1, Ordering::SeqCst),
            None => return Poll::Ready(None),
        };
        Poll::Ready(self.left.pop_front().flatten().map(|octets| Ok(vec![b'x'; octets])))
    }
}

/// Otherwise the connection closes on it, and it never hears the answer.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_while_he_still_sends_hears_it() {
    on_both(|bed| async move {
        let api = Api::new(&bed, 600);
        let refused = async |left: &[Option<usize>], expect: bool| {
            let taken = Arc::new(AtomicUsize::new(0));
            let left = left.iter().copied().collect();
            let body = Body::from_stream(Pieces { left, taken: Arc::clone(&taken) });
            let mut request = Request::builder().method("POST").uri("/api/v1/submissions");
            if expect {
                request = request.header("Expect", "100-continue");
            }
            let (status, _) = api.send(request.body(body).unwrap()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            taken.load(Ordering::SeqCst)
        };
        assert_eq!(refused(&[Some(1000); 3], false).await, 3, "to its end");
        assert_eq!(refused(&[Some(1000); 500], false).await, 66, "no more than 64 KiB");
        assert_eq!(refused(&[Some(1000), None], false).await, 1, "nor for ever");
        assert_eq!(refused(&[Some(1000); 3], true).await, 0, "who asked first has sent nothing");
    })
    .await;
}

/// The beginning of a message, and then nothing more, or the end of the connection.
struct Half(Option<&'static [u8]>, bool);

impl Stream for Half {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match (self.0.take(), self.1) {
            (Some(octets), _) => Poll::Ready(Some(Ok(octets.to_vec()))),
            (None, true) => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            (None, false) => Poll::Pending,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_that_breaks_off_is_told_to_the_desk() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let (api, token) = (Api::new(&bed, 1000), token(&bed, ALI, all()).await);
        let head = b"Message-ID: <yarim@x>\r\n\r\nx";
        let request = |path: &str, ends: bool| {
            let request = Request::post(format!("/api/v1{path}"));
            let request = request.header("Authorization", format!("Bearer {token}"));
            let request = request.header("Content-Type", "message/rfc822");
            request.body(Body::from_stream(Half(Some(head), ends))).unwrap()
        };
        let broken = || api.desk.2.lock().unwrap().drain(..).collect::<Vec<_>>();
        let (status, _) = api.send(request("/submissions", true)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let letter = broken().pop().unwrap();
        assert_eq!((letter.account, &letter.octets[..]), (ali, &head[..]));
        // Who is gone is not answered: all that is left of his request is dropped.
        let waiting = tokio::time::timeout(
            Duration::from_millis(500),
            api.send(request("/submissions", false)),
        );
        assert!(waiting.await.is_err());
        assert_eq!(broken().len(), 1);
        // A draft is nothing that somebody waits for.
        api.send(request("/drafts", true)).await;
        assert_eq!(broken().len(), 0);
        let (status, _) = api
            .named(&token, "POST", "/submissions", json!("To: b@hs05.kep.tr\r\n\r\nx"), None)
            .await;
        assert_eq!((status, broken().len()), (201, 0), "one that came whole");
    })
    .await;
}

/// The task named nobody of the account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_by_an_operators_token_is_his() {
    on_both(|bed| async move {
        operators::open(&bed).await;
        let code = operators::appoint(&bed, "10000000146", &[OperatorRole::Full]).await;
        let (by, firm) = (By::system("test", NOW), operators::firm());
        let new = NewToken { name: "Program", scopes: all(), days: 1 };
        let made = api_tokens::add(&bed.store, &by, &firm, Some(code), new).await.unwrap();
        let api = Api::new(&bed, 1000);
        let half = Half(Some(b"Message-ID: <yarim@x>\r\n\r\nx"), true);
        let request = Request::post("/api/v1/submissions")
            .header("Authorization", format!("Bearer {}", made.1.expose_secret()))
            .header("Content-Type", "message/rfc822");
        api.send(request.body(Body::from_stream(half)).unwrap()).await;
        assert_eq!(api.desk.2.lock().unwrap()[0].operator, Some(code));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_whose_hour_of_closing_has_come_is_said_to_be_closed() {
    on_both(|bed| async move {
        account(&bed, ALI).await;
        let (api, token) = (Api::new(&bed, 1000), token(&bed, ALI, all()).await);
        let address = KepAddress::parse(ALI).unwrap();
        let asked = By::system("test", NOW.plus_secs(-8 * 86_400));
        closings::request(&bed.store, &address, "", &asked).await.unwrap();
        let said = api.ask(&token, "GET", "/account", Value::Null).await.1;
        assert_eq!(said["state"], "closed", "{said}");
        assert!(said["readableUntil"].is_string() || said["readable_until"].is_string(), "{said}");
    })
    .await;
}

/// Judges nothing until it may.
struct Slow {
    at_work: tokio::sync::Semaphore,
    go: tokio::sync::Semaphore,
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_a_body_is_taken_until_its_work_is_done() {
    let bed = Bed::sqlite().await;
    account(&bed, ALI).await;
    let token = token(&bed, ALI, all()).await;
    let none = || tokio::sync::Semaphore::new(0);
    let slow = Arc::new(Slow { at_work: none(), go: none() });
    let desk = Arc::new(Desk::default());
    let limits = Limits { document: 100 << 20, storage: None, per_minute: 100 };
    let (door, judge) = (Arc::clone(&desk) as Arc<dyn Accepting>, Arc::new(Door(slow.clone())));
    let portal =
        Portal::new(bed.store.clone(), Clock::Fixed(NOW), door, judge, limits, people(&bed));
    let api = Arc::new(Api { service: Service::new(portal), desk });
    // Two are more than an account's quarter.
    let body = axum::body::Bytes::from(vec![b' '; 70 << 20]);
    let send = move || {
        let request = Request::post("/api/v1/verify")
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/octet-stream")
            .body(Body::from(body.clone()));
        let api = Arc::clone(&api);
        tokio::spawn(async move { api.send(request.unwrap()).await.0 })
    };
    let first = send();
    slow.at_work.acquire().await.unwrap().forget();
    assert_eq!(send().await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    // Who hangs up takes his share no sooner away.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(send().await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    slow.go.add_permits(2);
    while send().await.unwrap() == StatusCode::SERVICE_UNAVAILABLE {
        tokio::task::yield_now().await;
    }
}
