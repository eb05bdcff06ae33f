//! Why the directory was not asked, in both languages.

use super::query::Key;
use crate::registry::RegistryError;
use crate::store::{RowsError, StoreError};
use crate::wire::Timestamp;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum DirectoryError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("there is no kind of query {0}: person, company, public or address")]
    Kind(String),
    #[error("{} is no key of this kind of query", .0.word())]
    Foreign(Key),
    #[error("{} is not well-formed: {}", .0.word(), .0.form())]
    Malformed(Key),
    #[error("too few keys: {0}")]
    Few(&'static str, &'static str),
    #[error("asked too often; again from {}", .0.iso8601_secs())]
    Often(Timestamp),
    #[error("a batch has 1 to {most} addresses, not {0}", most = super::batch::MOST)]
    Batch(usize),
    #[error("an account whose holder is not known, or is no natural person, gives no consent")]
    NoPerson,
}

impl DirectoryError {
    /// A stable word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Registry(_) => "unavailable",
            Self::Kind(_) => "kind",
            Self::Foreign(_) => "foreign-key",
            Self::Malformed(_) => "malformed-key",
            Self::Few(..) => "few-keys",
            Self::Often(_) => "often",
            Self::Batch(_) => "batch",
            Self::NoPerson => "no-person",
        }
    }

    pub fn turkish(&self) -> String {
        match self {
            Self::Registry(_) => "Rehbere şu anda ulaşılamıyor.".into(),
            Self::Kind(_) => "Sorgu türü bireysel, tüzel, kamu ya da adres olur.".into(),
            Self::Foreign(key) => format!("Bu tür sorguda {} verilmez.", key.turkish()),
            Self::Malformed(key) => format!("{} geçerli değil.", key.turkish()),
            Self::Few(_, turkish) => (*turkish).into(),
            Self::Often(until) => {
                format!("Sorgu sınırına ulaştınız; {} sonrasında sorgulayın.", until.turkish())
            }
            Self::Batch(_) => {
                format!("Toplu kontrolde 1 ile {} arası adres verilir.", super::batch::MOST)
            }
            Self::NoPerson => "Rehber onayını yalnızca gerçek kişiler verir.".into(),
        }
    }
}

impl From<StoreError> for DirectoryError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<RowsError> for DirectoryError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}
