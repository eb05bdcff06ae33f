//! A world in which messages go away amid a command, answers come short and some asks are refused.

use crate::mailbox::ask::{Answer, Ask, Changes, Found, Moved, Refusal, Stored};
use crate::wire::imap::UidSet;

/// The same seed makes the same trouble.
pub struct Trouble(u64);

impl Trouble {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn answer(&mut self, ask: Ask) -> Answer {
        // How many of them there are depends on how the octets come.
        if matches!(ask, Ask::AppendChunk(_)) {
            return super::yes(ask);
        }
        let trouble = self.roll();
        match trouble % 16 {
            _ if trouble == 0 => super::yes(ask),
            1 => Answer::Refused(refusal(self.roll())),
            2..=3 => short(super::yes(ask)),
            4..=5 => early(super::yes(ask)),
            // An answer to something else.
            6 if trouble.is_multiple_of(5) => Answer::Done,
            _ => super::yes(ask),
        }
    }

    /// 0 for ever without a seed.
    fn roll(&mut self) -> u64 {
        if self.0 > 0 {
            let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
            self.0 = next.wrapping_add(1_442_695_040_888_963_407).max(1);
        }
        self.0 >> 33
    }
}

/// The first of what was asked for is gone, or the last is not here yet.
fn short(answer: Answer) -> Answer {
    match answer {
        Answer::Rows(mut rows) => Answer::Rows(rows.split_off(rows.len().min(1))),
        Answer::Flags(mut rows) => Answer::Flags(rows.split_off(rows.len().min(1))),
        Answer::Content(mut octets) => {
            octets.truncate(octets.len().div_ceil(2));
            Answer::Content(octets)
        }
        Answer::Changes(changes) => {
            let vanished = changes.vanished.union(&UidSet::range(1, 3));
            Answer::Changes(Changes { vanished, ..changes })
        }
        Answer::Found(found) => Answer::Found(Found { there: UidSet::range(2, 3), ..found }),
        Answer::Stored(stored) => {
            let modified = UidSet::range(2, 4);
            let changed = stored.changed.difference(&modified);
            Answer::Stored(Stored { changed, modified, ..stored })
        }
        Answer::Moved(moved) => {
            Answer::Moved(Moved { gone: moved.gone.difference(&UidSet::one(1)), ..moved })
        }
        Answer::Expunged(gone) => Answer::Expunged(gone.difference(&UidSet::one(1))),
        Answer::Sorted(mut uids) => {
            uids.truncate(1);
            Answer::Sorted(uids)
        }
        Answer::Mailboxes(_) => Answer::Mailboxes(Vec::new()),
        Answer::Overview(_) => Answer::Overview(Vec::new()),
        other => other,
    }
}

/// It ends before the last that was asked for; changes come with the flags.
fn early(answer: Answer) -> Answer {
    match answer {
        Answer::Rows(mut rows) => {
            rows.truncate(rows.len().div_ceil(2));
            Answer::Rows(rows)
        }
        Answer::Flags(mut rows) => {
            rows.truncate(rows.len().div_ceil(2));
            Answer::Flags(rows)
        }
        Answer::Changes(changes) => {
            let told = changes.arrived.union(&changes.changed);
            let flags = told.iter().map(|uid| super::flags(uid, changes.highest_modseq)).collect();
            Answer::Changes(Changes { flags, ..changes })
        }
        Answer::Stored(mut stored) => {
            stored.rows.truncate(stored.rows.len().div_ceil(2));
            Answer::Stored(stored)
        }
        other => other,
    }
}

fn refusal(which: u64) -> Refusal {
    match which % 10 {
        0 => Refusal::NoSuchMailbox,
        1 => Refusal::Gone,
        2 => Refusal::Cannot,
        3 => Refusal::OverQuota,
        4 => Refusal::BadUrl,
        5 => Refusal::ReadOnlyMailbox,
        6 => Refusal::Limit,
        7 => Refusal::Said("olmaz / no".into()),
        8 => Refusal::AccountClosed,
        _ => Refusal::Unavailable,
    }
}
