//! What was accepted is wrapped, signed and stamped into a dispatch; what another provider wrapped is
//! opened.
//!
//! `compose` decides what the dispatch says (pure), `run` has it signed and lays the result back;
//! `foreign` opens and judges (pure).

mod compose;
pub mod foreign;
mod run;

pub use compose::around;
pub use run::Sealing;
