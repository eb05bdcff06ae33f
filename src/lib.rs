//! `kep`: a registered-mail provider (Turkish KEP, ETSI REM).
//!
//! The rooms below stand in the order of a message's way, which is also the alphabet. A room may
//! use only rooms below it; `tests/it/tidy.rs` reads the imports and holds this.
#![forbid(unsafe_code)]

pub mod accept;
pub mod deliver;
pub mod wire;
