//! A request over HTTP: which operation it is, whose, whether it may, and its answer with all headers.
//! What it says wrongly is found before anything is done.

use super::call::{Answered, Call, Caller, IfMatch, Origin, PROBLEM, Reply};
use super::endpoint::{Endpoint, Most, Takes};
use super::once::Name;
use super::route::{self, Found};
use super::tongue::Tongue;
use super::upload::Upload;
use super::{Asked, BASE, Portal, Problem, admit, headers, run};
use crate::registry::{contacts, crowd};
use crate::wire::{AccountId, Timestamp};
use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT, HeaderMap, HeaderName, IF_MATCH,
    REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_core::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The API as it answers requests.
#[derive(Clone)]
pub struct Service {
    portal: Arc<Portal>,
    endpoints: Arc<Vec<Endpoint>>,
    /// A place for each operation that is under way.
    work: Arc<Semaphore>,
}

/// What the head of a request says.
struct Head {
    words: Vec<(&'static str, String)>,
    query: Option<String>,
    headers: HeaderMap,
    tongue: Tongue,
    origin: Origin,
    safe: bool,
}

/// An answer on its way, and for whom.
struct Outcome {
    reply: Answered<Reply>,
    allowed: Option<String>,
    wait: Option<u64>,
}

impl Service {
    pub fn new(portal: Portal) -> Self {
        let work = Arc::new(Semaphore::new(AT_ONCE as usize));
        Self { portal: Arc::new(portal), endpoints: Arc::new(super::operations()), work }
    }

    /// Waits until no operation is under way any more. To be asked when nobody asks for another.
    pub async fn is_done(&self) {
        let _ = self.work.acquire_many(AT_ONCE).await;
    }

    pub fn router(self) -> Router {
        Router::new().fallback(answer).with_state(self)
    }

    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let language = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let tongue = Tongue::of(language.unwrap_or_default());
        let (mut body, expects) = (body.into_data_stream(), parts.headers.contains_key(EXPECT));
        let outcome = match parts.uri.path().strip_prefix(BASE) {
            Some(path) => match route::find(&self.endpoints, parts.method.as_str(), path) {
                Found::Nothing => Outcome::problem(nothing_at(parts.uri.path())),
                Found::Methods(methods) => methods_alone(&parts.method, methods.join(", ")),
                Found::Operation(endpoint, words) => {
                    let query = parts.uri.query().map(str::to_owned);
                    let origin = admit::origin(&parts);
                    let safe = parts.method.is_safe();
                    let headers = parts.headers;
                    let head = Head { words, query, headers, tongue, origin, safe };
                    let outcome = self.operate(endpoint, head, &mut body).await;
                    note(endpoint, &outcome);
                    outcome
                }
            },
            None => Outcome::problem(nothing_at(parts.uri.path())),
        };
        // Who waits to be told to go on has not sent it, and hears the answer.
        if !expects {
            use_up(&mut body).await;
        }
        respond(outcome, tongue, parts.method == Method::HEAD)
    }

    async fn operate(&self, endpoint: &Endpoint, head: Head, body: &mut BodyDataStream) -> Outcome {
        let portal = &self.portal;
        let now = portal.clock.now();
        let (headers, origin) = (&head.headers, &head.origin);
        let caller = match admit::run::caller(portal, endpoint, headers, origin, head.safe).await {
            Ok(caller) => caller,
            Err(problem) => return Outcome::problem(problem),
        };
        // Who shows nothing is counted by his network.
        let network = || format!("network/{}", crowd::network(head.origin.address));
        let counted = caller.counted().unwrap_or_else(network);
        if let Err(wait) = portal.pace.take(&counted, now) {
            return Outcome { wait: Some(wait), ..Outcome::problem(Problem::TooMany) };
        }
        if let Err(problem) = caller.may(endpoint.scope, endpoint.duty()) {
            return Outcome::problem(problem);
        }
        let (call, room) = match self.call(endpoint, (caller, now), head, body).await {
            Ok((call, room)) => (Arc::new(call), room),
            Err(problem) => return Outcome::problem(problem),
        };
        // Who hangs up stops nothing halfway.
        let (portal, endpoints) = (Arc::clone(portal), Arc::clone(&self.endpoints));
        let (id, place) = (endpoint.id, Arc::clone(&self.work).acquire_owned().await);
        let done = tokio::spawn(async move {
            // The body is in memory until the work is done, whoever still waits for it.
            let (_room, _place) = (room, place);
            match endpoints.iter().find(|endpoint| endpoint.id == id) {
                Some(endpoint) => run::carry_out(&portal, endpoint, &call).await,
                None => Err(Problem::Internal),
            }
        });
        let reply = done.await.unwrap_or_else(|error| {
            tracing::error!(%error, operation = id, "api");
            Err(Problem::Internal)
        });
        Outcome { reply, allowed: None, wait: None }
    }

