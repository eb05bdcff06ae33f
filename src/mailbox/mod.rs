//! Step 5: the addressee opens it with a mail program. The IMAP session is a pure state machine:
//! bytes and answers in, bytes and asks out.

pub mod answer;
pub mod ask;
pub mod autoconfig;
mod bells;
mod command;
mod core;
pub mod drive;
mod notify;
mod reply;
pub mod serve;
pub mod session;
mod view;

pub use drive::drive;
pub use session::{Channel, Config, Next, Session, Tls, Watch};
