//! `kep`: a registered-mail provider (Turkish KEP, ETSI REM).
//!
//! The rooms below stand in the order of a message's way, which is also the alphabet. A room may
//! use only rooms below it; `tests/it/tidy.rs` reads the imports and holds this.
#![forbid(unsafe_code)]

/// 1 · A message comes in, and is accepted or refused.
pub mod accept;
/// 2 · What was accepted is wrapped, signed and stamped into a dispatch.
pub mod certify;
/// 3 · The dispatch reaches a local mailbox, or another provider.
pub mod deliver;
/// 4 · Every fact becomes signed evidence, is kept, and travels back.
pub mod evidence;
/// 5 · The addressee opens it with a mail program.
pub mod mailbox;
/// 6 · The addressee is told outside KEP.
pub mod notify;
/// 7 · The addressee opens or writes one in a browser; the JSON API.
pub mod portal;

/// Who: accounts, credentials, providers, policies.
pub mod registry;
/// Jobs and facts between the steps.
pub mod spool;
/// Where bytes rest; the only room that knows SQL.
pub mod store;
/// Keys, certificates, time; the only room that knows cryptography.
pub mod trust;
/// Pure grammars.
pub mod wire;
