//! A message on its way in, which may not come whole: who goes away in the middle of it has something to do
//! (`registry/tasks`), as by SMTP.

use super::call::{Answered, Caller};
use super::desk::{Accepting, Letter};
use super::endpoint::Endpoint;
use super::problem::Problem;
use crate::registry::audit::Channel;
use crate::wire::Timestamp;
use axum::body::Bytes;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The octets of a body so far. Dropped before `end`, as when the connection is gone, it is noted.
pub struct Upload {
    desk: Arc<dyn Accepting>,
    /// Whose message it is, where it is one.
    letter: Option<Letter>,
    pub octets: Vec<u8>,
}

impl Upload {
    pub fn begin(
        desk: &Arc<dyn Accepting>,
        endpoint: &Endpoint,
        caller: &Caller,
        at: Timestamp,
    ) -> Self {
        let letter = if endpoint.submits { letter(caller, at) } else { None };
        Self { desk: Arc::clone(desk), letter, octets: Vec::new() }
    }

    /// It came whole, or was refused, or broke off.
    pub fn end(mut self, read: Answered<()>) -> Answered<Bytes> {
        let broke_off = matches!(read, Err(Problem::MalformedRequest(_) | Problem::Slow));
        if !broke_off {
            self.letter = None;
        }
        read.map(|()| Bytes::from(std::mem::take(&mut self.octets)))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(letter), Ok(runtime)) = (self.letter.take(), Handle::try_current()) else {
            return;
        };
        // What was taken for the rest is free again.
        let octets = Bytes::copy_from_slice(self.octets.get(..HEAD).unwrap_or(&self.octets));
        runtime.spawn(self.desk.broke_off(Letter { octets, ..letter }));
    }
}

fn letter(caller: &Caller, at: Timestamp) -> Option<Letter> {
    let account = match caller {
        Caller::Account { account, .. } => account.as_ref(),
        Caller::Person(present) => &present.admitted.account,
        Caller::Anybody | Caller::Staff { .. } => return None,
    };
    Some(Letter {
        account: account.id,
        address: account.address.clone(),
        operator: caller.operator().map(|operator| operator.code),
        at,
        channel: Channel::Api,
        recipients: Vec::new(),
        octets: Bytes::new(),
    })
}

/// It is known by its header.
const HEAD: usize = 64 << 10;
