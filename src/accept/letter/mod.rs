//! A message that comes in whole and by no dialogue: from the portal, or by the API. What SMTP finds out
//! command by command is found out here before the message is judged; nothing less is asked of it.

mod run;

use super::ask::Login;

/// A message, and for whom it is.
#[derive(Debug)]
pub struct Letter {
    /// Who wrote it, and when he showed that he is it.
    pub from: Login,
    /// As they were written.
    pub recipients: Vec<String>,
    pub octets: Vec<u8>,
    /// The largest message that may be submitted, in octets.
    pub most: u64,
}
