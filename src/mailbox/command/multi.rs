//! ESEARCH: one search over many mailboxes (RFC 7377), selected or not. One mailbox after the other is
//! looked up and searched; those in which nothing matches, that are gone, or were never there say
//! nothing.

use imap_codec::imap_types::mailbox::Mailbox as WireName;
use imap_codec::imap_types::response::{Code, CodeOther};
use std::collections::VecDeque;

use super::Step;
use super::search::{More, resolve, results, scores};
use super::telling::{Hits, Telling};
use crate::mailbox::ask::{
    Answer, Ask, Found, ListWant, MailboxEntry, MailboxKind, Refusal, Search as SearchAsk, Selected,
};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::View;
use crate::wire::imap::command::{MultiSearch, Search, SearchReturn, Source};
use crate::wire::imap::{MailboxName, MessageSet, SearchKey, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    search: Search,
    sources: Vec<Source>,
    /// Still to be searched.
    left: VecDeque<MailboxName>,
    /// Octets, so far: the bound of a search is one of all mailboxes.
    read: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// All names are asked for.
    Listing,
    /// A mailbox is looked up.
    Opening(MailboxName),
    /// It is being searched.
    Searching(Box<View>),
    Telling(Telling),
}

pub(super) fn start(tag: String, multi: MultiSearch, core: &mut Core) -> Step {
    let MultiSearch { mut sources, search } = multi;
    if search.charset && core.enabled.utf8 {
        return core.done(&tag, Reply::bad("No CHARSET after UTF8=ACCEPT"));
    }
    let selected = core.view().map(|view| view.name.clone());
    if sources.is_empty() {
        sources.push(Source::Selected);
    }
    if sources.contains(&Source::Selected) && selected.is_none() {
        return core.done(&tag, Reply::bad("No mailbox selected"));
    }
    // RFC 7377 §2.2: what is saved is of the selected mailbox, and of that one alone.
    if returns(&search).save && sources != [Source::Selected] {
        return core.done(&tag, Reply::bad("SAVE is for the selected mailbox alone"));
    }
    let modseq = search.key.any(&|key| matches!(key, SearchKey::ModSeq(_)));
    core.enable_condstore(modseq);
    let names = sources.iter().any(|source| *source != Source::Selected);
    let left = selected.into_iter().filter(|_| !names).collect();
    let task = Box::new(Task { tag, search, sources, left, read: 0, stage: Stage::Listing });
    if !names {
        return task.next(core);
    }
    Step::Ask(Ask::Mailboxes(ListWant::default()), super::Task::MultiSearch(task))
}

/// Without RETURN it is ALL.
fn returns(search: &Search) -> SearchReturn {
    search.returns.unwrap_or(SearchReturn { all: true, ..SearchReturn::default() })
}

