//! FETCH of flags and nothing dear: what programs that keep mail ask for of a whole mailbox, so it goes
//! a straight way, many messages at a time.

use super::{FlagRow, Stage, Step, Task};
use crate::mailbox::ask::{Ask, FLAGS_BATCH};
use crate::mailbox::core::{Core, FLUSH};
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::encode::Fetch as Response;
use crate::wire::imap::{Keywords, UidSet};
use std::vec::IntoIter;

/// Whether `Ask::Flags` tells what the item is about.
pub(super) fn is_of(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Uid | FetchItem::Flags | FetchItem::ModSeq)
}

/// The client hears of keywords before a message has them.
pub(in crate::mailbox::command) fn learn<'k>(
    keywords: impl Iterator<Item = &'k Keywords>,
    core: &mut Core,
) {
    let mut last = None;
    let mut all = Keywords::default();
    for words in keywords.filter(|words| !words.is_empty()) {
        // Neighbours often have the same.
        if last.replace(words) != Some(words) {
            all = all.with(words);
        }
    }
    super::super::select::learn(&all, core);
}

/// Those asked for behind the last one that came.
pub(in crate::mailbox::command) fn behind(asked: &UidSet, rows: &[FlagRow]) -> UidSet {
    super::behind(asked, rows.last().map(|row| row.uid))
}

/// Takes out of `left` those whose flags came with the changes.
pub(in crate::mailbox::command) fn take_known(
    left: &mut UidSet,
    mut rows: Vec<FlagRow>,
) -> Vec<FlagRow> {
    rows.retain(|row| left.contains(row.uid));
    *left = left.difference(&rows.iter().map(|row| row.uid).collect());
    rows
}

impl Task {
    pub(super) fn ask_flags(mut self) -> Step {
        let uids = self.left.take_first(FLAGS_BATCH);
        self.stage = Stage::Rows { asked: uids.clone() };
        let ask = Ask::Flags { mailbox: self.mailbox, uids };
        Step::Ask(ask, super::super::Task::Fetch(Box::new(self)))
    }

    pub(super) fn got_flags(self, rows: Vec<FlagRow>, core: &mut Core) -> Step {
        if self.items.contains(&FetchItem::Flags) {
            learn(rows.iter().map(|row| &row.flags.keywords), core);
        }
        self.write_flags(rows.into_iter(), core)
    }

    pub(super) fn write_flags(mut self, mut rows: IntoIter<FlagRow>, core: &mut Core) -> Step {
        while core.out.len() < FLUSH {
            let Some(row) = rows.next() else { return self.next_batch(core) };
            let Some(sequence) = core.view().and_then(|view| view.sequence(row.uid)) else {
                continue;
            };
            if self.tells_modseq(row.uid) {
                self.told = self.told.max(row.modseq);
            }
            let mut out = core.fetch(row.uid, sequence);
            let recent = self.recent.contains(row.uid);
            self.items.iter().for_each(|item| write(item, &row, recent, &mut out));
            out.end();
        }
        self.stage = Stage::Flags(rows);
        Step::Pause(super::super::Task::Fetch(Box::new(self)))
    }
}

fn write(item: &FetchItem, row: &FlagRow, recent: bool, out: &mut Response<'_>) {
    match item {
        FetchItem::Uid => out.number("UID", u64::from(row.uid)),
        FetchItem::ModSeq => out.modseq(row.modseq),
        _ => out.flags(&row.flags, recent),
    }
}
