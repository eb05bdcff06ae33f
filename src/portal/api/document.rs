//! The OpenAPI 3.1 document, made of the list of operations.

mod example;

use super::BASE;
use super::call::{JSON, PROBLEM};
use super::endpoint::{Body, Endpoint, Field, Place, Tag, Takes, Verb};
use super::problem::{Entry, Problem, Said};
use crate::registry::api_tokens::Scope;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
    PathItemBuilder, PathsBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, ComponentsBuilder, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, Header, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem,
    Ref, RefOr, Required, Response, ResponseBuilder, Server,
};
use utoipa::{PartialSchema, ToSchema};

/// The document of these operations; `refusals` are those that submissions may meet.
pub fn document(endpoints: &[Endpoint], refusals: &[Entry]) -> OpenApi {
    let components = components(endpoints);
    let mut paths: BTreeMap<&str, PathItemBuilder> = BTreeMap::new();
    for endpoint in endpoints {
        let item = paths.remove(endpoint.path).unwrap_or_default();
        let operation = operation(endpoint, &components, refusals);
        paths.insert(endpoint.path, item.operation(method(endpoint.verb), operation));
    }
    let mut all = PathsBuilder::new();
    for (path, item) in paths {
        let item: PathItem = item.build();
        all = all.path(path, item);
    }
    let info = InfoBuilder::new()
        .title("kep")
        .version("1")
        .description(Some(ABOUT))
        .license(Some(License::new("MIT OR Apache-2.0")));
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([Server::new(BASE)]))
        .paths(all.build())
        .components(Some(components))
        .tags(Some(Tag::ALL.map(|tag| TagBuilder::new().name(tag.name()).build())))
        .build()
}

fn components(endpoints: &[Endpoint]) -> Components {
    let mut parts: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    let mut own = vec![(Said::name().into_owned(), Said::schema())];
    Said::schemas(&mut own);
    parts.extend(own);
    for endpoint in endpoints {
        if let Takes::Json { parts: more, .. } = &endpoint.takes {
            parts.extend(more.iter().cloned());
        }
        if let Body::Json { parts: more, .. } = &endpoint.gives.body {
            parts.extend(more.iter().cloned());
        }
    }
    parts.values_mut().for_each(one_of_them);
    let scopes = Scope::ALL
        .iter()
        .map(|(_, word, turkish, english)| format!("- `{word}`: {english} / {turkish}\n"));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(format!("{TOKENS}{}", scopes.collect::<String>())));
    let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(SESSIONS));
    ComponentsBuilder::new()
        .schemas_from_iter(parts)
        .security_scheme(BEARER, SecurityScheme::Http(bearer.build()))
        .security_scheme(SESSION, SecurityScheme::Http(session.build()))
        .build()
}

