//! Questions, and whom they find. Against harvesting: a person is found by given names and surname,
//! whole and both, or by a whole phone number; a company or public body by a number, or by words of its
//! title. The identity number is asked last: it decides between several whom the other keys leave, and is
//! looked at for nothing else.

use super::fault::DirectoryError;
use super::record::{Kind, Record, Service, name_key, phone_key, tidy, words};
use crate::store::directory::Keys;
use crate::store::directory::query::By;
use crate::wire::KepAddress;
use serde::{Deserialize, Serialize};

/// A question as people and programs write it; also what the central directory is asked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryForm {
    /// `person`, `company`, `public`, `address`.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `both`, `receive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mersis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detsis: Option<String>,
    /// A KEP address: whose is it?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// T.C. kimlik no, yabancı kimlik no or passport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

macro_rules! keys {
    ($($name:ident $field:ident $word:literal $turkish:literal $form:literal;)+) => {
        /// What a question may name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Key { $($name),+ }

        impl Key {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            pub fn turkish(self) -> &'static str {
                match self { $(Self::$name => $turkish),+ }
            }

            /// How one is written.
            pub fn form(self) -> &'static str {
                match self { $(Self::$name => $form),+ }
            }
        }

        impl QueryForm {
            /// What was given for it; blank is nothing.
            fn get(&self, key: Key) -> Option<&str> {
                let text = match key { $(Key::$name => &self.$field),+ };
                text.as_deref().map(str::trim).filter(|text| !text.is_empty())
            }
        }
    };
}

keys! {
    Given given "given" "Ad" "given names, whole";
    Family family "family" "Soyad" "a surname, whole";
    Title title "title" "Unvan" "3 letters of a title's words, or more";
    Service service "service" "Hizmet alma şekli" "both or receive";
    Province province "province" "İl" "a province, whole";
    District district "district" "İlçe" "a district, whole";
    Street street "street" "Adres" "3 letters of an address, or more";
    Phone phone "phone" "Telefon numarası" "a phone number of 10 digits, or more";
    Activity activity "activity" "Faaliyet alanı" "3 letters of a line of business, or more";
    Mersis mersis "mersis" "MERSİS no" "16 digits";
    TaxNumber tax_number "tax_number" "VKN" "10 digits";
    RegistryNumber registry_number "registry_number" "Ticaret sicil no" "1 to 15 digits";
    Detsis detsis "detsis" "DETSİS no" "8 digits";
    Address address "address" "KEP adresi" "local@hsNN.kep.tr";
    Identity identity "identity" "Kimlik no" "T.C. or foreigner's number, or a passport";
}

/// A question that may be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// `None`: whose an address is, of whatever kind.
    kind: Option<Kind>,
    form: QueryForm,
}

