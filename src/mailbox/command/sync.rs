//! Telling the client what happened in its mailbox meanwhile. Runs at the end of commands that
//! allow EXPUNGE responses (RFC 9051 §7.5.1: not FETCH, STORE, SEARCH), and in IDLE.

use imap_codec::imap_types::response::Data;
use std::num::NonZeroU32;

use super::Step;
use crate::mailbox::ask::{Answer, Ask, BATCH, Changes, Row, RowWant};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::View;
use crate::wire::imap::{Keywords, UidSet, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    then: Then,
    /// Messages with new flags whose rows are not asked for yet.
    left: UidSet,
    changes: Changes,
}

/// What the client is told after the news.
#[derive(Debug)]
pub(super) enum Then {
    Say(String, Reply),
    Idle(String),
}

/// Tells the news, then the reply.
pub(super) fn finish(tag: String, reply: Reply, core: &mut Core) -> Step {
    match core.view().is_some() {
        true => begin(Then::Say(tag, reply), core),
        false => core.done(&tag, reply),
    }
}

pub(super) fn begin(then: Then, core: &Core) -> Step {
    match core.watch() {
        Some(watch) => {
            let task = Task { then, left: UidSet::new(), changes: Changes::default() };
            let ask = Ask::Changes { mailbox: watch.mailbox, since: watch.since };
            Step::Ask(ask, super::Task::Sync(Box::new(task)))
        }
        None => match then {
            Then::Idle(tag) => Step::Idle(tag),
            Then::Say(..) => Step::Done,
        },
    }
}

impl Task {
    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Changes(changes) => {
                self.changes = changes;
                self.news(core);
                self.next(core)
            }
            Answer::Rows(rows) => {
                // All of them at once: each new list of flags is as long as those before it.
                let told = rows.iter().filter(|row| is_news(row, core));
                let words =
                    told.fold(Keywords::default(), |all, row| all.with(&row.flags.keywords));
                super::select::learn(&words, core);
                rows.iter().for_each(|row| tell_flags(row, core));
                self.next(core)
            }
            // The command itself is done; the news come with the next one.
            _ => end(self.then, core),
        }
    }

    /// What is gone, then what came: sequence numbers are right only in this order.
    fn news(&mut self, core: &mut Core) {
        tell_gone(&self.changes.vanished, core);
        let Some(view) = core.view_mut() else { return };
        let known = view.uids().clone();
        if view.add(&self.changes) {
            let count = view.count();
            encode::data(&mut core.out, Data::Exists(count));
            encode::data(&mut core.out, Data::Recent(0));
        }
        if let Some(view) = core.view_mut() {
            view.touch(&self.changes.arrived.union(&self.changes.changed));
        }
        self.left = self.changes.changed.intersection(&known);
    }

    fn next(mut self, core: &mut Core) -> Step {
        match core.view().map(|view| view.mailbox).filter(|_| !self.left.is_empty()) {
            Some(mailbox) => {
                let uids = self.left.take_first(BATCH);
                let ask = Ask::Rows { mailbox, uids, want: RowWant::default() };
                Step::Ask(ask, super::Task::Sync(Box::new(self)))
            }
            None => {
                if let Some(view) = core.view_mut() {
                    view.modseq = view.modseq.max(self.changes.highest_modseq);
                    let now = view.modseq;
                    view.told.retain(|(told, _)| *told > now);
                }
                end(self.then, core)
            }
        }
    }
}

/// All news are told; what they change in contexts is next.
pub(super) fn end(then: Then, core: &mut Core) -> Step {
    super::context::refresh(then, core)
}

/// That is told, too.
pub(super) fn ended(then: Then, core: &mut Core) -> Step {
    match then {
        Then::Say(tag, reply) => core.done(&tag, reply),
        Then::Idle(tag) => Step::Idle(tag),
    }
}

/// Takes messages out of the view and says so: from the last one down, so that no number told
/// before shifts.
pub(super) fn tell_gone(gone: &UidSet, core: &mut Core) {
    super::context::tell_gone(gone, core);
    let Some(view) = core.view_mut() else { return };
    let shown = gone.intersection(view.uids());
    let numbers = view.sequences(&shown);
    view.remove(&shown);
    for &(first, last) in numbers.ranges().iter().rev() {
        for number in (first..=last).rev().filter_map(NonZeroU32::new) {
            encode::data(&mut core.out, Data::Expunge(number));
        }
    }
}

fn is_news(row: &Row, core: &Core) -> bool {
    let news = |view: &View| view.sequence(row.uid).is_some() && !view.knows(row.uid, row.modseq);
    core.view().is_some_and(news)
}

/// An unsolicited FETCH with flags, unless the client knows them.
fn tell_flags(row: &Row, core: &mut Core) {
    let sequence = core.view().and_then(|view| view.sequence(row.uid));
    let Some(sequence) = sequence.filter(|_| is_news(row, core)) else { return };
    let mut fetch = encode::Fetch::begin(&mut core.out, sequence);
    fetch.number("UID", u64::from(row.uid));
    fetch.flags(&row.flags);
    if core.enabled.condstore {
        fetch.modseq(row.modseq);
    }
    fetch.end();
}
