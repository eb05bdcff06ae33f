//! The account's address book (adres defteri). Of a contact, programs set its name, its organisation, its
//! KEP addresses and a note; what else a card has stays as it is.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Cursor, KepAddresses, Limit, Name, Phrase, TextLine};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::contacts::{Contact as Row, ContactError, Fields};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let one = |verb, id| {
        Endpoint::new(verb, "/contacts/{contact}", id, Tag::Contacts)
            .may_say([Problem::ContactUnknown, Problem::ContactUnfit("{}".into())])
    };
    vec![
        Endpoint::new(Verb::Get, "/contacts", "listContacts", Tag::Contacts)
            .says("Adres defterini listeler.", "Lists the address book.")
            .needs(Scope::ContactsRead)
            .may_say([Problem::ContactUnknown, Problem::ContactUnfit("{}".into())])
            .runs(run::list),
        Endpoint::new(Verb::Post, "/contacts", "createContact", Tag::Contacts)
            .says("Adres defterine bir kişi ekler.", "Adds a contact to the address book.")
            .needs(Scope::ContactsWrite)
            .named()
            .may_say([Problem::ContactUnfit("{}".into()), Problem::AccountReadOnly("{}".into())])
            .runs(run::create),
        one(Verb::Get, "showContact")
            .says("Bir kişiyi gösterir.", "Shows a contact.")
            .needs(Scope::ContactsRead)
            .runs(run::show),
        one(Verb::Patch, "changeContact")
            .says("Bir kişiyi değiştirir.", "Changes a contact.")
            .needs(Scope::ContactsWrite)
            .runs(run::change),
        one(Verb::Delete, "deleteContact")
            .says("Bir kişiyi siler.", "Removes a contact.")
            .needs(Scope::ContactsWrite)
            .runs(run::delete),
    ]
}

params! {
    OneContact {
        path contact: Name = "4f2b1c3e-0d5a-4b7e-9c1d-2e3f4a5b6c7d", "The contact's identifier.";
    }
}

params! {
    Listing {
        query search: Phrase = "yılmaz", "Those in which all of these words stand.";
        query cursor: Cursor = "000000000000000061", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
struct Contact {
    /// Names it for ever, in every program.
    #[schema(example = "4f2b1c3e-0d5a-4b7e-9c1d-2e3f4a5b6c7d")]
    id: String,
    #[schema(example = "Ayşe Yılmaz")]
    name: String,
    #[schema(example = "Örnek A.Ş.")]
    organisation: String,
    #[schema(example = json!(["ayse.yilmaz@hs05.kep.tr"]))]
    kep: Vec<String>,
    #[schema(example = json!([]))]
    emails: Vec<String>,
    #[schema(example = "")]
    note: String,
    #[schema(example = json!(["Müşteriler"]))]
    groups: Vec<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    changed: String,
}

#[derive(Serialize, ToSchema)]
struct Contacts {
    contacts: Vec<Contact>,
    #[schema(example = "000000000000000061")]
    next: Option<String>,
}

/// What becomes of a contact; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactChange {
    #[schema(inline)]
    name: Option<TextLine>,
    #[schema(inline)]
    organisation: Option<TextLine>,
    #[schema(inline)]
    kep: Option<KepAddresses>,
    #[schema(inline)]
    note: Option<TextLine>,
}

/// A contact to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewContact {
    #[schema(inline)]
    name: TextLine,
    #[schema(inline)]
    organisation: Option<TextLine>,
    #[schema(inline)]
    kep: Option<KepAddresses>,
    #[schema(inline)]
    note: Option<TextLine>,
}

impl ContactChange {
    fn of(new: NewContact) -> Self {
        let NewContact { name, organisation, kep, note } = new;
        Self { name: Some(name), organisation, kep, note }
    }

    fn apply(self, to: &mut Fields) {
        if let Some(name) = self.name {
            to.name = name.0;
        }
        if let Some(organisation) = self.organisation {
            to.organisation = organisation.0;
        }
        if let Some(kep) = self.kep {
            to.kep = kep.0;
        }
        if let Some(note) = self.note {
            to.note = note.0;
        }
    }
}

impl Contact {
    fn of(row: &Row) -> Self {
        let fields = Fields::of(&row.card);
        Self {
            id: row.uid.clone(),
            name: fields.shown(),
            organisation: fields.organisation,
            kep: fields.kep,
            emails: fields.emails,
            note: fields.note,
            groups: row.groups.clone(),
            changed: row.changed_at.iso8601(),
        }
    }
}

impl From<ContactError> for Problem {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Registry(error) => error.into(),
            ContactError::Unknown(_) => Self::ContactUnknown,
            ContactError::Bad(fault) => Self::ContactUnfit(fault.turkish()),
            other => Self::ContactUnfit(other.to_string()),
        }
    }
}
