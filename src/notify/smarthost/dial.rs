//! Hands mails to the smarthost.

use crate::notify::fate::Said;
use crate::trust::Certificate;
use crate::wire::MailAddress;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate as Anchor, CertificateStore, Tls, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

pub struct Smarthost {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connection {
    /// TLS from the first octet.
    Tls,
    /// STARTTLS, and nothing without it.
    StartTls,
    /// To this machine alone.
    Clear,
}

/// A user of the smarthost and his password.
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

impl Smarthost {
    /// `anchors` are who is believed about the server's certificate.
    pub fn new(
        (host, port): (&str, u16),
        connection: Connection,
        anchors: &[Certificate],
        login: Option<Login>,
        (name, from): (&str, &MailAddress),
        timeout: Duration,
    ) -> Result<Self, String> {
        let tls = || -> Result<TlsParameters, Error> {
            let mut tls =
                TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
            for anchor in anchors {
                tls = tls.add_root_certificate(Anchor::from_der(anchor.der().to_vec())?);
            }
            tls.build_rustls()
        };
        let wrong = |error: Error| error.to_string();
        let tls = match connection {
            Connection::Tls => Tls::Wrapper(tls().map_err(wrong)?),
            Connection::StartTls => Tls::Required(tls().map_err(wrong)?),
            Connection::Clear => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .hello_name(ClientId::Domain(name.to_owned()))
            .timeout(Some(timeout))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        if let Some(Login { user, password }) = login {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user, password));
        }
        let from = from.as_str().parse().map_err(|_| format!("{} is no sender", from.as_str()))?;
        Ok(Self { transport: builder.build(), from })
    }

    pub async fn send(&self, to: &MailAddress, octets: &[u8]) -> Said {
        let Ok(to) = to.as_str().parse() else {
            return Said::Never("no address that SMTP knows".to_owned());
        };
        let envelope = match Envelope::new(Some(self.from.clone()), vec![to]) {
            Ok(envelope) => envelope,
            Err(error) => return Said::Never(error.to_string()),
        };
        match self.transport.send_raw(&envelope, octets).await {
            Ok(_) => Said::Taken(Vec::new()),
            Err(error) => said(&error),
        }
    }
}

/// 5xx is for good, but for what is about us and not about the mail: a login that is refused, a server
/// that wants no mail from us (RFC 3463 X.7.x). An operator mends that.
fn said(error: &Error) -> Said {
    let why = chain(error);
    let ours = match error.status() {
        Some(code) => matches!(u16::from(code), 500..=504 | 521 | 530 | 534 | 535 | 538),
        None => true,
    };
    match error.is_permanent() && !ours {
        true => Said::Never(why),
        false => Said::Later(why),
    }
}

/// The error and its causes: the last one says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

const CONNECTIONS: u32 = 4;
const IDLE: Duration = Duration::from_secs(30);