    /// Reads the rest of the request. The memory that its body takes is held by what comes with it. Who has
    /// taken a while to send it is looked up once more.
    async fn call(
        &self,
        endpoint: &Endpoint,
        (caller, since): (Caller, Timestamp),
        head: Head,
        body: &mut BodyDataStream,
    ) -> Answered<(Call, crate::registry::budget::Share)> {
        let query = head.query.as_deref().unwrap_or_default();
        let query = headers::pairs(query);
        let query = query.ok_or_else(|| Problem::MalformedRequest("query".to_owned()))?;
        let name = text(&head.headers, IDEMPOTENCY_KEY)?;
        if endpoint.named && name.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(Problem::BadHeader(IDEMPOTENCY_KEY.to_owned()));
        }
        let if_match = text(&head.headers, IF_MATCH.as_str())?;
        // What can't be compared is not done (RFC 9110, section 13.1.1).
        if if_match.is_some() && !endpoint.guarded && !head.safe {
            return Err(Problem::BadHeader(IF_MATCH.to_string()));
        }
        let if_match = if_match.map(|value| IfMatch::read(&value));
        let account = match &caller {
            Caller::Account { account, .. } => account.id,
            Caller::Person(present) => present.admitted.account.id,
            Caller::Anybody | Caller::Staff { .. } => AccountId(0),
        };
        let media = text(&head.headers, CONTENT_TYPE.as_str())?.map(|media| headers::media(&media));
        let mut room = self.portal.room.open(account);
        let most = self.most(endpoint);
        let mut upload = Upload::begin(&self.portal.desk, endpoint, &caller, since);
        let reading = octets(&head.headers, body, most, &mut room, &mut upload.octets);
        let read = tokio::time::timeout(BODY, reading).await.unwrap_or(Err(Problem::Slow));
        let body = upload.end(read)?;
        let asked = Asked { path: head.words, query };
        let (now, tongue) = (self.portal.clock.now(), head.tongue);
        let caller = match now.millis() - since.millis() > WHILE {
            true => self.still(endpoint, &head.headers, &head.origin, head.safe).await?,
            false => caller,
        };
        let origin = head.origin;
        let named = None;
        let mut call =
            Call { caller, origin, now, tongue, asked, body, media, if_match, name, named };
        call.named = endpoint.named.then(|| Name::of(&call, endpoint.id)).flatten();
        Ok((call, room))
    }

    /// Who asks, and may.
    async fn still(
        &self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        origin: &Origin,
        safe: bool,
    ) -> Answered<Caller> {
        let caller = admit::run::caller(&self.portal, endpoint, headers, origin, safe).await?;
        caller.may(endpoint.scope, endpoint.duty())?;
        Ok(caller)
    }

    fn most(&self, endpoint: &Endpoint) -> usize {
        match endpoint.takes {
            Takes::Nothing | Takes::Json { .. } => JSON_MAX,
            Takes::Octets { most: Most::Document, .. } => octets_of(self.portal.limits.document),
            Takes::Octets { most: Most::Message, .. } => octets_of(self.portal.desk.most()),
            Takes::Octets { most: Most::Contacts, .. } => contacts::FILE_MAX,
        }
    }
}

