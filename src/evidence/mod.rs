//! Every fact becomes signed evidence, is kept, and travels back as a mail.
//!
//! `draft` writes what is to be signed, `run` signs, stamps and keeps it, `parcel` makes the mail,
//! `returned` is what others' evidence means for ours, `verify` judges what anybody hands in, `agree`
//! compares our rows with it. Certify asks for the acceptance evidence here, because the dispatch
//! encloses it; every other fact comes through the spool.

pub mod agree;
pub mod archive;
pub mod draft;
pub mod keywords;
pub mod material;
pub mod parcel;
pub mod returned;
mod run;
pub mod verify;

#[cfg(test)]
pub(crate) use run::tests as testing;
pub use run::{Facts, IssueError, Issued, Issuer, Parcel, load, show_on_sent_copy, words_of_sent};
