//! Words of address books, of the directory, and of what goes to many.

use super::{Word, form, line};
use crate::registry::contacts::{Form, Separator};
use crate::registry::directory::BATCH_MAX;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// How an address book is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookForm(pub Form);

impl Word for BookForm {
    fn read(text: &str) -> Option<Self> {
        match text {
            "vcard" => Some(Self(Form::Vcard)),
            "csv" => Some(Self(Form::Csv)),
            _ => None,
        }
    }

    fn schema() -> Schema {
        one_of(["vcard", "csv"])
    }
}

/// What stands between the cells of a sheet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeparatorWord(pub Separator);

impl Word for SeparatorWord {
    fn read(text: &str) -> Option<Self> {
        match text {
            "semicolon" => Some(Self(Separator::Semicolon)),
            "comma" => Some(Self(Separator::Comma)),
            _ => None,
        }
    }

    fn schema() -> Schema {
        one_of(["semicolon", "comma"])
    }
}

fn one_of<const N: usize>(words: [&'static str; N]) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

/// Addresses, one at least. Whether they are such is for the handler to say, of each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addresses(pub Vec<String>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all = Vec::<String>::deserialize(from)?;
        let good = (1..=BATCH_MAX).contains(&all.len()) && all.iter().all(|one| line(one, ADDRESS));
        good.then_some(Self(all)).ok_or_else(|| D::Error::custom("no addresses, or too many"))
    }
}

impl utoipa::PartialSchema for Addresses {
    fn schema() -> RefOr<Schema> {
        let address = form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,254}$", 1, ADDRESS)
            .examples([json!("ayse.yilmaz@hs05.kep.tr")]);
        let array = ArrayBuilder::new()
            .items(RefOr::T(Schema::from(address)))
            .min_items(Some(1))
            .max_items(Some(BATCH_MAX));
        RefOr::T(array.into())
    }
}

impl utoipa::ToSchema for Addresses {}

/// A list of so many at most.
pub fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let all = Vec::<T>::deserialize(from)?;
    match all.len() <= MOST {
        true => Ok(all),
        false => Err(D::Error::custom("more than there may be")),
    }
}

/// Characters of an address (RFC 5321 §4.5.3.1).
const ADDRESS: usize = 254;