fn octets_of(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

async fn answer(State(service): State<Service>, request: Request) -> Response {
    service.answer(request).await
}

impl Outcome {
    fn problem(problem: Problem) -> Self {
        Self { reply: Err(problem), allowed: None, wait: None }
    }
}

fn nothing_at(path: &str) -> Problem {
    Problem::NoSuchResource(path.to_owned())
}

fn methods_alone(method: &Method, methods: String) -> Outcome {
    let reply = match *method == Method::OPTIONS {
        true => Ok(Reply::nothing()),
        false => Err(Problem::NoSuchMethod(methods.clone())),
    };
    Outcome { reply, allowed: Some(methods), wait: None }
}

/// A header that may stand there once.
fn text(headers: &HeaderMap, name: &str) -> Answered<Option<String>> {
    let mut all = headers.get_all(name).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let value = value.to_str().ok().filter(|_| all.next().is_none());
    value.map(|value| Some(value.to_owned())).ok_or_else(|| Problem::BadHeader(name.to_owned()))
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}

/// The body, as far as it may go.
async fn octets(
    headers: &HeaderMap,
    body: &mut BodyDataStream,
    most: usize,
    room: &mut crate::registry::budget::Share,
    whole: &mut Vec<u8>,
) -> Answered<()> {
    let too_large = || Problem::TooLarge(most.to_string());
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|octets: u64| octets > most as u64) {
        return Err(too_large());
    }
    while let Some(piece) = next(body).await {
        let piece = piece.map_err(|error| {
            tracing::debug!(%error, "a request's body");
            Problem::MalformedRequest("body".to_owned())
        })?;
        if piece.len() > most.saturating_sub(whole.len()) {
            return Err(too_large());
        }
        if !room.hold(whole.len() + piece.len()) {
            return Err(Problem::Busy);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(())
}

async fn next(body: &mut BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await
}

/// Takes what of a body was not asked for, within bounds: a connection that closes on a client that is still
/// sending loses it the answer (RFC 9112, 9.6).
async fn use_up(body: &mut BodyDataStream) {
    let rest = async {
        let mut left = JSON_MAX;
        while let Some(Ok(piece)) = next(body).await {
            match left.checked_sub(piece.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // Late or not, the answer is the same.
    let _ = tokio::time::timeout(LINGER, rest).await;
}

fn note(endpoint: &Endpoint, outcome: &Outcome) {
    let status = match &outcome.reply {
        Ok(reply) => reply.status,
        Err(problem) => problem.status(),
    };
    let labels = [("operation", endpoint.id.to_owned()), ("status", status.to_string())];
    metrics::counter!("kep_api_requests_total", &labels).increment(1);
    tracing::debug!(operation = endpoint.id, status, "api");
}

fn respond(outcome: Outcome, tongue: Tongue, head: bool) -> Response {
    let (reply, wait) = match outcome.reply {
        Ok(reply) => (reply, None),
        Err(problem) => (said(&problem, tongue), outcome.wait.or_else(|| wait(&problem))),
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let length = reply.flow.is_none().then_some(reply.body.len());
    let mut response = Response::new(match (head, &reply.flow) {
        (true, _) => Body::empty(),
        (false, Some(flow)) => flow.body(),
        (false, None) => Body::from(reply.body),
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    guard(headers);
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if let Some(media) = &reply.media {
        put(CONTENT_TYPE, media);
    }
    if let Some(length) = length.filter(|_| reply.media.is_some()) {
        put(CONTENT_LENGTH, &length.to_string());
    }
    if reply.media.as_deref() == Some(PROBLEM) {
        put(CONTENT_LANGUAGE, tongue.tag());
    }
    if status == StatusCode::UNAUTHORIZED {
        put(WWW_AUTHENTICATE, "Bearer realm=\"kep\"");
    }
    if let Some(allowed) = &outcome.allowed {
        put(ALLOW, allowed);
    }
    if let Some(wait) = wait {
        put(RETRY_AFTER, &wait.to_string());
    }
    for (name, value) in &reply.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            put(name, value);
        }
    }
    response
}

/// What each answer bears: nobody keeps it, no browser makes anything of it, no page reads it.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
        (REFERRER_POLICY, "no-referrer"),
        (STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (VARY, "Accept-Language, Authorization, Cookie"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn said(problem: &Problem, tongue: Tongue) -> Reply {
    let said = problem.said(tongue);
    let body = serde_json::to_vec(&said).unwrap_or_default();
    let media = Some(PROBLEM.to_owned());
    Reply { status: said.status, media, headers: Vec::new(), body, flow: None }
}

/// In how many seconds it may go better.
fn wait(problem: &Problem) -> Option<u64> {
    match problem.status() {
        429 | 503 => Some(5),
        _ => matches!(problem, Problem::RequestRunning).then_some(1),
    }
}

/// More than connections have seats.
const AT_ONCE: u32 = 1 << 20;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Octets of a JSON body.
const JSON_MAX: usize = 64 << 10;
/// How long a body may take: the largest message over a slow line.
const BODY: Duration = Duration::from_mins(10);
/// Milliseconds after which a token may have been revoked, or an account closed, while a body came in.
const WHILE: i64 = 1000;
/// How long an answer waits for a body that it does not need.
const LINGER: Duration = Duration::from_secs(2);
