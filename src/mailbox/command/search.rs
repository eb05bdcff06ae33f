//! SEARCH, SORT and THREAD (RFC 5256) and their UID forms, with RETURN (RFC 4731, 5267, 9394) and `$`
//! (RFC 5182).

use super::context::{self, Context};
use super::sync::Then;
use super::telling::{Hits, Left, Telling};
use super::{Step, limit};
use crate::mailbox::ask::{
    Answer, Ask, Found, Refusal, RowWant, Search as SearchAsk, ThreadToken, relevancy,
};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::View;
use crate::wire::imap::command::{Order, Partial, Search, SearchReturn};
use crate::wire::imap::{MessageSet, SearchKey, Uid, UidSet, encode};
use std::cell::Cell;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    uid: bool,
    returns: Option<SearchReturn>,
    modseq: bool,
    order: Order,
    /// What is to be looked for again when something changes (RFC 5267).
    update: Option<SearchKey<UidSet>>,
    /// It looks for what is recent, which is resolved once.
    recent: bool,
    /// There were more than one command looks at (RFC 9738 §3.1).
    lowest: Option<Uid>,
    /// Some of the messages this client holds are gone.
    gone: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Searching,
    /// Only the ends of what was found are told: their mod-sequences are being asked for.
    Ends(Found),
    Arranging(Found),
    Telling(Telling),
}

pub(super) fn start(tag: String, search: Search, core: &mut Core) -> Step {
    let modseq = search.key.any(&|key| matches!(key, SearchKey::ModSeq(_)));
    // RFC 9755 §3 (RFC 6855 §3). SORT and THREAD can't do without one.
    if search.charset && core.enabled.utf8 && search.order == Order::Mailbox {
        return core.done(&tag, Reply::bad("No CHARSET after UTF8=ACCEPT"));
    }
    core.enable_condstore(modseq);
    let Some(view) = core.view() else { return Step::Done };
    let recent = super::recent::is_asked(&search.key);
    let Some(mut key) = resolve(search.key, view) else {
        return core.done(&tag, Reply::refused(&Refusal::Limit));
    };
    let within = limit::within(limit::looked_at(&key, view.uids()), core);
    if within.lowest.is_some() {
        if search.order != Order::Mailbox {
            return core.done(&tag, limit::refusal(None, core));
        }
        key = SearchKey::And(vec![SearchKey::Messages(within.uids), key]);
    }
    let update = search.returns.is_some_and(|returns| returns.update).then(|| key.clone());
    let ask = SearchAsk { mailbox: view.mailbox, key, modseq, read: 0 };
    // RFC 9051 §6.4.4: without RETURN it is RETURN (ALL).
    let all = SearchReturn { all: true, ..SearchReturn::default() };
    let searches = matches!(search.order, Order::Mailbox);
    let returns = search.returns.or((searches && core.enabled.rev2).then_some(all));
    let task = Task {
        tag,
        uid: search.uid,
        returns,
        modseq,
        order: search.order,
        update,
        recent,
        lowest: within.lowest,
        gone: false,
        stage: Stage::Searching,
    };
    Step::Ask(Ask::Search(ask), super::Task::Search(Box::new(task)))
}

/// `None` when its sets are too much together: where many messages are gone, few octets name a set of
/// many ranges, and again and again (invariant 10).
pub(super) fn resolve(key: SearchKey<MessageSet>, view: &View) -> Option<SearchKey<UidSet>> {
    let left = Cell::new(RANGES + VIEWS * view.uids().ranges().len());
    let key = key.map(&|set| {
        if left.get() == 0 {
            return UidSet::new();
        }
        let set = view.matching(&set);
        left.set(left.get().saturating_sub(set.ranges().len()));
        set
    });
    (left.get() > 0).then_some(key)
}

/// Ranges that the sets of one search may have together, whatever the mailbox holds.
const RANGES: usize = 64 << 10;
/// The same, as many times as the mailbox itself takes.
const VIEWS: usize = 4;

