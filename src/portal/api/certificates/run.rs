//! Certificates, registered and taken away.

use super::{Certificates, NewCertificate, OneCertificate, Shown};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Created, Done, Json, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::registry::credentials::certificates::{self, Registered};
use crate::trust::Certificate;
use crate::wire::Digest;
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    (): (),
) -> Answered<Json<Certificates>> {
    let all = certificates::list(&portal.store, call.session()?.session.owner).await?;
    Ok(Json(Certificates { certificates: all.iter().map(Shown::of).collect() }))
}

pub async fn add(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    Json(new): Json<NewCertificate>,
) -> Answered<Created<Shown>> {
    call.may_add()?;
    let unfit = |why: String| Problem::CredentialUnfit(why);
    let certificate =
        Certificate::from_der(&new.certificate.0).map_err(|error| unfit(error.to_string()))?;
    let (owner, by, uses) = (call.session()?.session.owner, call.by()?, new.uses.meant());
    certificates::add(&portal.store, owner, certificate.clone(), uses, &by).await?;
    let value = Shown::of(&Registered { certificate, uses, added_at: call.now, owner });
    let at = format!("/certificates/{}", value.fingerprint);
    Ok(Created { value, at })
}

pub async fn remove(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OneCertificate,
    (): (),
) -> Answered<Done> {
    call.may_add()?;
    let digest = Digest::from_hex(&asked.fingerprint.0).ok_or(Problem::CredentialUnknown)?;
    let (owner, by) = (call.session()?.session.owner, call.by()?);
    match certificates::remove(&portal.store, owner, false, digest, &by).await? {
        true => Ok(Done),
        false => Err(Problem::CredentialUnknown),
    }
}
