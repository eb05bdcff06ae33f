//! To another provider's server: TCP, STARTTLS to whom the registry knows, and the dialogue driven over
//! it, each wait bounded by RFC 5321 §4.5.3.2 and the whole by half an hour.

use super::dialogue::{BodyForm, Dialogue, Next, Report, Wait};
use crate::registry::peers::Route;
use crate::store::relay::Trouble;
use crate::wire::smtp::DotStuffer;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
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
    pub async fn open(
        route: &Route,
        tls: Arc<ClientConfig>,
        patience: &Patience,
    ) -> Result<Self, (Trouble, String)> {
        let host = route.host.as_str();
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| (Trouble::NotIdentified, format!("{host}: {error}")))?;
        let found = timeout(patience.connect, tokio::net::lookup_host((host, route.port))).await;
        let found = found.map_err(|_| (Trouble::Unreachable, format!("{host}: no answer")))?;
        let found = found.map_err(|error| {
            let text = format!("{host}: {error}");
            // The name service is silent (getaddrinfo's EAI_AGAIN): that says nothing of the name.
            match text.contains("Temporary failure") || text.contains("Try again") {
                true => (Trouble::Unreachable, text),
                false => (Trouble::NotIdentified, text),
            }
        })?;
        let mut last = format!("{host} has no address");
        for address in found.take(ADDRESSES) {
            match timeout(patience.connect, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Commands are small and answers awaited; without it nothing worse happens.
                    let _ = stream.set_nodelay(true);
                    let (stream, tls) = (Stream::Clear(stream), TlsConnector::from(tls));
                    return Ok(Self { stream, name, tls });
                }
                Ok(Err(error)) => last = format!("{address}: {error}"),
                Err(_) => last = format!("{address}: no answer in time"),
            }
        }
        Err((Trouble::Unreachable, last))
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
                        Ok(Err(error)) => dialogue.tls_failed(error.to_string()),
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

/// A server has an address of each kind, or a few.
const ADDRESSES: usize = 6;
const BLOCK: usize = 64 << 10;
const FAREWELL: Duration = Duration::from_secs(5);
