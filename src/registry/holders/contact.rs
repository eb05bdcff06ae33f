//! Where a holder is reached (*Adres ve iletişim bilgilerim*), and to whom invoices go.

use super::{CitizenNumber, Country, Email, Fault, Faults, Line, Phone, Province, Vkn};
use serde::{Deserialize, Serialize};

/// Each part may be missing; one that is there is right.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Contact {
    pub address: Option<PostalAddress>,
    pub phone: Option<Phone>,
    pub mobile: Option<Phone>,
    pub email: Option<Email>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostalAddress {
    pub street: Line,
    /// İlçe.
    pub district: Line,
    /// İl; abroad a region.
    pub province: Line,
    pub postal_code: Option<Line>,
    pub country: Country,
}

#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2; without it `TR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Whose tax number an invoice bears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaxNumber {
    Vkn(Vkn),
    Person(CitizenNumber),
}

/// To whom, and where, invoices (fatura) go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invoice {
    pub title: Line,
    /// Vergi dairesi.
    pub tax_office: Option<Line>,
    pub tax_number: TaxNumber,
    pub address: PostalAddress,
    pub email: Option<Email>,
}

#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceForm {
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_office: Option<String>,
    /// VKN, or the T.C. kimlik no of a person.
    pub tax_number: String,
    #[serde(flatten)]
    pub contact: InvoiceAddress,
}

/// The parts of [`ContactForm`] that an invoice has.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceAddress {
    pub street: String,
    pub district: String,
    pub province: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Contact {
    /// Empty fields count as not given.
    pub fn parse(form: &ContactForm) -> Result<Self, Faults> {
        let form = form.trimmed();
        let mut faults = Faults::none();
        let address = address(&form, &mut faults);
        let phone = faults.optional("phone", &form.phone, Phone::parse);
        let mobile = faults.optional("mobile", &form.mobile, Phone::mobile);
        let email = faults.optional("email", &form.email, Email::parse);
        match (address, phone, mobile, email) {
            (Some(address), Some(phone), Some(mobile), Some(email)) => {
                Ok(Self { address, phone, mobile, email })
            }
            _ => Err(faults),
        }
    }

    pub fn form(&self) -> ContactForm {
        let address = self.address.as_ref();
        ContactForm {
            street: address.map(|a| a.street.to_string()),
            district: address.map(|a| a.district.to_string()),
            province: address.map(|a| a.province.to_string()),
            postal_code: address.and_then(|a| a.postal_code.as_ref()).map(ToString::to_string),
            country: address.map(|a| a.country.to_string()),
            phone: self.phone.as_ref().map(ToString::to_string),
            mobile: self.mobile.as_ref().map(ToString::to_string),
            email: self.email.as_ref().map(ToString::to_string),
        }
    }
}

impl ContactForm {
    /// What is said anew takes the place of what was; an empty text takes it away.
    pub fn over(self, before: Self) -> Self {
        Self {
            street: self.street.or(before.street),
            district: self.district.or(before.district),
            province: self.province.or(before.province),
            postal_code: self.postal_code.or(before.postal_code),
            country: self.country.or(before.country),
            phone: self.phone.or(before.phone),
            mobile: self.mobile.or(before.mobile),
            email: self.email.or(before.email),
        }
    }

    /// The names of the fields in which two forms differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let (mine, theirs) = (self.fields(), other.fields());
        let pairs = mine.into_iter().zip(theirs);
        pairs.filter(|(one, two)| one.1 != two.1).map(|(one, _)| one.0).collect()
    }

    fn fields(&self) -> [(&'static str, &Option<String>); 8] {
        [
            ("street", &self.street),
            ("district", &self.district),
            ("province", &self.province),
            ("postal_code", &self.postal_code),
            ("country", &self.country),
            ("phone", &self.phone),
            ("mobile", &self.mobile),
            ("email", &self.email),
        ]
    }

    fn trimmed(&self) -> Self {
        let kept = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Self {
            street: kept(&self.street),
            district: kept(&self.district),
            province: kept(&self.province),
            postal_code: kept(&self.postal_code),
            country: kept(&self.country),
            phone: kept(&self.phone),
            mobile: kept(&self.mobile),
            email: kept(&self.email),
        }
    }
}

