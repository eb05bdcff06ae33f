//! To another provider's servers, in turn: TCP, STARTTLS to who is known, and the dialogue driven over
//! it, each wait bounded by RFC 5321 §4.5.3.2 and the whole by half an hour.

use super::dialogue::{BodyForm, Dialogue, Mail, Next, Report, Wait};
use super::fate::{self, Verdict};
use crate::registry::route::Server;
use crate::store::relay::Trouble;
use crate::trust::tls::{self, Shown};
use crate::wire::smtp::DotStuffer;
use crate::wire::{KepAddress, KepDomain};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long each thing may take.
#[derive(Clone, Debug)]
pub struct Patience {
    pub connect: Duration,
    pub greeting: Duration,
    pub answer: Duration,
    pub data: Duration,
    /// A piece of the mail.
    pub block: Duration,
    pub last: Duration,
    /// One mail, from the first octet to the last answer.
    pub whole: Duration,
    /// A connection stays open so long for another mail.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            answer: minutes(5),
            data: minutes(2),
            block: minutes(3),
            last: minutes(10),
            whole: minutes(30),
            linger: Duration::from_secs(5),
        }
    }
}

impl Patience {
    /// What is left of the whole since then.
    pub fn left(&self, begun: Instant) -> Self {
        Self { whole: self.whole.saturating_sub(begun.elapsed()), ..self.clone() }
    }

    fn with(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Greeting => self.greeting,
            Wait::Answer => self.answer,
            Wait::Data => self.data,
            Wait::Final => self.last,
        }
    }
}

/// A connection to a server.
pub struct Line {
    stream: Stream,
    name: ServerName<'static>,
    tls: TlsConnector,
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Line {
    /// Connects. In clear: the dialogue asks for TLS before it says anything of a mail.
    async fn open(
        (host, address): (&str, SocketAddr),
        tls: Arc<ClientConfig>,
        patience: &Patience,
    ) -> Result<Self, (Trouble, String)> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| (Trouble::NotIdentified, format!("{host}: {error}")))?;
        let failed = match timeout(patience.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are small and answers awaited; without it nothing worse happens.
                let _ = stream.set_nodelay(true);
                let (stream, tls) = (Stream::Clear(stream), TlsConnector::from(tls));
                return Ok(Self { stream, name, tls });
            }
            Ok(Err(error)) => format!("{address}: {error}"),
            Err(_) => format!("{address}: no answer in time"),
        };
        Err((Trouble::Unreachable, failed))
    }

    /// Drives the dialogue until it says how it went.
    pub async fn converse(
        &mut self,
        dialogue: &mut Dialogue,
        mail: &[u8],
        patience: &Patience,
    ) -> Report {
        let until = Instant::now() + patience.whole;
        let within = |long: Duration| long.min(until.saturating_duration_since(Instant::now()));
        loop {
            let done = match dialogue.next() {
                Next::Read => {
                    let wait = within(patience.with(dialogue.waits_for()));
                    timeout(wait, self.read(dialogue)).await
                }
                Next::Send(octets) => timeout(within(patience.block), self.write(&octets)).await,
                Next::StartTls => {
                    match timeout(within(patience.answer), self.start_tls()).await {
                        Ok(Ok(())) => dialogue.tls_started(),
                        Ok(Err(error)) => dialogue.tls_failed(tls::said(&error)),
                        Err(_) => dialogue.tls_failed("no handshake in time".to_owned()),
                    }
                    continue;
                }
                Next::SendBody(form) => {
                    let sent = self.body(mail, form, patience.block, until).await;
                    // Without its end the server can't take it.
                    if matches!(sent, Ok(Ok(()))) {
                        dialogue.body_sent();
                    }
                    sent
                }
                Next::Done(report) => return report,
            };
            match done {
                Ok(Ok(())) => continue,
                Ok(Err(_)) => dialogue.lost(),
                Err(_) => dialogue.timed_out(),
            }
            self.stream = Stream::Gone;
        }
    }

    /// Says goodbye, without waiting for much.
    pub async fn close(mut self, dialogue: &mut Dialogue) {
        dialogue.quit();
        if let Next::Send(octets) = dialogue.next() {
            // Nobody's mail depends on it any more.
            let _ = timeout(FAREWELL, self.write(&octets)).await;
        }
        if let Stream::Tls(mut stream) = self.stream {
            let _ = timeout(FAREWELL, stream.shutdown()).await;
        }
    }

    async fn read(&mut self, dialogue: &mut Dialogue) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = match &mut self.stream {
            Stream::Clear(stream) => stream.read(&mut buffer).await?,
            Stream::Tls(stream) => stream.read(&mut buffer).await?,
            Stream::Gone => 0,
        };
        match buffer.get(..read) {
            Some(octets) if read > 0 => dialogue.feed(octets),
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(octets).await,
            Stream::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        let Stream::Clear(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let stream = self.tls.connect(self.name.clone(), stream).await?;
        self.stream = Stream::Tls(Box::new(stream));
        Ok(())
    }

    /// A mail, piece by piece: as long as it moves it may take its time.
    async fn body(
        &mut self,
        mail: &[u8],
        form: BodyForm,
        block: Duration,
        until: Instant,
    ) -> Result<io::Result<()>, tokio::time::error::Elapsed> {
        let within = || block.min(until.saturating_duration_since(Instant::now()));
        let mut stuffer = DotStuffer::default();
        let mut wire = Vec::with_capacity(BLOCK + BLOCK / 8);
        for piece in mail.chunks(BLOCK) {
            let octets = match form {
                BodyForm::Plain => piece,
                BodyForm::Dots => {
                    wire.clear();
                    stuffer.stuff(piece, &mut wire);
                    &wire
                }
            };
            if let Err(error) = timeout(within(), self.write(octets)).await? {
                return Ok(Err(error));
            }
        }
        if form == BodyForm::Plain {
            return Ok(Ok(()));
        }
        wire.clear();
        stuffer.finish(&mut wire);
        timeout(within(), self.write(&wire)).await
    }
}

