//! From where an entry has its data: the holder who is recorded, his contact data, the account's service.

use super::entry::Subject;
use super::record::{Kind, Named, Record, Service};
use crate::registry::accounts;
use crate::registry::holders::{Company, Contact, Holder, Person, PublicBody, records};
use crate::registry::standing::{self, Stage};
use crate::store::operators::OperatorRow;
use crate::store::{RowsError, Tx, accounts as rows, operators as operator_rows};
use crate::trust::Certificate;
use crate::wire::{AccountId, KepAddress, Timestamp};
use data_encoding::BASE64;

/// Of whom an account's entry is made; nothing for one that is not in use.
pub(super) fn subject(
    tx: &mut Tx<'_>,
    account: AccountId,
    at: Timestamp,
) -> Result<Option<Subject>, RowsError> {
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
    let id = account.id;
    let known = records::record(tx, account)?;
    let mut subject = match &known.holder {
        Some(Holder::Person(person)) => of_person(&address, person),
        Some(Holder::Company(company)) => of_company(&address, company),
        Some(Holder::Public(body)) => of_public(&address, body),
        None => of_name(&address, &name, number),
    };
    subject.record.service = Some(service);
    reached(&mut subject.record, &known.contact);
    match subject.record.kind {
        Kind::Person => subject.record.signature_keys = signature_keys(tx, id, at)?,
        Kind::Company | Kind::Public => subject.record.operators = operators(tx, id)?,
    }
    Ok(Some(subject))
}

/// Of the certificates that are good then.
fn signature_keys(
    tx: &mut Tx<'_>,
    account: AccountId,
    at: Timestamp,
) -> Result<Vec<String>, RowsError> {
    let all = rows::certificates(tx, account)?;
    let good = all.iter().filter_map(|der| Certificate::from_der(der).ok());
    let key = |one: Certificate| one.public_key().ok().map(|key| BASE64.encode(&key));
    let mut keys: Vec<_> = good.filter(|one| one.valid_at(at)).filter_map(key).collect();
    keys.dedup();
    Ok(keys)
}

fn operators(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Named>, RowsError> {
    let all = operator_rows::of_account(tx, account)?;
    let acts = |one: &OperatorRow| one.ended.is_none() && one.suspended.is_none();
    let named = all.into_iter().filter(acts).map(|one| Named {
        name: format!("{} {}", one.given_name, one.surname),
        title: Some(one.title).filter(|title| !title.is_empty()),
    });
    Ok(named.collect())
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
