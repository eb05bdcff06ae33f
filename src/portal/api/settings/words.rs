//! Settings in a body: each is read by its own kind, and documented as one of its values.

use crate::registry::declared::Kind;
use crate::registry::outbox::Language;
use crate::registry::settings::kinds::{
    Asking, Clock, Column, Columns, Density, Format, PageSize, SIGNATURE, SignatureText, Theme,
    Undo,
};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

macro_rules! setting_word {
    ($name:ident($kind:ty), $from:ty, $text:expr, $schema:expr) => {
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name(pub $kind);

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let sent = <$from>::deserialize(from)?;
                let text: fn($from) -> String = $text;
                let wrong = || serde::de::Error::custom(<$kind as Kind>::FORM);
                <$kind as Kind>::parse(&text(sent)).map(Self).ok_or_else(wrong)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T($schema.into())
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

fn one_of(kind: Type, values: Vec<Value>) -> ObjectBuilder {
    let example = values.first().cloned();
    ObjectBuilder::new().schema_type(kind).examples(example).enum_values(Some(values))
}

fn words<K: Kind>(all: &[K]) -> ObjectBuilder {
    one_of(Type::String, all.iter().map(|one| json!(one.write())).collect())
}

fn numbers(all: &[u16]) -> ObjectBuilder {
    one_of(Type::Integer, all.iter().map(|one| json!(one)).collect())
}

setting_word!(PageSizeNumber(PageSize), u16, |n| n.to_string(), numbers(PageSize::ALL));
setting_word!(UndoNumber(Undo), u16, |n| n.to_string(), numbers(Undo::ALL));
setting_word!(DensityWord(Density), String, exactly, words(Density::ALL));
setting_word!(ThemeWord(Theme), String, exactly, words(Theme::ALL));
setting_word!(ClockWord(Clock), String, exactly, words(Clock::ALL));
setting_word!(AskingWord(Asking), String, exactly, words(Asking::ALL));
setting_word!(FormatWord(Format), String, exactly, words(Format::ALL));
setting_word!(LanguageWord(Language), String, exactly, words(Language::ALL));
setting_word!(
    SignatureLines(SignatureText),
    String,
    |text| text,
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]*$"))
        .max_length(Some(SIGNATURE))
        .examples([json!("Ali Veli")])
);
setting_word!(
    ColumnWords(Columns),
    Vec<String>,
    |words| words.iter().cloned().map(exactly).collect::<Vec<_>>().join(","),
    ArrayBuilder::new()
        .items(RefOr::T(Schema::from(words(Column::ALL))))
        .unique_items(true)
        .min_items(Some(1))
        .max_items(Some(Column::ALL.len()))
);

/// With nothing around it: a word as the document has it, and no other.
fn exactly(text: String) -> String {
    let whole = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == ',');
    if whole { text } else { "?".to_owned() }
}
