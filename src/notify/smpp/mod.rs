//! SMS over SMPP 3.4: one connection that is kept, on which messages go out and receipts come in.

mod dial;
mod pending;

pub use dial::{Client, Session};

use crate::wire::smpp::text::{Long, Turkish};
use rustls::ClientConfig;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// An SMSC, and what was agreed with it.
#[derive(Clone)]
pub struct Smsc {
    pub host: String,
    pub port: u16,
    /// TLS to the name above; none in the clear.
    pub tls: Option<Arc<ClientConfig>>,
    pub system_id: String,
    pub password: SecretString,
    pub system_type: String,
    /// Whom the message is from, as phones show it.
    pub sender: String,
    pub turkish: Turkish,
    pub long: Long,
    /// Submissions whose answer is awaited at once.
    pub window: usize,
    /// Submissions in a second.
    pub rate: u32,
    /// How long the connection may be silent before it is asked whether it lives.
    pub enquire: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}
