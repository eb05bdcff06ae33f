//! Export: the whole address book as vCard 4.0, or as a sheet for Excel.

use super::book::{Contact, Sought};
use super::fault::ContactError;
use super::fields::Fields;
use super::sheet::{COLUMNS, Column};
use super::{fields, group};
use crate::store::contacts::Place;
use crate::store::{Store, Tx};
use crate::wire::AccountId;
use crate::wire::sheet::harmless;
use crate::wire::vcard::{Property, escape};
use ::csv::{Terminator, WriterBuilder};

/// What stands between the cells of a sheet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Separator {
    /// What Excel takes in Turkey.
    Semicolon,
    Comma,
}

/// How a book is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Cards one after the other, with their groups as CATEGORIES.
    Vcard,
    /// A sheet in UTF-8 with a BOM. No cell is a formula.
    Csv(Separator),
}

/// A book on its way out, page by page: it may be larger than memory. What is changed meanwhile stands in
/// it as it was or as it is then.
pub struct Pages {
    account: AccountId,
    group: Option<i64>,
    form: Form,
    /// Behind which contact it goes on.
    after: Option<Place>,
    over: bool,
}

impl Pages {
    /// All contacts, or those of the group of that number.
    pub fn new(account: AccountId, group: Option<i64>, form: Form) -> Self {
        Self { account, group, form, after: None, over: false }
    }

    /// The next page; nothing after the last.
    pub async fn next(&mut self, store: &Store) -> Result<Option<String>, ContactError> {
        if self.over {
            return Ok(None);
        }
        let (account, group, begun) = (self.account, self.group, self.after.is_some());
        let after = self.after.clone().unwrap_or_default();
        let work = move |tx: &mut Tx<'_>| {
            Sought::new(tx, account, "", group)?.page(tx, after.clone(), (PAGE, OCTETS))
        };
        let (contacts, after) = store.read::<_, ContactError, _>(work).await?;
        self.over = after.is_none();
        self.after = after;
        if begun && self.over {
            return Ok(None);
        }
        Ok(Some(match self.form {
            Form::Vcard => contacts.iter().map(card).collect(),
            Form::Csv(separator) => sheet(&contacts, separator, !begun),
        }))
    }
}

/// All contacts, or those of a group: cards one after the other, with their groups as CATEGORIES.
pub async fn vcards(
    store: &Store,
    account: AccountId,
    group: Option<&str>,
) -> Result<String, ContactError> {
    whole(store, account, group, Form::Vcard).await
}

/// The same as a sheet.
pub async fn csv(
    store: &Store,
    account: AccountId,
    group: Option<&str>,
    separator: Separator,
) -> Result<String, ContactError> {
    whole(store, account, group, Form::Csv(separator)).await
}

async fn whole(
    store: &Store,
    account: AccountId,
    group: Option<&str>,
    form: Form,
) -> Result<String, ContactError> {
    let group = match group.map(str::to_owned) {
        Some(name) => {
            let find = move |tx: &mut Tx<'_>| group::find(tx, account, &name);
            Some(store.read(find).await?.id)
        }
        None => None,
    };
    let (mut pages, mut all) = (Pages::new(account, group, form), String::new());
    while let Some(page) = pages.next(store).await? {
        all += &page;
    }
    Ok(all)
}

fn card(contact: &Contact) -> String {
    let mut card = contact.card.clone();
    if !contact.groups.is_empty() {
        let names: Vec<_> = contact.groups.iter().map(|name| escape(name)).collect();
        card.properties.push(Property::new(fields::CATEGORIES, names.join(",")));
    }
    card.to_string()
}

/// Rows of a sheet, under its heading when they are the first.
pub(super) fn sheet(contacts: &[Contact], separator: Separator, first: bool) -> String {
    let delimiter = match separator {
        Separator::Semicolon => b';',
        Separator::Comma => b',',
    };
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing into memory does not fail.
    if first {
        let _ = writer.write_record(COLUMNS.map(|(_, heading)| heading));
    }
    for contact in contacts {
        let fields = contact.fields();
        let cells = COLUMNS.map(|(column, _)| harmless(&cell(contact, &fields, column)));
        let _ = writer.write_record(&cells);
    }
    let octets = writer.into_inner().unwrap_or_default();
    let begin = if first { "\u{feff}" } else { "" };
    format!("{begin}{}", String::from_utf8_lossy(&octets))
}

fn cell(contact: &Contact, fields: &Fields, column: Column) -> String {
    let postal = fields.postal.as_ref();
    let of = |part: fn(&super::Postal) -> &String| postal.map(part).cloned().unwrap_or_default();
    let phones = |mobile: bool| {
        let those = fields.phones.iter().filter(|phone| phone.mobile == mobile);
        those.map(|phone| phone.number.as_str()).collect::<Vec<_>>().join(", ")
    };
    match column {
        Column::Name => fields.name.clone(),
        Column::Given => fields.given.clone(),
        Column::Family => fields.family.clone(),
        Column::Organisation => fields.organisation.clone(),
        Column::Title => fields.title.clone(),
        Column::Kep => fields.kep.join(", "),
        Column::Email => fields.emails.join(", "),
        Column::Phone => phones(false),
        Column::Mobile => phones(true),
        Column::Street => of(|postal| &postal.street),
        Column::District => of(|postal| &postal.district),
        Column::Province => of(|postal| &postal.province),
        Column::PostalCode => of(|postal| &postal.postal_code),
        Column::Country => of(|postal| &postal.country),
        Column::Note => fields.note.clone(),
        Column::Groups => contact.groups.join("; "),
        Column::Uid => contact.uid.clone(),
    }
}

/// Contacts of a page, and octets of their cards; one card more may stand in it.
const PAGE: usize = 256;
const OCTETS: usize = 1 << 20;
