//! The directory (KEP rehberi): questions, what of the account others see, many addresses at once, and what was
//! found taken into the address book. Questions are counted and noted before they are answered.

mod own;
mod run;
mod shown;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Addresses, Limit, Number, TextLine};
use super::problem::{Both, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::directory::{DirectoryError, Key, QueryForm};
use crate::registry::operators::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let of = |verb, path, id| Endpoint::new(verb, path, id, Tag::Directory);
    let often = [Problem::DirectoryOften(some()), Problem::AccountReadOnly(some())];
    let unfit = [
        Problem::DirectoryForeignKey(some()),
        Problem::DirectoryBadKey(some()),
        Problem::DirectoryFewKeys,
    ];
    let asks = vec![
        of(Verb::Post, "/directory/query", "queryDirectory")
            .says(
                "Rehberde kişi, şirket ya da kamu kurumu arar.",
                "Asks the directory for a person, a company or a public body.",
            )
            .needs(Scope::ContactsRead)
            .may_say(often.iter().cloned().chain(unfit))
            .runs(run::query),
        of(Verb::Post, "/directory/check", "checkAddresses")
            .says(
                "Birçok adresin rehberde olup olmadığını söyler; her adres bir kayıt sayılır.",
                "Says of many addresses whether each is in the directory; each counts as an entry.",
            )
            .needs(Scope::ContactsRead)
            .may_say(often.clone())
            .runs(run::check),
        of(Verb::Post, "/directory/contacts", "takeFromDirectory")
            .says(
                "Rehberde bulunan adresi adres defterine alır; bir sorgu sayılır.",
                "Takes an address that is in the directory into the address book; it counts as a question.",
            )
            .needs(Scope::ContactsWrite)
            .named()
            .may_say(often.into_iter().chain([
                Problem::DirectoryBadKey(some()),
                Problem::DirectoryUnknown,
                Problem::ContactThere,
                Problem::ContactUnfit(Both::any()),
            ]))
            .runs(run::take),
        of(Verb::Get, "/directory/queries", "listDirectoryQueries")
            .says(
                "Hesabın rehber sorgularını yeniden eskiye listeler; ne sorulduğu saklanmaz.",
                "Lists the account's questions, the newest first; what was asked for is not kept.",
            )
            .needs(Scope::AccountRead)
            .acts(Act::Audit)
            .reads(own::queries),
    ];
    asks.into_iter().chain(own::operations()).collect()
}

params! {
    QueryListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// Bireysel, tüzel, kamu; or whose an address is.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum QueryKind {
    Person,
    Company,
    Public,
    Address,
}

/// Whose addresses count.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HolderKind {
    Person,
    Company,
    Public,
}

/// A question. Which keys a kind takes, and which it needs: a person's given names and surname, both whole, or a
/// phone number; words of a title, or a number, of a company or a public body; an address.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "person", "given": "Ayşe", "family": "Yılmaz", "province": "Ankara" }))]
struct DirectoryQuery {
    #[schema(inline, example = "address")]
    kind: QueryKind,
    #[schema(inline)]
    given: Option<TextLine>,
    #[schema(inline)]
    family: Option<TextLine>,
    #[schema(inline)]
    title: Option<TextLine>,
    /// `both` or `receive`.
    #[schema(inline)]
    service: Option<TextLine>,
    #[schema(inline)]
    province: Option<TextLine>,
    #[schema(inline)]
    district: Option<TextLine>,
    #[schema(inline)]
    street: Option<TextLine>,
    #[schema(inline)]
    phone: Option<TextLine>,
    #[schema(inline)]
    activity: Option<TextLine>,
    #[schema(inline)]
    mersis: Option<TextLine>,
    #[schema(inline)]
    tax_number: Option<TextLine>,
    #[schema(inline)]
    registry_number: Option<TextLine>,
    #[schema(inline)]
    detsis: Option<TextLine>,
    /// A KEP address: whose is it?
    #[schema(inline)]
    address: Option<TextLine>,
    /// T.C. kimlik no and the like: it decides between several, and is looked at for nothing else.
    #[schema(inline)]
    identity: Option<TextLine>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddressCheck {
    #[schema(inline)]
    addresses: Addresses,
    /// Of this kind alone.
    #[schema(inline)]
    kind: Option<HolderKind>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TakenAddress {
    #[schema(inline)]
    address: TextLine,
}

/// What is said of an address.
#[derive(Serialize, ToSchema)]
struct CheckedAddress {
    /// As it was asked.
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    address: String,
    /// `listed`, `not-listed`, `malformed`; or `unanswered`: only the central directory could say.
    #[schema(example = "listed")]
    verdict: String,
    /// `person`, `company` or `public` of one that is listed.
    #[schema(example = "person")]
    kind: Option<String>,
    /// `both`; or `receive`: it sends nothing.
    #[schema(example = "both")]
    service: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CheckedAddresses {
    /// In the order in which they were asked.
    checked: Vec<CheckedAddress>,
    central: shown::CentralWord,
}

impl QueryKind {
    fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Public => "public",
            Self::Address => "address",
        }
    }
}

impl DirectoryQuery {
    fn form(self) -> QueryForm {
        let text = |line: Option<TextLine>| line.map(|line| line.0);
        QueryForm {
            kind: self.kind.word().to_owned(),
            given: text(self.given),
            family: text(self.family),
            title: text(self.title),
            service: text(self.service),
            province: text(self.province),
            district: text(self.district),
            street: text(self.street),
            phone: text(self.phone),
            activity: text(self.activity),
            mersis: text(self.mersis),
            tax_number: text(self.tax_number),
            registry_number: text(self.registry_number),
            detsis: text(self.detsis),
            address: text(self.address),
            identity: text(self.identity),
        }
    }
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Registry(error) => error.into(),
            DirectoryError::Foreign(key) => Self::DirectoryForeignKey(key.word().to_owned()),
            DirectoryError::Malformed(key) => Self::DirectoryBadKey(key.word().to_owned()),
            DirectoryError::Few(..) => Self::DirectoryFewKeys,
            DirectoryError::Often(until) => Self::DirectoryOften(until.turkish()),
            DirectoryError::NoPerson => Self::DirectoryNoPerson,
            // Kinds and numbers of addresses are good before they come here.
            error @ (DirectoryError::Kind(_) | DirectoryError::Batch(_)) => {
                Self::BadBody(error.to_string())
            }
        }
    }
}

/// The address of which nothing is known is no address.
fn malformed_address() -> Problem {
    Problem::DirectoryBadKey(Key::Address.word().to_owned())
}
