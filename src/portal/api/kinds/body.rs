//! Words of bodies.

use super::{KEY, LabelKey, MailboxKey, PHRASE, Word, form, formatted, line};
use crate::registry::labels::Colour;
use crate::wire::OperatorCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema};

/// A number without a fraction, as JSON Schema has it: `938.0` is one, too (Validation §6.1.1).
pub fn whole<'de, D: serde::Deserializer<'de>, N: TryFrom<i64>>(from: D) -> Result<N, D::Error> {
    one_whole(&serde_json::Number::deserialize(from)?)
}

/// The same where there may be none.
pub fn some_whole<'de, D: serde::Deserializer<'de>, N: TryFrom<i64>>(
    from: D,
) -> Result<Option<N>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(from)?;
    number.as_ref().map(one_whole).transpose()
}

fn one_whole<N: TryFrom<i64>, E: serde::de::Error>(number: &serde_json::Number) -> Result<N, E> {
    let float =
        |number: f64| (number.fract() == 0.0 && number.abs() <= WHOLE).then_some(number as i64);
    let found = number.as_i64().or_else(|| number.as_f64().and_then(float));
    let found = found.and_then(|number| N::try_from(number).ok());
    found.ok_or_else(|| E::custom("no such whole number"))
}

/// Whole numbers up to there are floats of their own (RFC 8259 §6).
const WHOLE: f64 = 9_007_199_254_740_991.0;

/// A word of a body: read and documented by the same two functions.
macro_rules! body_word {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name(pub $inner);

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let read: fn(&str) -> Option<$inner> = $read;
                let wrong = || serde::de::Error::custom(concat!("no ", stringify!($name)));
                read(&text).map(Self).ok_or_else(wrong)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                utoipa::openapi::RefOr::T(schema.into())
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

body_word!(
    /// A label's name, as people would type it.
    LabelName(String),
    |text| {
        let bad = |c: char| c.is_control() || matches!(c, '/' | '\u{2028}' | '\u{2029}');
        let fits = (1..=LABEL).contains(&text.chars().count()) && !text.chars().any(bad);
        fits.then(|| text.to_owned())
    },
    form("^[^\\x00-\\x1f\\x7f-\\x9f/\\u2028\\u2029]{1,40}$", 1, LABEL)
        .examples([json!("Sözleşmeler")])
);

body_word!(
    /// `#RRGGBB`.
    ColourText(Colour),
    Colour::parse,
    form("^#[0-9A-Fa-f]{6}$", 7, 7).examples([json!("#2F6FDE")])
);

body_word!(
    /// A label's key in a body.
    LabelWord(LabelKey),
    LabelKey::read,
    form("^[!-~]{1,240}$", 1, KEY).examples([json!("ihale")])
);

body_word!(
    /// A mailbox in a body.
    MailboxWord(MailboxKey),
    MailboxKey::read,
    match MailboxKey::schema() {
        Schema::Object(object) => ObjectBuilder::from(object).examples([json!("archive")]),
        _ => ObjectBuilder::new(),
    }
);

body_word!(
    /// A line of text that people see.
    TextLine(String),
    |text| line(text, LINE).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,100}$", 1, LINE).examples([json!("Ayşe Yılmaz")])
);

body_word!(
    /// A field of a form; empty: nothing. What it must be like, its form knows.
    FormText(String),
    |text| (text.is_empty() || line(text, FIELD)).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{0,300}$", 0, FIELD).examples([json!("Ankara")])
);

/// KEP addresses in a body, some at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KepAddresses(pub Vec<String>);

impl<'de> serde::Deserialize<'de> for KepAddresses {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all = Vec::<String>::deserialize(from)?;
        // Whether they are such addresses is for the book to say.
        match all.len() <= ADDRESSES && all.iter().all(|text| line(text, LINE)) {
            true => Ok(Self(all)),
            false => Err(serde::de::Error::custom("no lines of text, or too many")),
        }
    }
}

impl utoipa::PartialSchema for KepAddresses {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let address = form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,100}$", 1, LINE)
            .examples([json!("ayse.yilmaz@hs05.kep.tr")]);
        let array = utoipa::openapi::schema::ArrayBuilder::new()
            .items(utoipa::openapi::RefOr::T(Schema::from(address)))
            .max_items(Some(ADDRESSES));
        utoipa::openapi::RefOr::T(array.into())
    }
}

impl utoipa::ToSchema for KepAddresses {}

body_word!(
    /// The name of a group of contacts.
    GroupName(String),
    |text| line(text, GROUP).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,64}$", 1, GROUP).examples([json!("Müşteriler")])
);

body_word!(
    /// A mailbox's name: levels, `/` between. Which names there can't be, its handler says.
    MailboxText(String),
    |text| line(text, MAILBOX).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,255}$", 1, MAILBOX).examples([json!("Projeler/2026")])
);

