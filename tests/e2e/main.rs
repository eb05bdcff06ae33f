//! The shipped binary from outside: `kep dev init`, `kep serve`, and from then on sockets, exported
//! files and outside judges. Each test has a provider of its own.

#[path = "../client/mod.rs"]
mod client;

mod accepted;
mod judges;
mod refused;
mod same_mail;
mod scene;
mod tool;
