//! Examples of bodies, put together from those of their parts.

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{Components, RefOr};

/// An example of what has this schema.
pub fn of(schema: &RefOr<Schema>, components: &Components) -> Value {
    within(schema, components, DEPTH)
}

fn within(schema: &RefOr<Schema>, components: &Components, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    match schema {
        RefOr::Ref(at) => {
            let name = at.ref_location.rsplit('/').next().unwrap_or_default();
            match components.schemas.get(name) {
                Some(named) => within(named, components, depth),
                None => Value::Null,
            }
        }
        RefOr::T(Schema::Object(object)) => object_example(object, components, depth),
        RefOr::T(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(item) => json!([within(item, components, depth)]),
            ArrayItems::False => json!([]),
        },
        RefOr::T(Schema::OneOf(one)) => {
            // `null` is the first of what may be missing.
            let examples = one.items.iter().map(|item| within(item, components, depth));
            examples.filter(|value| !value.is_null()).last().unwrap_or_default()
        }
        RefOr::T(Schema::AllOf(all)) => {
            let mut whole = Map::new();
            for item in &all.items {
                if let Value::Object(part) = within(item, components, depth) {
                    whole.extend(part);
                }
            }
            Value::Object(whole)
        }
        RefOr::T(_) => Value::Null,
    }
}

fn object_example(object: &Object, components: &Components, depth: usize) -> Value {
    if let Some(example) = object.example.clone().or_else(|| object.examples.first().cloned()) {
        return example;
    }
    if let Some(first) = object.enum_values.iter().flatten().next() {
        return first.clone();
    }
    let is = |wanted: Type| match &object.schema_type {
        SchemaType::Type(one) => *one == wanted,
        SchemaType::Array(several) => several.contains(&wanted),
        SchemaType::AnyValue => false,
    };
    match () {
        () if !object.properties.is_empty() => {
            let properties = object.properties.iter();
            let examples =
                properties.map(|(name, of)| (name.clone(), within(of, components, depth)));
            Value::Object(examples.collect())
        }
        () if is(Type::String) => json!("…"),
        () if is(Type::Integer) || is(Type::Number) => json!(1),
        () if is(Type::Boolean) => json!(true),
        () => match object.additional_properties.as_deref() {
            Some(AdditionalProperties::RefOr(_))
            | Some(AdditionalProperties::FreeForm(_))
            | None => {
                json!({})
            }
        },
    }
}

/// Schemas within each other.
const DEPTH: usize = 16;
