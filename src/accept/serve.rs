//! Sessions over sockets: the pure machine decides, this loop reads, writes, asks and waits.

use super::ask::{
    Aborted, Answer, Ask, BrokenOff, Config, Login, LoginAnswer, Next, Noted, Origin, Piece,
    SubmitAnswer,
};
use super::body::Body;
use super::relay;
use super::run::Desk;
use super::session::{Session, Stop};
use crate::registry::crowd::{Crowd, part};
use crate::registry::login::Pauses;
use crate::registry::places::Places;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

/// How a listener begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// TLS from the first octet.
    Tls,
    /// In the clear, until STARTTLS.
    Clear,
}

/// How long a client may take, and how many there may be.
#[derive(Clone, Debug)]
pub struct Manners {
    pub command: Duration,
    pub data: Duration,
    pub session: Duration,
    pub connections: usize,
    pub per_address: usize,
}

/// What all connections of the listeners of one role share.
pub struct Service {
    pub behind: Behind,
    /// A session goes by the one that is there when it begins.
    pub config: watch::Receiver<Arc<Config>>,
    pub manners: Manners,
    pub tls: Arc<dyn Fn() -> Arc<rustls::ServerConfig> + Send + Sync>,
    pub crowd: Crowd,
}

/// Who answers what a session asks.
pub enum Behind {
    Submission {
        desk: Arc<Desk>,
        /// Shared with all other doors that a password opens.
        pauses: Arc<Pauses>,
        /// From where accounts come.
        places: Arc<Places>,
    },
    Relay(Arc<relay::Desk>),
}

impl Behind {
    fn role(&self) -> &'static str {
        match self {
            Self::Submission { .. } => "submission",
            Self::Relay(_) => "relay",
        }
    }
}

/// Accepts connections until `stop` turns true, then waits for those that are open.
pub async fn serve(
    listener: TcpListener,
    begin: Begin,
    service: Arc<Service>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => admit(&mut connections, tcp, peer, begin, &service, &stop),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let drained = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(left = connections.len(), "connections cut at shutdown");
    }
}

fn admit(
    connections: &mut tokio::task::JoinSet<()>,
    tcp: TcpStream,
    peer: SocketAddr,
    begin: Begin,
    service: &Arc<Service>,
    stop: &watch::Receiver<bool>,
) {
    let Some(seat) = service.crowd.admit(peer.ip()) else {
        tracing::info!(%peer, "too many connections");
        metrics::counter!("kep_smtp_refused_connections_total").increment(1);
        connections.spawn(turn_away(tcp, begin));
        return;
    };
    let service = Arc::clone(service);
    let stop = stop.clone();
    connections.spawn(async move {
        let _seat = seat;
        metrics::gauge!("kep_smtp_connections").increment(1.0);
        let lasting = service.manners.session;
        match timeout(lasting, connection(tcp, peer, begin, &service, stop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%peer, %error, "connection ended"),
            Err(_) => broken_off(&service.behind, peer, BrokenOff::Lasting),
        }
        metrics::gauge!("kep_smtp_connections").decrement(1.0);
    });
}

/// We end a session: somebody should know, and how often.
fn broken_off(behind: &Behind, peer: SocketAddr, why: BrokenOff) {
    let (role, why) = (behind.role(), why.word());
    metrics::counter!("kep_smtp_broken_off_total", "role" => role, "why" => why).increment(1);
    tracing::info!(%peer, role, why, "broken off");
}

