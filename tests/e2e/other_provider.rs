//! Another provider's relay, played by the test: it takes what it is sent, and knows nobody whose name
//! begins with `yok`.

use kep::trust::Clock;
use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Serves until it is dropped.
pub struct OtherProvider {
    pub port: u16,
    issued: Issued,
    mails: Arc<Mutex<Vec<Mail>>>,
    mute: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

/// A mail that it has.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub octets: Vec<u8>,
}

impl OtherProvider {
    pub async fn start() -> Self {
        let now = Clock::System.now();
        let authority = CertificateAuthority::create("TLS", KeyKind::P256, now).unwrap();
        let profile = Profile::TlsServer {
            names: vec!["localhost".into()],
            addresses: vec![Ipv4Addr::LOCALHOST.into()],
        };
        let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
        let tls = acceptor(&issued);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        let mute = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&mute);
        let task = tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                let (tls, kept, silent) = (tls.clone(), Arc::clone(&kept), Arc::clone(&silent));
                // Who hangs up has what he wanted.
                tokio::spawn(async move { drop(serve(peer, tls, &kept, &silent).await) });
            }
        });
        Self { port, issued, mails, mute, task }
    }

    /// Takes the next mail and never says so.
    pub fn mute(&self) {
        self.mute.store(true, Ordering::SeqCst);
    }

    /// As `kep provider add --tls-pin` wants it.
    pub fn pin(&self) -> String {
        self.issued.certificate().key_digest().unwrap().hex()
    }

    /// A client that believes this provider's server, and shows whose it is.
    pub fn client(&self, provider: &Path) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(provider.join("trust/tls-ca.pem")).unwrap();
        roots.add(authority).unwrap();
        let chain = vec![CertificateDer::from(self.issued.certificate().der().to_vec())];
        let key = PrivateKeyDer::from_pem_slice(&self.issued.key_pem().unwrap()).unwrap();
        let suites = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(suites);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        Arc::new(builder.with_client_auth_cert(chain, key).unwrap())
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for OtherProvider {
    fn drop(&mut self) {
        self.task.abort();
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

async fn serve(
    peer: TcpStream,
    tls: TlsAcceptor,
    kept: &Mutex<Vec<Mail>>,
    mute: &AtomicBool,
) -> io::Result<()> {
    let mut clear = BufStream::new(peer);
    say(&mut clear, "220 oteki ESMTP").await?;
    loop {
        let said = line(&mut clear).await?;
        match said.as_str() {
            "STARTTLS" => break,
            _ => say(&mut clear, "250-oteki\r\n250 STARTTLS").await?,
        }
    }
    say(&mut clear, "220 go").await?;
    let mut stream = BufStream::new(tls.accept(clear.into_inner()).await?);
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let said = line(&mut stream).await?;
        let path = said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match said.split(' ').next().unwrap_or_default() {
            "EHLO" => say(&mut stream, "250-oteki\r\n250-8BITMIME\r\n250 CHUNKING").await?,
            "RCPT" if path.starts_with("yok") => say(&mut stream, "550 5.1.1 kim bu").await?,
            "RCPT" => {
                to.push(path);
                say(&mut stream, "250 2.1.5 ok").await?;
            }
            "MAIL" => {
                (from, to) = (path, Vec::new());
                say(&mut stream, "250 2.1.0 ok").await?;
            }
            "BDAT" => {
                let size = said.split(' ').nth(1).and_then(|size| size.parse().ok());
                let mut octets = vec![0; size.ok_or(io::ErrorKind::InvalidData)?];
                stream.read_exact(&mut octets).await?;
                let mail = Mail { from: from.clone(), to: to.clone(), octets };
                kept.lock().unwrap().push(mail);
                if mute.swap(false, Ordering::SeqCst) {
                    return stream.read_to_end(&mut Vec::new()).await.map(drop);
                }
                say(&mut stream, "250 2.0.0 taken").await?;
            }
            "QUIT" => return Ok(()),
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    text: &str,
) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
