//! What an operator logs in and signs by: mail-program passwords and certificates that are his alone.

use super::{Operator, OperatorError, Standing, active, find, record, rows};
use crate::registry::accounts::{self, CertificateUse};
use crate::registry::app_passwords::{self, AppPassword, NewPassword};
use crate::registry::audit::By;
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows};
use crate::trust::Certificate;
use crate::wire::{AccountId, KepAddress, OperatorCode};
use secrecy::SecretString;
use serde_json::json;

/// Makes a mail-program password of an operator; it is shown this once.
pub async fn give_password(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
    new: NewPassword,
) -> Result<(AppPassword, SecretString), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (giver, subject) = (by.clone(), address.clone());
    let give = move |tx: &mut Tx<'_>, id: &str| -> Result<(), OperatorError> {
        let one = active(tx, account, &subject, code)?;
        rows::give_password(tx, account, id, code.number())?;
        Ok(record(tx, &giver, "operator.password", &subject, &one, json!({ "id": id }))?)
    };
    app_passwords::add_then(store, address, new, by, give).await
}

/// Those of an operator.
pub async fn passwords(
    store: &Store,
    address: &KepAddress,
    one: &Operator,
) -> Result<Vec<AppPassword>, OperatorError> {
    let (account, code) = (one.account, one.code.number());
    let ids = store.read(move |tx| rows::passwords(tx, account, code)).await?;
    let mut all = app_passwords::list(store, address).await?;
    all.retain(|known| ids.contains(&known.id));
    Ok(all)
}

/// Registers a signing certificate as an operator's. One that names a person by T.C. kimlik no must name
/// him; one that is somebody else's stays so.
pub async fn give_certificate(
    store: &Store,
    by: &By,
    address: &KepAddress,
    code: OperatorCode,
    certificate: Certificate,
) -> Result<(), OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), OperatorError> {
        account_rows::lock(tx, account)?;
        let one = active(tx, account, &address, code)?;
        let number = certificate.identity_number();
        if number.is_some_and(|number| number != one.person.identity_number) {
            return Err(OperatorError::OtherPerson(code));
        }
        let digest = certificate.digest();
        match rows::of_certificate(tx, account, &digest.0)? {
            Some((there, _)) if there == code.number() => return Ok(()),
            Some((there, _)) if !has_ended(tx, account, there)? => {
                return Err(OperatorError::Taken);
            }
            // Of who acts no more, perhaps of the same person.
            _ => {}
        }
        let (der, uses) = (certificate.der(), CertificateUse::Both.word());
        account_rows::add_certificate(tx, account, &digest.0, der, uses, by.at)?;
        rows::give_certificate(tx, account, &digest.0, code.number())?;
        let details = json!({ "fingerprint": digest.hex(), "subject": certificate.subject() });
        Ok(record(tx, &by, "operator.certificate", &address, &one, details)?)
    };
    store.write(Lane::Client, work).await
}

/// Whether that code is of an operator who acts no more; 0 is the holder.
pub(in crate::registry) fn has_ended(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
) -> Result<bool, RowsError> {
    let Some(code) = OperatorCode::of_number(code) else { return Ok(false) };
    Ok(find(tx, account, code)?.is_some_and(|one| matches!(one.standing, Standing::Ended { .. })))
}

/// Those of an operator; one that can't be read is left out.
pub async fn certificates(
    store: &Store,
    one: &Operator,
) -> Result<Vec<Certificate>, OperatorError> {
    let (account, code) = (one.account, one.code.number());
    let found = store.read(move |tx| rows::certificates(tx, account, code)).await?;
    Ok(found.iter().filter_map(|der| Certificate::from_der(der).ok()).collect())
}
