//! A plain blocking connection, with TLS when it is asked for: what a transcript is played over.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub struct Wire {
    stream: Option<Stream>,
    ahead: Vec<u8>,
    trust: Arc<ClientConfig>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Whom to believe: the provider's own TLS authority.
pub fn trust(provider: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(provider.join("trust/tls-ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let suites = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(suites);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

impl Wire {
    pub fn open(port: u16, tls: bool, trust: Arc<ClientConfig>) -> Self {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut wire = Self { stream: Some(Stream::Plain(tcp)), ahead: Vec::new(), trust };
        if tls {
            wire.secure().unwrap();
        }
        wire
    }

    /// The client's half of the handshake. What came ahead of it in clear is an error.
    pub fn secure(&mut self) -> Result<(), String> {
        if !self.ahead.is_empty() {
            return Err(format!("in clear: {}", String::from_utf8_lossy(&self.ahead)));
        }
        let Some(Stream::Plain(tcp)) = self.stream.take() else {
            return Err("TLS is active".to_owned());
        };
        let name = ServerName::try_from("localhost").map_err(|e| e.to_string())?;
        let client = ClientConnection::new(Arc::clone(&self.trust), name);
        let client = client.map_err(|e| e.to_string())?;
        self.stream = Some(Stream::Tls(Box::new(StreamOwned::new(client, tcp))));
        Ok(())
    }

    /// A server that has closed meanwhile is seen when its lines are read.
    pub fn send(&mut self, octets: &[u8]) {
        let sent = match &mut self.stream {
            Some(Stream::Plain(tcp)) => tcp.write_all(octets),
            Some(Stream::Tls(tls)) => tls.write_all(octets).and_then(|()| tls.flush()),
            None => Ok(()),
        };
        drop(sent);
    }

    /// The next line without its end; `None` when the server has closed.
    pub fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|two| two == b"\r\n") {
                let mut line: Vec<u8> = self.ahead.drain(..end + 2).collect();
                line.truncate(end);
                return Ok(Some(line));
            }
            let mut octets = [0; 16 * 1024];
            let read = match &mut self.stream {
                Some(Stream::Plain(tcp)) => tcp.read(&mut octets),
                Some(Stream::Tls(tls)) => tls.read(&mut octets),
                None => Ok(0),
            };
            match read {
                Ok(0) => return Ok(None),
                Ok(count) => self.ahead.extend_from_slice(&octets[..count]),
                Err(gone) if GONE.contains(&gone.kind()) => return Ok(None),
                Err(error) => return Err(format!("the server says nothing: {error}")),
            }
        }
    }

    /// What has come and was not asked for.
    pub fn unread(&self) -> &[u8] {
        &self.ahead
    }
}

const GONE: [io::ErrorKind; 3] =
    [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof];
const PATIENCE: Duration = Duration::from_secs(30);
