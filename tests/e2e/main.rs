//! The shipped binary from outside: `kep dev init`, `kep serve`, and from then on sockets, exported
//! files and outside judges. Each test has a provider of its own.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../client/mod.rs"]
mod client;
#[path = "../it/imap_script.rs"]
mod imap_script;
#[path = "../it/lane.rs"]
mod lane;
#[path = "../it/small_disk.rs"]
mod small_disk;
#[path = "../it/transcript.rs"]
mod transcript;

mod accepted;
mod accounts;
mod at_rest;
mod authority;
mod corpus;
mod curl;
mod disk;
mod elsewhere;
mod fetchmail;
mod held;
mod imapclient;
mod judges;
mod logins;
mod mbsync;
mod mutt;
mod name_server;
mod opening;
mod other_provider;
mod outage;
mod providers;
mod reading;
mod refused;
mod routes;
mod running;
mod same_mail;
mod scene;
mod seal;
mod sent_copy;
mod stand_in;
mod store;
mod thunderbird;
mod time_out;
mod token;
mod tool;
mod transcripts;
mod verify;
mod walls;
mod wire;
