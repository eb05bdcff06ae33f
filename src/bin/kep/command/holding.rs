//! `kep account holder|contact|invoice|suspend|resume|contract|renew`, and how accounts of known holders
//! are opened, closed and opened again.

use super::said::{done, parse, registry};
use super::{closing, forms, show, staff};
use crate::arguments::{ContactOptions, HolderOptions, Holding as Arguments, ServiceType, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts::{self, NewAccount};
use kep::registry::audit::By;
use kep::registry::closings;
use kep::registry::contracts::{self, Contract};
use kep::registry::holders::records::{self, NewHolding};
use kep::registry::holders::{ContactForm, HolderForm, Invoice, InvoiceForm};
use kep::registry::staff::StaffRole;
use kep::registry::standing::Move;
use kep::store::Store;
use kep::wire::{KepAddress, KepDomain};
use serde::Serialize;
use std::path::Path;

/// What `kep account add` says of the holder.
pub struct Said {
    pub holder: HolderOptions,
    pub contact: ContactOptions,
    pub service: ServiceType,
    pub months: Option<u32>,
}

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Holder { conf, who, address, holder, json } => {
            let store = store(&conf.conf).await?;
            let address = parse(&address)?;
            if forms::holder_form(&holder) != HolderForm::default() {
                let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
                let holder = forms::holder(&holder, by.at)?;
                records::set_holder(&store, &address, holder, &by).await.map_err(registry)?;
            }
            let record = records::of(&store, &address).await.map_err(registry)?;
            let holder = record.holder.map(|holder| holder.form());
            show::print(json, &holder, |holder| match holder {
                Some(form) => forms::lines(form),
                None => "nobody is recorded as the holder\n".to_owned(),
            })
        }
        Arguments::Contact { conf, who, address, contact, history, json } => {
            let store = store(&conf.conf).await?;
            set_contact(&store, &who, &parse(&address)?, &contact, history, json).await
        }
        Arguments::Invoice {
            conf,
            who,
            address,
            title,
            tax_number,
            tax_office,
            contact,
            remove,
            json,
        } => {
            let store = store(&conf.conf).await?;
            let address = parse(&address)?;
            let said = title
                .zip(tax_number)
                .map(|(title, tax_number)| invoice_form(title, tax_number, tax_office, &contact));
            set_invoice(&store, &who, &address, said, remove, json).await
        }
        Arguments::Suspend { conf, who, address, reason } => {
            let reason = closings::reasoned(&reason, false).map_err(registry)?;
            let step = Move::Suspend { reason };
            changed(&conf.conf, &who, &address, step, "is suspended").await
        }
        Arguments::Resume { conf, who, address } => {
            changed(&conf.conf, &who, &address, Move::Resume, "is active again").await
        }
        Arguments::Contract { conf, address, json } => {
            let store = store(&conf.conf).await?;
            let terms = contracts::of(&store, &parse(&address)?).await.map_err(registry)?;
            let rows: Vec<_> = terms.iter().map(Term::of).collect();
            show::print(json, &rows, |rows| terms_table(rows))
        }
        Arguments::Renew { conf, who, address, months, json } => {
            let store = store(&conf.conf).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let renewed = contracts::renew(&store, &parse(&address)?, months, &by).await;
            let term = Term::of(&renewed.map_err(registry)?);
            show::print(json, &term, |term| format!("renewed until {}\n", term.ends))
        }
        Arguments::Closing(arguments) => closing::run(arguments).await,
    }
}

/// An account of a holder who is known.
pub async fn open(
    store: &Store,
    provider: &KepDomain,
    account: NewAccount,
    said: Said,
    by: &By,
) -> Outcome<()> {
    let new = NewHolding {
        account,
        holder: forms::holder(&said.holder, by.at)?,
        contact: forms::contact(&said.contact)?,
        service: forms::service(said.service),
        months: said.months,
    };
    records::open(store, provider, new, by).await.map_err(registry)?;
    Ok(())
}

/// An account of whom only a name is known, as scripts of old open them.
pub async fn open_nameless(
    store: &Store,
    provider: &KepDomain,
    account: NewAccount,
    said: Said,
    by: &By,
) -> Outcome<()> {
    let number =
        HolderForm { identity_number: account.identity_number.clone(), ..HolderForm::default() };
    if forms::holder_form(&said.holder) != number {
        return Err(Failure::usage("fields of a holder without --kind")
            .hint("--kind person, company or public"));
    }
    let contact = forms::contact(&said.contact)?;
    let service = forms::service(said.service);
    let opened = records::open_unknown(store, provider, account, contact, service, by).await;
    opened.map_err(registry)
}

pub async fn close(conf: &Path, who: &Who, address: &str) -> Outcome {
    let store = store(conf).await?;
    let by = staff::by_role(&store, who, StaffRole::Registrar).await?;
    let address = parse(address)?;
    match closings::close(&store, &address, &by).await.map_err(registry)? {
        Some(until) => {
            let day = until.turkish_day();
            done(&format!("account {address} is closed; it can be read until the end of {day}"))
        }
        None => done(&format!("account {address} is closed")),
    }
}