impl Query {
    pub fn parse(form: &QueryForm) -> Result<Self, DirectoryError> {
        let kind = match form.kind.trim() {
            "address" | "adres" => None,
            word => Some(Kind::parse(word).ok_or_else(|| {
                DirectoryError::Kind(word.chars().filter(|c| !c.is_control()).take(40).collect())
            })?),
        };
        let query = Self { kind, form: form.clone() };
        for key in query.given() {
            if !query.takes(key) {
                return Err(DirectoryError::Foreign(key));
            }
            if !query.is_sound(key) {
                return Err(DirectoryError::Malformed(key));
            }
        }
        query.enough()?;
        Ok(query)
    }

    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    pub fn word(&self) -> &'static str {
        self.kind.map_or("address", Kind::word)
    }

    pub fn form(&self) -> &QueryForm {
        &self.form
    }

    /// The keys that were given.
    pub fn given(&self) -> Vec<Key> {
        Key::ALL.iter().copied().filter(|key| self.form.get(*key).is_some()).collect()
    }

    /// Those that could still tell several from each other, the identity number last.
    pub fn to_ask(&self) -> Vec<Key> {
        let narrowing: &[Key] = match self.kind {
            Some(Kind::Person) => &[
                Key::Province,
                Key::District,
                Key::Service,
                Key::Street,
                Key::Phone,
                Key::Identity,
            ],
            Some(Kind::Company) => &[Key::Province, Key::Activity, Key::Mersis, Key::TaxNumber],
            Some(Kind::Public) => &[Key::Province, Key::Detsis],
            None => &[],
        };
        let open = narrowing.iter().copied().filter(|key| self.form.get(*key).is_none());
        // As long as anything else is open, nobody is asked for that.
        let rest: Vec<_> = open.collect();
        match rest.len() {
            1 => rest,
            _ => rest.into_iter().filter(|key| *key != Key::Identity).collect(),
        }
    }

    /// By what candidates are looked up: the key that leaves the fewest.
    pub(super) fn by(&self) -> Option<By> {
        let text = |key| self.form.get(key);
        let digits = |key| text(key).map(number);
        match self.kind {
            None => text(Key::Address)
                .and_then(|text| KepAddress::registered(text).ok())
                .map(|address| By::Address(address.to_string())),
            Some(Kind::Person) => match (text(Key::Given), text(Key::Family)) {
                (Some(given), Some(family)) => {
                    Some(By::Name(Kind::Person.word(), name_key(given, family)))
                }
                _ => text(Key::Phone).and_then(phone_key).map(By::Phone),
            },
            Some(kind) => digits(Key::Mersis)
                .map(By::Mersis)
                .or_else(|| digits(Key::Detsis).map(By::Detsis))
                .or_else(|| digits(Key::TaxNumber).map(By::TaxNumber))
                .or_else(|| digits(Key::RegistryNumber).map(By::RegistryNumber))
                .or_else(|| {
                    let longest = words(text(Key::Title)?).into_iter().max_by_key(String::len)?;
                    Some(By::Word(kind.word(), longest.into_bytes()))
                }),
        }
    }

    /// Whether a record is one that is asked for. What its holder does not let others ask by stands in
    /// none, and fits nothing.
    pub(super) fn fits(&self, seen: &Record, keys: &Keys) -> bool {
        let whole = |key, field: &Option<String>| {
            self.form
                .get(key)
                .is_none_or(|text| field.as_ref().is_some_and(|field| tidy(field) == tidy(text)))
        };
        let part = |key, field: &Option<String>| {
            self.form.get(key).is_none_or(|text| {
                field.as_ref().is_some_and(|field| tidy(field).contains(&tidy(text)))
            })
        };
        let exact = |key, field: &Option<String>| {
            self.form.get(key).is_none_or(|text| field.as_deref() == Some(number(text).as_str()))
        };
        let titled = self.form.get(Key::Title).is_none_or(|text| {
            let own = seen.title.as_deref().map(words).unwrap_or_default();
            words(text).iter().all(|word| own.iter().any(|known| known.starts_with(word)))
        });
        let service = self.form.get(Key::Service).and_then(Service::parse);
        let phone = self.form.get(Key::Phone).and_then(phone_key);
        self.kind.is_none_or(|kind| kind == seen.kind)
            && whole(Key::Given, &seen.given)
            && whole(Key::Family, &seen.family)
            && whole(Key::Province, &seen.province)
            && whole(Key::District, &seen.district)
            && part(Key::Street, &seen.street)
            && part(Key::Activity, &seen.activity)
            && exact(Key::Mersis, &seen.mersis)
            && exact(Key::Detsis, &seen.detsis)
            && exact(Key::TaxNumber, &keys.tax_number)
            && exact(Key::RegistryNumber, &seen.registry_number)
            && titled
            && service.is_none_or(|service| seen.service == Some(service))
            && phone.is_none_or(|key| seen.phone.as_deref().and_then(phone_key) == Some(key))
    }

    /// The identity number to tell several by.
    pub(super) fn identity(&self) -> Option<&str> {
        self.form.get(Key::Identity)
    }

    /// Whether a central directory could know more than we do.
    pub(super) fn address(&self) -> Option<KepAddress> {
        self.form.get(Key::Address).and_then(|text| KepAddress::registered(text).ok())
    }

    fn takes(&self, key: Key) -> bool {
        use Key::*;
        match self.kind {
            Some(Kind::Person) => matches!(
                key,
                Given | Family | Service | Province | District | Street | Phone | Identity
            ),
            Some(Kind::Company) => {
                matches!(key, Title | Province | Activity | Mersis | TaxNumber | RegistryNumber)
            }
            Some(Kind::Public) => matches!(key, Title | Province | Detsis),
            None => key == Address,
        }
    }

    fn is_sound(&self, key: Key) -> bool {
        let Some(text) = self.form.get(key) else { return true };
        if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
            return false;
        }
        let digits = number(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        match key {
            Key::Service => Service::parse(text).is_some(),
            Key::Phone => phone_key(text).is_some(),
            Key::Title => words(text).iter().any(|word| word.chars().count() >= LETTERS),
            Key::Street | Key::Activity => tidy(text).chars().count() >= LETTERS,
            Key::Mersis => plain && digits.len() == 16,
            Key::TaxNumber => plain && digits.len() == 10,
            Key::Detsis => plain && digits.len() == 8,
            Key::RegistryNumber => plain && (1..=15).contains(&digits.len()),
            Key::Address => KepAddress::registered(text).is_ok(),
            Key::Identity => {
                (5..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
            }
            Key::Given | Key::Family | Key::Province | Key::District => !tidy(text).is_empty(),
        }
    }

    fn enough(&self) -> Result<(), DirectoryError> {
        let has = |key| self.form.get(key).is_some();
        let (good, english, turkish) = match self.kind {
            Some(Kind::Person) => (
                has(Key::Given) && has(Key::Family) || has(Key::Phone),
                "a person is found by given names and surname, or by a phone number",
                "Ad ve soyad ya da telefon numarası gerekir.",
            ),
            Some(Kind::Company) => (
                has(Key::Title)
                    || has(Key::Mersis)
                    || has(Key::TaxNumber)
                    || has(Key::RegistryNumber),
                "a company is found by its title, or by its MERSİS, tax or registry number",
                "Unvan, MERSİS no, VKN ya da ticaret sicil no gerekir.",
            ),
            Some(Kind::Public) => (
                has(Key::Title) || has(Key::Detsis),
                "a public body is found by its title or its DETSİS number",
                "Kurum adı ya da DETSİS no gerekir.",
            ),
            None => (
                has(Key::Address),
                "an address is needed to say whose it is",
                "KEP adresi gerekir.",
            ),
        };
        good.then_some(()).ok_or(DirectoryError::Few(english, turkish))
    }
}

/// Without what people put between digits.
fn number(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.')).collect()
}

/// Letters that a part of a text needs to be asked for.
const LETTERS: usize = 3;
/// Characters of a key.
const TEXT_MAX: usize = 200;
