//! NOTIFY (RFC 5465) as a client writes it.

use super::command::{FetchItem, MailboxArg};

#[derive(Debug)]
pub enum Notify {
    /// Nothing more, of the selected mailbox neither.
    None,
    Set {
        /// A STATUS of each mailbox in question first.
        status: bool,
        groups: Vec<EventGroup>,
    },
}

#[derive(Debug)]
pub struct EventGroup {
    pub filter: Filter,
    pub events: Events,
}

/// Which mailboxes an event group is about (RFC 5465 §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    Selected {
        /// EXPUNGE waits for a command that allows it.
        delayed: bool,
    },
    Inboxes,
    Personal,
    Subscribed,
    Subtree(Vec<MailboxArg>),
    Mailboxes(Vec<MailboxArg>),
}

/// RFC 5465 §5; all are off for `NONE`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// MessageNew and MessageExpunge, of which none comes without the other.
    pub messages: bool,
    /// What is to be told of a new message.
    pub items: Vec<FetchItem>,
    pub flags: bool,
    /// MailboxName
    pub names: bool,
    /// SubscriptionChange
    pub subscriptions: bool,
    /// MailboxMetadataChange
    pub annotations: bool,
    /// ServerMetadataChange, whatever the mailboxes of its group.
    pub server: bool,
    /// One we know nothing of, which is no syntax error.
    pub unknown: bool,
}
