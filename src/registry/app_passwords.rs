//! Passwords that we generate for mail programs: one each, so that it can be taken away alone. The
//! first group of a password is the name of its row; the five behind it are 125 random bits.

use super::accounts::{self, OpeningMode, RegistryError};
use super::audit::{self, By};
use super::credentials::{self, Owner};
use crate::store::app_passwords::{self as rows, AppPasswordRow};
use crate::store::operators as operator_rows;
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::scram::{self, ITERATIONS, Verifier};
use crate::trust::{TrustError, password, random};
use crate::wire::{AccountId, KepAddress, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// A generated password, as far as it is known after it was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppPassword {
    /// Its first group.
    pub id: String,
    /// What its owner calls it: the program, the device.
    pub name: String,
    /// `None`: as the account opens.
    pub opening: Option<OpeningMode>,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    /// To within an hour.
    pub used_at: Option<Timestamp>,
}

/// A door that a password is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    Smtp,
    Imap,
}

/// Doors, at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scopes(Vec<Scope>);

/// What is wanted of a new password.
#[derive(Clone, Debug)]
pub struct NewPassword {
    pub name: String,
    /// `None`: as the account opens.
    pub opening: Option<OpeningMode>,
    pub scopes: Scopes,
}

impl Scope {
    pub const ALL: [Self; 2] = [Self::Smtp, Self::Imap];

    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

impl Scopes {
    /// Nothing of none.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Option<Self> {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        (!scopes.is_empty()).then_some(Self(scopes))
    }

    /// What a mail program needs.
    pub fn mail() -> Self {
        Self(vec![Scope::Smtp, Scope::Imap])
    }

    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.word()).collect()
    }

    /// As it was written. One that was made for the API alone opens nothing: that has tokens.
    fn parse(text: &str) -> Option<Self> {
        let words = text.split_ascii_whitespace().filter(|word| *word != FORMER);
        words.map(Scope::parse).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// Makes a password of an account. It is shown this once; nobody can say it again.
pub async fn add(
    store: &Store,
    address: &KepAddress,
    new: NewPassword,
    by: &By,
) -> Result<(AppPassword, SecretString), RegistryError> {
    add_then(store, address, new, by, |_, _| Ok::<_, RegistryError>(())).await
}

/// The same, and what belongs to it in the same transaction: `then` is told its id.
pub(super) async fn add_then<E>(
    store: &Store,
    address: &KepAddress,
    new: NewPassword,
    by: &By,
    then: impl Fn(&mut Tx<'_>, &str) -> Result<(), E> + Send + 'static,
) -> Result<(AppPassword, SecretString), E>
where
    E: From<RegistryError> + From<StoreError> + From<RowsError> + Send + 'static,
{
    let (new, now) = (NewPassword { name: named(&new.name)?, ..new }, by.at);
    let account = accounts::get(store, address).await?.id;
    let secret = SecretString::from(random::password(GROUPS));
    let id = id_of(secret.expose_secret()).unwrap_or_default();
    let there: Result<_, RowsError> = store.read(move |tx| rows::of_account(tx, account)).await;
    let made = salted(store, address, there?.last())
        .and_then(|salted| row(store, account, &id, &new, &secret, salted, now));
    let row = made.map_err(RegistryError::from)?;
    let (by, subject) = (by.clone(), address.to_string());
    let shown = known(&row)?;
    let insert = move |tx: &mut Tx<'_>| -> Result<bool, E> {
        crate::store::accounts::lock(tx, account)?;
        let there = rows::of_account(tx, account)?;
        if there.len() >= MOST {
            return Ok(false);
        }
        rows::add(tx, &row)?;
        then(tx, &row.id)?;
        let operator = operator_rows::of_password(tx, account, &row.id)?;
        credentials::tell_changed(tx, Owner { account, operator }, by.at)?;
        let details = json!({ "id": row.id, "name": row.name, "scopes": row.scopes });
        audit::record(tx, &by, "app-password.add", &subject, details)?;
        Ok(true)
    };
    match store.write(Lane::Client, insert).await? {
        true => Ok((shown, secret)),
        false => Err(RegistryError::ManyPasswords(address.clone(), MOST).into()),
    }
}

pub async fn list(store: &Store, address: &KepAddress) -> Result<Vec<AppPassword>, RegistryError> {
    let account = accounts::get(store, address).await?.id;
    let all = store.read(move |tx| rows::of_account(tx, account)).await?;
    Ok(all.iter().map(known).collect::<Result<_, _>>()?)
}

/// Those of one person: the holder's, or an operator's.
pub async fn of(store: &Store, owner: Owner) -> Result<Vec<AppPassword>, RegistryError> {
    let work = move |tx: &mut Tx<'_>| {
        let mut own = Vec::new();
        for row in rows::of_account(tx, owner.account)? {
            if operator_rows::of_password(tx, owner.account, &row.id)? == owner.operator {
                own.push(known(&row)?);
            }
        }
        Ok::<_, RowsError>(own)
    };
    Ok(store.read(work).await?)
}

/// Whether there was one. Who is connected by it is so no more: the next thing he asks for ends it.
pub async fn remove(
    store: &Store,
    address: &KepAddress,
    id: &str,
    by: &By,
) -> Result<bool, RegistryError> {
    let account = accounts::get(store, address).await?.id;
    let (id, by, subject) = (id.to_ascii_lowercase(), by.clone(), address.to_string());
    let work = move |tx: &mut Tx<'_>| {
        let removed = rows::remove(tx, account, &id)?;
        if removed {
            let details = json!({ "id": id });
            audit::record(tx, &by, "app-password.remove", &subject, details)?;
        }
        Ok::<_, RowsError>(removed)
    };
    Ok(store.write(Lane::Client, work).await?)
}

