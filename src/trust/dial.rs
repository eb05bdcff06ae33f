//! HTTP to authorities: time stamps, CRLs, OCSP. Bounded in time and size; trusts nothing it gets.

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

async fn read(
    url: &str,
    request: reqwest::RequestBuilder,
    limit: usize,
) -> Result<Vec<u8>, DialError> {
    let failed = |error: reqwest::Error| match error.is_timeout() {
        true => DialError::Timeout { url: url.to_owned() },
        false => DialError::Unreachable { url: url.to_owned(), why: chain(&error) },
    };
    let mut response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(DialError::Status { url: url.to_owned(), status });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
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

const CONNECT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// CRL addresses move; more than this is a loop.
const REDIRECTS: usize = 3;
