//! What other providers hand over: taken only under a seal that is registered, for accounts of ours,
//! or as evidence of what we sent; a report of it, of whom the connection shows.
//!
//! `run` is the desk behind the session's second role; `refusals` says what a fault sounds like there;
//! `incoming` makes a message's rows of a dispatch, `returning` lays evidence to our own messages,
//! `reporting` what servers say of our mail by delivery reports.

mod incoming;
mod refusals;
mod reporting;
mod returning;
mod run;

pub use run::Desk;
pub(in crate::accept) use run::path;

#[cfg(test)]
mod tests;
