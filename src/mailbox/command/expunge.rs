//! EXPUNGE, UID EXPUNGE (RFC 4315), and CLOSE, which expunges without saying what.

use super::sync;
use super::{Step, limit};
use crate::mailbox::ask::{Answer, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::Uid;
use crate::wire::imap::command::Messages;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    closing: bool,
    /// There were more than one UID EXPUNGE looks at.
    lowest: Option<Uid>,
}

pub(super) fn start(tag: String, set: Option<Messages>, core: &mut Core) -> Step {
    let Some(view) = core.view() else { return Step::Done };
    if view.read_only {
        return core.done(&tag, Reply::refused(&Refusal::ReadOnlyMailbox));
    }
    let mailbox = view.mailbox;
    let named = set.map(|set| limit::within(view.resolve(&set).unwrap_or_default(), core));
    let lowest = named.as_ref().and_then(|named| named.lowest);
    let ask = Ask::Expunge { mailbox, uids: named.map(|named| named.uids) };
    Step::Ask(ask, super::Task::Expunge(Task { tag, closing: false, lowest }))
}

pub(super) fn close(tag: String, core: &mut Core) -> Step {
    match core.unselect().filter(|view| !view.read_only) {
        Some(view) => {
            let ask = Ask::Expunge { mailbox: view.mailbox, uids: None };
            Step::Ask(ask, super::Task::Expunge(Task { tag, closing: true, lowest: None }))
        }
        None => core.done(&tag, Reply::ok("CLOSE completed")),
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            // RFC 9051 §6.4.1: CLOSE has no way to fail.
            _ if self.closing => core.done(&self.tag, Reply::ok("CLOSE completed")),
            Answer::Expunged(gone) => {
                sync::tell_gone(&gone, core);
                let reply = limit::told(Reply::ok("EXPUNGE completed"), self.lowest, core);
                sync::finish(self.tag, reply, core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}
