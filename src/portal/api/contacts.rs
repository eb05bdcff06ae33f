//! The account's address book (adres defteri). Of a contact, programs set its name, its organisation, its
//! KEP addresses and a note; what else a card has stays as it is.

mod files;
mod groups;
mod run;

use super::call::{Answered, Call};
use super::endpoint::{Created, Done, Endpoint, Json, NoWords, Tag, Tagged, Verb, params};
use super::kinds::{Cursor, KepAddresses, Limit, Name, Number, Phrase, TextLine};
use super::problem::{Both, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::contacts::{self, Contact as Row, ContactError, Fields};
use crate::store::Tx;
use crate::trust::random;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let one = |verb, id| Endpoint::new(verb, "/contacts/{contact}", id, Tag::Contacts);
    let own = vec![
        Endpoint::new(Verb::Get, "/contacts", "listContacts", Tag::Contacts)
            .says("Adres defterini listeler.", "Lists the address book.")
            .needs(Scope::ContactsRead)
            .may_say([Problem::ContactUnknown, Problem::ContactGroupUnknown])
            .reads(list),
        Endpoint::new(Verb::Post, "/contacts", "createContact", Tag::Contacts)
            .says("Adres defterine bir kişi ekler.", "Adds a contact to the address book.")
            .needs(Scope::ContactsWrite)
            .named()
            .may_say([Problem::ContactUnfit(Both::any()), Problem::AccountReadOnly(some())])
            .writes(create),
        one(Verb::Get, "showContact")
            .says("Bir kişiyi gösterir.", "Shows a contact.")
            .needs(Scope::ContactsRead)
            .may_say([Problem::ContactUnknown])
            .reads(show),
        one(Verb::Patch, "changeContact")
            .says("Bir kişiyi değiştirir.", "Changes a contact.")
            .needs(Scope::ContactsWrite)
            .guarded()
            .may_say([
                Problem::ContactUnknown,
                Problem::ContactUnfit(Both::any()),
                Problem::AccountReadOnly(some()),
            ])
            .writes(change),
        one(Verb::Delete, "deleteContact")
            .says("Bir kişiyi siler.", "Removes a contact.")
            .needs(Scope::ContactsWrite)
            .guarded()
            .may_say([Problem::ContactUnknown, Problem::AccountReadOnly(some())])
            .writes(delete),
    ];
    own.into_iter().chain(groups::operations()).chain(files::operations()).collect()
}

params! {
    OneContact {
        path contact: Name = "4f2b1c3e-0d5a-4b7e-9c1d-2e3f4a5b6c7d", "The contact's identifier.";
    }
}

params! {
    Listing {
        query search: Phrase = "yılmaz", "Those in which all of these words stand.";
        query group: Number = 3, "Those of the group of this number.";
        query cursor: Cursor = "000000000000000061", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Contact {
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
#[derive(Clone, Deserialize, ToSchema)]
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
#[derive(Clone, Deserialize, ToSchema)]
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

fn list(tx: &mut Tx<'_>, call: &Call, ask: &Listing) -> Answered<Json<Contacts>> {
    let (account, limit) = (call.account_id()?, Limit::of(ask.limit));
    let search = ask.search.as_ref().map_or("", |search| search.0.as_str());
    let group = groups::known(tx, account, ask.group)?;
    let after = ask.cursor.as_ref().map(|cursor| cursor.text.as_str());
    let (found, more) = contacts::page_in(tx, account, search, group, after, (limit, CARDS))?;
    let next = found.last().filter(|_| more).map(|last| Cursor::new(0, last.uid.as_str()).write());
    Ok(Json(Contacts { contacts: found.iter().map(Contact::of).collect(), next }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneContact) -> Answered<Tagged<Contact>> {
    let found = contacts::find_in(tx, call.account_id()?, &ask.contact.0)?;
    Ok(tagged(&found.ok_or(Problem::ContactUnknown)?))
}

fn create(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<NewContact>,
) -> Answered<Created<Contact>> {
    call.may_add_in(tx)?;
    let mut fields = Fields::default();
    ContactChange::of(new.0.clone()).apply(&mut fields);
    let (account, by) = (call.account_id()?, call.by()?);
    let made = contacts::add_in(tx, account, random::bytes(), &fields, &[], &by)?;
    Ok(Created { value: Contact::of(&made), at: format!("/contacts/{}", made.uid) })
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneContact,
    new: &Json<ContactChange>,
) -> Answered<Tagged<Contact>> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    let made = contacts::change_in(tx, account, &ask.contact.0, &by, |known, fields| {
        call.matches(&tag(known))?;
        new.0.clone().apply(fields);
        Ok::<_, Problem>(())
    })?;
    Ok(tagged(&made))
}

fn delete(tx: &mut Tx<'_>, call: &Call, ask: &OneContact, _: &()) -> Answered<Done> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    let judge = |known: &Row| call.matches(&tag(known));
    contacts::remove_in(tx, account, &ask.contact.0, &by, judge)?;
    Ok(Done)
}

fn tag(row: &Row) -> String {
    row.revision.to_string()
}

fn tagged(row: &Row) -> Tagged<Contact> {
    Tagged(Contact::of(row), tag(row))
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
    pub(super) fn of(row: &Row) -> Self {
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

/// Octets of contacts of one page, with which it ends early; the next one goes on.
const CARDS: usize = 256 << 10;

impl From<ContactError> for Problem {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Registry(error) => error.into(),
            ContactError::Unknown(_) => Self::ContactUnknown,
            ContactError::Bad(fault) => {
                Self::ContactUnfit(Both::new(fault.turkish(), fault.english()))
            }
            ContactError::NoGroup(_) => Self::ContactGroupUnknown,
            ContactError::GroupExists(name) => Self::ContactGroupExists(name),
            ContactError::GroupName => Self::ContactGroupName,
            ContactError::FileTooLarge | ContactError::Form => Self::ContactsUnfit(error.turkish()),
        }
    }
}
