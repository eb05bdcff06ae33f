//! SEARCH and UID SEARCH, with RETURN (RFC 4731) and `$` (RFC 5182).

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Found, Refusal, RowWant, Search as SearchAsk};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::{NoSuchMessage, View};
use crate::wire::imap::command::{Search, SearchReturn};
use crate::wire::imap::{MessageSet, SearchKey, UidSet, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    uid: bool,
    returns: Option<SearchReturn>,
    modseq: bool,
    /// Found, and only its ends are told: their mod-sequences are being asked for.
    found: Option<Found>,
}

pub(super) fn start(tag: String, search: Search, core: &mut Core) -> Step {
    let modseq = search.key.any(&|key| matches!(key, SearchKey::ModSeq(_)));
    // RFC 9755 §3 (RFC 6855 §3).
    if search.charset && core.enabled.utf8 {
        return core.done(&tag, Reply::bad("No CHARSET after UTF8=ACCEPT"));
    }
    core.enabled.condstore |= modseq;
    let Some(view) = core.view() else { return Step::Done };
    let Ok(key) = resolve(search.key, view) else {
        return core.done(&tag, Reply::bad("No such message"));
    };
    let ask = SearchAsk { mailbox: view.mailbox, key, modseq };
    // RFC 9051 §6.4.4: without RETURN it is RETURN (ALL).
    let all = SearchReturn { all: true, ..SearchReturn::default() };
    let returns = search.returns.or(core.enabled.rev2.then_some(all));
    let task = Task { tag, uid: search.uid, returns, modseq, found: None };
    Step::Ask(Ask::Search(ask), super::Task::Search(task))
}

fn resolve(key: SearchKey<MessageSet>, view: &View) -> Result<SearchKey<UidSet>, NoSuchMessage> {
    let unknown = key.any(&|key| match key {
        SearchKey::Messages(set) => view.resolve(set).is_err(),
        _ => false,
    });
    match unknown {
        true => Err(NoSuchMessage),
        false => Ok(key.map(&|set| view.resolve(&set).unwrap_or_default())),
    }
}

impl Task {
    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Found(found) => match self.ends(&found.uids).filter(|_| self.modseq) {
                Some(ends) => self.ask_for_ends(ends, found, core),
                None => self.tell(found, core),
            },
            Answer::Rows(rows) => {
                let uids = self.found.take().unwrap_or_default().uids;
                let highest_modseq = rows.iter().map(|row| row.modseq).max().unwrap_or_default();
                self.tell(Found { uids, highest_modseq }, core)
            }
            Answer::Refused(refusal) => {
                // RFC 5182 §2.1: a failed SAVE leaves nothing saved.
                if let Some(view) = core.view_mut().filter(|_| self.saves()) {
                    view.saved = UidSet::new();
                }
                core.done(&self.tag, Reply::refused(&refusal))
            }
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn saves(&self) -> bool {
        self.returns.is_some_and(|returns| returns.save)
    }

    fn tell(self, found: Found, core: &mut Core) -> Step {
        let Some(view) = core.view() else { return Step::Done };
        let uids = found.uids.intersection(view.uids());
        let numbers = if self.uid { uids.clone() } else { view.sequences(&uids) };
        let modseq = (self.modseq && !uids.is_empty()).then_some(found.highest_modseq);
        match self.returns {
            None => encode::search(&mut core.out, numbers.iter(), modseq),
            Some(returns) => {
                self.save(returns, &uids, core);
                self.tell_extended(returns, &numbers, modseq, core);
            }
        }
        core.done(&self.tag, Reply::ok("SEARCH completed"))
    }

    /// The first and the last one, when it is only these that are asked for.
    fn ends(&self, uids: &UidSet) -> Option<UidSet> {
        let returns = self.returns.filter(|r| (r.min || r.max) && !r.all && !r.count)?;
        let min = uids.first().filter(|_| returns.min);
        Some(min.into_iter().chain(uids.last().filter(|_| returns.max)).collect())
    }

    /// RFC 7162 §3.1.10: with MIN or MAX alone MODSEQ is that of the messages told.
    fn ask_for_ends(mut self, ends: UidSet, found: Found, core: &mut Core) -> Step {
        match core.view().map(|view| view.mailbox).filter(|_| !ends.is_empty()) {
            Some(mailbox) => {
                self.found = Some(found);
                let ask = Ask::Rows { mailbox, uids: ends, want: RowWant::default() };
                Step::Ask(ask, super::Task::Search(self))
            }
            None => self.tell(found, core),
        }
    }

    /// RFC 5182 §2.1: with MIN or MAX and no ALL or COUNT only those are saved.
    fn save(&self, returns: SearchReturn, uids: &UidSet, core: &mut Core) {
        let saved = self.ends(uids).unwrap_or_else(|| uids.clone());
        if let Some(view) = core.view_mut().filter(|_| returns.save) {
            view.saved = saved;
        }
    }

    fn tell_extended(
        &self,
        returns: SearchReturn,
        numbers: &UidSet,
        modseq: Option<u64>,
        core: &mut Core,
    ) {
        // SAVE alone asks for no response.
        if !(returns.min || returns.max || returns.all || returns.count) {
            return;
        }
        let result = encode::Esearch {
            tag: &self.tag,
            uid: self.uid,
            min: numbers.first().filter(|_| returns.min),
            max: numbers.last().filter(|_| returns.max),
            all: returns.all.then_some(numbers),
            count: returns.count.then(|| numbers.len()),
            modseq,
        };
        encode::esearch(&mut core.out, &result);
    }
}
