//! `kep`: the server, its administration and its verifier.

mod settings;

fn main() {}
