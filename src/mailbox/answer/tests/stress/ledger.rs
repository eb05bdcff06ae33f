//! What all clients together know: which messages came into being where, and which went.

use super::super::world;
use super::picture::{Flags, Picture, State};
use std::collections::{BTreeSet, HashMap};

#[derive(Default)]
pub struct Ledger {
    /// What makes each message's text its own.
    tokens: HashMap<(String, u32), String>,
    created: BTreeSet<(String, u32)>,
    gone: BTreeSet<(String, u32)>,
    /// Had `\\Deleted` at some time: CLOSE takes them, and EXPUNGE of one who had not seen them
    /// yet, and nobody hears of it.
    marked: BTreeSet<(String, u32)>,
    /// What was copied or moved, from where.
    origins: HashMap<(String, u32), (String, u32)>,
    /// One mod-sequence is one state.
    states: HashMap<(String, u32, u64), Flags>,
    /// Which selection was told that a message is recent.
    recent: HashMap<(String, u32), u64>,
}

impl Ledger {
    pub fn state(&mut self, mailbox: &str, selection: u64, state: &State) {
        if state.recent {
            let first = *self.recent.entry((mailbox.to_owned(), state.uid)).or_insert(selection);
            assert_eq!(first, selection, "{} of {mailbox} is recent twice", state.uid);
        }
        if let Some(body) = &state.body {
            let body = String::from_utf8_lossy(body);
            let token = body.lines().next().and_then(|line| line.strip_prefix("Subject: "));
            self.token(mailbox, state.uid, token.unwrap_or_else(|| panic!("{body:?}")));
        }
        if state.flags.as_ref().is_some_and(|flags| flags.contains("\\Deleted")) {
            self.marked.insert((mailbox.to_owned(), state.uid));
        }
        if let (Some(modseq), Some(flags)) = (state.modseq, &state.flags) {
            let key = (mailbox.to_owned(), state.uid, modseq);
            let known = self.states.entry(key).or_insert_with(|| flags.clone());
            assert_eq!(known, flags, "two states of {} at {modseq}", state.uid);
        }
    }

    pub fn token(&mut self, mailbox: &str, uid: u32, token: &str) {
        let key = (mailbox.to_owned(), uid);
        let known = self.tokens.entry(key).or_insert_with(|| token.to_owned());
        assert_eq!(known, token, "two messages under {uid} of {mailbox}");
    }

    fn create(&mut self, mailbox: &str, uid: u32) {
        assert!(self.created.insert((mailbox.to_owned(), uid)), "{uid} of {mailbox} twice");
    }

    /// APPENDUID.
    pub fn appended(&mut self, to: &str, tokens: &[String], code: &str) {
        let set = code.strip_prefix("APPENDUID ").and_then(|rest| rest.split_once(' '));
        let uids = world::uids(set.unwrap_or_else(|| panic!("no APPENDUID: {code}")).1);
        assert_eq!(uids.len(), tokens.len());
        for (uid, token) in uids.iter().zip(tokens) {
            self.create(to, uid);
            self.token(to, uid, token);
        }
    }

    /// COPYUID.
    pub fn placed(&mut self, from: &str, to: &str, code: &str, moved: bool) {
        let sets: Vec<_> = code.split(' ').skip(2).map(world::uids).collect();
        assert_eq!(sets[0].len(), sets[1].len(), "{code}");
        for (old, new) in sets[0].iter().zip(sets[1].iter()) {
            self.create(to, new);
            self.origins.insert((to.to_owned(), new), (from.to_owned(), old));
            if moved {
                self.gone.insert((from.to_owned(), old));
            }
            if let Some(token) = self.tokens.get(&(from.to_owned(), old)).cloned() {
                self.token(to, new, &token);
            }
        }
    }

    pub fn gone(&mut self, picture: &Picture) {
        self.gone.extend(picture.gone.iter().map(|uid| (picture.mailbox.clone(), *uid)));
    }

    fn was_marked(&self, at: &(String, u32)) -> bool {
        let mut at = Some(at);
        while let Some(place) = at {
            if self.marked.contains(place) {
                return true;
            }
            at = self.origins.get(place);
        }
        false
    }

    /// Each message that nobody took away is there, once, and nothing else is.
    pub fn holds(&self, mailbox: &str, there: &BTreeSet<u32>) {
        let of = |all: &BTreeSet<(String, u32)>| -> BTreeSet<u32> {
            all.iter().filter(|(name, _)| name == mailbox).map(|(_, uid)| *uid).collect()
        };
        let (created, gone) = (of(&self.created), of(&self.gone));
        let born: Vec<_> = there.difference(&created).collect();
        assert!(born.is_empty(), "nobody made {born:?} of {mailbox}");
        let back: Vec<_> = there.intersection(&gone).collect();
        assert!(back.is_empty(), "{back:?} of {mailbox} went and are there");
        let missing = created.difference(there).filter(|uid| !gone.contains(uid));
        let lost: Vec<_> =
            missing.filter(|uid| !self.was_marked(&(mailbox.to_owned(), **uid))).collect();
        assert!(lost.is_empty(), "{lost:?} of {mailbox} are lost");
    }
}
