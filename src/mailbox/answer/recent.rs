//! `\Recent` (RFC 3501 §2.3.2): the first session that selects a mailbox to change it and is told of a
//! message has it recent, and no other. Nothing is recent in a virtual mailbox: what it shows is so where
//! it stands.

mod run;

use crate::store::mail::view::Mailbox;
use crate::wire::imap::{Uid, UidSet};

/// Those of `uids` that nobody was told of.
pub fn among(mailbox: &Mailbox, uids: &UidSet) -> UidSet {
    match mailbox.role.is_gathered() {
        true => UidSet::new(),
        false => uids.intersection(&UidSet::range(mailbox.recent_from, Uid::MAX)),
    }
}
