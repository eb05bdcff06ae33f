//! One connection to a server: TLS from the first byte or after STARTTLS, read by lines and counts.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// When TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    Implicit,
    StartTls,
}

/// Trust in one server: its authority and the name its certificate bears.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// A connection with its read-ahead.
pub struct Connection {
    io: Box<dyn Io>,
    ahead: Vec<u8>,
    taken: usize,
    local: SocketAddr,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Tls {
    /// Trusts the authorities in a PEM file, for a server of that name.
    pub fn new(authorities: &Path, name: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for found in CertificateDer::pem_file_iter(authorities).map_err(io::Error::other)? {
            roots.add(found.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

impl Connection {
    /// Connects with TLS from the first byte.
    pub async fn implicit(to: SocketAddr, tls: &Tls) -> io::Result<Self> {
        Self::plain(to).await?.upgrade(tls).await
    }

    /// Connects without TLS, to be upgraded.
    pub async fn plain(to: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(to).await?)
    }

    /// Over a connection that was made some other way.
    pub fn over(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let local = tcp.local_addr()?;
        Ok(Self { io: Box::new(tcp), ahead: Vec::new(), taken: 0, local })
    }

    /// Starts TLS here; whatever was read ahead in clear text is an injection and an error.
    pub async fn upgrade(self, tls: &Tls) -> io::Result<Self> {
        if self.taken < self.ahead.len() {
            return Err(io::Error::other("clear text carried over into TLS"));
        }
        let stream = in_time(tls.connector.connect(tls.name.clone(), self.io)).await?;
        Ok(Self { io: Box::new(stream), ahead: Vec::new(), taken: 0, local: self.local })
    }

    /// Our end, by which a trace of the server's system calls finds this connection.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        in_time(self.io.write_all(bytes)).await?;
        in_time(self.io.flush()).await
    }

    /// One line without its CRLF.
    pub async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut searched = self.taken;
        loop {
            if let Some(at) = self.ahead[searched..].iter().position(|b| *b == b'\n') {
                let end = searched + at;
                let line = self.ahead[self.taken..end].strip_suffix(b"\r");
                let line = line.unwrap_or(&self.ahead[self.taken..end]).to_vec();
                self.taken = end + 1;
                return Ok(line);
            }
            let unread = self.ahead.len() - self.taken;
            if unread > LINE_MAX {
                return Err(io::Error::other("the server's line is too long"));
            }
            self.fill().await?;
            searched = self.taken + unread;
        }
    }

    /// Reads on until what came ends with a line that begins so: the line, and all octets up to it. For
    /// those who look at nothing before it, and want to spend no time on it.
    pub async fn skip_to(&mut self, begin: &[u8]) -> io::Result<(Vec<u8>, usize)> {
        let mut octets = self.ahead.len() - self.taken;
        loop {
            let unread = &self.ahead[self.taken..];
            let line = &unread[..unread.len().saturating_sub(b"\r\n".len())];
            let from = line.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            if unread.ends_with(b"\r\n") && line[from..].starts_with(begin) {
                let line = line[from..].to_vec();
                self.taken = self.ahead.len();
                return Ok((line, octets));
            }
            self.taken += from;
            let kept = self.ahead.len() - self.taken;
            self.fill().await?;
            octets += self.ahead.len() - kept;
        }
    }

    /// Exactly so many octets.
    pub async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() - self.taken < count {
            self.fill().await?;
        }
        let octets = self.ahead[self.taken..self.taken + count].to_vec();
        self.taken += count;
        Ok(octets)
    }

    /// Sends the end of our side, politely.
    pub async fn close(mut self) {
        // A server that has gone first has nothing left to hear.
        let _ = self.io.shutdown().await;
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.ahead.drain(..self.taken);
        self.taken = 0;
        self.ahead.reserve(READ_SIZE);
        match in_time(self.io.read_buf(&mut self.ahead)).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A server that says nothing any more ends the test that waits for it, not the whole run.
async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the server says nothing");
    tokio::time::timeout(SILENCE, work).await.map_err(late)?
}

/// Above every pause that a server under test makes on purpose.
const SILENCE: Duration = Duration::from_secs(120);
/// Larger than any line a sane server sends: ESEARCH of 50,000 numbers fits.
const LINE_MAX: usize = 1 << 20;
const READ_SIZE: usize = 64 * 1024;
