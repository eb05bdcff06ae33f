//! The provider's own people: who may act for it, and what. Staff never see what a message says.

use super::audit::{self, Actor, By, Channel};
use crate::store::api_tokens;
use crate::store::staff::{self as rows, StaffRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::trust::TrustError;
use crate::trust::password::{self, Passwords};
use crate::wire::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use thiserror::Error;

/// One of the provider's people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// By which acts are recorded; never given to another person.
    pub name: String,
    pub display: String,
    pub roles: Vec<StaffRole>,
    /// Another one set his password, and knows it: he sets his own before he acts.
    pub password_given: bool,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What a member of staff may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StaffRole {
    /// Takes applications in and keeps accounts.
    Registrar,
    /// Approves what another one prepared.
    Approver,
    /// Tops credits up and corrects them.
    Accountant,
    /// Runs the machines: queues, providers, backups.
    Operator,
    /// Decides policies, and who is staff.
    Manager,
    /// Reads the audit.
    Auditor,
}

#[derive(Debug, Error)]
pub enum StaffError {
    #[error(
        "a name is 2 to {NAME} small letters, digits, dots and hyphens, and begins with a letter"
    )]
    Name,
    #[error("{0} is staff already, or was: a name is never given twice")]
    Exists(String),
    #[error("there is no member of staff {0}")]
    Unknown(String),
    #[error("a password of staff has at least {PASSWORD} characters")]
    Password,
    #[error("name or password of the member of staff is wrong")]
    Rejected,
    #[error("another one set the password of {0}, and knows it: {0} sets a new one before acting")]
    PasswordGiven(String),
    #[error("an own password is another than the one before")]
    PasswordSame,
    #[error(
        "one member of staff at least is a manager: without one nobody could change that again"
    )]
    NoManager,
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for StaffError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

impl Member {
    pub fn may(&self, role: StaffRole) -> bool {
        self.ended_at.is_none() && self.roles.contains(&role)
    }
}