impl Task {
    pub fn answer(mut self: Box<Self>, answer: Answer, core: &mut Core) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Searching);
        match (stage, answer) {
            (Stage::Searching, Answer::Found(found)) => self.found(found, core),
            (Stage::Ends(found), Answer::Rows(rows)) => {
                let highest_modseq = rows.iter().map(|row| row.modseq).max().unwrap_or_default();
                let found = Found { highest_modseq, ..found };
                self.tell(Hits::Set(found.uids.clone()), &found, core)
            }
            (Stage::Arranging(found), Answer::Sorted(uids)) => {
                self.gone |= uids.len() < found.uids.len();
                self.tell(Hits::Sorted(uids), &found, core)
            }
            (Stage::Arranging(_), Answer::Threads(tokens)) => self.tell_threads(tokens, core),
            (_, Answer::Refused(refusal)) => {
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

    /// What the client doesn't know yet is not told; what it doesn't know to be gone is noted.
    fn found(mut self: Box<Self>, mut found: Found, core: &mut Core) -> Step {
        let Some(view) = core.view() else { return Step::Done };
        let mailbox = view.mailbox;
        self.gone = !view.uids().difference(&found.there).is_empty();
        found.uids = found.uids.intersection(view.uids());
        let uids = found.uids.clone();
        let ask = match &self.order {
            Order::Sort(by) if !uids.is_empty() => {
                Ask::Sort { mailbox, uids, exact: found.exact.clone(), by: by.clone() }
            }
            Order::Thread(by) if !uids.is_empty() => Ask::Thread { mailbox, uids, by: *by },
            Order::Thread(_) => return self.tell_threads(Vec::new(), core),
            Order::Sort(_) => return self.tell(Hits::Sorted(Vec::new()), &found, core),
            Order::Mailbox => match self.ends(&uids).filter(|_| self.modseq) {
                Some(ends) if !ends.is_empty() => {
                    self.stage = Stage::Ends(found);
                    let ask = Ask::Rows { mailbox, uids: ends, want: RowWant::default() };
                    return Step::Ask(ask, super::Task::Search(self));
                }
                _ => return self.tell(Hits::Set(uids), &found, core),
            },
        };
        self.stage = Stage::Arranging(found);
        Step::Ask(ask, super::Task::Search(self))
    }

    /// The first and the last one, when it is only these that are asked for. RFC 7162 §3.1.10: then
    /// MODSEQ is theirs.
    fn ends(&self, uids: &UidSet) -> Option<UidSet> {
        let only = |r: &SearchReturn| (r.min || r.max) && !r.all && !r.count && r.partial.is_none();
        let returns = self.returns.filter(only)?;
        let min = uids.first().filter(|_| returns.min);
        Some(min.into_iter().chain(uids.last().filter(|_| returns.max)).collect())
    }

    fn tell(mut self: Box<Self>, hits: Hits, found: &Found, core: &mut Core) -> Step {
        let Some(view) = core.view() else { return Step::Done };
        let numbers = match &hits {
            Hits::Set(set) if self.uid => Hits::Set(set.clone()),
            Hits::Set(set) => Hits::Set(view.sequences(set)),
            Hits::Sorted(uids) if self.uid => Hits::Sorted(uids.clone()),
            Hits::Sorted(uids) => {
                Hits::Sorted(uids.iter().filter_map(|uid| view.sequence(*uid)).collect())
            }
        };
        let modseq = (self.modseq && hits.len() > 0).then_some(found.highest_modseq);
        if let Some(returns) = self.returns {
            self.save(returns, &hits, core);
            if let Some(key) = self.update.take() {
                self.watch(key, &hits, core);
            }
        }
        let telling = match self.returns {
            None => {
                let sort = matches!(self.order, Order::Sort(_));
                core.out.extend_from_slice(if sort { b"* SORT" } else { b"* SEARCH" });
                Telling::new(numbers.numbers(), encode::end_with_modseq(modseq))
            }
            Some(returns) => {
                let more = More { scores: scores(returns, &hits, found), modseq };
                let Some(telling) = extended(&self.tag, self.uid, returns, numbers, more, core)
                else {
                    return self.finish(core);
                };
                telling
            }
        };
        self.write(telling, core)
    }

    fn tell_threads(self: Box<Self>, mut tokens: Vec<ThreadToken>, core: &mut Core) -> Step {
        let Some(view) = core.view() else { return Step::Done };
        for token in tokens.iter_mut().filter(|_| !self.uid) {
            if let ThreadToken::Message(number) = token {
                *number = view.sequence(*number).unwrap_or_default();
            }
        }
        let space = if tokens.is_empty() { "" } else { " " };
        core.out.extend_from_slice(format!("* THREAD{space}").as_bytes());
        self.write(Telling::new(Left::Threads(tokens.into_iter()), b"\r\n".to_vec()), core)
    }

    fn write(mut self: Box<Self>, mut telling: Telling, core: &mut Core) -> Step {
        if telling.write(&mut core.out) {
            return self.finish(core);
        }
        self.stage = Stage::Telling(telling);
        Step::Pause(super::Task::Search(self))
    }

    /// What was written is sent.
    pub fn go_on(mut self: Box<Self>, core: &mut Core) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Searching) {
            Stage::Telling(telling) => self.write(telling, core),
            _ => Step::Close,
        }
    }

    fn finish(self, core: &mut Core) -> Step {
        let name = match self.order {
            Order::Mailbox => "SEARCH completed",
            Order::Sort(_) => "SORT completed",
            Order::Thread(_) => "THREAD completed",
        };
        let reply = match self.gone {
            // RFC 2180 §4.1: the client still holds what another session took away.
            true => Reply::ok("Some messages are gone").named("EXPUNGEISSUED"),
            false => Reply::ok(name),
        };
        let reply = limit::told(reply, self.lowest, core);
        context::refresh(Then::Say(self.tag, reply), core)
    }

    fn save(&self, returns: SearchReturn, hits: &Hits, core: &mut Core) {
        if let Some(view) = core.view_mut().filter(|_| returns.save) {
            view.saved = saved(returns, hits);
        }
    }

    fn watch(&self, key: SearchKey<UidSet>, hits: &Hits, core: &mut Core) {
        let may = self.order == Order::Mailbox && !self.recent && self.lowest.is_none();
        let context = Context { tag: self.tag.clone(), uid: self.uid, key, found: hits.set() };
        context::watch(context, may, core);
    }
}

