//! SELECT with QRESYNC (RFC 7162 §3.2.5): what happened in a mailbox since the client saw it last.
//! The store remembers what vanished for months, and tells too much of what is older, so the client's
//! sample of sequence numbers tells nothing new.

use super::Step;
use super::fetch::flags;
use super::sync::tell_row;
use crate::mailbox::ask::{Answer, Ask, Changes, FLAGS_BATCH, FlagRow, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::Qresync;
use crate::wire::imap::{Uid, UidSet, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    reply: Reply,
    /// What the client asks about: of the UIDs that were in use when the mailbox was selected.
    known: UidSet,
    /// Messages with other flags which are not asked for yet.
    left: UidSet,
    /// The last of them that were.
    asked: UidSet,
}

pub(super) fn start(
    tag: String,
    reply: Reply,
    qresync: Qresync,
    uid_next: Uid,
    core: &mut Core,
) -> Step {
    let Some(view) = core.view() else { return Step::Done };
    let before = UidSet::range(1, uid_next.saturating_sub(1));
    let known = match &qresync.known_uids {
        Some(known) => known.resolve(0).intersection(&before),
        None => before,
    };
    let ask = Ask::Changes { mailbox: view.mailbox, since: qresync.modseq };
    Step::Ask(
        ask,
        super::Task::Resync(Task { tag, reply, known, left: UidSet::new(), asked: UidSet::new() }),
    )
}

impl Task {
    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Changes(changes) => {
                self.tell_vanished(&changes, core);
                let known = flags::take_known(&mut self.left, changes.flags);
                tell_rows(known, core);
                self.next(core)
            }
            Answer::Flags(rows) => {
                self.left = self.left.union(&flags::behind(&self.asked, &rows));
                tell_rows(rows, core);
                self.next(core)
            }
            // Without the news the mailbox is not what HIGHESTMODSEQ says.
            Answer::Refused(refusal) => {
                core.unselect();
                core.done(&self.tag, Reply::refused(&refusal))
            }
            _ => {
                core.unselect();
                core.done(&self.tag, Reply::refused(&Refusal::Unavailable))
            }
        }
    }

    /// What vanished since it was selected is told with the next command's news.
    fn tell_vanished(&mut self, changes: &Changes, core: &mut Core) {
        let Some(view) = core.view() else { return };
        let earlier = changes.vanished.difference(view.uids()).intersection(&self.known);
        let there = self.known.intersection(view.uids());
        self.left = changes.arrived.union(&changes.changed).intersection(&there);
        encode::vanished(&mut core.out, true, &earlier);
    }

    fn next(mut self, core: &mut Core) -> Step {
        match core.view().map(|view| view.mailbox).filter(|_| !self.left.is_empty()) {
            Some(mailbox) => {
                self.asked = self.left.take_first(FLAGS_BATCH);
                let ask = Ask::Flags { mailbox, uids: self.asked.clone() };
                Step::Ask(ask, super::Task::Resync(self))
            }
            None => core.done(&self.tag, self.reply),
        }
    }
}

/// What changed since the mailbox was selected comes with the next command's news: its mod-sequence
/// would say that all before it was told (RFC 7162 §6).
fn tell_rows(mut rows: Vec<FlagRow>, core: &mut Core) {
    let selected = core.view().map(|view| view.modseq).unwrap_or_default();
    rows.retain(|row| row.modseq <= selected);
    flags::learn(rows.iter().map(|row| &row.flags.keywords), core);
    rows.iter().for_each(|row| tell_row(row, core));
}
