//! Telling the client what happened in its mailbox meanwhile. Runs at the end of commands that
//! allow EXPUNGE responses (RFC 9051 §7.5.1: not FETCH, STORE, SEARCH), in IDLE, and after NOTIFY
//! whenever there are news.

use imap_codec::imap_types::response::{Code, Data};
use std::num::{NonZeroU32, NonZeroU64};

use super::Step;
use super::fetch::flags;
use crate::mailbox::ask::{Answer, Ask, Changes, FLAGS_BATCH, FlagRow};
use crate::mailbox::core::Core;
use crate::mailbox::notify::Notify;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::View;
use crate::wire::imap::{MailboxName, ModSeq, UidSet, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    then: Then,
    /// Messages with new flags which are not asked for yet.
    left: UidSet,
    /// The last of them that were.
    asked: UidSet,
    /// Came just now.
    fresh: UidSet,
    changes: Changes,
}

/// What the client is told after the news.
#[derive(Debug)]
pub(super) enum Then {
    Say(String, Reply),
    /// The same, where nothing more is to be said of mod-sequences.
    Told(String, Reply),
    Idle(String),
    /// Nobody waits for anything.
    Nothing,
    /// NOTIFY SET takes effect, and that is said.
    Notify(String, Box<Notify>),
}

/// Tells the news, then the reply.
pub(super) fn finish(tag: String, reply: Reply, core: &mut Core) -> Step {
    match core.view().is_some() || core.annotations.is_some() {
        true => begin(Then::Say(tag, reply), core),
        false => core.done(&tag, reply),
    }
}

pub(super) fn begin(then: Then, core: &mut Core) -> Step {
    let told = core.told_of_selected().messages;
    match core.view().filter(|_| told) {
        Some(view) => {
            let (mailbox, since) = (view.mailbox, view.modseq);
            let ask = match view.read_only {
                true => Ask::Changes { mailbox, since },
                false => Ask::News { mailbox, since },
            };
            let [left, asked, fresh] = [const { UidSet::new() }; 3];
            let task = Task { then, left, asked, fresh, changes: Changes::default() };
            Step::Ask(ask, super::Task::Sync(Box::new(task)))
        }
        None => end(then, core),
    }
}

/// All news are told; what they change in contexts is next.
pub(super) fn end(then: Then, core: &mut Core) -> Step {
    super::context::refresh(then, core)
}

/// That is told, too: annotations are left.
pub(super) fn ended(then: Then, core: &mut Core) -> Step {
    match then {
        Then::Say(..) | Then::Idle(_) | Then::Nothing => super::annotations::look(then, core),
        Then::Told(..) | Then::Notify(..) => told(then, core),
    }
}

/// Everything is told.
pub(super) fn told(then: Then, core: &mut Core) -> Step {
    match then {
        Then::Told(tag, reply) => core.done(&tag, reply),
        Then::Say(tag, reply) => {
            let reply = up_to_date(reply, core);
            core.done(&tag, reply)
        }
        Then::Notify(tag, notify) => {
            super::notify::put_in_force(notify, core);
            core.done(&tag, Reply::ok("NOTIFY completed"))
        }
        Then::Idle(_) | Then::Nothing => super::notify::look(then, core),
    }
}

impl Then {
    /// When there is nothing to say.
    pub fn done(self) -> Step {
        match self {
            Self::Idle(tag) => Step::Idle(tag),
            _ => Step::Done,
        }
    }
}

impl Task {
    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Changes(mut changes) => {
                let known = std::mem::take(&mut changes.flags);
                renamed(changes.name.take(), core);
                self.changes = changes;
                self.news(core);
                tell_flags(flags::take_known(&mut self.left, known), core);
                self.next(core)
            }
            Answer::Flags(mut rows) => {
                self.left = self.left.union(&flags::behind(&self.asked, &rows));
                // What changed since the news were asked for comes with the next ones: its
                // mod-sequence would say that all before it was told (RFC 7162 §6).
                rows.retain(|row| row.modseq <= self.changes.highest_modseq);
                tell_flags(rows, core);
                self.next(core)
            }
            // The command itself is done; the news come with the next one.
            _ => {
                if let Some(view) = core.view_mut() {
                    view.flagged = view.flagged.union(&self.left.union(&self.asked));
                    view.fresh = view.fresh.union(&self.fresh);
                }
                end(self.then, core)
            }
        }
    }

    /// What is gone, then what came: sequence numbers are right only in this order.
    fn news(&mut self, core: &mut Core) {
        let told = core.told_of_selected();
        let Some(view) = core.view_mut() else { return };
        let gone = view.gone.union(&self.changes.vanished);
        match told.delayed && matches!(self.then, Then::Nothing) {
            true => view.gone = gone,
            false => {
                view.gone = UidSet::new();
                tell_gone(&gone, core);
            }
        }
        let Some(view) = core.view_mut() else { return };
        let known = view.uids().clone();
        let more = view.add(&self.changes);
        let before = std::mem::take(&mut view.fresh).intersection(&known);
        self.fresh = view.uids().difference(&known).union(&before);
        let name = view.name.clone();
        let flagged = view.flagged.union(&self.changes.changed).intersection(&known);
        view.flagged = if told.flags { UidSet::new() } else { flagged.clone() };
        self.left = if told.flags { flagged } else { UidSet::new() };
        if let Some(notify) = core.notify.as_ref().filter(|_| more) {
            self.fresh = self.fresh.difference(&notify.own_in(&name));
        }
        super::recent::news(more, core);
        if let Some(view) = core.view_mut() {
            view.touch(&self.changes.arrived.union(&self.changes.changed));
        }
    }

    fn next(mut self, core: &mut Core) -> Step {
        match core.view().map(|view| view.mailbox).filter(|_| !self.left.is_empty()) {
            Some(mailbox) => {
                self.asked = self.left.take_first(FLAGS_BATCH);
                let ask = Ask::Flags { mailbox, uids: self.asked.clone() };
                Step::Ask(ask, super::Task::Sync(Box::new(self)))
            }
            None => {
                if let Some(view) = core.view_mut() {
                    view.modseq = view.modseq.max(self.changes.highest_modseq);
                    let now = view.modseq;
                    view.told.retain(|(told, _)| *told > now);
                }
                let items = core.told_of_selected().items;
                super::fetch::unasked(self.then, self.fresh, items, core)
            }
        }
    }
}

