//! The directory (KEP Rehberi): which accounts are listed, and with what; who may ask how
//! much; what the central directory (Merkezi KEP Rehberi) knows of other providers' accounts, and that it
//! hears of ours at once.
//!
//! Natural persons are listed by their consent alone, companies and public bodies by law. An entry is
//! made of the holder's data ([`entry::refresh`]) whenever one of them changes.

mod ask;
mod batch;
mod consent;
pub mod dial;
pub mod entry;
mod fault;
mod query;
mod record;
pub mod run;
mod save;
mod source;

pub use ask::{Answer, Asked, Central, Directory, Found, Source, ask, log, log_of, log_page};
pub use batch::{Checked, MOST as BATCH_MAX, Verdict, check};
pub use consent::{Consent, Field};
pub use entry::{Subject, consent, consent_in, set_consent, set_consent_in, shown};
pub use fault::DirectoryError;
pub use query::{Key, Query, QueryForm};
pub use record::{Kind, Named, Record, Service};
pub use save::{Saved, save, save_in};

#[cfg(test)]
mod tests;
