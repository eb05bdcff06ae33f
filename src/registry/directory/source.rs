//! From where an entry has its data.

use super::entry::Subject;
use super::record::{Kind, Record};
use crate::registry::accounts::AccountState;
use crate::store::{RowsError, Tx, accounts};
use crate::wire::{AccountId, KepAddress};

/// Of whom an account's entry is made; nothing for one that is not in use.
pub(super) fn subject(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Subject>, RowsError> {
    let row = accounts::by_id(tx, account)?;
    if row.state != AccountState::Active.word() {
        return Ok(None);
    }
    let address =
        KepAddress::parse(&row.address).map_err(|_| RowsError::Stored("a KEP address"))?;
    let (given, family) = row.name.trim().rsplit_once(' ').unwrap_or(("", row.name.trim()));
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let record =
        Record { given: text(given), family: text(family), ..Record::bare(&address, Kind::Person) };
    Ok(Some(Subject { record, tax_number: None, identity: row.national_id }))
}