/// What is one of several things, each under its name, is not two of them: so the reader has it, and so must
/// the document, in what stands in another thing as well.
fn one_of_them(part: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = part {
        return object.properties.values_mut().for_each(one_of_them);
    }
    let RefOr::T(Schema::OneOf(several)) = part else { return };
    for one in &mut several.items {
        if let RefOr::T(Schema::Object(object)) = one
            && object.properties.len() == 1
        {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Get => HttpMethod::Get,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
        Verb::Patch => HttpMethod::Patch,
        Verb::Delete => HttpMethod::Delete,
    }
}

fn operation(endpoint: &Endpoint, components: &Components, refusals: &[Entry]) -> Operation {
    let needs = match (endpoint.scope, endpoint.legal) {
        (Some(scope), _) => format!("\n\nScope: `{}`.", scope.word()),
        (None, Some(act)) => format!("\n\nLegal act: `{}`.", act.word()),
        (None, None) => String::new(),
    };
    let mut operation = OperationBuilder::new()
        .operation_id(Some(endpoint.id))
        .tag(endpoint.tag.name())
        .summary(Some(endpoint.english))
        .description(Some(format!("{}{needs}", endpoint.turkish)))
        .request_body(body(endpoint, components))
        .security(match endpoint.scope {
            Some(_) => SecurityRequirement::new(BEARER, NO_WORDS),
            None if endpoint.personal => SecurityRequirement::new(SESSION, NO_WORDS),
            None => SecurityRequirement::default(),
        });
    for parameter in endpoint.fields.iter().map(parameter) {
        operation = operation.parameter(parameter);
    }
    if endpoint.named {
        operation =
            operation.parameter(header("Idempotency-Key", NAMED, Some(NAME), "2026-11-29/17"));
    }
    if endpoint.guarded {
        operation = operation.parameter(header("If-Match", GUARDED, None, "*"));
    }
    operation = operation.response(endpoint.gives.status.to_string(), good(endpoint, components));
    for (status, problems) in problems(endpoint, refusals) {
        operation = operation.response(status.to_string(), bad(status, &problems));
    }
    operation.build()
}

fn parameter(field: &Field) -> Parameter {
    let place = match field.place {
        Place::Path => ParameterIn::Path,
        Place::Query => ParameterIn::Query,
    };
    let required = match field.place {
        Place::Path => Required::True,
        Place::Query => Required::False,
    };
    ParameterBuilder::new()
        .name(field.name)
        .parameter_in(place)
        .required(required)
        .description(Some(field.says))
        .schema(Some(field.schema.clone()))
        .example(Some(field.example.clone()))
        .build()
}

fn header(name: &str, says: &str, pattern: Option<&str>, example: &str) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(pattern);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(Schema::from(schema)))
        .example(Some(example.into()))
        .build()
}

fn binary() -> Schema {
    let format = SchemaFormat::Custom("binary".to_owned());
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
}

fn body(endpoint: &Endpoint, components: &Components) -> Option<RequestBody> {
    let builder = RequestBodyBuilder::new().required(Some(Required::True));
    match &endpoint.takes {
        Takes::Nothing => None,
        Takes::Json { schema, .. } => {
            let example = example::of(schema, components);
            let content = ContentBuilder::new().schema(Some(schema.as_ref().clone()));
            Some(builder.content(JSON, content.example(Some(example)).build()).build())
        }
        Takes::Octets { media, example, .. } => {
            let content = ContentBuilder::new().schema(Some(binary()));
            let content = content.example(Some((*example).into())).build();
            let with = |builder: RequestBodyBuilder, media: &&str| {
                builder.content(*media, content.clone())
            };
            Some(media.iter().fold(builder, with).build())
        }
    }
}

fn good(endpoint: &Endpoint, components: &Components) -> Response {
    let mut response = ResponseBuilder::new().description(endpoint.english);
    for name in endpoint.gives.headers {
        response = response.header(*name, text_header());
    }
    match &endpoint.gives.body {
        Body::Nothing => {}
        Body::Json { schema, .. } => {
            let example = example::of(schema, components);
            let content = ContentBuilder::new().schema(Some(schema.as_ref().clone()));
            response = response.content(JSON, content.example(Some(example)).build());
        }
        Body::Octets(media) => {
            for media in *media {
                let content = ContentBuilder::new().schema(Some(binary())).build();
                response = response.content(*media, content);
            }
        }
    }
    response.build()
}

fn text_header() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Schema::from(schema)).build()
}

