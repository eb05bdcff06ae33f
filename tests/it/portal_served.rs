//! The portal's socket with a real TLS client: how long a connection may ask, and what is sent meanwhile.

use crate::imap_served::Keys;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_core::Stream;
use kep::portal::serve::{Doorway, Manners};
use kep::registry::crowd::Crowd;
use rustls::pki_types::ServerName;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PIECE: usize = 64 << 10;

/// Pieces without end.
struct Endless;

impl Stream for Endless {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; PIECE]))))
    }
}

/// A client, and who counts connections.
async fn connected(manners: Manners) -> (TlsStream<TcpStream>, Crowd) {
    let keys = Keys::make();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let tls = Arc::clone(&keys.tls);
    let current = Arc::new(move || tls.current(Duration::ZERO));
    let crowd = Crowd::new(1, 1);
    let doorway = Doorway::over(listener, current, crowd.clone(), manners).unwrap();
    let router = Router::new()
        .route("/short", get(async || "kısa"))
        .route("/endless", get(async || Body::from_stream(Endless)));
    tokio::spawn(async move { axum::serve(doorway, router).await });
    let tcp = TcpStream::connect(at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::clone(&keys.trust)).connect(name, tcp).await.unwrap();
    (stream, crowd)
}

async fn ask(stream: &mut TlsStream<TcpStream>, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_moves_outlasts_the_time_for_asking() {
    let session = Duration::from_secs(1);
    let manners = Manners { session, ..Manners::default() };
    let (mut stream, _) = connected(manners).await;
    let begun = Instant::now();
    ask(&mut stream, "/endless").await;
    let mut piece = vec![0; PIECE];
    while begun.elapsed() < 2 * session {
        stream.read_exact(&mut piece).await.unwrap();
    }
    assert!(piece.iter().filter(|octet| **octet == b'x').count() > PIECE / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_after_the_time_for_asking_is_not_heard() {
    let session = Duration::from_secs(1);
    let (mut stream, _) = connected(Manners { session, ..Manners::default() }).await;
    let begun = Instant::now();
    let mut answered = 0;
    loop {
        ask(&mut stream, "/short").await;
        let mut said = [0; 1024];
        match stream.read(&mut said).await {
            Ok(octets) if octets > 0 => answered += 1,
            _ => break,
        }
        assert!(begun.elapsed() < 10 * session, "it is heard for ever");
    }
    assert!(answered > 0 && begun.elapsed() >= session / 2, "{answered} {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_nobody_reads_ends_with_the_silence() {
    let silence = Duration::from_millis(300);
    let (mut stream, crowd) = connected(Manners { silence, ..Manners::default() }).await;
    let here = stream.get_ref().0.local_addr().unwrap().ip();
    ask(&mut stream, "/endless").await;
    let free = async {
        while crowd.admit(here).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), free).await.unwrap();
}