impl StaffRole {
    pub const ALL: [Self; 6] = [
        Self::Registrar,
        Self::Approver,
        Self::Accountant,
        Self::Operator,
        Self::Manager,
        Self::Auditor,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Approver => "approver",
            Self::Accountant => "accountant",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

pub async fn add(
    store: &Store,
    by: &By,
    name: &str,
    display: &str,
    roles: &[StaffRole],
    secret: &SecretString,
) -> Result<Member, StaffError> {
    let row = StaffRow {
        name: named(name)?,
        display: display.trim().to_owned(),
        roles: words(roles),
        password: hashed(secret)?,
        given: false,
        added_at: by.at,
        ended_at: None,
    };
    let (by, new) = (by.clone(), row.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StaffError> {
        rows::lock(tx)?;
        // Who adds the first one is whoever holds the machine: himself, as nobody else could say.
        let given = rows::all(tx)?.iter().any(|one| one.ended_at.is_none());
        let new = StaffRow { given, ..new.clone() };
        let added = rows::add(tx, &new)?;
        if added {
            managed(tx)?;
            audit::record(tx, &by, "staff.add", &new.name, json!({ "roles": new.roles }))?;
        }
        Ok(added)
    };
    match store.write(Lane::Client, work).await? {
        true => Ok(member(&row)?),
        false => Err(StaffError::Exists(row.name)),
    }
}

pub async fn list(store: &Store) -> Result<Vec<Member>, StaffError> {
    let all = store.read(rows::all).await?;
    Ok(all.iter().map(member).collect::<Result<_, _>>()?)
}

pub async fn find(store: &Store, name: &str) -> Result<Option<Member>, StaffError> {
    let name = name.to_owned();
    let row = store.read(move |tx| rows::find(tx, &name)).await?;
    Ok(row.as_ref().map(member).transpose()?)
}

/// Somebody who is no member of staff with one of these roles: he has left, or never had it.
#[derive(Debug, Error)]
#[error("{name} is no member of staff who is {roles}")]
pub struct OffDuty {
    pub name: String,
    /// Words of the roles.
    pub roles: String,
}

/// Asks it in the transaction that acts.
pub fn on_duty<E: From<RowsError> + From<OffDuty>>(
    tx: &mut Tx<'_>,
    name: &str,
    roles: &[StaffRole],
) -> Result<(), E> {
    match has_one_of(tx, name, roles)? {
        true => Ok(()),
        false => {
            let roles = roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" / ");
            Err(OffDuty { name: name.to_owned(), roles }.into())
        }
    }
}

/// Whether a member of staff, who has not left, has one of these roles.
pub fn has_one_of(tx: &mut Tx<'_>, name: &str, roles: &[StaffRole]) -> Result<bool, RowsError> {
    let found = rows::find(tx, name)?.as_ref().map(member).transpose()?;
    Ok(found.is_some_and(|member| roles.iter().any(|role| member.may(*role))))
}

/// Whether anybody is staff yet: before that, whoever holds the machine acts by its own name.
pub async fn any(store: &Store) -> Result<bool, StaffError> {
    Ok(store.read(any_in).await?)
}

/// The same within somebody's transaction.
pub fn any_in(tx: &mut Tx<'_>) -> Result<bool, RowsError> {
    Ok(rows::all(tx)?.iter().any(|one| one.ended_at.is_none()))
}

/// Who it is by his password, of which nobody else knows. Who has ended is nobody.
pub async fn prove(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    secret: &SecretString,
    now: Timestamp,
) -> Result<Member, StaffError> {
    let member = member(&known(store, passwords, name, secret, now).await?)?;
    match member.password_given {
        true => Err(StaffError::PasswordGiven(member.name)),
        false => Ok(member),
    }
}

async fn known(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    secret: &SecretString,
    now: Timestamp,
) -> Result<StaffRow, StaffError> {
    let wanted = name.to_owned();
    let row = store.read(move |tx| rows::find(tx, &wanted)).await?;
    let row = row.filter(|row| row.ended_at.is_none());
    let verifier = row.as_ref().map(|row| row.password.as_str());
    match (passwords.verify(verifier, secret, now).await, row) {
        (true, Some(row)) => Ok(row),
        _ => Err(StaffError::Rejected),
    }
}

/// Sets the password of another one, who sets his own before he acts.
pub async fn give_password(
    store: &Store,
    by: &By,
    name: &str,
    secret: &SecretString,
) -> Result<(), StaffError> {
    put_password(store, by, name, secret, None).await
}

/// Sets one's own, proven by the one before.
pub async fn set_own_password(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    (old, new): (&SecretString, &SecretString),
    (channel, at): (Channel, Timestamp),
) -> Result<(), StaffError> {
    let StaffRow { name, password: proven, .. } = known(store, passwords, name, old, at).await?;
    if old.expose_secret() == new.expose_secret() {
        return Err(StaffError::PasswordSame);
    }
    let by = By { actor: Actor::Staff(name.clone()), channel, at };
    put_password(store, &by, &name, new, Some(proven)).await
}

/// `proven` is the verifier of the one before, where it is his own.
async fn put_password(
    store: &Store,
    by: &By,
    name: &str,
    secret: &SecretString,
    proven: Option<String>,
) -> Result<(), StaffError> {
    let (hash, given) = (hashed(secret)?, proven.is_none());
    let set = move |tx: &mut Tx<'_>, name: &str| {
        match &proven {
            // Whoever has another's tokens has them no more: a password is given where one was lost.
            None => _ = api_tokens::remove_of_staff(tx, name)?,
            // What was proven may have been taken away since.
            Some(proven) => {
                let row = rows::find(tx, name)?.filter(|row| row.password == *proven);
                row.ok_or(StaffError::Rejected)?;
            }
        }
        Ok(rows::set_password(tx, name, &hash, given)?)
    };
    change(store, by, name, "staff.password", json!({ "own": !given }), set).await
}

pub async fn set_roles(
    store: &Store,
    by: &By,
    name: &str,
    roles: &[StaffRole],
) -> Result<(), StaffError> {
    let roles = words(roles);
    let details = json!({ "roles": roles });
    let set = move |tx: &mut Tx<'_>, name: &str| {
        let there = rows::set_roles(tx, name, &roles)?;
        managed(tx)?;
        Ok(there)
    };
    change(store, by, name, "staff.roles", details, set).await
}

