//! Servers that we dial, each known by what the registry says of it: pinned, or under its own issuers.
//! There is no third way: nothing is believed because a public authority says so.

use super::{TrustError, key_pair, provider};
use crate::trust::Certificate;
use crate::wire::Digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;

/// By what a server is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerTrust {
    /// SHA-256 of its key (SubjectPublicKeyInfo) or of its certificate; several while one follows
    /// another. As with DANE-EE (RFC 7671 §5.1) neither its name nor its dates count: how long a pin
    /// is good is the registry's affair.
    /// QUIRK(kep, 2026-11): RFC 6125 wants both; docs/quirks.md#80
    Pins(Vec<Digest>),
    /// Its certificate is good now, of one of these issuers, and names the host.
    Issuers(Vec<Certificate>),
}

/// Whether a certificate, or its key, is pinned.
pub fn is_pinned(certificate: &[u8], pins: &[Digest]) -> bool {
    let Ok(certificate) = Certificate::from_der_kept(certificate) else { return false };
    pins.contains(&certificate.digest())
        || certificate.key_digest().is_ok_and(|key| pins.contains(&key))
}

/// A client that believes one peer's server, and shows who we are where that is asked for.
pub fn dialer(
    trust: &PeerTrust,
    own: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, TrustError> {
    let wrong = |error: Error| TrustError::Tls(error.to_string());
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(wrong)?;
    let builder = match trust {
        PeerTrust::Pins(pins) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned::new(pins.clone()))),
        PeerTrust::Issuers(issuers) => {
            let mut roots = RootCertStore::empty();
            for issuer in issuers {
                roots.add(CertificateDer::from(issuer.der().to_vec())).map_err(wrong)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(Arc::new(match own {
        Some((certificate, key)) => {
            let (chain, private) = key_pair(certificate, key)?;
            builder.with_client_auth_cert(chain, private).map_err(wrong)?
        }
        None => builder.with_no_client_auth(),
    }))
}

#[derive(Debug)]
struct Pinned {
    pins: Vec<Digest>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(pins: Vec<Digest>) -> Self {
        Self { pins, algorithms: provider().signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match is_pinned(certificate, &self.pins) {
            true => Ok(ServerCertVerified::assertion()),
            false => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
