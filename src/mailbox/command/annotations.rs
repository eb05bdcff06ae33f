//! Annotations that other sessions change (RFC 5464 §4.4.2): names of entries, told after ENABLE
//! METADATA, or as NOTIFY asks for them (RFC 5465 §5.6, §5.7).

use std::collections::BTreeSet;

use super::Step;
use super::sync::{self, Then};
use crate::mailbox::ask::{Annotated, Annotations, Answer, Ask};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::encode;

/// Up to where the client was told.
#[derive(Debug)]
pub(in crate::mailbox) struct Watched {
    step: u64,
    /// Steps behind it that are the client's own.
    own: BTreeSet<u64>,
}

#[derive(Debug)]
pub(in crate::mailbox) struct Task(Stage);

#[derive(Debug)]
enum Stage {
    /// Where to begin is asked for, before the answer to ENABLE.
    Begin(String, Reply),
    Tell(Then),
}

pub(super) fn begin(tag: String, reply: Reply) -> Step {
    let task = Task(Stage::Begin(tag, reply));
    Step::Ask(Ask::Annotations { since: None }, super::Task::Annotations(task))
}

/// From this step on, unless there is one already.
pub(super) fn watch(step: u64, core: &mut Core) {
    let new = || Box::new(Watched { step, own: BTreeSet::new() });
    core.annotations.get_or_insert_with(new);
}

/// The client changed some itself.
pub(super) fn own(step: u64, core: &mut Core) {
    if let Some(watched) = &mut core.annotations {
        watched.own.insert(step);
    }
}

/// Tells what is new, then what was to come.
pub(super) fn look(then: Then, core: &mut Core) -> Step {
    match &core.annotations {
        Some(watched) => {
            let ask = Ask::Annotations { since: Some(watched.step) };
            Step::Ask(ask, super::Task::Annotations(Task(Stage::Tell(then))))
        }
        None => sync::told(then, core),
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match (self.0, answer) {
            (Stage::Begin(tag, reply), Answer::Annotations(now)) => {
                watch(now.step, core);
                core.done(&tag, reply)
            }
            (Stage::Begin(tag, reply), _) => core.done(&tag, reply),
            (Stage::Tell(then), Answer::Annotations(news)) => {
                tell(&news, core);
                sync::told(then, core)
            }
            // They come with the next look.
            (Stage::Tell(then), _) => sync::told(then, core),
        }
    }
}

fn tell(news: &Annotations, core: &mut Core) {
    let Some(mut watched) = core.annotations.take() else { return };
    for changed in &news.changed {
        if !wants(changed, core) {
            continue;
        }
        let mailbox = changed.mailbox.as_ref();
        let name = mailbox.map(|one| one.name.to_wire(core.utf8_names())).unwrap_or_default();
        let others = changed.entries.iter().filter(|(_, step)| !watched.own.contains(step));
        let mut others = others.map(|(entry, _)| entry).peekable();
        if others.peek().is_some() {
            encode::metadata_changed(&mut core.out, &name, others);
        }
    }
    watched.step = news.step;
    watched.own.retain(|step| *step > news.step);
    core.annotations = Some(watched);
}

/// With a NOTIFY in force what that names, else everything.
fn wants(changed: &Annotated, core: &Core) -> bool {
    match (&core.notify, &changed.mailbox) {
        (Some(notify), Some(one)) => {
            notify.wanted(&one.name, one.inbox, one.subscribed).annotations
        }
        (Some(notify), None) => notify.server,
        (None, _) => core.enabled.metadata,
    }
}
