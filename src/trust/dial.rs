//! HTTP to authorities (time stamps, CRLs, OCSP), HTTPS for the policies of MTA-STS. Bounded in time and
//! size; trusts nothing it gets.

use super::{Certificate, tls};
use crate::wire::mta_sts::LARGEST;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[derive(Clone)]
pub struct Dial {
    client: reqwest::Client,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DialError {
    #[error("{url}: {why}")]
    Unreachable { url: String, why: String },
    #[error("{url}: no answer in time")]
    Timeout { url: String },
    #[error("{url}: HTTP {status}")]
    Status { url: String, status: u16 },
    #[error("{url}: the answer is larger than {limit} bytes")]
    TooLarge { url: String, limit: usize },
    #[error("{url}: the answer is no plain text")]
    Form { url: String },
    #[error("{url}: {why}")]
    Own { url: String, why: String },
}

impl Dial {
    /// No proxy is used: the authorities are named one by one in the configuration.
    pub fn new(timeout: Duration) -> Result<Self, super::TrustError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(CONNECT))
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .build()
            .map_err(|e| super::TrustError::Tls(chain(&e)))?;
        Ok(Self { client })
    }

    pub async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Vec<u8>, DialError> {
        let request = self.client.post(url).header("content-type", content_type).body(body);
        read(url, request, limit).await
    }

    pub async fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, DialError> {
        read(url, self.client.get(url), limit).await
    }
}

/// The policy that a host has (RFC 8461 §3.3): over TLS under one of the authorities, from these
/// addresses, as plain text, and not by way of another place.
pub async fn policy(
    host: &str,
    port: u16,
    addresses: &[IpAddr],
    authorities: &[Certificate],
    timeout: Duration,
) -> Result<Vec<u8>, DialError> {
    let at = if port == HTTPS { host.to_owned() } else { format!("{host}:{port}") };
    let url = format!("https://{at}/.well-known/mta-sts.txt");
    let own = |why: String| DialError::Own { url: url.clone(), why };
    let tls = tls::client(authorities).map_err(|error| own(error.to_string()))?;
    let addresses: Vec<_> =
        addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured((*tls).clone())
        .timeout(timeout)
        .connect_timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(host, &addresses)
        .https_only(true)
        .no_proxy()
        .build()
        .map_err(|error| own(chain(&error)))?;
    let sent = client.get(&url).send().await;
    let response = sent.map_err(|error| failed(&url, &error))?;
    let form = response.headers().get("content-type").and_then(|form| form.to_str().ok());
    let plain = form.is_some_and(|form| {
        let kind = form.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/plain")
    });
    if response.status().is_success() && !plain {
        return Err(DialError::Form { url });
    }
    body(&url, response, LARGEST).await
}

async fn read(
    url: &str,
    request: reqwest::RequestBuilder,
    limit: usize,
) -> Result<Vec<u8>, DialError> {
    let response = request.send().await.map_err(|error| failed(url, &error))?;
    body(url, response, limit).await
}

fn failed(url: &str, error: &reqwest::Error) -> DialError {
    match error.is_timeout() {
        true => DialError::Timeout { url: url.to_owned() },
        false => DialError::Unreachable { url: url.to_owned(), why: chain(error) },
    }
}

async fn body(
    url: &str,
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, DialError> {
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(DialError::Status { url: url.to_owned(), status });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, &error))? {
        if body.len() + chunk.len() > limit {
            return Err(DialError::TooLarge { url: url.to_owned(), limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

const HTTPS: u16 = 443;
const CONNECT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// CRL addresses move; more than this is a loop.
const REDIRECTS: usize = 3;
