//! MESSAGELIMIT (RFC 9738): how many messages one command works on. FETCH, STORE, SEARCH, MOVE and UID
//! EXPUNGE of more work on those with the highest UIDs, from the highest down, and say which was the
//! last; COPY, SORT and THREAD of more, and FETCH with PARTIAL, are refused.

use imap_codec::imap_types::response::{Code, CodeOther, StatusKind};

use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::Partial;
use crate::wire::imap::{SearchKey, Uid, UidSet};

/// What a command works on.
#[derive(Debug)]
pub(super) struct Within {
    pub uids: UidSet,
    /// The last one of those that are worked on, when there are more.
    pub lowest: Option<Uid>,
}

/// As many as one command may work on, the highest of them.
pub(super) fn within(mut uids: UidSet, core: &Core) -> Within {
    match uids.len() > core.limit {
        true => {
            let uids = uids.take_last(core.limit);
            Within { lowest: uids.first(), uids }
        }
        false => Within { uids, lowest: None },
    }
}

/// Which messages a search looks at: those that it names, and no keys beside.
pub(super) fn looked_at(key: &SearchKey<UidSet>, all: &UidSet) -> UidSet {
    match key {
        SearchKey::Messages(set) => all.intersection(set),
        SearchKey::And(keys) => keys.iter().fold(all.clone(), |set, key| looked_at(key, &set)),
        _ => all.clone(),
    }
}

/// Whether PARTIAL asks for more.
pub(super) fn is_beyond(partial: Partial, core: &Core) -> bool {
    (partial.last.saturating_sub(partial.first) as usize) >= core.limit
}

/// The refusal of a command that does all or nothing; with the last one that it could have done, where
/// less would do.
pub(super) fn refusal(lowest: Option<Uid>, core: &Core) -> Reply {
    Reply::no("Too many messages for one command").code(code(lowest, core))
}

/// Says with a good end that there were more. RFC 9738 §3.1: before it, when it has a code of its own.
pub(super) fn told(reply: Reply, lowest: Option<Uid>, core: &mut Core) -> Reply {
    if lowest.is_none() || reply.kind != StatusKind::Ok {
        return reply;
    }
    let code = code(lowest, core);
    match reply.code {
        None => reply.code(code),
        Some(_) => {
            core.say(None, Reply::no("Only the newest were looked at").code(code));
            reply
        }
    }
}

fn code(lowest: Option<Uid>, core: &Core) -> Code<'static> {
    let lowest = lowest.map(|uid| format!(" {uid}")).unwrap_or_default();
    let code = format!("MESSAGELIMIT {}{lowest}", core.limit);
    Code::Other(CodeOther::unvalidated(code.into_bytes()))
}
