//! Natural persons (bireysel): what *Kimlik Bilgilerim* shows.

use super::{
    CitizenNumber, Country, Fault, Faults, ForeignerNumber, HolderForm, Line, PassportNumber,
};
use crate::wire::Timestamp;
use chrono::{Datelike, NaiveDate};

/// A person whose identity was proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    given_names: Line,
    surname: Line,
    nationality: Country,
    identity: Identity,
    passport: Option<PassportNumber>,
    father: Option<Line>,
    birth_place: Option<Line>,
    birth_date: Option<NaiveDate>,
}

/// By what a person is known; it fits the nationality.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Identity {
    /// Of a Turkish citizen.
    Citizen(CitizenNumber),
    /// Of a foreigner who is registered in Turkey.
    Foreigner(ForeignerNumber),
    /// Of a foreigner who is not.
    Passport(Country, PassportNumber),
}

impl Person {
    pub(super) fn parse(form: &HolderForm, now: Timestamp, faults: &mut Faults) -> Option<Self> {
        let name = |text: &Option<String>| {
            Line::within(text.as_deref().unwrap_or_default(), NAME, Fault::Name)
        };
        let given_names = faults.take("given_names", name(&form.given_names));
        let surname = faults.take("surname", name(&form.surname));
        let nationality = faults.take(
            "nationality",
            form.nationality.as_deref().map_or(Ok(Country::turkey()), Country::parse),
        );
        let passport = faults.optional("passport", &form.passport, PassportNumber::parse);
        let identity = identity(form, nationality.as_ref(), passport.clone().flatten(), faults);
        let father = faults.optional("father", &form.father, Line::parse);
        let birth_place = faults.optional("birth_place", &form.birth_place, Line::parse);
        let birth_date =
            faults.optional("birth_date", &form.birth_date, |text| birth_date(text, now));
        Some(Self {
            given_names: given_names?,
            surname: surname?,
            nationality: nationality?,
            identity: identity?,
            passport: passport?,
            father: father?,
            birth_place: birth_place?,
            birth_date: birth_date?,
        })
    }

    pub(super) fn form(&self) -> HolderForm {
        let line = |line: &Option<Line>| line.as_ref().map(ToString::to_string);
        let (citizen, foreigner) = match &self.identity {
            Identity::Citizen(number) => (Some(number.to_string()), None),
            Identity::Foreigner(number) => (None, Some(number.to_string())),
            Identity::Passport(..) => (None, None),
        };
        HolderForm {
            given_names: Some(self.given_names.to_string()),
            surname: Some(self.surname.to_string()),
            nationality: Some(self.nationality.to_string()),
            identity_number: citizen,
            foreigner_number: foreigner,
            passport: self.passport.as_ref().map(ToString::to_string),
            father: line(&self.father),
            birth_place: line(&self.birth_place),
            birth_date: self.birth_date.map(|day| day.to_string()),
            ..HolderForm::default()
        }
    }

    pub fn given_names(&self) -> &Line {
        &self.given_names
    }

    pub fn surname(&self) -> &Line {
        &self.surname
    }

    pub fn nationality(&self) -> &Country {
        &self.nationality
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn passport(&self) -> Option<&PassportNumber> {
        self.passport.as_ref()
    }

    pub fn father(&self) -> Option<&Line> {
        self.father.as_ref()
    }

    pub fn birth_place(&self) -> Option<&Line> {
        self.birth_place.as_ref()
    }

    pub fn birth_date(&self) -> Option<NaiveDate> {
        self.birth_date
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.given_names, self.surname)
    }
}

impl Identity {
    /// One text for one person, whatever else changes of him.
    pub fn key(&self) -> String {
        match self {
            Self::Citizen(number) => format!("tc:{number}"),
            Self::Foreigner(number) => format!("yk:{number}"),
            Self::Passport(country, number) => format!("passport:{country}:{number}"),
        }
    }

    /// What a qualified certificate names its holder by.
    pub fn certificate_number(&self) -> Option<&str> {
        match self {
            Self::Citizen(number) => Some(number.as_str()),
            Self::Foreigner(number) => Some(number.as_str()),
            Self::Passport(..) => None,
        }
    }
}

fn identity(
    form: &HolderForm,
    nationality: Option<&Country>,
    passport: Option<PassportNumber>,
    faults: &mut Faults,
) -> Option<Identity> {
    let citizen = faults.optional("identity_number", &form.identity_number, CitizenNumber::parse);
    let foreigner =
        faults.optional("foreigner_number", &form.foreigner_number, ForeignerNumber::parse);
    let nationality = nationality?;
    match (citizen?, foreigner?, passport) {
        (Some(number), None, _) if nationality.is_turkey() => Some(Identity::Citizen(number)),
        (None, Some(number), _) if !nationality.is_turkey() => Some(Identity::Foreigner(number)),
        (None, None, Some(number)) if !nationality.is_turkey() => {
            Some(Identity::Passport(nationality.clone(), number))
        }
        (None, None, None) => {
            faults.say("identity_number", Fault::Identity);
            None
        }
        _ => {
            faults.say("nationality", Fault::Nationality);
            None
        }
    }
}

fn birth_date(text: &str, now: Timestamp) -> Result<NaiveDate, Fault> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map_err(|_| Fault::BirthDate)?;
    let today = now.istanbul().date_naive();
    match (FIRST_YEAR..).contains(&day.year()) && day < today {
        true => Ok(day),
        false => Err(Fault::BirthDate),
    }
}

const NAME: usize = 100;
const FIRST_YEAR: i32 = 1900;
