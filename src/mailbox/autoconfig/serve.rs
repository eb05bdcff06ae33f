//! The pages that mail programs ask for, over HTTP.

use super::{Directions, answer, asked, configuration, profile};
use crate::wire::{KepAddress, KepDomain};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::collections::HashMap;
use std::sync::Arc;

/// `GET /.well-known/autoconfig/mail/config-v1.1.xml`, `GET /mail/config-v1.1.xml` (both with
/// `?emailaddress=`), `POST /autodiscover/autodiscover.xml`, `GET /apple/ADDRESS.mobileconfig`.
pub fn router(directions: Arc<Directions>) -> Router {
    Router::new()
        .route("/.well-known/autoconfig/mail/config-v1.1.xml", get(thunderbird))
        .route("/mail/config-v1.1.xml", get(thunderbird))
        .route("/autodiscover/autodiscover.xml", post(outlook))
        .route("/Autodiscover/Autodiscover.xml", post(outlook))
        .route("/apple/{file}", get(apple))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(directions)
}

async fn thunderbird(
    State(directions): State<Arc<Directions>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let named = asked.get("emailaddress").filter(|address| !address.is_empty());
    let domain = match named {
        // Some programs ask with a placeholder in the local part.
        Some(address) => address.rsplit_once('@').and_then(|(_, name)| KepDomain::parse(name).ok()),
        None => Some(directions.domain.clone()),
    };
    let own = |domain: &KepDomain| domain.provider() == directions.domain.provider();
    match domain.filter(own) {
        Some(domain) => xml(configuration(&directions, &domain)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn outlook(State(directions): State<Arc<Directions>>, body: Bytes) -> Response {
    xml(answer(&directions, asked(&body).as_ref()))
}

async fn apple(State(directions): State<Arc<Directions>>, Path(file): Path<String>) -> Response {
    let address = file.strip_suffix(".mobileconfig").map(KepAddress::parse);
    let address = address.and_then(Result::ok).filter(|address| directions.serve(address));
    match address.and_then(|address| profile(&directions, &address)) {
        Some(profile) => {
            ([(header::CONTENT_TYPE, "application/x-apple-aspen-config")], profile).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}

/// A request of Autodiscover is a few hundred octets.
const MAX_BODY: usize = 16 << 10;
