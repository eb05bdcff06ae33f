<<<<<<< HEAD
//! `kep`: the server, its administration and its verifier.

mod settings;

=======
>>>>>>> imap
fn main() {}
