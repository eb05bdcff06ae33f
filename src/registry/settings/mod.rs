//! What a person sets for himself and finds again in every browser: the holder of an account, and each of
//! its operators. What nobody set is as the table has it.

pub mod kinds;
mod table;

pub use table::{DECLARED, Settings};

use super::accounts::{self, RegistryError};
use super::audit::{self, By};
use super::credentials::Owner;
use super::declared::Declared;
use crate::store::settings as rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx, operators};
use crate::wire::{KepAddress, OperatorCode};
use serde_json::json;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum SettingError {
    #[error("there is no setting {0}")]
    Unknown(String),
    #[error("that is no value of {key}: write {form}")]
    Value { key: &'static str, form: &'static str },
    #[error("{0} has no operator {1}")]
    NoOperator(String, i64),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for SettingError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// What somebody works with.
pub fn of(tx: &mut Tx<'_>, owner: Owner) -> Result<Settings, RowsError> {
    let mut settings = Settings::default();
    for (key, value) in rows::of(tx, (owner.account, owner.operator))? {
        if !settings.take(&key, &value) {
            tracing::warn!(key, "a setting that is not known here");
        }
    }
    Ok(settings)
}

/// Changes some, all or none; the audit says which, and not to what: a text beneath messages is its
/// owner's affair.
pub fn change(
    tx: &mut Tx<'_>,
    by: &By,
    owner: Owner,
    changes: &[(&str, String)],
) -> Result<Settings, SettingError> {
    crate::store::accounts::lock(tx, owner.account)?;
    let mut settings = of(tx, owner)?;
    let mut changed = Vec::new();
    for (key, value) in changes {
        let declared = declared(key)?;
        let before = settings.written(key);
        if !settings.take(key, value) {
            return Err(SettingError::Value { key: declared.key, form: declared.form });
        }
        let after = settings.written(key);
        if before == after {
            continue;
        }
        let value = after.unwrap_or_default();
        rows::set(tx, (owner.account, owner.operator), declared.key, &value, by.at)?;
        changed.push(declared.key);
    }
    // Where the holder himself is told; a deputy reads his own language.
    if changed.contains(&"language") && owner.operator == 0 {
        crate::store::notices::set_language(tx, owner.account, settings.language.word())?;
    }
    if !changed.is_empty() {
        let address = crate::store::accounts::by_id(tx, owner.account)?.address;
        let details = json!({ "settings": changed, "operator": owner.operator });
        audit::record(tx, by, "account.settings", &address, details)?;
    }
    Ok(settings)
}

/// Whose settings are meant by an address and a code.
pub async fn owner(
    store: &Store,
    address: &KepAddress,
    operator: Option<OperatorCode>,
) -> Result<Owner, SettingError> {
    let account = accounts::get(store, address).await?.id;
    let number = OperatorCode::or_holder(operator);
    let known = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
        let row = operators::find(tx, account, number)?;
        Ok(number == 0 || row.is_some_and(|one| one.ended.is_none()))
    };
    match store.read(known).await? {
        true => Ok(Owner { account, operator: number }),
        false => Err(SettingError::NoOperator(address.to_string(), number)),
    }
}

pub async fn show(store: &Store, owner: Owner) -> Result<Settings, SettingError> {
    Ok(store.read(move |tx: &mut Tx<'_>| of(tx, owner)).await?)
}

pub async fn set(
    store: &Store,
    by: &By,
    owner: Owner,
    key: &str,
    value: &str,
) -> Result<Settings, SettingError> {
    let (by, key, value) = (by.clone(), declared(key)?.key, value.to_owned());
    let work = move |tx: &mut Tx<'_>| change(tx, &by, owner, &[(key, value.clone())]);
    store.write(Lane::Client, work).await
}

fn declared(key: &str) -> Result<&'static Declared, SettingError> {
    let found = DECLARED.iter().find(|declared| declared.key == key);
    found.ok_or_else(|| SettingError::Unknown(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_read_as_it_is_written() {
        let settings = Settings::default();
        for declared in DECLARED {
            let written = settings.written(declared.key).unwrap();
            let mut again = Settings::default();
            assert!(again.take(declared.key, &written), "{}: {written}", declared.key);
            assert_eq!(again, settings, "{}", declared.key);
            assert!(!declared.turkish.is_empty() && !declared.english.is_empty());
        }
        let keys: std::collections::BTreeSet<_> = DECLARED.iter().map(|one| one.key).collect();
        assert_eq!(keys.len(), DECLARED.len(), "a key is declared once");
    }

    #[test]
    fn what_is_out_of_bounds_is_no_value() {
        for (key, bad) in [
            ("page-size", "26"),
            ("page-size", "-25"),
            ("page-size", "99999999999"),
            ("density", ""),
            ("language", "de"),
            ("undo", "61"),
            ("columns", "date,date"),
            ("columns", ""),
            ("columns", "secret"),
            ("signature-text", "a\u{0}b"),
            ("shortcuts", "maybe"),
            ("nothing", "1"),
        ] {
            assert!(!Settings::default().take(key, bad), "{key} {bad:?}");
        }
        let long = "ş".repeat(kinds::SIGNATURE);
        assert!(Settings::default().take("signature-text", &long));
        assert!(!Settings::default().take("signature-text", &format!("{long}s")));
    }
}
