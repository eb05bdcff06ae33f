//! The one integration binary: each file of this folder is a topic.

mod demo;
mod dialogue;
mod imap_script;
mod imap_served;
mod imap_transcripts;
mod imap_world;
mod lane;
mod mail;
mod pure;
mod smtp;
mod smtp_served;
mod storage;
mod tidy;
mod transcript;
mod units;
#[path = "../e2e/wire.rs"]
mod wire;
