//! The development authority over HTTP: time stamps, CRLs, OCSP. No real trust stands behind it.

use super::pki::{CertificateAuthority, Revoked};
use super::tsa::Authority;
use super::{Clock, TrustError};
use crate::wire::Timestamp;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::BASE64;
use std::path::PathBuf;
use std::sync::Arc;

/// What the development authority answers for.
pub struct Development {
    pub stamps: Authority,
    pub registers: Vec<Register>,
    pub clock: Clock,
}

/// An authority whose certificates can be taken back; the list is a file, so that another process
/// can add to it: lines `SERIAL SECONDS`.
pub struct Register {
    /// `user` answers at `/crl/user.crl` and `/ocsp/user`.
    pub name: String,
    pub authority: CertificateAuthority,
    pub file: PathBuf,
}

impl Register {
    /// What was taken back so far; no file, nothing.
    pub fn revoked(&self) -> Vec<Revoked> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(entry).collect()
    }

    pub fn revoke(&self, serial: &str, at: Timestamp) -> Result<(), TrustError> {
        use std::io::Write;
        let add = || {
            let mut file =
                std::fs::OpenOptions::new().create(true).append(true).open(&self.file)?;
            writeln!(file, "{serial} {}", at.secs())?;
            file.sync_all()
        };
        add().map_err(|source| TrustError::File { path: self.file.clone(), source })
    }
}

/// `POST /` (timestamp-query), `GET /crl/NAME.crl`, `POST /ocsp/NAME`, `GET /ocsp/NAME/BASE64`.
pub fn router(development: Arc<Development>) -> Router {
    Router::new()
        .route("/", post(stamp))
        .route("/crl/{file}", get(crl))
        .route("/ocsp/{name}", post(ocsp_post))
        .route("/ocsp/{name}/{*request}", get(ocsp_get))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(development)
}

async fn stamp(State(development): State<Arc<Development>>, query: Bytes) -> Response {
    let reply = development.stamps.respond(&query, development.clock.now());
    answer("application/timestamp-reply", reply)
}

async fn crl(State(development): State<Arc<Development>>, Path(file): Path<String>) -> Response {
    let Some(register) = file.strip_suffix(".crl").and_then(|name| development.register(name))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let now = development.clock.now();
    match register.authority.crl(&register.revoked(), now, now.plus_secs(CRL_VALID_SECS)) {
        Ok(crl) => answer("application/pkix-crl", crl),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ocsp_post(
    State(development): State<Arc<Development>>,
    Path(name): Path<String>,
    request: Bytes,
) -> Response {
    development.ocsp(&name, &request)
}

/// RFC 6960 A.1.
async fn ocsp_get(
    State(development): State<Arc<Development>>,
    Path((name, request)): Path<(String, String)>,
) -> Response {
    match BASE64.decode(request.as_bytes()) {
        Ok(request) => development.ocsp(&name, &request),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

impl Development {
    fn register(&self, name: &str) -> Option<&Register> {
        self.registers.iter().find(|register| register.name == name)
    }

    fn ocsp(&self, name: &str, request: &[u8]) -> Response {
        let Some(register) = self.register(name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        match register.authority.ocsp(request, &register.revoked(), self.clock.now()) {
            Ok(reply) => answer("application/ocsp-response", reply),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

fn answer(kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn entry(line: &str) -> Option<Revoked> {
    let (serial, secs) = line.trim().split_once(' ')?;
    let digits = !serial.is_empty() && serial.bytes().all(|b| b.is_ascii_digit());
    let at = Timestamp::from_secs(secs.trim().parse().ok()?);
    digits.then(|| Revoked { serial: serial.to_owned(), at, reason: None })
}

/// Queries are small.
const MAX_BODY: usize = 16 * 1024;
const CRL_VALID_SECS: i64 = 3_600;

#[cfg(test)]
mod tests;
