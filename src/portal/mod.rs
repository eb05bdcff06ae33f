//! 7 · The addressee opens or writes a message in a browser, or with a program of his own: the JSON API,
//! whose answers the pages share. `serve.rs` is the socket of both.

pub mod api;
pub mod serve;
