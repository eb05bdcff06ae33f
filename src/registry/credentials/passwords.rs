//! Passwords of people: which are taken, and the one door that sets them. NIST SP 800-63B-4 §3.1.1.2: a
//! length, a list of common ones, no rules of composition, no date on which they end.

use super::common::{ascii, is_common};
use super::{CredentialError, Owner, Rules, record, telling};
use crate::registry::accounts::RegistryError;
use crate::registry::audit::By;
use crate::store::credentials::{self as rows, challenges, sessions};
use crate::store::{Lane, Store, Tx, accounts as account_rows};
use crate::trust::password;
use crate::wire::{KepAddress, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// Why a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordFault {
    Short(usize),
    Long(usize),
    Common,
    /// It is the address or the name.
    Own,
    /// It can't be typed everywhere.
    Control,
}

impl PasswordFault {
    pub fn turkish(self) -> String {
        match self {
            Self::Short(least) => format!("en az {least} karakter olmalıdır"),
            Self::Long(most) => format!("en çok {most} karakter olabilir"),
            Self::Common => "çok kullanılan parolalardan biridir".into(),
            Self::Own => "KEP adresi veya ad olamaz".into(),
            Self::Control => "denetim karakteri içeremez".into(),
        }
    }

    pub fn english(self) -> String {
        match self {
            Self::Short(least) => format!("must have at least {least} characters"),
            Self::Long(most) => format!("may have at most {most} characters"),
            Self::Common => "is one that many have, and that is tried first".into(),
            Self::Own => "must not be the address or the name".into(),
            Self::Control => "must hold no control characters".into(),
        }
    }
}

impl std::error::Error for PasswordFault {}

impl std::fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.english())
    }
}

/// Whether a password may be one of this account. `own` are the names it goes by.
pub fn check(
    secret: &SecretString,
    address: &KepAddress,
    own: &[&str],
    least: usize,
) -> Result<(), PasswordFault> {
    let password = secret.expose_secret();
    // Before anything is made of it: it may be as long as whoever sends it likes.
    if password.len() > 4 * MOST || password.chars().count() > MOST {
        return Err(PasswordFault::Long(MOST));
    }
    if password.chars().count() < least {
        return Err(PasswordFault::Short(least));
    }
    if password.chars().any(char::is_control) {
        return Err(PasswordFault::Control);
    }
    if is_own(password, address, own) {
        return Err(PasswordFault::Own);
    }
    match is_common(password) {
        true => Err(PasswordFault::Common),
        false => Ok(()),
    }
}

/// Its letters are those of the address or of the name, whatever signs and digits stand around.
fn is_own(password: &str, address: &KepAddress, own: &[&str]) -> bool {
    let bare = |text: &str| -> String {
        ascii(text).chars().filter(|c| c.is_ascii_alphanumeric()).collect()
    };
    let password = bare(password);
    let letters = password.trim_matches(|c: char| c.is_ascii_digit());
    let names = [address.as_str(), address.local()].into_iter().chain(own.iter().copied());
    names.map(bare).filter(|name| name.len() >= 3).any(|name| {
        let turned = own.iter().any(|own| {
            let words: Vec<_> = own.split_whitespace().rev().collect();
            bare(&words.concat()) == letters
        });
        password == name || letters == name || turned
    })
}

/// A verifier for a password that may be one of this account.
pub async fn accept(
    store: &Store,
    address: &KepAddress,
    name: &str,
    secret: &SecretString,
    now: Timestamp,
) -> Result<String, CredentialError> {
    let rules = store.read(move |tx| Rules::at(tx, now)).await?;
    check(secret, address, &[name], rules.password_least)?;
    let secret = secret.clone();
    let hashed = tokio::task::spawn_blocking(move || password::hash(&secret)).await;
    Ok(hashed.map_err(|_| RegistryError::Trust(password::interrupted()))??)
}

/// Sets a password. It ends every session but, where it is named, the one that asked for it, and all
/// that waited for an answer; the person is told.
pub async fn set(
    store: &Store,
    owner: Owner,
    secret: &SecretString,
    but: Option<&str>,
    by: &By,
) -> Result<(), CredentialError> {
    let id = owner.account;
    let row = store.read(move |tx| account_rows::by_id(tx, id)).await?;
    let address = KepAddress::parse(&row.address).map_err(RegistryError::Address)?;
    let verifier = accept(store, &address, &row.name, secret, by.at).await?;
    let (by, but) = (by.clone(), but.map(str::to_owned));
    let work = move |tx: &mut Tx<'_>| put(tx, owner, &verifier, but.as_deref(), &by);
    store.write(Lane::Client, work).await
}

/// The same within a transaction, with a verifier that `accept` made.
pub(in crate::registry) fn put(
    tx: &mut Tx<'_>,
    owner: Owner,
    verifier: &str,
    but: Option<&str>,
    by: &By,
) -> Result<(), CredentialError> {
    account_rows::lock(tx, owner.account)?;
    match owner.operator {
        0 => account_rows::set_password(tx, owner.account, verifier, by.at)?,
        _ => rows::set_operator_password(tx, owner.key(), verifier, by.at)?,
    }
    let ended = sessions::end_all(tx, owner.key(), but)?;
    challenges::forget(tx, owner.account)?;
    // Mail programs that came in by the old one leave.
    account_rows::wake(tx, owner.account)?;
    telling::changed(tx, owner, by.at)?;
    record(tx, by, "account.password", owner, json!({ "sessions_ended": ended }))
}

/// Longer ones are no passwords but work for us.
const MOST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(password: &str) -> Option<PasswordFault> {
        let address = KepAddress::parse("ali.veli@hs05.kep.tr").unwrap();
        check(&SecretString::from(password), &address, &["Ali Öztürk Veli"], 8).err()
    }

    #[test]
    fn each_reason_has_its_name() {
        assert_eq!(fault("gizli bir söz"), None);
        assert_eq!(fault("şöçğüıé"), Some(PasswordFault::Short(8)));
        assert_eq!(fault("şöçğüıéz"), None, "characters count, not octets");
        assert_eq!(fault(&"çok uzun bir söz".repeat(17)), Some(PasswordFault::Long(256)));
        assert_eq!(fault(&"a".repeat(100 << 20)), Some(PasswordFault::Long(256)));
        assert_eq!(fault("bir\tsöz daha"), Some(PasswordFault::Control));
        assert_eq!(fault("galatasaray1905"), Some(PasswordFault::Common));
        for own in [
            "ali.veli@hs05.kep.tr",
            "Ali.Veli",
            "aliveli2026",
            "ali öztürk veli",
            "ALİÖZTÜRKVELİ",
            "veliöztürkali",
            "1980-ali-veli",
        ] {
            assert_eq!(fault(own), Some(PasswordFault::Own), "{own}");
        }
        assert_eq!(fault("aliveli ile bahçede"), None);
    }

    #[test]
    fn each_fault_is_said_in_both_languages() {
        for fault in [
            PasswordFault::Short(8),
            PasswordFault::Long(256),
            PasswordFault::Common,
            PasswordFault::Own,
            PasswordFault::Control,
        ] {
            assert!(!fault.turkish().is_empty() && !fault.english().is_empty());
        }
    }
}