/// The mailbox stays selected under another name (RFC 2180 §3.2), which whoever knows OLDNAME is told
/// (RFC 9051 §6.3.9.7).
fn renamed(name: Option<MailboxName>, core: &mut Core) {
    let Some((name, view)) = name.zip(core.view_mut()).filter(|(name, view)| *name != view.name)
    else {
        return;
    };
    let old = std::mem::replace(&mut view.name, name.clone());
    if core.enabled.rev2 && core.notify.is_none() {
        super::list::tell_name(&name, Some(old.as_str()), core);
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
    if core.enabled.vanished() {
        return encode::vanished(&mut core.out, false, &shown);
    }
    for &(first, last) in numbers.ranges().iter().rev() {
        for number in (first..=last).rev().filter_map(NonZeroU32::new) {
            encode::data(&mut core.out, Data::Expunge(number));
        }
    }
}

fn is_news(row: &FlagRow, core: &Core) -> bool {
    let news = |view: &View| view.sequence(row.uid).is_some() && !view.knows(row.uid, row.modseq);
    core.view().is_some_and(news)
}

/// Unsolicited FETCHes with flags, of those the client doesn't know.
fn tell_flags(mut rows: Vec<FlagRow>, core: &mut Core) {
    rows.retain(|row| is_news(row, core));
    // All of them at once: each new list of flags is as long as those before it.
    flags::learn(rows.iter().map(|row| &row.flags.keywords), core);
    rows.iter().for_each(|row| tell_row(row, core));
}

/// FETCH with flags that nobody asked for.
pub(super) fn tell_row(row: &FlagRow, core: &mut Core) {
    let sequence = core.view().and_then(|view| view.sequence(row.uid));
    let Some(sequence) = sequence else { return };
    let (enabled, recent) = (core.enabled, core.is_recent(row.uid));
    let mut fetch = core.fetch(row.uid, sequence);
    if !enabled.uidonly {
        fetch.number("UID", u64::from(row.uid));
    }
    fetch.flags(&row.flags, recent);
    if enabled.condstore {
        fetch.modseq(row.modseq);
    }
    fetch.end();
}

/// RFC 7162 §6: with QRESYNC a client is told up to where it knows everything.
fn up_to_date(reply: Reply, core: &mut Core) -> Reply {
    let qresync = core.enabled.qresync;
    let due = |view: &&mut View| qresync && view.modseq > view.announced && !view.withholds();
    let Some(view) = core.view_mut().filter(due) else {
        return reply;
    };
    view.announced = view.modseq;
    let code = NonZeroU64::new(view.modseq).map(Code::HighestModSeq);
    match (&reply.code, code) {
        (Some(_), Some(code)) => {
            core.note(code, "Noted");
            reply
        }
        (Some(_), None) => reply,
        (None, code) => Reply { code, ..reply },
    }
}

/// Ends a command that told mod-sequences, while there may be earlier ones the client did not hear
/// of (RFC 7162 §6): where EXPUNGE may be told it hears of them, elsewhere that there may be some.
pub(super) fn finish_told(
    tag: String,
    reply: Reply,
    told: ModSeq,
    uid: bool,
    core: &mut Core,
) -> Step {
    let held = core.view().is_some_and(View::withholds);
    let known = core.view().map(|view| if held { view.announced } else { view.modseq });
    let Some(known) = known.filter(|known| core.enabled.qresync && told > *known) else {
        return super::context::refresh(Then::Told(tag, reply), core);
    };
    if uid && !held && core.told_of_selected().messages {
        return finish(tag, reply, core);
    }
    if let Some(known) = NonZeroU64::new(known) {
        core.note(Code::HighestModSeq(known), "There may be news");
    }
    super::context::refresh(Then::Told(tag, reply), core)
}
