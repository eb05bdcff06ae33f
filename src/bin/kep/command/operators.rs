//! `kep account operator`: who acts for an account beside its holder.

use super::said::{done, mode, parse, read_certificate, registry};
use super::{show, staff};
use crate::arguments::{Operator as Arguments, OperatorRole, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::AppPassword;
use kep::registry::app_passwords::{NewPassword, Scopes};
use kep::registry::audit::By;
use kep::registry::credentials::Owner;
use kep::registry::operators::{self, Operator, OperatorError, Person, Role, Roles, Standing};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::trust::Certificate;
use kep::wire::{KepAddress, OperatorCode, Timestamp};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::path::Path;

/// The operator of that code, who must act now.
pub async fn owner(store: &Store, address: &KepAddress, code: &str) -> Outcome<Owner> {
    let one = operators::get(store, address, parsed(code)?).await.map_err(failure)?;
    if !one.is_active() {
        return Err(failure(OperatorError::Ended(address.clone(), one.code)));
    }
    Ok(Owner { account: one.account, operator: one.code.number() })
}

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add {
            conf,
            who,
            address,
            given_name,
            surname,
            title,
            identity_number,
            phone,
            email,
            role,
            json,
        } => {
            let (phone, email) = (phone.as_deref(), email.as_deref());
            let person = Person::new(&given_name, &surname, &identity_number, phone, email);
            let person = person.and_then(|one| one.titled(&title.unwrap_or_default()));
            let person = person.map_err(Failure::data)?;
            let (address, roles) = (parse(&address)?, roles(&role)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            let added = operators::add(&store, &by, &address, person, roles).await;
            let shown = Shown::of(&added.map_err(failure)?);
            show::print(json, &shown, |one| format!("operator {} of {address}\n", one.code))
        }
        Arguments::List { conf, address, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = operators::list(&store, &parse(&address)?).await.map_err(failure)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, address, code, json } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let one = operators::get(&store, &address, code).await.map_err(failure)?;
            let passwords = operators::passwords(&store, &address, &one).await.map_err(failure)?;
            let certificates = operators::certificates(&store, &one).await.map_err(failure)?;
            let whole = Whole {
                operator: Shown::of(&one),
                passwords: passwords.iter().map(Password::of).collect(),
                certificates: certificates.iter().map(Registered::of).collect(),
            };
            show::print(json, &whole, text)
        }
        Arguments::Roles { conf, who, address, code, role } => {
            let (address, code, roles) = (parse(&address)?, parsed(&code)?, roles(&role)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            let set = operators::set_roles(&store, &by, &address, code, roles).await;
            set.map_err(failure)?;
            done(&format!("operator {code} of {address} has other roles"))
        }
        Arguments::Title { conf, who, address, code, title } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            let set = operators::set_title(&store, &by, &address, code, &title).await;
            set.map_err(failure)?;
            done(&format!("operator {code} of {address} has that title"))
        }
        Arguments::End { conf, who, address, code } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            operators::end(&store, &by, &address, code).await.map_err(failure)?;
            done(&format!("operator {code} of {address} acts no more"))
        }
        Arguments::Suspend { conf, who, address, code } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            operators::suspend(&store, &by, &address, code).await.map_err(failure)?;
            done(&format!("operator {code} of {address} is suspended"))
        }
        Arguments::Resume { conf, who, address, code } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            operators::resume(&store, &by, &address, code).await.map_err(failure)?;
            done(&format!("operator {code} of {address} acts again; give him a password"))
        }
        Arguments::Password { conf, who, address, code, program, opening, json } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let (store, by) = registrar(&conf.conf, &who).await?;
            let (opening, scopes) = (opening.map(mode), Scopes::mail());
            let new = NewPassword { name: program, opening, scopes };
            let made = operators::give_password(&store, &by, &address, code, new).await;
            let (known, secret) = made.map_err(failure)?;
            let made = Made {
                shown: Password::of(&known),
                operator: code.to_string(),
                password: secret.expose_secret().to_owned(),
            };
            show::print(json, &made, |made| format!("{}\n", made.password))
        }
        Arguments::Certificate { conf, who, address, code, file } => {
            let (address, code) = (parse(&address)?, parsed(&code)?);
            let certificate = read_certificate(&file)?;
            let subject = certificate.subject().to_owned();
            let (store, by) = registrar(&conf.conf, &who).await?;
            let given = operators::give_certificate(&store, &by, &address, code, certificate).await;
            given.map_err(failure)?;
            done(&format!("operator {code} of {address} signs with {subject}"))
        }
    }
}

