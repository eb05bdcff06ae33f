//! Address books (adres defteri): contacts as vCards, groups, import and export. A contact keeps its UID
//! and what nobody here understands, so that an interface for mail programs loses nothing later.
//!
//! Within an account a UID is one contact's, and so is a KEP address. Groups are rows; in a card that goes
//! out they are its CATEGORIES.

mod act;
mod book;
mod export;
mod fault;
mod fields;
mod group;
mod import;
mod report;
mod sheet;

pub use act::{add, add_in, change, change_in, put, remove, remove_in};
pub use book::{Contact, find, find_in, get, list, page_in};
pub use export::{Form as ExportForm, Pages, Separator, csv, vcards};
pub use fault::{ContactError, Fault};
pub use fields::{Fields, Phone, Postal};
pub use group::{
    Group, add_group, add_group_in, group_in, groups, groups_in, join, leave, membership_in,
    remove_group, remove_group_in, rename_group, rename_group_in,
};
pub use import::{Form, import};
pub use report::{Entry, Fate, Report};

/// Contacts of an account.
pub const CONTACTS_MAX: usize = 10_000;
/// Octets of all its cards.
pub const BOOK_MAX: i64 = 64 << 20;
/// Groups of an account.
pub const GROUPS_MAX: usize = 200;
/// Characters of a group's name.
pub const GROUP_NAME_MAX: usize = 64;
/// Octets of a file that is imported.
pub const FILE_MAX: usize = 16 << 20;
/// Entries of a file that is imported.
pub const ENTRIES_MAX: usize = 20_000;

#[cfg(test)]
mod tests;
