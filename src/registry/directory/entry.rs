//! Entries: made anew from the holder's data and consent, in the transaction that changes either. One that
//! is as it was costs nothing; each other one the central directory hears of.

use super::consent::Consent;
use super::fault::DirectoryError;
use super::record::{Kind, Record, name_key, phone_key, words};
use super::source;
use crate::registry::audit::{self, By};
use crate::store::directory::{self as rows, ConsentRow, EntryRow, Keys, push};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::wire::{AccountId, Timestamp};
use serde_json::json;

/// Of whom an entry is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// All that might be said of him.
    pub record: Record,
    /// Companies are found by it; it is not shown.
    pub tax_number: Option<String>,
    /// By which the holder is known: T.C. kimlik no and the like. It is compared, told to the central
    /// directory and never shown.
    pub identity: Option<String>,
}

/// What a person agreed to, and since when.
pub async fn consent(
    store: &Store,
    account: AccountId,
) -> Result<(Consent, Option<Timestamp>), DirectoryError> {
    let work = move |tx: &mut Tx<'_>| -> Result<_, DirectoryError> {
        let row = rows::consent(tx, account)?;
        let consent = row.as_ref().map(Consent::of).transpose()?.unwrap_or_default();
        Ok((consent, row.map(|row| row.changed_at)))
    };
    store.read(work).await
}

/// Records consent, or that it is taken back; the directory follows at once.
pub async fn set_consent(
    store: &Store,
    account: AccountId,
    consent: Consent,
    by: By,
) -> Result<(), DirectoryError> {
    let work = move |tx: &mut Tx<'_>| -> Result<(), DirectoryError> {
        accounts::lock(tx, account)?;
        let subject = source::subject(tx, account, by.at)?;
        if subject.is_none_or(|subject| subject.record.kind != Kind::Person) {
            return Err(DirectoryError::NoPerson);
        }
        let before = rows::consent(tx, account)?.as_ref().map(Consent::of).transpose()?;
        if before.unwrap_or_default() == consent {
            return Ok(());
        }
        let row = ConsentRow {
            listed: consent.is_listed(),
            findable: consent.ticked().0,
            fields: consent.words(),
            changed_at: by.at,
            changed_by: by.actor.to_string(),
        };
        rows::set_consent(tx, account, &row)?;
        let address = accounts::by_id(tx, account)?.address;
        let details =
            json!({ "listed": row.listed, "findable": row.findable, "fields": row.fields });
        refresh(tx, account, by.at)?;
        audit::record(tx, &by, "directory.consent", &address, details)?;
        Ok(())
    };
    store.write(Lane::Client, work).await
}

/// Makes an account's entry what it should be; says whether it was another. Whoever changes what is known
/// of a holder, or an account's state, calls it in the same transaction.
pub fn refresh(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<bool, RowsError> {
    let subject = source::subject(tx, account, at)?;
    enter(tx, account, subject, at)
}

/// Whether it is not what it should be, as far as nobody is changing that now.
pub(super) fn is_stale(
    tx: &mut Tx<'_>,
    account: AccountId,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let subject = source::subject(tx, account, at)?;
    Ok(due(tx, account, subject, at)?.is_some())
}

/// The same of what is known; `None`: the account is nobody's to be found.
pub fn enter(
    tx: &mut Tx<'_>,
    account: AccountId,
    subject: Option<Subject>,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let Some((row, titled)) = due(tx, account, subject, at)? else { return Ok(false) };
    rows::put(tx, &row, &titled)?;
    push::lay_in(tx, account, row.revision, at)?;
    Ok(true)
}

/// The entry that there should be in place of the one there is, with the words of its title.
fn due(
    tx: &mut Tx<'_>,
    account: AccountId,
    subject: Option<Subject>,
    at: Timestamp,
) -> Result<Option<(EntryRow, Words)>, RowsError> {
    let consent = rows::consent(tx, account)?.as_ref().map(Consent::of).transpose()?;
    let listed = listed(subject, &consent.unwrap_or_default());
    let known = rows::entry(tx, account)?;
    let (record, findable, keys, titled) = match &listed {
        Some(entry) => entry.columns()?,
        None if known.as_ref().is_none_or(|known| known.record.is_none()) => return Ok(None),
        None => (None, false, Keys::default(), Vec::new()),
    };
    let same = |known: &EntryRow| {
        known.record == record && known.findable == findable && known.keys == keys
    };
    if known.as_ref().is_some_and(same) {
        return Ok(None);
    }
    let kind = listed.as_ref().map(|entry| entry.record.kind.word().to_owned());
    let row = EntryRow {
        account,
        address: accounts::by_id(tx, account)?.address,
        kind: kind.or_else(|| known.as_ref().map(|known| known.kind.clone())).unwrap_or_default(),
        record,
        findable,
        keys,
        revision: known.map_or(0, |known| known.revision) + 1,
        changed_at: at,
    };
    Ok(Some((row, titled)))
}

/// What the directory has of an account that is in it.
struct Listed {
    record: Record,
    findable: bool,
    tax_number: Option<String>,
    identity: Option<String>,
}

fn listed(subject: Option<Subject>, consent: &Consent) -> Option<Listed> {
    let Subject { record, tax_number, identity } = subject?;
    match record.kind {
        Kind::Person => consent.is_listed().then(|| Listed {
            record: record.within(consent),
            findable: consent.is_findable(),
            tax_number: None,
            identity,
        }),
        Kind::Company | Kind::Public => {
            Some(Listed { record, findable: true, tax_number, identity: None })
        }
    }
}

/// Folded words of a title.
type Words = Vec<Vec<u8>>;
type Row = (Option<String>, bool, Keys, Words);

impl Listed {
    fn columns(&self) -> Result<Row, RowsError> {
        let Record { given, family, title, .. } = &self.record;
        let name = match (given, family) {
            (Some(given), Some(family)) => Some(name_key(given, family)),
            _ => None,
        };
        let keys = Keys {
            name,
            phone: self.record.phone.as_deref().and_then(phone_key),
            mersis: self.record.mersis.clone(),
            tax_number: self.tax_number.clone(),
            registry_number: self.record.registry_number.clone(),
            detsis: self.record.detsis.clone(),
            identity: self.identity.clone(),
        };
        let titled = title.as_deref().map(words).unwrap_or_default();
        let record = serde_json::to_string(&self.record);
        let record = record.map_err(|_| RowsError::Stored("a record"))?;
        Ok((
            Some(record),
            self.findable,
            keys,
            titled.into_iter().map(String::into_bytes).collect(),
        ))
    }
}

pub(super) fn read(row: &EntryRow) -> Result<Option<Record>, RowsError> {
    let record = row.record.as_deref().map(serde_json::from_str::<Record>);
    record.transpose().map_err(|_| RowsError::Stored("a record of the directory"))
}
