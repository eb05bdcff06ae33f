//! What an account has, as one file for its holder (ZIP): its mails as they are, the evidence of what
//! it sent and was sent with the material that validates it, an index, checksums. Exporting is no
//! reading: of what is unopened only what a list shows is in it (invariant 3), and nothing is changed.

mod index;
mod message;
mod names;
mod request;
mod run;

pub use message::{concerns, contents, of_message};
pub use request::{Request, State, ask, begin, done, find, list, open};
pub use run::{Tell, accounts_of_holder, check, export, gather};

use super::RegistryError;
use super::staff::OffDuty;
use crate::store::export::Stored;
use crate::store::mail::Kind;
use crate::store::{RowsError, StoreError};
use crate::wire::{AccountId, Timestamp};
use serde::Serialize;
use thiserror::Error;

/// What an export holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub address: String,
    /// When it was begun (UTC).
    pub at: String,
    pub mails: u64,
    /// Of which the content is left out.
    pub unopened: u64,
    pub evidence: u64,
    /// Certificates, revocation lists and OCSP answers.
    pub material: u64,
}

/// What is wanted of an account.
#[derive(Clone, Debug)]
pub struct Extent {
    pub account: AccountId,
    pub address: String,
    pub mails: bool,
    pub evidence: bool,
    /// What its owner removed and a legal hold keeps, too.
    pub held: bool,
    pub from: Timestamp,
    /// Not any more.
    pub until: Timestamp,
}

impl Extent {
    /// All that the holder has.
    pub fn whole(account: AccountId, address: String) -> Self {
        let (from, until) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        Self { account, address, mails: true, evidence: true, held: false, from, until }
    }

    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// What a mail program put there has the day that the program gave it: the day on which it came counts as
    /// well, and of a message, be it moved since, that on which it was accepted, sealed or delivered.
    fn has(&self, stored: &Stored) -> bool {
        let own = [Some(stored.internal_date), stored.saved_at].into_iter().flatten();
        // An evidence mail is not the message that it is about.
        let way = stored.way.iter().copied().filter(|_| stored.kind != Kind::Evidence);
        own.chain(way).any(|at| self.covers(at))
    }
}

#[derive(Debug, Error)]
pub enum ExportError {
    #[error("there is no account {0}")]
    Unknown(String),
    #[error("an archive of an account is made by two of the staff")]
    OnePerson,
    #[error(transparent)]
    OffDuty(#[from] OffDuty),
    #[error("there is no export {0}")]
    UnknownRequest(i64),
    #[error("the export {0} can't be fetched any more")]
    Over(i64),
    #[error("an account asks for {most} exports in a day at most", most = request::MOST)]
    Many,
    #[error("the archive: {0}")]
    Io(#[from] std::io::Error),
    #[error("the index: {0}")]
    Index(#[from] serde_json::Error),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the work was stopped")]
    Stopped,
}

impl From<RowsError> for ExportError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}
