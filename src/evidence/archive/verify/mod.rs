//! Whether stamps and evidence hold.

mod chain;
mod run;

pub use run::{Fault, Verdict, verify};
