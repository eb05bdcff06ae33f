//! Questions: noted, answered from our own entries and by the central directory, and what was told noted beside.

use super::shown::{CentralWord, DirectoryAnswer};
use super::{
    AddressCheck, CheckedAddress, CheckedAddresses, DirectoryQuery, HolderKind, TakenAddress,
    malformed_address,
};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::contacts::Contact;
use crate::portal::api::endpoint::{Created, Json, NoWords, Once};
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::contacts::{ContactError, Fault};
use crate::registry::directory::{self, Checked, Kind, Query, QueryForm, Verdict};
use crate::store::Tx;
use crate::trust::random;
use std::sync::Arc;

pub async fn query(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    asked: Json<DirectoryQuery>,
) -> Answered<Json<DirectoryAnswer>> {
    call.may_add()?;
    let query = Query::parse(&asked.0.form())?;
    let (account, by) = (call.account_id()?, call.by()?);
    let answer = directory::ask(&portal.directory, account, query, by).await?;
    Ok(Json(DirectoryAnswer::of(&answer)))
}

pub async fn check(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    asked: Json<AddressCheck>,
) -> Answered<Json<CheckedAddresses>> {
    call.may_add()?;
    let (account, by) = (call.account_id()?, call.by()?);
    let kind = asked.0.kind.map(HolderKind::kind);
    let addresses = &asked.0.addresses.0;
    let (checked, central) =
        directory::check(&portal.directory, account, kind, addresses, by).await?;
    let checked = checked.iter().map(CheckedAddress::of).collect();
    Ok(Json(CheckedAddresses { checked, central: CentralWord::of(central) }))
}

pub async fn take(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    asked: Json<TakenAddress>,
) -> Answered<Once<Created<Contact>>> {
    call.may_add()?;
    let address = Some(asked.0.address.0);
    let form = QueryForm { kind: "address".to_owned(), address, ..QueryForm::default() };
    let query = Query::parse(&form).map_err(|error| match error {
        // Blank is no address.
        directory::DirectoryError::Few(..) => malformed_address(),
        other => other.into(),
    })?;
    let (account, by) = (call.account_id()?, call.by()?);
    let answer = directory::ask(&portal.directory, account, query, by.clone()).await?;
    let found = answer.found.into_iter().next().ok_or(Problem::DirectoryUnknown)?;
    let uid = random::bytes();
    let work = move |tx: &mut Tx<'_>, call: &Call| {
        call.may_add_in(tx)?;
        let made = match directory::save_in(tx, account, uid, &found.record, &by) {
            Err(ContactError::Bad(Fault::Taken { .. })) => Err(Problem::ContactThere),
            made => Ok(made?),
        }?;
        let at = format!("/contacts/{}", made.uid);
        call.once(tx, Created { value: Contact::of(&made), at })
    };
    acting(&portal, &call, work).await
}

impl HolderKind {
    fn kind(self) -> Kind {
        match self {
            Self::Person => Kind::Person,
            Self::Company => Kind::Company,
            Self::Public => Kind::Public,
        }
    }
}

impl CheckedAddress {
    fn of(checked: &Checked) -> Self {
        let (kind, service) = match &checked.verdict {
            Verdict::Listed { kind, service } => (Some(*kind), *service),
            Verdict::NotListed | Verdict::Malformed | Verdict::Unanswered => (None, None),
        };
        Self {
            address: checked.address.clone(),
            verdict: checked.verdict.word().to_owned(),
            kind: kind.map(|kind| kind.word().to_owned()),
            service: service.map(|service| service.word().to_owned()),
        }
    }
}
