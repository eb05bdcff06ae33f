//! Passkeys of a person: asked for, registered, proven.

use super::{CredentialError, Owner, record, stays_second, telling};
use crate::registry::audit::By;
use crate::registry::signin::challenge::{self, Details, Kind};
use crate::store::credentials::passkeys::{self as rows, PasskeyRow};
use crate::store::{Lane, Store, Tx, accounts as account_rows};
use crate::trust::passkey::{self, PasskeyFault, Relying};
use crate::wire::Timestamp;
use crate::wire::webauthn::{Assertion, Creation, Registration};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde_json::json;

/// A passkey, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// As browsers write it: base64url.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    pub added_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl Passkey {
    fn of(row: &PasskeyRow) -> Self {
        Self {
            id: BASE64URL_NOPAD.encode(&row.id),
            name: row.name.clone(),
            added_at: row.added_at,
            used_at: row.used_at,
        }
    }
}

/// What the browser is asked, and the token that its answer comes with.
pub struct Asked {
    pub token: SecretString,
    /// `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
    pub options: serde_json::Value,
}

/// Asks for a new passkey. `provider` is how the authenticator names us.
pub async fn begin(
    store: &Store,
    relying: &Relying,
    provider: &str,
    owner: Owner,
    now: Timestamp,
) -> Result<Asked, CredentialError> {
    let read = move |tx: &mut Tx<'_>| {
        let account = account_rows::by_id(tx, owner.account)?;
        let there = rows::of(tx, owner.key())?.into_iter().map(|row| row.id);
        Ok::<_, CredentialError>((account, there.collect::<Vec<_>>()))
    };
    let (account, there) = store.read(read).await?;
    let (asked, user) = (passkey::challenge(), owner.to_string());
    let creation = Creation {
        rp_id: relying.id(),
        rp_name: provider,
        challenge: &asked,
        user: user.as_bytes(),
        user_name: &account.address,
        display_name: &account.name,
        exclude: &there,
    };
    let options = creation.json();
    let details = Details { passkey: Some(BASE64URL_NOPAD.encode(&asked)), ..Details::default() };
    let token = challenge::lay(store, Kind::NewPasskey, Some(owner), details, now).await?;
    Ok(Asked { token, options })
}

/// What the browser made of it.
pub async fn finish(
    store: &Store,
    relying: &Relying,
    owner: Owner,
    token: &SecretString,
    answer: &str,
    name: &str,
    by: &By,
) -> Result<Passkey, CredentialError> {
    let name = named(name)?;
    let given = Registration::parse(answer).ok_or(PasskeyFault::Malformed)?;
    let taken = challenge::take(store, Kind::NewPasskey, token, by.at).await?;
    let taken = taken.filter(|taken| taken.owner == Some(owner)).ok_or(CredentialError::Expired)?;
    let asked = taken.details.passkey().ok_or(CredentialError::Expired)?;
    let made = relying.register(&asked, &given)?;
    let row = PasskeyRow {
        id: made.id,
        owner: owner.key(),
        name,
        public_key: made.key,
        sign_count: made.sign_count,
        added_at: by.at,
        used_at: None,
    };
    let shown = Passkey::of(&row);
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if rows::of(tx, owner.key())?.len() >= MOST {
            return Err(CredentialError::ManyPasskeys(MOST));
        }
        if !rows::add(tx, &row)? {
            return Err(CredentialError::PasskeyThere);
        }
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.passkey.add", owner, json!({ "name": row.name }))
    };
    store.write(Lane::Client, work).await?;
    Ok(shown)
}

pub async fn list(store: &Store, owner: Owner) -> Result<Vec<Passkey>, CredentialError> {
    let all = store.read(move |tx| rows::of(tx, owner.key())).await?;
    Ok(all.iter().map(Passkey::of).collect())
}

/// Gives it another name; false when there is none of this id.
pub async fn rename(
    store: &Store,
    owner: Owner,
    id: &str,
    name: &str,
    by: &By,
) -> Result<bool, CredentialError> {
    let (name, by) = (named(name)?, by.clone());
    let Ok(id) = BASE64URL_NOPAD.decode(id.as_bytes()) else { return Ok(false) };
    let work = move |tx: &mut Tx<'_>| {
        let renamed = rows::rename(tx, owner.key(), &id, &name)?;
        if renamed {
            record(tx, &by, "login.passkey.rename", owner, json!({ "name": name }))?;
        }
        Ok::<_, CredentialError>(renamed)
    };
    store.write(Lane::Client, work).await
}

/// Takes it away; false when there is none of this id.
pub async fn remove(
    store: &Store,
    owner: Owner,
    id: &str,
    by: &By,
) -> Result<bool, CredentialError> {
    let Ok(id) = BASE64URL_NOPAD.decode(id.as_bytes()) else { return Ok(false) };
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| {
        account_rows::lock(tx, owner.account)?;
        if !rows::remove(tx, owner.key(), &id)? {
            return Ok(false);
        }
        stays_second(tx, owner, &by)?;
        telling::changed(tx, owner, by.at)?;
        record(tx, &by, "login.passkey.remove", owner, json!({}))?;
        Ok::<_, CredentialError>(true)
    };
    store.write(Lane::Client, work).await
}

/// Whose passkey proves this; of `owner`, where it is known who it must be.
pub(in crate::registry) fn prove(
    tx: &mut Tx<'_>,
    relying: &Relying,
    asked: &[u8],
    given: &Assertion,
    owner: Option<Owner>,
    now: Timestamp,
) -> Result<Option<Owner>, CredentialError> {
    let Some(row) = rows::find(tx, &given.id)? else { return Ok(None) };
    let whose = Owner::from(row.owner);
    if owner.is_some_and(|owner| owner != whose) {
        return Ok(None);
    }
    let named = given.user.as_ref().is_none_or(|user| user == whose.to_string().as_bytes());
    match relying.prove(asked, &row.public_key, row.sign_count, given) {
        Ok(count) if named && rows::used(tx, &row, count, now)? => Ok(Some(whose)),
        Ok(_) => Ok(None),
        Err(fault) => {
            tracing::info!(owner = %whose, %fault, "a passkey was refused");
            Ok(None)
        }
    }
}

/// One line of text.
fn named(name: &str) -> Result<String, CredentialError> {
    let name = name.trim();
    let good =
        !name.is_empty() && name.chars().count() <= NAME && !name.chars().any(char::is_control);
    good.then(|| name.to_owned()).ok_or(CredentialError::PasskeyName(NAME))
}

/// Of a person: a telephone, a computer, a key on the ring, and their successors.
const MOST: usize = 16;
/// Characters of a name.
const NAME: usize = 64;
