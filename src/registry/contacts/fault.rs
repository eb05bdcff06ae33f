//! What is wrong with a contact or with what was asked of an address book, in both languages.

use super::{BOOK_MAX, CONTACTS_MAX, ENTRIES_MAX, FILE_MAX, GROUPS_MAX};
use crate::registry::RegistryError;
use crate::store::{RowsError, StoreError};
use crate::wire::vcard::Bad;
use thiserror::Error;

/// Why a contact is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Neither a name nor an organisation nor an address.
    Nameless,
    /// An address that would be of the closed circuit, but is not well-formed.
    Kep(String),
    Email(String),
    Phone(String),
    /// A text with a control character, or longer than its field takes.
    Text(&'static str),
    /// A UID that is none: empty, too long, or with a control character.
    Uid,
    /// More octets or addresses than a contact has.
    TooLarge,
    /// Another contact has the address.
    Taken {
        address: String,
        by: String,
    },
    /// A card that can't be read.
    Card(Bad),
    /// A row that has another number of fields than the heading, or is no text.
    Row,
    /// The address book is full.
    Full,
    /// There are as many groups as there may be.
    Groups,
}

impl Fault {
    /// A stable word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Nameless => "nameless",
            Self::Kep(_) => "kep-address",
            Self::Email(_) => "e-mail",
            Self::Phone(_) => "phone",
            Self::Text(_) => "text",
            Self::Uid => "uid",
            Self::TooLarge => "too-large",
            Self::Taken { .. } => "taken",
            Self::Card(_) => "card",
            Self::Row => "row",
            Self::Full => "full",
            Self::Groups => "groups",
        }
    }

    pub fn english(&self) -> String {
        match self {
            Self::Nameless => "it has neither a name nor an organisation nor an address".into(),
            Self::Kep(text) => format!("{text} is no KEP address (local@hsNN.kep.tr)"),
            Self::Email(text) => format!("{text} is no e-mail address"),
            Self::Phone(text) => format!("{text} is no phone number"),
            Self::Text(field) => format!("{field}: too long, or with a control character"),
            Self::Uid => "its UID is empty, too long, or has a control character".into(),
            Self::TooLarge => "it has more text or more addresses than a contact may".into(),
            Self::Taken { address, by } => format!("{address} is in the address book: {by}"),
            Self::Card(bad) => format!("the card can't be read: {}", card(*bad).1),
            Self::Row => {
                "the row is no text, or has another number of fields than the heading".into()
            }
            Self::Full => {
                format!("an address book has {CONTACTS_MAX} contacts and {BOOK_MIB} MiB at most")
            }
            Self::Groups => format!("an address book has {GROUPS_MAX} groups at most"),
        }
    }

    pub fn turkish(&self) -> String {
        match self {
            Self::Nameless => "Adı, kurumu ve adresi yok.".into(),
            Self::Kep(text) => format!("{text} KEP adresi değil (ad@hsNN.kep.tr)."),
            Self::Email(text) => format!("{text} e-posta adresi değil."),
            Self::Phone(text) => format!("{text} telefon numarası değil."),
            Self::Text(field) => format!("{field}: çok uzun ya da denetim karakteri içeriyor."),
            Self::Uid => "UID boş, çok uzun ya da denetim karakteri içeriyor.".into(),
            Self::TooLarge => "Bir kişi için fazla metin ya da adres içeriyor.".into(),
            Self::Taken { address, by } => {
                format!("Bu adres defterinizde kayıtlı: {by} ({address}).")
            }
            Self::Card(bad) => format!("Kart okunamadı: {}.", card(*bad).0),
            Self::Row => "Satır metin değil ya da alan sayısı başlıktan farklı.".into(),
            Self::Full => {
                format!("Adres defterinde en çok {CONTACTS_MAX} kişi ve {BOOK_MIB} MiB olur.")
            }
            Self::Groups => format!("Adres defterinde en çok {GROUPS_MAX} grup olur."),
        }
    }
}

fn card(bad: Bad) -> (&'static str, &'static str) {
    match bad {
        Bad::Outside => ("kartların dışında metin var", "there is text outside cards"),
        Bad::Nested => ("kart içinde kart var", "there is a card within it"),
        Bad::Endless => ("kartın sonu yok", "it has no end"),
        Bad::Version => ("sürümü 2.1, 3.0 ya da 4.0 değil", "its version is none of 2.1, 3.0, 4.0"),
        Bad::Line => ("bir satırda ad ya da iki nokta yok", "a line has no name or no colon"),
        Bad::Control => ("denetim karakteri içeriyor", "it has a control character"),
        Bad::TooLarge => ("çok büyük", "it is too large"),
        Bad::Encoding => ("base64 bozuk", "its base64 is broken"),
    }
}

/// Why something asked of an address book was not done.
#[derive(Debug, Error)]
pub enum ContactError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{}", .0.english())]
    Bad(Fault),
    #[error("there is no contact {0}")]
    Unknown(String),
    #[error("there is no group {0}")]
    NoGroup(String),
    #[error("there is a group of that name: {0}")]
    GroupExists(String),
    #[error("a group's name is one line of 1 to {} characters", super::group::NAME_MAX)]
    GroupName,
    #[error("the file has more than {FILE_MAX} octets or {ENTRIES_MAX} entries")]
    FileTooLarge,
    #[error("the file is neither vCard nor CSV with a heading that names a field of a contact")]
    Form,
}

impl ContactError {
    pub fn turkish(&self) -> String {
        match self {
            Self::Registry(_) => "Adres defterine şu anda ulaşılamıyor.".into(),
            Self::Bad(fault) => fault.turkish(),
            Self::Unknown(which) => format!("Adres defterinde {which} yok."),
            Self::NoGroup(name) => format!("{name} adlı grup yok."),
            Self::GroupExists(name) => format!("Bu adla bir grup var: {name}."),
            Self::GroupName => {
                format!("Grup adı 1 ile {} karakterlik tek satırdır.", super::group::NAME_MAX)
            }
            Self::FileTooLarge => {
                format!("Dosya {FILE_MAX} bayttan ya da {ENTRIES_MAX} kayıttan büyük.")
            }
            Self::Form => "Dosya vCard değil; başlığı tanınan bir CSV de değil.".into(),
        }
    }
}

impl From<Fault> for ContactError {
    fn from(fault: Fault) -> Self {
        Self::Bad(fault)
    }
}

impl From<StoreError> for ContactError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<RowsError> for ContactError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

const BOOK_MIB: i64 = BOOK_MAX >> 20;
