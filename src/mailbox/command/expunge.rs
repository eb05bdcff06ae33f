//! EXPUNGE, UID EXPUNGE (RFC 4315), and CLOSE, which expunges without saying what.

use super::Step;
use super::sync;
use crate::mailbox::ask::{Answer, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::Messages;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    closing: bool,
}

pub(super) fn start(tag: String, set: Option<Messages>, core: &mut Core) -> Step {
    let Some(view) = core.view() else { return Step::Done };
    if view.read_only {
        return core.done(&tag, Reply::refused(&Refusal::ReadOnlyMailbox));
    }
    let uids = set.map(|set| view.resolve(&set).unwrap_or_default());
    let ask = Ask::Expunge { mailbox: view.mailbox, uids };
    Step::Ask(ask, super::Task::Expunge(Task { tag, closing: false }))
}

pub(super) fn close(tag: String, core: &mut Core) -> Step {
    match core.unselect().filter(|view| !view.read_only) {
        Some(view) => {
            let ask = Ask::Expunge { mailbox: view.mailbox, uids: None };
            Step::Ask(ask, super::Task::Expunge(Task { tag, closing: true }))
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
                sync::finish(self.tag, Reply::ok("EXPUNGE completed"), core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}
