//! To whom, and where, invoices (fatura) of the account go.

use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Endpoint, Json, NoWords, Tag, Tagged, Verb};
use crate::portal::api::kinds::FormText;
use crate::portal::api::problem::Problem;
use crate::registry::holders::{Invoice, InvoiceForm, records};
use crate::registry::operators::Act;
use crate::store::Tx;
use crate::wire::digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let at = |verb, id| Endpoint::new(verb, "/account/invoice", id, Tag::Affairs).personal();
    let some = || String::from("{}");
    let changes = || [Problem::OperatorMayNot, Problem::AccountReadOnly(some())];
    vec![
        at(Verb::Get, "showInvoice")
            .says("Fatura bilgisini gösterir.", "Shows to whom invoices go.")
            .may_say([Problem::InvoiceUnknown])
            .reads(show),
        at(Verb::Put, "setInvoice")
            .says("Fatura bilgisini kaydeder.", "Records to whom invoices go.")
            .acts(Act::Manage)
            .guarded()
            .may_say([Problem::FormUnfit(some())].into_iter().chain(changes()))
            .writes(set),
        at(Verb::Delete, "removeInvoice")
            .says("Fatura bilgisini siler.", "Takes away to whom invoices go.")
            .acts(Act::Manage)
            .guarded()
            .may_say([Problem::InvoiceUnknown].into_iter().chain(changes()))
            .writes(remove),
    ]
}

/// To whom invoices go.
#[derive(Serialize, ToSchema)]
pub struct InvoiceData {
    #[schema(example = "Örnek A.Ş.")]
    title: String,
    /// Vergi dairesi.
    #[schema(example = "Çankaya")]
    tax_office: Option<String>,
    /// VKN, or the T.C. kimlik no of a person.
    #[schema(example = "1234567890")]
    tax_number: String,
    #[schema(example = "Atatürk Bulvarı 1")]
    street: String,
    #[schema(example = "Çankaya")]
    district: String,
    #[schema(example = "Ankara")]
    province: String,
    #[schema(example = "06420")]
    postal_code: Option<String>,
    #[schema(example = "TR")]
    country: Option<String>,
    #[schema(example = "muhasebe@example.org")]
    email: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvoice {
    #[schema(inline)]
    title: FormText,
    #[schema(inline)]
    tax_office: Option<FormText>,
    #[schema(inline)]
    tax_number: FormText,
    #[schema(inline)]
    street: FormText,
    #[schema(inline)]
    district: FormText,
    #[schema(inline)]
    province: FormText,
    #[schema(inline)]
    postal_code: Option<FormText>,
    #[schema(inline)]
    country: Option<FormText>,
    #[schema(inline)]
    email: Option<FormText>,
}

fn show(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Tagged<InvoiceData>> {
    let invoice = known(tx, call)?.ok_or(Problem::InvoiceUnknown)?;
    Ok(tagged(&invoice))
}

fn set(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<NewInvoice>,
) -> Answered<Tagged<InvoiceData>> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    let before = known(tx, call)?;
    call.matches(&before.as_ref().map(version).unwrap_or_default())?;
    let invoice = Invoice::parse(&new.0.form()).map_err(|faults| call.unfit(faults))?;
    records::put_invoice(tx, account.id, &account.address, Some(&invoice), &call.by()?)?;
    Ok(tagged(&invoice))
}

fn remove(tx: &mut Tx<'_>, call: &Call, _: &NoWords, _: &()) -> Answered<Done> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    let before = known(tx, call)?.ok_or(Problem::InvoiceUnknown)?;
    call.matches(&version(&before))?;
    records::put_invoice(tx, account.id, &account.address, None, &call.by()?)?;
    Ok(Done)
}

fn known(tx: &mut Tx<'_>, call: &Call) -> Answered<Option<Invoice>> {
    Ok(records::record(tx, call.account()?.clone())?.invoice)
}

fn tagged(invoice: &Invoice) -> Tagged<InvoiceData> {
    Tagged(InvoiceData::of(invoice.form()), version(invoice))
}

/// Another text for another content.
fn version(invoice: &Invoice) -> String {
    digest::sha256(format!("{:?}", invoice.form()).as_bytes()).hex()
}

impl NewInvoice {
    pub fn form(&self) -> InvoiceForm {
        let text = |field: &Option<FormText>| field.as_ref().map(|text| text.0.clone());
        let mut form = InvoiceForm {
            title: self.title.0.clone(),
            // Empty is nothing, as everywhere in forms.
            tax_office: text(&self.tax_office).filter(|office| !office.trim().is_empty()),
            tax_number: self.tax_number.0.clone(),
            ..InvoiceForm::default()
        };
        form.contact.street = self.street.0.clone();
        form.contact.district = self.district.0.clone();
        form.contact.province = self.province.0.clone();
        form.contact.postal_code = text(&self.postal_code);
        form.contact.country = text(&self.country);
        form.contact.email = text(&self.email);
        form
    }
}

impl InvoiceData {
    pub fn of(form: InvoiceForm) -> Self {
        let InvoiceForm { title, tax_office, tax_number, contact } = form;
        Self {
            title,
            tax_office,
            tax_number,
            street: contact.street,
            district: contact.district,
            province: contact.province,
            postal_code: contact.postal_code,
            country: contact.country,
            email: contact.email,
        }
    }
}
