//! An address book as a file: taken in, each entry by itself, and given out, page by page.

use super::run;
use crate::portal::api::endpoint::{Endpoint, Tag, Verb, params};
use crate::portal::api::kinds::{BookForm, Number, SeparatorWord, Yes};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::contacts::{self, Fate};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Post, "/address-book/import", "importContacts", Tag::Contacts)
            .says(
                "vCard ya da CSV dosyasını adres defterine alır; her kaydın sonucunu satırıyla söyler. \
                 Aynı dosya ikinci kez bir şey değiştirmez.",
                "Takes a vCard or CSV file into the address book, and says of each entry, by its line, \
                 what became of it. The same file again changes nothing.",
            )
            .needs(Scope::ContactsWrite)
            .may_say([Problem::ContactsUnfit(some()), Problem::AccountReadOnly(some())])
            .runs(run::import),
        Endpoint::new(Verb::Get, "/address-book/export", "exportContacts", Tag::Contacts)
            .says(
                "Adres defterini vCard 4 ya da CSV olarak indirir.",
                "Downloads the address book as vCard 4 or CSV.",
            )
            .needs(Scope::ContactsRead)
            .may_say([Problem::ContactGroupUnknown])
            .runs(run::export),
    ]
}

params! {
    Importing {
        query dry: Yes = true, "Changes nothing, and says what would become of each entry.";
    }
}

params! {
    Exporting {
        query form: BookForm = "vcard", "`vcard`, which it is without a word, or `csv`.";
        query group: Number = 3, "The contacts of the group of this number alone.";
        query separator: SeparatorWord = "semicolon",
            "Between the cells of a sheet: `semicolon`, as Excel takes it in Turkey, or `comma`.";
    }
}

/// What became of an entry of the file.
#[derive(Serialize, ToSchema)]
struct ImportedEntry {
    /// Where it begins in the file.
    #[schema(minimum = 1, example = 1)]
    line: usize,
    /// What it is called; empty when that can't be said.
    #[schema(example = "Ayşe Yılmaz")]
    name: String,
    /// `added`, `changed` (by its UID), `completed` (by its KEP address), `unchanged`, or `bad`.
    #[schema(example = "added")]
    fate: String,
    /// Why it is bad.
    fault: Option<ImportFault>,
}

#[derive(Serialize, ToSchema)]
struct ImportFault {
    /// Stable, for programs.
    #[schema(example = "kep-address")]
    code: String,
    #[schema(example = "ayse@example.org KEP adresi değil (ad@hsNN.kep.tr).")]
    turkish: String,
    #[schema(example = "ayse@example.org is no KEP address (local@hsNN.kep.tr)")]
    english: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ContactsImport {
    /// Nothing was changed: this is what would have become of it.
    #[schema(example = false)]
    dry: bool,
    #[schema(minimum = 0, example = 1)]
    added: usize,
    #[schema(minimum = 0, example = 0)]
    changed: usize,
    #[schema(minimum = 0, example = 0)]
    completed: usize,
    #[schema(minimum = 0, example = 0)]
    unchanged: usize,
    #[schema(minimum = 0, example = 0)]
    bad: usize,
    /// In the order of the file, groups last.
    entries: Vec<ImportedEntry>,
    /// Columns of a sheet that name no field of a contact.
    #[schema(example = json!(["Müşteri no"]))]
    ignored: Vec<String>,
}

impl ContactsImport {
    pub(super) fn of(report: &contacts::Report) -> Self {
        Self {
            dry: report.dry,
            added: report.count("added"),
            changed: report.count("changed"),
            completed: report.count("completed"),
            unchanged: report.count("unchanged"),
            bad: report.count("bad"),
            entries: report.entries.iter().map(ImportedEntry::of).collect(),
            ignored: report.ignored.clone(),
        }
    }
}

impl ImportedEntry {
    fn of(entry: &contacts::Entry) -> Self {
        let fault = match &entry.fate {
            Fate::Bad(fault) => Some(ImportFault {
                code: fault.word().to_owned(),
                turkish: fault.turkish(),
                english: fault.english(),
            }),
            _ => None,
        };
        let (name, fate) = (entry.name.clone(), entry.fate.word().to_owned());
        Self { line: entry.line, name, fate, fault }
    }
}
