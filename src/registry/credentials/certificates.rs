//! Certificates that are registered for an account: what its holder and its operators sign and log in with.

use super::{CredentialError, Owner, record, telling};
use crate::registry::accounts::CertificateUse;
use crate::registry::audit::By;
use crate::registry::operators;
use crate::store::accounts as account_rows;
use crate::store::credentials::certificates as rows;
use crate::store::operators as operator_rows;
use crate::store::{Lane, RowsError, Store, Tx};
use crate::trust::Certificate;
use crate::wire::{Digest, OperatorCode, Timestamp};
use serde_json::json;

/// One that is registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    pub certificate: Certificate,
    pub uses: CertificateUse,
    pub added_at: Timestamp,
    pub owner: Owner,
}

/// Registers it; one that is there is for this use from now on. One that names an operator by T.C. kimlik
/// no must name him, and one that is somebody else's of the account stays so.
pub async fn add(
    store: &Store,
    owner: Owner,
    certificate: Certificate,
    uses: CertificateUse,
    by: &By,
) -> Result<(), CredentialError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        let digest = certificate.digest();
        let there = operator_rows::of_certificate(tx, owner.account, &digest.0)?;
        if let Some((whose, _)) = there
            && whose != owner.operator
            && !operators::has_ended(tx, owner.account, whose)?
        {
            return Err(CredentialError::CertificateOfAnother);
        }
        if rows::of(tx, owner.account)?.len() >= MOST {
            return Err(CredentialError::ManyCertificates(MOST));
        }
        if let Some(code) = OperatorCode::of_number(owner.operator) {
            let one = operators::acting(tx, owner.account, code)?;
            let one = one.ok_or(CredentialError::CertificateOfAnother)?;
            let number = certificate.identity_number();
            if number.is_some_and(|number| number != one.person.identity_number) {
                return Err(CredentialError::CertificateOfAnother);
            }
        }
        let der = certificate.der();
        account_rows::add_certificate(tx, owner.account, &digest.0, der, uses.word(), by.at)?;
        if owner.operator != 0 {
            operator_rows::give_certificate(tx, owner.account, &digest.0, owner.operator)?;
        }
        telling::changed(tx, owner, by.at)?;
        let subject = certificate.subject();
        let details =
            json!({ "fingerprint": digest.hex(), "subject": subject, "use": uses.word() });
        record(tx, &by, "account.certificate.add", owner, details)
    };
    store.write(Lane::Client, work).await
}

/// Takes it away; false when this person has none of this digest. `any`: whoseever of the account it is.
pub async fn remove(
    store: &Store,
    owner: Owner,
    any: bool,
    digest: Digest,
    by: &By,
) -> Result<bool, CredentialError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        let there = operator_rows::of_certificate(tx, owner.account, &digest.0)?;
        let Some(whose) = there.map(|(whose, _)| Owner { operator: whose, ..owner }) else {
            return Ok(false);
        };
        if !any && whose != owner {
            return Ok(false);
        }
        account_rows::remove_certificate(tx, owner.account, &digest.0)?;
        telling::changed(tx, whose, by.at)?;
        let details = json!({ "fingerprint": digest.hex() });
        record(tx, &by, "account.certificate.remove", whose, details)?;
        Ok::<_, CredentialError>(true)
    };
    store.write(Lane::Client, work).await
}

/// Those of one person; one that can't be read is left out.
pub async fn list(store: &Store, owner: Owner) -> Result<Vec<Registered>, CredentialError> {
    let work = move |tx: &mut Tx<'_>| rows::of(tx, owner.account);
    let found = store.look_up(work).await?;
    let mut all = Vec::new();
    for row in found.into_iter().filter(|row| row.operator == owner.operator) {
        let uses = CertificateUse::parse(&row.uses);
        let uses = uses.ok_or(RowsError::Stored("a certificate's use"))?;
        if let Ok(certificate) = Certificate::from_der(&row.certificate) {
            all.push(Registered { certificate, uses, added_at: row.added_at, owner });
        }
    }
    Ok(all)
}

/// Of an account, its operators' together.
const MOST: usize = 200;
