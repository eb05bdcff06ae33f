//! Whose the account is (*Kimlik*, *Kurum Bilgileri*), how he is reached, and to whom invoices go. Who he is, the
//! provider's people record after a check; the rest he changes himself. Personal data: for persons alone.

mod faults;
mod invoice;

pub use invoice::{InvoiceData, NewInvoice};

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Tagged, Verb};
use super::kinds::FormText;
use super::problem::Problem;
use crate::registry::holders::{ContactForm, HolderForm, reached, records};
use crate::registry::operators::Act;
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let at = |verb, path, id| Endpoint::new(verb, path, id, Tag::Affairs).personal();
    let some = || String::from("{}");
    let mut all = vec![
        at(Verb::Get, "/account/holder", "showHolder")
            .says("Hesabın kimin olduğunu gösterir.", "Shows whose the account is.")
            .reads(show),
        at(Verb::Get, "/account/contact", "showContactData")
            .says(
                "Adres ve iletişim bilgilerini gösterir.",
                "Shows how the account's holder is reached.",
            )
            .reads(contact),
        at(Verb::Patch, "/account/contact", "changeContactData")
            .says(
                "Adres ve iletişim bilgilerini değiştirir; adı geçmeyen olduğu gibi kalır, boş olan silinir.",
                "Changes how the holder is reached; what is not named stays, what is empty goes.",
            )
            .acts(Act::Manage)
            .guarded()
            .may_say([
                Problem::FormUnfit(some()),
                Problem::OperatorMayNot,
                Problem::AccountReadOnly(some()),
            ])
            .writes(change),
    ];
    all.extend(invoice::operations());
    all
}

/// Whose the account is; which fields there are depends on the kind.
#[derive(Serialize, ToSchema)]
struct HolderData {
    /// `person`, `company`, `public`; none: a name alone is known.
    #[schema(example = "company")]
    kind: Option<String>,
    #[schema(example = "Örnek A.Ş.")]
    name: String,
    #[schema(example = "Ali")]
    given_names: Option<String>,
    #[schema(example = "Veli")]
    surname: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "TR")]
    nationality: Option<String>,
    /// T.C. kimlik no.
    #[schema(example = "10000000146")]
    identity_number: Option<String>,
    /// Yabancı kimlik no.
    #[schema(example = "99000000148")]
    foreigner_number: Option<String>,
    #[schema(example = "U12345678")]
    passport: Option<String>,
    #[schema(example = "Mehmet")]
    father: Option<String>,
    #[schema(example = "Ankara")]
    birth_place: Option<String>,
    #[schema(format = Date, example = "1980-01-31")]
    birth_date: Option<String>,
    #[schema(example = "Örnek A.Ş.")]
    title: Option<String>,
    #[schema(example = "1234567890")]
    vkn: Option<String>,
    #[schema(example = "0123456789000001")]
    mersis: Option<String>,
    #[schema(example = "12345")]
    trade_registry: Option<String>,
    #[schema(example = "Ankara")]
    registry_office: Option<String>,
    #[schema(example = "12345678")]
    detsis: Option<String>,
    #[schema(example = "Yazılım")]
    activity: Option<String>,
    /// Whether its e-seal may sign, as far as the provider lets any.
    #[schema(example = false)]
    e_seal: bool,
}

/// How the holder is reached.
#[derive(Serialize, ToSchema)]
struct ContactData {
    #[schema(example = "Atatürk Bulvarı 1")]
    street: Option<String>,
    /// İlçe.
    #[schema(example = "Çankaya")]
    district: Option<String>,
    /// İl; abroad a region.
    #[schema(example = "Ankara")]
    province: Option<String>,
    #[schema(example = "06420")]
    postal_code: Option<String>,
    #[schema(example = "TR")]
    country: Option<String>,
    #[schema(example = "+903125550000")]
    phone: Option<String>,
    #[schema(example = "+905325550000")]
    mobile: Option<String>,
    #[schema(example = "ali@example.org")]
    email: Option<String>,
    /// Its number; 0: nothing was ever said.
    #[schema(minimum = 0, example = 3)]
    version: i64,
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDataChange {
    #[schema(inline)]
    street: Option<FormText>,
    #[schema(inline)]
    district: Option<FormText>,
    #[schema(inline)]
    province: Option<FormText>,
    #[schema(inline)]
    postal_code: Option<FormText>,
    #[schema(inline)]
    country: Option<FormText>,
    #[schema(inline)]
    phone: Option<FormText>,
    #[schema(inline)]
    mobile: Option<FormText>,
    #[schema(inline)]
    email: Option<FormText>,
}

fn show(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<HolderData>> {
    let record = records::record(tx, call.account()?.clone())?;
    let form = record.holder.as_ref().map(|holder| (holder.name(), holder.form()));
    let (name, form) = form.unwrap_or((record.account.name, HolderForm::default()));
    Ok(Json(HolderData::of(form, name, record.e_seal)))
}

fn contact(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Tagged<ContactData>> {
    shown(tx, call)
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<ContactDataChange>,
) -> Answered<Tagged<ContactData>> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    let (_, version) = reached::contact(tx, account.id)?;
    call.matches(&version.to_string())?;
    let said = new.0.said();
    let changed = reached::change_contact(tx, account.id, &account.address, said, &call.by()?);
    changed.map_err(|error| call.unfit(error))?;
    shown(tx, call)
}

fn shown(tx: &mut Tx<'_>, call: &Call) -> Answered<Tagged<ContactData>> {
    let (contact, version) = reached::contact(tx, call.account_id()?)?;
    Ok(Tagged(ContactData::of(contact.form(), version), version.to_string()))
}

impl HolderData {
    fn of(form: HolderForm, name: String, e_seal: bool) -> Self {
        Self {
            kind: Some(form.kind).filter(|kind| !kind.is_empty()),
            name,
            given_names: form.given_names,
            surname: form.surname,
            nationality: form.nationality,
            identity_number: form.identity_number,
            foreigner_number: form.foreigner_number,
            passport: form.passport,
            father: form.father,
            birth_place: form.birth_place,
            birth_date: form.birth_date,
            title: form.title,
            vkn: form.vkn,
            mersis: form.mersis,
            trade_registry: form.trade_registry,
            registry_office: form.registry_office,
            detsis: form.detsis,
            activity: form.activity,
            e_seal,
        }
    }
}

impl ContactData {
    fn of(form: ContactForm, version: i64) -> Self {
        let ContactForm { street, district, province, postal_code, country, .. } = form;
        let ContactForm { phone, mobile, email, .. } = form;
        Self { street, district, province, postal_code, country, phone, mobile, email, version }
    }
}

impl ContactDataChange {
    pub fn said(&self) -> ContactForm {
        let text = |field: &Option<FormText>| field.as_ref().map(|text| text.0.clone());
        ContactForm {
            street: text(&self.street),
            district: text(&self.district),
            province: text(&self.province),
            postal_code: text(&self.postal_code),
            country: text(&self.country),
            phone: text(&self.phone),
            mobile: text(&self.mobile),
            email: text(&self.email),
        }
    }
}
