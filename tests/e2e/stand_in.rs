//! A time-stamp authority between the server and the real one, that can be made to fail.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Manner {
    /// Hangs up.
    Dead,
    /// Answers what is no reply.
    Garbage,
    /// Answers with an error of HTTP.
    Failing,
    /// Has another digest stamped.
    WrongImprint,
    /// Answers what it answered before: the token is good, for another question.
    Replay,
    /// Passes on.
    Honest,
}

/// Serves until it is dropped.
pub struct StandIn {
    pub port: u16,
    manner: Arc<AtomicU8>,
    task: tokio::task::JoinHandle<()>,
}

impl StandIn {
    /// Stands in for the authority at `real`.
    pub async fn start(real: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let manner = Arc::new(AtomicU8::new(manner as u8));
        let (asked, last) = (Arc::clone(&manner), Arc::new(Mutex::new(Vec::new())));
        let task = tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                let (manner, last) = (asked.load(Ordering::SeqCst), Arc::clone(&last));
                // A peer that is gone is none of ours.
                tokio::spawn(async move { drop(serve(peer, real, manner, &last).await) });
            }
        });
        Self { port, manner, task }
    }

    pub fn behave(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::SeqCst);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut peer: TcpStream,
    real: u16,
    manner: u8,
    last: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let is = |one: Manner| one as u8 == manner;
    if is(Manner::Dead) {
        return Ok(());
    }
    let mut query = read_query(&mut peer).await?;
    if is(Manner::Garbage) {
        return answer(&mut peer, "200 OK", b"bu bir zaman damgasi degil").await;
    }
    if is(Manner::Failing) {
        return answer(&mut peer, "503 Service Unavailable", b"").await;
    }
    if is(Manner::Replay) {
        let old = last.lock().unwrap().clone();
        return answer(&mut peer, "200 OK", &old).await;
    }
    if is(Manner::WrongImprint) {
        // messageImprint's OCTET STRING of 32 octets
        let at = query.windows(2).position(|w| w == [0x04, 0x20]).unwrap();
        query[at + 33] ^= 1;
    }
    let reply = pass_on(real, &query).await?;
    if is(Manner::Honest) {
        *last.lock().unwrap() = reply.clone();
    }
    answer(&mut peer, "200 OK", &reply).await
}

async fn pass_on(real: u16, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut authority = TcpStream::connect((Ipv4Addr::LOCALHOST, real)).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/timestamp-query\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        query.len()
    );
    authority.write_all(&[head.as_bytes(), query].concat()).await?;
    let mut reply = Vec::new();
    authority.read_to_end(&mut reply).await?;
    Ok(reply.split_off(end_of_head(&reply).unwrap_or(0)))
}

async fn read_query(peer: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = end_of_head(&request) {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            if request.len() >= end + length {
                return Ok(request.split_off(end));
            }
        }
        if peer.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn answer(peer: &mut TcpStream, status: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/timestamp-reply\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    peer.write_all(&[head.as_bytes(), body].concat()).await?;
    peer.shutdown().await
}

fn end_of_head(octets: &[u8]) -> Option<usize> {
    octets.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
