//! THREADID (RFC 8474): of messages that came before conversations were kept, it is decided of which they are
//! when somebody asks.

mod run;

use super::{Answered, Who, owned};
use crate::store::Tx;
use crate::store::mail::threads;
use crate::wire::imap::UidSet;
use crate::wire::{MailboxId, ThreadId};
use std::collections::{BTreeMap, BTreeSet};

/// The first of those of which it is not decided yet.
fn undecided(tx: &mut Tx<'_>, who: &Who, id: MailboxId, uids: &UidSet) -> Answered<UidSet> {
    let mailbox = owned(tx, who, id)?;
    Ok(threads::undecided(tx, &mailbox, uids)?)
}

fn decide(tx: &mut Tx<'_>, who: &Who, id: MailboxId, uids: &UidSet) -> Answered<()> {
    let mailbox = owned(tx, who, id)?;
    Ok(threads::decide(tx, &mailbox, uids)?)
}

/// Which messages of a mailbox are parts of these conversations.
fn members(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    of: &BTreeSet<ThreadId>,
) -> Answered<BTreeMap<ThreadId, UidSet>> {
    let mailbox = owned(tx, who, id)?;
    Ok(threads::members(tx, &mailbox, of)?)
}
