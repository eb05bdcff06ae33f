//! The one integration binary: each file of this folder is a topic.

mod dialogue;
mod lane;
mod mail;
mod smtp;
mod storage;
mod tidy;
mod transcript;
mod units;
