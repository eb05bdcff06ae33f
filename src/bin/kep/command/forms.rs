//! What the options say of holders, as forms; and forms as people read them.

use crate::arguments::{ContactOptions, HolderOptions, Kind, ServiceType};
use crate::failure::{Failure, Outcome};
use kep::registry::holders::{Contact, ContactForm, Faults, Holder, HolderForm};
use kep::registry::standing::Service;
use kep::wire::Timestamp;

/// The holder that the options name in full.
pub fn holder(options: &HolderOptions, now: Timestamp) -> Outcome<Holder> {
    Holder::parse(&holder_form(options), now).map_err(|faults| wrong(&faults))
}

pub fn contact(options: &ContactOptions) -> Outcome<Contact> {
    Contact::parse(&contact_form(options)).map_err(|faults| wrong(&faults))
}

pub fn holder_form(options: &HolderOptions) -> HolderForm {
    let options = options.clone();
    let kind = match options.kind {
        Some(Kind::Person) => "person",
        Some(Kind::Company) => "company",
        Some(Kind::Public) => "public",
        None => "",
    };
    HolderForm {
        kind: kind.to_owned(),
        given_names: options.given_names,
        surname: options.surname,
        nationality: options.nationality,
        identity_number: options.identity_number,
        foreigner_number: options.foreigner_number,
        passport: options.passport,
        father: options.father,
        birth_place: options.birth_place,
        birth_date: options.birth_date,
        title: options.title,
        vkn: options.vkn,
        mersis: options.mersis,
        trade_registry: options.trade_registry,
        registry_office: options.registry_office,
        detsis: options.detsis,
        activity: options.activity,
    }
}

pub fn contact_form(options: &ContactOptions) -> ContactForm {
    let options = options.clone();
    ContactForm {
        street: options.street,
        district: options.district,
        province: options.province,
        postal_code: options.postal_code,
        country: options.country,
        phone: options.phone,
        mobile: options.mobile,
        email: options.email,
    }
}

pub fn service(service: ServiceType) -> Service {
    match service {
        ServiceType::Both => Service::Both,
        ServiceType::Receive => Service::Receive,
    }
}

/// Each fault on a line, in both languages.
pub fn wrong(faults: &Faults) -> Failure {
    let line = |one: &kep::registry::holders::Wrong| {
        let (option, fault) = (one.field.replace('_', "-"), one.fault);
        format!("--{option}: {} / {}", fault.turkish(), fault.english())
    };
    let lines: Vec<_> = faults.0.iter().map(line).collect();
    Failure::data(lines.join("\n")).hint("`kep account holder --help` says which field is whose")
}

/// The fields of a form that have a value, a line each.
pub fn lines(form: &impl serde::Serialize) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(form) else {
        return String::new();
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let lines = fields.iter().filter_map(|(name, value)| {
        let value = text(value).unwrap_or_else(|| value.to_string());
        (!value.is_empty()).then(|| format!("{name:<18}{value}\n"))
    });
    lines.collect()
}
