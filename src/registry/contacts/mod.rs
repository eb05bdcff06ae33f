//! Address books (adres defteri): contacts as vCards, groups, import and export. A contact keeps its UID
//! and what nobody here understands, so that an interface for mail programs loses nothing later.
//!
//! Within an account a UID is one contact's, and so is a KEP address. Groups are rows; in a card that goes
//! out they are its CATEGORIES.

mod book;
mod export;
mod fault;
mod fields;
mod group;
mod import;
mod report;
mod sheet;

pub use book::{Contact, New, add, add_in, change, find, get, list, put, remove};
pub use export::{Separator, csv, vcards};
pub use fault::{ContactError, Fault};
pub use fields::{Fields, Phone, Postal};
pub use group::{Group, add_group, groups, join, leave, remove_group, rename_group};
pub use import::{Form, import};
pub use report::{Entry, Fate, Report};

/// Contacts of an account.
pub const CONTACTS_MAX: usize = 10_000;
/// Octets of all its cards.
pub const BOOK_MAX: i64 = 64 << 20;
/// Groups of an account.
pub const GROUPS_MAX: usize = 200;
/// Octets of a file that is imported.
pub const FILE_MAX: usize = 16 << 20;
/// Entries of a file that is imported.
pub const ENTRIES_MAX: usize = 20_000;

#[cfg(test)]
mod tests;
