//! The portal's socket: TLS from the first byte. A connection has a seat; its handshake keeps nobody else
//! waiting, and it ends when it is silent for long, or asks for more after it has lasted long enough. What is on
//! its way out by then goes on for as long as it moves.

use crate::registry::crowd::{Crowd, Seat};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Hands out the TLS configuration in force.
pub type CurrentTls = Arc<dyn Fn() -> Arc<rustls::ServerConfig> + Send + Sync>;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    pub handshake: Duration,
    /// Without an octet in either direction.
    pub silence: Duration,
    /// So long a connection may ask.
    pub session: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self { handshake: HANDSHAKE, silence: SILENCE, session: SESSION }
    }
}

/// Connections whose handshake is done.
pub struct Doorway {
    ready: mpsc::Receiver<(Visit, SocketAddr)>,
    address: SocketAddr,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    /// What it has shown, in DER, its own certificate first. That it holds the key is proven.
    pub certificates: Arc<Vec<Vec<u8>>>,
}

impl Connected<IncomingStream<'_, Doorway>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        let (_, tls) = stream.io().stream.get_ref();
        let shown = tls.peer_certificates().unwrap_or_default();
        let certificates = Arc::new(shown.iter().map(|der| der.to_vec()).collect());
        Self { address: *stream.remote_addr(), certificates }
    }
}

/// One of them.
pub struct Visit {
    stream: TlsStream<TcpStream>,
    quiet: Pin<Box<Sleep>>,
    silence: Duration,
    end: Instant,
    _seat: Seat,
}

impl Doorway {
    /// Shakes hands on a listener, until nobody takes the connections any more.
    pub fn over(
        listener: TcpListener,
        tls: CurrentTls,
        crowd: Crowd,
        manners: Manners,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, ready) = mpsc::channel(WAITING);
        tokio::spawn(greet(listener, tls, crowd, manners, tell));
        Ok(Self { ready, address })
    }
}

async fn greet(
    mut listener: TcpListener,
    tls: CurrentTls,
    crowd: Crowd,
    manners: Manners,
    tell: mpsc::Sender<(Visit, SocketAddr)>,
) {
    loop {
        let (stream, peer) = tokio::select! {
            // Errors of accept are passed over there, with a pause when there is no descriptor.
            accepted = Listener::accept(&mut listener) => accepted,
            () = tell.closed() => return,
        };
        let Some(seat) = crowd.admit(peer.ip()) else { continue };
        let (acceptor, tell) = (TlsAcceptor::from(tls()), tell.clone());
        tokio::spawn(async move {
            let shaken = timeout(manners.handshake, acceptor.accept(stream)).await;
            match shaken {
                // Who stops listening meanwhile drops the connection.
                Ok(Ok(stream)) => _ = tell.send((Visit::new(stream, manners, seat), peer)).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "handshake"),
                Err(_) => tracing::debug!(%peer, "no handshake in time"),
            }
        });
    }
}

impl Listener for Doorway {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        match self.ready.recv().await {
            Some(visit) => visit,
            // It greets as long as this is there.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Visit {
    fn new(stream: TlsStream<TcpStream>, manners: Manners, seat: Seat) -> Self {
        let quiet = Box::pin(sleep(manners.silence));
        let end = Instant::now() + manners.session;
        Self { stream, quiet, silence: manners.silence, end, _seat: seat }
    }

    /// What was done, unless it is over.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        go: impl FnOnce(Pin<&mut TlsStream<TcpStream>>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = go(Pin::new(&mut self.stream), cx) {
            self.quiet.as_mut().reset(Instant::now() + self.silence);
            return Poll::Ready(done);
        }
        ready!(self.quiet.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(self.in_time(cx, |stream, cx| stream.poll_read(cx, buf)));
        // Who only listens is not in the way of what he is sent.
        match buf.filled().len() > before && Instant::now() >= self.end {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Poll::Ready(read),
        }
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

/// A handshake is two journeys there and back.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A program that asks every minute keeps its connection.
const SILENCE: Duration = Duration::from_secs(75);
const SESSION: Duration = Duration::from_hours(1);
/// Connections that are shaken and not yet served.
const WAITING: usize = 64;
