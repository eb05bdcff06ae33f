//! Words of what the staff asks.

use super::{KEY, Word, form, line, printable};
use crate::registry::accounts::{OpeningMode, SignatureRule};
use crate::registry::applications::{self, PaperKind};
use crate::registry::authority::Scope as Extent;
use crate::registry::credits::Unit;
use crate::registry::holders::HolderKind;
use crate::registry::proposals;
use crate::registry::standing::{Service, Stage};
use crate::store::outbox::State as NoticeState;
use serde::de::Error;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// One of some words, in a query or a body.
macro_rules! one_of {
    ($($(#[$doc:meta])* $name:ident($inner:ty) = $all:expr, $word:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub $inner);

        impl $name {
            fn words() -> Vec<&'static str> {
                let word: fn($inner) -> &'static str = $word;
                $all.into_iter().map(word).collect()
            }
        }

        impl Word for $name {
            fn read(text: &str) -> Option<Self> {
                let word: fn($inner) -> &'static str = $word;
                $all.into_iter().find(|one| word(*one) == text).map(Self)
            }

            fn schema() -> Schema {
                let string = ObjectBuilder::new().schema_type(Type::String);
                string.enum_values(Some(Self::words())).into()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::read(&text).ok_or_else(|| D::Error::custom("none of the words"))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let string = ObjectBuilder::new().schema_type(Type::String);
                let string = string.enum_values(Some(Self::words()));
                RefOr::T(string.examples([json!(Self::words().first())]).into())
            }
        }

        impl utoipa::ToSchema for $name {}
    )* };
}

one_of! {
    /// How far an application is.
    ApplicationStage(&'static str) = applications::State::WORDS, |word| word;
    /// What an account is.
    AccountStage(Stage) = [Stage::Active, Stage::Suspended, Stage::Closing, Stage::Closed, Stage::Ended],
        Stage::word;
    /// What became of a proposal.
    ProposalState(&'static str) = proposals::State::WORDS, |word| word;
    /// What became of a notice.
    NoticeStateWord(NoticeState) = NoticeState::ALL, NoticeState::word;
    /// Bireysel, tüzel, kamu.
    HolderWord(HolderKind) = [HolderKind::Person, HolderKind::Company, HolderKind::Public],
        HolderKind::word;
    /// Hizmet alma şekli.
    ServiceWord(Service) = [Service::Both, Service::Receive], Service::word;
    /// Kapalı zarf, doğrudan.
    OpeningWord(OpeningMode) = [OpeningMode::Sealed, OpeningMode::Direct], OpeningMode::word;
    /// What signature is asked for.
    RuleWord(SignatureRule) =
        [SignatureRule::Required, SignatureRule::Hold, SignatureRule::Optional],
        SignatureRule::word;
    /// A paper of an application.
    PaperKindWord(PaperKind) = PaperKind::ALL.to_vec(), PaperKind::word;
    /// Credits, or SMS.
    UnitWord(Unit) = [Unit::Credit, Unit::Sms], Unit::word;
    /// What an authority asks for.
    ExtentWord(Extent) = [Extent::All, Extent::Mails, Extent::Evidence], Extent::word;
}

/// A word of a body: read and documented by the same two functions.
macro_rules! text {
    ($($(#[$doc:meta])* $name:ident($inner:ty) = $read:expr, $schema:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name(pub $inner);

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let read: fn(&str) -> Option<$inner> = $read;
                read(&text).map(Self).ok_or_else(|| D::Error::custom(concat!("no ", stringify!($name))))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                RefOr::T(schema.into())
            }
        }

        impl utoipa::ToSchema for $name {}
    )* };
}

text! {
    /// An address; whether it is one of an account is said elsewhere.
    AddressText(String) = |text| printable(text, 3, KEY).then(|| text.to_owned()),
        form("^[!-~]{3,240}$", 3, KEY).examples([json!("ali.veli@hs05.kep.tr")]);
    /// A message's identifier; whether there is one of it is said elsewhere.
    MessageText(String) = |text| printable(text, 3, KEY).then(|| text.to_owned()),
        form("^[!-~]{3,240}$", 3, KEY).examples([json!("0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]);
    /// A line of a form; empty: not given.
    FormLine(String) = |text| (text.is_empty() || line(text, FORM)).then(|| text.to_owned()),
        form("^[^\\x00-\\x1f\\x7f-\\x9f]{0,300}$", 0, FORM).examples([json!("Örnek")]);
    /// How a payment or a ticket is called elsewhere.
    Reference(String) = |text| (line(text, REFERENCE) && text.trim() == text).then(|| text.to_owned()),
        form(super::body::SEEN, 1, REFERENCE).examples([json!("Dekont 2026/117")]);
    /// A line of up to 300 characters that neither begins nor ends with a space.
    FileLine(String) = |text| (line(text, FORM) && text.trim() == text).then(|| text.to_owned()),
        form(super::body::SEEN, 1, FORM).examples([json!("Ankara 3. Asliye Ceza Mahkemesi")]);
}

/// Characters of a field of a form; what each may have is said elsewhere.
const FORM: usize = 300;
/// Characters of a reference, as the registry takes them.
const REFERENCE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_read_by_its_word() {
        assert_eq!(AccountStage::read("suspended"), Some(AccountStage(Stage::Suspended)));
        assert_eq!(AccountStage::read("applied"), None, "no account yet");
        assert_eq!(PaperKindWord::words().len(), PaperKind::ALL.len());
        for bad in ["", "Both", "both "] {
            assert_eq!(ServiceWord::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lines_have_their_bounds() {
        let file = |text: &str| serde_json::from_value::<FileLine>(json!(text)).is_ok();
        let form = |text: &str| serde_json::from_value::<FormLine>(json!(text)).is_ok();
        for good in ["Ş", "CMK m. 134", &"ç".repeat(300)] {
            assert!(file(good) && form(good), "{good}");
        }
        assert!(form("") && !file(""));
        for bad in ["a\nb", "\u{85}", &"ç".repeat(301)] {
            assert!(!file(bad) && !form(bad), "{bad:?}");
        }
    }
}
