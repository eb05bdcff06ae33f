//! An authenticator app of a person, and ten codes on paper for the day it is lost.

use super::{CredentialError, Owner, record, stays_second, telling};
use crate::registry::audit::By;
use crate::store::credentials::totp as rows;
use crate::store::{Lane, Store, Tx, accounts as account_rows};
use crate::trust::one_time;
use crate::trust::totp::{Code, TotpSecret};
use crate::trust::vault::Vault;
use crate::wire::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;

/// What the app is to learn, once.
pub struct Enrolment {
    /// For a picture: `otpauth://…`.
    pub uri: SecretString,
    /// For who types it: base 32.
    pub secret: SecretString,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// `None`: its first code was not shown yet.
    pub confirmed_at: Option<Timestamp>,
    /// Codes on paper that are left.
    pub backup_codes: i64,
}

pub async fn known(store: &Store, owner: Owner) -> Result<Option<Known>, CredentialError> {
    let work = move |tx: &mut Tx<'_>| {
        let Some(row) = rows::get(tx, owner.key())? else { return Ok(None) };
        let backup_codes = rows::backup_codes(tx, owner.key())?;
        Ok::<_, CredentialError>(Some(Known { confirmed_at: row.confirmed_at, backup_codes }))
    };
    store.read(work).await
}

/// A new secret, which proves nothing until its first code is shown. `issuer` is how the app names us.
pub async fn enrol(
    store: &Store,
    owner: Owner,
    issuer: &str,
    by: &By,
) -> Result<Enrolment, CredentialError> {
    let secret = TotpSecret::generate();
    let sealed = secret.seal(store.blobs.vault(), &sealed_for(owner))?;
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if !rows::put(tx, owner.key(), &sealed, by.at)? {
            return Err(CredentialError::TotpThere);
        }
        record(tx, &by, "login.totp.enrol", owner, json!({}))?;
        Ok(account_rows::by_id(tx, owner.account)?.address)
    };
    let address = store.write(Lane::Client, work).await?;
    Ok(Enrolment { uri: secret.uri(issuer, &address), secret: secret.text() })
}

/// Its first code: from now on it proves. Gives the codes on paper.
pub async fn confirm(
    store: &Store,
    owner: Owner,
    code: &SecretString,
    by: &By,
) -> Result<Vec<SecretString>, CredentialError> {
    let code = Code::parse(code).ok_or(CredentialError::Code)?;
    let codes = new_codes();
    let digests = digests(store.blobs.vault(), owner, &codes)?;
    let (by, blobs) = (by.clone(), Arc::clone(&store.blobs));
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        match rows::get(tx, owner.key())? {
            None => return Err(CredentialError::NoTotp),
            Some(row) if row.confirmed_at.is_some() => return Err(CredentialError::TotpThere),
            Some(_) => {}
        }
        let vault = blobs.vault();
        if !fits(tx, vault, owner, code, by.at)? || !rows::confirm(tx, owner.key(), by.at)? {
            return Err(CredentialError::Code);
        }
        rows::set_backup_codes(tx, owner.key(), &digests)?;
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.totp.confirm", owner, json!({}))
    };
    store.write(Lane::Client, work).await?;
    Ok(codes)
}

/// New codes on paper; the old ones are void.
pub async fn renew_codes(
    store: &Store,
    owner: Owner,
    by: &By,
) -> Result<Vec<SecretString>, CredentialError> {
    let codes = new_codes();
    let digests = digests(store.blobs.vault(), owner, &codes)?;
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if rows::get(tx, owner.key())?.is_none_or(|row| row.confirmed_at.is_none()) {
            return Err(CredentialError::NoTotp);
        }
        rows::set_backup_codes(tx, owner.key(), &digests)?;
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.totp.codes", owner, json!({}))
    };
    store.write(Lane::Client, work).await?;
    Ok(codes)
}

/// Takes it away, with its codes on paper.
pub async fn remove(store: &Store, owner: Owner, by: &By) -> Result<(), CredentialError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if !rows::remove(tx, owner.key())? {
            return Err(CredentialError::NoTotp);
        }
        stays_second(tx, owner, &by)?;
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.totp.remove", owner, json!({}))
    };
    store.write(Lane::Client, work).await
}

/// Whether the code is right now, for the first time: it is used by that.
pub(in crate::registry) fn prove(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    code: &SecretString,
    now: Timestamp,
) -> Result<bool, CredentialError> {
    let Some(code) = Code::parse(code) else { return Ok(false) };
    fits(tx, vault, owner, code, now)
}

/// Whether it is one of the codes on paper: it is used by that.
pub(in crate::registry) fn prove_backup(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    code: &SecretString,
) -> Result<bool, CredentialError> {
    let Some(code) = one_time::shaped(code) else { return Ok(false) };
    let digest = one_time::keyed(vault, &owner.to_string(), &code)?;
    Ok(rows::use_backup_code(tx, owner.key(), &digest)?)
}

fn fits(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    code: Code,
    now: Timestamp,
) -> Result<bool, CredentialError> {
    let Some(row) = rows::get(tx, owner.key())? else { return Ok(false) };
    let secret = TotpSecret::unseal(vault, &sealed_for(owner), &row.secret)?;
    let step = secret.step_of(code, now, row.used_step).map_err(crate::trust::TrustError::from)?;
    match step {
        // Two at the same time: the one that changes the row was first.
        Some(step) => Ok(rows::use_step(tx, owner.key(), step)?),
        None => Ok(false),
    }
}

fn new_codes() -> Vec<SecretString> {
    (0..BACKUP_CODES).map(|_| one_time::backup_code()).collect()
}

fn digests(
    vault: &Vault,
    owner: Owner,
    codes: &[SecretString],
) -> Result<Vec<[u8; 32]>, CredentialError> {
    let digests = codes.iter().map(|code| one_time::keyed(vault, &owner.to_string(), code));
    Ok(digests.collect::<Result<_, _>>()?)
}

/// What the secret is sealed for.
pub(in crate::registry) fn sealed_for(owner: Owner) -> Vec<u8> {
    format!("totp/{owner}").into_bytes()
}

const BACKUP_CODES: usize = 10;
