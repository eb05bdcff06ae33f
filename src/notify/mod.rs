//! The addressee is told outside KEP: by SMS (SMPP 3.4 or an HTTP gateway) and by ordinary mail through a
//! smarthost. What is to be said was laid into the outbox in the transaction of its cause; here it is
//! said, tried again while its window lasts, and what became of it is written down.
//!
//! A cause is said once at each place, as far as the other side allows: when the connection or this
//! process breaks between the octets and their answer, nobody knows whether it was taken, and it is said
//! again. It bears the same identifier then (part numbers of an SMS, `{id}` at a gateway, Message-ID).

mod claim;
mod dial;
mod fate;
pub mod gateway;
mod run;
pub mod smarthost;
pub mod smpp;
pub mod texts;

pub use dial::{Senders, Sms};
pub use fate::Said;
pub use run::Notify;