/// Ends: the name stays, for what it did.
pub async fn end(store: &Store, by: &By, name: &str) -> Result<(), StaffError> {
    let at = by.at;
    let set = move |tx: &mut Tx<'_>, name: &str| {
        let there = rows::set_end(tx, name, at)?;
        managed(tx)?;
        Ok(there)
    };
    change(store, by, name, "staff.end", json!({}), set).await
}

async fn change(
    store: &Store,
    by: &By,
    name: &str,
    act: &'static str,
    details: serde_json::Value,
    set: impl Fn(&mut Tx<'_>, &str) -> Result<bool, StaffError> + Send + 'static,
) -> Result<(), StaffError> {
    let (by, name) = (by.clone(), name.to_owned());
    let unknown = StaffError::Unknown(name.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StaffError> {
        rows::lock(tx)?;
        let there = set(tx, &name)?;
        if there {
            audit::record(tx, &by, act, &name, details.clone())?;
        }
        Ok(there)
    };
    store.write(Lane::Client, work).await?.then_some(()).ok_or(unknown)
}

/// Whoever is staff now can be managed: what asks for a manager asks for it as soon as anybody is staff.
fn managed(tx: &mut Tx<'_>) -> Result<(), StaffError> {
    let all = rows::all(tx)?.iter().map(member).collect::<Result<Vec<_>, _>>()?;
    let any = all.iter().any(|one| one.ended_at.is_none());
    match any && !all.iter().any(|one| one.may(StaffRole::Manager)) {
        true => Err(StaffError::NoManager),
        false => Ok(()),
    }
}

fn member(row: &StaffRow) -> Result<Member, RowsError> {
    let role = |word| StaffRole::parse(word).ok_or(RowsError::Stored("a role of staff"));
    Ok(Member {
        name: row.name.clone(),
        display: row.display.clone(),
        roles: row.roles.split_whitespace().map(role).collect::<Result<_, _>>()?,
        password_given: row.given,
        added_at: row.added_at,
        ended_at: row.ended_at,
    })
}

fn words(roles: &[StaffRole]) -> String {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" ")
}

fn named(name: &str) -> Result<String, StaffError> {
    let name = name.trim().to_ascii_lowercase();
    let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let good = begins && (2..=NAME).contains(&name.len()) && name.bytes().all(sound);
    good.then_some(name).ok_or(StaffError::Name)
}

fn hashed(secret: &SecretString) -> Result<String, StaffError> {
    if secret.expose_secret().chars().count() < PASSWORD {
        return Err(StaffError::Password);
    }
    Ok(password::hash(secret)?)
}

/// Octets of a name.
const NAME: usize = 32;
/// Characters of a password: staff hold more than one account.
const PASSWORD: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_word_that_logs_can_bear() {
        assert_eq!(named(" Ayse.Demir ").unwrap(), "ayse.demir");
        for bad in ["", "a", "1ayse", "ayşe", "a b", "a:b", &"a".repeat(NAME + 1)] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn roles_are_written_once_each() {
        let roles = [StaffRole::Auditor, StaffRole::Registrar, StaffRole::Auditor];
        assert_eq!(words(&roles), "registrar auditor");
        for role in StaffRole::ALL {
            assert_eq!(StaffRole::parse(role.word()), Some(role));
        }
    }
}