/// The password in the form that was shown, if it can be one: people leave hyphens out, or write
/// capital letters.
pub(super) fn shaped(secret: &SecretString) -> Option<SecretString> {
    let letters = secret.expose_secret().chars().filter(|c| !matches!(c, '-' | ' '));
    let letters: Vec<_> = letters.map(|c| c.to_ascii_lowercase()).take(LETTERS + 1).collect();
    let fits = letters.len() == LETTERS && letters.iter().all(char::is_ascii_alphanumeric);
    let groups = letters.chunks(GROUP).map(|group| group.iter().collect::<String>());
    fits.then(|| SecretString::from(groups.collect::<Vec<_>>().join("-")))
}

pub(super) fn id_of(secret: &str) -> Option<String> {
    secret.get(..GROUP).map(str::to_owned)
}

pub(super) fn known(row: &AppPasswordRow) -> Result<AppPassword, RowsError> {
    let mode = |word: &str| OpeningMode::parse(word).ok_or(RowsError::Stored("an opening mode"));
    Ok(AppPassword {
        id: row.id.clone(),
        name: row.name.clone(),
        opening: row.opening.as_deref().map(mode).transpose()?,
        scopes: Scopes::parse(&row.scopes).ok_or(RowsError::Stored("doors of a password"))?,
        created_at: row.created_at,
        used_at: row.used_at,
    })
}

/// What a SCRAM verifier is sealed for.
pub(super) fn owner(account: AccountId, id: &str) -> Vec<u8> {
    format!("app-password/{account}/{id}", account = account.0).into_bytes()
}

/// Notes that it was used; now and then is enough.
pub(super) async fn used(store: &Store, account: AccountId, known: &AppPassword, now: Timestamp) {
    if known.used_at.is_some_and(|at| now.millis() - at.millis() < NOTED_SECS * 1000) {
        return;
    }
    let id = known.id.clone();
    let work = move |tx: &mut Tx<'_>| rows::used(tx, account, &id, now);
    if let Err(error) = store.write(Lane::Background, work).await {
        tracing::warn!(%error, "the use of a password could not be noted");
    }
}

fn row(
    store: &Store,
    account: AccountId,
    id: &str,
    new: &NewPassword,
    secret: &SecretString,
    (salt, iterations): (Vec<u8>, u32),
    now: Timestamp,
) -> Result<AppPasswordRow, TrustError> {
    let vault = store.blobs.vault();
    let verifier = Verifier::new(secret, &salt, iterations)?;
    Ok(AppPasswordRow {
        account,
        id: id.to_owned(),
        name: new.name.clone(),
        opening: new.opening.map(|mode| mode.word().to_owned()),
        scopes: new.scopes.words().join(" "),
        verifier: password::hash(secret)?,
        salt,
        iterations,
        scram: verifier.seal(vault, &owner(account, id))?,
        created_at: now,
        used_at: None,
    })
}

/// Those of the passwords that are there already: an exchange begins before it is known which one it
/// is of, so that all have the same.
fn salted(
    store: &Store,
    address: &KepAddress,
    newest: Option<&AppPasswordRow>,
) -> Result<(Vec<u8>, u32), TrustError> {
    Ok(match newest {
        Some(row) => (row.salt.clone(), row.iterations),
        None => (scram::salt(store.blobs.vault(), address.as_str())?.to_vec(), ITERATIONS),
    })
}

/// The name stands in evidence: one line of text.
fn named(name: &str) -> Result<String, RegistryError> {
    let name = name.trim();
    let sound = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let good = !name.is_empty() && name.chars().count() <= NAME && name.chars().all(sound);
    good.then(|| name.to_owned()).ok_or(RegistryError::PasswordName(NAME))
}

const GROUPS: usize = 6;
const GROUP: usize = 5;
const LETTERS: usize = GROUPS * GROUP;
/// Of an account: each is tried when SCRAM names none, and nobody has as many programs.
const MOST: usize = 32;
/// Characters of a name.
const NAME: usize = 64;
/// A door that earlier versions wrote down.
const FORMER: &str = "api";
const NOTED_SECS: i64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_however_it_is_typed() {
        let shape = |text: &str| {
            shaped(&SecretString::from(text)).map(|secret| secret.expose_secret().to_owned())
        };
        let whole = "abcde-fghjk-mnpqr-stvwx-yz012-34567";
        for typed in
            [whole, &whole.replace('-', ""), &whole.to_uppercase(), &whole.replace('-', " ")]
        {
            assert_eq!(shape(typed).as_deref(), Some(whole));
        }
        assert_eq!(id_of(whole).as_deref(), Some("abcde"));
        for other in ["", "secret", &whole[1..], &format!("{whole}x"), "ğ".repeat(30).as_str()] {
            assert_eq!(shape(other), None, "{other}");
        }
        assert_eq!(random::password(GROUPS).len(), whole.len());
    }

    #[test]
    fn a_name_is_one_line_of_text() {
        assert_eq!(named(" Thunderbird, evde ").unwrap(), "Thunderbird, evde");
        for bad in ["", " ", "a\nb", "a\0", "\u{ffff}", &"a".repeat(NAME + 1)] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }
}
