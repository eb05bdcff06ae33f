//! What is answered over HTTP, until the server stops; and a listener for strangers, who may neither
//! be many at a time nor stay.

use axum::serve::Listener;
use kep::registry::crowd::{Crowd, Seat};
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

pub async fn http<L>(listener: L, router: axum::Router, stop: watch::Receiver<bool>)
where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopped(stop.clone()));
    until_farewell(serving.into_future(), stop, HTTP_FAREWELL).await;
}

pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves until it has stopped: until what is under way then has its answer, and no longer than this.
pub async fn until_farewell(
    serving: impl Future<Output = io::Result<()>>,
    mut ending: watch::Receiver<bool>,
    longest: Duration,
) {
    // Who keeps his connection open for the next question keeps nobody waiting.
    let patience = async move {
        let _ = ending.wait_for(|stop| *stop).await;
        tokio::time::sleep(longest).await;
    };
    tokio::select! {
        served = serving => if let Err(error) = served {
            tracing::error!(%error, "http");
        },
        () = patience => {}
    }
}

/// Connections have a seat each, and end after a while, whatever they are at: in the middle of a
/// header, of a body, or of nothing.
pub struct Brief {
    listener: TcpListener,
    crowd: Crowd,
    longest: Duration,
}

/// One of them.
pub struct Visit {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _seat: Seat,
}

impl Brief {
    pub fn over(listener: TcpListener) -> Self {
        let near = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        // Behind a proxy all come from one address.
        let crowd = Crowd::new(SEATS, if near { SEATS } else { SEATS_OF_ONE });
        Self { listener, crowd, longest: LONGEST }
    }
}

impl Listener for Brief {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.listener).await;
            if let Some(seat) = self.crowd.admit(peer.ip()) {
                return (Visit { stream, end: Box::pin(sleep(self.longest)), _seat: seat }, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Visit {
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        go: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => go(Pin::new(&mut self.stream), cx),
        }
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx, |stream, cx| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx, |stream, cx| stream.poll_write(cx, octets))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

/// A program asks once, and hears a page of some kilobytes.
const LONGEST: Duration = Duration::from_secs(20);
const SEATS: usize = 256;
const SEATS_OF_ONE: usize = 16;
/// An answer that is under way when we stop is a small one.
const HTTP_FAREWELL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn visits_are_few_and_end_whatever_they_are_at() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let brief = Brief { listener, crowd: Crowd::new(2, 2), longest: Duration::from_secs(1) };
        let (tell, stop) = watch::channel(false);
        let router = axum::Router::new().route("/", axum::routing::get(|| async { "page" }));
        let served = tokio::spawn(http(brief, router, stop));
        let mut whole = TcpStream::connect(address).await.unwrap();
        whole.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut page = vec![0; 15];
        whole.read_exact(&mut page).await.unwrap();
        assert_eq!(page, b"HTTP/1.1 200 OK");
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
        let mut third = TcpStream::connect(address).await.unwrap();
        assert!(matches!(third.read(&mut [0; 9]).await, Ok(0) | Err(_)), "no seat is free");
        // Nobody says anything more.
        let mut rest = Vec::new();
        let _ = whole.read_to_end(&mut rest).await;
        let _ = half.read_to_end(&mut rest).await;
        tell.send(true).unwrap();
        served.await.unwrap();
    }
}
