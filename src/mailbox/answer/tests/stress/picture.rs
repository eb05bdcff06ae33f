//! What one client knows of the mailbox it has selected: it believes what it is told, and checks
//! that this can be true.

use super::super::world;
use super::reading::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

pub type Flags = BTreeSet<String>;

#[derive(Clone, Default)]
pub struct Picture {
    pub mailbox: String,
    /// Which selection of a mailbox this is.
    pub selection: u64,
    pub validity: u32,
    /// UIDs by sequence number, where they are known.
    pub numbers: Vec<Option<u32>>,
    pub messages: BTreeMap<u32, Message>,
    /// Up to where it knows everything (RFC 7162 §6).
    pub highest: u64,
    /// What it knew before it selected the mailbox again.
    before: BTreeSet<u32>,
    /// What the command under way told of mod-sequences.
    seen: u64,
    said: Option<u64>,
    /// Keywords that FLAGS named.
    words: Flags,
    /// No sequence numbers (RFC 9586).
    pub placeless: bool,
    /// UIDs of which it heard that they are gone.
    pub gone: BTreeSet<u32>,
    /// UIDs whose flags were told since the command under way began, with their mod-sequence.
    pub told: BTreeMap<u32, u64>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Message {
    pub flags: Option<Flags>,
    pub modseq: u64,
}

/// A message's state, as one response told it.
pub struct State {
    pub uid: u32,
    pub modseq: Option<u64>,
    pub flags: Option<Flags>,
    /// This selection is the first to be told of it.
    pub recent: bool,
    pub body: Option<Vec<u8>>,
}

impl Picture {
    pub fn new(mailbox: &str, placeless: bool) -> Self {
        static SELECTIONS: AtomicU64 = AtomicU64::new(0);
        let selection = SELECTIONS.fetch_add(1, Ordering::Relaxed);
        Self { mailbox: mailbox.to_owned(), selection, placeless, ..Self::default() }
    }

    pub fn count(&self) -> u32 {
        self.numbers.len() as u32
    }

    /// Begins with what it knew of the mailbox before (RFC 7162 §3.2.5).
    pub fn resume(&mut self, known: &Self) {
        self.messages = known.messages.clone();
        self.validity = known.validity;
        self.before = known.messages.keys().copied().collect();
    }

    /// It heard what happened since: those it knew come first, and what it heard nothing of came and
    /// went meanwhile.
    pub fn resumed(&mut self) {
        let here = self.before.iter().filter(|uid| self.messages.contains_key(uid));
        for (at, uid) in here.enumerate() {
            let number = self.numbers.get_mut(at).expect("fewer than it knows");
            assert!(number.is_none_or(|told| told == *uid), "{uid} is {number:?}");
            *number = Some(*uid);
        }
    }

    /// It knows all messages that it was told of, and what flags they have.
    pub fn is_whole(&self) -> bool {
        let told = self.numbers.iter().all(Option::is_some);
        let known = self.messages.values().all(|message| message.flags.is_some());
        told && known && self.numbers.len() == self.messages.len()
    }

    /// A code of an `OK`.
    pub fn code(&mut self, code: &str) {
        match code.split_once(' ') {
            Some(("HIGHESTMODSEQ", value)) => self.said = Some(value.parse().unwrap()),
            Some(("UIDVALIDITY", value)) => {
                let value = value.parse().unwrap();
                assert!(self.validity == 0 || self.validity == value, "UIDVALIDITY changed");
                self.validity = value;
            }
            _ => {}
        }
    }

    /// A command ended.
    pub fn ended(&mut self) {
        let highest = self.said.take().unwrap_or(self.highest.max(self.seen));
        assert!(highest >= self.highest, "HIGHESTMODSEQ fell from {} to {highest}", self.highest);
        (self.highest, self.seen) = (highest, 0);
        self.told.clear();
    }

    /// Says of which message's state it was told. `quiet` when none may vanish within.
    pub fn hear(&mut self, data: &[Value], quiet: bool) -> Option<State> {
        let words: Vec<&str> = data
            .iter()
            .take(2)
            .map(|value| if let Value::Atom(atom) = value { atom } else { "" })
            .collect();
        match *words.as_slice() {
            ["FLAGS", ..] => self.words = flags(&data[1]),
            [count, "EXISTS"] => self.exists(count.parse().unwrap()),
            [number, "EXPUNGE"] => {
                assert!(!quiet, "EXPUNGE where no number may shift");
                assert!(!self.placeless, "EXPUNGE with UIDONLY");
                self.expunged(number.parse().unwrap());
            }
            // `(EARLIER)` is a list.
            ["VANISHED", ""] => {
                world::uids(data[2].atom()).iter().for_each(|uid| self.was_gone(uid));
            }
            ["VANISHED", set] => {
                assert!(!quiet, "VANISHED where no number may shift");
                world::uids(set).iter().for_each(|uid| self.vanished(uid));
            }
            [number, "FETCH"] => {
                assert!(!self.placeless, "FETCH with UIDONLY");
                return self.fetched(number.parse().unwrap(), data[2].list());
            }
            [uid, "UIDFETCH"] => {
                assert!(self.placeless, "UIDFETCH without UIDONLY");
                return Some(self.fetched_by_uid(uid.parse().unwrap(), data[2].list()));
            }
            _ => {}
        }
        None
    }

