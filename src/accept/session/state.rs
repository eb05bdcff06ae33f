//! Where a session stands. Each state owns what belongs to it.

use crate::accept::ask::{Envelope, Login, Origin};
use crate::accept::refusal::Refusal;
use crate::wire::KepDomain;
use crate::wire::smtp::{DataReceiver, Mail, Rcpt, TextGuard};

pub(super) enum State {
    /// Nothing said yet.
    Greeting,
    Ready {
        hello: Hello,
        login: Option<Login>,
    },
    /// An AUTH dialogue.
    Proving(Exchange),
    /// The world judges a secret.
    LoggingIn {
        user: String,
    },
    /// The world looks a provider up.
    Meeting {
        domain: KepDomain,
        mail: Mail,
    },
    /// The sender is known, recipients are growing.
    Addressing {
        envelope: Envelope<Origin>,
    },
    /// The world looks a recipient up.
    LookingUp {
        envelope: Envelope<Origin>,
        rcpt: Rcpt,
    },
    /// Octets of DATA.
    Reading {
        envelope: Envelope<Origin>,
        receiver: DataReceiver,
        body: Incoming,
    },
    /// Between two BDAT chunks.
    Between {
        envelope: Envelope<Origin>,
        body: Incoming,
    },
    /// Octets of a BDAT chunk.
    Chunk {
        envelope: Envelope<Origin>,
        body: Incoming,
        left: u64,
        last: bool,
    },
    /// Octets of a BDAT chunk nobody asked for.
    Skipping {
        left: u64,
        then: Box<State>,
    },
    /// The world checks and stores.
    Submitting {
        from: Origin,
    },
    Handshaking,
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hello {
    Missing,
    Helo,
    Ehlo,
}

/// What an AUTH dialogue waits for.
pub(super) enum Exchange {
    Plain,
    LoginUser,
    LoginSecret { user: String },
}

/// A body on its way in.
pub(super) struct Incoming {
    pub guard: TextGuard,
    /// How many octets it may have.
    pub most: u64,
    pub octets: u64,
    /// Already refused; the rest counts for its digest only.
    pub refused: Option<Refusal>,
}

impl State {
    /// After a transaction: whoever logged in still is, ready for the next.
    pub fn ready(from: Origin) -> Self {
        let login = match from {
            Origin::Account(login) => Some(login),
            Origin::Peer(_) => None,
        };
        Self::Ready { hello: Hello::Ehlo, login }
    }
}
