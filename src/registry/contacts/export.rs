//! Export: the whole address book as vCard 4.0, or as a sheet for Excel.

use super::book::{Contact, Sought};
use super::fault::ContactError;
use super::fields;
use super::fields::Fields;
use super::sheet::{COLUMNS, Column};
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

/// All contacts, or those of a group: cards one after the other, with their groups as CATEGORIES.
pub async fn vcards(
    store: &Store,
    account: AccountId,
    group: Option<&str>,
) -> Result<String, ContactError> {
    let group = group.map(str::to_owned);
    let work = move |tx: &mut Tx<'_>| -> Result<String, ContactError> {
        let mut all = String::new();
        each(tx, account, group.as_deref(), &mut |contact| all += &card(contact))?;
        Ok(all)
    };
    store.read(work).await
}

/// The same as a sheet in UTF-8 with a BOM. No cell is a formula.
pub async fn csv(
    store: &Store,
    account: AccountId,
    group: Option<&str>,
    separator: Separator,
) -> Result<String, ContactError> {
    let group = group.map(str::to_owned);
    let work = move |tx: &mut Tx<'_>| -> Result<String, ContactError> {
        let mut sheet = Sheet::new(separator);
        each(tx, account, group.as_deref(), &mut |contact| sheet.add(contact))?;
        Ok(sheet.text())
    };
    store.read(work).await
}

/// A page of them in memory at a time.
fn each(
    tx: &mut Tx<'_>,
    account: AccountId,
    group: Option<&str>,
    seen: &mut dyn FnMut(&Contact),
) -> Result<(), ContactError> {
    let sought = Sought::new(tx, account, "", group)?;
    let mut start = (Vec::new(), 0);
    loop {
        let (page, last) = sought.page(tx, start, PAGE)?;
        page.iter().for_each(&mut *seen);
        match last {
            Some(last) => start = last,
            None => return Ok(()),
        }
    }
}

fn card(contact: &Contact) -> String {
    let mut card = contact.card.clone();
    if !contact.groups.is_empty() {
        let names: Vec<_> = contact.groups.iter().map(|name| escape(name)).collect();
        card.properties.push(Property::new(fields::CATEGORIES, names.join(",")));
    }
    card.to_string()
}

/// A sheet while it is written, into memory, which does not fail.
pub(super) struct Sheet(::csv::Writer<Vec<u8>>);

impl Sheet {
    pub fn new(separator: Separator) -> Self {
        let delimiter = match separator {
            Separator::Semicolon => b';',
            Separator::Comma => b',',
        };
        let mut writer = WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::CRLF)
            .from_writer(Vec::new());
        let _ = writer.write_record(COLUMNS.map(|(_, heading)| heading));
        Self(writer)
    }

    pub fn add(&mut self, contact: &Contact) {
        let fields = contact.fields();
        let cells = COLUMNS.map(|(column, _)| harmless(&cell(contact, &fields, column)));
        let _ = self.0.write_record(&cells);
    }

    pub fn text(self) -> String {
        let octets = self.0.into_inner().unwrap_or_default();
        format!("\u{feff}{}", String::from_utf8_lossy(&octets))
    }
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

/// Contacts in memory at a time; their cards may be large.
const PAGE: usize = 64;
