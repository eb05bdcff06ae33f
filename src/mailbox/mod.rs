//! Step 5: the addressee opens it with a mail program. The IMAP session is a pure state machine:
//! bytes and answers in, bytes and asks out.

pub mod ask;
mod command;
mod core;
mod reply;
pub mod session;
mod view;

pub use session::{Config, Next, Session, Tls, Watch};
