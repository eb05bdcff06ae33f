//! IMAP over sockets: the pure session decides; this loop reads, writes, asks and waits. What a
//! connection holds while its client is silent is counted: buffers live only while they are used.

mod deflated;

use super::answer::{Desk, Office};
use super::ask::{Answer, Ask};
use super::bells::{Bell, Bells};
use super::session::{Channel, Config, Next, Session, Tls, Watch};
use crate::registry::crowd::{Crowd, part};
use crate::store::Changed;
use crate::trust::tls::InForce;
use deflated::Deflated;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::Instrument;

/// How a listener begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// TLS from the first octet.
    Tls,
    /// In the clear, until STARTTLS.
    Clear,
}

/// How many clients there may be, and how long they may be silent.
#[derive(Clone, Debug)]
pub struct Manners {
    pub connections: usize,
    pub per_address: usize,
    /// The longest silence; `session::AUTOLOGOUT` is what the standard asks for.
    pub silence: Duration,
    /// A message that is appended is here within.
    pub upload: Duration,
    /// Capabilities that are not offered (`session::offered`).
    pub withheld: Vec<&'static str>,
}

/// The TLS in force; asked for at each handshake, so that it may be renewed.
pub type TlsInForce = Arc<dyn Fn() -> Arc<InForce> + Send + Sync>;

/// What all IMAP listeners share.
pub struct Imap {
    office: Arc<Office>,
    tls: TlsInForce,
    /// Pairs of the ID response (RFC 2971).
    id: Vec<(String, String)>,
    crowd: Crowd,
    silence: Duration,
    upload: Duration,
    withheld: Vec<&'static str>,
    /// How long a client may take to read what is sent at one go.
    write: Duration,
    /// How often a client that waits for a long command hears that it goes on.
    progress: Duration,
    bells: Bells,
    connections: AtomicU64,
}

impl Imap {
    /// Must be called within a runtime: it starts listening to the store's news.
    pub fn new(
        office: Arc<Office>,
        tls: TlsInForce,
        manners: Manners,
        id: Vec<(String, String)>,
    ) -> Arc<Self> {
        let bells = Bells::default();
        let poll = office.store().shared().then_some(OTHERS);
        tokio::spawn(ring(office.store().watch(), bells.clone(), poll));
        let crowd = Crowd::new(manners.connections, manners.per_address);
        let Manners { silence, upload, withheld, .. } = manners;
        let connections = AtomicU64::new(0);
        let (write, progress) = (WRITE, PROGRESS);
        Arc::new(Self {
            office,
            tls,
            id,
            crowd,
            silence,
            upload,
            withheld,
            write,
            progress,
            bells,
            connections,
        })
    }
}

