//! What the directory says, as programs read it.

use crate::registry::directory::{Answer, Central, Found, Record, Service, Source};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of the question to the central directory.
#[derive(Serialize, ToSchema)]
pub struct CentralWord {
    /// `absent`, `not-asked`, `answered`, `partial`, or `unreachable`.
    #[schema(example = "answered")]
    state: String,
    /// What people are told of it; nothing when all is well.
    #[schema(
        example = "Merkezi rehbere ulaşılamadı; yalnızca bu sağlayıcının kayıtları gösteriliyor."
    )]
    turkish: Option<String>,
    #[schema(
        example = "the central directory could not be reached; these are this provider's entries alone"
    )]
    english: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DirectoryAnswer {
    /// Ours first. Empty when there are more than may be told at once.
    found: Vec<FoundEntry>,
    /// There are more: a narrower question is needed.
    #[schema(example = false)]
    more: bool,
    /// Keys that would tell several apart, the identity number last.
    #[schema(example = json!(["province"]))]
    ask: Vec<String>,
    central: CentralWord,
}

#[derive(Serialize, ToSchema)]
pub struct FoundEntry {
    entry: DirectoryEntry,
    /// `own`, or `central`.
    #[schema(example = "own")]
    source: String,
}

/// An entry; which fields it has, its kind and its holder's consent say.
#[derive(Serialize, ToSchema)]
pub struct DirectoryEntry {
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    address: String,
    /// What it is called.
    #[schema(example = "Ayşe Yılmaz")]
    name: String,
    /// `person`, `company` or `public`.
    #[schema(example = "person")]
    kind: String,
    /// `both`; or `receive`: it sends nothing.
    #[schema(example = "both")]
    service: Option<String>,
    #[schema(example = "Ayşe")]
    given: Option<String>,
    #[schema(example = "Yılmaz")]
    family: Option<String>,
    #[schema(example = "Örnek A.Ş.")]
    title: Option<String>,
    #[schema(example = "0123456789012345")]
    mersis: Option<String>,
    #[schema(example = "12345")]
    registry_number: Option<String>,
    #[schema(example = "Ankara")]
    registry_office: Option<String>,
    #[schema(example = "12345678")]
    detsis: Option<String>,
    #[schema(example = "Yazılım")]
    activity: Option<String>,
    #[schema(example = "Atatürk Bulvarı 1")]
    street: Option<String>,
    #[schema(example = "Çankaya")]
    district: Option<String>,
    #[schema(example = "Ankara")]
    province: Option<String>,
    #[schema(example = "+903120000000")]
    phone: Option<String>,
    /// Public keys that a person signs with: SubjectPublicKeyInfo, DER in base64.
    #[schema(example = json!([]))]
    signature_keys: Vec<String>,
    /// Who acts for a company or public body.
    operators: Vec<NamedOperator>,
}

#[derive(Serialize, ToSchema)]
pub struct NamedOperator {
    #[schema(example = "Ali Veli")]
    name: String,
    #[schema(example = "Hukuk müşaviri")]
    title: Option<String>,
}

impl CentralWord {
    pub fn of(central: Central) -> Self {
        let (turkish, english) = central.said().unzip();
        Self {
            state: central.word().to_owned(),
            turkish: turkish.map(str::to_owned),
            english: english.map(str::to_owned),
        }
    }
}

impl DirectoryAnswer {
    pub fn of(answer: &Answer) -> Self {
        Self {
            found: answer.found.iter().map(FoundEntry::of).collect(),
            more: answer.more,
            ask: answer.ask.iter().map(|key| key.word().to_owned()).collect(),
            central: CentralWord::of(answer.central),
        }
    }
}

impl FoundEntry {
    fn of(found: &Found) -> Self {
        let source = match found.source {
            Source::Own => "own",
            Source::Central => "central",
        };
        Self { entry: DirectoryEntry::of(&found.record), source: source.to_owned() }
    }
}

impl DirectoryEntry {
    pub fn of(record: &Record) -> Self {
        let operators = record.operators.iter();
        Self {
            name: record.shown(),
            kind: record.kind.word().to_owned(),
            service: record.service.map(|service| Service::word(service).to_owned()),
            operators: operators
                .map(|one| NamedOperator { name: one.name.clone(), title: one.title.clone() })
                .collect(),
            address: record.address.clone(),
            given: record.given.clone(),
            family: record.family.clone(),
            title: record.title.clone(),
            mersis: record.mersis.clone(),
            registry_number: record.registry_number.clone(),
            registry_office: record.registry_office.clone(),
            detsis: record.detsis.clone(),
            activity: record.activity.clone(),
            street: record.street.clone(),
            district: record.district.clone(),
            province: record.province.clone(),
            phone: record.phone.clone(),
            signature_keys: record.signature_keys.clone(),
        }
    }
}
