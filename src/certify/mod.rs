//! What was accepted is wrapped, signed and stamped into a dispatch.
//!
//! `compose` decides what the dispatch says (pure), `run` has it signed and lays the result back.

mod compose;
mod run;

pub use compose::around;
pub use run::Sealing;
