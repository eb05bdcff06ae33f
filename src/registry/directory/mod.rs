//! The directory (KEP Rehberi, R-80 to R-85): which accounts are listed, and with what; who may ask how
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

pub use ask::{Answer, Asked, Central, Directory, Found, Source, ask, log};
pub use batch::{Checked, Verdict, check};
pub use consent::{Consent, Field};
pub use entry::{Subject, consent, set_consent};
pub use fault::DirectoryError;
pub use query::{Key, Query, QueryForm};
pub use record::{Kind, Named, Record, Service};
pub use save::{Saved, save};

#[cfg(test)]
mod tests;
