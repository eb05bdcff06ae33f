//! A selected mailbox as this client knows it: which messages have which sequence numbers. It
//! changes only when the client is told so.

use super::ask::{Changes, Selected};
use super::command::Context;
use crate::wire::MailboxId;
use crate::wire::imap::{Keywords, MailboxName, MessageSet, ModSeq, Uid, UidSet};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct View {
    pub mailbox: MailboxId,
    pub name: MailboxName,
    pub read_only: bool,
    pub uid_validity: u32,
    /// Everything up to here was told.
    pub modseq: ModSeq,
    /// The last HIGHESTMODSEQ the client was given.
    pub announced: ModSeq,
    /// Keywords the client heard of in FLAGS.
    pub keywords: Keywords,
    /// `$` (RFC 5182).
    pub saved: UidSet,
    /// Own changes the client knows already: not to be told again when the poll finds them.
    pub told: Vec<(ModSeq, UidSet)>,
    /// Vanished, and not to be told yet (RFC 5465 §6.1.2).
    pub gone: UidSet,
    /// Have other flags, which are not to be told, or could not be read.
    pub flagged: UidSet,
    /// Arrived, and what NOTIFY wants of them could not be told yet.
    pub fresh: UidSet,
    /// Searches that are told of changes (RFC 5267).
    pub contexts: Vec<Context>,
    /// What changed since these were looked through; nothing while there is none.
    pub touched: UidSet,
    /// This session is the first to be told of these (RFC 3501 §2.3.2).
    recent: UidSet,
    /// How many the client knows to be so.
    pub told_recent: usize,
    uids: UidSet,
    /// Sequence number of each range's first UID.
    starts: Vec<u32>,
    count: u32,
}

/// A set names a sequence number that is not in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoSuchMessage;

impl View {
    pub fn new(selected: Selected) -> Self {
        let mut view = Self {
            mailbox: selected.mailbox,
            name: selected.name,
            read_only: selected.read_only,
            uid_validity: selected.uid_validity,
            modseq: selected.highest_modseq,
            announced: selected.highest_modseq,
            keywords: selected.keywords,
            saved: UidSet::new(),
            told: Vec::new(),
            gone: UidSet::new(),
            flagged: UidSet::new(),
            fresh: UidSet::new(),
            contexts: Vec::new(),
            touched: UidSet::new(),
            told_recent: selected.recent.len(),
            recent: selected.recent,
            uids: UidSet::new(),
            starts: Vec::new(),
            count: 0,
        };
        view.set(selected.uids);
        view
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    pub fn recent(&self) -> &UidSet {
        &self.recent
    }

    pub fn uids(&self) -> &UidSet {
        &self.uids
    }

    /// The sequence number of a message in the view.
    pub fn sequence(&self, uid: Uid) -> Option<u32> {
        let at = self.uids.ranges().partition_point(|r| r.0 <= uid).checked_sub(1)?;
        let (first, last) = *self.uids.ranges().get(at)?;
        (uid <= last).then_some(self.starts.get(at)? + (uid - first))
    }

    /// What a set of the client means here. UIDs that are not there mean nothing; sequence
    /// numbers that are not there are an error (RFC 9051 §9 `seq-number`).
    pub fn resolve(&self, set: &MessageSet) -> Result<UidSet, NoSuchMessage> {
        match set {
            MessageSet::Saved => Ok(self.saved.intersection(&self.uids)),
            MessageSet::Recent => Ok(self.recent.clone()),
            MessageSet::Uid(set) => {
                let last = self.uids.last().unwrap_or_default();
                Ok(set.resolve(last).intersection(&self.uids))
            }
            MessageSet::Sequence(set) => {
                let numbers = set.resolve(self.count);
                match numbers.last().unwrap_or_default() > self.count && self.count > 0 {
                    true => Err(NoSuchMessage),
                    false => Ok(self.at_sequences(&numbers)),
                }
            }
        }
    }

    /// The UIDs a set names, in use here or not; none for sequence numbers. `*` is open: who asks with
    /// `1:*` what vanished wants to hear of a last message that did, too, and whoever hears of a UID he
    /// doesn't know passes over it (RFC 7162 §3.2.10.1).
    pub fn named(&self, set: &MessageSet) -> UidSet {
        match set {
            MessageSet::Uid(set) => {
                let last = self.uids.last().unwrap_or_default();
                set.resolve(last).union(&set.resolve(Uid::MAX))
            }
            MessageSet::Saved => self.saved.clone(),
            MessageSet::Sequence(_) | MessageSet::Recent => UidSet::new(),
        }
    }

    /// As `resolve`, for a search key: a sequence number that is not in use matches nothing.
    pub fn matching(&self, set: &MessageSet) -> UidSet {
        match set {
            MessageSet::Sequence(set) => {
                let used = UidSet::range(1, self.count);
                self.at_sequences(&set.resolve(self.count).intersection(&used))
            }
            other => self.resolve(other).unwrap_or_default(),
        }
    }

    /// Sequence numbers of UIDs, as a set (MODIFIED, ESEARCH).
    pub fn sequences(&self, uids: &UidSet) -> UidSet {
        let mut numbers = UidSet::new();
        for &(first, last) in uids.intersection(&self.uids).ranges() {
            if let (Some(a), Some(b)) = (self.sequence(first), self.sequence(last)) {
                numbers.insert_range(a, b);
            }
        }
        numbers
    }

    /// Takes messages out and gives those that were in.
    pub fn remove(&mut self, gone: &UidSet) -> UidSet {
        let gone = gone.intersection(&self.uids);
        if !gone.is_empty() {
            self.saved = self.saved.difference(&gone);
            self.recent = self.recent.difference(&gone);
            self.set(self.uids.difference(&gone));
        }
        gone
    }

    /// Puts new ones behind, and says whether there were any.
    pub fn add(&mut self, changes: &Changes) -> bool {
        let last = self.uids.last().unwrap_or_default();
        let behind = UidSet::range(last.saturating_add(1), Uid::MAX);
        let new = changes.arrived.intersection(&behind).difference(&changes.vanished);
        if !new.is_empty() {
            self.recent = self.recent.union(&changes.recent.intersection(&new));
            self.set(self.uids.union(&new));
        }
        !new.is_empty()
    }

    /// Whether there is something older than `modseq` that the client was not told.
    pub fn withholds(&self) -> bool {
        !self.gone.is_empty() || !self.flagged.is_empty()
    }

    /// Whether a message's state is one this client made and was told of.
    pub fn knows(&self, uid: Uid, modseq: ModSeq) -> bool {
        self.told.iter().any(|(told, uids)| *told == modseq && uids.contains(uid))
    }

    /// Which of these messages the client knows as they were at that mod-sequence.
    pub fn knew(&self, before: &BTreeMap<ModSeq, UidSet>) -> UidSet {
        let known = |at: ModSeq, uids: &UidSet| match at <= self.modseq {
            true => uids.clone(),
            false => uids.iter().filter(|uid| self.knows(*uid, at)).collect(),
        };
        let all = before.iter().fold(UidSet::new(), |all, (at, uids)| all.union(&known(*at, uids)));
        all.difference(&self.flagged)
    }

    /// Contexts are to look at these again.
    pub fn touch(&mut self, uids: &UidSet) {
        if !self.contexts.is_empty() {
            self.touched = self.touched.union(&uids.intersection(&self.uids));
        }
    }

    pub fn remember(&mut self, modseq: ModSeq, uids: UidSet) {
        self.touch(&uids);
        if !uids.is_empty() && self.told.len() < TOLD {
            self.told.push((modseq, uids));
        }
    }

    fn at_sequences(&self, numbers: &UidSet) -> UidSet {
        let mut found = UidSet::new();
        for &(mut first, last) in numbers.ranges() {
            while first <= last {
                let at = self.starts.partition_point(|start| *start <= first);
                let Some(at) = at.checked_sub(1) else { break };
                let (Some(start), Some(range)) = (self.starts.get(at), self.uids.ranges().get(at))
                else {
                    break;
                };
                let uid = range.0 + (first - start);
                if uid > range.1 {
                    break;
                }
                let steps = (range.1 - uid).min(last - first);
                found.insert_range(uid, uid + steps);
                first += steps + 1;
            }
        }
        found
    }

    fn set(&mut self, uids: UidSet) {
        self.uids = uids;
        self.starts.clear();
        let mut next = 1_u32;
        for (first, last) in self.uids.ranges() {
            self.starts.push(next);
            next = next.saturating_add(last - first).saturating_add(1);
        }
        self.count = next - 1;
    }
}

/// Beyond this a client hears of its own changes twice, which does no harm.
const TOLD: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::SequenceSet;

