//! What an operator has to log in and sign by, and the way to his first password.

use super::{OneOperator, Operator};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Tagged};
use crate::portal::api::login::tried::locked;
use crate::portal::api::{Portal, Problem};
use crate::registry::AppPassword;
use crate::registry::operators::{self, Operator as Row, Standing};
use crate::registry::signin::Invited;
use crate::trust::Certificate;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An operator, as who manages him sees him.
#[derive(Serialize, ToSchema)]
pub struct OperatorWhole {
    operator: Operator,
    /// T.C. kimlik no, or a foreigner's number.
    #[schema(example = "10000000146")]
    identity_number: String,
    #[schema(example = "+905325550000")]
    phone: Option<String>,
    #[schema(example = "ayse@example.org")]
    email: Option<String>,
    #[schema(example = "staff:selin")]
    added_by: String,
    /// His mail programs.
    passwords: Vec<Program>,
    certificates: Vec<Signing>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OperatorPassword)]
struct Program {
    #[schema(example = "abcd")]
    id: String,
    #[schema(example = "Telefon")]
    name: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    used: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OperatorCertificate)]
struct Signing {
    #[schema(example = "CN=Ayşe Demir")]
    subject: String,
    /// SHA-256, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    fingerprint: String,
    #[schema(format = DateTime, example = "2028-11-29T09:00:00.000Z")]
    ends: String,
}

pub async fn show(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneOperator,
    (): (),
) -> Answered<Tagged<OperatorWhole>> {
    let (store, address) = (&portal.store, &call.account()?.address);
    let one = operators::get(store, address, ask.operator.0).await?;
    let passwords = operators::passwords(store, address, &one).await?;
    let certificates = operators::certificates(store, &one).await?;
    let person = &one.person;
    let value = OperatorWhole {
        operator: Operator::of(&one),
        identity_number: person.identity_number.clone(),
        phone: person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        email: person.email.as_ref().map(|email| email.as_str().to_owned()),
        added_by: one.added_by.clone(),
        passwords: passwords.iter().map(Program::of).collect(),
        certificates: certificates.iter().map(Signing::of).collect(),
    };
    Ok(Tagged(value, one.version()))
}

pub async fn password_link(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: OneOperator,
    (): (),
) -> Answered<Done> {
    call.may_add()?;
    let address = &call.account()?.address;
    let one = operators::get(&portal.store, address, ask.operator.0).await?;
    reachable(&one)?;
    match portal.people.sign_in.invite(&one, &call.by()?).await? {
        Invited::Sent => Ok(Done),
        Invited::Nobody => Err(Problem::OperatorUnknown),
        Invited::Locked(until) => Err(locked(until)),
    }
}

/// He acts, and has told of both places.
fn reachable(one: &Row) -> Answered<()> {
    match &one.standing {
        Standing::Active if one.person.phone.is_some() && one.person.email.is_some() => Ok(()),
        Standing::Active => Err(Problem::OperatorUnreachable),
        Standing::Suspended { .. } => Err(Problem::OperatorSuspended),
        Standing::Ended { .. } => Err(Problem::OperatorEnded),
    }
}

impl Program {
    fn of(known: &AppPassword) -> Self {
        Self {
            id: known.id.clone(),
            name: known.name.clone(),
            created: known.created_at.iso8601(),
            used: known.used_at.map(|at| at.iso8601()),
        }
    }
}

impl Signing {
    fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject().to_owned(),
            fingerprint: certificate.digest().hex(),
            ends: certificate.not_after().iso8601(),
        }
    }
}
