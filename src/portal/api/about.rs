//! What the API says of itself, to anybody: its document, and what its problems mean.

use super::Portal;
use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Ready, Tag, Verb, params};
use super::kinds::Name;
use super::problem::{Entry, Problem};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/openapi.json", "showDocument", Tag::About)
            .says("Bu API'nin OpenAPI 3.1 belgesi.", "The OpenAPI 3.1 document of this API.")
            .tells(document),
        Endpoint::new(Verb::Get, "/errors", "listErrors", Tag::About)
            .says(
                "Bütün hata kodlarını Türkçe ve İngilizce listeler.",
                "Lists all error codes, in Turkish and English.",
            )
            .tells(errors),
        Endpoint::new(Verb::Get, "/errors/{code}", "showError", Tag::About)
            .says("Bir hata kodunu açıklar.", "Explains an error code.")
            .may_say([Problem::ErrorUnknown])
            .tells(error),
    ]
}

params! {
    OneError {
        path code: Name = "message-unknown", "The code of a problem.";
    }
}

#[derive(Serialize, ToSchema)]
struct Errors {
    errors: Vec<Entry>,
}

fn document(portal: &Portal, _: &Call, _: &NoWords) -> Answered<Ready> {
    Ok(Ready(portal.document()))
}

fn errors(portal: &Portal, _: &Call, _: &NoWords) -> Answered<Json<Errors>> {
    Ok(Json(Errors { errors: portal.catalogue() }))
}

fn error(portal: &Portal, _: &Call, ask: &OneError) -> Answered<Json<Entry>> {
    let found = portal.catalogue().into_iter().find(|entry| entry.code == ask.code.0);
    found.map(Json).ok_or(Problem::ErrorUnknown)
}