/// RFC 5321 §3.1: a server that can't serve now says so; without TLS only where it can be read.
async fn turn_away(mut tcp: TcpStream, begin: Begin) {
    if begin == Begin::Clear {
        let text = b"421 4.7.0 Too many connections, try again later\r\n";
        // The peer may be gone; that is what we want anyway.
        let _ = timeout(Duration::from_secs(5), tcp.write_all(text)).await;
    }
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    begin: Begin,
    service: &Service,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let config = Arc::clone(&service.config.borrow());
    let mut session = Session::new(config, begin == Begin::Tls);
    let mut talk = Talk::new(service, peer, stop);
    if begin == Begin::Tls {
        let mut tls = talk.handshake(tcp).await?;
        return talk.run(&mut session, &mut tls).await.map(|_| ());
    }
    let mut tcp = tcp;
    if talk.run(&mut session, &mut tcp).await? == After::StartTls {
        let mut tls = talk.handshake(tcp).await?;
        session.tls_started();
        talk.run(&mut session, &mut tls).await?;
    }
    Ok(())
}

/// Where a part of a dialogue ends.
#[derive(PartialEq, Eq, Debug)]
pub enum After {
    Closed,
    StartTls,
}

/// One dialogue, over whatever carries octets.
pub struct Talk<'s> {
    service: &'s Service,
    peer: SocketAddr,
    /// The certificate that the client has shown, in DER.
    client: Option<Vec<u8>>,
    stop: watch::Receiver<bool>,
    body: Option<(Body, Pace)>,
    /// Who hands the body in, where it is an account.
    sender: Option<Login>,
    /// When we said something last: a command that comes octet by octet has an end, too.
    spoken: Instant,
}

/// How fast a message comes in: whoever sends an octet now and then holds memory for ever.
struct Pace {
    begun: Instant,
    grace: Duration,
    octets: usize,
}

impl Pace {
    fn begun(grace: Duration) -> Self {
        Self { begun: Instant::now(), grace, octets: 0 }
    }

    /// How long the next octets may take, so long after the beginning.
    fn left(&self, elapsed: Duration) -> Duration {
        let earned = Duration::from_secs((self.octets / LEAST_RATE) as u64);
        self.grace.saturating_add(earned).saturating_sub(elapsed)
    }
}

impl<'s> Talk<'s> {
    pub fn new(service: &'s Service, peer: SocketAddr, stop: watch::Receiver<bool>) -> Self {
        Self { service, peer, client: None, stop, body: None, sender: None, spoken: Instant::now() }
    }

