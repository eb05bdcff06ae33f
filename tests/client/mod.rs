//! Test clients: what a mail program does, for tests and benches.
//!
//! They know the protocols and the command line of `kep`, never the library: what they see is what
//! a user sees. Include with `#[path = "…/tests/client/mod.rs"] mod client;`.
// Every binary that includes the clients uses its own part of them, and a bench has no test runner.
#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod imap;
pub mod mail;
pub mod smtp;
pub mod tls;
pub mod world;
