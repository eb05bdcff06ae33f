//! Another provider's server, which speaks what is written down for it.

use crate::trust::Clock;
use crate::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use crate::wire::Digest;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A line of a dialogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// We say it.
    Server(String),
    /// The client says it; `*` at the end stands for anything.
    Client(String),
    Tls,
    /// The client sends a mail: its octets up to the end of DATA, or of the chunk it named.
    Mail,
    /// Silence, until the client goes.
    Silence,
    /// An octet of a reply now and then, until the client goes.
    Drip,
    Close,
}

pub struct Peer {
    pub port: u16,
    pub issued: Issued,
    pub authority: CertificateAuthority,
    heard: Arc<Mutex<Heard>>,
    serving: JoinHandle<()>,
}

#[derive(Clone, Default, Debug)]
pub struct Heard {
    /// Each mail that came whole.
    pub mails: Vec<Vec<u8>>,
    pub connections: usize,
    /// The most of them at the same time.
    pub most: usize,
    pub open: usize,
    /// What was not as written down.
    pub wrong: Vec<String>,
}

impl Peer {
    /// One dialogue for each connection; more connections are hung up on, and wrong.
    pub async fn speaking(dialogues: Vec<Vec<Line>>) -> Self {
        Self::with(move |heard, stream, tls| {
            let at = heard.lock().unwrap().connections;
            let dialogue = dialogues.get(at - 1).cloned();
            async move {
                let Some(dialogue) = dialogue else {
                    heard.lock().unwrap().wrong.push(format!("connection {at} is one too many"));
                    return;
                };
                if let Err(wrong) = speak(stream, tls, &dialogue, &heard).await {
                    heard.lock().unwrap().wrong.push(format!("connection {at}: {wrong}"));
                }
            }
        })
        .await
    }

    /// Takes everything.
    pub async fn willing() -> Self {
        Self::with(|heard, stream, tls| async move {
            {
                let mut heard = heard.lock().unwrap();
                heard.open += 1;
                heard.most = heard.most.max(heard.open);
            }
            // The client may go at any time.
            let _ = take_all(stream, tls, &heard).await;
            heard.lock().unwrap().open -= 1;
        })
        .await
    }

    async fn with<F, W>(serve: F) -> Self
    where
        F: Fn(Arc<Mutex<Heard>>, TcpStream, TlsAcceptor) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let now = Clock::System.now();
        let authority = CertificateAuthority::create("TLS", KeyKind::P256, now).unwrap();
        let profile = Profile::TlsServer {
            names: vec!["localhost".into()],
            addresses: vec!["127.0.0.1".parse().unwrap()],
        };
        let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
        let tls = acceptor(&issued);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let shared = Arc::clone(&heard);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(Arc::clone(&shared), stream, tls.clone()));
            }
        });
        Self { port, issued, authority, heard, serving }
    }

    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    pub fn pin(&self) -> Digest {
        self.issued.certificate().key_digest().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn acceptor(issued: &Issued) -> TlsAcceptor {
    let chain = vec![CertificateDer::from(issued.certificate().der().to_vec())];
    let key = PrivateKeyDer::from_pem_slice(&issued.key_pem().unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

type Said = Result<(), String>;

async fn speak(
    stream: TcpStream,
    tls: TlsAcceptor,
    dialogue: &[Line],
    heard: &Mutex<Heard>,
) -> Said {
    let at = dialogue.iter().position(|line| *line == Line::Tls).unwrap_or(dialogue.len());
    let (clear, under) = dialogue.split_at(at);
    let mut stream = BufStream::new(stream);
    lines(&mut stream, clear, heard).await?;
    if under.is_empty() {
        return Ok(());
    }
    let stream = tls.accept(stream.into_inner()).await;
    let Ok(stream) = stream else { return Ok(()) };
    lines(&mut BufStream::new(stream), under.get(1..).unwrap_or_default(), heard).await
}

async fn lines<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    lines: &[Line],
    heard: &Mutex<Heard>,
) -> Said {
    let mut chunk = None;
    for line in lines {
        match line {
            Line::Server(text) => say(stream, text).await?,
            Line::Client(wanted) => {
                let said = command(stream).await?;
                let fits = match wanted.strip_suffix('*') {
                    Some(start) => said.starts_with(start),
                    None => said == *wanted,
                };
                if !fits {
                    return Err(format!("{said:?} instead of {wanted:?}"));
                }
                chunk = said
                    .strip_prefix("BDAT ")
                    .and_then(|rest| rest.split(' ').next()?.parse().ok());
            }
            Line::Mail => {
                let mail = match chunk {
                    Some(size) => exactly(stream, size).await?,
                    None => dotted(stream).await?,
                };
                heard.lock().unwrap().mails.push(mail);
            }
            Line::Silence => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
            Line::Drip => drip(stream).await,
            Line::Close => return Ok(()),
            Line::Tls => return Err("TLS a second time".into()),
        }
    }
    Ok(())
}

/// The client goes while we still have something to say.
async fn drip<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) {
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(50));
    for octet in b"250-a\r\n".iter().cycle() {
        pause.tick().await;
        if stream.write_all(&[*octet]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, text: &str) -> Said {
    let octets = format!("{text}\r\n");
    stream.write_all(octets.as_bytes()).await.map_err(|e| format!("{text}: {e}"))?;
    stream.flush().await.map_err(|e| format!("{text}: {e}"))
}

async fn command<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> Result<String, String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.map_err(|e| e.to_string())?;
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| format!("{line:?} has no end"))
}

