//! What is said of a holder and how he is reached, as the staff types it and as it is shown.

use crate::portal::api::call::{Answered, Call};
use crate::portal::api::kinds::{
    AddressText, FormLine, HolderWord, OpeningWord, PaperKindWord, RuleWord, ServiceWord, TextLine,
    some_whole,
};
use crate::portal::api::problem::Problem;
use crate::registry::accounts::OpeningMode;
use crate::registry::addresses::Malformed;
use crate::registry::applications::{Paper as Row, Purpose, Wish};
use crate::registry::holders::{self, ContactForm, HolderForm};
use crate::registry::standing::Service;
use crate::wire::KepAddress;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An application that is taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    #[schema(inline)]
    address: AddressText,
    holder: HolderFields,
    contact: Option<ContactFields>,
    /// `both` when nothing is said.
    #[schema(inline)]
    service: Option<ServiceWord>,
    /// `sealed` when nothing is said.
    #[schema(inline)]
    opening: Option<OpeningWord>,
    /// As the provider has decided when nothing is said.
    #[schema(inline)]
    signature: Option<RuleWord>,
    /// Of the first term; as the policy has it when nothing is said.
    #[schema(minimum = 1, maximum = 120, example = 12)]
    #[serde(default, deserialize_with = "some_whole")]
    months: Option<u16>,
    #[schema(max_items = 20)]
    papers: Option<Vec<PaperForm>>,
}

/// A paper: what it is and where it lies.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperForm {
    #[schema(inline)]
    kind: PaperKindWord,
    #[schema(inline)]
    reference: Option<TextLine>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApplicationPaper)]
pub struct Paper {
    #[schema(example = "identity")]
    kind: String,
    /// Where it is filed.
    #[schema(example = "Dolap 3/17")]
    reference: String,
}

macro_rules! holder_fields {
    ($($(#[$doc:meta])* $field:ident = $example:literal;)*) => {
        /// Whose it is to be; which fields belong to which kind, the answer says.
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct HolderFields {
            #[schema(inline)]
            kind: HolderWord,
            $(
                $(#[$doc])*
                #[schema(inline)]
                $field: Option<FormLine>,
            )*
        }

        impl HolderFields {
            pub fn form(&self) -> HolderForm {
                HolderForm {
                    kind: self.kind.0.word().to_owned(),
                    $($field: self.$field.as_ref().map(|line| line.0.clone()),)*
                }
            }
        }

        /// Whose it is.
        #[derive(Serialize, ToSchema)]
        #[schema(as = HolderRecord)]
        pub struct Holder {
            /// `person`, `company`, or `public`.
            #[schema(example = "person")]
            kind: String,
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false, example = $example)]
                $field: Option<String>,
            )*
        }

        impl Holder {
            pub fn of(form: &HolderForm) -> Self {
                Self { kind: form.kind.clone(), $($field: form.$field.clone(),)* }
            }
        }
    };
}

holder_fields! {
    given_names = "Ali";
    surname = "Veli";
    /// ISO 3166-1 alpha-2.
    nationality = "TR";
    /// T.C. kimlik no.
    identity_number = "10000000146";
    /// Yabancı kimlik no.
    foreigner_number = "99000000098";
    passport = "U12345678";
    father = "Hasan";
    birth_place = "Ankara";
    birth_date = "1980-01-31";
    title = "Örnek A.Ş.";
    vkn = "8760052205";
    mersis = "0876005220500017";
    /// Ticaret sicil no.
    trade_registry = "123456";
    registry_office = "Ankara";
    detsis = "12345678";
    /// Ana faaliyet alanı.
    activity = "Yazılım";
}

macro_rules! contact_fields {
    ($($(#[$doc:meta])* $field:ident = $example:literal;)*) => {
        /// How the holder is reached.
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct ContactFields {
            $(
                $(#[$doc])*
                #[schema(inline)]
                $field: Option<FormLine>,
            )*
        }

        impl ContactFields {
            fn form(self) -> ContactForm {
                ContactForm { $($field: self.$field.map(|line| line.0),)* }
            }
        }

        /// How the holder is reached.
        #[derive(Serialize, ToSchema)]
        #[schema(as = ContactRecord)]
        pub struct Contact {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false, example = $example)]
                $field: Option<String>,
            )*
        }

        impl Contact {
            pub fn of(form: &ContactForm) -> Self {
                Self { $($field: form.$field.clone(),)* }
            }
        }
    };
}

contact_fields! {
    street = "Atatürk Cad. 1";
    /// İlçe.
    district = "Çankaya";
    /// İl.
    province = "Ankara";
    postal_code = "06100";
    /// ISO 3166-1 alpha-2.
    country = "TR";
    phone = "+903125550000";
    mobile = "+905325550000";
    /// Outside KEP.
    email = "ali@example.org";
}

impl NewApplication {
    pub fn wish(self, call: &Call) -> Answered<Wish> {
        let address = KepAddress::parse(&self.address.0);
        let address = address.map_err(Malformed)?;
        let holder = holders::Holder::parse(&self.holder.form(), call.now);
        let holder = holder.map_err(|faults| call.unfit(faults))?;
        let contact = self.contact.map(ContactFields::form).unwrap_or_default();
        let papers = self.papers.unwrap_or_default();
        if papers.len() > super::PAPERS {
            return Err(Problem::BadBody("papers".to_owned()));
        }
        if self.months.is_some_and(|months| !(1..=120).contains(&months)) {
            return Err(Problem::BadBody("months".to_owned()));
        }
        Ok(Wish {
            purpose: Purpose::Opening,
            address,
            holder,
            contact: holders::Contact::parse(&contact).map_err(|faults| call.unfit(faults))?,
            service: self.service.map_or(Service::Both, |word| word.0),
            opening: self.opening.map_or(OpeningMode::Sealed, |word| word.0),
            signature: self.signature.map(|word| word.0),
            months: self.months.map(u32::from),
            papers: papers.iter().map(PaperForm::paper).collect(),
        })
    }
}

impl PaperForm {
    pub fn paper(&self) -> Row {
        let reference = self.reference.as_ref().map(|line| line.0.trim().to_owned());
        Row { kind: self.kind.0, reference: reference.unwrap_or_default() }
    }
}

impl Paper {
    pub fn of(row: &Row) -> Self {
        Self { kind: row.kind.word().to_owned(), reference: row.reference.clone() }
    }
}