impl Invoice {
    pub fn parse(form: &InvoiceForm) -> Result<Self, Faults> {
        let mut faults = Faults::none();
        let contact = ContactForm {
            street: Some(form.contact.street.clone()),
            district: Some(form.contact.district.clone()),
            province: Some(form.contact.province.clone()),
            postal_code: form.contact.postal_code.clone(),
            country: form.contact.country.clone(),
            email: form.contact.email.clone(),
            ..ContactForm::default()
        };
        let contact = contact.trimmed();
        let title = faults.take("title", Line::parse(&form.title));
        let tax_office = faults.optional("tax_office", &form.tax_office, Line::parse);
        let tax_number = faults.take("tax_number", TaxNumber::parse(&form.tax_number));
        let address = address(&contact, &mut faults);
        if matches!(address, Some(None)) {
            faults.say("street", Fault::Invoice);
        }
        let email = faults.optional("email", &contact.email, Email::parse);
        let whole = || {
            Some(Self {
                title: title?,
                tax_office: tax_office?,
                tax_number: tax_number?,
                address: address??,
                email: email?,
            })
        };
        whole().ok_or(faults)
    }

    pub fn form(&self) -> InvoiceForm {
        let address = &self.address;
        InvoiceForm {
            title: self.title.to_string(),
            tax_office: self.tax_office.as_ref().map(ToString::to_string),
            tax_number: self.tax_number.as_str().to_owned(),
            contact: InvoiceAddress {
                street: address.street.to_string(),
                district: address.district.to_string(),
                province: address.province.to_string(),
                postal_code: address.postal_code.as_ref().map(ToString::to_string),
                country: Some(address.country.to_string()),
                email: self.email.as_ref().map(ToString::to_string),
            },
        }
    }
}

impl From<ContactForm> for InvoiceAddress {
    fn from(form: ContactForm) -> Self {
        Self {
            street: form.street.unwrap_or_default(),
            district: form.district.unwrap_or_default(),
            province: form.province.unwrap_or_default(),
            postal_code: form.postal_code,
            country: form.country,
            email: form.email,
        }
    }
}

impl TaxNumber {
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let person = CitizenNumber::parse(text).map(Self::Person);
        person.or_else(|_| Vkn::parse(text).map(Self::Vkn))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Vkn(vkn) => vkn.as_str(),
            Self::Person(number) => number.as_str(),
        }
    }
}

/// `Some(None)` when nothing is said of an address; `None` when what is said is wrong.
fn address(form: &ContactForm, faults: &mut Faults) -> Option<Option<PostalAddress>> {
    let parts = [&form.street, &form.district, &form.province];
    let country = form.country.as_deref().map_or(Ok(Country::turkey()), Country::parse);
    let country = faults.take("country", country)?;
    if parts.iter().all(|part| part.is_none()) && form.postal_code.is_none() {
        return Some(None);
    }
    let line = |text: &Option<String>| text.as_deref().map_or(Err(Fault::Address), Line::parse);
    let street = faults.take("street", line(&form.street));
    let district = faults.take("district", line(&form.district));
    let (province, code) = match country.is_turkey() {
        true => of_turkey(form, faults),
        false => (
            faults.take("province", line(&form.province)),
            faults.optional("postal_code", &form.postal_code, |text| {
                Line::within(text, POSTAL_CODE, Fault::PostalCode)
            }),
        ),
    };
    Some(Some(PostalAddress {
        street: street?,
        district: district?,
        province: province?,
        postal_code: code?,
        country,
    }))
}

/// A postal code of Turkey begins with its province's.
fn of_turkey(form: &ContactForm, faults: &mut Faults) -> (Option<Line>, Option<Option<Line>>) {
    let found = form.province.as_deref().map_or(Err(Fault::Address), Province::parse);
    let province = faults.take("province", found);
    let place = province.as_ref().map(Province::code);
    let code = faults.optional("postal_code", &form.postal_code, |text| {
        let text = text.trim();
        let digits = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        let start: Option<usize> = text.get(..2).and_then(|two| two.parse().ok());
        let fits = place.is_none_or(|place| start == Some(place));
        if digits && fits { Line::parse(text) } else { Err(Fault::PostalCode) }
    });
    (province.and_then(|province| Line::parse(province.as_str()).ok()), code)
}

const POSTAL_CODE: usize = 12;
