//! What a natural person agrees to: to be listed at all, to be found by
//! queries, and by which data; what nobody may ask by, nobody sees. Without a word: nothing.

use crate::store::RowsError;
use crate::store::directory::ConsentRow;

/// Data that a person may let others ask by, and see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    Given,
    Family,
    Service,
    District,
    Province,
    Address,
    Phone,
    /// Seen alone: nobody asks by it.
    Signature,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Consent {
    listed: bool,
    findable: bool,
    fields: Vec<Field>,
}

impl Field {
    /// In the order of the guide; what it has no tick for, last.
    pub const ALL: [Self; 8] = [
        Self::Given,
        Self::Family,
        Self::Service,
        Self::District,
        Self::Province,
        Self::Address,
        Self::Phone,
        Self::Signature,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Family => "family",
            Self::Service => "service",
            Self::District => "district",
            Self::Province => "province",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Signature => "signature",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Given => "ad",
            Self::Family => "soyad",
            Self::Service => "hizmet alma şekli",
            Self::District => "ilçe",
            Self::Province => "il",
            Self::Address => "adres",
            Self::Phone => "telefon numarası",
            Self::Signature => "imza doğrulama verisi",
        }
    }

    /// By its word in either language.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| word == field.word() || word == field.turkish())
    }
}

impl Consent {
    /// `None` when a word names no field.
    pub fn parse(listed: bool, findable: bool, words: &[&str]) -> Option<Self> {
        let fields: Option<Vec<_>> = words.iter().map(|word| Field::parse(word)).collect();
        let mut fields = fields?;
        fields.sort_unstable();
        fields.dedup();
        Some(Self { listed, findable, fields })
    }

    /// Onay.
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// *Hesabım bireysel sorgulama ile bulunabilsin*; counts for who is listed only.
    pub fn is_findable(&self) -> bool {
        self.listed && self.findable
    }

    /// What was ticked, whether it counts or not.
    pub fn ticked(&self) -> (bool, &[Field]) {
        (self.findable, &self.fields)
    }

    pub fn allows(&self, field: Field) -> bool {
        self.listed && self.fields.contains(&field)
    }

    pub(super) fn of(row: &ConsentRow) -> Result<Self, RowsError> {
        let words: Vec<_> = row.fields.split_whitespace().collect();
        let read = Self::parse(row.listed, row.findable, &words);
        read.ok_or(RowsError::Stored("fields of a consent"))
    }

    pub(super) fn words(&self) -> String {
        self.fields.iter().map(|field| field.word()).collect::<Vec<_>>().join(" ")
    }
}