    async fn handshake(
        &mut self,
        tcp: TcpStream,
    ) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from((self.service.tls)());
        let (within, mut stop) = (self.service.manners.command, self.stop.clone());
        let tls = tokio::select! {
            accepted = timeout(within, acceptor.accept(tcp)) => {
                let accepted = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                accepted.inspect_err(|error| self.no_handshake(error))?
            }
            // Nobody waits for a peer that has said nothing yet.
            _ = stop.wait_for(|stop| *stop) => return Err(io::ErrorKind::ConnectionAborted.into()),
        };
        let shown = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        self.client = shown.map(|certificate| certificate.to_vec());
        self.spoken = Instant::now();
        Ok(tls)
    }

    /// Until the end, or until TLS is to begin; then again, over what is encrypted.
    pub async fn run<S>(&mut self, session: &mut Session, stream: &mut S) -> io::Result<After>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; READ];
        loop {
            match session.next() {
                Next::Read => match self.listen(stream, &mut buffer).await? {
                    Heard::Octets(0) => return Ok(After::Closed),
                    Heard::Octets(n) => session.feed(&buffer[..n]),
                    Heard::Nothing => session.stop(Stop::Timeout),
                    Heard::Shutdown => session.stop(Stop::Shutdown),
                },
                Next::Send(octets) => self.write(stream, &octets).await?,
                Next::Pause(user) => {
                    if let Behind::Submission { desk, pauses, .. } = &self.service.behind {
                        let pause = pauses.after_failure(self.peer.ip(), &user, desk.clock.now());
                        self.rest(pause).await;
                    }
                }
                Next::Noted(noted) => self.noted(noted),
                Next::StartTls => {
                    if session.was_sent_ahead() {
                        self.sent_ahead();
                    }
                    return Ok(After::StartTls);
                }
                Next::Spool(piece) => self.spool(piece).await,
                Next::Ask(ask) => session.answer(self.answer(ask).await),
                Next::Close => {
                    Box::pin(part(stream)).await;
                    return Ok(After::Closed);
                }
            }
        }
    }

    /// Who only looked whether we listen has broken off himself.
    fn no_handshake(&self, error: &io::Error) {
        if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::TimedOut) {
            tracing::info!(peer = %self.peer, %error, "no handshake");
            broken_off(&self.service.behind, self.peer, BrokenOff::Handshake);
        }
    }

    fn sent_ahead(&self) {
        let role = self.service.behind.role();
        metrics::counter!("kep_smtp_sent_ahead_total", "role" => role).increment(1);
        tracing::warn!(peer = %self.peer, role, "commands were sent along with STARTTLS");
    }

    fn noted(&self, noted: Noted) {
        match (noted, &self.service.behind) {
            (Noted::BrokenOff(why), behind) => broken_off(behind, self.peer, why),
            (Noted::Refused(refusal), Behind::Relay(desk)) => {
                desk.refused(&self.peer.ip(), &refusal);
            }
            (Noted::Refused(_), Behind::Submission { .. }) => {}
        }
    }

    /// Waits, but holds up no end.
    async fn rest(&self, pause: Duration) {
        // Not even for the clock's next tick.
        if pause.is_zero() {
            return;
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Reads; a message that ends here unfinished is noted.
    async fn listen<S>(&mut self, stream: &mut S, buffer: &mut [u8]) -> io::Result<Heard>
    where
        S: AsyncRead + Unpin,
    {
        let heard = self.read(stream, buffer).await;
        if matches!(heard, Ok(Heard::Octets(0) | Heard::Nothing) | Err(_))
            && let Some((body, _)) = self.body.take()
            && let (Some(login), Behind::Submission { desk, .. }) =
                (self.sender.take(), &self.service.behind)
        {
            desk.broke_off(login, body).await;
        }
        heard
    }

    async fn read<S>(&mut self, stream: &mut S, buffer: &mut [u8]) -> io::Result<Heard>
    where
        S: AsyncRead + Unpin,
    {
        let manners = &self.service.manners;
        let within = match &self.body {
            Some((_, pace)) => pace.left(pace.begun.elapsed()).min(manners.data),
            None => manners.command.saturating_sub(self.spoken.elapsed()),
        };
        let mut going_down = *self.stop.borrow();
        tokio::select! {
            read = timeout(within, stream.read(buffer)) => match read {
                Ok(read) => read.map(Heard::Octets),
                Err(_) => Ok(Heard::Nothing),
            },
            // A message that is being read may be finished; whoever waits is sent away.
            _ = async {
                while !going_down {
                    if self.stop.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                    going_down = *self.stop.borrow();
                }
            }, if self.body.is_none() => Ok(Heard::Shutdown),
        }
    }

    async fn write<S>(&mut self, stream: &mut S, octets: &[u8]) -> io::Result<()>
    where
        S: AsyncWrite + Unpin,
    {
        let writing = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        let within = self.service.manners.command;
        let written = timeout(within, writing).await;
        self.spoken = Instant::now();
        written.map_err(|_| io::ErrorKind::TimedOut)?
    }

    async fn spool(&mut self, piece: Piece) {
        match piece {
            Piece::Begin(origin) => {
                let body = match (&self.service.behind, origin) {
                    (Behind::Submission { desk, .. }, Origin::Account(login)) => {
                        let body = desk.body(login.account);
                        self.sender = Some(login);
                        body
                    }
                    (Behind::Relay(desk), _) => {
                        desk.body(self.peer.ip(), self.client.as_deref()).await
                    }
                    (Behind::Submission { .. }, Origin::Peer(_)) => return,
                };
                self.body = Some((body, Pace::begun(self.service.manners.data)));
            }
            Piece::Chunk(octets) => {
                if let Some((body, pace)) = &mut self.body {
                    body.add(&octets);
                    pace.octets = pace.octets.saturating_add(octets.len());
                }
            }
            Piece::Refused => {
                if let Some((body, _)) = &mut self.body {
                    body.refuse();
                }
            }
            Piece::Abort(aborted) => {
                let body = self.body.take().map(|(body, _)| body);
                if let Some(aborted) = aborted {
                    self.aborted(aborted, body).await;
                }
            }
        }
    }

    /// A message that the dialogue refused after its octets began to come.
    async fn aborted(&self, aborted: Aborted, body: Option<Body>) {
        let Aborted { envelope, refusal, whole } = aborted;
        match (&self.service.behind, envelope.from.clone()) {
            (Behind::Submission { desk, .. }, Origin::Account(login)) => {
                let seen = body.filter(|_| whole);
                desk.aborted(&envelope.by(login), &refusal, seen).await;
            }
            (Behind::Relay(desk), Origin::Peer(domain)) => {
                desk.refused(&relay::path(domain.as_ref()), &refusal);
            }
            _ => {}
        }
    }

    async fn answer(&mut self, ask: Ask) -> Answer {
        let started = Instant::now();
        match (&self.service.behind, ask) {
            (Behind::Submission { desk, pauses, places }, Ask::Authenticate { user, secret }) => {
                let answer = desk.login(&user, secret).await;
                if answer == LoginAnswer::Rejected {
                    tracing::info!(peer = %self.peer, user, "login failed");
                    metrics::counter!("kep_smtp_login_failures_total").increment(1);
                } else if let LoginAnswer::Accepted(login) = &answer {
                    pauses.after_success(self.peer.ip(), login.address.as_str(), login.at);
                    places.came(login.account, self.peer.ip(), "SMTP", login.at).await;
                }
                Answer::Login(answer)
            }
            (Behind::Submission { desk, .. }, Ask::Recipient { address, sender, octets }) => {
                Answer::Recipient(desk.recipient(&address, sender, octets).await)
            }
            (Behind::Submission { desk, .. }, Ask::Submit { envelope, octets: _ }) => {
                let answer = match self.body.take() {
                    Some((body, _)) => desk.submit(envelope, body).await,
                    None => SubmitAnswer::Temporary,
                };
                metrics::histogram!("kep_submission_seconds").record(started.elapsed());
                Answer::Submitted(answer)
            }
            (Behind::Relay(desk), Ask::Peer { domain }) => {
                Answer::Peer(desk.meet(&domain, self.client.as_deref()).await)
            }
            (Behind::Relay(desk), Ask::HandOver { envelope, octets: _ }) => {
                let answer = match self.body.take() {
                    Some((body, _)) => desk.hand_over(envelope, body, self.client.as_deref()).await,
                    None => SubmitAnswer::Temporary,
                };
                metrics::histogram!("kep_relay_in_seconds").record(started.elapsed());
                Answer::Submitted(answer)
            }
            // A session asks what its role asks.
            (Behind::Submission { .. }, _) => Answer::Submitted(SubmitAnswer::Temporary),
            (Behind::Relay(_), _) => Answer::Submitted(SubmitAnswer::Temporary),
        }
    }
}

enum Heard {
    Octets(usize),
    Nothing,
    Shutdown,
}

/// One read: a TLS record.
const READ: usize = 16 << 10;
/// Octets a second, after a grace of one silence: a 25 MiB message over 64 kbit/s takes just under the
/// hour that a connection may last.
const LEAST_RATE: usize = 8 << 10;
/// Out of file descriptors: some connection will end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Messages under way at shutdown have this long to be finished.
const DRAIN: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_trickles_in_has_an_end() {
        let secs = Duration::from_secs;
        let mut pace = Pace::begun(secs(180));
        assert_eq!(pace.left(secs(179)), secs(1));
        pace.octets += 180;
        assert_eq!(pace.left(secs(180)), secs(0), "an octet a second is too slow");
        pace.octets = 25 << 20;
        assert_eq!(pace.left(secs(1000)), secs(180 + 3200 - 1000));
    }
}
