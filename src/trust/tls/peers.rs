//! Servers that we dial, each known by what the registry says of it: pinned, under its own issuers, or by
//! what its signed zone says (DANE). Public authorities are believed for MTA-STS alone, and then they are
//! the issuers. There is no way without.

use super::dane::Dane;
use super::{TrustError, key_pair, provider};
use crate::trust::{Anchors, Certificate};
use crate::wire::{Digest, Timestamp};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    WantsClientCert, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme,
};
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    /// By the TLSA records of its name.
    Dane(Dane),
}

/// What a server showed, leaf first, in DER.
#[derive(Clone, Default, Debug)]
pub struct Shown(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shown {
    pub fn chain(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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
    match trust {
        PeerTrust::Pins(pins) => judged(Pinned(pins.clone()), own),
        PeerTrust::Dane(dane) => judged(dane.clone(), own),
        PeerTrust::Issuers(issuers) => {
            let mut roots = RootCertStore::empty();
            for issuer in issuers {
                roots.add(CertificateDer::from(issuer.der().to_vec())).map_err(wrong)?;
            }
            let builder = ClientConfig::builder_with_provider(provider());
            let builder = builder.with_safe_default_protocol_versions().map_err(wrong)?;
            with_own(builder.with_root_certificates(roots), own)
        }
    }
}

/// A client that looks at what a server shows and breaks off: it believes nothing, and no connection
/// comes of it.
pub fn looker(shown: &Shown) -> Result<Arc<ClientConfig>, TrustError> {
    judged(shown.clone(), None)
}

/// Whether what a server shows makes it known, as the handshake would judge; else why not.
pub fn knows(
    trust: &PeerTrust,
    host: &str,
    chain: &[Vec<u8>],
    now: Timestamp,
) -> Result<(), String> {
    let mut all = chain.iter().map(|der| CertificateDer::from(der.as_slice()));
    let leaf = all.next().ok_or("it shows no certificate")?;
    let others: Vec<_> = all.collect();
    let seconds = u64::try_from(now.millis() / 1000).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    match trust {
        PeerTrust::Pins(pins) => match is_pinned(&leaf, pins) {
            true => Ok(()),
            false => Err("neither its certificate nor its key is pinned".to_owned()),
        },
        PeerTrust::Dane(dane) => dane.check(&leaf, &others, now).map_err(|fault| fault.to_string()),
        PeerTrust::Issuers(issuers) => {
            under(issuers, host, &leaf, &others, now).map_err(|error| error.to_string())
        }
    }
}

fn under(
    issuers: &[Certificate],
    host: &str,
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    for issuer in issuers {
        roots.add(CertificateDer::from(issuer.der().to_vec()))?;
    }
    let algorithms = provider().signature_verification_algorithms.all;
    let parsed = ParsedCertificate::try_from(leaf)?;
    verify_server_cert_signed_by_trust_anchor(&parsed, &roots, others, now, algorithms)?;
    let name = ServerName::try_from(host).map_err(|error| Error::General(error.to_string()))?;
    verify_server_name(&parsed, &name)
}

/// Those of a file or folder of public authorities that can be used.
pub fn public_issuers(path: &Path) -> Result<Vec<Certificate>, TrustError> {
    let anchors = Anchors::load(path)?;
    let usable = |issuer: &&Certificate| {
        RootCertStore::empty().add(CertificateDer::from(issuer.der().to_vec())).is_ok()
    };
    Ok(anchors.certificates().iter().filter(usable).cloned().collect())
}

/// What went wrong in a handshake, in our own words where it was our own judgement.
pub fn said(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::Other(OtherError(ours))) => ours.to_string(),
        _ => error.to_string(),
    }
}

fn judged(
    judge: impl Judge + 'static,
    own: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, TrustError> {
    let algorithms = provider().signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(wrong)?;
    let verifier = Arc::new(Verifier { judge, algorithms });
    with_own(builder.dangerous().with_custom_certificate_verifier(verifier), own)
}

fn with_own(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    own: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, TrustError> {
    Ok(Arc::new(match own {
        Some((certificate, key)) => {
            let (chain, private) = key_pair(certificate, key)?;
            builder.with_client_auth_cert(chain, private).map_err(wrong)?
        }
        None => builder.with_no_client_auth(),
    }))
}

fn wrong(error: Error) -> TrustError {
    TrustError::Tls(error.to_string())
}

/// Says whether a server is the one, by the certificates it shows.
trait Judge: Debug + Send + Sync {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error>;
}

#[derive(Debug)]
struct Pinned(Vec<Digest>);

impl Judge for Pinned {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<(), Error> {
        match is_pinned(leaf, &self.0) {
            true => Ok(()),
            false => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
        }
    }
}

impl Judge for Dane {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let judged = self.check(leaf, others, now);
        judged.map_err(|fault| Error::Other(OtherError(Arc::new(fault))))
    }
}

impl Judge for Shown {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<(), Error> {
        let all = std::iter::once(leaf).chain(others);
        let chain = all.map(|certificate| certificate.to_vec()).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
}

#[derive(Debug)]
struct Verifier<J> {
    judge: J,
    algorithms: WebPkiSupportedAlgorithms,
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge.judge(leaf, others, now)?;
        Ok(ServerCertVerified::assertion())
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
