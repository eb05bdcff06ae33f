//! The shipped binary from outside: `kep dev init`, `kep serve`, and from then on sockets, exported
//! files and outside judges. Each test has a provider of its own.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../client/mod.rs"]
mod client;

mod accepted;
mod at_rest;
mod corpus;
mod demo;
mod judges;
mod opening;
mod outage;
mod refused;
mod running;
mod same_mail;
mod scene;
mod stand_in;
mod tool;
mod verify;
