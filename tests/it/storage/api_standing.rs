//! Rights that go while a request is still being sent, on both drivers.

use super::api::{self, Api};
use super::api_affairs::{api, operator};
use super::bed::Bed;
use super::operators::{FIRM, appoint, by, code, firm, open};
use super::{NOW, on_both};
use axum::body::Body;
use axum::http::Request;
use futures_core::Stream;
use kep::registry::credentials::Owner;
use kep::registry::operators::{self, Role, Roles};
use kep::registry::{accounts, api_tokens, sessions};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{Semaphore, mpsc};

const NUMBER: &str = "10000000146";

/// A body whose one piece comes when it is given; says when somebody waits for it.
struct Fed {
    wanted: Arc<Semaphore>,
    piece: mpsc::Receiver<Vec<u8>>,
}

impl Stream for Fed {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.wanted.add_permits(1);
        self.piece.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

/// Adds a contact; what is done meanwhile happens when he has been let in, and before the body is there.
async fn add(api: &Arc<Api>, who: &str, meanwhile: impl Future<Output = ()>) -> (u16, String) {
    let (wanted, (give, piece)) = (Arc::new(Semaphore::new(0)), mpsc::channel(1));
    let body = Body::from_stream(Fed { wanted: Arc::clone(&wanted), piece });
    let request = Request::post("/api/v1/contacts")
        .header("Authorization", format!("Bearer {who}"))
        .header("Content-Type", "application/json");
    let (api, request) = (Arc::clone(api), request.body(body).unwrap());
    let answer = tokio::spawn(async move { api.send(request).await });
    wanted.acquire().await.unwrap().forget();
    meanwhile.await;
    give.send(json!({ "name": "Mehmet" }).to_string().into_bytes()).await.unwrap();
    drop(give);
    let (status, answer) = answer.await.unwrap();
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    (status.as_u16(), said["code"].as_str().unwrap_or_default().to_owned())
}

async fn contacts(bed: &Bed) -> i64 {
    bed.count("SELECT COUNT(*) FROM contact").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_a_right_while_he_still_sent_does_nothing_by_it() {
    on_both(|bed| async move {
        open(&bed).await;
        let api = Arc::new(api(&bed));
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let files = appoint(&bed, NUMBER, &[Role::Reads]).await;
        let his = operator(&bed, &api, files).await;
        assert_eq!(add(&api, &his, async {}).await.0, 201);
        let signs = || Roles::new([Role::Signs]).unwrap();
        let fewer = async {
            operators::set_roles(&bed.store, &by(NOW), &firm(), code(1), signs()).await.unwrap();
        };
        assert_eq!(add(&api, &his, fewer).await, (403, "operator-may-not".into()));

        let reads = Roles::new([Role::Reads]).unwrap();
        operators::set_roles(&bed.store, &by(NOW), &firm(), code(1), reads).await.unwrap();
        let owner = Owner { account, operator: 1 };
        let out = async {
            sessions::end_all(&bed.store, owner, None, &by(NOW)).await.unwrap();
        };
        assert_eq!(add(&api, &his, out).await, (401, "token-unknown".into()));

        let token = api::token(&bed, FIRM, api::all()).await;
        assert_eq!(add(&api, &token, async {}).await.0, 201);
        let gone = async {
            let of = firm();
            let all = api_tokens::list(&bed.store, Some(&of)).await.unwrap();
            let removed = api_tokens::remove(&bed.store, &by(NOW), Some(&of), &all[0].id).await;
            assert!(removed.unwrap());
        };
        assert_eq!(add(&api, &token, gone).await, (401, "token-unknown".into()));
        assert_eq!(contacts(&bed).await, 2);
    })
    .await;
}
