//! The shipped binary from outside: `kep dev init`, `kep serve`, and from then on sockets, exported
//! files and outside judges. Each test has a provider of its own.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../directory/mod.rs"]
mod central;
#[path = "../client/mod.rs"]
mod client;
#[path = "../it/imap_script.rs"]
mod imap_script;
#[path = "../it/lane.rs"]
mod lane;
#[path = "../lists/mod.rs"]
mod published;
#[path = "../it/small_disk.rs"]
mod small_disk;
#[path = "../it/transcript.rs"]
mod transcript;

mod accepted;
mod accounts;
mod administration;
mod api;
mod at_rest;
mod authority;
mod circuit;
mod clamd;
mod corpus;
mod credit;
mod curl;
mod dialects;
mod directory;
mod disk;
mod doors;
mod elsewhere;
mod export;
mod fetchmail;
mod forger;
mod held;
mod holders;
mod hostile;
mod imapclient;
mod judges;
mod keeping;
mod lists;
mod logins;
mod mbsync;
mod mutt;
mod name_server;
mod namespaces;
mod notices;
mod opening;
mod operators;
mod other_provider;
mod outage;
mod providers;
mod queue;
mod reading;
mod refused;
mod reports;
mod routes;
mod running;
mod same_mail;
mod scan;
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
