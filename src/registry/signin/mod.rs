//! Logging in to the portal and the API: by password, with a second factor where one is asked; by
//! passkey; by electronic signature. And the way back for who has forgotten his password.
//!
//! What is asked waits in a row under a token of its own, and is taken by its answer: nothing is
//! answered twice. Who is unknown, and who is known and wrong, hear the same after the same work.

pub mod challenge;
mod desk;
pub mod flow;
mod network;
mod recovery;
mod second;
mod signature;

pub use desk::{Answer, Client, Entered, SignIn};
pub use recovery::{Invited, Reset};
pub use second::{Asking, Fits, Given, Options, Second};
pub use signature::Purpose;
