//! Whose an account is: a person (bireysel), a company (tüzel) or a public body (kamu), known by a number
//! that checks out. One holder may have several accounts. Forms are texts as people and programs hand
//! them over; what is parsed of them can't be wrong, and says all that was wrong at once.

mod contact;
mod fault;
mod numbers;
mod organisation;
mod person;
pub mod reached;
pub mod records;
mod text;

pub use contact::{Contact, ContactForm, Invoice, InvoiceForm, PostalAddress, TaxNumber};
pub use fault::{Fault, Faults, Wrong};
pub use numbers::{
    CitizenNumber, Detsis, ForeignerNumber, Mersis, PassportNumber, TradeRegistryNumber, Vkn,
};
pub use organisation::{Company, PublicBody, Registered, TradeRegistry};
pub use person::{Identity, Person};
pub use text::{Country, Email, Line, Phone, Province};

use crate::wire::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    Person(Person),
    Company(Company),
    Public(PublicBody),
}

/// Bireysel, tüzel, kamu.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HolderKind {
    Person,
    Company,
    Public,
}

/// What is said of a holder, field by field; which belong to which kind, the parser knows.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HolderForm {
    /// `person`, `company`, `public`.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_names: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    /// ISO 3166-1 alpha-2; without it `TR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
    /// T.C. kimlik no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_number: Option<String>,
    /// Yabancı kimlik no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreigner_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passport: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub father: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_place: Option<String>,
    /// `1980-01-31`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vkn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mersis: Option<String>,
    /// Ticaret sicil no, and the office that keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_office: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detsis: Option<String>,
    /// Ana faaliyet alanı.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
}

impl HolderKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Public => "public",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Person => "bireysel",
            Self::Company => "tüzel",
            Self::Public => "kamu",
        }
    }

    /// By its word in either language.
    pub fn parse(word: &str) -> Result<Self, Fault> {
        let all = [Self::Person, Self::Company, Self::Public];
        let found = all.into_iter().find(|kind| word == kind.word() || word == kind.turkish());
        found.ok_or(Fault::Kind)
    }
}

impl Holder {
    /// Empty fields count as not given.
    pub fn parse(form: &HolderForm, now: Timestamp) -> Result<Self, Faults> {
        let mut faults = Faults::none();
        let form = form.trimmed();
        let kind = faults.take("kind", HolderKind::parse(form.kind.trim()));
        let holder = kind.and_then(|kind| {
            form.refuse_others(kind, &mut faults);
            match kind {
                HolderKind::Person => Person::parse(&form, now, &mut faults).map(Self::Person),
                HolderKind::Company => Company::parse(&form, &mut faults).map(Self::Company),
                HolderKind::Public => PublicBody::parse(&form, &mut faults).map(Self::Public),
            }
        });
        match holder {
            Some(holder) if faults.0.is_empty() => Ok(holder),
            _ => Err(faults),
        }
    }

    pub fn form(&self) -> HolderForm {
        let form = match self {
            Self::Person(person) => person.form(),
            Self::Company(company) => company.form(),
            Self::Public(body) => body.form(),
        };
        HolderForm { kind: self.kind().word().to_owned(), ..form }
    }

    pub fn kind(&self) -> HolderKind {
        match self {
            Self::Person(_) => HolderKind::Person,
            Self::Company(_) => HolderKind::Company,
            Self::Public(_) => HolderKind::Public,
        }
    }

    /// How evidence and people call the holder.
    pub fn name(&self) -> String {
        match self {
            Self::Person(person) => person.name(),
            Self::Company(company) => company.title().to_string(),
            Self::Public(body) => body.title().to_string(),
        }
    }

    /// One text for one holder, however often he comes.
    pub fn key(&self) -> String {
        match self {
            Self::Person(person) => person.identity().key(),
            Self::Company(company) => format!("vkn:{}", company.vkn()),
            Self::Public(body) => format!("detsis:{}", body.detsis()),
        }
    }

    /// Whether somebody typed the number that he is known by.
    pub fn is_known_by(&self, text: &str) -> bool {
        match self {
            Self::Person(person) => match person.identity() {
                Identity::Citizen(own) => CitizenNumber::parse(text).as_ref() == Ok(own),
                Identity::Foreigner(own) => ForeignerNumber::parse(text).as_ref() == Ok(own),
                Identity::Passport(_, own) => PassportNumber::parse(text).as_ref() == Ok(own),
            },
            Self::Company(company) => Vkn::parse(text).as_ref() == Ok(company.vkn()),
            Self::Public(body) => Detsis::parse(text).as_ref() == Ok(body.detsis()),
        }
    }

    /// What a qualified certificate names a person by; of others it names who acts for them.
    pub fn certificate_number(&self) -> Option<&str> {
        match self {
            Self::Person(person) => person.identity().certificate_number(),
            Self::Company(_) | Self::Public(_) => None,
        }
    }
}

impl HolderForm {
    fn fields(&mut self) -> [(&'static str, &mut Option<String>, bool, bool, bool); 16] {
        // Name, value, and whether a person, a company, a public body has it.
        [
            ("given_names", &mut self.given_names, true, false, false),
            ("surname", &mut self.surname, true, false, false),
            ("nationality", &mut self.nationality, true, false, false),
            ("identity_number", &mut self.identity_number, true, false, false),
            ("foreigner_number", &mut self.foreigner_number, true, false, false),
            ("passport", &mut self.passport, true, false, false),
            ("father", &mut self.father, true, false, false),
            ("birth_place", &mut self.birth_place, true, false, false),
            ("birth_date", &mut self.birth_date, true, false, false),
            ("title", &mut self.title, false, true, true),
            ("vkn", &mut self.vkn, false, true, true),
            ("mersis", &mut self.mersis, false, true, false),
            ("trade_registry", &mut self.trade_registry, false, true, false),
            ("registry_office", &mut self.registry_office, false, true, false),
            ("detsis", &mut self.detsis, false, false, true),
            ("activity", &mut self.activity, false, true, true),
        ]
    }

    fn trimmed(&self) -> Self {
        let mut form = self.clone();
        for (_, value, ..) in form.fields() {
            *value = value.take().filter(|text| !text.trim().is_empty());
        }
        form
    }

    /// What belongs to another kind is a mistake, and not to be lost in silence.
    fn refuse_others(&self, kind: HolderKind, faults: &mut Faults) {
        for (name, value, person, company, public) in self.clone().fields() {
            let has = match kind {
                HolderKind::Person => person,
                HolderKind::Company => company,
                HolderKind::Public => public,
            };
            if value.is_some() && !has {
                faults.say(name, Fault::Foreign);
            }
        }
    }
}

impl Faults {
    /// `Some(None)` when the field is not there, `None` when it is wrong.
    fn optional<T>(
        &mut self,
        field: &'static str,
        text: &Option<String>,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<Option<T>> {
        match text.as_deref() {
            None => Some(None),
            Some(text) => self.take(field, parse(text)).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;