/// What SAVE keeps. RFC 5182 §2.1: with MIN or MAX and no ALL or COUNT only those; RFC 9394 §3.1: and
/// those of PARTIAL.
pub(super) fn saved(returns: SearchReturn, hits: &Hits) -> UidSet {
    let some = returns.min || returns.max || returns.partial.is_some();
    if !some || returns.all || returns.count {
        return hits.set();
    }
    let min = hits.first().filter(|_| returns.min);
    let ends = min.into_iter().chain(hits.last().filter(|_| returns.max)).collect();
    returns.partial.map(|part| hits.part(part).set()).unwrap_or_default().union(&ends)
}

/// The beginning of ESEARCH; nothing when none is asked for: SAVE alone asks for no response.
fn extended(
    tag: &str,
    uid: bool,
    returns: SearchReturn,
    numbers: Hits,
    more: More,
    core: &mut Core,
) -> Option<Telling> {
    let SearchReturn { min, max, all, count, partial, update, .. } = returns;
    if !(min || max || all || count || update || partial.is_some()) {
        return None;
    }
    let head = encode::Esearch {
        tag,
        uid,
        min: numbers.first().filter(|_| min),
        max: numbers.last().filter(|_| max),
        count: count.then(|| numbers.len()),
        ..encode::Esearch::default()
    };
    encode::esearch(&mut core.out, &head);
    Some(results(partial, all, &numbers, more, core))
}

/// What stands behind the results.
pub(super) struct More {
    /// RELEVANCY (RFC 6203 §4), when it is asked for.
    pub scores: Option<Vec<u32>>,
    pub modseq: Option<u64>,
}

/// How well those that are told match, in their order.
pub(super) fn scores(returns: SearchReturn, hits: &Hits, found: &Found) -> Option<Vec<u32>> {
    let part = returns.partial.map(|part| hits.part(part));
    let told = part.as_ref().unwrap_or(hits);
    let score = |uid: u32| relevancy(found.exact.contains(uid));
    returns.relevancy.then(|| told.each().into_iter().map(score).collect())
}

/// ALL or PARTIAL behind the beginning of an ESEARCH, and what follows them.
pub(super) fn results(
    partial: Option<Partial>,
    all: bool,
    numbers: &Hits,
    more: More,
    core: &mut Core,
) -> Telling {
    let (ranges, close) = match partial {
        Some(part) => {
            let ranges = numbers.part(part).ranges();
            let nil = if ranges.is_empty() { "NIL" } else { "" };
            core.out.extend_from_slice(format!(" PARTIAL ({part} {nil}").as_bytes());
            (ranges, ")")
        }
        None if all && numbers.len() > 0 => {
            core.out.extend_from_slice(b" ALL ");
            (numbers.ranges(), "")
        }
        None => (Vec::new(), ""),
    };
    let left = Left::Ranges(ranges.into_iter());
    let tail = encode::end_with_modseq_item(more.modseq);
    match more.scores.filter(|scores| !scores.is_empty()) {
        Some(scores) => {
            let words = format!("{close} RELEVANCY (").into_bytes();
            let tail = [b")", &tail[..]].concat();
            Telling::new(left, tail).and(words, Left::Scores(scores.into_iter()))
        }
        None => Telling::new(left, [close.as_bytes(), &tail].concat()),
    }
}
