//! The one integration binary: each file of this folder is a topic.

// The fuzz targets name their entry point by the crate that defines it.
extern crate self as libfuzzer_sys;

mod autoconfig;
#[path = "../directory/mod.rs"]
mod central;
mod demo;
mod dialogue;
mod fuzz;
mod imap_attributes;
mod imap_bound;
mod imap_multi;
mod imap_over;
mod imap_script;
mod imap_served;
mod imap_transcripts;
mod imap_world;
mod lane;
#[path = "../lists/mod.rs"]
mod lists;
mod mail;
mod manual;
mod portal_served;
mod pure;
mod small_disk;
mod smtp;
mod smtp_served;
mod storage;
mod tidy;
mod transcript;
mod units;
#[path = "../e2e/wire.rs"]
mod wire;