pub async fn reopen(conf: &Path, who: &Who, address: &str, number: Option<&str>) -> Outcome {
    let store = store(conf).await?;
    let by = staff::by_role(&store, who, StaffRole::Registrar).await?;
    let address = parse(address)?;
    closings::reopen(&store, &address, number, &by).await.map_err(registry)?;
    done(&format!("account {address} is active"))
}

/// What `kep account show` adds.
#[derive(Serialize)]
pub struct Recorded {
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<HolderForm>,
    contact: ContactForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceForm>,
    e_seal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<Term>,
}

pub async fn record(store: &Store, address: &KepAddress) -> Outcome<Recorded> {
    let record = records::of(store, address).await.map_err(registry)?;
    let terms = contracts::of(store, address).await.map_err(registry)?;
    Ok(Recorded {
        holder: record.holder.map(|holder| holder.form()),
        contact: record.contact.form(),
        invoice: record.invoice.map(|invoice| invoice.form()),
        e_seal: record.e_seal,
        contract: terms.first().map(Term::of),
    })
}

impl Recorded {
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(holder) = &self.holder {
            text += &forms::lines(holder);
        }
        text += &forms::lines(&self.contact);
        if let Some(contract) = &self.contract {
            text += &format!("{:<18}{}\n", "contract until", contract.ends);
        }
        text
    }
}

/// One term of a contract.
#[derive(Serialize)]
pub struct Term {
    n: i64,
    starts: String,
    pub ends: String,
    made: String,
}

impl Term {
    pub fn of(contract: &Contract) -> Self {
        Self {
            n: contract.n,
            starts: contract.starts_at.iso8601(),
            ends: contract.ends_at.iso8601(),
            made: contract.made_at.iso8601(),
        }
    }
}

async fn changed(conf: &Path, who: &Who, address: &str, step: Move, what: &str) -> Outcome {
    let store = store(conf).await?;
    let by = staff::by_role(&store, who, StaffRole::Registrar).await?;
    let address = parse(address)?;
    accounts::change_state(&store, &address, step, &by).await.map_err(registry)?;
    done(&format!("account {address} {what}"))
}

async fn set_contact(
    store: &Store,
    who: &Who,
    address: &KepAddress,
    said: &ContactOptions,
    history: bool,
    json: bool,
) -> Outcome {
    let form = forms::contact_form(said);
    if form != ContactForm::default() {
        let by = staff::by_role(store, who, StaffRole::Registrar).await?;
        records::set_contact(store, address, form, &by).await.map_err(registry)?;
    }
    if history {
        let versions = records::versions(store, address).await.map_err(registry)?;
        let rows: Vec<_> = versions.iter().map(Versioned::of).collect();
        return show::print(json, &rows, |rows| {
            let text = |row: &Versioned| {
                format!("{} {}\n{}", row.changed, row.by, forms::lines(&row.contact))
            };
            rows.iter().map(text).collect::<Vec<_>>().join("\n")
        });
    }
    let contact = records::of(store, address).await.map_err(registry)?.contact.form();
    show::print(json, &contact, forms::lines)
}

#[derive(Serialize)]
struct Versioned {
    changed: String,
    by: String,
    #[serde(flatten)]
    contact: ContactForm,
}

impl Versioned {
    fn of(version: &records::Version) -> Self {
        Self {
            changed: version.changed_at.iso8601(),
            by: version.changed_by.clone(),
            contact: version.contact.clone(),
        }
    }
}

async fn set_invoice(
    store: &Store,
    who: &Who,
    address: &KepAddress,
    said: Option<InvoiceForm>,
    remove: bool,
    json: bool,
) -> Outcome {
    if said.is_some() || remove {
        let by = staff::by_role(store, who, StaffRole::Registrar).await?;
        let invoice = said.as_ref().map(Invoice::parse).transpose();
        let invoice = invoice.map_err(|faults| forms::wrong(&faults))?;
        records::set_invoice(store, address, invoice, &by).await.map_err(registry)?;
    }
    let invoice = records::of(store, address).await.map_err(registry)?.invoice;
    let form = invoice.map(|invoice| invoice.form());
    show::print(json, &form, |form| match form {
        Some(form) => forms::lines(form),
        None => "no invoices are asked for\n".to_owned(),
    })
}

fn invoice_form(
    title: String,
    tax_number: String,
    tax_office: Option<String>,
    contact: &ContactOptions,
) -> InvoiceForm {
    let contact = forms::contact_form(contact);
    InvoiceForm { title, tax_office, tax_number, contact: contact.into() }
}

fn terms_table(rows: &[Term]) -> String {
    let cells = rows
        .iter()
        .map(|row| vec![row.n.to_string(), row.starts.clone(), row.ends.clone(), row.made.clone()]);
    let head = ["TERM", "FROM", "UNTIL", "MADE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no contract is recorded")
}

async fn store(conf: &Path) -> Outcome<Store> {
    wire_up::store(&wire_up::settings(conf)?).await
}
