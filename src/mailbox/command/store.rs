//! STORE and UID STORE, with UNCHANGEDSINCE (RFC 7162 §3.1.3), a thousand messages at a time.

use imap_codec::imap_types::response::Code;
use imap_codec::imap_types::sequence::SequenceSet as CodeSet;

use super::Step;
use super::limit::{self, Within};
use crate::mailbox::ask::{Answer, Ask, FlagChange, FlagRow, Refusal, Store as StoreAsk, Stored};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::MailboxId;
use crate::wire::imap::command::{Store, StoreKind};
use crate::wire::imap::{Flags, ModSeq, Uid, UidSet};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    uid: bool,
    silent: bool,
    mailbox: MailboxId,
    change: FlagChange,
    flags: Flags,
    unchanged_since: Option<ModSeq>,
    left: UidSet,
    /// There were more than one command changes: these are changed from the highest down.
    lowest: Option<Uid>,
    modified: UidSet,
    /// The greatest mod-sequence the client was told.
    told: ModSeq,
}

pub(super) fn start(tag: String, store: Store, core: &mut Core) -> Step {
    core.enable_condstore(store.unchanged_since.is_some());
    let Some(view) = core.view() else { return Step::Done };
    let (mailbox, read_only) = (view.mailbox, view.read_only);
    let Ok(left) = view.resolve(&store.set) else {
        return core.done(&tag, Reply::bad("No such message"));
    };
    if read_only {
        return core.done(&tag, Reply::refused(&Refusal::ReadOnlyMailbox));
    }
    let Within { uids: left, lowest } = limit::within(left, core);
    let change = match store.change {
        StoreKind::Add => FlagChange::Add,
        StoreKind::Remove => FlagChange::Remove,
        StoreKind::Replace => FlagChange::Replace,
    };
    let task = Task {
        tag,
        uid: store.uid,
        silent: store.silent,
        mailbox,
        change,
        flags: settable(store.flags),
        unchanged_since: store.unchanged_since,
        left,
        lowest,
        modified: UidSet::new(),
        told: 0,
    };
    task.next(core)
}

/// The flags a client may set: `$Kep…` is the server's and left out without a word.
pub(super) fn settable(flags: Flags) -> Flags {
    Flags { keywords: flags.keywords.client_owned(), ..flags }
}

impl Task {
    fn next(mut self, core: &mut Core) -> Step {
        if self.left.is_empty() {
            let reply = limit::told(self.reply(core), self.lowest, core);
            return super::sync::finish_told(self.tag, reply, self.told, self.uid, core);
        }
        let ask = StoreAsk {
            mailbox: self.mailbox,
            uids: match self.lowest {
                Some(_) => self.left.take_last(BATCH),
                None => self.left.take_first(BATCH),
            },
            change: self.change,
            flags: self.flags.clone(),
            unchanged_since: self.unchanged_since,
            echo: !self.silent || core.enabled.condstore,
        };
        Step::Ask(Ask::Store(ask), super::Task::Store(self))
    }

    pub fn answer(mut self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Stored(mut stored) => {
                if self.lowest.is_some() {
                    stored.rows.reverse();
                }
                self.tell(&stored, core);
                self.told = stored.rows.iter().map(|row| row.modseq).fold(self.told, ModSeq::max);
                self.modified = self.modified.union(&stored.modified);
                if let Some(view) = core.view_mut() {
                    view.touch(&stored.changed);
                    let heard = match self.silent {
                        true => view.knew(&stored.before),
                        false => stored.changed,
                    };
                    view.remember(stored.modseq, heard);
                }
                self.next(core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn tell(&self, stored: &Stored, core: &mut Core) {
        for row in &stored.rows {
            let Some(sequence) = core.view().and_then(|view| view.sequence(row.uid)) else {
                continue;
            };
            self.tell_one(row, sequence, core);
        }
    }

    fn tell_one(&self, row: &FlagRow, sequence: u32, core: &mut Core) {
        super::select::learn(&row.flags.keywords, core);
        let (enabled, recent) = (core.enabled, core.is_recent(row.uid));
        let mut fetch = core.fetch(row.uid, sequence);
        if (self.uid || enabled.condstore) && !enabled.uidonly {
            fetch.number("UID", u64::from(row.uid));
        }
        if !self.silent {
            fetch.flags(&row.flags, recent);
        }
        if enabled.condstore {
            fetch.modseq(row.modseq);
        }
        fetch.end();
    }

    fn reply(&self, core: &Core) -> Reply {
        let numbers = match core.view() {
            Some(view) if !self.uid => view.sequences(&self.modified),
            _ => self.modified.clone(),
        };
        match CodeSet::try_from(numbers.to_string().as_str()) {
            Ok(set) if !numbers.is_empty() => {
                Reply::ok("Some were changed meanwhile").code(Code::Modified(set))
            }
            _ => Reply::ok("STORE completed"),
        }
    }
}

/// Messages in one ask.
const BATCH: usize = 1_000;