/// Passes the store's news on. Other processes on the same rows are not heard: then all look
/// now and then.
async fn ring(
    mut news: broadcast::Receiver<crate::store::Changed>,
    bells: Bells,
    poll: Option<Duration>,
) {
    use broadcast::error::RecvError;
    loop {
        let heard = match poll {
            Some(pause) => match timeout(pause, news.recv()).await {
                Ok(heard) => heard,
                Err(_) => Err(RecvError::Lagged(0)),
            },
            None => news.recv().await,
        };
        match heard {
            Ok(changed) => bells.ring(changed),
            Err(RecvError::Lagged(_)) => bells.ring_all(),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Accepts connections until `stop` turns true, then says goodbye to those that are open.
pub async fn serve(
    listener: TcpListener,
    begin: Begin,
    imap: Arc<Imap>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    while !*stop.borrow() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => admit(&mut connections, tcp, peer, begin, &imap, &stop),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    drop(listener);
    let drained = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(left = connections.len(), "connections cut at shutdown");
    }
}

fn admit(
    connections: &mut JoinSet<()>,
    tcp: TcpStream,
    peer: SocketAddr,
    begin: Begin,
    imap: &Arc<Imap>,
    stop: &watch::Receiver<bool>,
) {
    let id = imap.connections.fetch_add(1, Ordering::Relaxed);
    let Some(seat) = imap.crowd.admit(peer.ip()) else {
        tracing::info!(connection = id, %peer, "too many connections");
        metrics::counter!("kep_imap_refused_connections_total").increment(1);
        connections.spawn(turn_away(tcp, begin));
        return;
    };
    let span = tracing::info_span!("imap", connection = id, %peer);
    let (imap, stop) = (Arc::clone(imap), stop.clone());
    let work = async move {
        let _seat = seat;
        metrics::gauge!("kep_imap_connections").increment(1.0);
        match connection(tcp, peer, begin, &imap, stop).await {
            Ok(()) => tracing::debug!("connection ended"),
            Err(error) => tracing::debug!(%error, "connection broke off"),
        }
        metrics::gauge!("kep_imap_connections").decrement(1.0);
    };
    connections.spawn(work.instrument(span));
}

/// RFC 9051 §7.1.5; without TLS only, where it can be read.
async fn turn_away(mut tcp: TcpStream, begin: Begin) {
    if begin == Begin::Clear {
        let bye = b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n";
        // The peer may be gone; that is what we want anyway.
        let _ = timeout(GOODBYE, tcp.write_all(bye)).await;
    }
}

async fn connection(
    mut tcp: TcpStream,
    peer: SocketAddr,
    begin: Begin,
    imap: &Imap,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut talk = Talk::new(imap, begin, peer, stop);
    if begin == Begin::Clear && talk.run(&mut tcp).await? != After::StartTls {
        return Ok(());
    }
    let tls = (imap.tls)();
    let mut stream = handshake(&tls, tcp, &mut talk.stop).await?;
    let channel = Box::pin(talk.protected_by(stream.get_ref().1, &tls)).await;
    drop(tls);
    match begin {
        Begin::Clear => talk.session.secured_by(channel),
        Begin::Tls => talk.session = Session::over(talk.session.config().clone(), channel),
    }
    talk.converse(&mut *stream).await
}

async fn handshake(
    tls: &InForce,
    tcp: TcpStream,
    stop: &mut watch::Receiver<bool>,
) -> io::Result<Box<TlsStream<TcpStream>>> {
    let accepting = TlsAcceptor::from(Arc::clone(&tls.config)).accept(tcp);
    tokio::select! {
        accepted = timeout(HANDSHAKE, accepting) => {
            accepted.map_err(|_| io::ErrorKind::TimedOut)?.map(Box::new)
        }
        // Nobody waits for a peer that has said nothing yet.
        () = stopped(stop) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

#[derive(PartialEq, Eq)]
enum After {
    Closed,
    StartTls,
    Compress,
    /// It ends behind the answer that was sent last.
    Expand,
}

/// One dialogue.
struct Talk<'i> {
    imap: &'i Imap,
    session: Session,
    desk: Desk,
    stop: watch::Receiver<bool>,
    /// Hung up when the client idled first on its mailbox, and kept: nothing falls between.
    bell: Option<Bell>,
    /// The message that is coming in, and when it is to be here.
    upload: Option<(u64, Instant)>,
}

/// What ends a silence.
enum Heard {
    Octets(usize),
    Change,
    Nothing,
    Shutdown,
    /// What came can't be unpacked.
    Broken,
}

impl<'i> Talk<'i> {
    fn new(imap: &'i Imap, begin: Begin, peer: SocketAddr, stop: watch::Receiver<bool>) -> Self {
        let tls = if begin == Begin::Tls { Tls::Active } else { Tls::Offered };
        let session = Session::new(Config { tls, id: imap.id.clone() });
        let desk = Desk::new(Arc::clone(&imap.office), peer.ip());
        Self { imap, session, desk, stop, bell: None, upload: None }
    }

    /// Tells the desk whom TLS showed, and the session what TLS offers.
    async fn protected_by(&mut self, tls: &rustls::ServerConnection, by: &InForce) -> Channel {
        let shown = tls.peer_certificates().unwrap_or_default();
        self.desk.shown_certificates(shown.iter().map(|der| der.to_vec()).collect());
        let (exporter, certificate) = (exporter(tls), !shown.is_empty());
        let (end_point, withheld) = (by.end_point.clone(), self.imap.withheld.clone());
        let scram = self.desk.offers_scram().await;
        Channel { exporter, end_point, certificate, scram, withheld }
    }

    /// To the end of the connection, in the clear or compressed.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> io::Result<()> {
        while self.run(stream).await? == After::Compress {
            self.session.compressed();
            // Few are compressed: the others don't hold room for it.
            if !Box::pin(self.converse_packed(stream)).await? {
                break;
            }
        }
        Ok(())
    }

    /// Compressed, until the connection ends or the compression does; says whether it goes on.
    async fn converse_packed<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> io::Result<bool> {
        let mut packed = Deflated::new(stream);
        if self.run(&mut packed).await? != After::Expand {
            return Ok(false);
        }
        let rest = tokio::select! {
            rest = timeout(self.patience(), poll_fn(|context| packed.poll_end(context))) => {
                rest.map_err(|_| io::ErrorKind::TimedOut)??
            }
            () = stopped(&mut self.stop) => return Ok(false),
        };
        self.session.expanded();
        self.session.feed(&rest);
        Ok(true)
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> io::Result<After> {
        loop {
            let heard = match self.session.next() {
                Next::Read => self.listen(stream, false).await?,
                Next::Wait(watch) => match self.watch(watch) {
                    true => Heard::Change,
                    false => self.listen(stream, true).await?,
                },
                Next::Send(octets) => {
                    write(stream, &octets, self.imap.write).await?;
                    continue;
                }
                Next::Ask(ask) => match self.answer(stream, ask).await? {
                    Some(answer) => {
                        self.session.answer(answer);
                        continue;
                    }
                    None => Heard::Shutdown,
                },
                Next::StartTls => return Ok(After::StartTls),
                Next::Compress => return Ok(After::Compress),
                Next::Expand => return Ok(After::Expand),
                Next::Close => {
                    Box::pin(part(stream)).await;
                    return Ok(After::Closed);
                }
            };
            match heard {
                Heard::Octets(0) => return Ok(After::Closed),
                Heard::Octets(_) => {}
                Heard::Change => self.session.changed(),
                Heard::Nothing => self.session.timeout(),
                Heard::Shutdown => self.session.shut_down(),
                Heard::Broken => self.session.broken(),
            }
        }
    }

    /// Has an ask answered; while that takes long the client is told that it goes on (RFC 9585). Nobody
    /// waits for a login when the server stops: the pause after a wrong password may be a minute.
    async fn answer<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        ask: Ask,
    ) -> io::Result<Option<Answer>> {
        let (long, counter) = (ask.is_long(), self.desk.counter());
        let login = matches!(ask, Ask::Login(_) | Ask::Salt { .. });
        // An answer's future is large and its work short: it is not part of this one.
        let mut answering = Box::pin(self.desk.answer(ask));
        loop {
            tokio::select! {
                answer = &mut answering => return Ok(Some(answer)),
                () = stopped(&mut self.stop), if login => return Ok(None),
                () = tokio::time::sleep(self.imap.progress), if long => {
                    let (done, goal) = counter.get().unzip();
                    let said = self.session.in_progress(done, goal);
                    write(stream, &said, self.imap.write).await?;
                }
            }
        }
    }

    /// Hangs up a bell for a client that waits; says whether there may be news from before that. Not each
    /// has a mod-sequence: another name has none.
    fn watch(&mut self, watch: Option<Watch>) -> bool {
        let Some(watch) = watch else {
            self.bell = None;
            return false;
        };
        let of = match watch {
            Watch::Mailbox(mailbox) => self.desk.news_of(mailbox),
            Watch::Account(account) => Changed::Account(account),
        };
        if self.bell.as_ref().is_some_and(|bell| bell.of == of) {
            return false;
        }
        self.bell = Some(self.imap.bells.hang_up(of));
        true
    }

    fn patience(&mut self) -> Duration {
        let due = |(_, due): (u64, Instant)| due.saturating_duration_since(Instant::now());
        let upload = self.session.upload().map(|number| match self.upload {
            Some((known, due)) if known == number => (number, due),
            _ => (number, Instant::now() + self.imap.upload),
        });
        self.upload = upload;
        let patience = self.session.patience().min(self.imap.silence);
        upload.map(due).unwrap_or(patience).min(patience)
    }

    async fn listen<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        idle: bool,
    ) -> io::Result<Heard> {
        let patience = self.patience();
        let Self { session, stop, bell, .. } = self;
        let bell = bell.as_mut().filter(|_| idle);
        tokio::select! {
            read = timeout(patience, read(stream, session)) => match read {
                Ok(Err(error)) if deflated::is_broken(&error) => Ok(Heard::Broken),
                Ok(read) => read.map(Heard::Octets),
                Err(_) => Ok(Heard::Nothing),
            },
            () = rung(bell) => Ok(Heard::Change),
            () = stopped(stop) => Ok(Heard::Shutdown),
        }
    }
}

/// Feeds what comes to the session, through a buffer that exists only while there is something.
async fn read<S: AsyncRead + Unpin>(stream: &mut S, session: &mut Session) -> io::Result<usize> {
    poll_fn(|context| {
        let mut octets = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut octets);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        session.feed(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    octets: &[u8],
    within: Duration,
) -> io::Result<()> {
    let writing = async {
        stream.write_all(octets).await?;
        stream.flush().await
    };
    timeout(within, writing).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// RFC 9266 §4.2: of TLS 1.2 only with an extension that the library doesn't tell of.
fn exporter(tls: &rustls::ServerConnection) -> Option<[u8; 32]> {
    if tls.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
        return None;
    }
    tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()
}

async fn rung(bell: Option<&mut Bell>) {
    if let Some(bell) = bell
        && bell.rung.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could stop us is gone: then nobody will.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

/// One read: a TLS record.
const READ: usize = 16 << 10;
/// A client that takes as long to read what it asked for is gone.
const WRITE: Duration = Duration::from_secs(120);
/// 25 MiB over a line of 128 kbit/s.
pub const UPLOAD: Duration = Duration::from_secs(30 * 60);
/// RFC 9585 §3: programs give up on a silent server after half a minute.
const PROGRESS: Duration = Duration::from_secs(10);
const HANDSHAKE: Duration = Duration::from_secs(30);
const GOODBYE: Duration = Duration::from_secs(5);
/// Where several processes share the rows, news of the others are looked for as often.
const OTHERS: Duration = Duration::from_secs(5);
/// Out of file descriptors: some connection will end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What is under way at shutdown has this long to be finished.
const DRAIN: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