/// By status: what each operation may say, and what this one may.
fn problems(endpoint: &Endpoint, refusals: &[Entry]) -> BTreeMap<u16, Vec<Entry>> {
    let mut all = vec![
        Problem::MalformedRequest(HOLE.into()),
        Problem::BadHeader(HOLE.into()),
        Problem::TooMany,
        Problem::Internal,
        Problem::Unavailable,
        Problem::Busy,
    ];
    let in_query = endpoint.fields.iter().any(|field| field.place == Place::Query);
    let in_path = endpoint.fields.iter().any(|field| field.place == Place::Path);
    all.push(Problem::UnknownParameter(HOLE.into()));
    if in_query {
        all.push(Problem::RepeatedParameter(HOLE.into()));
        all.push(Problem::BadParameter(HOLE.into()));
    }
    if in_path {
        all.push(Problem::NoSuchResource(HOLE.into()));
    }
    if endpoint.scope.is_some() {
        all.extend([Problem::NoToken, Problem::TokenUnknown, Problem::TokenExpired]);
        all.extend([Problem::ScopeMissing(HOLE.into()), Problem::NotAnAccount]);
        all.push(Problem::AccountOver);
    }
    if !endpoint.is_open() {
        all.extend([Problem::NoToken, Problem::TokenUnknown, Problem::OperatorMayNot]);
        all.extend([Problem::AccountOver, Problem::RequestUnproven]);
    }
    if endpoint.personal {
        all.push(Problem::SessionNeeded);
    }
    if endpoint.legal.is_some() {
        all.push(Problem::StepUpNeeded);
    }
    match endpoint.takes {
        Takes::Nothing => all.push(Problem::NeedlessBody),
        Takes::Json { .. } | Takes::Octets { .. } => {
            all.extend([Problem::Slow, Problem::BadBody(HOLE.into())]);
            all.extend([Problem::TooLarge(HOLE.into()), Problem::WrongMedia(HOLE.into())]);
        }
    }
    if endpoint.verb != Verb::Get {
        all.push(Problem::StorageFull);
    }
    if endpoint.named {
        all.extend([Problem::RequestOfAnother, Problem::RequestRunning]);
    }
    if endpoint.guarded {
        all.push(Problem::Changed);
    }
    all.extend(endpoint.problems.iter().cloned());
    let more = if endpoint.submits { refusals } else { &[] };
    let mut by_status: BTreeMap<u16, Vec<Entry>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for entry in all.iter().map(Problem::entry).chain(more.iter().cloned()) {
        if seen.insert(entry.code.clone()) {
            by_status.entry(entry.status).or_default().push(entry);
        }
    }
    by_status
}

fn bad(status: u16, problems: &[Entry]) -> Response {
    let lines = problems.iter().map(|entry| format!("- `{}`: {}\n", entry.code, entry.english));
    let example = problems.first().map(|entry| {
        serde_json::json!({
            "type": format!("{BASE}/errors/{}", entry.code),
            "title": entry.english,
            "status": entry.status,
            "code": entry.code,
        })
    });
    let schema = Ref::from_schema_name(Said::name().as_ref());
    let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
    let response = ResponseBuilder::new()
        .description(lines.collect::<String>().trim_end())
        .content(PROBLEM, content);
    let response = match status {
        401 => response.header("WWW-Authenticate", text_header()),
        429 => response.header("Retry-After", text_header()),
        _ => response,
    };
    response.build()
}

const BEARER: &str = "token";
const SESSION: &str = "session";
const NO_WORDS: [&str; 0] = [];
/// Stands for what a problem is about.
const HOLE: &str = "{}";
const NAMED: &str = "Names this request for a day. The same request under the same name is done once, \
    and answered as it was then; another request under that name is refused.";
const GUARDED: &str =
    "Does it only if what is changed still has this ETag (RFC 9110, section 13.1.1).";
/// `Idempotency-Key`.
pub const NAME: &str = "^[!-~]{1,100}$";
const ABOUT: &str = "The JSON API of a registered-mail provider (KEP): messages, evidence, \
    verification, and what belongs to an account. Times are UTC (RFC 3339). Errors are \
    `application/problem+json` (RFC 9457) with a stable `code`, said in Turkish or, where \
    `Accept-Language` would rather have it, in English; `/errors` lists them all.";
const SESSIONS: &str = "A session of a person, that `/login` began: `Authorization: Bearer TOKEN`, or the \
    cookie `__Host-kep-session`, with which each request but GET bears the header `X-KEP-Request`. It may what \
    its person may, by his roles where he is an operator. A legal act asks for more than a password, shown of \
    late: `/session/step-up`.";
const TOKENS: &str = "A token that `kep account token add` made, or a person in a session (`POST /tokens`), as `Authorization: Bearer TOKEN`. \
    What it may be used for:\n\n";
