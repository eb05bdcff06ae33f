//! One TLS connection to the provider, read by lines and counts. Every read and write is bounded
//! in time and size.

use kep::trust::{Certificate, tls};
use rustls::pki_types::ServerName;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom we believe to be the provider.
#[derive(Clone)]
pub struct Trust(Arc<rustls::ClientConfig>);

pub struct Connection {
    stream: TlsStream<TcpStream>,
    ahead: Vec<u8>,
}

impl Trust {
    /// The authorities in a PEM file.
    pub fn load(anchors: &Path) -> io::Result<Self> {
        let certificates = Certificate::from_pem(&std::fs::read(anchors)?);
        let config = tls::client(&certificates.map_err(io::Error::other)?);
        Ok(Self(config.map_err(io::Error::other)?))
    }
}

impl Connection {
    /// To a port of this machine, with TLS from the first octet.
    pub async fn open(port: u16, trust: &Trust) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let tcp = bounded(TcpStream::connect(address)).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(HOST).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&trust.0));
        let stream = bounded(connector.connect(name, tcp)).await?;
        Ok(Self { stream, ahead: Vec::new() })
    }

    pub async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let stream = &mut self.stream;
        let write = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        bounded(write).await
    }

    /// What has come; at least one octet.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.fill(PATIENCE).await?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    /// One line without its CRLF. When `patience` ends first, nothing read is lost.
    pub async fn line(&mut self, patience: Duration) -> io::Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let found = self.ahead.iter().skip(searched).position(|octet| *octet == b'\n');
            if let Some(at) = found.map(|at| at + searched) {
                let mut line: Vec<u8> = self.ahead.drain(..=at).collect();
                line.truncate(line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 });
                return Ok(line);
            }
            if self.ahead.len() > LINE_MAX {
                return Err(io::Error::other("the server's line is too long"));
            }
            searched = self.ahead.len();
            self.fill(patience).await?;
        }
    }

    /// Exactly so many octets.
    pub async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > LITERAL_MAX {
            return Err(io::Error::other(format!("the server announces {count} octets")));
        }
        while self.ahead.len() < count {
            self.fill(PATIENCE).await?;
        }
        Ok(self.ahead.drain(..count).collect())
    }

    /// Says that we are done; a server that has gone first has nothing left to hear.
    pub async fn close(mut self) {
        let _ = bounded(self.stream.shutdown()).await;
    }

    async fn fill(&mut self, patience: Duration) -> io::Result<()> {
        let read = timeout(patience, self.stream.read_buf(&mut self.ahead)).await;
        match read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

async fn bounded<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = timeout(PATIENCE, work).await;
    done.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// For one answer of the server, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// What the development certificate bears.
pub const HOST: &str = "localhost";
const LINE_MAX: usize = 1 << 20;
/// The provider's limit for a dispatch, and room.
const LITERAL_MAX: usize = 32 << 20;
