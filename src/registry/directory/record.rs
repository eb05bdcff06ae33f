//! What the directory has of an account, and what of it others see.

use super::consent::{Consent, Field};
use crate::wire::KepAddress;
use crate::wire::fold::fold;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// Bireysel, tüzel, kamu.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Person,
    Company,
    Public,
}

/// Hizmet alma şekli.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Gönderici/Alıcı.
    Both,
    /// Alıcı.
    Receive,
}

/// A record. Which of the fields one has, its kind and its holder's consent say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    pub address: String,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Of a company or a public body, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mersis: Option<String>,
    /// Ticaret sicil no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_office: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detsis: Option<String>,
    /// Ana faaliyet alanı.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// İmza doğrulama verisi of a person: the public keys of the certificates that he signs with
    /// (SubjectPublicKeyInfo, DER in base64). Not the certificates: those name his identity number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signature_keys: Vec<String>,
    /// Who acts for a company or public body now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Named>,
}

/// An operator as others see him.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Person, Self::Company, Self::Public];

    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Public => "public",
        }
    }

    /// By its word in either language.
    pub fn parse(word: &str) -> Option<Self> {
        let turkish = |kind| match kind {
            Self::Person => "bireysel",
            Self::Company => "tüzel",
            Self::Public => "kamu",
        };
        Self::ALL.into_iter().find(|kind| word == kind.word() || word == turkish(*kind))
    }
}

impl Service {
    pub fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Receive => "receive",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Both, Self::Receive].into_iter().find(|service| service.word() == word)
    }
}

impl Record {
    pub fn bare(address: &KepAddress, kind: Kind) -> Self {
        Self {
            address: address.to_string(),
            kind,
            service: None,
            given: None,
            family: None,
            title: None,
            mersis: None,
            registry_number: None,
            registry_office: None,
            detsis: None,
            activity: None,
            street: None,
            district: None,
            province: None,
            phone: None,
            signature_keys: Vec::new(),
            operators: Vec::new(),
        }
    }

    /// What people call whose it is; the address where nothing else may be said.
    pub fn shown(&self) -> String {
        let person = [&self.given, &self.family].map(|part| part.as_deref().unwrap_or_default());
        let person = person.join(" ");
        let name = self.title.as_deref().unwrap_or(person.trim());
        if name.is_empty() { self.address.clone() } else { name.to_owned() }
    }

    /// As far as a person agreed. Companies and public bodies are listed by law.
    pub fn within(&self, consent: &Consent) -> Self {
        let mut seen = self.clone();
        if self.kind != Kind::Person {
            return seen;
        }
        for field in Field::ALL.into_iter().filter(|field| !consent.allows(*field)) {
            match field {
                Field::Given => seen.given = None,
                Field::Family => seen.family = None,
                Field::Service => seen.service = None,
                Field::District => seen.district = None,
                Field::Province => seen.province = None,
                Field::Address => seen.street = None,
                Field::Phone => seen.phone = None,
                Field::Signature => seen.signature_keys.clear(),
            }
        }
        seen
    }

    /// What another directory says, if all of it is as it should be.
    pub fn judged(mut self) -> Option<Self> {
        self.address = KepAddress::parse(&self.address).ok()?.to_string();
        let fields = [
            &self.given,
            &self.family,
            &self.title,
            &self.mersis,
            &self.registry_number,
            &self.registry_office,
            &self.detsis,
            &self.activity,
            &self.street,
            &self.district,
            &self.province,
            &self.phone,
        ];
        let sound =
            |text: &String| text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
        let named = self.operators.iter().flat_map(|one| [Some(&one.name), one.title.as_ref()]);
        let all_sound = fields.into_iter().flatten().chain(named.flatten()).all(sound);
        let is_key = |key: &String| key.len() <= KEY_MAX && BASE64.decode(key.as_bytes()).is_ok();
        let few = self.operators.len() <= OPERATORS_MAX && self.signature_keys.len() <= KEYS_MAX;
        (all_sound && few && self.signature_keys.iter().all(is_key)).then_some(self)
    }
}

/// The folded name of a person that both parts of which must fit.
pub fn name_key(given: &str, family: &str) -> Vec<u8> {
    format!("{}\n{}", tidy(given), tidy(family)).into_bytes()
}

/// Folded, and one space between words.
pub fn tidy(text: &str) -> String {
    fold(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words by which a title is found.
pub fn words(title: &str) -> Vec<String> {
    let folded = fold(title);
    let words = folded.split(|c: char| !(c.is_alphanumeric() || is_mark(c)));
    let mut words: Vec<_> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}

/// What `fold` leaves of a cedilla or a breve.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The last ten digits: 0532…, +90532… and 90532… are one number.
pub fn phone_key(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().checked_sub(PHONE_DIGITS)?;
    digits.get(start..).map(str::to_owned)
}

/// Operators that a record names; an account gives 999 codes.
const OPERATORS_MAX: usize = 999;
/// Keys of a record, and characters of one: RSA of 16,384 bits has some 2,800.
const KEYS_MAX: usize = 50;
const KEY_MAX: usize = 4096;
/// Characters of a field.
const TEXT_MAX: usize = 300;
const WORDS_MAX: usize = 50;
const PHONE_DIGITS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_shows_what_he_agreed_to_and_a_company_all() {
        let address = KepAddress::parse("ayse@hs05.kep.tr").unwrap();
        let record = Record {
            given: Some("Ayşe".into()),
            family: Some("Yılmaz".into()),
            phone: Some("+90 532 000 00 00".into()),
            province: Some("Ankara".into()),
            ..Record::bare(&address, Kind::Person)
        };
        let consent = Consent::parse(true, true, &["given", "province"]).unwrap();
        let seen = record.within(&consent);
        assert_eq!(
            (seen.shown().as_str(), seen.phone, seen.province.as_deref()),
            ("Ayşe", None, Some("Ankara"))
        );
        let nothing = record.within(&Consent::parse(true, true, &[]).unwrap());
        assert_eq!(nothing, Record::bare(&address, Kind::Person));
        assert_eq!(nothing.shown(), "ayse@hs05.kep.tr");
        let company = Record { kind: Kind::Company, ..record };
        assert_eq!(company.within(&Consent::default()), company);
    }

    #[test]
    fn names_numbers_and_words_are_told_the_turkish_way() {
        assert_eq!(name_key(" ayşe  nur", "YILMAZ"), name_key("AYŞE NUR", "Yılmaz"));
        assert_ne!(name_key("a b", "c"), name_key("a", "b c"));
        assert_eq!(phone_key("0532 000 11 22"), phone_key("+90 (532) 000-11-22"));
        assert_eq!(phone_key("112"), None);
        assert_eq!(
            words("ÖRNEK Gıda San. ve Tic. A.Ş. - örnek"),
            words("örnek gida a ş san tic ve")
        );
    }

    #[test]
    fn what_another_directory_says_is_judged() {
        let good = r#"{"address":"A@hs01.kep.tr","kind":"company","title":"X","unknown":1}"#;
        let record: Record = serde_json::from_str(good).unwrap();
        assert_eq!(record.judged().unwrap().address, "a@hs01.kep.tr");
        for bad in [
            r#"{"address":"a@example","kind":"person"}"#,
            r#"{"address":"a@hs01.kep.tr","kind":"person","given":"a\u0007"}"#,
            &format!(
                r#"{{"address":"a@hs01.kep.tr","kind":"person","given":"{}"}}"#,
                "x".repeat(301)
            ),
        ] {
            let record: Record = serde_json::from_str(bad).unwrap();
            assert!(record.judged().is_none(), "{bad}");
        }
    }
}
