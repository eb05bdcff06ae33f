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
use std::error::Error as _;
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
/// that wants no mail from us. An operator mends that.
fn said(error: &Error) -> Said {
    let why = chain(error);
    let ours = match error.status() {
        Some(code) => {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            is_ours(code.into(), &text)
        }
        None => true,
    };
    match error.is_permanent() && !ours {
        true => Said::Never(why),
        false => Said::Later(why),
    }
}

/// By the code, or by what the text begins with (RFC 3463 §3.8, RFC 2034): security or policy.
fn is_ours(code: u16, text: &str) -> bool {
    matches!(code, 500..=504 | 521 | 530 | 534 | 535 | 538) || text.trim_start().starts_with("5.7.")
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// What becomes of a mail whose recipient is answered so.
    async fn answered(answer: &'static str) -> Said {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 x\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                let said = if line.starts_with("RCPT") { answer } else { "250 ok" };
                writer.write_all(format!("{said}\r\n").as_bytes()).await.unwrap();
            }
        };
        let from = MailAddress::parse("kep@example.org").unwrap();
        let to = MailAddress::parse("ali@example.net").unwrap();
        let (at, names) = (("127.0.0.1", port), ("kep.example", &from));
        let wait = Duration::from_secs(10);
        let host = Smarthost::new(at, Connection::Clear, &[], None, names, wait).unwrap();
        tokio::select! {
            said = host.send(&to, b"Subject: x\r\n\r\nx\r\n") => said,
            () = server => panic!("it hung up"),
        }
    }

    #[tokio::test]
    async fn a_server_that_wants_no_mail_from_us_is_asked_again() {
        for (answer, never) in [
            ("550 5.7.1 Relaying denied", false),
            ("554 5.7.1 <ali@example.net>: Relay access denied", false),
            ("550 5.1.1 No such user", true),
            ("550 no such user 5.7.1", true),
        ] {
            let said = answered(answer).await;
            assert_eq!(matches!(said, Said::Never(_)), never, "{answer}: {said:?}");
        }
    }
}
