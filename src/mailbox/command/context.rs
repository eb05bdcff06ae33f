//! Searches that stay alive (RFC 5267, CONTEXT): what comes to match one and what ceases to is told,
//! until CANCELUPDATE or the end of the selection. Bounded in number; of a SORT, whose order would have
//! to be made anew with each change, updates are refused (§4.3.1 allows it).

use imap_codec::imap_types::response::{Code, CodeOther};

use super::Step;
use super::sync::{self, Then};
use crate::mailbox::ask::{Answer, Ask, Search};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::{SearchKey, UidSet, encode};

/// A search with UPDATE.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct Context {
    pub tag: String,
    pub uid: bool,
    pub key: SearchKey<UidSet>,
    /// What the client knows of.
    pub found: UidSet,
}

/// Changed messages are looked for again, in one context after the other.
#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    then: Then,
    among: UidSet,
    at: usize,
}

/// Keeps a context, or says that it won't.
pub(super) fn watch(context: Context, may: bool, core: &mut Core) {
    let Some(view) = core.view_mut() else { return };
    let room = view.contexts.len() < CONTEXTS
        && view.contexts.iter().all(|other| other.tag != context.tag)
        && context.found.ranges().len() <= RANGES;
    if may && room {
        view.contexts.push(context);
        return;
    }
    let code = CodeOther::unvalidated(format!("NOUPDATE \"{}\"", context.tag).into_bytes());
    core.say(None, Reply::no("No updates of this").code(Code::Other(code)));
}

/// CANCELUPDATE.
pub(super) fn cancel(tag: &str, of: &[String], core: &mut Core) -> Step {
    if let Some(view) = core.view_mut() {
        view.contexts.retain(|context| !of.contains(&context.tag));
    }
    core.done(tag, Reply::ok("CANCELUPDATE completed"))
}

/// Tells what changed in contexts; then what was to come.
pub(super) fn refresh(then: Then, core: &mut Core) -> Step {
    let among = core.view_mut().map(|view| std::mem::take(&mut view.touched)).unwrap_or_default();
    Task { then, among, at: 0 }.next(core)
}

/// Messages are about to be taken out of the view: their numbers still hold.
pub(super) fn tell_gone(gone: &UidSet, core: &mut Core) {
    let count = core.view().map_or(0, |view| view.contexts.len());
    (0..count).for_each(|at| tell(at, &UidSet::new(), gone, core));
}

impl Task {
    fn next(self, core: &mut Core) -> Step {
        let view = core.view().filter(|_| !self.among.is_empty());
        let context = view.and_then(|view| Some((view, view.contexts.get(self.at)?)));
        let Some((view, context)) = context else { return sync::ended(self.then, core) };
        let among = SearchKey::Messages(self.among.clone());
        let key = SearchKey::And(vec![among, context.key.clone()]);
        let ask = Ask::Search(Search { mailbox: view.mailbox, key, modseq: false, read: 0 });
        Step::Ask(ask, super::Task::Context(self))
    }

    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        if let (Answer::Found(found), Some(view)) = (answer, core.view()) {
            let hits = found.uids.intersection(view.uids()).intersection(&self.among);
            // Of what is gone there is nothing to tell before its EXPUNGE.
            let there = self.among.intersection(&found.there);
            tell(self.at, &hits, &there.difference(&hits), core);
        }
        self.at += 1;
        self.next(core)
    }
}

/// Tells of a context which of these came to match it and which don't any more.
fn tell(at: usize, hits: &UidSet, misses: &UidSet, core: &mut Core) {
    let Some(view) = core.view_mut() else { return };
    let Some(mut context) = view.contexts.get_mut(at).map(std::mem::take) else { return };
    let (added, removed) = (hits.difference(&context.found), context.found.intersection(misses));
    let shown = |set: &UidSet| if context.uid { set.clone() } else { view.sequences(set) };
    let (add, remove) = (shown(&added), shown(&removed));
    context.found = context.found.union(&added).difference(&removed);
    for (name, numbers) in [("REMOVEFROM", remove), ("ADDTO", add)] {
        if !numbers.is_empty() {
            let head =
                encode::Esearch { tag: &context.tag, uid: context.uid, ..Default::default() };
            encode::esearch(&mut core.out, &head);
            // Of a search all places are 0: the mailbox has the order.
            core.out.extend_from_slice(format!(" {name} (0 {numbers})\r\n").as_bytes());
        }
    }
    if let Some(slot) = core.view_mut().and_then(|view| view.contexts.get_mut(at)) {
        *slot = context;
    }
}

impl Default for Context {
    fn default() -> Self {
        let (tag, found) = (String::new(), UidSet::new());
        Self { tag, uid: false, key: SearchKey::All, found }
    }
}

/// Of one selection: each is searched anew with every change.
const CONTEXTS: usize = 8;
/// What one may hold.
const RANGES: usize = 20_000;
