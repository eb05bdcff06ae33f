//! The one integration binary: each file of this folder is a topic.

mod smtp;
mod tidy;
mod transcript;