/// The store, and who acts: a registrar.
pub async fn registrar(conf: &Path, who: &Who) -> Outcome<(Store, By)> {
    let store = wire_up::store(&wire_up::settings(conf)?).await?;
    let by = staff::by_role(&store, who, StaffRole::Registrar).await?;
    Ok((store, by))
}

pub fn parsed(code: &str) -> Outcome<OperatorCode> {
    let found = OperatorCode::parse(code);
    found.ok_or_else(|| Failure::data(format!("{code} is no operator's code")).hint("001 to 999"))
}

fn roles(of: &[OperatorRole]) -> Outcome<Roles> {
    let role = |one: &OperatorRole| match one {
        OperatorRole::Prepares => Role::Prepares,
        OperatorRole::Signs => Role::Signs,
        OperatorRole::Sends => Role::Sends,
        OperatorRole::Reads => Role::Reads,
        OperatorRole::Audits => Role::Audits,
        OperatorRole::Full => Role::Full,
    };
    Roles::new(of.iter().map(role)).ok_or_else(|| Failure::usage("an operator has a role"))
}

pub fn failure(error: OperatorError) -> Failure {
    match error {
        OperatorError::Registry(error) => registry(error),
        OperatorError::Unknown(..) => {
            Failure::not_found(&error).hint("`kep account operator list` shows them")
        }
        OperatorError::Personal(_) => Failure::data(&error).hint(
            "companies and public bodies have operators: `kep account show` says whose it is",
        ),
        OperatorError::Suspended(..) => {
            Failure::data(&error).hint("`kep account operator resume` lets him act again")
        }
        _ => Failure::data(&error),
    }
}

/// His identity number and where he is reached are the account's alone to see.
#[derive(Serialize)]
struct Shown {
    code: String,
    name: String,
    surname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    roles: Vec<&'static str>,
    since: String,
    added_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_by: Option<String>,
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    operator: Shown,
    passwords: Vec<Password>,
    certificates: Vec<Registered>,
}

#[derive(Serialize)]
struct Password {
    id: String,
    name: String,
    opening: Option<&'static str>,
    created: String,
    used: Option<String>,
}

/// What a new password is, this once.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    shown: Password,
    operator: String,
    password: String,
}

#[derive(Serialize)]
struct Registered {
    subject: String,
    issuer: String,
    fingerprint: String,
    not_after: String,
}

impl Shown {
    fn of(one: &Operator) -> Self {
        let said = |at: &Timestamp, by: &str| (Some(at.iso8601()), Some(by.to_owned()));
        let none = || (None, None);
        let ((ended, ended_by), (suspended, suspended_by)) = match &one.standing {
            Standing::Active => (none(), none()),
            Standing::Suspended { at, by } => (none(), said(at, by)),
            Standing::Ended { at, by } => (said(at, by), none()),
        };
        Self {
            code: one.code.to_string(),
            name: one.person.given_name.clone(),
            surname: one.person.surname.clone(),
            title: one.person.title.clone(),
            roles: one.roles.list().into_iter().map(Role::word).collect(),
            since: one.added_at.iso8601(),
            added_by: one.added_by.clone(),
            ended,
            ended_by,
            suspended,
            suspended_by,
        }
    }
}

impl Password {
    fn of(known: &AppPassword) -> Self {
        Self {
            id: known.id.clone(),
            name: known.name.clone(),
            opening: known.opening.map(|mode| mode.word()),
            created: known.created_at.iso8601(),
            used: known.used_at.map(|at| at.iso8601()),
        }
    }
}

impl Registered {
    fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            fingerprint: certificate.digest().hex(),
            not_after: certificate.not_after().iso8601(),
        }
    }
}

fn text(whole: &Whole) -> String {
    let mut out = list(std::slice::from_ref(&whole.operator));
    for one in &whole.passwords {
        out += &format!("password {} {}\n", one.id, one.name);
    }
    for one in &whole.certificates {
        out +=
            &format!("certificate {} {} until {}\n", one.fingerprint, one.subject, one.not_after);
    }
    out
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let name = format!("{} {}", row.name, row.surname);
        let gone = match (&row.ended, &row.suspended) {
            (Some(at), _) => format!("ended {at}"),
            (None, Some(at)) => format!("suspended {at}"),
            (None, None) => String::new(),
        };
        vec![row.code.clone(), name, row.roles.join(", "), row.since.clone(), gone]
    });
    let head = ["CODE", "NAME", "ROLES", "SINCE", "STANDING"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no operators: `kep account operator add`")
}
