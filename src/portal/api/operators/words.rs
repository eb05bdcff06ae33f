//! Roles in a body.

use crate::registry::operators::{Role, Roles};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// At least one role; one that is named twice is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoleWords(pub Roles);

impl<'de> serde::Deserialize<'de> for RoleWords {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        let roles: Option<Vec<_>> = match words.len() <= Role::ALL.len() {
            true => words.iter().map(|word| Role::parse(word)).collect(),
            false => None,
        };
        let roles = roles.and_then(Roles::new);
        roles.map(Self).ok_or_else(|| serde::de::Error::custom("no roles of an operator"))
    }
}

impl utoipa::PartialSchema for RoleWords {
    fn schema() -> RefOr<Schema> {
        let word = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Role::ALL.map(Role::word)))
            .examples([json!("reads")]);
        let array = ArrayBuilder::new()
            .items(RefOr::T(Schema::from(word)))
            .min_items(Some(1))
            .max_items(Some(Role::ALL.len()))
            .examples([json!(["signs", "reads"])]);
        RefOr::T(array.into())
    }
}

impl utoipa::ToSchema for RoleWords {}
