//! The one integration binary: each file of this folder is a topic.

mod lane;
mod smtp;
mod tidy;
mod transcript;
mod units;
