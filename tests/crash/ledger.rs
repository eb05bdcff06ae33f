//! The client's own book: what it sent, and what it was told. Written before and after each try.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One letter, from its first try on.
#[derive(Clone, Debug)]
pub struct Entry {
    pub sender: String,
    pub recipient: String,
    /// The octets handed over, the same at each try.
    pub original: Arc<Vec<u8>>,
    /// The provider's id, once a 250 was read.
    pub acknowledged: Option<String>,
}

pub struct Ledger {
    entries: Mutex<BTreeMap<String, Entry>>,
    log: Mutex<File>,
}

impl Ledger {
    pub fn open(log: &Path) -> io::Result<Self> {
        Ok(Self { entries: Mutex::default(), log: Mutex::new(File::create(log)?) })
    }

    /// Before a try.
    pub fn sending(&self, message_id: &str, entry: &Entry) -> io::Result<()> {
        self.note(&format!("SENT {message_id} {} {}", entry.sender, entry.recipient))?;
        lock(&self.entries).entry(message_id.to_owned()).or_insert_with(|| entry.clone());
        Ok(())
    }

    /// After a 250. The same letter must get the same id at each try (invariant 2).
    pub fn acknowledged(&self, message_id: &str, id: &str) -> io::Result<()> {
        self.note(&format!("250 {message_id} {id}"))?;
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(message_id);
        let entry = entry.ok_or_else(|| io::Error::other(format!("never sent: {message_id}")))?;
        match &entry.acknowledged {
            Some(before) if before != id => {
                Err(io::Error::other(format!("{message_id}: first {before}, again {id}")))
            }
            _ => {
                entry.acknowledged = Some(id.to_owned());
                Ok(())
            }
        }
    }

    pub fn entries(&self) -> BTreeMap<String, Entry> {
        lock(&self.entries).clone()
    }

    pub fn acknowledged_count(&self) -> usize {
        lock(&self.entries).values().filter(|entry| entry.acknowledged.is_some()).count()
    }

    /// A sender's letters that were acknowledged or not yet.
    pub fn of(&self, sender: &str, acknowledged: bool) -> Vec<(String, Entry)> {
        let entries = lock(&self.entries);
        let wanted = |e: &Entry| e.sender == sender && e.acknowledged.is_some() == acknowledged;
        entries.iter().filter(|(_, e)| wanted(e)).map(|(m, e)| (m.clone(), e.clone())).collect()
    }

    fn note(&self, line: &str) -> io::Result<()> {
        writeln!(lock(&self.log), "{line}")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.log")).expect("a ledger");
        let entry = Entry {
            sender: "a".to_owned(),
            recipient: "b".to_owned(),
            original: Arc::default(),
            acknowledged: None,
        };
        ledger.sending("m1", &entry).expect("a note");
        ledger
    }

    #[test]
    fn the_same_letter_may_be_acknowledged_again_with_its_id_only() {
        let ledger = ledger();
        ledger.acknowledged("m1", "id-1").expect("the first");
        ledger.acknowledged("m1", "id-1").expect("the same again");
        assert!(ledger.acknowledged("m1", "id-2").is_err());
    }

    #[test]
    fn a_try_again_keeps_what_was_told() {
        let ledger = ledger();
        ledger.acknowledged("m1", "id-1").expect("the first");
        let entry = ledger.entries()["m1"].clone();
        ledger.sending("m1", &Entry { acknowledged: None, ..entry }).expect("a note");
        assert_eq!(ledger.of("a", true).len(), 1);
        assert!(ledger.of("a", false).is_empty());
    }
}