    fn exists(&mut self, count: usize) {
        assert!(count >= self.numbers.len(), "{count} EXISTS after {}", self.numbers.len());
        self.numbers.resize(count, None);
    }

    fn expunged(&mut self, number: usize) {
        assert!((1..=self.numbers.len()).contains(&number), "{number} EXPUNGE");
        let uid = self.numbers.remove(number - 1);
        self.take(uid);
    }

    fn take(&mut self, uid: Option<u32>) {
        if let Some(uid) = uid {
            self.messages.remove(&uid);
            assert!(self.gone.insert(uid), "{uid} went twice");
        }
    }

    fn vanished(&mut self, uid: u32) {
        let known = self.numbers.iter().position(|one| *one == Some(uid));
        // One that it never saw stands behind all that are smaller.
        let behind = self.numbers.iter().rposition(|one| one.is_some_and(|one| one < uid));
        let place = behind.map_or(0, |at| at + 1);
        // With UIDONLY it hears no places: any that it doesn't know is as good.
        let unknown = self.numbers.iter().position(Option::is_none).filter(|_| self.placeless);
        let at = known.or(unknown).unwrap_or(place);
        let here = *self.numbers.get(at).unwrap_or_else(|| panic!("{uid} can't be here"));
        assert!(known.is_some() || here.is_none(), "{uid} in {:?}", self.numbers);
        self.numbers.remove(at);
        self.take(Some(uid));
    }

    /// Gone before this selection, or so long ago that it isn't known when.
    fn was_gone(&mut self, uid: u32) {
        assert!(!self.numbers.contains(&Some(uid)), "{uid} is here");
        if self.messages.remove(&uid).is_some() {
            self.gone.insert(uid);
        }
    }

    /// `None` when it can't know which message that is.
    fn fetched(&mut self, number: usize, items: &[Value]) -> Option<State> {
        assert!((1..=self.numbers.len()).contains(&number), "FETCH of {number}: {items:?}");
        let known = self.numbers[number - 1];
        let told: Option<u32> = item(items, "UID").map(Value::number);
        assert!(
            known.is_none() || told.is_none() || known == told,
            "{number}: {known:?} {items:?}"
        );
        let uid = told.or(known)?;
        self.numbers[number - 1] = Some(uid);
        let known: Vec<u32> = self.numbers.iter().copied().flatten().collect();
        assert!(known.is_sorted_by(|a, b| a < b), "UIDs fall: {:?}", self.numbers);
        Some(self.state(uid, items))
    }

    fn fetched_by_uid(&mut self, uid: u32, items: &[Value]) -> State {
        if !self.numbers.contains(&Some(uid)) {
            let unknown = self.numbers.iter().position(Option::is_none);
            self.numbers[unknown.unwrap_or_else(|| panic!("{uid} was not announced"))] = Some(uid);
        }
        self.state(uid, items)
    }

    fn state(&mut self, uid: u32, items: &[Value]) -> State {
        assert!(!self.gone.contains(&uid), "{uid} is gone: {items:?}");
        let modseq = item(items, "MODSEQ").map(|value| value.list()[0].number());
        let list = item(items, "FLAGS");
        let recent = list.is_some_and(|list| list.list().iter().any(|one| one.atom() == RECENT));
        let told = list.map(flags);
        let message = self.messages.entry(uid).or_default();
        if let Some(modseq) = modseq {
            assert!(modseq >= message.modseq, "MODSEQ of {uid} fell from {}", message.modseq);
            message.modseq = modseq;
            self.seen = self.seen.max(modseq);
        }
        if let Some(flags) = &told {
            let known = |word: &String| word.starts_with('\\') || self.words.contains(word);
            assert!(flags.iter().all(known), "{flags:?} not all of {:?}", self.words);
            message.flags = Some(flags.clone());
            self.told.insert(uid, message.modseq);
        }
        let body = ["BODY[]", "BINARY[]", "RFC822"].iter().find_map(|name| item(items, name));
        // `NIL` when the message went meanwhile.
        let body = body.and_then(|value| match value {
            Value::Text(body) => Some(body.clone()),
            _ => None,
        });
        State { uid, modseq, flags: told, recent, body }
    }
}

fn item<'v>(items: &'v [Value], name: &str) -> Option<&'v Value> {
    items.chunks(2).find(|pair| pair[0].atom() == name).map(|pair| &pair[1])
}

/// Those that all sessions see.
fn flags(list: &Value) -> Flags {
    let all = list.list().iter().map(|flag| flag.atom().to_owned());
    all.filter(|flag| flag != RECENT).collect()
}

/// It differs by session (RFC 3501 §2.3.2).
const RECENT: &str = "\\Recent";
