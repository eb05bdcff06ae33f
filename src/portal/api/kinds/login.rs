//! Words of bodies by which people log in. What is secret is shown by no Debug.

use super::form;
use crate::registry::api_tokens::Scope;
use data_encoding::BASE64;
use secrecy::SecretString;
use serde::de::Error;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// A word: how it is read, and how it is documented.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub $inner);

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let read: fn(String) -> Option<$inner> = $read;
                read(text).map(Self).ok_or_else(|| Error::custom(concat!("no ", stringify!($name))))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                RefOr::T(schema.into())
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

word!(
    /// An address, its local part alone, or `ADDRESS/CODE` of an operator.
    UserName(String),
    |text| ((1..=USER).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())).then_some(text),
    form("^[!-~]{1,200}$", 1, USER).examples([json!("ali.veli@hs05.kep.tr")])
);

word!(
    /// A password.
    SecretText(SecretString),
    |text| (1..=SECRET).contains(&text.chars().count()).then(|| SecretString::from(text)),
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(SECRET))
        .examples([json!("gizli bir söz daha")])
);

word!(
    /// A code that a person types.
    Code(SecretString),
    |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b' ');
        let fits = (1..=CODE).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| SecretString::from(text))
    },
    form("^[0-9A-Za-z -]{1,20}$", 1, CODE).examples([json!("123456")])
);

word!(
    /// What a step was answered with, and the next one bears.
    StepToken(SecretString),
    |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let fits = text.len() == TOKEN && text.bytes().all(plain);
        fits.then(|| SecretString::from(text))
    },
    form("^[A-Za-z0-9_-]{43}$", TOKEN, TOKEN)
        .examples([json!("Zm9yIGV4YW1wbGUsIGFuZCBmb3Igbm90aGluZyBlbHN")])
);

word!(
    /// Octets in base64 (RFC 4648, section 4).
    Base64(Vec<u8>),
    |text| {
        let octets = BASE64.decode(text.as_bytes()).ok();
        octets.filter(|octets| !octets.is_empty() && text.len() <= OCTETS)
    },
    form(
        "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$",
        4,
        OCTETS,
    )
    .examples([json!("MIIB")])
);

/// What a browser made of `options`: an object, as `PublicKeyCredential.toJSON` gives it.
#[derive(Clone, Debug)]
pub struct PasskeyAnswer(pub String);

impl<'de> serde::Deserialize<'de> for PasskeyAnswer {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Map::<String, serde_json::Value>::deserialize(from)?;
        serde_json::to_string(&value).map(Self).map_err(|_| Error::custom("no object"))
    }
}

impl utoipa::PartialSchema for PasskeyAnswer {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::Object);
        RefOr::T(object.examples([json!({ "type": "public-key" })]).into())
    }
}

impl utoipa::ToSchema for PasskeyAnswer {}

/// Scopes of a token of an account.
#[derive(Clone, Debug)]
pub struct ScopeWords(pub Vec<Scope>);

fn scopes() -> impl Iterator<Item = Scope> {
    Scope::ALL.into_iter().map(|(scope, ..)| scope).filter(|scope| !scope.is_of_staff())
}

impl<'de> serde::Deserialize<'de> for ScopeWords {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        let known = |word: &String| scopes().find(|scope| scope.word() == word);
        let all: Option<Vec<_>> = words.iter().map(known).collect();
        let all = all.filter(|all| (1..=SCOPES).contains(&all.len()));
        all.map(Self).ok_or_else(|| Error::custom("no scopes of an account's token"))
    }
}

impl utoipa::PartialSchema for ScopeWords {
    fn schema() -> RefOr<Schema> {
        let words = scopes().map(Scope::word);
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
        let array = ArrayBuilder::new()
            .items(RefOr::T(Schema::from(word)))
            .min_items(Some(1))
            .max_items(Some(SCOPES))
            .examples([json!(["mail:read"])]);
        RefOr::T(array.into())
    }
}

impl utoipa::ToSchema for ScopeWords {}

/// At once; each may stand there twice.
const SCOPES: usize = 50;
/// Octets of a name.
const USER: usize = 200;
/// Characters; what may be a password is said elsewhere.
const SECRET: usize = 1000;
/// A code on paper, with blanks.
const CODE: usize = 20;
const TOKEN: usize = 43;
/// As much as a body of JSON holds.
const OCTETS: usize = 60_000;
