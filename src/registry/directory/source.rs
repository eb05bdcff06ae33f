//! From where an entry has its data: the holder who is recorded, his contact data, the account's service.

use super::entry::Subject;
use super::record::{Kind, Record, Service};
use crate::registry::accounts;
use crate::registry::holders::{Company, Contact, Holder, Person, PublicBody, records};
use crate::registry::standing::{self, Stage};
use crate::store::{RowsError, Tx, accounts as rows};
use crate::wire::{AccountId, KepAddress};

/// Of whom an account's entry is made; nothing for one that is not in use.
pub(super) fn subject(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Subject>, RowsError> {
    let account = accounts::account(&rows::by_id(tx, account)?)?;
    if matches!(account.state.stage(), Stage::Closed | Stage::Ended | Stage::Applied) {
        return Ok(None);
    }
    let (address, name, number) =
        (account.address.clone(), account.name.clone(), account.identity_number.clone());
    let service = match account.service {
        standing::Service::Both => Service::Both,
        standing::Service::Receive => Service::Receive,
    };
    let known = records::record(tx, account)?;
    let mut subject = match &known.holder {
        Some(Holder::Person(person)) => of_person(&address, person),
        Some(Holder::Company(company)) => of_company(&address, company),
        Some(Holder::Public(body)) => of_public(&address, body),
        None => of_name(&address, &name, number),
    };
    subject.record.service = Some(service);
    reached(&mut subject.record, &known.contact);
    Ok(Some(subject))
}

/// Of accounts whose holder is not recorded: a person of that name.
fn of_name(address: &KepAddress, name: &str, identity: Option<String>) -> Subject {
    let (given, family) = name.trim().rsplit_once(' ').unwrap_or(("", name.trim()));
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let record =
        Record { given: text(given), family: text(family), ..Record::bare(address, Kind::Person) };
    Subject { record, tax_number: None, identity }
}

fn of_person(address: &KepAddress, person: &Person) -> Subject {
    let record = Record {
        given: Some(person.given_names().to_string()),
        family: Some(person.surname().to_string()),
        ..Record::bare(address, Kind::Person)
    };
    let passport = person.passport().map(ToString::to_string);
    let identity = person.identity().certificate_number().map(str::to_owned).or(passport);
    Subject { record, tax_number: None, identity }
}

fn of_company(address: &KepAddress, company: &Company) -> Subject {
    let (mersis, trade) = (company.registered().mersis(), company.registered().trade());
    let record = Record {
        title: Some(company.title().to_string()),
        mersis: mersis.map(ToString::to_string),
        registry_number: trade.map(|trade| trade.number.to_string()),
        registry_office: trade.map(|trade| trade.office.to_string()),
        activity: company.activity().map(ToString::to_string),
        ..Record::bare(address, Kind::Company)
    };
    Subject { record, tax_number: Some(company.vkn().to_string()), identity: None }
}

fn of_public(address: &KepAddress, body: &PublicBody) -> Subject {
    let record = Record {
        title: Some(body.title().to_string()),
        detsis: Some(body.detsis().to_string()),
        activity: body.activity().map(ToString::to_string),
        ..Record::bare(address, Kind::Public)
    };
    Subject { record, tax_number: body.vkn().map(ToString::to_string), identity: None }
}

fn reached(record: &mut Record, contact: &Contact) {
    if let Some(address) = &contact.address {
        record.street = Some(address.street.to_string());
        record.district = Some(address.district.to_string());
        record.province = Some(address.province.to_string());
    }
    record.phone = contact.phone.as_ref().map(ToString::to_string);
}