impl Task {
    pub fn answer(mut self: Box<Self>, answer: Answer, core: &mut Core) -> Step {
        match (std::mem::replace(&mut self.stage, Stage::Listing), answer) {
            (Stage::Listing, Answer::Mailboxes(entries)) => self.listed(&entries, core),
            (Stage::Opening(name), Answer::Selected(opened)) => self.opened(name, opened, core),
            (Stage::Searching(view), Answer::Found(found)) => self.tell(&view, &found, core),
            // It went meanwhile.
            (Stage::Opening(_) | Stage::Searching(_), Answer::Refused(Refusal::NoSuchMailbox)) => {
                self.next(core)
            }
            (_, Answer::Refused(refusal)) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    /// Each mailbox once, in the order of its name (RFC 7377 §2.2).
    fn listed(mut self: Box<Self>, entries: &[MailboxEntry], core: &mut Core) -> Step {
        let mut chosen: Vec<_> = entries
            .iter()
            .filter(|entry| matches!(entry.kind, MailboxKind::Mailbox(_)))
            .filter(|entry| self.sources.iter().any(|source| names(source, entry, core)))
            .map(|entry| entry.name.clone())
            .collect();
        chosen.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        self.left = chosen.into();
        self.next(core)
    }

    fn next(mut self: Box<Self>, core: &mut Core) -> Step {
        let Some(name) = self.left.pop_front() else { return self.finish(core) };
        match core.view().filter(|_| self.sources == [Source::Selected]) {
            Some(view) => {
                let view = view.clone();
                self.search(view, core)
            }
            None => {
                let ask = Ask::Open { name: name.clone() };
                self.stage = Stage::Opening(name);
                Step::Ask(ask, super::Task::MultiSearch(self))
            }
        }
    }

    /// The selected one is searched as the client sees it, by whatever name it is known now.
    fn opened(self: Box<Self>, name: MailboxName, opened: Selected, core: &mut Core) -> Step {
        let is_saved = |key: &SearchKey<_>| matches!(key, SearchKey::Messages(MessageSet::Saved));
        match core.view().filter(|view| view.mailbox == opened.mailbox) {
            Some(view) => {
                let mut view = view.clone();
                view.name = name;
                self.search(view, core)
            }
            // RFC 5182: the saved result is one of the selected mailbox.
            None if self.search.key.any(&is_saved) => {
                core.done(&self.tag, Reply::no("$ is of the selected mailbox"))
            }
            None => self.search(View::new(Selected { name, ..opened }), core),
        }
    }

    fn search(mut self: Box<Self>, view: View, core: &mut Core) -> Step {
        let Some(key) = resolve(self.search.key.clone(), &view) else {
            return core.done(&self.tag, Reply::refused(&Refusal::Limit));
        };
        let modseq = key.any(&|key| matches!(key, SearchKey::ModSeq(_)));
        let ask = Ask::Search(SearchAsk { mailbox: view.mailbox, key, modseq, read: self.read });
        self.stage = Stage::Searching(Box::new(view));
        Step::Ask(ask, super::Task::MultiSearch(self))
    }

    fn tell(mut self: Box<Self>, view: &View, found: &Found, core: &mut Core) -> Step {
        self.read = found.read;
        let returns = returns(&self.search);
        let uids = found.uids.intersection(view.uids());
        if let Some(selected) = core.view_mut().filter(|_| returns.save) {
            selected.saved = super::search::saved(returns, &Hits::Set(uids.clone()));
        }
        let name = WireName::try_from(view.name.to_wire(core.utf8_names()));
        let (Ok(name), false) = (name, uids.is_empty()) else { return self.next(core) };
        let modseq = self.search.key.any(&|key| matches!(key, SearchKey::ModSeq(_)));
        let head = encode::Esearch {
            tag: &self.tag,
            mailbox: Some((&encode::mailbox(name), view.uid_validity)),
            uid: true,
            min: uids.first().filter(|_| returns.min),
            max: uids.last().filter(|_| returns.max),
            count: returns.count.then(|| uids.len()),
        };
        let SearchReturn { min, max, all, count, partial, .. } = returns;
        if !(min || max || all || count || partial.is_some()) {
            return self.next(core);
        }
        encode::esearch(&mut core.out, &head);
        let hits = Hits::Set(uids);
        let modseq = modseq.then_some(found.highest_modseq);
        let more = More { scores: scores(returns, &hits, found), modseq };
        let telling = results(partial, all, &hits, more, core);
        self.write(telling, core)
    }

    fn write(mut self: Box<Self>, mut telling: Telling, core: &mut Core) -> Step {
        if telling.write(&mut core.out) {
            return self.next(core);
        }
        self.stage = Stage::Telling(telling);
        Step::Pause(super::Task::MultiSearch(self))
    }

    /// What was written is sent.
    pub fn go_on(mut self: Box<Self>, core: &mut Core) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Listing) {
            Stage::Telling(telling) => self.write(telling, core),
            _ => Step::Close,
        }
    }

    fn finish(self, core: &mut Core) -> Step {
        if returns(&self.search).update {
            let code = CodeOther::unvalidated(format!("NOUPDATE \"{}\"", self.tag).into_bytes());
            core.say(None, Reply::no("No updates of this").code(Code::Other(code)));
        }
        core.done(&self.tag, Reply::ok("ESEARCH completed"))
    }
}

/// Whether a source names a mailbox.
fn names(source: &Source, entry: &MailboxEntry, core: &Core) -> bool {
    let named = |names: &[Vec<u8>], is: &dyn Fn(&MailboxName) -> bool| {
        names.iter().filter_map(|name| core.mailbox(name)).any(|name| is(&name))
    };
    let one = |name: &MailboxName| *name == entry.name;
    let under = |name: &MailboxName| entry.name.is_under(name);
    match source {
        Source::Selected => core.view().is_some_and(|view| view.name == entry.name),
        // Where mail is laid in.
        Source::Inboxes => entry.name.is_inbox(),
        // QUIRK(kep, 2026-11): virtual ones only show what others hold; docs/quirks.md#61
        Source::Personal => !entry.gathered,
        Source::Subscribed => entry.subscribed,
        Source::Mailboxes(all) => named(all, &one),
        Source::Subtree(all) => named(all, &|name| one(name) || under(name)),
        Source::SubtreeOne(all) => {
            let child = |name: &MailboxName| entry.name.parent().as_ref() == Some(name);
            named(all, &|name| one(name) || child(name))
        }
    }
}