    fn view(uids: &[Uid]) -> View {
        View::new(Selected {
            mailbox: MailboxId(1),
            name: MailboxName::inbox(),
            uid_validity: 1,
            uid_next: 100,
            highest_modseq: 1,
            uids: uids.iter().copied().collect(),
            first_unseen: None,
            keywords: Keywords::default(),
            read_only: false,
            recent: UidSet::new(),
        })
    }

    fn sequence(text: &str) -> MessageSet {
        MessageSet::Sequence(SequenceSet::parse(text.as_bytes()).unwrap())
    }

    fn uid(text: &str) -> MessageSet {
        MessageSet::Uid(SequenceSet::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn numbers_and_uids_are_told_apart() {
        let view = view(&[3, 4, 5, 9, 20, 21]);
        assert_eq!(view.resolve(&sequence("1:*")).unwrap().to_string(), "3:5,9,20:21");
        assert_eq!(view.resolve(&sequence("2:4,6")).unwrap().to_string(), "4:5,9,21");
        assert_eq!(view.resolve(&sequence("7")), Err(NoSuchMessage));
        assert_eq!(view.matching(&sequence("7")).to_string(), "");
        assert_eq!(view.matching(&sequence("2,6:9")).to_string(), "4,21");
        assert_eq!(view.resolve(&uid("4:20")).unwrap().to_string(), "4:5,9,20");
        assert_eq!(view.resolve(&uid("100:*")).unwrap().to_string(), "21");
        assert_eq!(view.sequence(20), Some(5));
        assert_eq!(view.sequence(6), None);
        assert_eq!(view.sequences(&[4, 5, 20].into_iter().collect()).to_string(), "2:3,5");
    }

    #[test]
    fn an_empty_mailbox_has_no_messages() {
        let view = view(&[]);
        assert!(view.resolve(&sequence("1:*")).unwrap().is_empty());
        assert!(view.resolve(&uid("*")).unwrap().is_empty());
    }

    #[test]
    fn it_changes_when_told() {
        let mut view = view(&[1, 2, 3]);
        let arrived = [2, 5].into_iter().collect();
        assert!(view.add(&Changes { arrived, ..Changes::default() }));
        assert_eq!(view.count(), 4);
        assert_eq!(view.remove(&[2, 7].into_iter().collect()).to_string(), "2");
        assert_eq!(view.sequence(5), Some(3));
    }
}
