//! HTTP to authorities (time stamps, CRLs, OCSP, lists of providers), HTTPS for the policies of MTA-STS.
//! Bounded in time and size; trusts nothing it gets.

use super::{Certificate, tls};
use crate::wire::mta_sts::LARGEST;
use secrecy::{ExposeSecret, SecretString};
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

impl DialError {
    /// What went wrong, without the URL: secrets or what users wrote may stand in it.
    pub fn without_url(&self) -> String {
        match self {
            Self::Unreachable { why, .. } | Self::Own { why, .. } => why.clone(),
            Self::Timeout { .. } => "no answer in time".to_owned(),
            Self::Status { status, .. } => format!("HTTP {status}"),
            Self::TooLarge { limit, .. } => format!("the answer is larger than {limit} bytes"),
            Self::Form { .. } => "the answer is no plain text".to_owned(),
        }
    }
}

/// A request whose answer counts whatever its status: POST where it has a body, else GET.
pub struct Asked<'a> {
    pub url: &'a str,
    /// Its type and itself.
    pub body: Option<(&'static str, String)>,
    /// Name and value of a header that nobody may see.
    pub header: Option<(&'a str, &'a SecretString)>,
}

/// What a server calls an answer (RFC 9110 §8.8); empty: nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Version {
    pub etag: String,
    pub modified: String,
}

/// What a server has for who knows a version already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetched {
    Unchanged,
    New { octets: Vec<u8>, version: Version },
}

/// A request of an interface that answers in JSON.
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub bearer: Option<&'a SecretString>,
    /// Two requests of one key are one.
    pub idempotency_key: Option<&'a str>,
    pub json: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// Whether nobody on the way can answer instead: HTTPS, or this machine. No secret stands in a URL.
pub fn is_safe(url: &str) -> bool {
    match reqwest::Url::parse(url) {
        Ok(url) => of_safe(&url),
        Err(_) => false,
    }
}

fn of_safe(url: &reqwest::Url) -> bool {
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let here = ["127.0.0.1", "[::1]", "localhost"];
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => url.host_str().is_some_and(|host| here.contains(&host)),
        _ => false,
    }
}

impl Dial {
    /// For what is published: it may have moved to another HTTPS server, and to nothing else.
    pub fn safe(timeout: Duration) -> Result<Self, super::TrustError> {
        let policy = reqwest::redirect::Policy::custom(|attempt| {
            let secure = attempt.url().scheme() == "https" && of_safe(attempt.url());
            match secure && attempt.previous().len() <= REDIRECTS {
                true => attempt.follow(),
                false => attempt.error("a redirect that is not followed"),
            }
        });
        Self::with(timeout, policy)
    }

    /// For an interface that a secret is shown to: it is where it is, and nowhere else.
    pub fn straight(timeout: Duration) -> Result<Self, super::TrustError> {
        Self::with(timeout, reqwest::redirect::Policy::none())
    }

    /// No proxy is used: the authorities are named one by one in the configuration.
    pub fn new(timeout: Duration) -> Result<Self, super::TrustError> {
        Self::with(timeout, reqwest::redirect::Policy::limited(REDIRECTS))
    }

