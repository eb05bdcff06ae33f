//! The line to clamd: a connection for each question. It looks at so many streams at once; who comes
//! beside them waits, as long as an answer may take.

use super::{Place, ScanFault, Verdict};
use crate::wire::clamd::{CHUNK, END, INSTREAM, PING, REPLY_MAX, Reply, VERSION, Version, head};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;

pub struct Clamd {
    place: Place,
    timeout: Duration,
    seats: Semaphore,
}

impl Clamd {
    /// `timeout`: how long a whole scan may take.
    pub fn new(place: Place, timeout: Duration) -> Self {
        Self { place, timeout, seats: Semaphore::new(AT_ONCE) }
    }

    pub async fn scan(&self, octets: &[u8]) -> Result<Verdict, ScanFault> {
        let reply = self.within(async {
            let _seat = self.seats.acquire().await.map_err(std::io::Error::other)?;
            let mut line = self.connect().await?;
            stream(&mut line, octets).await
        });
        match Reply::parse(&reply.await?) {
            Reply::Clean => Ok(Verdict::Clean),
            Reply::Found(name) => Ok(Verdict::of(name)),
            Reply::TooLarge => Ok(Verdict::Beyond("StreamMaxLength".to_owned())),
            Reply::Failed(said) => Err(ScanFault::Says(said)),
        }
    }

    /// Whether it answers, who it is, and of when its signatures are.
    pub async fn version(&self) -> Result<Version, ScanFault> {
        let said = self.ask(PING).await?;
        if said != b"PONG" {
            return Err(ScanFault::Says(String::from_utf8_lossy(&said).into_owned()));
        }
        let said = self.ask(VERSION).await?;
        let unknown = || ScanFault::Says(String::from_utf8_lossy(&said).into_owned());
        Version::parse(&said).ok_or_else(unknown)
    }

    async fn ask(&self, command: &[u8]) -> Result<Vec<u8>, ScanFault> {
        self.within(async {
            let mut line = self.connect().await?;
            line.write_all(command).await?;
            read(&mut line).await
        })
        .await
    }

    async fn within(
        &self,
        work: impl Future<Output = Result<Vec<u8>, ScanFault>>,
    ) -> Result<Vec<u8>, ScanFault> {
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(ScanFault::Slow))
    }

    async fn connect(&self) -> Result<Box<dyn Line>, ScanFault> {
        Ok(match &self.place {
            Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Place::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        })
    }
}

trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Whoever has read enough (StreamMaxLength) says so and reads no further: then the reply counts, not
/// that the rest could not be written.
async fn stream(line: &mut Box<dyn Line>, octets: &[u8]) -> Result<Vec<u8>, ScanFault> {
    let (mut reading, mut writing) = tokio::io::split(line);
    let write = async {
        writing.write_all(INSTREAM).await?;
        for chunk in octets.chunks(CHUNK) {
            writing.write_all(&head(chunk)).await?;
            writing.write_all(chunk).await?;
        }
        writing.write_all(&END).await?;
        writing.flush().await
    };
    let mut said = pin!(read(&mut reading));
    tokio::select! {
        said = &mut said => said,
        written = write => match said.await {
            Err(error) => written.map_err(ScanFault::from).and(Err(error)),
            said => said,
        },
    }
}

/// A reply, up to its NUL.
async fn read(line: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ScanFault> {
    let (mut said, mut piece) = (Vec::new(), [0; 512]);
    while said.len() < REPLY_MAX {
        let size = line.read(&mut piece).await?;
        said.extend_from_slice(piece.get(..size).unwrap_or_default());
        if size == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(end) = said.iter().position(|octet| *octet == 0) {
            said.truncate(end);
            break;
        }
    }
    Ok(said)
}

/// clamd's own MaxThreads is 10, and others may ask it, too.
const AT_ONCE: usize = 8;
