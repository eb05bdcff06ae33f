//! TLS for our listeners and for what we dial. The certificate is read again when its files change:
//! the next connection has the new one, no restart is needed.

mod dane;
mod end_point;
mod holders;
mod peers;

pub use dane::{Dane, DaneFault, is_shown, record_of};
pub use peers::{PeerTrust, Shown, dialer, is_pinned, knows, looker, public_issuers, said};

use super::TrustError;
use arc_swap::ArcSwap;
use holders::Holders;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A server's certificate and key, as files.
pub struct ServerTls {
    certificate: PathBuf,
    key: PathBuf,
    protocols: Vec<Vec<u8>>,
    clients: Arc<dyn ClientCertVerifier>,
    in_force: ArcSwap<InForce>,
    seen: Mutex<Seen>,
}

/// How handshakes are answered, until the files change.
#[derive(Clone)]
pub struct InForce {
    pub config: Arc<ServerConfig>,
    /// `tls-server-end-point` (RFC 5929 §4) of the certificate that is shown.
    pub end_point: Option<Arc<[u8]>>,
}

struct Seen {
    stamps: Stamps,
    looked: Option<Duration>,
}

type Stamps = [Option<SystemTime>; 2];

impl ServerTls {
    /// `protocols` are those of ALPN; none for mail.
    pub fn open(certificate: &Path, key: &Path, protocols: &[&str]) -> Result<Self, TrustError> {
        Self::with(certificate, key, protocols, Arc::new(NoClientAuth))
    }

    /// The same, and a client may show a certificate; those of `issuers` are asked for. That it holds
    /// the key is proven by the handshake, all else is judged by whoever lets it in.
    pub fn open_asking(
        certificate: &Path,
        key: &Path,
        issuers: &[super::Certificate],
    ) -> Result<Self, TrustError> {
        Self::with(certificate, key, &[], Arc::new(Holders::of(issuers)?))
    }

    fn with(
        certificate: &Path,
        key: &Path,
        protocols: &[&str],
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<Self, TrustError> {
        let protocols: Vec<_> = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let stamps = stamps(certificate, key);
        let in_force = load(certificate, key, &protocols, &clients)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            protocols,
            clients,
            in_force: ArcSwap::from_pointee(in_force),
            seen: Mutex::new(Seen { stamps, looked: None }),
        })
    }

    /// The configuration for the next connection. Looks at the files once a second at most; one
    /// that can't be read leaves the old certificate in force.
    pub fn current(&self, uptime: Duration) -> Arc<ServerConfig> {
        Arc::clone(&self.in_force(uptime).config)
    }

    /// The same, with what it shows.
    pub fn in_force(&self, uptime: Duration) -> Arc<InForce> {
        self.look(uptime);
        self.in_force.load_full()
    }

    /// Reads the files again now.
    pub fn reload(&self) -> Result<(), TrustError> {
        let in_force = load(&self.certificate, &self.key, &self.protocols, &self.clients)?;
        self.in_force.store(Arc::new(in_force));
        tracing::info!(certificate = %self.certificate.display(), "TLS certificate read again");
        Ok(())
    }

    fn look(&self, uptime: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.is_some_and(|at| uptime.saturating_sub(at) < LOOK) {
            return;
        }
        seen.looked = Some(uptime);
        let now = stamps(&self.certificate, &self.key);
        if now == seen.stamps {
            return;
        }
        // Half of a pair may be there already: it is tried again until both fit.
        match self.reload() {
            Ok(()) => seen.stamps = now,
            Err(error) => tracing::error!(%error, "the new TLS certificate can't be used"),
        }
    }
}

/// A client that believes servers under these anchors.
pub fn client(anchors: &[super::Certificate]) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        let der = CertificateDer::from(anchor.der().to_vec());
        roots.add(der).map_err(|e| TrustError::Tls(e.to_string()))?;
    }
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| TrustError::Tls(e.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn load(
    certificate: &Path,
    key: &Path,
    protocols: &[Vec<u8>],
    clients: &Arc<dyn ClientCertVerifier>,
) -> Result<InForce, TrustError> {
    let (chain, private) = key_pair(certificate, key)?;
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| TrustError::Tls(e.to_string()))?;
    let builder = builder.with_client_cert_verifier(Arc::clone(clients));
    let end_point = chain.first().and_then(|shown| end_point::end_point(shown)).map(Arc::from);
    let config = builder.with_single_cert(chain, private);
    let mut config = config.map_err(|e| wrong(certificate, &e))?;
    config.alpn_protocols = protocols.to_vec();
    Ok(InForce { config: Arc::new(config), end_point })
}

/// A certificate with its issuers, and its key, from their files.
fn key_pair(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TrustError> {
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|e| wrong(certificate, &e))?;
    let chain: Result<Vec<_>, _> = chain.collect();
    let chain = chain.map_err(|e| wrong(certificate, &e))?;
    Ok((chain, PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?))
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> TrustError {
    TrustError::Tls(format!("{}: {error}", path.display()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
}

/// Files are looked at so often, when connections come.
const LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