/// A server that was reached, and what it said.
pub struct Reached {
    pub line: Line,
    pub dialogue: Dialogue,
    pub report: Report,
}

/// Tries the servers in turn, each at all its addresses, until one looks at the mail: who can't be
/// reached, is not the one that is known, or takes none of ours, is passed over while there are others
/// (RFC 5321 §5.1). `own` is what we show.
pub async fn reach(
    servers: &[Server],
    own: Option<(&Path, &Path)>,
    mail: &Mail,
    octets: &[u8],
    patience: &Patience,
) -> Result<Reached, (Trouble, String)> {
    let mut failed = Failed::default();
    // Who has many servers that stall keeps one worker no longer than one server may.
    let begun = Instant::now();
    for server in servers {
        let tls = tls::dialer(&server.trust, own).map_err(|error| {
            tracing::error!(%error, "no TLS client can be made");
            (Trouble::Unreachable, OWN.to_owned())
        })?;
        let there = match addresses(server, patience).await {
            Ok(there) => there,
            Err((trouble, heard)) => {
                failed.note(Failed { trouble, heard, answered: false });
                continue;
            }
        };
        for address in there {
            let patience = patience.left(begun);
            if patience.whole.is_zero() {
                return Err((failed.trouble, failed.heard));
            }
            match hand(server, address, &tls, mail, octets, &patience).await {
                Ok(reached) => return Ok(reached),
                Err(other) => {
                    tracing::info!(host = server.host, %address, heard = other.heard, "passed over");
                    failed.note(other);
                }
            }
        }
    }
    Err((failed.trouble, failed.heard))
}

/// Why a mail was not handed over.
struct Failed {
    trouble: Trouble,
    heard: String,
    /// The server was reached.
    answered: bool,
}

impl Default for Failed {
    fn default() -> Self {
        Self { trouble: Trouble::Unreachable, heard: "no server".to_owned(), answered: false }
    }
}

impl Failed {
    /// What a server answered tells more than that another could not be reached.
    fn note(&mut self, other: Self) {
        if other.answered || !self.answered {
            *self = other;
        }
    }
}

/// Hands a mail to a server at one of its addresses; an error is one of before the mail was looked at.
async fn hand(
    server: &Server,
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    mail: &Mail,
    octets: &[u8],
    patience: &Patience,
) -> Result<Reached, Failed> {
    let opened = Line::open((&server.host, address), Arc::clone(tls), patience).await;
    let mut line = opened.map_err(|(trouble, heard)| Failed { trouble, heard, answered: false })?;
    let mut dialogue = Dialogue::lasting(mail.clone());
    let report = line.converse(&mut dialogue, octets, patience).await;
    match fate::judge(&report, dialogue.begun()) {
        Verdict::Server { trouble, heard } => {
            line.close(&mut dialogue).await;
            Err(Failed { trouble, heard, answered: true })
        }
        Verdict::Mail { .. } => Ok(Reached { line, dialogue, report }),
    }
}

/// The certificates that a server shows after STARTTLS, leaf first. Nothing is sent, nothing believed.
pub async fn look(
    server: &Server,
    domain: &KepDomain,
    helo: &str,
    patience: &Patience,
) -> Result<Vec<Vec<u8>>, String> {
    let shown = Shown::default();
    let tls = tls::looker(&shown).map_err(|error| error.to_string())?;
    let there = addresses(server, patience).await.map_err(|(_, heard)| heard)?;
    let nobody = KepAddress::registered(&format!("postmaster@{domain}"));
    let mail = Mail::nothing(helo, nobody.map_err(|_| format!("{domain} is no mail domain"))?);
    let mut last = format!("{} has no address", server.host);
    for address in there {
        // It ends in the handshake, which is broken off.
        if let Err(failed) = hand(server, address, &tls, &mail, &[], patience).await {
            last = failed.heard;
        }
        let chain = shown.chain();
        if !chain.is_empty() {
            return Ok(chain);
        }
    }
    Err(last)
}

/// Where a server is; where the route names a host and nothing had to be proven, as the system knows it.
async fn addresses(
    server: &Server,
    patience: &Patience,
) -> Result<Vec<SocketAddr>, (Trouble, String)> {
    let (host, port) = (server.host.as_str(), server.port);
    if let Some(known) = &server.addresses {
        let known = known.iter().take(ADDRESSES);
        return Ok(known.map(|address| SocketAddr::new(*address, port)).collect());
    }
    let found = timeout(patience.connect, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| (Trouble::Unreachable, format!("{host}: no answer")))?;
    let found = found.map_err(|error| {
        let text = format!("{host}: {error}");
        // The name service is silent (getaddrinfo's EAI_AGAIN): that says nothing of the name.
        match text.contains("Temporary failure") || text.contains("Try again") {
            true => (Trouble::Unreachable, text),
            false => (Trouble::NotIdentified, text),
        }
    })?;
    let found: Vec<_> = found.take(ADDRESSES).collect();
    match found.is_empty() {
        true => Err((Trouble::Unreachable, format!("{host} has no address"))),
        false => Ok(found),
    }
}

/// What evidence says of our own troubles; the log says more.
pub const OWN: &str = "trouble of this provider's own";
/// A server has an address of each kind, or a few.
const ADDRESSES: usize = 6;
const BLOCK: usize = 64 << 10;
const FAREWELL: Duration = Duration::from_secs(5);
