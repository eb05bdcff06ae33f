//! Which server, and how the line to it is protected: a server of this machine is spoken to as it
//! is, one elsewhere over TLS by its own name, under anchors that the URL names as libpq does
//! (`?sslmode=verify-full&sslrootcert=FILE`). Only `sslmode=disable` says that a line elsewhere may
//! be in the clear.

use super::tls::{Stream, Tls};
use crate::store::rows::RowsError;
use crate::trust::Anchors;
use std::net::IpAddr;
use std::path::Path;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres::{Client, Connection, Socket};

#[derive(Clone)]
pub struct Target {
    config: Config,
    tls: Tls,
}

impl Target {
    /// Refuses a URL that would carry rows and password over a network in the clear.
    pub fn parse(url: &str) -> Result<Self, RowsError> {
        let asked = Asked::of(url);
        let mut config: Config = asked.url.parse()?;
        let tls = match asked.anchors {
            Some(file) => {
                let anchors = Anchors::load(Path::new(file));
                Tls::under(&anchors.map_err(|error| RowsError::Anchors(error.to_string()))?)?
            }
            None if asked.mode == Some("disable") => Tls::none(),
            // Who asks for TLS gets it, wherever the server is.
            None if stays_here(&config) && !asked.wants_tls() => Tls::none(),
            None => return Err(RowsError::InClear),
        };
        config.ssl_mode(if tls.is_none() { SslMode::Disable } else { SslMode::Require });
        Ok(Self { config, tls })
    }

    pub async fn connect(&self) -> Result<(Client, Connection<Socket, Stream>), RowsError> {
        Ok(self.config.connect(self.tls.clone()).await?)
    }
}

/// What a URL asks for; the words of libpq that the driver doesn't know are taken out.
struct Asked<'u> {
    url: String,
    mode: Option<&'u str>,
    anchors: Option<&'u str>,
}

impl<'u> Asked<'u> {
    fn of(url: &'u str) -> Self {
        let (server, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut anchors, mut others) = (None, None, Vec::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => anchors = Some(value),
                _ => others.push(parameter),
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        Self { url: format!("{server}{mark}{}", others.join("&")), mode, anchors }
    }
}

impl Asked<'_> {
    fn wants_tls(&self) -> bool {
        self.mode.is_some_and(|mode| ["require", "verify-ca", "verify-full"].contains(&mode))
    }
}

/// Whether every server that is meant is on this machine.
fn stays_here(config: &Config) -> bool {
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_refused_in_the_clear() {
        let may = |url: &str| Target::parse(url).map(|target| target.tls.is_none());
        for near in [
            "postgres://kep@localhost/kep",
            "postgres://kep@127.0.0.1:5433/kep?connect_timeout=5",
            "postgres://kep@[::1]/kep",
            "postgres://kep@%2Fvar%2Frun%2Fpostgresql/kep",
            // Said aloud: a tunnel, say.
            "postgres://kep@db.example/kep?sslmode=disable",
        ] {
            assert!(may(near).is_ok_and(|clear| clear), "{near}");
        }
        for elsewhere in [
            "postgres://kep@db.example/kep",
            "postgres://kep@10.1.2.3/kep?sslmode=prefer",
            "postgres://kep@db.example/kep?sslmode=require",
            // TLS was asked for.
            "postgres://kep@localhost/kep?sslmode=verify-full",
            "postgres://kep@localhost,db.example/kep",
            "postgres://kep@localhost/kep?hostaddr=10.1.2.3",
        ] {
            assert!(matches!(may(elsewhere), Err(RowsError::InClear)), "{elsewhere}");
        }
        let absent = may("postgres://kep@db.example/kep?sslrootcert=/no/such/file");
        assert!(matches!(absent, Err(RowsError::Anchors(_))));
    }
}
