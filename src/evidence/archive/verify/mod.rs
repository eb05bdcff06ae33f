//! Whether stamps and evidence hold.

mod run;

pub use run::{Fault, Verdict, verify};
