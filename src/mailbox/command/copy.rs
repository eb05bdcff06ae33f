//! COPY and MOVE (RFC 6851) and their UID forms.

use super::Step;
use super::limit::{self, Within};
use super::sync;
use crate::mailbox::ask::{Answer, Ask, Placed, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::{self, Reply};
use crate::wire::imap::{MessageSet, Uid};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    /// There were more than one command moves.
    lowest: Option<Uid>,
}

pub(super) fn start(
    tag: String,
    uid: bool,
    set: &MessageSet,
    to: &[u8],
    moving: bool,
    core: &mut Core,
) -> Step {
    let Some(view) = core.view() else { return Step::Done };
    let (mailbox, read_only) = (view.mailbox, view.read_only);
    let Ok(uids) = view.resolve(set) else {
        return core.done(&tag, Reply::bad("No such message"));
    };
    let Some(to) = core.mailbox(to) else {
        return core.done(&tag, Reply::refused(&Refusal::Cannot));
    };
    let Within { uids, lowest } = limit::within(uids, core);
    if lowest.is_some() && !moving {
        return core.done(&tag, limit::refusal(lowest, core));
    }
    core.own(|notify| notify.own_target(&to));
    match uids.is_empty() {
        _ if moving && read_only => core.done(&tag, Reply::refused(&Refusal::ReadOnlyMailbox)),
        // RFC 9051 §6.4.9: a UID that is not there is no error; nor is an empty `$` (RFC 5182 §2.1).
        true if uid || *set == MessageSet::Saved => core.done(&tag, Reply::ok("No messages")),
        true => core.done(&tag, Reply::no("No messages")),
        false if moving => {
            Step::Ask(Ask::Move { mailbox, uids, to }, super::Task::Copy(Task { tag, lowest }))
        }
        false => {
            Step::Ask(Ask::Copy { mailbox, uids, to }, super::Task::Copy(Task { tag, lowest }))
        }
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Copied(placed) => {
                arrived(placed.as_ref(), core);
                let code = placed.as_ref().and_then(reply::copyuid);
                sync::finish(self.tag, Reply { code, ..Reply::ok("COPY completed") }, core)
            }
            Answer::Moved(moved) => {
                arrived(moved.placed.as_ref(), core);
                // RFC 6851 §4.3: COPYUID stands before the EXPUNGE responses, untagged.
                if let Some(code) = moved.placed.as_ref().and_then(reply::copyuid) {
                    core.note(code, "Moved");
                }
                sync::tell_gone(&moved.gone, core);
                let reply = limit::told(Reply::ok("MOVE completed"), self.lowest, core);
                sync::finish(self.tag, reply, core)
            }
            // Some of a move may have gone.
            Answer::Refused(refusal) => sync::finish(self.tag, Reply::refused(&refusal), core),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}

fn arrived(placed: Option<&Placed>, core: &mut Core) {
    if let Some(placed) = placed {
        core.own(|notify| notify.own_arrived(&placed.to));
    }
}