    fn with(
        timeout: Duration,
        redirects: reqwest::redirect::Policy,
    ) -> Result<Self, super::TrustError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(CONNECT))
            .redirect(redirects)
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

    /// Status and body, whatever the status says.
    pub async fn exchange(
        &self,
        request: Request<'_>,
        limit: usize,
    ) -> Result<(u16, Vec<u8>), DialError> {
        let Request { method, url, bearer, idempotency_key, json } = request;
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client.request(method, url).header("accept", JSON);
        if let Some(token) = bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        if let Some(key) = idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        if let Some(json) = json {
            builder = builder.header("content-type", JSON).body(json);
        }
        let response = builder.send().await.map_err(|error| failed(url, &error))?;
        let status = response.status().as_u16();
        Ok((status, octets(url, response, limit).await?))
    }

    pub async fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, DialError> {
        read(url, self.client.get(url), limit).await
    }

    /// Status and body of the answer.
    pub async fn ask(&self, asked: Asked<'_>, limit: usize) -> Result<(u16, Vec<u8>), DialError> {
        let url = asked.url;
        let mut request = match asked.body {
            Some((content_type, body)) => {
                self.client.post(url).header("content-type", content_type).body(body)
            }
            None => self.client.get(url),
        };
        if let Some((name, value)) = asked.header {
            let value = reqwest::header::HeaderValue::from_str(value.expose_secret());
            let mut value = value.map_err(|_| {
                let why = "a header's secret is no header value".to_owned();
                DialError::Own { url: url.to_owned(), why }
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let sent = request.send().await;
        let response = sent.map_err(|error| failed(url, &error.without_url()))?;
        let status = response.status().as_u16();
        Ok((status, octets(url, response, limit).await?))
    }

    /// What is there, unless it is still what is known (RFC 9110 §13.1).
    pub async fn get_unless(
        &self,
        url: &str,
        known: &Version,
        limit: usize,
    ) -> Result<Fetched, DialError> {
        let mut request = self.client.get(url);
        for (name, value) in
            [("if-none-match", &known.etag), ("if-modified-since", &known.modified)]
        {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let response = request.send().await.map_err(|error| failed(url, &error))?;
        let conditional = *known != Version::default();
        if conditional && response.status() == reqwest::StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Unchanged);
        }
        let said = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| value.len() <= VERSION_MAX).unwrap_or_default().to_owned()
        };
        let version = Version { etag: said("etag"), modified: said("last-modified") };
        Ok(Fetched::New { octets: body(url, response, limit).await?, version })
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

async fn body(url: &str, response: reqwest::Response, limit: usize) -> Result<Vec<u8>, DialError> {
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(DialError::Status { url: url.to_owned(), status });
    }
    octets(url, response, limit).await
}

async fn octets(
    url: &str,
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, DialError> {
    let mut body = Vec::new();
    let failed = |error: reqwest::Error| failed(url, &error.without_url());
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(DialError::TooLarge { url: url.to_owned(), limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failed(url: &str, error: &reqwest::Error) -> DialError {
    match error.is_timeout() {
        true => DialError::Timeout { url: url.to_owned() },
        false => DialError::Unreachable { url: url.to_owned(), why: chain(error) },
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

const JSON: &str = "application/json";
const HTTPS: u16 = 443;
const CONNECT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// CRL addresses move; more than this is a loop.
const REDIRECTS: usize = 3;
/// More than any server's name for a version of a file.
const VERSION_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::get;

    async fn site() -> String {
        let list = |headers: HeaderMap| async move {
            match headers.get("if-none-match").is_some_and(|tag| tag == "\"1\"") {
                true => axum::http::StatusCode::NOT_MODIFIED.into_response(),
                false => ([("etag", "\"1\"")], "octets").into_response(),
            }
        };
        let router = axum::Router::new()
            .route("/list", get(list))
            .route("/moved", get(|| async { Redirect::temporary("/list") }))
            .route("/same", get(|| async { axum::http::StatusCode::NOT_MODIFIED }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn what_is_published_is_had_once_and_bounded_and_leads_nowhere_else() {
        let (site, dial) = (site().await, Dial::safe(Duration::from_secs(30)).unwrap());
        let ask = async |path: &str, known: &Version, limit| {
            dial.get_unless(&format!("{site}{path}"), known, limit).await
        };
        let nothing = Version::default();
        let Ok(Fetched::New { octets, version }) = ask("/list", &nothing, 6).await else {
            panic!("nothing came")
        };
        assert_eq!((octets.as_slice(), version.etag.as_str()), (&b"octets"[..], "\"1\""));
        assert_eq!(ask("/list", &version, 6).await, Ok(Fetched::Unchanged));
        assert!(matches!(ask("/list", &nothing, 5).await, Err(DialError::TooLarge { .. })));
        assert!(matches!(ask("/moved", &nothing, 6).await, Err(DialError::Unreachable { .. })));
        let unasked = ask("/same", &nothing, 6).await;
        assert!(matches!(unasked, Err(DialError::Status { status: 304, .. })));
    }

    #[test]
    fn a_way_is_safe_by_https_or_on_this_machine() {
        for url in [
            "https://a.example/tl.xml",
            "http://127.0.0.1:80/",
            "http://[::1]/x",
            "http://localhost/",
        ] {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "http://a.example/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "https://user:word@a.example/",
            "http://a@localhost/",
            "file:///etc/passwd",
            "ftp://localhost/",
            "https://",
            "",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