body_word!(
    /// Where somebody is told: a mobile number or an ordinary mail address.
    PlaceText(String),
    |text| line(text, MAILBOX).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,255}$", 1, MAILBOX).examples([json!("+905321234567")])
);

body_word!(
    /// Hours of a night or of a day, by the clock of Turkey.
    QuietText(String),
    |text| {
        let sound = |text: &str, at: usize| text.as_bytes().get(at).copied() == Some(b':');
        let good = text.len() == 11 && text.as_bytes().get(5) == Some(&b'-');
        let digits = text.bytes().filter(u8::is_ascii_digit).count() == 8;
        let hours = [text.get(0..2), text.get(6..8)].map(|hour| hour?.parse::<u8>().ok());
        let minutes = [text.get(3..5), text.get(9..11)].map(|minute| minute?.parse::<u8>().ok());
        let fits = hours.iter().all(|hour| hour.is_some_and(|hour| hour < 24))
            && minutes.iter().all(|minute| minute.is_some_and(|minute| minute < 60));
        (good && digits && fits && sound(text, 2) && sound(text, 8)).then(|| text.to_owned())
    },
    form("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", 11, 11)
        .examples([json!("22:00-08:00")])
);

body_word!(
    /// A day in Turkey.
    DayText(super::Day),
    super::Day::read,
    formatted(KnownFormat::Date).examples([json!("2026-12-24")])
);

body_word!(
    /// An instant.
    MomentText(super::Moment),
    super::Moment::read,
    formatted(KnownFormat::DateTime).examples([json!("2027-01-01T00:00:00+03:00")])
);

body_word!(
    /// A policy's value, as it is written.
    PolicyText(String),
    |text| line(text, PHRASE).then(|| text.to_owned()),
    form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$", 1, PHRASE).examples([json!("24h")])
);

body_word!(
    /// Why something is decided: one line, which neither begins nor ends with a space.
    Reason(String),
    |text| (line(text, REASON) && text.trim() == text).then(|| text.to_owned()),
    form(SEEN, 1, REASON).examples([json!("Şirket kararı 2026/17")])
);

body_word!(
    /// What waits for a signature: a held message's id, or a draft's Message-ID.
    PaperWord(String),
    |text| super::printable(text, 1, KEY).then(|| text.to_owned()),
    form("^[!-~]{1,240}$", 1, KEY).examples([json!("taslak-1@example.org")])
);

body_word!(
    /// An operator's code.
    OperatorWord(OperatorCode),
    |text| OperatorCode::parse(text).filter(|_| text.bytes().all(|b| b.is_ascii_digit())),
    form(OPERATOR, 1, 3).examples([json!("001")])
);

impl Word for OperatorWord {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_value(json!(text)).ok()
    }

    fn schema() -> Schema {
        form(OPERATOR, 1, 3).into()
    }
}

/// Keys of labels in a body, some at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelWords(pub Vec<LabelKey>);

impl<'de> serde::Deserialize<'de> for LabelWords {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = Vec::<LabelWord>::deserialize(from)?;
        match words.len() <= WORDS {
            true => Ok(Self(words.into_iter().map(|word| word.0).collect())),
            false => Err(serde::de::Error::custom("too many labels at once")),
        }
    }
}

impl utoipa::PartialSchema for LabelWords {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let array = utoipa::openapi::schema::ArrayBuilder::new()
            .items(LabelWord::schema())
            .max_items(Some(WORDS));
        utoipa::openapi::RefOr::T(array.into())
    }
}

impl utoipa::ToSchema for LabelWords {}

const OPERATOR: &str = "^(0{0,2}[1-9]|0?[1-9][0-9]|[1-9][0-9]{2})$";
/// Labels that one message gets or loses at once.
const WORDS: usize = 50;
/// Of one contact.
const ADDRESSES: usize = 8;
/// Characters of a line that people see.
const LINE: usize = 100;
/// Characters of a mailbox's name, and of a place where somebody is told.
const MAILBOX: usize = 255;
/// Characters of a group's name (`registry::contacts`).
const GROUP: usize = crate::registry::contacts::GROUP_NAME_MAX;
/// Characters of a label's name (`registry::labels`).
const LABEL: usize = crate::registry::labels::NAME_MAX;

/// Characters of a field of a form: a title is the longest.
const FIELD: usize = 300;
/// Characters of a reason, as the registry takes them.
const REASON: usize = 500;
pub(super) const SEEN: &str =
    "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_may_begin_with_any_letter_of_turkish() {
        let read = |text: &str| serde_json::from_value::<Reason>(json!(text)).is_ok();
        for good in
            ["Şirket kararı", "Ç", "İhale 7", "ığdır", "Kurul kararı 2026/17", &"ş".repeat(500)]
        {
            assert!(read(good), "{good}");
        }
        for bad in ["", " ", " a", "a ", "\u{a0}a", "a\nb", "a\u{85}", &"ş".repeat(501)] {
            assert!(!read(bad), "{bad:?}");
        }
    }
}