async fn exactly<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    size: usize,
) -> Result<Vec<u8>, String> {
    let mut mail = vec![0; size];
    stream.read_exact(&mut mail).await.map_err(|e| e.to_string())?;
    Ok(mail)
}

async fn dotted<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> Result<Vec<u8>, String> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await.map_err(|e| e.to_string())?;
        match line.strip_prefix(b".") {
            Some(b"\r\n") => return Ok(mail),
            Some(rest) => mail.extend_from_slice(rest),
            None if line.is_empty() => return Err("the mail has no end".into()),
            None => mail.extend_from_slice(&line),
        }
    }
}

async fn take_all(stream: TcpStream, tls: TlsAcceptor, heard: &Mutex<Heard>) -> Said {
    let mut stream = BufStream::new(stream);
    let begin = "S: 220 x\nC: EHLO *\nS: 250-x\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go";
    lines(&mut stream, &parse(begin), heard).await?;
    let stream = tls.accept(stream.into_inner()).await.map_err(|e| e.to_string())?;
    let mut stream = BufStream::new(stream);
    loop {
        let said = command(&mut stream).await?;
        match said.split(' ').next().unwrap_or_default() {
            "EHLO" => {
                say(&mut stream, "250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING").await?;
            }
            "BDAT" => {
                let size = said.split(' ').nth(1).and_then(|size| size.parse().ok()).unwrap();
                let mail = exactly(&mut stream, size).await?;
                heard.lock().unwrap().mails.push(mail);
                say(&mut stream, "250 2.0.0 taken").await?;
            }
            "QUIT" => return Ok(()),
            _ => say(&mut stream, "250 2.0.0 ok").await?,
        }
    }
}

/// A dialogue as it is written down.
pub fn parse(text: &str) -> Vec<Line> {
    let line = |line: &str| match (line, line.get(..3)) {
        (_, Some("S: ")) => {
            Line::Server(line[3..].replace("\\r\\n", "\r\n").replace("\\e", "\x1b"))
        }
        // So many of them.
        (_, Some("S* ")) => {
            let (times, text) = line[3..].split_once(' ').unwrap();
            let line = format!("{text}\r\n").repeat(times.parse().unwrap());
            Line::Server(line.trim_end().to_owned())
        }
        ("DRIP", _) => Line::Drip,
        (_, Some("C: ")) => Line::Client(line[3..].to_owned()),
        ("TLS", _) => Line::Tls,
        ("MAIL", _) => Line::Mail,
        ("SILENCE", _) => Line::Silence,
        ("CLOSE", _) => Line::Close,
        (other, _) => panic!("no line of a dialogue: {other}"),
    };
    text.lines().map(line).collect()
}
