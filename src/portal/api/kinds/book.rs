//! Words of address books.

use super::Word;
use crate::registry::contacts::{Form, Separator};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

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
