//! What was found, into the asker's address book.

use super::record::Record;
use crate::registry::audit::By;
use crate::registry::contacts::{self, Contact, ContactError, Fault, Fields, Phone, Postal};
use crate::store::{Store, Tx};
use crate::wire::AccountId;

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Saved {
    pub new: Vec<Contact>,
    /// Addresses that a contact has already.
    pub known: Vec<String>,
    /// Addresses of records that make no contact, and why.
    pub refused: Vec<(String, Fault)>,
}

/// Makes a contact of each record whose address is not in the book.
pub async fn save(
    store: &Store,
    account: AccountId,
    records: &[Record],
    by: &By,
) -> Result<Saved, ContactError> {
    let mut saved = Saved::default();
    for record in records {
        match contacts::add(store, account, record.contact(), Vec::new(), by.clone()).await {
            Ok(contact) => saved.new.push(contact),
            Err(ContactError::Bad(Fault::Taken { .. })) => {
                saved.known.push(record.address.clone());
            }
            Err(ContactError::Bad(fault)) => {
                saved.refused.push((record.address.clone(), fault));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(saved)
}

/// Makes a contact of one, in a transaction. Of the octets its UID is made.
pub fn save_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    uid: [u8; 16],
    record: &Record,
    by: &By,
) -> Result<Contact, ContactError> {
    contacts::add_in(tx, account, uid, &record.contact(), &[], by)
}

impl Record {
    fn contact(&self) -> Fields {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let postal = Postal {
            street: text(&self.street),
            district: text(&self.district),
            province: text(&self.province),
            ..Postal::default()
        };
        let phone = self.phone.clone().map(|number| Phone { number, mobile: false });
        Fields {
            name: self.shown(),
            given: text(&self.given),
            family: text(&self.family),
            organisation: text(&self.title),
            kep: vec![self.address.clone()],
            phones: phone.into_iter().collect(),
            postal: Some(postal).filter(|postal| !postal.is_empty()),
            ..Fields::default()
        }
    }
}
