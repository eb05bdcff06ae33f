//! `kep account contact`: an account's address book.

use super::said::{done, parse, registry};
use super::{show, staff};
use crate::arguments::{
    Conf, Contact as Arguments, ContactAdd, ContactChange, ContactFormat, ContactGroup as Group,
};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts;
use kep::registry::contacts::{
    self, Contact, ContactError, Fate, Fields, Form, Phone, Report, Separator,
};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::wire::AccountId;
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, address, search, group, after, limit, json } => {
            let (store, account) = open(&conf, &address).await?;
            let (group, after) = (group.as_deref(), after.as_deref());
            let all = contacts::list(&store, account, &search, group, after, limit).await;
            let rows: Vec<_> = all.map_err(failure)?.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Add(add) => self::add(*add).await,
        Arguments::Change(change) => self::change(*change).await,
        Arguments::Show { conf, address, contact, json } => {
            let (store, account) = open(&conf, &address).await?;
            let found = contacts::get(&store, account, &contact).await.map_err(failure)?;
            show::print(json, &Shown::of(&found), |_| found.card.to_string().replace("\r\n", "\n"))
        }
        Arguments::Remove { conf, who, address, contact } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let gone = contacts::remove(&store, account, &contact, by).await.map_err(failure)?;
            done(&format!("{} is in the address book no longer", gone.fields().shown()))
        }
        Arguments::Import { conf, who, address, file, format, dry_run, json } => {
            let octets = read(&file)?;
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let form = format.map(form);
            let report = contacts::import(&store, account, &octets, form, dry_run, by).await;
            show::print(json, &Imported::of(&report.map_err(failure)?), told)
        }
        Arguments::Export { conf, address, format, group, comma } => {
            let (store, account) = open(&conf, &address).await?;
            let group = group.as_deref();
            let separator = if comma { Separator::Comma } else { Separator::Semicolon };
            let text = match format {
                ContactFormat::Vcard => contacts::vcards(&store, account, group).await,
                ContactFormat::Csv => contacts::csv(&store, account, group, separator).await,
            };
            show::write(&text.map_err(failure)?)?;
            Ok(std::process::ExitCode::SUCCESS)
        }
        Arguments::Group(group) => self::group(group).await,
    }
}

async fn add(add: ContactAdd) -> Outcome {
    let (store, account) = open(&add.conf, &add.address).await?;
    let by = staff::by_role(&store, &add.who, StaffRole::Registrar).await?;
    let phones = add.phone.into_iter().map(|number| Phone { number, mobile: false });
    let mobiles = add.mobile.into_iter().map(|number| Phone { number, mobile: true });
    let fields = Fields {
        name: add.called,
        given: add.given,
        family: add.family,
        organisation: add.organisation,
        title: add.title,
        kep: add.kep,
        emails: add.email,
        phones: phones.chain(mobiles).collect(),
        postal: None,
        note: add.note,
    };
    let added = contacts::add(&store, account, fields, add.group, by).await.map_err(failure)?;
    show::print(add.json, &Shown::of(&added), |shown| format!("{}\n", shown.uid))
}

async fn change(change: ContactChange) -> Outcome {
    let (store, account) = open(&change.conf, &change.address).await?;
    let by = staff::by_role(&store, &change.who, StaffRole::Registrar).await?;
    let json = change.json;
    let contact = change.contact.clone();
    let change = move |fields: &mut Fields| apply(&change, fields);
    let changed = contacts::change(&store, account, &contact, change, by).await.map_err(failure)?;
    show::print(json, &Shown::of(&changed), |shown| format!("{}\n", shown.uid))
}

/// What is named replaces what is there.
fn apply(change: &ContactChange, fields: &mut Fields) {
    for (named, field) in [
        (&change.called, &mut fields.name),
        (&change.given, &mut fields.given),
        (&change.family, &mut fields.family),
        (&change.organisation, &mut fields.organisation),
        (&change.title, &mut fields.title),
        (&change.note, &mut fields.note),
    ] {
        field.clone_from(named.as_ref().unwrap_or(&field.clone()));
    }
    // A name that was made of the others is made anew.
    if change.called.is_none() && (change.given.is_some() || change.family.is_some()) {
        fields.name.clear();
    }
    for (named, field) in [(&change.kep, &mut fields.kep), (&change.email, &mut fields.emails)] {
        if !named.is_empty() {
            *field = named.iter().filter(|text| !text.is_empty()).cloned().collect();
        }
    }
    for (named, mobile) in [(&change.phone, false), (&change.mobile, true)] {
        if named.is_empty() {
            continue;
        }
        fields.phones.retain(|phone| phone.mobile != mobile);
        let numbers = named.iter().filter(|number| !number.is_empty()).cloned();
        fields.phones.extend(numbers.map(|number| Phone { number, mobile }));
    }
}

