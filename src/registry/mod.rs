//! Who: accounts, operators, credentials, credits, labels, contacts, directory, providers, and the
//! policies that hold for them.

pub mod holidays;
pub mod read_policy;
