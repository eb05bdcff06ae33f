//! TLS for our doors and for the way to others. The server's certificate is swapped while it runs.

use super::TrustError;
use super::error::read_file;
use super::path::Anchors;
use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The server's side: certificate and key from PEM files, read again when they change.
pub struct ServerTls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    stamps: Mutex<Stamps>,
}

type Stamps = [Option<SystemTime>; 2];

struct Current(ArcSwap<CertifiedKey>);

impl ServerTls {
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TrustError> {
        let stamps = Mutex::new(stamps(certificate, key));
        let current = Arc::new(Current(ArcSwap::from_pointee(read(certificate, key)?)));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current, stamps })
    }

    /// A configuration for one door; all doors share the certificate in force.
    /// TLS 1.2 and 1.3 (RFC 8314 §4.1), no client certificates.
    pub fn config(&self, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, TrustError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(tls_error)?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.current.clone());
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// Reads the files again; what is wrong with them leaves the old certificate in force.
    pub fn reload(&self) -> Result<(), TrustError> {
        let stamps = stamps(&self.certificate, &self.key);
        let fresh = read(&self.certificate, &self.key)?;
        self.current.0.store(Arc::new(fresh));
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
        Ok(())
    }

    /// Reads the files again if one of them has changed since; says whether it did.
    pub fn reload_if_changed(&self) -> Result<bool, TrustError> {
        let known = *self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps(&self.certificate, &self.key) == known {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }

    /// Looks for changed files again and again; tells what it found to `report`.
    pub async fn watch(&self, every: Duration, report: impl Fn(Result<(), TrustError>)) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            match self.reload_if_changed() {
                Ok(false) => {}
                Ok(true) => report(Ok(())),
                Err(error) => report(Err(error)),
            }
        }
    }

    /// DER of the certificate in force, for `kep check` and metrics.
    pub fn certificate_der(&self) -> Vec<u8> {
        let current = self.current.0.load();
        current.cert.first().map(|der| der.to_vec()).unwrap_or_default()
    }
}

/// The way to others: only what the given anchors stand behind.
pub fn client(anchors: &Anchors) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in anchors.certificates() {
        let der = CertificateDer::from(certificate.der().to_vec());
        roots.add(der).map_err(tls_error)?;
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(tls_error)?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TrustError> {
    let chain = CertificateDer::pem_slice_iter(&read_file(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| TrustError::content(certificate, e))?;
    if chain.is_empty() {
        return Err(TrustError::content(certificate, "no certificate in PEM form"));
    }
    let octets = zeroize::Zeroizing::new(read_file(key)?);
    let private = PrivateKeyDer::from_pem_slice(&octets);
    let private = private.map_err(|e| TrustError::content(key, e))?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|e| TrustError::content(key, e))
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    [modified(certificate), modified(key)]
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn tls_error(error: rustls::Error) -> TrustError {
    TrustError::Tls(error.to_string())
}

#[cfg(test)]
mod tests;