async fn group(arguments: Group) -> Outcome {
    match arguments {
        Group::List { conf, address, json } => {
            let (store, account) = open(&conf, &address).await?;
            let all = contacts::groups(&store, account).await.map_err(failure)?;
            let rows: Vec<_> = all
                .into_iter()
                .map(|group| GroupShown { group: group.name, members: group.members })
                .collect();
            let cells = |rows: &Vec<GroupShown>| -> String {
                let cells = rows.iter().map(|row| vec![row.group.clone(), row.members.to_string()]);
                show::table(&["GROUP", "MEMBERS"], &cells.collect::<Vec<_>>(), "no groups")
            };
            show::print(json, &rows, cells)
        }
        Group::Add { conf, who, address, group } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            contacts::add_group(&store, account, &group, by).await.map_err(failure)?;
            done(&format!("{group} is a group"))
        }
        Group::Rename { conf, who, address, group, new } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let renamed = contacts::rename_group(&store, account, &group, &new, by).await;
            renamed.map_err(failure)?;
            done(&format!("{group} is called {new}"))
        }
        Group::Remove { conf, who, address, group } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            contacts::remove_group(&store, account, &group, by).await.map_err(failure)?;
            done(&format!("{group} is a group no longer"))
        }
        Group::Join { conf, who, address, group, contact } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let new = contacts::join(&store, account, &group, &contact, by).await;
            let said = if new.map_err(failure)? { "is in" } else { "was in" };
            done(&format!("{contact} {said} {group}"))
        }
        Group::Leave { conf, who, address, group, contact } => {
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let was = contacts::leave(&store, account, &group, &contact, by).await;
            let said = if was.map_err(failure)? { "is no longer in" } else { "was not in" };
            done(&format!("{contact} {said} {group}"))
        }
    }
}

async fn open(conf: &Conf, address: &str) -> Outcome<(Store, AccountId)> {
    let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
    let account = accounts::get(&store, &parse(address)?).await.map_err(registry)?;
    Ok((store, account.id))
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    let large = || failure(ContactError::FileTooLarge);
    let wrong = |error| Failure::not_found(format!("{}: {error}", file.display()));
    let length = std::fs::metadata(file).map_err(wrong)?.len();
    if length > contacts::FILE_MAX as u64 {
        return Err(large());
    }
    std::fs::read(file).map_err(wrong)
}

fn form(format: ContactFormat) -> Form {
    match format {
        ContactFormat::Vcard => Form::Vcard,
        ContactFormat::Csv => Form::Csv,
    }
}

pub fn failure(error: ContactError) -> Failure {
    let hint = "`kep account contact list` and `… group list` show what is there";
    match error {
        ContactError::Registry(error) => registry(error),
        ContactError::Unknown(_) | ContactError::NoGroup(_) => {
            Failure::not_found(&error).hint(hint)
        }
        _ => Failure::data(&error).hint(error.turkish()),
    }
}

/// A contact as it is printed.
#[derive(Serialize)]
pub struct Shown {
    uid: String,
    #[serde(flatten)]
    fields: Fields,
    groups: Vec<String>,
    revision: i64,
    changed: String,
}

impl Shown {
    pub fn of(contact: &Contact) -> Self {
        let mut fields = contact.fields();
        fields.name = fields.shown();
        Self {
            uid: contact.uid.clone(),
            fields,
            groups: contact.groups.clone(),
            revision: contact.revision,
            changed: contact.changed_at.iso8601(),
        }
    }
}

#[derive(Serialize)]
struct GroupShown {
    group: String,
    members: usize,
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let address = row.fields.kep.first().or(row.fields.emails.first());
        let address = address.cloned().unwrap_or_default();
        vec![row.fields.name.clone(), address, row.groups.join(", "), row.uid.clone()]
    });
    let head = ["NAME", "ADDRESS", "GROUPS", "UID"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no contacts")
}

#[derive(Serialize)]
struct Imported {
    dry_run: bool,
    added: usize,
    changed: usize,
    completed: usize,
    unchanged: usize,
    bad: usize,
    ignored_columns: Vec<String>,
    entries: Vec<ImportedEntry>,
}

#[derive(Serialize)]
struct ImportedEntry {
    line: usize,
    name: String,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    english: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turkish: Option<String>,
}

impl Imported {
    fn of(report: &Report) -> Self {
        let entry = |entry: &contacts::Entry| {
            let fault = match &entry.fate {
                Fate::Bad(fault) => Some(fault),
                _ => None,
            };
            ImportedEntry {
                line: entry.line,
                name: entry.name.clone(),
                fate: entry.fate.word(),
                error: fault.map(|fault| fault.word()),
                english: fault.map(|fault| fault.english()),
                turkish: fault.map(|fault| fault.turkish()),
            }
        };
        Self {
            dry_run: report.dry,
            added: report.count("added"),
            changed: report.count("changed"),
            completed: report.count("completed"),
            unchanged: report.count("unchanged"),
            bad: report.count("bad"),
            ignored_columns: report.ignored.clone(),
            entries: report.entries.iter().map(entry).collect(),
        }
    }
}

fn told(imported: &Imported) -> String {
    let mut out = String::new();
    for entry in imported.entries.iter().filter(|entry| entry.error.is_some()) {
        let english = entry.english.as_deref().unwrap_or_default();
        out += &format!("line {}: {}{english}\n", entry.line, named(&entry.name));
    }
    if !imported.ignored_columns.is_empty() {
        out += &format!("columns not taken: {}\n", imported.ignored_columns.join(", "));
    }
    let Imported { added, changed, completed, unchanged, bad, .. } = imported;
    let tried = if imported.dry_run { "; nothing was changed" } else { "" };
    out + &format!(
        "{added} added, {changed} changed, {completed} completed, {unchanged} unchanged, {bad} bad{tried}\n"
    )
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}: ") }
}
